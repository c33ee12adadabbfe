"""Linear probes: how much of a label a linear model reads from given features."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import make_scorer
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from skcoral._constraints import POSITIVE_INT
from skcoral._sklearn_compat import StrOptions, fit_context
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

    A value of C is scored by the balanced accuracy on the held-out rows, after training
    on the others; of equal scores the first counts. The best value is then fitted on
    all rows, held-out ones included.

    Parameters
    ----------
    Cs : array-like of float, default=(1e-6, 1e-4, 1e-2, 1, 1e2, 1e4, 1e6)
        Inverse strengths of the penalty to choose from, in ascending order.

    refine : bool, default=True
        Search a second time, among 29 values within two decades of the best one, by
        halving the list on the side of the best of three.

    cv : int, cross-validation splitter, iterable or None, default=None
        Which rows are held out; the scores of several splits are averaged. None: 40 %
        of the rows, stratified, by a fixed seed. Validation rows of one's own are
        appended to the others and told by
        :class:`~sklearn.model_selection.PredefinedSplit`.

    class_weight : "balanced", dict or None, default=None
        Weights of the classes, as in
        :class:`~sklearn.linear_model.LogisticRegression`.

    max_iter : int, default=1000
        Most iterations of the solver. In the search, fits that stop there count as they
        are; the last fit warns.

    Attributes
    ----------
    C_ : float
        The chosen value.

    scores_ : dict of float to float
        Balanced accuracy on the held-out rows by the value of C, as visited.

    estimator_ : LogisticRegression
        The classifier fitted on all rows.

    classes_ : ndarray of shape (n_classes,)
        The classes.

    n_iter_ : int
        Iterations of the last fit.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if `X` had any.

    See Also
    --------
    RidgeProbe : The same for a number to predict.
    evaluate : Probes of many transformers by one protocol.

    Notes
    -----
    The protocol is that of COrAL's published code (arXiv 2602.14983), which it shares
    with CoMM (arXiv 2409.07402) and InfMasking (arXiv 2509.25270). Three things differ.
    The published penalty is the norm of the weights added to the mean of the losses,
    scikit-learn's is the squared norm beside their sum. The solutions of both lie on
    one and the same path, but one value of C stands for different points of it, so only
    the range of `Cs` carries over, not a single value. Two classes have one vector of
    weights here and two there. And the published solver stops after 100 iterations.

    In common with the published probe, features are not scaled: put
    :class:`~sklearn.preprocessing.StandardScaler` in front, or let `evaluate` do it.
    One published script, that for Trifeatures, passes the test rows as held-out rows
    and so trains on them; the present probe sees no rows but those of `fit`.

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
        self, Cs=GRID, *, refine=True, cv=None, class_weight=None, max_iter=1000
    ):
        self.Cs = Cs
        self.refine = refine
        self.cv = cv
        self.class_weight = class_weight
        self.max_iter = max_iter

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
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
            If there is one class alone, or if the rows cannot be split, such as one row
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

        def score(C):
            """Score one value on the held-out rows."""
            return measure(self._make(C), X, y, splits, make_scorer(balanced_accuracy))

        self.scores_ = {C: score(C) for C in values}
        if self.refine:
            search_around(score, self.scores_)
        self.C_ = best(self.scores_)
        self.estimator_ = self._make(self.C_).fit(X, y)
        self.n_iter_ = int(self.estimator_.n_iter_.max())
        return self

    def predict(self, X):
        """Return the class of each row.

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

    def predict_proba(self, X):
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

    def decision_function(self, X):
        """Return the score of each class, linear in the features.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Scores; with two classes that of the second.
        """
        X = _read(self, X)
        return self.estimator_.decision_function(X)

    def _make(self, C):
        return LogisticRegression(
            C=C, class_weight=self.class_weight, max_iter=self.max_iter
        )

    def __sklearn_tags__(self):
        """Return the tags: sparse features are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class RidgeProbe(RegressorMixin, BaseEstimator):
    """Ridge regression whose alpha is chosen on held-out rows of the training data.

    The value of the lowest mean squared error on the held-out rows, the first of equal
    ones, is then fitted on all rows.

    Parameters
    ----------
    alphas : array-like of float, default=(1e-6, 1e-4, 1e-2, 1, 1e2, 1e4, 1e6)
        Strengths of the penalty to choose from, in ascending order.

    cv : int, cross-validation splitter, iterable or None, default=None
        Which rows are held out; the errors of several splits are averaged. None: 20 %
        of the rows, by a fixed seed.

    Attributes
    ----------
    alpha_ : float
        The chosen value.

    scores_ : dict of float to float
        Minus the mean squared error on the held-out rows by the value of alpha.

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
    The protocol and its values are those of COrAL's published code (arXiv 2602.14983),
    where the values are alphas, not inverse ones. Features are not scaled.

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

    def __init__(self, alphas=GRID, *, cv=None):
        self.alphas = alphas
        self.cv = cv

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
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

    def predict(self, X):
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

    def __sklearn_tags__(self):
        """Return the tags: sparse features are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _read(probe, X):
    """Check features against those of the fit."""
    check_is_fitted(probe, "estimator_")
    return validate_data(probe, X, accept_sparse="csr", reset=False)
