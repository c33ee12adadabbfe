"""Targets: the numbers that experts are fitted on, made from the labels."""

from abc import ABC, abstractmethod
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from skcoral._input.labels import (
    check_alike,
    read_labels,
    read_numbers,
    to_natural,
)
from skcoral._input.presence import find_nonempty_rows
from skcoral._sklearn_compat import Interval
from skcoral._types import Array
from skcoral.modalities._scalers import BoundedScaler

# Sums of weights stay far within the range of float64.
WEIGHT = Interval(Real, 1e-30, 1e30, closed="both")


class Targets(ABC):
    """Conversion of labels to targets, learnt once and then applied to further rows.

    Attributes
    ----------
    how_to_mark : str
        How to mark rows without a label, for error messages.

    n_outputs : int
        Number of columns that experts predict.
    """

    how_to_mark: Any
    n_outputs: Any

    @abstractmethod
    def find_labelled(self, y: Any) -> tuple[NDArray[np.bool_], Array]:
        """Return which rows have a label, and the checked labels of these."""

    @abstractmethod
    def learn(self, labels: Array) -> None:
        """Learn to convert labels to targets."""

    def remark(self, y: Any, labelled: NDArray[np.bool_]) -> str | None:
        """Return what users should be warned of in the labels learnt from, or None."""
        return None

    @abstractmethod
    def encode(self, labels: Array) -> Array:
        """Return the numbers that experts are fitted on."""

    def weigh(self, labels: Array) -> NDArray[np.float64]:
        """Return weights of the labels, besides those of their rows."""
        return np.ones(len(labels))


class ClassTargets(Targets):
    """Classes as codes, with their weights.

    Parameters
    ----------
    owner : str
        Name of the estimator, for messages.

    unlabeled : int, str or None
        The value of y that, like None and NaN, marks rows without a label.

    class_weight : dict, "balanced" or None
        Weights of the classes.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The classes.
    """

    def __init__(
        self, owner: str, unlabeled: int | str | None, class_weight: Any
    ) -> None:
        self.owner = owner
        self.unlabeled = unlabeled
        self.class_weight = class_weight

    @property
    def how_to_mark(self) -> str:
        """How to mark rows without a label."""
        return f"None, NaN and unlabeled={self.unlabeled!r} mark rows without one."

    @property
    def n_outputs(self) -> int:
        """Number of classes."""
        return len(self.classes)

    def find_labelled(self, y: Any) -> tuple[NDArray[np.bool_], Array]:
        """Return which rows have a label, and the checked labels of these."""
        y = read_labels(y)
        labelled = find_nonempty_rows(y)
        if self.unlabeled is not None:
            labelled[labelled] = ~self._find_marks(y[labelled])
        labels = y[labelled]
        check_alike(labels, np.flatnonzero(labelled))
        self._check_strings(labels)
        return labelled, to_natural(labels)

    def remark(self, y: Any, labelled: NDArray[np.bool_]) -> str | None:
        """Return a warning if -1 marks rows without a label, but looks like a class.

        It does beside other negative classes, and beside the classes 0 and 1 alone, if
        it has fewer rows than these: rows without a label are many.
        """
        n_marked = int((find_nonempty_rows(read_labels(y)) & ~labelled).sum())
        if self.unlabeled != -1 or not n_marked or self.classes.dtype.kind not in "if":
            return None
        ternary = self.classes.tolist() == [0, 1] and n_marked < labelled.sum()
        if not ternary and self.classes.min() >= 0:
            return None
        return (
            f"{n_marked} of {len(labelled)} rows have the label -1, which marks rows "
            f"without a label, beside the classes {self.classes.tolist()}. If -1 is a "
            "class, set unlabeled=None; if not, mark these rows by None or NaN to "
            "avoid this warning."
        )

    def _find_marks(self, labels: Array) -> NDArray[np.bool_]:
        """Return which labels are the one that marks rows without any."""
        if labels.dtype != object:
            return np.broadcast_to(labels == self.unlabeled, labels.shape)
        # Comparing other objects may raise any error.
        marks = (isinstance(v, (str, Real)) and v == self.unlabeled for v in labels)
        return np.fromiter(marks, dtype=bool, count=len(labels))

    def _check_strings(self, labels: Array) -> None:
        """Refuse missing-label markers that numpy has turned into strings."""
        if labels.dtype.kind not in "US":
            return
        marks = {"nan", "None", str(self.unlabeled)} & set(labels.tolist())
        if marks:
            raise ValueError(
                f"y holds the string {min(marks)!r}, of which numpy makes marks of "
                "missing labels. Pass y as a list or an array of objects."
            )

    def learn(self, labels: Array) -> None:
        """Learn the classes."""
        self.classes = LabelEncoder().fit(labels).classes_
        check_classification_targets(labels)
        if len(self.classes) < 2:
            raise ValueError(
                f"{self.owner} needs labels of two classes or more. Got "
                f"{len(self.classes)} class(es): {self.classes}. {self.how_to_mark}"
            )
        self._check_weights()

    def weigh(self, labels: Array) -> NDArray[np.float64]:
        """Return the weights of the classes of the labels."""
        return compute_sample_weight(self.class_weight, labels)

    def _check_weights(self) -> None:
        """Refuse weights whose mean is not finite, or none."""
        given = self.class_weight
        weights: dict[Any, Any] = given if isinstance(given, dict) else {}
        for label, weight in weights.items():
            if not WEIGHT.is_satisfied_by(weight):
                raise ValueError(
                    f"The 'class_weight' parameter of {self.owner} must have weights "
                    f"between {WEIGHT.left} and {WEIGHT.right}. Got {weight!r} for "
                    f"class {label!r}. To leave a class out, mark its rows as "
                    "unlabelled."
                )

    def encode(self, labels: Array) -> Array:
        """Return the index of each label among the classes."""
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
    scaler : BoundedScaler
        Their mean and standard deviation, learnt whatever their unit and level.
    """

    how_to_mark = "NaN marks rows without one."
    n_outputs = 1

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def find_labelled(self, y: Any) -> tuple[NDArray[np.bool_], Array]:
        """Return which rows have a label, and the checked labels of these."""
        y = read_numbers(y, self.how_to_mark)
        labelled = ~np.isnan(y)
        return labelled, y[labelled]

    def learn(self, labels: Array) -> None:
        """Learn the mean and the scale."""
        if not len(labels):
            raise ValueError(
                f"{self.owner} needs one target or more. Got {labels}. "
                f"{self.how_to_mark}"
            )
        self.scaler = BoundedScaler().fit(labels[:, None])

    @property
    def mean(self) -> float:
        """Mean of the labels."""
        return float(self.decode(np.zeros(1))[0])

    @property
    def scale(self) -> float:
        """Standard deviation of the labels; a fixed share of them if all are equal."""
        return float(np.ldexp(self.scaler.scale_, self.scaler.exponent_)[0])

    def encode(self, labels: Array) -> Array:
        """Return the standardised labels."""
        return self.scaler.transform(labels[:, None])[:, 0]

    def decode(self, targets: Array) -> Array:
        """Return targets on the scale of the labels, at most the largest float64."""
        return self.scaler.inverse_transform(targets[:, None])[:, 0]
