"""Labels: y of any container as a 1-D array of strings or of numbers."""

from collections.abc import Sequence
from numbers import Integral

import numpy as np
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import column_or_1d

from skcoral._input.arrays import read_array, read_cell
from skcoral._input.numbers import check_distinct, is_number
from skcoral._input.presence import first_present, is_missing


def read_labels(y):
    """Return labels as they are, in one dimension.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, 1)
        Labels, with None or NaN where there is none.

    Returns
    -------
    ndarray of shape (n_samples,)
        Of objects if y was a list of strings.

    Raises
    ------
    TypeError
        If y has fields.

    ValueError
        If y has another shape, or an infinite value.
    """
    y = column_or_1d(_read_column(y), warn=True)
    # It sums the numbers first.
    with np.errstate(over="ignore", invalid="ignore"):
        assert_all_finite(y, allow_nan=True, input_name="y")
    return y


def _read_column(y):
    y = read_cell(y)
    if isinstance(y, Sequence) and not isinstance(y, (str, bytes)):
        y = _list_labels(y)
    return read_array(y) if hasattr(y, "__array__") and getattr(y, "ndim", 1) else y


def _list_labels(y):
    try:
        labels = np.asarray(y)
    except Exception:  # labels that are lists, or raise errors of their own
        return np.fromiter(y, dtype=object, count=len(y))
    return np.asarray(y, dtype=object) if labels.dtype.kind in "US" else labels


def to_natural(labels):
    """Give objects other than strings the dtype that they would have without None."""
    if labels.dtype == object and not isinstance(first_present(labels), str):
        return np.asarray(labels.tolist())
    return labels


def check_alike(labels, rows):
    """Raise TypeError unless objects are all strings or all numbers.

    Parameters
    ----------
    labels : ndarray of shape (n_labels,)
        Labels, none of them missing.

    rows : sequence of int of length n_labels
        Their rows, for the message.
    """
    if labels.dtype.kind in "mM":
        raise TypeError(f"y must hold strings or numbers. Got {labels.dtype}.")
    if labels.dtype != object or not len(labels):
        return
    is_alike = _is_string if _is_string(labels[0]) else is_number
    for row, label in zip(rows, labels, strict=True):
        if not (_is_string(label) or is_number(label)):
            raise TypeError(
                f"y must hold strings or numbers. Got {type(label).__name__!r} in "
                f"row {row}."
            )
        if not is_alike(label):
            raise TypeError(
                f"y must hold strings only or numbers only. Got "
                f"{type(labels[0]).__name__!r} in row {rows[0]} and "
                f"{type(label).__name__!r} in row {row}."
            )


def _is_string(label):
    return isinstance(label, (str, bytes))


def read_numbers(y, how_to_mark):
    """Return labels as float64, NaN where there is none.

    Raises
    ------
    TypeError
        If a label is not a number.

    ValueError
        If it is beyond the range of float64, or an integer that float64 cannot tell
        from another.
    """
    y = read_labels(y)
    if y.dtype.kind not in "iufbO":
        raise TypeError(f"y must hold numbers. Got dtype {y.dtype}. {how_to_mark}")
    if y.dtype != object:
        check_distinct("y", y)
        return y.astype(np.float64)
    numbers = np.array([_read_number(*cell, how_to_mark) for cell in enumerate(y)])
    integers = [int(label) for label in y if isinstance(label, Integral)]
    check_distinct("y", np.array(integers, dtype=object))
    return numbers


def _read_number(row, label, how_to_mark):
    if is_missing(label):
        return np.nan
    if not is_number(label):
        raise TypeError(
            f"y must hold numbers. Got {type(label).__name__!r} in row {row}. "
            f"{how_to_mark}"
        )
    try:
        number = float(label)
    except OverflowError:
        number = np.inf
    if np.isinf(number):
        raise ValueError(
            f"y must hold numbers in the range of float64. Got another in row {row}."
        )
    return number
