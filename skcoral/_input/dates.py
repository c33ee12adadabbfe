"""Dates and durations: cells of any type as seconds.

Times with a zone are converted to UTC, and times without one are taken as they are.
"""

import datetime

import numpy as np

# Average lengths of what has no fixed one, as in numpy's own conversions.
SECONDS = {"Y": 31_556_952, "M": 2_629_746, "W": 604_800, "D": 86_400, "h": 3_600}
SECONDS |= {"m": 60, "s": 1, "generic": 1}
# Parts of a second.
PARTS = {"ms": 1e3, "us": 1e6, "ns": 1e9, "ps": 1e12, "fs": 1e15, "as": 1e18}
# Dates in object cells are read to the microsecond.
PRECISION = "datetime64[us]"


def is_date(value):
    """Return whether a cell is a date, a time stamp or a period of pandas."""
    dates = (datetime.date, np.datetime64)
    return isinstance(value, dates) or type(value).__name__ == "Period"


def is_duration(value):
    """Return whether a cell is a difference between two times."""
    return isinstance(value, (datetime.timedelta, np.timedelta64))


def read_date(value):
    """Return a date, or the start of a period, in UTC as datetime64.

    Raises
    ------
    OverflowError
        If the date is too far away to be counted in microseconds.
    """
    value = getattr(value, "start_time", value)
    if hasattr(value, "to_datetime64"):
        value = value.to_datetime64()
    elif isinstance(value, datetime.datetime):
        # Not by astimezone, whose years end with 9999.
        offset = value.utcoffset() or datetime.timedelta(0)
        value = np.datetime64(value.replace(tzinfo=None)) - np.timedelta64(offset)
    date = np.datetime64(value)
    _check_range(date, date.astype(PRECISION))
    return date.astype(PRECISION)


def check_dates(values):
    """Raise OverflowError if dates are too far away to be counted in seconds."""
    _check_range(values, values.astype("datetime64[s]"))


def _check_range(values, converted):
    """Raise if dates in a coarser unit did not survive a conversion."""
    coarse = np.datetime_data(values.dtype)[0] in ("Y", "M", "W", "D", "h", "m", "s")
    lost = ~np.isnat(values) & (converted.astype(values.dtype) != values)
    if coarse and lost.any():
        raise OverflowError(f"{values[lost].ravel()[0]}, too far away for a date")


def read_duration(value):
    """Return a duration in seconds."""
    if isinstance(value, np.timedelta64):
        return float(to_seconds(np.array([value]))[0])
    return value / datetime.timedelta(seconds=1)


def to_seconds(spans):
    """Return durations in seconds, years and months by their average length.

    Parameters
    ----------
    spans : ndarray, timedelta64
        Durations, NaT where missing.

    Returns
    -------
    ndarray, float64
        Seconds, NaN where missing.
    """
    unit, count = np.datetime_data(spans.dtype)
    steps = spans.astype(np.int64).astype(np.float64) * count
    seconds = steps / PARTS[unit] if unit in PARTS else steps * SECONDS[unit]
    return np.where(np.isnat(spans), np.nan, seconds)


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
    whole = values.astype("datetime64[s]")
    days = values.astype("datetime64[D]")
    year_start = values.astype("datetime64[Y]").astype("datetime64[D]")
    seconds = whole.astype(np.float64)
    phases = [
        (days - year_start).astype(np.float64) / 365.25,
        seconds / 86_400 % 7 / 7,
        seconds / 86_400 % 1,
    ]
    waves = [wave(2 * np.pi * p) for p in phases for wave in (np.sin, np.cos)]
    features = np.column_stack([seconds + to_seconds(values - whole), *waves])
    features[np.isnat(values)] = np.nan
    return features
