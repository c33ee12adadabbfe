"""Columns: a block from any container as named 1-D arrays of natural dtypes."""

import datetime
from decimal import Decimal
from numbers import Real

import narwhals as nw
import numpy as np

from skcoral._input.containers import is_dataframe, list_series, refuse_sparse
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
        Missing objects are None.

    Raises
    ------
    TypeError
        If the block is sparse.

    ValueError
        If it has more than two axes.
    """
    refuse_sparse(block)
    if is_dataframe(block):
        frame = nw.from_native(block, eager_only=True)
        series = zip(frame.columns, frame.iter_columns(), strict=True)
        return {name: _read_series(values) for name, values in series}
    block = block[:, None] if block.ndim == 1 else block
    if block.ndim != 2:
        raise ValueError(f"Expected a 2-D block. Got an array of shape {block.shape}.")
    return {i: _read_values(block[:, i]) for i in range(block.shape[1])}


def name_level(value):
    """Return the name of a categorical level, the same for equal numbers."""
    if isinstance(value, (Real, np.bool_)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def date_features(values):
    """Return seconds since 1970 and the phases of year, week and day.

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
    """Turn a data frame's column into an array; nulls become NaN, NaT or None."""
    dtype = series.dtype
    if dtype.is_numeric():
        return _read_values(series.cast(nw.Float64).fill_null(np.nan).to_numpy())
    if dtype == nw.Boolean and not series.is_null().any():
        return series.to_numpy().astype(bool)
    if isinstance(dtype, (nw.Datetime, nw.Date)):
        return _read_dates(series)
    # Cells that are arrays of equal shape must not be stacked into one array.
    values = np.fromiter(list_series(series), dtype=object, count=len(series))
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
    """Put values where there are no gaps and `missing` elsewhere."""
    out = np.full(len(gaps), missing, dtype=present.dtype)
    out[~gaps] = present
    return out


def _without_zone(date):
    """Return a date, or a naive time in UTC, as numpy does not support time zones."""
    if getattr(date, "tzinfo", None) is None:
        return date
    return date.astimezone(datetime.UTC).replace(tzinfo=None)
