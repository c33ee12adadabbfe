"""Factors of two modalities: drawing them, mixing them, and labels based on them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from skorch.helper import SliceDict

from skcoral._types import Array

MODALITIES = ("m0", "m1")
# Factors of the first modality, of the second, and of both.
KINDS = (*MODALITIES, "shared")


def draw_factors(
    rng: np.random.RandomState, n_samples: int, sizes: Sequence[int], variance: float
) -> dict[str, Array]:
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


def mix_factors(
    factors: Mapping[str, Array], mixtures: Mapping[str, Array]
) -> SliceDict:
    """Mix the unique factors of each modality with the shared ones, by one matrix."""
    parts = {m: np.hstack([factors[m], factors["shared"]]) for m in mixtures}
    return to_blocks({m: parts[m] @ mixtures[m] for m in mixtures})


def to_blocks(arrays: Mapping[str, Array]) -> SliceDict:
    """Return arrays by modality as float32 blocks."""
    return SliceDict(**{m: array.astype(np.float32) for m, array in arrays.items()})


def name_labels(values: Mapping[str, Any]) -> dict[str, Any]:
    """Name the label that each kind of factors determines: redundant or unique."""
    names = {"shared": "redundant", "m0": "unique_m0", "m1": "unique_m1"}
    return {name: values[kind] for kind, name in names.items()}


def is_high(scores: Array, threshold: float = 0.0) -> Array:
    """Return 1 where a score reaches the threshold, else 0."""
    return (scores >= threshold).astype(int)


def cut_into_classes(scores: Array, n_classes: int) -> Array:
    """Return classes in the order of the scores, equally frequent up to one row."""
    ranks = np.empty(len(scores), dtype=int)
    ranks[np.argsort(scores, kind="stable")] = np.arange(len(scores))
    return ranks * n_classes // len(scores)


def draw_network(rng: np.random.Generator, n_inputs: int) -> list[Array]:
    """Draw the weights of a hidden layer as wide as the input, and of one output."""
    # A rectified unit loses half of the variance (He et al., 2015).
    scale = np.sqrt(2 / n_inputs)
    return [scale * rng.standard_normal(s) for s in ((n_inputs, n_inputs), n_inputs)]


def run_network(weights: Sequence[Array], inputs: Array) -> Array:
    """Return the output of a network with one hidden layer of rectified units."""
    hidden, output = weights
    return np.maximum(inputs @ hidden, 0) @ output
