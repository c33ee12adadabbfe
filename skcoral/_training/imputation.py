"""Imputation: predict the unique component of a modality that a row lacks."""

import math

import numpy as np
import torch
from sklearn.linear_model import RidgeCV

from skcoral._input.blocks import find_rows, split_block, take_from_blocks
from skcoral._training.batches import BlockDataset

# A linear map needs no more rows than this; they are evenly spaced.
MAX_ROWS = 10_000
# Penalties from which the leave-one-out error selects one.
PENALTIES = 10.0 ** np.arange(-2, 5)


def learn_imputation(net, dataset):
    """Learn to predict missing unique embeddings from the rest of a row.

    Fits a ridge regression for each modality, on the rows that have it and at least one
    other. Networks without a shared path predict from the other unique embeddings.

    Parameters
    ----------
    net : ContrastiveNet
        A trained net; the regression is stored in its network.

    dataset : BlockDataset
        The training rows.
    """
    network = net.module_
    if not set(network.names) <= set(net.criterion_.dims(network)):
        return
    step = math.ceil(len(dataset) / MAX_ROWS)
    blocks = take_from_blocks(dataset.blocks, slice(None, None, step))
    present = np.stack([_is_present(blocks[name]) for name in network.names])
    if len(present) == 1:
        return
    dataset = BlockDataset(blocks)
    if not network.has_shared:
        _learn_means(net, dataset, present)
    outputs = net.map_batches(network.leave_one_out, dataset)
    without, unique = outputs[: len(present)], outputs[len(present) :]
    for m, rows in enumerate(present & (present.sum(axis=0) > 1)):
        # Modalities that never occur together cannot predict each other: use the mean,
        # even if they did occur together in an earlier chunk.
        if present[m].any():
            network.fill_weight[m] = 0.0
            network.fill_bias[m] = torch.from_numpy(unique[m][present[m]].mean(axis=0))
        if rows.sum() > 1:
            ridge = RidgeCV(PENALTIES).fit(without[m][rows], unique[m][rows])
            network.fill_weight[m] = torch.from_numpy(ridge.coef_)
            network.fill_bias[m] = torch.from_numpy(ridge.intercept_)


def _learn_means(net, dataset, present):
    """Learn the mean that replaces a second modality that a row lacks."""
    network = net.module_
    unique = net.map_batches(lambda x: network.unique(network.encode(x)), dataset)
    for m, rows in enumerate(present):
        if rows.any():
            network.fill_mean[m] = torch.from_numpy(unique[m][rows].mean(axis=0))


def _is_present(block):
    rows = find_rows(block)
    if rows is None:
        return np.ones(len(split_block(block)[0]), dtype=bool)
    return torch.as_tensor(rows).cpu().numpy()


def overwrite_missing(components, blocks, value):
    """Set the unique components of modalities that rows lack to a value.

    Parameters
    ----------
    components : dict of str to ndarray of shape (n_samples, dim)
        Components by name; changed in place.

    blocks : dict of str to block
        Blocks by modality.

    value : float
        The value.
    """
    for name, block in blocks.items():
        rows = find_rows(block)
        if rows is not None and name in components:
            components[name][~rows] = value
