"""Search: values of a penalty, scored on held-out rows, in one sweep or two."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import check_cv, cross_val_score

from skcoral._types import Array, Rows

# The second sweep of the published probe.
DECADES_AROUND = 2
N_AROUND = 29


def check_values(estimator: BaseEstimator, name: str, values: ArrayLike) -> list[float]:
    """Return the values of a grid; raise unless they are positive and ascending."""
    grid = np.asarray(values)
    numeric = grid.ndim == 1 and grid.size > 0 and grid.dtype.kind in "iuf"
    # Prepending 0 makes the first value positive too; a difference to NaN never is.
    if not numeric or not (np.diff(grid, prepend=0) > 0).all() or np.isinf(grid[-1]):
        raise ValueError(
            f"The {name!r} parameter of {type(estimator).__name__} must be positive "
            f"floats in ascending order. Got {values!r} instead."
        )
    return grid.astype(np.float64).tolist()


def split_rows(
    estimator: Any, default: Any, X: Rows, y: ArrayLike, classifier: bool
) -> list[tuple[Array, Array]]:
    """Return pairs of training and held-out rows."""
    cv = default if estimator.cv is None else estimator.cv
    try:
        return list(check_cv(cv, y, classifier=classifier).split(X, y))
    except ValueError as error:
        raise ValueError(
            f"{type(estimator).__name__} cannot hold out a part of {X.shape[0]} rows "
            f"(n_samples = {X.shape[0]}): {error} Give it more rows per class, or take "
            "a linear model with a fixed penalty."
        ) from error


def measure(
    model: BaseEstimator,
    X: Rows,
    y: ArrayLike,
    splits: list[tuple[Array, Array]],
    scoring: Any,
) -> float:
    """Return the mean score on the held-out rows."""
    with warnings.catch_warnings():
        # The ends of the grid are there to be rejected, converged or not.
        warnings.simplefilter("ignore", ConvergenceWarning)
        scores = cross_val_score(
            model, X, y, cv=splits, scoring=scoring, error_score="raise"
        )
    return float(scores.mean())


def search_around(
    measure: Callable[[float], float], scores: dict[float, float]
) -> None:
    """Add the scores of values around the best one, halving the list at each step."""
    centre, low, high = best(scores), min(scores), max(scores)
    exponents = np.log10(centre) + np.linspace(
        -DECADES_AROUND, DECADES_AROUND, N_AROUND
    )
    around = [C for C in (10.0**exponents).tolist() if low <= C <= high]
    while len(around) > 1:
        n = len(around)
        quarter, end = n // 4, -n // 4
        three = [around[quarter], around[n // 2], around[end]]
        for C in three:
            if C not in scores:
                scores[C] = measure(C)
        first, _, third = (scores[C] for C in three)
        most = max(scores[C] for C in three)
        if first == most:
            around = around[: n // 2]
        elif third == most:
            around = around[n // 2 :]
        else:
            around = around[quarter:end]


def best(scores: dict[float, float]) -> float:
    """Return the value with the highest score, the first visited among equal ones."""
    return max(scores, key=scores.__getitem__)
