"""ComponentRidgeClassifier: classes from components, with calibrated probabilities."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from skcoral._sklearn_compat import StrOptions
from skcoral._types import Array, Rows
from skcoral.components._calibration import calibrate
from skcoral.components.ridge import BaseComponentRidge
from skcoral.components.scaler import CONSTRAINTS


class ComponentRidgeClassifier(ClassifierMixin, BaseComponentRidge):
    """Predict classes from components, each weighed by what it tells of them.

    A ridge regression of the indicators of the classes on the output of
    :class:`ComponentScaler`, with calibrated probabilities. Weights, penalty and
    calibration have closed forms or few parameters, so that nothing is searched and
    five labels per class are enough to start.

    Parameters
    ----------
    components : "auto" or dict, default="auto"
        Columns of each component, as in :class:`ComponentScaler`.

    with_std : bool, default=True
        Whether to divide columns by their deviation, as in :class:`ComponentScaler`.

    prior_scale : float, default=1.0
        How far weights may lie apart, as in :class:`ComponentScaler`.

    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, by which those of the rows are multiplied.

    Attributes
    ----------
    weights_ : dict of str to float
        Weight of each component.

    scaler_ : ComponentScaler
        What scales the columns.

    classes_ : ndarray of shape (n_classes,)
        The classes.

    coef_ : ndarray of shape (n_features, n_classes)
        Coefficients of the scaled columns.

    intercept_ : ndarray of shape (n_classes,)
        Weighted frequencies of the classes.

    calibration_ : tuple of float
        Slope of the scores and power of the frequencies in the log-probabilities.

    n_features_in_ : int
        Number of columns.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if X is a data frame.

    See Also
    --------
    ComponentRidge : Predicts numbers.
    sklearn.linear_model.RidgeClassifier : One penalty for all, no probabilities.

    Notes
    -----
    Log-probabilities are the predicted indicators, less the frequencies of the classes,
    times a slope, plus the logarithm of the frequencies times a power. Both make the
    held-out predictions, which have a closed form, most likely.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skcoral import ComponentRidgeClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> parts = {"acids": slice(0, 5), "rest": slice(5, 13)}
    >>> model = ComponentRidgeClassifier(parts).fit(X[::2], y[::2])
    >>> model.score(X[1::2], y[1::2]) > 0.95
    True
    """

    _parameter_constraints = {
        **CONSTRAINTS,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    _target = "classes"

    def __init__(
        self,
        components: Literal["auto"] | Mapping[str, Any] = "auto",
        *,
        with_std: bool = True,
        prior_scale: float = 1.0,
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
    ) -> None:
        super().__init__(components, with_std=with_std, prior_scale=prior_scale)
        self.class_weight = class_weight

    def fit_held_out(
        self, X: Rows, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Fit, and return the probabilities that a fit without each row has for it.

        Weights, penalty and calibration are those of all rows; only coefficients are
        without it.

        Parameters
        ----------
        X, y, sample_weight : array-like
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Held-out probabilities.
        """
        labels, weights = self._read(X, y, sample_weight)
        check_classification_targets(labels)
        self.classes_ = self._find_classes(labels[weights > 0])
        if self.class_weight is not None:
            weights = weights * compute_sample_weight(self.class_weight, labels)
        # A class all of whose rows have no weight is none: any code will do.
        codes = np.minimum(
            np.searchsorted(self.classes_, labels), len(self.classes_) - 1
        )
        held_out = self._solve(X, labels, np.eye(len(self.classes_))[codes], weights)
        scores = held_out - self.intercept_
        judges = self._judge(codes, weights)
        self.calibration_ = calibrate(scores, codes, self.intercept_, judges)
        return self._calibrate(scores)

    def _find_classes(self, labels: Array) -> Array:
        """Return the classes, two at least."""
        classes = np.unique(labels)
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs two classes or more. Got "
                f"{len(classes)} class: {classes}."
            )
        return classes

    def _judge(self, codes: Array, weights: Array) -> Array:
        """Return the weights of the rows that calibration looks at.

        The only row of a class tells nothing: a fit without it does not know the class.
        """
        counts = np.bincount(codes[weights > 0], minlength=len(self.classes_))
        return weights * (counts[codes] > 1)

    def _calibrate(self, scores: Array) -> NDArray[np.float64]:
        """Return probabilities."""
        return softmax(self._weigh(scores), axis=1)

    def _weigh(self, scores: Array) -> NDArray[np.float64]:
        slope, power = self.calibration_
        return slope * scores + power * np.log(self.intercept_)

    def decision_function(self, X: Rows) -> NDArray[np.float64]:
        """Return log-probabilities up to a constant per row.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes, the log-odds of the second.
        """
        logs = self._weigh(self._apply(X))
        return logs[:, 1] - logs[:, 0] if logs.shape[1] == 2 else logs

    def predict_proba(self, X: Rows) -> NDArray[np.float64]:
        """Predict class probabilities.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`.
        """
        return self._calibrate(self._apply(X))

    def predict(self, X: Rows) -> Array:
        """Predict classes.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,)
            The most likely classes.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]
