"""COrALClassifier: predicts a class per row, learnt from the labelled rows."""

from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score

from skcoral._sklearn_compat import StrOptions
from skcoral._types import Array, Rows
from skcoral.methods._experts import ClassExperts
from skcoral.methods._parameters import estimator, parameter
from skcoral.methods._supervision import INIT, SupervisedMixin
from skcoral.methods._targets import ClassTargets
from skcoral.methods.coral import COrALTransformer


@estimator
class COrALClassifier(SupervisedMixin, ClassifierMixin, COrALTransformer):
    """Predict classes from several modalities, with few labels and many rows.

    All rows, with or without a label, train the network of :class:`COrALTransformer`
    [1]_. Then two experts read the labels: a ridge regression that weighs each
    component, shared, unique or of the plain features of a modality, by what it tells
    of the classes, and a random forest. Predictions on rows that an expert has not seen
    say how much it counts. Rows without a label are marked in y by -1, as in
    :mod:`sklearn.semi_supervised`, or by None or NaN.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    classes_ : ndarray of shape (n_classes,)
        The class labels.

    weights_ : dict of str to float
        Weight of each component in the ridge regression; "film values" are the plain
        features of the modality "film".

    powers_ : ndarray of shape (2,)
        How much the ridge regression and the forest count.

    See Also
    --------
    COrALRegressor : Predicts numbers.
    COrALTransformer : Learns features without labels.
    sklearn.semi_supervised.SelfTrainingClassifier : Self-trains any classifier.

    Notes
    -----
    %(supervised_notes)s

    If labels are strings, mark the other rows by None in a list or an object array, or
    by a string of your choice that you pass as `unlabeled`; scikit-learn's stratified
    splits accept the latter too.

    References
    ----------
    .. [1] "Orthogonalized Multimodal Contrastive Learning with Asymmetric Masking for
       Structured Representations", 2026, arXiv 2602.14983.

    Examples
    --------
    >>> from skcoral import COrALClassifier
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> made = make_multimodal_interactions(200, random_state=0)
    >>> y = made.target["redundant"].copy()
    >>> y[20:] = -1
    >>> model = COrALClassifier(embed_dim=8, max_epochs=2, random_state=0)
    >>> model.fit(made.data, y).predict_proba(made.data).shape
    (200, 2)
    """

    init: COrALTransformer | None = INIT
    class_weight: dict[Any, float] | Literal["balanced"] | None = parameter(
        default=None,
        constraint=[dict, StrOptions({"balanced"}), None],
        text="""
        dict, "balanced" or None
        Weights of the classes, by which those of the labels are multiplied; "balanced"
        makes them inversely proportional to the class frequencies. None weights all
        labels equally.""",
    )
    unlabeled: int | str | None = parameter(
        default=-1,
        constraint=[Integral, str, None],
        text="""
        int, str or None
        The value of y that marks rows without a label, in addition to None and NaN,
        which always do. Set it to None if -1 is a class, as with labels -1 and 1. A
        warning says if it looks like one: beside other negative classes, or beside
        classes 0 and 1 in fewer rows than these have.""",
    )

    def predict(self, X: Rows) -> Array:
        """Predict the class of each row, independently of the other rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            Rows with the columns of `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Classes.

        Raises
        ------
        ValueError
            As in `transform`, and if a row lacks every modality, even if `empty_rows`
            is "nan".
        """
        outputs = self._run_experts(X)
        empty = np.flatnonzero(np.isnan(outputs[:, 0]))
        if len(empty):
            raise ValueError(
                f"{len(empty)} rows of X lack every modality, the first of them row "
                f"{empty[0]}: no class can be predicted. predict_proba is NaN there."
            )
        return self.classes_[outputs.argmax(axis=1)]

    def predict_proba(self, X: Rows) -> NDArray[np.float64]:
        """Predict class probabilities of each row, independently of the other rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            Rows with the columns of `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            Probabilities in the order of `classes_`; NaN where a row lacks every
            modality and `empty_rows` is "nan".
        """
        return softmax(self._run_experts(X), axis=1)

    def decision_function(self, X: Rows) -> NDArray[np.float64]:
        """Return log-probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            Rows with the columns of `fit`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes), float64
            Log-probabilities; for two classes, the log-odds of the second class.
        """
        outputs = self._run_experts(X)
        return outputs[:, 1] - outputs[:, 0] if outputs.shape[1] == 2 else outputs

    def score(
        self, X: Rows, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the accuracy on the rows that have a label.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            Rows with the columns of `fit`.

        y : array-like of shape (n_samples,)
            Their labels. Rows without one are ignored, so they may be part of a
            cross-validated search.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        float
            Fraction of the labelled rows that are predicted correctly.

        Raises
        ------
        ValueError
            As in `predict`, and if no row has a label.
        """
        labels, predicted, weights = self._predict_labelled(X, y, sample_weight)
        return accuracy_score(labels, predicted, sample_weight=weights)

    def _make_targets(self) -> ClassTargets:
        """Return new targets, not fitted yet."""
        return ClassTargets(type(self).__name__, self.unlabeled, self.class_weight)

    def _make_experts(self, components: dict[str, slice], seed: int) -> ClassExperts:
        """Return new experts, not fitted yet."""
        return ClassExperts(components, seed)

    def _show_targets(self, targets: ClassTargets) -> None:
        """Set the fitted attributes that describe the classes."""
        self.classes_ = targets.classes
