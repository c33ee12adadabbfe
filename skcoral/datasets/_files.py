"""Benchmark files that a user has: checks of parameters and of what files hold."""

import os
from pathlib import Path

import numpy as np


def refuse(function, name, rule, value):
    """Raise for a parameter that breaks a rule."""
    raise ValueError(
        f"The {name!r} parameter of {function} must be {rule}. Got {value!r} instead."
    )


def check_choice(function, name, value, choices):
    """Raise unless a parameter is one of some words."""
    if not isinstance(value, str) or value not in choices:
        words = ", ".join(map(repr, choices))
        refuse(function, name, f"a str among {{{words}}}", value)


def check_flag(function, name, value):
    """Raise unless a parameter is True or False."""
    if not isinstance(value, bool | np.bool_):
        refuse(function, name, "a bool", value)


def check_modalities(function, value, known):
    """Raise unless a parameter lists some known modalities, each once."""
    listed = isinstance(value, list | tuple) and len(value) > 0
    if not listed or not all(isinstance(key, str) and key in known for key in value):
        words = ", ".join(map(repr, known))
        refuse(function, "modalities", f"a non-empty list of {{{words}}}", value)
    if len(set(value)) < len(value):
        refuse(function, "modalities", "a list of different names", value)


def find_source(function, path, *, folder, advice):
    """Return the path of what is to be read.

    Parameters
    ----------
    function : str
        Name of the loader.

    path : str or path
        What the user gave.

    folder : bool
        Whether it is a folder rather than a file.

    advice : str
        What the user must obtain, and from whom.

    Returns
    -------
    Path
        The path, which exists.

    Raises
    ------
    ValueError
        If it is no path, or a folder for a file, or a file for a folder.

    FileNotFoundError
        If there is nothing.
    """
    if not isinstance(path, str | os.PathLike):
        refuse(function, "path", "a str or a path", path)
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{function} found no {str(path)!r}. {advice}")
    if path.is_dir() != folder:
        refuse(function, "path", "a folder" if folder else "a file", str(path))
    return path


def get_entry(path, table, key, where=""):
    """Return what stands under a key of a file, or raise a ValueError that names it."""
    if not isinstance(table, dict):
        raise ValueError(
            f"The file {str(path)!r} must hold a dict{where}. Got "
            f"{type(table).__name__!r}."
        )
    if key not in table:
        raise ValueError(
            f"The file {str(path)!r} must hold the key {key!r}{where}. Got "
            f"{sorted(map(str, table))}."
        )
    return table[key]


def read_numbers(path, table, key, *, ndim, dtype=np.float64, where=""):
    """Return a new array of numbers that stands under a key of a file.

    Parameters
    ----------
    path : str or path
        The file, for messages.

    table : dict
        What the file holds.

    key : str
        The key.

    ndim : int or None
        Number of axes that the array must have; None if any will do.

    dtype : dtype, default=float64
        The dtype to return, whatever that of the file.

    where : str, default=""
        Place of the table in the file, for messages.

    Returns
    -------
    ndarray of `ndim` axes
        The numbers. What is beyond the range of `dtype` is infinite.

    Raises
    ------
    ValueError
        If the key is absent, there is no number in a place, or axes are wrong.
    """
    values = get_entry(path, table, key, where)
    # An object array may hold one array per row.
    if isinstance(values, np.ndarray) and values.dtype.hasobject:
        values = values.tolist()
    try:
        with np.errstate(over="ignore"):
            numbers = np.array(values, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{key!r}{where} of the file {str(path)!r} must be an array of numbers: "
            f"{error}."
        ) from error
    if ndim not in (None, numbers.ndim):
        raise ValueError(
            f"{key!r}{where} of the file {str(path)!r} must have {ndim} axes. Got "
            f"shape {numbers.shape}."
        )
    return numbers


def check_lengths(path, arrays, where=""):
    """Raise unless all arrays of a file have the same number of rows, one or more."""
    lengths = {key: len(values) for key, values in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"The arrays{where} of the file {str(path)!r} must have the same number of "
            f"rows. Got {lengths}."
        )
    if not all(lengths.values()):
        raise ValueError(
            f"The arrays{where} of the file {str(path)!r} must have rows. Got none."
        )


def clear_gaps(values):
    """Put zero where an array has no finite number, in place, and return it."""
    values[~np.isfinite(values)] = 0
    return values
