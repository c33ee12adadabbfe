"""Generators of multimodal data with known interactions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import Bunch, check_random_state
from skorch.helper import SliceDict

from skcoral._constraints import (
    AT_LEAST_TWO,
    NON_NEGATIVE_FLOAT,
    NON_NEGATIVE_INT,
    POSITIVE_INT,
)
from skcoral._sklearn_compat import InvalidParameterError, validate_params
from skcoral._types import Array, RandomState

# The strength of the nonlinearity: at 1.5, factors reach the curved part of tanh, but
# can still be recovered.
GAIN = 1.5

DESCR = """Vectors of several modalities with known interactions.

Each modality mixes shared factors, unique factors and, in "m0" and "m1", an attribute.
Labels: any modality predicts "redundant", "m0" alone predicts "unique_m0", and so on;
only the attributes of "m0" and "m1" together predict "synergy".
"""


@validate_params(
    {
        "n_samples": POSITIVE_INT,
        "n_modalities": AT_LEAST_TWO,
        "n_features": POSITIVE_INT,
        "n_shared": POSITIVE_INT,
        "n_unique": POSITIVE_INT,
        "n_levels": AT_LEAST_TWO,
        "biased": ["boolean"],
        "noise": NON_NEGATIVE_FLOAT,
        "random_state": ["random_state"],
        "world_state": NON_NEGATIVE_INT,
    },
    prefer_skip_nested_validation=True,
)
def make_multimodal_interactions(
    n_samples: int = 1000,
    *,
    n_modalities: int = 2,
    n_features: int = 32,
    n_shared: int = 4,
    n_unique: int = 4,
    n_levels: int = 10,
    biased: bool = False,
    noise: float = 0.05,
    random_state: RandomState = None,
    world_state: int = 0,
) -> Bunch:
    """Make vectors of several modalities with one label per kind of information.

    Each modality is a nonlinear mixture of factors that all modalities share, of unique
    factors and, in the first two modalities, of an attribute with `n_levels` levels. A
    hidden permutation pairs the levels of the two attributes. The synergistic label is
    whether a row obeys the permutation: one attribute alone does not predict it.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows.

    n_modalities : int, default=2
        Number of modalities, at least two.

    n_features : int, default=32
        Width of each modality; at least ``n_shared + n_unique + n_levels``.

    n_shared, n_unique : int, default=4
        Number of factors that all modalities share, and of unique factors of each.

    n_levels : int, default=10
        Number of levels of each attribute.

    biased : bool, default=False
        If True, every row obeys the permutation, so that it can be learnt without
        labels; if False, the attributes are independent, and a row obeys it with
        probability ``1 / n_levels``.

    noise : float, default=0.05
        Standard deviation of the Gaussian noise on the features.

    random_state : int, RandomState instance or None, default=None
        Seed of the rows.

    world_state : int, default=0
        Seed of everything that rows have in common: the mixtures, the directions of the
        labels and the permutation. Use one value for biased and unbiased rows.

    Returns
    -------
    Bunch
        With the entries

        data : SliceDict of str to ndarray of shape (n_samples, n_features), float32
            Modalities "m0", "m1", ...
        target : dict of str to ndarray of shape (n_samples,), int
            Labels 0 and 1: "redundant", "unique_m0", ..., "synergy".
        attributes : ndarray of shape (n_samples, 2), int
            Levels of the attributes of "m0" and "m1".
        DESCR : str
            What the labels mean.

    Raises
    ------
    ValueError
        If a parameter is of a wrong type or out of range.

    See Also
    --------
    make_trifeatures : Pictures with labels of the same kinds.

    Notes
    -----
    The synergistic label follows Trifeatures (Hermann and Lampinen, NeurIPS 2020, as
    used by CoMM, arXiv 2409.07402), where it depends on the texture of one image and
    the colour of the other. The other labels are the signs of random directions of the
    shared or unique factors, which are standard normal. A mixture is an orthonormal
    map, tanh and another orthonormal map.

    Examples
    --------
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> bunch = make_multimodal_interactions(100, n_modalities=3, random_state=0)
    >>> bunch.data["m2"].shape, list(bunch.target)
    ((100, 32), ['redundant', 'unique_m0', 'unique_m1', 'unique_m2', 'synergy'])
    """
    _check_width(n_features, n_shared + n_unique + n_levels)
    sizes = (n_modalities, n_features, n_shared, n_unique, n_levels)
    world = _make_world(*sizes, seed=world_state)
    rng = check_random_state(random_state)
    shared = rng.standard_normal((n_samples, n_shared))
    own = [rng.standard_normal((n_samples, n_unique)) for _ in range(n_modalities)]
    attributes = _draw_attributes(rng, n_samples, world["relation"], biased)
    factors = _gather_factors(shared, own, attributes, n_levels)
    return Bunch(
        data=_mix(rng, factors, world["mixtures"], noise),
        target=_make_labels(world, shared, own, attributes),
        attributes=attributes,
        DESCR=DESCR,
    )


def _make_world(
    n_modalities: int,
    n_features: int,
    n_shared: int,
    n_unique: int,
    n_levels: int,
    seed: int,
) -> dict[str, Any]:
    """Draw everything that rows have in common."""
    rng = np.random.default_rng(seed)
    relation = rng.permutation(n_levels)
    shared_direction = rng.standard_normal(n_shared)
    unique_directions = rng.standard_normal((n_modalities, n_unique))
    mixtures = []
    for m in range(n_modalities):
        n_factors = n_shared + n_unique + (n_levels if m < 2 else 0)
        inner = _orthonormal(rng, n_features)[:n_factors]
        mixtures.append((inner, _orthonormal(rng, n_features)))
    return {
        "relation": relation,
        "shared_direction": shared_direction,
        "unique_directions": unique_directions,
        "mixtures": mixtures,
    }


def _orthonormal(rng: np.random.Generator, n: int) -> Array:
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


def _draw_attributes(
    rng: np.random.RandomState, n_samples: int, relation: Array, biased: bool
) -> Array:
    """Draw the two attributes, bound by the permutation if `biased`."""
    n_levels = len(relation)
    first = rng.randint(n_levels, size=n_samples)
    second = relation[first] if biased else rng.randint(n_levels, size=n_samples)
    return np.column_stack([first, second])


def _gather_factors(
    shared: Array, own: Sequence[Array], attributes: Array, n_levels: int
) -> list[Array]:
    """Return the factors that each modality mixes, side by side."""
    factors = [[shared, unique] for unique in own]
    for m in (0, 1):
        factors[m].append(_one_hot(attributes[:, m], n_levels))
    return [np.hstack(parts) for parts in factors]


def _one_hot(levels: Array, n_levels: int) -> Array:
    """Return centred indicators, scaled to the variance of the other factors."""
    return np.sqrt(n_levels) * (np.eye(n_levels)[levels] - 1 / n_levels)


def _mix(
    rng: np.random.RandomState,
    factors: Sequence[Array],
    mixtures: Sequence[tuple[Array, Array]],
    noise: float,
) -> SliceDict:
    """Mix the factors of each modality nonlinearly, and add noise."""
    data = SliceDict()
    for m, (inner, outer) in enumerate(mixtures):
        mixed = np.tanh(GAIN * factors[m] @ inner) @ outer
        mixed += noise * rng.standard_normal(mixed.shape)
        data[f"m{m}"] = mixed.astype(np.float32)
    return data


def _make_labels(
    world: dict[str, Any], shared: Array, own: Sequence[Array], attributes: Array
) -> dict[str, Array]:
    """Return a label per kind of information."""
    target = {"redundant": shared @ world["shared_direction"] > 0}
    for m, direction in enumerate(world["unique_directions"]):
        target[f"unique_m{m}"] = own[m] @ direction > 0
    target["synergy"] = world["relation"][attributes[:, 0]] == attributes[:, 1]
    return {name: label.astype(int) for name, label in target.items()}


def _check_width(n_features: int, n_factors: int) -> None:
    """Raise if a mixture has fewer features than factors, and so would lose some."""
    if n_features < n_factors:
        raise InvalidParameterError(
            "The 'n_features' parameter of make_multimodal_interactions must be an int "
            f"in the range [{n_factors}, inf). Got {n_features!r} instead."
        )
