"""Linear probes: how well a linear model predicts a label from given features."""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import make_scorer
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from skcoral._constraints import POSITIVE_INT
from skcoral._sklearn_compat import StrOptions, fit_context
from skcoral._types import Array
from skcoral.evaluation.scores import balanced_accuracy
from skcoral.evaluation.search import (
    best,
    check_values,
    measure,
    search_around,
    split_rows,
)

# The grid, the splits and their seed are those of the published probe.
GRID = (1e-6, 1e-4, 1e-2, 1.0, 1e2, 1e4, 1e6)
SPLIT_SEED = 48


class LinearProbe(ClassifierMixin, BaseEstimator):
    """Logistic regression whose C is chosen on held-out rows of the training data.

    Each value of C is scored by the balanced accuracy on the held-out rows, after
    training on the others; among equal scores the first counts. The model with the best
    value is then fitted on all rows, including those held out.

    Parameters
    ----------
    Cs : array-like of float, default=(1e-6, 1e-4, 1e-2, 1, 1e2, 1e4, 1e6)
        Inverse strengths of the penalty to choose from, in ascending order.

    refine : bool, default=True
        Whether to search a second time, among 29 values within two decades of the best
        one, halving the list on the side of the best of three.

    cv : int, cross-validation splitter, iterable or None, default=None
        Which rows are held out; the scores of several splits are averaged. None holds
        out 40 % of the rows, stratified, with a fixed seed. To use validation rows of
        your own, append them to the others and mark them with
        :class:`~sklearn.model_selection.PredefinedSplit`.

    class_weight : "balanced", dict or None, default=None
        Weights of the classes, as in
        :class:`~sklearn.linear_model.LogisticRegression`.

    max_iter : int, default=1000
        Maximum number of iterations of the solver. Fits that reach it are scored as
        they are in the search, and cause a warning in the final fit.

    Attributes
    ----------
    C_ : float
        The chosen value.

    scores_ : dict of float to float
        Balanced accuracy on the held-out rows by value of C, in the order visited.

    estimator_ : LogisticRegression
        The classifier fitted on all rows.

    classes_ : ndarray of shape (n_classes,)
        The classes.

    n_iter_ : int
        Number of iterations of the final fit.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if `X` had any.

    See Also
    --------
    RidgeProbe : The same for numbers to predict.
    evaluate : Probes many transformers by one protocol.

    Notes
    -----
    The protocol is that of the published code of COrAL (arXiv 2602.14983), which it
    shares with CoMM (arXiv 2409.07402) and InfMasking (arXiv 2509.25270). Three things
    differ. First, the published penalty adds the norm of the weights to the mean of the
    losses, where scikit-learn adds the squared norm to their sum. Both have the same
    path of solutions, but a value of C marks different points on it, so that the range
    of `Cs` carries over and a single value does not. Second, two classes have one
    vector of weights here, and two there. Third, the published solver stops after 100
    iterations.

    As in the published probe, features are not scaled: put
    :class:`~sklearn.preprocessing.StandardScaler` in front, or let `evaluate` do it.
    The published script for Trifeatures passes the test rows as held-out rows, and so
    trains on them; this probe sees only the rows passed to `fit`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skcoral.evaluation import LinearProbe
    >>> X, y = load_iris(return_X_y=True)
    >>> probe = LinearProbe(refine=False).fit(X[::2], y[::2])
    >>> probe.C_, round(probe.score(X[1::2], y[1::2]), 2)
    (100.0, 0.97)
    """

    _parameter_constraints = {
        "Cs": ["array-like"],
        "refine": ["boolean"],
        "cv": ["cv_object"],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "max_iter": POSITIVE_INT,
    }

    def __init__(
        self,
        Cs: ArrayLike = GRID,
        *,
        refine: bool = True,
        cv: Any = None,
        class_weight: Literal["balanced"] | dict[Any, float] | None = None,
        max_iter: int = 1000,
    ) -> None:
        self.Cs = Cs
        self.refine = refine
        self.cv = cv
        self.class_weight = class_weight
        self.max_iter = max_iter

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Choose C on held-out rows and fit on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        y : array-like of shape (n_samples,)
            Classes.

        Returns
        -------
        self : object
            The fitted probe.

        Raises
        ------
        ValueError
            If there is only one class, or if the rows cannot be split, as with one row
            per class.
        """
        X, y = validate_data(self, X, y, accept_sparse="csr")
        check_classification_targets(y)
        values = check_values(self, "Cs", self.Cs)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs 2 classes or more. Got 1 class."
            )
        default = StratifiedShuffleSplit(1, test_size=0.4, random_state=SPLIT_SEED)
        splits = split_rows(self, default, X, y, classifier=True)

        def score(C: float) -> float:
            """Return the score of one value on the held-out rows."""
            return measure(self._make(C), X, y, splits, make_scorer(balanced_accuracy))

        self.scores_ = {C: score(C) for C in values}
        if self.refine:
            search_around(score, self.scores_)
        self.C_ = best(self.scores_)
        self.estimator_ = self._make(self.C_).fit(X, y)
        self.n_iter_ = int(self.estimator_.n_iter_.max())
        return self

    def predict(self, X: Any) -> Array:
        """Return the predicted class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,)
            Classes.
        """
        X = _read(self, X)
        return self.estimator_.predict(X)

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`.
        """
        X = _read(self, X)
        return self.estimator_.predict_proba(X)

    def decision_function(self, X: Any) -> Array:
        """Return the score of each class, which is linear in the features.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Scores; with two classes, those of the second.
        """
        X = _read(self, X)
        return self.estimator_.decision_function(X)

    def _make(self, C: float) -> LogisticRegression:
        return LogisticRegression(
            C=C, class_weight=self.class_weight, max_iter=self.max_iter
        )

    def __sklearn_tags__(self) -> Tags:
        """Return the tags: sparse features are accepted."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class RidgeProbe(RegressorMixin, BaseEstimator):
    """Ridge regression whose alpha is chosen on held-out rows of the training data.

    The chosen value has the lowest mean squared error on the held-out rows, and is the
    first among equal ones; the model with it is then fitted on all rows.

    Parameters
    ----------
    alphas : array-like of float, default=(1e-6, 1e-4, 1e-2, 1, 1e2, 1e4, 1e6)
        Strengths of the penalty to choose from, in ascending order.

    cv : int, cross-validation splitter, iterable or None, default=None
        Which rows are held out; the errors of several splits are averaged. None holds
        out 20 % of the rows, with a fixed seed.

    Attributes
    ----------
    alpha_ : float
        The chosen value.

    scores_ : dict of float to float
        Negative mean squared error on the held-out rows by value of alpha.

    estimator_ : Ridge
        The regressor fitted on all rows.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if `X` had any.

    See Also
    --------
    LinearProbe : The same for classes.

    Notes
    -----
    The protocol and the values are those of the published code of COrAL (arXiv
    2602.14983), where they are alphas too, not inverse ones. Features are not scaled.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from skcoral.evaluation import RidgeProbe
    >>> X, y = make_regression(100, 40, noise=20, random_state=0)
    >>> probe = RidgeProbe().fit(X[::2], y[::2])
    >>> probe.alpha_, round(probe.score(X[1::2], y[1::2]), 2)
    (1.0, 0.97)
    """

    _parameter_constraints = {"alphas": ["array-like"], "cv": ["cv_object"]}

    def __init__(self, alphas: ArrayLike = GRID, *, cv: Any = None) -> None:
        self.alphas = alphas
        self.cv = cv

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Choose alpha on held-out rows and fit on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        y : array-like of shape (n_samples,)
            Numbers.

        Returns
        -------
        self : object
            The fitted probe.

        Raises
        ------
        ValueError
            If the rows cannot be split.
        """
        X, y = validate_data(self, X, y, accept_sparse="csr", y_numeric=True)
        values = check_values(self, "alphas", self.alphas)
        default = ShuffleSplit(1, test_size=0.2, random_state=SPLIT_SEED)
        splits = split_rows(self, default, X, y, classifier=False)
        scoring = "neg_mean_squared_error"
        self.scores_ = {a: measure(Ridge(a), X, y, splits, scoring) for a in values}
        self.alpha_ = best(self.scores_)
        self.estimator_ = Ridge(self.alpha_).fit(X, y)
        return self

    def predict(self, X: Any) -> Array:
        """Return the predicted number of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predictions.
        """
        X = _read(self, X)
        return self.estimator_.predict(X)

    def __sklearn_tags__(self) -> Tags:
        """Return the tags: sparse features are accepted."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _read(probe: LinearProbe | RidgeProbe, X: Any) -> Any:
    """Return the features, checked against those of `fit`."""
    check_is_fitted(probe, "estimator_")
    return validate_data(probe, X, accept_sparse="csr", reset=False)
