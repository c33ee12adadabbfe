"""Vector generators of earlier papers: FactorCL, PID and DisentangledSSL."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch, check_random_state

from skcoral._constraints import (
    AT_LEAST_TWO,
    NON_NEGATIVE_FLOAT,
    NON_NEGATIVE_INT,
    POSITIVE_INT,
)
from skcoral._sklearn_compat import Interval, InvalidParameterError, validate_params
from skcoral._types import Array, RandomState
from skcoral.datasets._factors import (
    KINDS,
    MODALITIES,
    cut_into_classes,
    draw_factors,
    draw_network,
    is_high,
    mix_factors,
    name_labels,
    run_network,
    to_blocks,
)

# Variances of the factors in the papers.
FACTORCL_VARIANCE, PID_VARIANCE, DISENTANGLED_VARIANCE = 0.5, 1.5, 0.5

FACTORCL_DESCR = """Vectors of FactorCL's synthetic task, two modalities.

Each modality is a linear mixture of unique and shared factors. Labels: "redundant"
depends on the shared factors, "unique_m0" and "unique_m1" on the unique ones, and
"joint" on some of each; it is additive, not synergistic.
"""
PID_DESCR = """Vectors of the synthetic task of partial information decomposition.

Each modality lays a mixture of unique factors and one of shared factors side by side.
Labels: "redundant" depends on the shared factors, "unique_m0" and "unique_m1" on unique
ones, and "additive" (synergy, in the paper) on the unique factors of both modalities.
"""
DISENTANGLED_DESCR = """Vectors of DisentangledSSL's synthetic task, two modalities.

Each modality is a linear mixture of unique and shared factors. Label "redundant" is a
nonlinear function of the shared factors, "unique_m0" and "unique_m1" of unique ones.
"""

SEEDS = {"random_state": ["random_state"], "world_state": NON_NEGATIVE_INT}


@validate_params(
    {
        "n_samples": POSITIVE_INT,
        "n_features": POSITIVE_INT,
        "n_unique": POSITIVE_INT,
        "n_shared": POSITIVE_INT,
        "n_label": ["array-like", None],
        **SEEDS,
    },
    prefer_skip_nested_validation=True,
)
def make_factorcl_vectors(
    n_samples: int = 1000,
    *,
    n_features: int = 100,
    n_unique: int = 6,
    n_shared: int = 10,
    n_label: ArrayLike | None = None,
    random_state: RandomState = None,
    world_state: int = 0,
) -> Bunch:
    """Make the vectors of FactorCL's synthetic task.

    Each of two modalities is a linear mixture of unique factors and of factors that
    both share. A label is the sign of the mean of some factors.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows. The paper's notebook has 30,000.

    n_features : int, default=100
        Width of each modality.

    n_unique : int, default=6
        Number of unique factors of each modality.

    n_shared : int, default=10
        Number of factors that both modalities share.

    n_label : array-like of 3 int, default=None
        How many of the factors of "m0", of "m1" and of the shared ones, from the first
        on, determine the label "joint"; 0 leaves a kind out. None means all.

    random_state : int, RandomState instance or None, default=None
        Seed of the rows.

    world_state : int, default=0
        Seed of the mixtures, which all rows have in common.

    Returns
    -------
    Bunch
        With the entries

        data : SliceDict of str to ndarray of shape (n_samples, n_features), float32
            Modalities "m0" and "m1".
        target : dict of str to ndarray of shape (n_samples,), int
            Labels 0 and 1: "redundant", "unique_m0", "unique_m1" and "joint".
        factors : dict of str to ndarray of shape (n_samples, n_factors), float
            What was mixed: "m0", "m1" and "shared".
        DESCR : str
            What the labels mean.

    Raises
    ------
    ValueError
        If a parameter is of a wrong type or out of range.

    See Also
    --------
    make_multimodal_interactions : Nonlinear mixtures and a synergistic label.
    make_pid_vectors : Mixtures side by side.
    make_disentangled_vectors : Nonlinear labels.

    Notes
    -----
    The linear task of FactorCL (arXiv 2306.05268, NeurIPS 2023): factors of mean 0 and
    variance 1/2, mixtures uniform in [0, 1], unique factors before shared ones, and no
    noise. A label is 1 where the mean of its factors is 0 or more. "joint" is the
    paper's label of several kinds of factors. It is additive, not synergistic: each
    modality alone predicts a part of it.

    The paper's nonlinear variant (a matrix of ones, twice) and its variant of 20
    classes (planar flows) are not offered: we know neither the nonlinearity nor the
    parameters of the flows, and a matrix of ones makes all features equal.

    Examples
    --------
    >>> from skcoral.datasets import make_factorcl_vectors
    >>> bunch = make_factorcl_vectors(100, n_label=[6, 0, 10], random_state=0)
    >>> bunch.data["m0"].shape, list(bunch.target)
    ((100, 100), ['redundant', 'unique_m0', 'unique_m1', 'joint'])
    """
    sizes = (n_unique, n_unique, n_shared)
    counts = _check_counts(n_label, sizes)
    world = np.random.default_rng(world_state)
    shape = (n_unique + n_shared, n_features)
    mixtures = {m: world.uniform(0, 1, shape) for m in MODALITIES}
    rng = check_random_state(random_state)
    factors = draw_factors(rng, n_samples, sizes, FACTORCL_VARIANCE)
    parts = name_labels(factors)
    parts["joint"] = np.hstack(
        [factors[kind][:, :count] for kind, count in zip(KINDS, counts, strict=True)]
    )
    return Bunch(
        data=mix_factors(factors, mixtures),
        target={name: is_high(part.mean(axis=1)) for name, part in parts.items()},
        factors=factors,
        DESCR=FACTORCL_DESCR,
    )


def _check_counts(n_label: Any, sizes: tuple[int, ...]) -> tuple[int, ...] | Array:
    """Return how many factors of each kind determine the label "joint"."""
    if n_label is None:
        return sizes
    counts = np.asarray(n_label)
    if (
        counts.shape != (3,)
        or counts.dtype.kind not in "iu"
        or not ((counts >= 0) & (counts <= sizes)).all()
        or not counts.any()
    ):
        raise InvalidParameterError(
            "The 'n_label' parameter of make_factorcl_vectors must be None or 3 int "
            f"from 0 to {sizes}, not all of them 0. Got {n_label!r} instead."
        )
    return counts


@validate_params(
    {
        "n_samples": POSITIVE_INT,
        "n_factors": POSITIVE_INT,
        "n_outputs": POSITIVE_INT,
        "n_classes": AT_LEAST_TWO,
        "dropout": [Interval(Real, 0, 1, closed="left")],
        **SEEDS,
    },
    prefer_skip_nested_validation=True,
)
def make_pid_vectors(
    n_samples: int = 1000,
    *,
    n_factors: int = 5,
    n_outputs: int = 32,
    n_classes: int = 2,
    dropout: float = 0.2,
    random_state: RandomState = None,
    world_state: int = 0,
) -> Bunch:
    """Make the vectors of the synthetic task of partial information decomposition.

    Each of two modalities consists of a linear mixture of unique factors and, beside
    it, one of the factors that both share. A label ranks rows by the mean of some
    factors, of which a part is left out at random.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows.

    n_factors : int, default=5
        Number of factors of each kind: of "m0", of "m1" and shared.

    n_outputs : int, default=32
        Width of a mixture. A modality is two of them wide.

    n_classes : int, default=2
        Number of classes of a label, equally frequent.

    dropout : float, default=0.2
        Probability that a factor is left out of a label in a row.

    random_state : int, RandomState instance or None, default=None
        Seed of the rows.

    world_state : int, default=0
        Seed of the mixtures, which all rows have in common.

    Returns
    -------
    Bunch
        With the entries

        data : SliceDict of str to ndarray of shape (n_samples, 2 * n_outputs), float32
            Modalities "m0" and "m1".
        target : dict of str to ndarray of shape (n_samples,), int
            Classes from 0 on: "redundant", "unique_m0", "unique_m1" and "additive".
        factors : dict of str to ndarray of shape (n_samples, n_factors), float
            What was mixed: "m0", "m1" and "shared".
        DESCR : str
            What the labels mean.

    Raises
    ------
    ValueError
        If a parameter is of a wrong type or out of range.

    See Also
    --------
    make_multimodal_interactions : Vectors with a synergistic label.
    make_factorcl_vectors : Mixtures of unique and shared factors together.
    make_disentangled_vectors : Nonlinear labels.

    Notes
    -----
    The task of "Quantifying & Modeling Multimodal Interactions" (Liang et al., NeurIPS
    2023): factors of mean 0 and variance 3/2, mixtures uniform in [0, 1]. Both
    modalities contain the same mixture of the shared factors. The probability of a row
    is the sigmoid of the mean of the factors after dropout; rows are sorted by it and
    cut into classes of equal frequency, up to one row. As the classes depend on all
    rows that are drawn, draw once, then split (the paper: 70, 15 and 15 %, stratified).

    The paper calls the label "additive" synergy. It adds the factors of both
    modalities, so that each alone predicts a part of it, unlike a synergistic label.

    Examples
    --------
    >>> from skcoral.datasets import make_pid_vectors
    >>> bunch = make_pid_vectors(100, n_classes=4, random_state=0)
    >>> bunch.data["m0"].shape, list(bunch.target)
    ((100, 64), ['redundant', 'unique_m0', 'unique_m1', 'additive'])
    """
    world = np.random.default_rng(world_state)
    mixtures = {kind: world.uniform(0, 1, (n_factors, n_outputs)) for kind in KINDS}
    rng = check_random_state(random_state)
    factors = draw_factors(rng, n_samples, (n_factors,) * 3, PID_VARIANCE)
    mixed = {kind: factors[kind] @ mixtures[kind] for kind in KINDS}
    parts = name_labels(factors)
    parts["additive"] = np.hstack([factors["m0"], factors["m1"]])
    # Neither the sigmoid nor the scale of dropout changes the order of the rows.
    scores = {
        name: (part * (rng.uniform(size=part.shape) >= dropout)).mean(axis=1)
        for name, part in parts.items()
    }
    return Bunch(
        data=to_blocks({m: np.hstack([mixed[m], mixed["shared"]]) for m in MODALITIES}),
        target={name: cut_into_classes(s, n_classes) for name, s in scores.items()},
        factors=factors,
        DESCR=PID_DESCR,
    )


@validate_params(
    {
        "n_samples": POSITIVE_INT,
        "n_factors": POSITIVE_INT,
        "noise": NON_NEGATIVE_FLOAT,
        **SEEDS,
    },
    prefer_skip_nested_validation=True,
)
def make_disentangled_vectors(
    n_samples: int = 1000,
    *,
    n_factors: int = 50,
    noise: float = 0.1,
    random_state: RandomState = None,
    world_state: int = 0,
) -> Bunch:
    """Make the vectors of DisentangledSSL's synthetic task.

    Each of two modalities is a linear mixture of unique factors and of factors that
    both share. A label is a nonlinear function of one kind of factors: a small network
    with fixed random weights, whose output is cut at its median.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows. The paper has 90,000.

    n_factors : int, default=50
        Number of factors of "m0", of "m1" and shared. A modality is twice as wide.

    noise : float, default=0.1
        Standard deviation of the Gaussian noise on the output before it is cut.

    random_state : int, RandomState instance or None, default=None
        Seed of the rows.

    world_state : int, default=0
        Seed of the mixtures and networks, which all rows have in common.

    Returns
    -------
    Bunch
        With the entries

        data : SliceDict of str to ndarray of shape (n_samples, 2 * n_factors), float32
            Modalities "m0" and "m1".
        target : dict of str to ndarray of shape (n_samples,), int
            Labels 0 and 1: "redundant", "unique_m0" and "unique_m1".
        factors : dict of str to ndarray of shape (n_samples, n_factors), float
            What was mixed: "m0", "m1" and "shared".
        DESCR : str
            What the labels mean.

    Raises
    ------
    ValueError
        If a parameter is of a wrong type or out of range.

    See Also
    --------
    make_multimodal_interactions : Vectors with a synergistic label.
    make_factorcl_vectors : Linear labels.
    make_pid_vectors : Mixtures side by side.

    Notes
    -----
    The task of DisentangledSSL (arXiv 2410.23996, ICLR 2025): factors of mean 0 and
    variance 1/2, square mixtures uniform in [-1, 1], and unique factors before shared
    ones. The network and the place of the noise are our choice: one hidden layer of
    `n_factors` rectified units, without offsets, with normal weights (He et al., 2015).
    The median is that of the rows drawn, half of which, up to one, have label 1: draw
    once, then split (the paper: 80 and 20 %).

    Examples
    --------
    >>> from skcoral.datasets import make_disentangled_vectors
    >>> bunch = make_disentangled_vectors(100, random_state=0)
    >>> bunch.data["m0"].shape, list(bunch.target)
    ((100, 100), ['redundant', 'unique_m0', 'unique_m1'])
    """
    world = np.random.default_rng(world_state)
    shape = (2 * n_factors, 2 * n_factors)
    mixtures = {m: world.uniform(-1, 1, shape) for m in MODALITIES}
    networks = {kind: draw_network(world, n_factors) for kind in KINDS}
    rng = check_random_state(random_state)
    factors = draw_factors(rng, n_samples, (n_factors,) * 3, DISENTANGLED_VARIANCE)
    scores = {
        kind: run_network(networks[kind], factors[kind])
        + noise * rng.standard_normal(n_samples)
        for kind in KINDS
    }
    return Bunch(
        data=mix_factors(factors, mixtures),
        target={n: is_high(s, np.median(s)) for n, s in name_labels(scores).items()},
        factors=factors,
        DESCR=DISENTANGLED_DESCR,
    )
