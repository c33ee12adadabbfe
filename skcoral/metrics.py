"""Metrics: scores of a representation, on numpy arrays and without labels."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import subspace_angles
from scipy.spatial.distance import pdist
from sklearn.preprocessing import normalize
from sklearn.utils import check_array

from skcoral._types import Array


def mean_abs_cosine(a: ArrayLike, b: ArrayLike) -> float:
    """Return the mean |cos| between the rows of two components.

    Parameters
    ----------
    a, b : array-like of shape (n_samples, n_features)
        Two components of the same samples.

    Returns
    -------
    float
        Between 0, where all pairs of rows are orthogonal, and 1.

    Raises
    ------
    ValueError
        If the shapes differ.

    References
    ----------
    The disentanglement score in the code of COrAL (arXiv 2602.14983).

    Examples
    --------
    >>> from skcoral.metrics import mean_abs_cosine
    >>> mean_abs_cosine([[1, 0], [0, 1]], [[0, 1], [0, -1]])
    0.5
    """
    return float(np.abs(_cosines(*_check_pair(a, b))).mean())


def grassmann_distance(a: ArrayLike, b: ArrayLike, n_directions: int = 10) -> float:
    """Return the mean sine of the principal angles between two components.

    The angles are those between the subspaces of their leading principal directions.

    Parameters
    ----------
    a, b : array-like of shape (n_samples, n_features)
        Two components of the same samples and of equal width.

    n_directions : int, default=10
        Number of leading principal directions to compare, at most the rank.

    Returns
    -------
    float
        Between 0 (same subspace) and 1 (orthogonal subspaces).

    Raises
    ------
    ValueError
        If the shapes differ, or a component is constant.

    References
    ----------
    The "Grassmann distance" in the code of COrAL (arXiv 2602.14983).

    Examples
    --------
    >>> import numpy as np
    >>> from skcoral.metrics import grassmann_distance
    >>> a = np.random.default_rng(0).normal(size=(50, 3))
    >>> round(grassmann_distance(a, 2 * a), 6)
    0.0
    """
    bases = [_principal_directions(x, n_directions) for x in _check_pair(a, b)]
    n_common = min(basis.shape[1] for basis in bases)
    angles = subspace_angles(*(basis[:, :n_common] for basis in bases))
    return float(np.sin(angles).mean())


def alignment(a: ArrayLike, b: ArrayLike, alpha: float = 2.0) -> float:
    """Return the mean distance between normalised embeddings of two views.

    Parameters
    ----------
    a, b : array-like of shape (n_samples, n_features)
        Embeddings of two views of the same samples.

    alpha : float, default=2.0
        Exponent of the distance.

    Returns
    -------
    float
        The mean; 0 if the views agree.

    Raises
    ------
    ValueError
        If the shapes differ.

    References
    ----------
    Wang and Isola, arXiv 2005.10242, section 4.1.1.

    Examples
    --------
    >>> from skcoral.metrics import alignment
    >>> alignment([[1, 0]], [[-1, 0]])
    4.0
    """
    first, second = _check_pair(a, b)
    distances = np.linalg.norm(normalize(first) - normalize(second), axis=1)
    return float((distances**alpha).mean())


def uniformity(a: ArrayLike, t: float = 2.0) -> float:
    """Return how evenly normalised embeddings cover the sphere; lower is more even.

    Parameters
    ----------
    a : array-like of shape (n_samples, n_features)
        Embeddings of at least two samples.

    t : float, default=2.0
        Sharpness of the Gaussian potential.

    Returns
    -------
    float
        Logarithm of the mean potential over all pairs of rows; 0 if all rows coincide.

    References
    ----------
    Wang and Isola, arXiv 2005.10242, section 4.1.2.

    Examples
    --------
    >>> from skcoral.metrics import uniformity
    >>> uniformity([[1, 0], [-1, 0]])
    -8.0
    """
    rows = check_array(a, ensure_min_samples=2)
    squared = pdist(normalize(rows.astype(np.float64)), "sqeuclidean")
    return float(np.log(np.exp(-t * squared).mean()))


def retrieval_accuracy(a: ArrayLike, b: ArrayLike, k: int = 1) -> float:
    """Return how often row i of `b` is among the `k` nearest to row i of `a`.

    Parameters
    ----------
    a, b : array-like of shape (n_samples, n_features)
        Queries and candidates, compared by their cosine. Among equal cosines the true
        row ranks last.

    k : int, default=1
        Number of neighbours.

    Returns
    -------
    float
        Recall at `k`, between 0 and 1.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    With ``k=1`` on two views this is the "SSL accuracy" of contrastive learning.

    Examples
    --------
    >>> from skcoral.metrics import retrieval_accuracy
    >>> retrieval_accuracy([[1, 0], [0, 1]], [[2, 0], [0, 3]])
    1.0
    """
    queries, candidates = _check_pair(a, b)
    similarities = normalize(queries) @ normalize(candidates).T
    own = np.diag(similarities)[:, None].copy()
    np.fill_diagonal(similarities, -np.inf)
    return float(((similarities >= own).sum(axis=1) < k).mean())


def _check_pair(first: ArrayLike, second: ArrayLike) -> tuple[Array, Array]:
    a, b = (check_array(x, dtype=np.float64) for x in (first, second))
    if a.shape != b.shape:
        raise ValueError(
            f"Two arrays of equal shape are expected. Got {a.shape} and {b.shape}."
        )
    return a, b


def _cosines(a: Array, b: Array) -> Array:
    return (normalize(a) * normalize(b)).sum(axis=1)


def _principal_directions(x: Array, n_directions: int) -> Array:
    """Return the leading right singular vectors of the centred rows, as columns."""
    centred = x - x.mean(axis=0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    rank = int((singular > singular[0] * 1e-10).sum())
    if rank == 0:
        raise ValueError("A constant component has no directions to compare.")
    return directions[: min(n_directions, rank)].T
