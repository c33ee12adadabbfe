"""Texts: the cells of text columns, as one document per row."""

from typing import Any

import numpy as np

from skcoral._input.columns import read_columns
from skcoral._input.errors import describe
from skcoral._input.presence import is_missing
from skcoral._types import Array
from skcoral.modalities._words import Document
from skcoral.modalities.base import is_empty


def read_documents(block: Any) -> tuple[list[Document], list[Any]]:
    """Read a block of texts and tags.

    Parameters
    ----------
    block : data frame, or ndarray of shape (n_samples,) or (n_samples, n_columns)
        Strings, or lists of strings, which are tags.

    Returns
    -------
    documents : list of str, list of str or tuple
        The text or the tags of each row; texts of several columns are joined, and are
        in a tuple beside tags. What is missing or blank is empty.

    names : list of str or int
        The names of the columns.

    Raises
    ------
    TypeError
        If a value is neither a string nor a list of strings.
    """
    columns = read_columns(block)
    cells = [_read_cells(name, values) for name, values in columns.items()]
    return list(map(_join_cells, zip(*cells, strict=True))), list(columns)


def join_tags(document: Document) -> str:
    """Return a document as one text.

    Parameters
    ----------
    document : str, list of str or tuple
        A document of `read_documents`.

    Returns
    -------
    str
        The text, with commas between tags.
    """
    if isinstance(document, str):
        return document
    parts = map(join_tags, document)
    return " ".join(parts) if isinstance(document, tuple) else ", ".join(parts)


def are_tags(values: list[Any]) -> bool:
    """Return whether all values are collections of strings, and any has one.

    Parameters
    ----------
    values : list of object
        Cells that are not missing.

    Returns
    -------
    bool
        False if a value is anything else, such as a string or a list of numbers.
    """
    return all(map(_is_tags, values)) and any(map(len, values))


def _is_tags(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 1 and value.dtype.kind in "OU" and _is_tags(list(value))
    return isinstance(value, (list, tuple, set, frozenset)) and all(
        isinstance(tag, str) or is_missing(tag) for tag in value
    )


def _read_cells(name: Any, values: Array) -> list[str | list[str]]:
    """Return the texts or tags of a column; empty where missing."""
    if is_empty(values):
        return [""] * len(values)
    return [_read_cell(name, row, value) for row, value in enumerate(values.tolist())]


def _read_cell(name: Any, row: int, value: Any) -> str | list[str]:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if not _is_tags(value):
        raise TypeError(
            f"Column {name!r} must hold strings, lists of strings or missing values. "
            f"Got {describe(value)} of type {type(value).__name__!r} in row {row}."
        )
    tags = [tag for tag in value if not is_missing(tag)]
    return sorted(tags) if isinstance(value, (set, frozenset)) else tags


def _join_cells(cells: tuple[str | list[str], ...]) -> Document:
    """Return the document of a row."""
    if len(cells) == 1:
        return cells[0]
    texts = [cell for cell in cells if isinstance(cell, str)]
    if len(texts) == len(cells):
        return " ".join(texts).strip()
    return tuple(cell for cell in cells if cell)
