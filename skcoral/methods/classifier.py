"""COrALClassifier: a class per row, learnt from the rows that have a label."""

from numbers import Integral

import numpy as np
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import assert_all_finite, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from skcoral._docstrings import document
from skcoral._input.presence import find_nonempty_rows, first_present
from skcoral._input.validation import keep_numbers
from skcoral._sklearn_compat import StrOptions, fit_context
from skcoral.methods._predictor import BaseCOrALPredictor


@document
class COrALClassifier(ClassifierMixin, BaseCOrALPredictor):
    """Predict classes from several modalities, with few labels and many rows.

    The network of :class:`COrALTransformer` with a linear head on its features, trained
    as a whole: all rows are contrasted as COrAL does [1]_, and rows with a label add
    ``supervised_weight`` times their cross-entropy. Rows without a label have -1, as in
    :mod:`sklearn.semi_supervised`, or None or NaN, in y.

    Parameters
    ----------
    %(modalities)s

    %(coral)s

    %(supervised_weight)s

    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the mean of the cross-entropy; "balanced" is inverse
        to how often a class is among the labels. None weighs all rows alike.

    unlabeled : int, str or None, default=-1
        The value of y that marks rows without a label, beside None and NaN, which
        always do. None for labels among which -1 is a class, such as -1 and 1.

    %(training)s

    Attributes
    ----------
    %(attributes)s

    classes_ : ndarray of shape (n_classes,)
        The classes.

    class_weight_ : ndarray of shape (n_classes,)
        Their weights.

    class_prior_ : ndarray of shape (n_classes,)
        Their weighted shares among the labels, one label added to each class: the
        probabilities with which the training starts.

    See Also
    --------
    COrALRegressor : Predicts numbers.
    COrALTransformer : Learns features without any label.
    sklearn.semi_supervised.SelfTrainingClassifier : Labels rows by any classifier.

    Notes
    -----
    %(supervised_notes)s

    The cross-entropy is the mean over unaltered rows and one augmented view of each.
    On :func:`~skcoral.datasets.make_multimodal_interactions` this was 0.02 more
    accurate than unaltered rows alone with 10 labels per class, and 0.01 less with 50
    (mean of two targets and two draws of labels).

    With `early_stopping`, rows of each class and rows without a label are held out in
    equal shares, so a class needs two labels or more.

    Where labels are strings, mark the other rows by None in a list or an array of
    objects, or by a string of your choice in `unlabeled`, which scikit-learn's
    stratified splits can read, too.

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

    _parameter_constraints = {
        **BaseCOrALPredictor._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "unlabeled": [Integral, str, None],
    }

    def __init__(
        self,
        modalities="auto",
        *,
        embed_dim=64,
        unique_dim=None,
        n_layers=1,
        n_heads=4,
        dropout=0.0,
        head_hidden_dim=256,
        head_dim=128,
        temperature=0.1,
        mask_ratio=1.0,
        mask_mode="zero",
        shared_weight=1.0,
        unique_weight=1.0,
        ortho_weight=1.0,
        orthogonality="squared",
        ortho_reduction="sum",
        modality_dropout=0.0,
        supervised_weight=1.0,
        class_weight=None,
        unlabeled=-1,
        max_epochs="auto",
        batch_size=256,
        lr=1e-3,
        weight_decay=1e-3,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        warm_start=False,
        output="all",
        missing="learned",
        empty_rows="error",
        device="auto",
        precision="auto",
        compile=False,
        callbacks=None,
        verbose=0,
        random_state=None,
    ):
        super().__init__(
            modalities,
            embed_dim=embed_dim,
            unique_dim=unique_dim,
            n_layers=n_layers,
            n_heads=n_heads,
            dropout=dropout,
            head_hidden_dim=head_hidden_dim,
            head_dim=head_dim,
            temperature=temperature,
            mask_ratio=mask_ratio,
            mask_mode=mask_mode,
            shared_weight=shared_weight,
            unique_weight=unique_weight,
            ortho_weight=ortho_weight,
            orthogonality=orthogonality,
            ortho_reduction=ortho_reduction,
            modality_dropout=modality_dropout,
            supervised_weight=supervised_weight,
            max_epochs=max_epochs,
            batch_size=batch_size,
            lr=lr,
            weight_decay=weight_decay,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            warm_start=warm_start,
            output=output,
            missing=missing,
            empty_rows=empty_rows,
            device=device,
            precision=precision,
            compile=compile,
            callbacks=callbacks,
            verbose=verbose,
            random_state=random_state,
        )
        self.class_weight = class_weight
        self.unlabeled = unlabeled

    @fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X, y, classes=None):
        """Train one more epoch on a chunk of rows, such as a row group of a file.

        The first call learns modalities, scales and vocabularies; later calls keep
        them. Any chunk may come without a label.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            A chunk of at least two rows.

        y : array-like of shape (n_samples,)
            Labels, with rows marked that have none.

        classes : array-like of shape (n_classes,), default=None
            All classes; needed in the first call.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            As in `fit`, if `early_stopping` is set or `class_weight` is "balanced", and
            if the classes are not given first or change later.
        """
        self._check_classes(classes)
        return self._fit_chunk(X, y, classes)

    def predict(self, X):
        """Predict the classes of rows, one by one, whatever the batch.

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
            As in `transform`, and if a row lacks every modality, whatever `empty_rows`.
        """
        outputs = self._run_head(X)
        empty = np.flatnonzero(np.isnan(outputs[:, 0]))
        if len(empty):
            raise ValueError(
                f"{len(empty)} rows of X lack every modality, the first of them row "
                f"{empty[0]}: no class can be predicted. predict_proba is NaN there."
            )
        return self.classes_[outputs.argmax(axis=1)]

    def predict_proba(self, X):
        """Predict the probabilities of classes, row by row, whatever the batch.

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
        return softmax(self._run_head(X).astype(np.float64), axis=1)

    def decision_function(self, X):
        """Return the outputs of the head.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            Rows with the columns of `fit`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes), float64
            Logarithms of the probabilities up to a constant per row; for two classes
            the logarithm of their odds.
        """
        outputs = self._run_head(X).astype(np.float64)
        return outputs[:, 1] - outputs[:, 0] if outputs.shape[1] == 2 else outputs

    def score(self, X, y):
        """Return the accuracy on the rows that have a label.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            Rows with the columns of `fit`.

        y : array-like of shape (n_samples,)
            Their labels. Rows without one are left out, so that a search by
            cross-validation can have them.

        Returns
        -------
        float
            Share of labels that are predicted.

        Raises
        ------
        ValueError
            As in `predict`, and if there is no label.
        """
        return accuracy_score(*self._predict_labelled(X, y))

    @property
    def _how_to_mark(self):
        return f"None, NaN and unlabeled={self.unlabeled!r} mark rows without one."

    def _find_labelled(self, y):
        y = column_or_1d(keep_numbers(y), warn=True)
        assert_all_finite(y, allow_nan=True, input_name="y")
        labelled = find_nonempty_rows(y)
        if self.unlabeled is not None:
            labelled[labelled] = y[labelled] != self.unlabeled
        labels = y[labelled]
        self._check_strings(labels)
        # Objects that are no strings get the type that they would have without None.
        if labels.dtype == object and not isinstance(first_present(labels), str):
            labels = np.asarray(labels.tolist())
        return labelled, labels

    def _check_strings(self, labels):
        """Refuse the marks of missing labels of which numpy has made strings."""
        if labels.dtype.kind not in "US":
            return
        marks = {"nan", "None", str(self.unlabeled)} & set(labels.tolist())
        if marks:
            raise ValueError(
                f"y holds the string {min(marks)!r}, of which numpy makes marks of "
                "missing labels. Pass y as a list or an array of objects."
            )

    def _check_classes(self, classes):
        """Check the classes that are passed to `partial_fit`."""
        if self.class_weight == "balanced":
            raise ValueError(
                "partial_fit of COrALClassifier does not support class_weight="
                "'balanced', which needs all labels. Pass a dict of weights."
            )
        if not hasattr(self, "net_"):
            if classes is None:
                raise ValueError(
                    "classes must be passed on the first call to partial_fit."
                )
        elif classes is not None and not np.array_equal(
            np.unique(classes), self.classes_
        ):
            raise ValueError(
                f"The classes must be those of the first call to partial_fit, "
                f"{self.classes_}. Got {classes} instead."
            )

    def _learn_targets(self, labels, classes):
        classes = labels if classes is None else np.asarray(classes)
        self.classes_ = LabelEncoder().fit(classes).classes_
        check_classification_targets(classes)
        if len(self.classes_) < 2:
            raise ValueError(
                "COrALClassifier needs labels of two classes or more. Got "
                f"{len(self.classes_)} class(es): {self.classes_}. {self._how_to_mark}"
            )
        self.class_weight_ = compute_class_weight(
            self.class_weight, classes=self.classes_, y=labels
        )
        # One more label of each: a first chunk may lack some classes.
        codes = self._to_targets(labels).astype(int)  # floats where there are none
        counts = np.bincount(codes, minlength=len(self.classes_)) + 1
        shares = self.class_weight_ * counts
        self.class_prior_ = shares / shares.sum()

    def _to_targets(self, labels):
        encoder = LabelEncoder()
        encoder.classes_ = self.classes_
        return encoder.transform(labels)

    def _find_strata(self, targets):
        return targets

    def _make_loss(self):
        return {
            "loss": "cross_entropy",
            "class_weight": self.class_weight_,
            "labelled_views": ("original", "augmented"),
        }

    def _find_start(self):
        return np.log(self.class_prior_)
