"""Scalers: numbers of any unit and level, in the range that the network takes."""

import math
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from sklearn.base import BaseEstimator, TransformerMixin

from skcoral._types import Array

# A value of n rows lies within sqrt(n - 1) standard deviations of their mean, so that
# this bound alters none of up to 1e12 fitted rows. In the network, sums and squares of
# such values stay far below the largest float32, 3e38.
BOUND = 1e6
# Number of values that are in float64 at once.
VALUES_AT_ONCE = 2**16
# Number of rows from which ranks are learnt, of values that are kept of a column, and
# of the values at either end among them: outliers may differ by any factor.
MAX_ROWS, N_KNOTS, N_ENDS = 10_000, 1000, 10
# Share of the rows at either end of a column, as of scikit-learn's QuantileTransformer.
SMALLEST_SHARE = 1e-7


class BoundedScaler(TransformerMixin, BaseEstimator):
    """Standardise columns in float64 and bound them, whatever their unit and level.

    Values are divided by a power of two, which is exact, before anything is squared.
    They become float32 last, at most `BOUND` standard deviations from the mean.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns.

    exponent_ : ndarray of shape (n_features,), int
        The powers of two by which columns are divided.

    mean_ : ndarray of shape (n_features,), float64
        Mean of each column, NaN left out, after the division.

    scale_ : ndarray of shape (n_features,), float64
        Standard deviation, after the division; 1 where a column is constant.
    """

    def fit(self, X: Array, y: None = None) -> Self:
        """Learn means and deviations.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Numbers of any type, NaN where missing.

        y : None
            Ignored.

        Returns
        -------
        self : BoundedScaler
            The fitted scaler.
        """
        self.n_features_in_ = X.shape[1]
        low, high = _find_ends(X)
        self.exponent_ = _find_exponent(low, high)
        start, _ = self._average(X, np.zeros(X.shape[1]))
        # The mean of the small differences corrects that of the values.
        error, square = self._average(X, start)
        self.mean_ = start + error
        deviation = np.sqrt(np.maximum(square - error**2, 0.0))
        # Differences within the rounding errors of a level are none.
        constant = (low == high) | (deviation <= np.finfo(np.float64).eps)
        self.scale_ = np.where(constant, 1.0, deviation)
        return self

    def transform(self, X: Array) -> NDArray[np.float32]:
        """Return standardised values, bounded.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Numbers of any type, NaN where missing.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32
            Standardised values; NaN stays NaN.
        """
        out = np.empty(X.shape, dtype=np.float32)
        for rows, part in _divide(X, self.exponent_):
            with np.errstate(over="ignore"):
                part = (part - self.mean_) / self.scale_
            out[rows] = np.clip(part, -BOUND, BOUND)
        return out

    def inverse_transform(self, X: Array) -> NDArray[np.float64]:
        """Return values in the unit of `fit`, at most the largest float64.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Standardised values.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float64
            Values in the unit of `fit`.
        """
        values = np.asarray(X, dtype=np.float64) * self.scale_ + self.mean_
        largest = np.finfo(np.float64).max
        return np.clip(_multiply(values, self.exponent_), -largest, largest)

    def _average(self, X: Array, start: Array) -> tuple[Array, Array]:
        """Return the mean difference of each column from a start, and its square."""
        total, square, count = np.zeros((3, X.shape[1]))
        for _, part in _divide(X, self.exponent_):
            part = part - start
            total += np.nansum(part, axis=0)
            square += np.nansum(part**2, axis=0)
            count += (~np.isnan(part)).sum(axis=0)
        count = np.maximum(count, 1)
        return total / count, square / count


class RankScaler(TransformerMixin, BaseEstimator):
    """Turn values into their ranks among those of `fit`, interpolated in between.

    Ranks are free of units, so that whatever follows meets no differences that vanish
    beside a level or an outlier. Values beyond those of `fit` get the ranks of the
    ends. Of long columns, only evenly spaced values and those near the ends are kept.

    Attributes
    ----------
    knots_ : list of ndarray
        The values of each column whose ranks are known, in order; 0 if there is none.
    """

    def fit(self, X: Array, y: None = None) -> Self:
        """Learn the ranks of some values.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features), float64
            Numbers, NaN where missing.

        y : None
            Ignored.

        Returns
        -------
        self : RankScaler
            The fitted scaler.
        """
        step = math.ceil(len(X) / MAX_ROWS)
        self.knots_ = [_find_knots(column) for column in X[::step].T]
        return self

    def transform(self, X: Array) -> NDArray[np.float64]:
        """Return the ranks.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features), float64
            Numbers, NaN where missing.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float64
            Ranks of the values among the knots; NaN stays NaN.
        """
        pairs = zip(X.T, self.knots_, strict=True)
        return np.column_stack([_find_ranks(column, knots) for column, knots in pairs])


class NormalScores(TransformerMixin, BaseEstimator):
    """Turn shares into the quantiles of a normal distribution, which are finite."""

    def fit(self, X: Array, y: None = None) -> Self:
        """Learn nothing.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Ignored.

        y : None
            Ignored.

        Returns
        -------
        self : NormalScores
            The transformer.
        """
        return self

    def transform(self, X: Array) -> NDArray[np.float64]:
        """Return the quantiles.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features), float64
            Shares between 0 and 1, NaN where missing.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float64
            Quantiles; NaN stays NaN.
        """
        return ndtri(np.clip(X, SMALLEST_SHARE, 1 - SMALLEST_SHARE))

    def __sklearn_is_fitted__(self) -> bool:
        """Return True: there is nothing to learn."""
        return True


class SparseScaler(TransformerMixin, BaseEstimator):
    """Divide a sparse matrix by a power of two, so that squares do not overflow.

    Attributes
    ----------
    exponent_ : int
        The power of two.
    """

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn the power.

        Parameters
        ----------
        X : sparse matrix of shape (n_samples, n_features)
            Numbers.

        y : None
            Ignored.

        Returns
        -------
        self : SparseScaler
            The fitted scaler.
        """
        self.exponent_ = int(_find_exponent(X.min(), X.max()))
        return self

    def transform(self, X: Any) -> Any:
        """Return the quotients, bounded.

        Parameters
        ----------
        X : sparse matrix of shape (n_samples, n_features)
            Numbers.

        Returns
        -------
        sparse matrix of shape (n_samples, n_features)
            Quotients, of float32 where the numbers are.
        """
        quotients = X.copy() if X.dtype.kind == "f" else X.astype(np.float64)
        values = _multiply(quotients.data, -self.exponent_)
        quotients.data = np.clip(values, -BOUND, BOUND)
        return quotients


def _find_knots(values: Array) -> Array:
    """Return some of the values of a column, in order."""
    present = np.sort(values[~np.isnan(values)])
    if not len(present):
        return np.zeros(1)
    last = len(present) - 1
    ends = np.arange(min(N_ENDS, len(present)))
    spaced = np.linspace(0, last, N_KNOTS).round().astype(int)
    return np.unique(present[np.concatenate([spaced, ends, last - ends])])


def _find_ranks(values: Array, knots: Array) -> Array:
    """Return the ranks of values among knots."""
    last = len(knots) - 1
    left = np.clip(np.searchsorted(knots, values, "right") - 1, 0, max(0, last - 1))
    # Differences of the largest numbers overflow, and halves of the smallest vanish.
    unit = 0.5 if max(abs(knots[0]), abs(knots[-1])) > 1.0 else 1.0
    start, end = knots[left] * unit, knots[np.minimum(left + 1, last)] * unit
    with np.errstate(over="ignore"):
        step = np.clip(values, knots[0], knots[-1]) * unit - start
    share = np.divide(step, end - start, out=0.0 * step, where=end > start)
    return left + share


def _divide(X: Array, exponent: Array) -> Iterator[tuple[slice, Array]]:
    """Yield rows, in float64, divided by powers of two."""
    step = max(1, VALUES_AT_ONCE // max(1, X.shape[1]))
    for start in range(0, len(X), step):
        rows = slice(start, start + step)
        yield rows, _multiply(X[rows].astype(np.float64), -exponent)


def _multiply(values: Array, exponent: Any) -> Array:
    """Return values times powers of two; what overflows is infinite."""
    # Neither half overflows; what is between a value and its multiple is exact.
    half = np.asarray(exponent) // 2
    with np.errstate(over="ignore"):
        first = values * np.ldexp(np.ones_like(values, shape=()), half)
        return first * np.ldexp(np.ones_like(values, shape=()), exponent - half)


def _find_ends(X: Array) -> tuple[Array, Array]:
    """Return the smallest and the largest value of each column; 0 if it has none."""
    low = high = np.full(X.shape[1], np.nan)
    for _, part in _divide(X, np.zeros(X.shape[1], dtype=int)):
        low = np.fmin(low, np.fmin.reduce(part, axis=0))
        high = np.fmax(high, np.fmax.reduce(part, axis=0))
    return np.nan_to_num(low), np.nan_to_num(high)


def _find_exponent(low: Array, high: Array) -> Array:
    """Return the power of two just above the largest absolute value."""
    return np.frexp(np.maximum(np.abs(low), np.abs(high)))[1]
