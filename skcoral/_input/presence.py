"""Presence: which cells have a value, and which rows have a modality.

In a raw block the values decide, in a transformed one the mask of shape (n_samples,
n_steps): a row without any True lacks the modality. Masks may be arrays or tensors.
"""

from decimal import Decimal

import narwhals as nw
import numpy as np
from scipy import sparse

from skcoral._input.containers import is_dataframe


def is_missing(value):
    """Return whether a value is None, NaN, NaT or pandas.NA."""
    if value is None or value is np.ma.masked:
        return True
    if isinstance(value, Decimal):  # comparing a signalling NaN is an error
        return value.is_nan()
    try:
        # What is missing is unlike itself. The truth of an empty array is an error only
        # from numpy 2.2 on.
        return getattr(value, "size", 1) != 0 and bool(value != value)
    # pandas.NA has no truth, arrays have several, other objects raise what they want.
    except Exception:
        return type(value).__name__ == "NAType"


def find_nonempty_rows(block):
    """Return which rows of a block have any value.

    Parameters
    ----------
    block : data frame, ndarray or sparse matrix, first axis = samples
        The block. None, NaN, NaT, pandas.NA and arrays that are all NaN are missing.

    Returns
    -------
    ndarray of shape (n_samples,), bool
        False where a row lacks the whole block.
    """
    if is_dataframe(block):
        frame = nw.from_native(block, eager_only=True)
        return _any_present(frame.iter_columns(), _is_null, len(frame))
    n_samples = block.shape[0]
    if sparse.issparse(block) or block.dtype.kind not in "fmMO":
        return np.ones(n_samples, dtype=bool)
    columns = block.reshape(n_samples, -1).T
    return _any_present(columns, _is_gap, n_samples)


def _any_present(columns, is_gap, n_samples):
    """Check columns until every row has a value; usually the first one suffices."""
    present = np.zeros(n_samples, dtype=bool)
    for column in columns:
        present |= ~is_gap(column)
        if present.all():
            break
    return present


def _is_null(series):
    if series.dtype == nw.Object:
        # Cells of any type; pandas would compare them.
        return _is_gap(np.fromiter(series.to_list(), dtype=object, count=len(series)))
    gaps = series.is_null()
    if series.dtype.is_float():
        gaps = gaps | series.is_nan()
    return gaps.to_numpy().astype(bool)


def _is_gap(values):
    if values.dtype.kind == "O":
        return np.fromiter(map(_is_absent, values), dtype=bool, count=len(values))
    return np.isnat(values) if values.dtype.kind in "mM" else np.isnan(values)


def _is_absent(value):
    """Return whether a value is missing, or an array that is all NaN."""
    if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind == "f":
        return value.size > 0 and bool(np.isnan(value).all())
    return is_missing(value)


def first_present(values):
    """Return the first object of a 1-D array that is not missing, or None."""
    if values.dtype.kind not in "OU":
        return None
    return next((value for value in values if not is_missing(value)), None)


def any_step(mask):
    """Return which rows have a modality, given its mask."""
    return mask.any(1)


def find_present(mask):
    """Return which rows have a modality; None if all do or there is no mask."""
    if mask is None:
        return None
    present = any_step(mask)
    return None if present.all() else present
