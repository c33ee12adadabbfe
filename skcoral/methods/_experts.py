"""Experts: what predicts labels from features, each judged by rows it has not seen."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize, nnls
from scipy.special import log_softmax
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from skcoral._types import Array
from skcoral.components import ComponentRidge, ComponentRidgeClassifier
from skcoral.components._calibration import measure_classes
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
    ridge, forest : type
        What the experts are made of.

    ridge_ : ComponentRidge or ComponentRidgeClassifier
        The linear expert.

    forest_ : Forest or None
        The other expert; None if labels are few or if it is not worth its size.

    powers_ : ndarray of shape (2,)
        How much each counts.
    """

    ridge: type
    forest: type
    ridge_: Any
    forest_: Forest | None
    powers_: Matrix

    def __init__(self, components: Mapping[str, slice], seed: int) -> None:
        self.components = components
        self.seed = seed

    def fit(self, X: Array, y: Array, weights: Array) -> Self:
        """Learn from features, NaN where missing, targets and weights of rows."""
        self.ridge_ = self.ridge(self.components, with_std=False)
        held_out = [self.ridge_.fit_held_out(X, y, weights)]
        self.forest_, self.powers_ = None, np.array([1.0, 0.0])
        if len(X) >= MIN_ROWS:
            held_out.append(self._grow(X, y, weights))
            self.powers_ = self._find_powers(held_out, y, weights)
        self._look_back(held_out, y)
        if self.powers_[1] < MIN_POWER * self.powers_.sum():
            self.forest_ = None
        return self

    def predict(self, X: Array) -> Matrix:
        """Return what the experts predict together, one column per output."""
        parts = [self._ask_ridge(X)]
        if self.forest_ is not None:
            parts.append(self.forest_.predict(np.nan_to_num(X)))
        return self._join(parts)

    @abstractmethod
    def _ask_ridge(self, X: Array) -> Matrix:
        """Return the predictions of the linear expert."""

    @abstractmethod
    def _join(self, parts: list[Matrix]) -> Matrix:
        """Return predictions of the experts, or of the first alone, as one."""

    @abstractmethod
    def _find_powers(self, parts: list[Matrix], y: Array, weights: Array) -> Matrix:
        """Return the powers that held-out predictions speak for, near the start."""

    def _look_back(self, parts: list[Matrix], y: Array) -> None:
        """Learn from the held-out predictions, once the powers are known."""
        return

    def _grow(self, X: Array, y: Array, weights: Array) -> Matrix:
        """Fit a forest, and return what trees that have not drawn a row predict."""
        filled = np.nan_to_num(X)
        forest = self.forest(
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


class ClassExperts(Experts):
    """Experts on classes: their log-probabilities, times powers, add up."""

    ridge, forest = ComponentRidgeClassifier, RandomForestClassifier

    def _ask_ridge(self, X: Array) -> Matrix:
        return self.ridge_.predict_proba(X)

    def _join(self, parts: list[Matrix]) -> Matrix:
        # Without a forest there is one part.
        pairs = zip(self.powers_, map(_to_logs, parts), strict=False)
        return log_softmax(sum(power * logs for power, logs in pairs), axis=1)

    def _find_powers(self, parts: list[Matrix], y: Array, weights: Array) -> Matrix:
        """Return the powers that make the classes most likely."""
        logs = np.stack(list(map(_to_logs, parts)))

        def measure(powers: Matrix) -> tuple[float, Matrix]:
            loss, errors = measure_classes(np.tensordot(powers, logs, 1), y, weights)
            deviations = (powers - START) / SCALE
            slopes = np.tensordot(logs, errors, 2)
            return loss + (deviations**2).sum() / 2, slopes + deviations / SCALE

        bounds = [(0, None)] * len(parts)
        return minimize(measure, START, jac=True, method="L-BFGS-B", bounds=bounds).x


class NumberExperts(Experts):
    """Experts on numbers: their predictions, times powers, add up.

    Attributes
    ----------
    errors_ : ndarray of shape (n_samples,)
        Errors on held-out rows, in order.
    """

    ridge, forest = ComponentRidge, RandomForestRegressor
    errors_: Matrix

    def read_errors(self, levels: Matrix) -> Matrix:
        """Return quantiles of the errors on held-out rows."""
        return np.quantile(self.errors_, levels, method="weibull")

    def _ask_ridge(self, X: Array) -> Matrix:
        return self.ridge_.predict(X)

    def _join(self, parts: list[Matrix]) -> Matrix:
        # Without a forest there is one part.
        columns = _as_columns(parts)
        return columns @ self.powers_[: columns.shape[1], None]

    def _find_powers(self, parts: list[Matrix], y: Array, weights: Array) -> Matrix:
        """Return the powers of the least squared error."""
        roots = np.sqrt(weights)
        # The errors are unknown before: as large as the targets, which have variance 1.
        prior = np.eye(len(parts)) / SCALE
        rows = np.vstack([_as_columns(parts) * roots[:, None], prior])
        return nnls(rows, np.append(y * roots, np.divide(START, SCALE)))[0]

    def _look_back(self, parts: list[Matrix], y: Array) -> None:
        self.errors_ = np.sort(y - self._join(parts)[:, 0])


def _as_columns(parts: list[Matrix]) -> Matrix:
    """Return predicted numbers side by side; a forest has a column of them."""
    return np.column_stack([part.ravel() for part in parts])


def _to_logs(probabilities: Matrix) -> Matrix:
    """Return logarithms, finite where a forest has never seen a class."""
    return np.log(np.maximum(probabilities, FLOOR))
