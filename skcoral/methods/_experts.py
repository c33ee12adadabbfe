"""Experts: what predicts labels from features, each judged by rows it has not seen."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize, nnls
from scipy.special import log_softmax, softmax
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from skcoral._types import Array
from skcoral.components import ComponentRidge, ComponentRidgeClassifier
from skcoral.methods._forest import Forest

Matrix = NDArray[np.float64]

# Powers of the ridge and of the forest before labels say otherwise: few labels favour
# the linear model. The deviation is that of each around its start.
START, SCALE = (0.8, 0.2), 1.0
# With fewer labels a forest added nothing to the ridge; below this share of the powers
# it is not worth its size.
MIN_ROWS, MIN_POWER = 50, 0.05
# A tree draws so many rows at most.
N_TREES, MAX_TREE_ROWS = 200, 10_000
# The probability of a class that no tree has seen.
FLOOR = 1e-3


class Experts(ABC):
    """A ridge regression of components and a forest, joined by held-out predictions.

    The ridge holds out rows in closed form, the forest by the rows that a tree has not
    drawn, so that both are judged by all labels and fitted once. Rows that serve to
    judge serve nothing else.

    Parameters
    ----------
    components : dict of str to slice
        Columns of each component.

    seed : int
        Seed of the forest.

    Attributes
    ----------
    ridge_ : ComponentRidge or ComponentRidgeClassifier
        The linear expert.

    forest_ : Forest or None
        The other expert; None if labels are few or if it is not worth its size.

    powers_ : ndarray of shape (2,)
        How much each counts.
    """

    ridge_: Any
    forest_: Forest | None
    powers_: Matrix

    def __init__(self, components: Mapping[str, slice], seed: int) -> None:
        self.components = components
        self.seed = seed

    @abstractmethod
    def fit(self, X: Array, y: Array, weights: Array) -> Self:
        """Learn from features, NaN where missing, labels and weights of rows."""

    @abstractmethod
    def predict(self, X: Array) -> Matrix:
        """Return what the experts predict together."""

    def _grow(self, kind: type, X: Array, y: Array, weights: Array) -> Matrix:
        """Fit a forest, and return what trees that have not drawn a row predict."""
        filled = np.nan_to_num(X)
        forest = kind(
            N_TREES,
            max_features="sqrt",
            max_samples=min(len(X), MAX_TREE_ROWS),
            n_jobs=torch.get_num_threads(),
            random_state=self.seed,
        ).fit(filled, y, weights)
        self.forest_ = Forest(forest)
        held_out = self.forest_.predict_held_out(filled, forest.estimators_samples_)
        # A row of large weight may be in every tree: it is predicted as the mean.
        mean = np.average(self.forest_.predict(filled), axis=0, weights=weights)
        return np.where(np.isnan(held_out), mean, held_out)

    def _drop_idle(self) -> None:
        """Let go of a forest of little power."""
        if self.powers_[1] < MIN_POWER * self.powers_.sum():
            self.forest_ = None


class ClassExperts(Experts):
    """Experts on classes: their log-probabilities, times powers, add up."""

    def fit(self, X: Array, y: Array, weights: Array) -> Self:
        """Learn from features, codes of classes and weights of rows."""
        self.ridge_ = ComponentRidgeClassifier(self.components, with_std=False)
        ridge = self.ridge_.fit_held_out(X, y, weights)
        if len(X) < MIN_ROWS:
            self.powers_, self.forest_ = np.array([1.0, 0.0]), None
            return self
        judged = self._grow(RandomForestClassifier, X, y, weights)
        self.powers_ = _join_classes([ridge, judged], y, weights)
        self._drop_idle()
        return self

    def predict(self, X: Array) -> Matrix:
        """Return log-probabilities."""
        parts = [self.ridge_.predict_proba(X)]
        if self.forest_ is not None:
            parts.append(self.forest_.predict(np.nan_to_num(X)))
        pairs = zip(self.powers_, map(_to_logs, parts), strict=False)
        return log_softmax(sum(power * logs for power, logs in pairs), axis=1)


class NumberExperts(Experts):
    """Experts on numbers: their predictions, times powers, add up.

    Attributes
    ----------
    errors_ : ndarray of shape (n_samples,)
        Errors on held-out rows, in order.
    """

    errors_: Matrix

    def fit(self, X: Array, y: Array, weights: Array) -> Self:
        """Learn from features, standardised numbers and weights of rows."""
        self.ridge_ = ComponentRidge(self.components, with_std=False)
        ridge = self.ridge_.fit_held_out(X, y, weights)
        if len(X) < MIN_ROWS:
            self.powers_, self.forest_ = np.array([1.0, 0.0]), None
            self.errors_ = np.sort(y - ridge)
            return self
        judged = self._grow(RandomForestRegressor, X, y, weights)[:, 0]
        self.powers_ = _join_numbers([ridge, judged], y, weights)
        self.errors_ = np.sort(y - self._add([ridge, judged]))
        self._drop_idle()
        return self

    def predict(self, X: Array) -> Matrix:
        """Return the predicted numbers."""
        parts = [self.ridge_.predict(X)]
        if self.forest_ is not None:
            parts.append(self.forest_.predict(np.nan_to_num(X))[:, 0])
        return self._add(parts)

    def read_errors(self, levels: Matrix) -> Matrix:
        """Return quantiles of the errors on held-out rows."""
        return np.quantile(self.errors_, levels, method="weibull")

    def _add(self, parts: list[Matrix]) -> Matrix:
        # Without a forest there is one part.
        pairs = zip(self.powers_, parts, strict=False)
        return np.sum([power * part for power, part in pairs], axis=0)


def _to_logs(probabilities: Matrix) -> Matrix:
    """Return logarithms, finite where a forest has never seen a class."""
    return np.log(np.maximum(probabilities, FLOOR))


def _join_classes(parts: list[Matrix], codes: Array, weights: Array) -> Matrix:
    """Return the powers that make the labels most likely, near where they start."""
    logs = np.stack(list(map(_to_logs, parts)))
    rows = np.arange(len(codes))

    def measure(powers: Matrix) -> tuple[float, Matrix]:
        joint = np.tensordot(powers, logs, 1)
        errors = softmax(joint, axis=1) * weights[:, None]
        errors[rows, codes] -= weights
        deviations = (powers - START) / SCALE
        value = -(weights * log_softmax(joint, axis=1)[rows, codes]).sum()
        slopes = np.tensordot(logs, errors, 2)
        return value + (deviations**2).sum() / 2, slopes + deviations / SCALE

    bounds = [(0, None)] * len(parts)
    return minimize(measure, START, jac=True, method="L-BFGS-B", bounds=bounds).x


def _join_numbers(parts: list[Matrix], y: Matrix, weights: Array) -> Matrix:
    """Return the powers of the least squared error, near where they start."""
    roots = np.sqrt(weights)
    columns = [(part.reshape(len(y), -1) * roots[:, None]).ravel() for part in parts]
    target = (y.reshape(len(y), -1) * roots[:, None]).ravel()
    # The errors are unknown before: as large as the targets, which have variance 1.
    rows = np.vstack([np.column_stack(columns), np.eye(len(parts)) / SCALE])
    return nnls(rows, np.append(target, np.divide(START, SCALE)))[0]
