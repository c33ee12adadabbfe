"""Targets: from labels, of some rows, to numbers that a network is trained on."""

from abc import ABC, abstractmethod

import numpy as np
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import assert_all_finite, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skcoral._input.presence import find_nonempty_rows, first_present
from skcoral._input.validation import keep_numbers


class Targets(ABC):
    """What labels become, learnt once and then applied to further rows.

    Attributes
    ----------
    how_to_mark : str
        How rows without a label are marked, for messages.

    start : sequence of float
        The outputs with which the head starts.

    loss : dict of str to object
        Parameters of the supervised term.
    """

    @abstractmethod
    def find_labelled(self, y):
        """Return which rows have a label, and the checked labels of these."""

    @abstractmethod
    def learn(self, labels, classes=None):
        """Learn how labels become targets; `classes` are those of `partial_fit`."""

    @abstractmethod
    def encode(self, labels):
        """Return the numbers that the network is trained on."""

    def encode_rows(self, y, filled, *, learn, classes=None):
        """Return the targets of the rows to train on.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels, with rows marked that have none.

        filled : ndarray of shape (n_samples,), bool
            Which rows are trained on.

        learn : bool
            Whether to learn from these labels first.

        classes : array-like, default=None
            All classes, if they are known.

        Returns
        -------
        ndarray of shape (n_filled,)
            Targets, NaN where there is no label.
        """
        labelled, labels = self.find_labelled(y)
        check_consistent_length(filled, labelled)
        labels = labels[filled[labelled]]
        if learn:
            self.learn(labels, classes)
        targets = np.full(len(filled), np.nan)
        targets[labelled & filled] = self.encode(labels)
        return targets[filled]


class ClassTargets(Targets):
    """Classes as codes, with weights and the shares with which a training starts.

    Parameters
    ----------
    owner : str
        Name of the estimator, for messages.

    unlabeled : int, str or None
        The value of y, beside None and NaN, that marks rows without a label.

    class_weight : dict, "balanced" or None
        Weights of the classes.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The classes.

    class_weight : ndarray of shape (n_classes,)
        Their weights.

    class_prior : ndarray of shape (n_classes,)
        Their weighted shares among the labels, one label added to each class.
    """

    def __init__(self, owner, unlabeled, class_weight):
        self.owner = owner
        self.unlabeled = unlabeled
        self.class_weight = class_weight

    @property
    def how_to_mark(self):
        """How rows without a label are marked."""
        return f"None, NaN and unlabeled={self.unlabeled!r} mark rows without one."

    @property
    def start(self):
        """Logarithms of the shares of the classes."""
        return np.log(self.class_prior)

    @property
    def loss(self):
        """Cross-entropy of unaltered rows and of one view of each."""
        return {
            "loss": "cross_entropy",
            "class_weight": self.class_weight,
            "labelled_views": ("original", "augmented"),
        }

    def find_labelled(self, y):
        """Return which rows have a label, and the checked labels of these."""
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

    def learn(self, labels, classes=None):
        """Learn the classes, their weights and their shares."""
        classes = labels if classes is None else np.asarray(classes)
        self.classes = LabelEncoder().fit(classes).classes_
        check_classification_targets(classes)
        if len(self.classes) < 2:
            raise ValueError(
                f"{self.owner} needs labels of two classes or more. Got "
                f"{len(self.classes)} class(es): {self.classes}. {self.how_to_mark}"
            )
        self.class_weight = compute_class_weight(
            self.class_weight, classes=self.classes, y=labels
        )
        # One more label of each: a first chunk may lack some classes.
        codes = self.encode(labels).astype(int)  # floats where there are none
        counts = np.bincount(codes, minlength=len(self.classes)) + 1
        shares = self.class_weight * counts
        self.class_prior = shares / shares.sum()

    def encode(self, labels):
        """Return the position of each label among the classes."""
        encoder = LabelEncoder()
        encoder.classes_ = self.classes
        return encoder.transform(labels)


class NumberTargets(Targets):
    """Numbers, standardised.

    Parameters
    ----------
    owner : str
        Name of the estimator, for messages.

    Attributes
    ----------
    mean : float
        Mean of the labels.

    scale : float
        Their standard deviation, or 1 if they are all the same.
    """

    how_to_mark = "NaN marks rows without one."
    # The mean of the standardised targets.
    start = (0.0,)

    def __init__(self, owner):
        self.owner = owner

    @property
    def loss(self):
        """Squared error of unaltered rows."""
        return {"loss": "squared_error", "labelled_views": ("original",)}

    def find_labelled(self, y):
        """Return which rows have a label, and the checked labels of these."""
        y = column_or_1d(y, dtype=np.float64, warn=True)
        assert_all_finite(y, allow_nan=True, input_name="y")
        labelled = ~np.isnan(y)
        return labelled, y[labelled]

    def learn(self, labels, classes=None):
        """Learn mean and scale."""
        if not len(labels):
            raise ValueError(
                f"{self.owner} needs one target or more. Got {labels}. "
                f"{self.how_to_mark}"
            )
        self.mean = float(labels.mean())
        self.scale = float(labels.std()) or 1.0

    def encode(self, labels):
        """Return standardised numbers."""
        return (labels - self.mean) / self.scale

    def decode(self, targets):
        """Return numbers in the scale of the labels."""
        return targets * self.scale + self.mean
