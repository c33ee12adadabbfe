"""Columns: a block from any container as named 1-D arrays of natural dtypes."""

import narwhals as nw
import numpy as np

from skcoral._input.containers import is_dataframe, list_series, refuse_sparse
from skcoral._input.dates import (
    check_dates,
    is_date,
    is_duration,
    read_date,
    read_duration,
    to_seconds,
)
from skcoral._input.errors import describe
from skcoral._input.numbers import is_exact, is_number, is_real, read_numbers
from skcoral._input.presence import is_missing


def read_columns(block):
    """Read a block as named columns.

    Parameters
    ----------
    block : data frame or ndarray of shape (n_samples,) or (n_samples, n_columns)
        The block.

    Returns
    -------
    dict of (str or int) to 1-D ndarray
        The columns by name or position, as bool, float64, datetime64 or object arrays.
        Missing objects are None. Durations are in seconds. Numbers are objects where
        integers are beyond 2**53; see `read_numbers`.

    Raises
    ------
    TypeError
        If the block is sparse.

    ValueError
        If it has more than two axes, or a value is beyond the range of its type.
    """
    refuse_sparse(block)
    if is_dataframe(block):
        frame = nw.from_native(block, eager_only=True)
        series = zip(frame.columns, frame.iter_columns(), strict=True)
        return {name: _read_named(name, _read_series, each) for name, each in series}
    block = block[:, None] if block.ndim == 1 else block
    if block.ndim != 2:
        raise ValueError(f"Expected a 2-D block. Got an array of shape {block.shape}.")
    columns = range(block.shape[1])
    return {i: _read_named(i, _read_values, block[:, i]) for i in columns}


def list_categories(block):
    """Return the names of the columns of a block that are declared as categories."""
    if not is_dataframe(block):
        return []
    schema = nw.from_native(block, eager_only=True).schema
    kinds = (nw.Categorical, nw.Enum)
    return [name for name, dtype in schema.items() if isinstance(dtype, kinds)]


def name_level(value):
    """Return the name of a categorical level, the same for equal numbers."""
    if is_real(value) and value % 1 == 0:
        return str(int(value))
    try:
        return str(value)
    except Exception as error:  # a stranger's object raises what it wants
        raise TypeError(
            f"A level must be a string or a number. Got {describe(value)}."
        ) from error


def _read_named(name, read, values):
    """Read a column; errors name it."""
    try:
        return read(values)
    except OverflowError as error:
        raise ValueError(f"Column {name!r} holds {error}.") from error


def _read_series(series):
    """Turn a data frame's column into an array; nulls become NaN, NaT or None."""
    dtype = series.dtype
    if dtype.is_integer() and not _is_exact(series):
        return _read_objects(np.array(series.to_list(), dtype=object))
    if dtype.is_float() or dtype.is_integer():
        return _read_values(series.cast(nw.Float64).fill_null(np.nan).to_numpy())
    if dtype == nw.Boolean and not series.is_null().any():
        return series.to_numpy().astype(bool)
    if isinstance(dtype, (nw.Datetime, nw.Date, nw.Duration)):
        return _read_values(_drop_zone(series).to_numpy())
    # Cells that are arrays of equal shape must not be stacked into one array.
    values = np.fromiter(list_series(series), dtype=object, count=len(series))
    if isinstance(dtype, (nw.Categorical, nw.Enum)):
        # A category of numbers is still a category.
        values[:] = [None if is_missing(v) else name_level(v) for v in values]
    return _read_values(values)


def _is_exact(series):
    """Return whether float64 has every integer of a column."""
    ends = [end for end in (series.min(), series.max()) if not is_missing(end)]
    return is_exact(np.array(ends, dtype=object))


def _drop_zone(series):
    if isinstance(series.dtype, nw.Datetime) and series.dtype.time_zone:
        return series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return series


def _read_values(values):
    """Give a 1-D array its natural dtype; missing objects become None."""
    kind = values.dtype.kind
    if kind == "M":
        check_dates(values)
    if kind in "bM":
        return values
    if kind == "m":
        return to_seconds(values)
    if kind == "f" or (kind in "iu" and is_exact(values)):
        with np.errstate(over="ignore"):  # of types with a larger range
            return values.astype(np.float64, copy=False)
    return _read_objects(values.astype(object))


def _read_objects(values):
    """Give objects of one type their natural dtype."""
    gaps = np.fromiter((is_missing(v) for v in values), dtype=bool, count=len(values))
    present = values[~gaps]
    # Durations come first: to numpy they are integers.
    if len(present) and all(is_duration(v) for v in present):
        return _scatter([read_duration(v) for v in present], gaps, np.nan)
    if len(present) and all(is_date(v) for v in present):
        dates = np.array([read_date(v) for v in present])
        return _scatter(dates, gaps, np.datetime64("NaT"))
    if all(is_number(v) and not is_duration(v) for v in present):
        return read_numbers(values, gaps)
    values[gaps] = None
    return values


def _scatter(present, gaps, missing):
    """Put values where there are no gaps and `missing` elsewhere."""
    present = np.asarray(present)
    out = np.full(len(gaps), missing, dtype=present.dtype)
    out[~gaps] = present
    return out
