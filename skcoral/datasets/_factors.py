"""Factors of two modalities: drawing them, mixing them, and labels that they tell."""

import numpy as np
from skorch.helper import SliceDict

MODALITIES = ("m0", "m1")
# Factors of the first modality, of the second, and of both.
KINDS = (*MODALITIES, "shared")


def draw_factors(rng, n_samples, sizes, variance):
    """Draw normal factors of each kind.

    Parameters
    ----------
    rng : RandomState instance
        The generator of the rows.

    n_samples : int
        Number of rows.

    sizes : sequence of int
        Number of factors of each of KINDS.

    variance : float
        Variance of a factor.

    Returns
    -------
    dict of str to ndarray of shape (n_samples, size)
        The factors by kind.
    """
    scale = np.sqrt(variance)
    return {
        kind: scale * rng.standard_normal((n_samples, size))
        for kind, size in zip(KINDS, sizes, strict=True)
    }


def mix_factors(factors, mixtures):
    """Mix the own factors of each modality with the shared ones, by one matrix each."""
    parts = {m: np.hstack([factors[m], factors["shared"]]) for m in mixtures}
    return to_blocks({m: parts[m] @ mixtures[m] for m in mixtures})


def to_blocks(arrays):
    """Return arrays by modality as data."""
    return SliceDict(**{m: array.astype(np.float32) for m, array in arrays.items()})


def name_labels(values):
    """Name what each kind of factors tells: redundant or unique information."""
    names = {"shared": "redundant", "m0": "unique_m0", "m1": "unique_m1"}
    return {name: values[kind] for kind, name in names.items()}


def is_high(scores, threshold=0.0):
    """Return 1 where a score reaches the threshold, else 0."""
    return (scores >= threshold).astype(int)


def cut_into_classes(scores, n_classes):
    """Return classes of equal frequency, up to one row, in the order of the scores."""
    ranks = np.empty(len(scores), dtype=int)
    ranks[np.argsort(scores, kind="stable")] = np.arange(len(scores))
    return ranks * n_classes // len(scores)


def draw_network(rng, n_inputs):
    """Draw the weights of a hidden layer as wide as the input, and of one output."""
    # Half of the variance is lost in a rectified unit (He et al., 2015).
    scale = np.sqrt(2 / n_inputs)
    return [scale * rng.standard_normal(s) for s in ((n_inputs, n_inputs), n_inputs)]


def run_network(weights, inputs):
    """Return the output of a network of one hidden layer of rectified units."""
    hidden, output = weights
    return np.maximum(inputs @ hidden, 0) @ output
