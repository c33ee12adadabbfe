"""Targets: labels as standardised columns of numbers, whose variances are alike."""

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import LabelBinarizer, StandardScaler
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import type_of_target

Kind: TypeAlias = Literal["auto", "classes", "numbers"]


def read_column(y: Any) -> Any:
    """Return y of one column as 1-D, with scikit-learn's warning."""
    return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y


def standardize_targets(
    y: Any, kind: Kind, sample_weight: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], int]:
    """Return standardised targets and the number of independent ones.

    Classes become indicators, one per class: standardised, rare classes count as much
    as frequent ones.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels.

    kind : {"auto", "classes", "numbers"}
        What they are; "auto" takes continuous ones as numbers.

    sample_weight : ndarray of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    targets : ndarray of shape (n_samples, n_targets)
        Columns with mean 0 and variance 1, or 0 if constant.

    n_outputs : int
        Number of independent columns.
    """
    y = np.asarray(y)
    if kind == "auto":
        kind = "numbers" if type_of_target(y).startswith("continuous") else "classes"
    outputs = y.reshape(len(y), -1).T
    if kind == "numbers":
        columns = outputs.T.astype(np.float64)
        n_outputs = columns.shape[1]
    else:
        indicators = [_indicate(labels) for labels in outputs]
        columns = np.hstack(indicators)
        n_outputs = sum(max(1, part.shape[1] - 1) for part in indicators)
    scaler = StandardScaler().fit(columns, sample_weight=sample_weight)
    return scaler.transform(columns), n_outputs


def _indicate(labels: Any) -> NDArray[np.float64]:
    """Return one column per class; a single one for two classes."""
    return LabelBinarizer().fit_transform(labels).astype(np.float64)
