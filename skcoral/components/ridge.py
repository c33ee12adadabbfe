"""ComponentRidge: numbers from components, each with a penalty of its own."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skcoral._sklearn_compat import check_sample_weight, fit_context
from skcoral._types import Array, Rows
from skcoral.components._solution import solve
from skcoral.components._targets import Kind, read_column
from skcoral.components.scaler import CONSTRAINTS, ComponentScaler


class BaseComponentRidge(BaseEstimator, ABC):
    """A ridge regression after a :class:`ComponentScaler`, with its penalty."""

    _parameter_constraints = CONSTRAINTS
    _target: Kind

    def __init__(
        self,
        components: Literal["auto"] | Mapping[str, Any] = "auto",
        *,
        with_std: bool = True,
        prior_scale: float = 1.0,
    ) -> None:
        self.components = components
        self.with_std = with_std
        self.prior_scale = prior_scale

    @property
    def weights_(self) -> dict[str, float]:
        """dict of str to float: weight of each component."""
        check_is_fitted(self, "scaler_")
        return self.scaler_.weights_

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Rows, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn weights, penalty and coefficients, and the calibration of classes.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Features; missing values count as the mean.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers to predict, or classes, two at least and of one output.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        ValueError
            If labels are missing, are classes and fewer than two, or if weights are
            negative or all zero.
        """
        self.fit_held_out(X, y, sample_weight)
        return self

    @abstractmethod
    def fit_held_out(
        self, X: Rows, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Fit, and return what a fit without each row would predict for it."""

    def _read(self, X: Any, y: Any, sample_weight: Any) -> tuple[Array, Array]:
        """Return checked labels and weights."""
        X, y = validate_data(
            self,
            X,
            y,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            multi_output=self._target == "numbers",
        )
        weights = check_sample_weight(sample_weight, X, ensure_non_negative=True)
        return read_column(y), weights

    def _solve(self, X: Any, y: Array, Y: Array, weights: Array) -> Array:
        """Fit scaler and coefficients to targets Y, and return held-out predictions."""
        scaler = ComponentScaler(
            self.components,
            target=self._target,
            with_std=self.with_std,
            prior_scale=self.prior_scale,
        )
        self.scaler_ = scaler.set_output(transform="default").fit(X, y, weights)
        self.coef_, self.intercept_, held_out = solve(
            self._scale(X), Y, self.scaler_.penalty_, weights
        )
        return held_out

    def _scale(self, X: Array) -> Array:
        """Return scaled columns, missing values at the mean."""
        return np.nan_to_num(self.scaler_.transform(X).astype(np.float64))

    def _apply(self, X: Any) -> NDArray[np.float64]:
        """Return the predicted targets, less their means."""
        check_is_fitted(self, "coef_")
        return self._scale(X) @ self.coef_

    def __sklearn_tags__(self) -> Tags:
        """Return the tags: missing values count as the mean."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags


class ComponentRidge(RegressorMixin, BaseComponentRidge):
    """Predict numbers from components, each weighed by what it tells of them.

    A ridge regression on the output of :class:`ComponentScaler`. Its penalty comes from
    the same marginal likelihood as the weights, so that nothing is searched.

    Parameters
    ----------
    components : "auto" or dict, default="auto"
        Columns of each component, as in :class:`ComponentScaler`.

    with_std : bool, default=True
        Whether to divide columns by their deviation, as in :class:`ComponentScaler`.

    prior_scale : float, default=1.0
        How far weights may lie apart, as in :class:`ComponentScaler`.

    Attributes
    ----------
    weights_ : dict of str to float
        Weight of each component.

    scaler_ : ComponentScaler
        What scales the columns.

    coef_ : ndarray of shape (n_features, n_outputs)
        Coefficients of the scaled columns.

    intercept_ : ndarray of shape (n_outputs,)
        Mean of the targets.

    n_features_in_ : int
        Number of columns.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if X is a data frame.

    See Also
    --------
    ComponentRidgeClassifier : Predicts classes.
    sklearn.linear_model.BayesianRidge : One variance for all columns.
    sklearn.linear_model.ARDRegression : One variance for each column.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoral import ComponentRidge
    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> y = X[:, 0] + X[:, 1]
    >>> model = ComponentRidge({"told": slice(0, 3), "silent": slice(3, 6)}).fit(X, y)
    >>> model.score(X, y) > 0.99
    True
    """

    _target = "numbers"

    def fit_held_out(
        self, X: Rows, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Fit, and return what a fit without each row would predict for it.

        Weights and penalty are those of all rows; only coefficients are without it.

        Parameters
        ----------
        X, y, sample_weight : array-like
            As in `fit`.

        Returns
        -------
        ndarray of the shape of y
            Held-out predictions.
        """
        numbers, weights = self._read(X, y, sample_weight)
        numbers = numbers.astype(np.float64)
        columns = numbers.reshape(len(numbers), -1)
        self._n_dims = numbers.ndim
        return self._solve(X, numbers, columns, weights).reshape(numbers.shape)

    def predict(self, X: Rows) -> NDArray[np.float64]:
        """Predict the numbers of each row.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.
        """
        predicted = self._apply(X) + self.intercept_
        return predicted if self._n_dims == 2 else predicted[:, 0]
