"""Texts: the cells of text columns, as one document per row."""

import reprlib
from typing import Any

import numpy as np

from skcoral._input.columns import read_columns
from skcoral._input.errors import describe
from skcoral._input.presence import is_missing
from skcoral._types import Array
from skcoral.modalities._words import Document, count_words
from skcoral.modalities.base import is_empty

# "auto" takes a string column for free text, not for categories, if it has at least
# this many words on average and more than this many distinct values (or half the rows,
# if that is fewer).
MIN_WORDS_OF_TEXT = 3
MIN_DISTINCT_TEXTS = 40
# A warning says that more than this share of the texts have no known word, if there are
# at least this many texts.
MAX_UNKNOWN = 0.5
MIN_TEXTS = 10


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


def is_text(values: Array) -> bool:
    """Return whether a column holds tags, or free text rather than categories.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        The values of the column; missing objects are None.

    Returns
    -------
    bool
        False for columns of numbers, and where nothing is present.
    """
    if values.dtype != object:
        return False
    present = [value for value in values.tolist() if isinstance(value, str)]
    if not present:
        return are_tags([value for value in values if value is not None])
    n_words = np.mean([count_words(value) for value in present])
    enough = min(MIN_DISTINCT_TEXTS, len(present) / 2)
    return bool(n_words >= MIN_WORDS_OF_TEXT) and len(set(present)) > enough


def describe_unknown(
    documents: list[Document], names: list[Any], unknown: Array
) -> str | None:
    """Return a warning if most texts have no known word.

    Parameters
    ----------
    documents : list of str, list of str or tuple
        The texts.

    names : list of str or int
        The names of their columns.

    unknown : bool ndarray of shape (n_samples,)
        Which texts have no known word; empty ones have none either.

    Returns
    -------
    str or None
        None if at most half of the texts that are not empty have no known word, or if
        these are fewer than ten.
    """
    filled = np.array(list(map(bool, documents)))
    n_texts, n_unknown = int(filled.sum()), int((unknown & filled).sum())
    if n_texts < MIN_TEXTS or n_unknown <= MAX_UNKNOWN * n_texts:
        return None
    example = documents[int((unknown & filled).argmax())]
    return (
        f"{n_unknown} of {n_texts} texts in columns {names} have no known word, "
        f"for example {reprlib.repr(example)}, so that their features are all "
        "alike. Known are words that fit has seen, in two texts or more if any "
        "were."
    )


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
