"""Benchmark files of a user: checks of parameters and of the contents of files."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import DTypeLike

from skcoral._types import Array, FilePath


def refuse(function: str, name: str, rule: str, value: Any) -> NoReturn:
    """Raise a ValueError for a parameter that breaks a rule."""
    raise ValueError(
        f"The {name!r} parameter of {function} must be {rule}. Got {value!r} instead."
    )


def check_choice(
    function: str, name: str, value: Any, choices: Collection[str]
) -> None:
    """Raise unless a parameter is one of some words."""
    if not isinstance(value, str) or value not in choices:
        words = ", ".join(map(repr, choices))
        refuse(function, name, f"a str among {{{words}}}", value)


def check_flag(function: str, name: str, value: Any) -> None:
    """Raise unless a parameter is True or False."""
    if not isinstance(value, bool | np.bool_):
        refuse(function, name, "a bool", value)


def check_modalities(function: str, value: Any, known: Collection[str]) -> None:
    """Raise unless a parameter lists known modalities, each of them once."""
    listed = isinstance(value, list | tuple) and len(value) > 0
    if not listed or not all(isinstance(key, str) and key in known for key in value):
        words = ", ".join(map(repr, known))
        refuse(function, "modalities", f"a non-empty list of {{{words}}}", value)
    if len(set(value)) < len(value):
        refuse(function, "modalities", "a list of different names", value)


def find_source(function: str, path: FilePath, *, folder: bool, advice: str) -> Path:
    """Return the path of the file or folder to read.

    Parameters
    ----------
    function : str
        Name of the loader.

    path : str or path
        The path that the user gave.

    folder : bool
        Whether to expect a folder rather than a file.

    advice : str
        What to obtain and from whom, for messages.

    Returns
    -------
    Path
        The path, which exists.

    Raises
    ------
    ValueError
        If it is not a path, or leads to a folder instead of a file or vice versa.

    FileNotFoundError
        If there is no such file or folder.
    """
    if not isinstance(path, str | os.PathLike):
        refuse(function, "path", "a str or a path", path)
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{function} found no {str(path)!r}. {advice}")
    if path.is_dir() != folder:
        refuse(function, "path", "a folder" if folder else "a file", str(path))
    return path


def get_entry(path: FilePath, table: Any, key: str, where: str = "") -> Any:
    """Return the entry of a file under a key, or raise a ValueError that names it."""
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


def read_numbers(
    path: FilePath,
    table: Any,
    key: str,
    *,
    ndim: int | None,
    dtype: DTypeLike = np.float64,
    where: str = "",
) -> Array:
    """Return a new array with the numbers of a file under a key.

    Parameters
    ----------
    path : str or path
        The file, for messages.

    table : dict
        The contents of the file, or a part of them.

    key : str
        The key.

    ndim : int or None
        Number of axes that the array must have; None allows any number.

    dtype : dtype, default=float64
        The dtype to return, whichever the file has.

    where : str, default=""
        Place of the table in the file, for messages.

    Returns
    -------
    ndarray of `ndim` axes
        The numbers. Those beyond the range of `dtype` are infinite.

    Raises
    ------
    ValueError
        If the key is absent, if an entry is not a number, or if the number of axes is
        wrong.
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


def check_lengths(path: FilePath, arrays: Mapping[str, Array], where: str = "") -> None:
    """Raise unless all arrays of a file have the same number of rows, at least one."""
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


def clear_gaps(values: Array) -> Array:
    """Replace numbers that are not finite by 0, in place, and return the array."""
    values[~np.isfinite(values)] = 0
    return values
