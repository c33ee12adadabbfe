"""Linear starts: linear paths begin as the principal components of the rows."""

import math

import numpy as np
import torch
from scipy.fft import dct
from sklearn.decomposition import PCA

from skcoral._input.blocks import find_rows, take_from_blocks
from skcoral._training.batches import BlockDataset

# Principal components need no more rows than this; they are evenly spaced.
MAX_ROWS = 2_000
MIN_DEVIATION = 1e-6


def start_linear_paths(net, dataset):
    """Start the linear paths of a new net as principal components of the rows.

    Parameters
    ----------
    net : ContrastiveNet
        The net, initialised; the weights of its linear paths are set.

    dataset : BlockDataset
        The training rows.
    """
    network = net.module_
    paths = dict(zip(network.names, network.linear_paths, strict=True))
    paths = {name: path for name, path in paths.items() if path is not None}
    if not paths:
        return
    step = math.ceil(len(dataset) / MAX_ROWS)
    blocks = take_from_blocks(dataset.blocks, slice(None, None, step))
    parts = net.map_batches(network.read_linear, BlockDataset(blocks))
    for (name, path), values in zip(paths.items(), parts, strict=True):
        rows = find_rows(blocks[name])
        if rows is not None:
            values = values[torch.as_tensor(rows).cpu().numpy()]
        weight, bias = find_start(values, len(path.bias))
        with torch.no_grad():
            path.weight.copy_(torch.from_numpy(weight))
            path.bias.copy_(torch.from_numpy(bias))


def find_start(values, width):
    """Return the linear map to the leading principal components, rotated.

    The components are rotated until their variances are about equal, by the discrete
    cosine transform, and scaled to a mean square of one: distances between rows are
    those in the leading components up to a factor, and still are once the columns are
    standardised, which would give weak and strong components equal weight.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_values)
        The values.

    width : int
        Number of outputs.

    Returns
    -------
    weight : ndarray of shape (width, n_values)
        The map; zero where the rows do not differ.

    bias : ndarray of shape (width,)
        The intercept, by which the mean of the rows becomes zero.
    """
    values = values.astype(np.float64)
    n_components = min(width, values.shape[1], len(values) - 1)
    # Numbers are standardised, words have length one or more: less is rounding.
    if n_components < 1 or values.std(axis=0).max() < MIN_DEVIATION:
        return np.zeros((width, values.shape[1])), np.zeros(width)
    pca = PCA(n_components, random_state=0).fit(values)
    size = math.sqrt(pca.explained_variance_.sum() / width)
    rotation = dct(np.eye(width), norm="ortho")[:, :n_components]
    weight = rotation @ pca.components_ / size
    return weight, -weight @ pca.mean_
