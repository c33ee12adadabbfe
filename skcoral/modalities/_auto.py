"""``modalities="auto"``: modalities chosen by the types and shapes in X."""

import re
from collections.abc import Callable
from typing import Any, TypeAlias

import narwhals as nw
from scipy import sparse
from skorch.helper import SliceDict

from skcoral._input.arrays import is_series
from skcoral._input.columns import read_columns
from skcoral._input.containers import is_dataframe
from skcoral._types import Array, Rows
from skcoral.modalities import KINDS
from skcoral.modalities.base import BaseModality

# Name of the modality of all columns that no other kind claims.
TABLE = "table"
# Name, kind and columns of a modality.
Choice: TypeAlias = tuple[str, Any, Any]


def choose_modalities(X: Rows, reserved: set[str]) -> list[Choice]:
    """Choose the modalities of ``modalities="auto"``.

    Parameters
    ----------
    X : ndarray, data frame or SliceDict
        Data that passed `validate_X`.

    reserved : set of str
        Names that a modality must not have.

    Returns
    -------
    list of (name, kind, columns)
        One modality per column of free text, sequences or images, and one modality,
        "table", for all other columns of a table. For a SliceDict, one modality per
        key, chosen by the shape of its block.

    Notes
    -----
    The first of `KINDS` that claims the values of a column gets it; for keys of a
    SliceDict, `array_ndim` and `reads_strings` of the kinds decide.
    """
    if isinstance(X, SliceDict):
        chosen = [(key, _kind_of_block(key, X[key]), key) for key in X]
        return _name_freely(chosen, reserved)
    tabular = _find_word(lambda kind: kind.array_ndim == 1)
    if not is_dataframe(X) and X.dtype.kind in "iufb":
        return [(TABLE, tabular, list(range(X.shape[1])))]
    others, rest = [], []
    for position, (name, values) in enumerate(read_columns(X).items()):
        # Columns whose names are not strings are selected by position.
        column = name if isinstance(name, str) else position
        kind = _claim(values)
        if kind is None:
            rest.append(column)
        else:
            others.append((str(name), kind, column))
    if not rest:
        return _name_freely(others, reserved)
    return [(TABLE, tabular, rest), *_name_freely(others, reserved | {TABLE})]


def _find_word(is_wanted: Callable[[type[BaseModality]], bool]) -> str | None:
    """Return the name of the first kind that declares what is wanted, or None."""
    return next((word for word, kind in KINDS.items() if is_wanted(kind)), None)


def _claim(values: Array) -> str | None:
    """Return the name of the first kind that claims a column's values, or None."""
    return next((word for word, spec in KINDS.items() if spec.claims(values)), None)


def _kind_of_block(key: str, block: Any) -> str | None:
    if sparse.issparse(block):
        return _find_word(lambda kind: kind.array_ndim == 2)
    if is_dataframe(block):
        return _find_word(lambda kind: kind.array_ndim == 1)
    if is_series(block):
        block = nw.from_native(block, series_only=True).to_numpy()
    numeric = block.dtype.kind in "iufb"
    kind = _find_word(lambda kind: kind.array_ndim == block.ndim) if numeric else None
    if kind is not None:
        return kind
    if block.ndim == 2:
        return _find_word(lambda kind: kind.array_ndim == 1)
    if block.ndim == 1:
        return _claim(block) or _find_word(lambda kind: kind.reads_strings)
    raise ValueError(
        f"No kind of modality fits the block {key!r} of shape {block.shape}. Name the "
        "modalities to choose one."
    )


def _name_freely(modalities: list[Choice], taken: set[str]) -> list[Choice]:
    """Rename modalities whose names are taken or not allowed."""
    named = []
    for name, kind, columns in modalities:
        name = _free_name(name, kind, taken)
        taken = taken | {name}
        named.append((name, kind, columns))
    return named


def _free_name(name: str, kind: str, taken: set[str]) -> str:
    """Return a free modality name derived from a column's name."""
    name = re.sub("_{2,}", "_", name).strip("_") or kind
    while name in taken:
        name += f"_{kind}"
    return name
