"""The `modalities` of an estimator: chosen by types and shapes of X, and checked."""

import re
from pathlib import Path

import narwhals as nw
import numpy as np
from scipy import sparse
from skorch.helper import SliceDict

from skcoral._input.columns import read_columns
from skcoral._input.containers import is_dataframe
from skcoral._input.presence import first_present

# A string column is free text, not a category, from this many words on average and this
# many distinct values (or half of the rows, in a small table) on.
MIN_WORDS_OF_TEXT = 3
MIN_DISTINCT_TEXTS = 40
KIND_BY_RANK = {1: "tabular", 2: "embedding", 3: "sequence", 4: "image"}
IMAGE_FILES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"}


def choose_modalities(X, reserved):
    """Choose the modalities of `modalities="auto"`.

    Parameters
    ----------
    X : ndarray, data frame or SliceDict
        Data that passed `validate_X`.

    reserved : set of str
        Names that a modality must not have.

    Returns
    -------
    list of (name, kind, columns)
        Columns of free text, sequences and images one by one, all other columns of a
        table as one modality "table", each key of a SliceDict by its shape.
    """
    if isinstance(X, SliceDict):
        return _name_freely([(k, _kind_by_shape(k, X[k]), k) for k in X], reserved)
    if not is_dataframe(X) and X.dtype.kind in "iufb":
        return [("table", "tabular", list(range(X.shape[1])))]
    others, rest = [], []
    for position, (name, values) in enumerate(read_columns(X).items()):
        # Where names are no strings, columns are selected by position.
        column = name if isinstance(name, str) else position
        kind = _kind_of_cells(values)
        if kind == "tabular":
            rest.append(column)
        else:
            others.append((str(name), kind, column))
    chosen = [("table", "tabular", rest)] if rest else []
    return chosen + _name_freely(others, reserved | {"table"} if rest else reserved)


def _name_freely(modalities, taken):
    """Rename the modalities whose names are taken or not allowed."""
    named = []
    for name, kind, columns in modalities:
        name = _free_name(name, kind, taken)
        taken = taken | {name}
        named.append((name, kind, columns))
    return named


def _kind_by_shape(key, block):
    if sparse.issparse(block):
        return "embedding"
    if is_dataframe(block):
        return "tabular"
    if nw.dependencies.is_into_series(block) and not isinstance(block, np.ndarray):
        block = nw.from_native(block, series_only=True).to_numpy()
    numeric = block.dtype.kind in "iufb"
    if numeric and block.ndim in KIND_BY_RANK:
        return KIND_BY_RANK[block.ndim]
    if block.ndim == 2:
        return "tabular"
    if block.ndim == 1:
        kind = _kind_of_cells(block)
        return "text" if kind == "tabular" else kind
    raise ValueError(
        f"No kind of modality fits the block {key!r} of shape {block.shape}. Name the "
        "modalities to choose one."
    )


def _kind_of_cells(values):
    """Return the kind of modality that the cells of a column make."""
    example = first_present(values)
    if hasattr(example, "convert") and hasattr(example, "resize"):
        return "image"  # of Pillow, which need not be installed
    if isinstance(example, (np.ndarray, list)):
        of_bytes = getattr(example, "dtype", None) == np.uint8
        return "image" if of_bytes and example.ndim >= 2 else "sequence"
    if isinstance(example, (str, Path)) and Path(example).suffix.lower() in IMAGE_FILES:
        return "image"
    return "text" if _is_free_text(values) else "tabular"


def _is_free_text(values):
    present = [value for value in values.tolist() if isinstance(value, str)]
    if values.dtype != object or not present:
        return False
    n_words = np.mean([len(value.split()) for value in present])
    enough = min(MIN_DISTINCT_TEXTS, len(present) / 2)
    return n_words >= MIN_WORDS_OF_TEXT and len(set(present)) > enough


def _free_name(name, kind, taken):
    """Return a modality name made of a column's name that is not taken."""
    name = re.sub("_{2,}", "_", name).strip("_") or kind
    while name in taken:
        name += f"_{kind}"
    return name


def check_modalities(owner, modalities, kinds):
    """Check the `modalities` parameter of an estimator, given or chosen.

    Parameters
    ----------
    owner : str
        Name of the estimator's class.

    modalities : list of (name, spec, columns)
        The value to check.

    kinds : dict of str to class
        Specs by their word.

    Raises
    ------
    ValueError
        If it is no list of (name, spec, columns), is empty, a spec is unknown, or names
        are not unique, contain "__" or are reserved.
    """
    label = f"The 'modalities' parameter of {owner}"
    if not isinstance(modalities, (list, tuple)) or not modalities:
        raise ValueError(
            f"{label} must be 'auto' or a non-empty list of (name, spec, columns). "
            f"Got {modalities!r} instead."
        )
    for item in modalities:
        if not isinstance(item, (list, tuple)) or len(item) != 3:
            raise ValueError(
                f"{label} must be made of (name, spec, columns). Got {item!r} instead."
            )
        _check_modality(item[0], item[1], kinds, label)


def _check_modality(name, spec, kinds, label):
    if not isinstance(name, str) or not name:
        raise ValueError(f"{label} must have str names. Got {name!r} instead.")
    if name == "shared":
        raise ValueError(
            f"{label} must not name a modality 'shared': it is the component that all "
            "modalities share. Got 'shared' instead."
        )
    methods = ("fit", "transform", "make_encoder", "make_augmentation")
    is_word = isinstance(spec, str) and spec in kinds
    is_spec = not isinstance(spec, type) and all(hasattr(spec, m) for m in methods)
    if not is_word and not is_spec:
        raise ValueError(
            f"{label} must have specs that are modality instances or among "
            f"{sorted(kinds)}. Got {spec!r} for {name!r} instead."
        )
