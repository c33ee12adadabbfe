"""Columns: a block of any container as named 1-D arrays of natural types."""

import datetime
from decimal import Decimal
from numbers import Real

import narwhals as nw
import numpy as np
from scipy import sparse


def is_dataframe(X):
    """Tell whether X is a pandas, polars or other data frame that narwhals reads."""
    return nw.dependencies.is_into_dataframe(X)


def column_names(X):
    """Return the column names of a data frame, whatever its library."""
    return list(nw.from_native(X, eager_only=True).columns)


def is_mapped(block):
    """Tell whether an array lies in a memory-mapped file, by itself or as a view."""
    while isinstance(block, np.ndarray) and not isinstance(block, np.memmap):
        block = block.base
    return isinstance(block, np.memmap)


def count_columns(block):
    """Return the number of columns of a block; one if it has a single axis."""
    return block.shape[1] if len(block.shape) > 1 else 1


def place_components(widths):
    """Return the columns of each component, a slice, when they stand side by side."""
    ends = np.cumsum([0, *widths.values()]).tolist()
    return {name: slice(*ends[i : i + 2]) for i, name in enumerate(widths)}


def name_components(indices):
    """Return a name per column, component and position, such as "film_07"."""
    names = [
        f"{component}_{i:0{len(str(part.stop - part.start - 1))}d}"
        for component, part in indices.items()
        for i in range(part.stop - part.start)
    ]
    return np.asarray(names, dtype=object)


def take_columns(X, positions):
    """Return some columns of a data frame or array, in the same container."""
    if not is_dataframe(X):
        consecutive = positions == list(range(positions[0], positions[-1] + 1))
        # A slice is no copy, which counts where the array is a mapped file.
        return X[
            :, slice(positions[0], positions[-1] + 1) if consecutive else positions
        ]
    frame = nw.from_native(X, eager_only=True)
    if positions == list(range(frame.shape[1])):
        return X
    return frame[:, positions].to_native()


def slice_rows(X, rows):
    """Return a slice of the rows of an array, data frame or SliceDict."""
    if is_dataframe(X):
        return nw.from_native(X, eager_only=True)[rows].to_native()
    return X[rows]


def take_rows(block, present):
    """Return the rows of a block that a mask selects, in the same container."""
    if present.all():
        return block
    if is_dataframe(block):
        return (
            nw.from_native(block, eager_only=True).filter(present.tolist()).to_native()
        )
    return block[present]


def find_present(block):
    """Return which rows of a block hold any value.

    Parameters
    ----------
    block : data frame, ndarray or sparse matrix, first axis = samples
        The block. None, NaN, NaT, pandas.NA, and an array of NaN alone, are missing.

    Returns
    -------
    ndarray of shape (n_samples,), bool
        False where a row lacks the whole block.
    """
    if is_dataframe(block):
        frame = nw.from_native(block, eager_only=True)
        return _any_present(frame.iter_columns(), _is_null, len(frame))
    n_samples = block.shape[0]
    if sparse.issparse(block) or block.dtype.kind not in "fMO":
        return np.ones(n_samples, dtype=bool)
    columns = block.reshape(n_samples, -1).T
    return _any_present(columns, _is_gap, n_samples)


def _any_present(columns, is_gap, n_samples):
    """Join columns until every row has a value, which mostly takes a single one."""
    present = np.zeros(n_samples, dtype=bool)
    for column in columns:
        present |= ~is_gap(column)
        if present.all():
            break
    return present


def _is_null(series):
    gaps = series.is_null()
    if series.dtype.is_float():
        gaps = gaps | series.is_nan()
    return gaps.to_numpy().astype(bool)


def _is_gap(values):
    if values.dtype.kind == "O":
        return np.fromiter(map(_is_absent, values), dtype=bool, count=len(values))
    return np.isnat(values) if values.dtype.kind == "M" else np.isnan(values)


def _is_absent(value):
    """Tell a missing value, or an array of missing values alone."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.size > 0 and bool(np.isnan(value).all())
    return is_missing(value)


def first_present(values):
    """Return the first object of a 1-D array that is not missing, or None."""
    if values.dtype.kind not in "OU":
        return None
    return next((value for value in values if not is_missing(value)), None)


def mask_steps(values, lengths):
    """Return padded sequences with NaN in the steps beyond the length of each.

    Raises
    ------
    ValueError
        If lengths are no int array of shape (n_samples,) between 0 and n_steps.
    """
    if values.ndim not in (2, 3) or values.dtype.kind not in "iufb":
        raise ValueError(
            "Lengths belong to an array of shape (n_samples, n_steps, n_features). Got "
            f"shape {values.shape} of dtype {values.dtype}."
        )
    n_steps = values.shape[1]
    integers = lengths.shape == values.shape[:1] and lengths.dtype.kind in "iu"
    if not integers or ((lengths < 0) | (lengths > n_steps)).any():
        raise ValueError(
            f"Lengths must be {len(values)} integers between 0 and {n_steps}. "
            f"Got {lengths!r}."
        )
    values = values.astype(np.result_type(values, np.float32))
    values[np.arange(n_steps) >= lengths[:, None]] = np.nan
    return values


def list_cells(block):
    """Return the cells of a block of one column as a list of Python objects."""
    if count_columns(block) != 1:
        raise ValueError(f"Expected a single column. Got {count_columns(block)}.")
    if is_dataframe(block):
        return nw.from_native(block, eager_only=True)[:, 0].to_list()
    return list(block if block.ndim == 1 else block[:, 0])


def read_columns(block):
    """Read a block as named columns.

    Parameters
    ----------
    block : data frame or ndarray of shape (n_samples,) or (n_samples, n_columns)
        The block.

    Returns
    -------
    dict of (str or int) to 1-D ndarray
        bool, float64, datetime64 or, with None where a value is missing, object.

    Raises
    ------
    TypeError
        If the block is sparse.

    ValueError
        If it has more than two axes.
    """
    if sparse.issparse(block):
        raise TypeError(
            "sparse blocks are for the 'embedding' modality; make it dense for another."
        )
    if is_dataframe(block):
        frame = nw.from_native(block, eager_only=True)
        series = zip(frame.columns, frame.iter_columns(), strict=True)
        return {name: _read_series(values) for name, values in series}
    block = block[:, None] if block.ndim == 1 else block
    if block.ndim != 2:
        raise ValueError(f"Expected a 2-D block. Got an array of shape {block.shape}.")
    return {i: _read_values(block[:, i]) for i in range(block.shape[1])}


def name_level(value):
    """Return the name of a categorical level; equal numbers have equal names."""
    if isinstance(value, (Real, np.bool_)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def date_features(values):
    """Return seconds since 1970 and the phase of year, week and day.

    Parameters
    ----------
    values : ndarray of shape (n_samples,), datetime64
        Dates, NaT where missing.

    Returns
    -------
    ndarray of shape (n_samples, 7), float64
        Seconds, then sine and cosine of each phase; NaN where missing.
    """
    seconds = values.astype("datetime64[s]").astype(np.float64)
    days = values.astype("datetime64[D]")
    year_start = values.astype("datetime64[Y]").astype("datetime64[D]")
    phases = [
        (days - year_start).astype(np.float64) / 365.25,
        seconds / 86_400 % 7 / 7,
        seconds / 86_400 % 1,
    ]
    waves = [wave(2 * np.pi * p) for p in phases for wave in (np.sin, np.cos)]
    features = np.column_stack([seconds, *waves])
    features[np.isnat(values)] = np.nan
    return features


def _read_series(series):
    """Turn a data frame's column into an array; null becomes NaN, NaT or None."""
    dtype = series.dtype
    if dtype.is_numeric():
        return _read_values(series.cast(nw.Float64).fill_null(np.nan).to_numpy())
    if dtype == nw.Boolean and not series.is_null().any():
        return series.to_numpy().astype(bool)
    if isinstance(dtype, (nw.Datetime, nw.Date)):
        return _read_dates(series)
    # Cells that are arrays of one shape must not be joined to one array.
    values = np.fromiter(series.to_list(), dtype=object, count=len(series))
    if isinstance(dtype, (nw.Categorical, nw.Enum)):
        # A category of numbers is still a category.
        values[:] = [None if is_missing(v) else name_level(v) for v in values]
    return _read_values(values)


def _read_dates(series):
    if isinstance(series.dtype, nw.Datetime) and series.dtype.time_zone:
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return series.cast(nw.Datetime("us")).to_numpy().astype("datetime64[us]")


def _read_values(values):
    """Give a 1-D array its natural dtype; missing objects become None."""
    if values.dtype.kind in "bM":
        return values
    if values.dtype.kind in "iuf":
        return values.astype(np.float64, copy=False)
    values = values.astype(object)
    gaps = np.fromiter((is_missing(v) for v in values), dtype=bool, count=len(values))
    present = values[~gaps]
    if all(isinstance(v, (Real, np.bool_, Decimal)) for v in present):
        return _scatter(present.astype(np.float64), gaps, np.nan)
    if all(isinstance(v, datetime.date) for v in present):
        dates = np.array([_without_zone(v) for v in present], dtype="datetime64[us]")
        return _scatter(dates, gaps, np.datetime64("NaT"))
    values[gaps] = None
    return values


def _scatter(present, gaps, missing):
    """Put values where there are no gaps, and `missing` elsewhere."""
    out = np.full(len(gaps), missing, dtype=present.dtype)
    out[~gaps] = present
    return out


def _without_zone(date):
    """Return a date, or a time in UTC that does not say so: numpy knows no zones."""
    if getattr(date, "tzinfo", None) is None:
        return date
    return date.astimezone(datetime.UTC).replace(tzinfo=None)


def is_missing(value):
    """Tell None, NaN, NaT and pandas.NA: a value that is absent or unlike itself."""
    if value is None:
        return True
    try:
        # The truth of an empty array is an error only from numpy 2.2 on.
        return getattr(value, "size", 1) != 0 and bool(value != value)
    except (TypeError, ValueError):  # pandas.NA has no truth; arrays have several
        return type(value).__name__ == "NAType"
