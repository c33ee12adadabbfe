"""Numbers: columns of them in float64, and of integers that float64 cannot hold.

An integer beyond 2**53 stays an int, so that differences between large integers, of
time stamps in nanoseconds for example, are not rounded before they are taken.
"""

from decimal import Decimal
from numbers import Integral, Real

import numpy as np

# Up to here, float64 has every integer.
EXACT = 2**53
# Exponent of ten of the largest float64.
LARGEST_EXPONENT = 308
TOO_LARGE = "a number beyond the range of float64"
LARGEST = int(np.finfo(np.float64).max)


def is_real(value):
    """Return whether a cell is a number or a bool, not a duration of numpy."""
    return isinstance(value, (Real, np.bool_)) and not isinstance(value, np.timedelta64)


def is_number(value):
    """Return whether a cell is a real number of any type."""
    return isinstance(value, Decimal) or is_real(value)


def is_exact(integers):
    """Return whether float64 has every integer between the ends of an array's."""
    ends = [integers.min(), integers.max()] if integers.size else []
    return all(abs(int(end)) <= EXACT for end in ends)


def read_numbers(values, gaps):
    """Return cells as an array of float64, or of objects if integers need it.

    Parameters
    ----------
    values : ndarray of shape (n_samples,), object
        Numbers of any type.

    gaps : ndarray of shape (n_samples,), bool
        True where a value is missing.

    Returns
    -------
    ndarray of shape (n_samples,)
        float64, NaN where missing; or float and int objects, None where missing.

    Raises
    ------
    OverflowError
        If a number is beyond the range of float64.
    """
    numbers = [_read_number(value) for value in values[~gaps]]
    large = any(isinstance(number, int) for number in numbers)
    out = np.full(len(values), None if large else np.nan, object if large else float)
    out[~gaps] = numbers
    return out


def holds_numbers(values):
    """Return whether an array, or a column that was read, holds real numbers."""
    if values.dtype.kind == "O":
        return all(value is None or is_real(value) for value in values)
    return values.dtype.kind in "iufb"


def find_origin(values):
    """Return a number in the middle of large integers, 0 for other numbers.

    Differences from it are exact, where the integers themselves are not. It is a
    float64, so that they can also be taken from floats.
    """
    if values.dtype.kind != "O":
        return 0.0
    present = sorted(value for value in values if value is not None)
    return float(int(present[len(present) // 2]))


def to_floats(values, origin=0.0):
    """Return a column of numbers, less an origin, as float64, NaN where missing."""
    if values.dtype.kind != "O":
        return values.astype(np.float64, copy=False) - origin
    return np.array([_subtract(value, origin) for value in values], dtype=np.float64)


def check_distinct(where, values):
    """Raise if float64 makes equal numbers of different integers.

    Parameters
    ----------
    where : str
        The place of the values, for the error message.

    values : ndarray
        Integers, or what `read_numbers` returns.

    Raises
    ------
    ValueError
        If integers beyond 2**53 are too close together.
    """
    kind = values.dtype.kind
    if kind == "O":
        values = values[[value is not None for value in values]]
    if kind not in "iuO" or is_exact(values):
        return
    distinct = np.unique(values)
    merged = np.flatnonzero(np.diff(distinct.astype(np.float64)) == 0)
    if len(merged):
        pair = " and ".join(str(value) for value in distinct[merged[0] :][:2])
        raise ValueError(
            f"{where} holds integers beyond 2**53 that are the same number in float64, "
            f"such as {pair}. Subtract their minimum first."
        )


def _read_number(value):
    """Return a number as float, or as int if float64 may not have it."""
    if isinstance(value, Decimal) and value.is_finite():
        # An int of this would take more memory than there is.
        if value.adjusted() > LARGEST_EXPONENT:
            raise OverflowError(TOO_LARGE)
        value = int(value) if value == value.to_integral_value() else value
    try:
        number = float(value)
    except OverflowError as error:
        raise OverflowError(TOO_LARGE) from error
    is_large = isinstance(value, Integral) and abs(int(value)) > EXACT
    return int(value) if is_large else number


def _subtract(value, origin):
    if value is None:
        return np.nan
    if not isinstance(value, int):
        return float(value) - origin
    return float(np.clip(value - int(origin), -LARGEST, LARGEST))
