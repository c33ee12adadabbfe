"""Selection: the columns of each modality in X, and its raw block."""

import difflib

import narwhals as nw
import numpy as np
from skorch.helper import SliceDict

from skcoral._input.arrays import is_series
from skcoral._input.containers import column_names, is_dataframe, take_columns
from skcoral._input.validation import check_container
from skcoral._sklearn_compat import get_column_indices


def resolve_columns(X, columns, modality, *, lengths=False):
    """Return the place of a modality's block in X.

    Parameters
    ----------
    X : ndarray, data frame or SliceDict
        Data that passed `validate_X`.

    columns : str, int, list, slice, mask or callable
        The modality's columns, or its key in a SliceDict.

    modality : str
        Name of the modality, for error messages.

    lengths : bool, default=False
        Whether a second key of a SliceDict may hold the lengths of the sequences.

    Returns
    -------
    str, tuple of str or list of int
        The key in a SliceDict, the keys of sequences and lengths, or the positions of
        columns.

    Raises
    ------
    ValueError
        If a column is unknown, or none is selected.
    """
    if isinstance(X, SliceDict):
        return _resolve_key(X, columns, modality, lengths)
    if is_dataframe(X) and not callable(columns):
        _check_known(_named(columns), column_names(X), modality)
    try:
        columns = columns(X) if callable(columns) else columns
        positions = get_column_indices(X, columns)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(
            f"The columns of modality {modality!r} cannot be selected: {error}"
        ) from error
    if not positions:
        raise ValueError(f"Modality {modality!r} must have at least one column. Got 0.")
    return positions


def _resolve_key(X, columns, modality, lengths):
    keys = columns if isinstance(columns, (list, tuple)) else [columns]
    allowed = (1, 2) if lengths else (1,)
    if len(keys) not in allowed or not all(isinstance(key, str) for key in keys):
        also = ", or that of padded sequences and that of their lengths" * lengths
        raise ValueError(
            f"Modality {modality!r} of a SliceDict must name exactly one key{also}. "
            f"Got {columns!r}."
        )
    _check_known(keys, list(X), modality)
    return keys[0] if len(keys) == 1 else tuple(keys)


def select_block(X, where):
    """Return the block of one modality.

    Parameters
    ----------
    X : ndarray, data frame or SliceDict
        Data that passed `validate_X`.

    where : str, tuple of str or list of int
        Result of `resolve_columns`.

    Returns
    -------
    ndarray, sparse matrix or data frame
        The raw block, first axis = samples.

    Raises
    ------
    ValueError
        If an array contains an infinite value; data frames are checked later, by column
        name.
    """
    if isinstance(where, tuple):
        return mask_steps(*(np.asarray(X[key]) for key in where))
    if isinstance(X, SliceDict):
        block = X[where]
        if is_series(block):
            return nw.from_native(block, series_only=True).to_frame().to_native()
        return block
    block = take_columns(X, where)
    if not is_dataframe(X) and block.dtype.kind == "f":
        infinite = np.isinf(block).any(axis=0)
        if infinite.any():
            # The modality would report the position within its block, not within X.
            column = where[infinite.argmax()]
            raise ValueError(f"Input X contains infinity in column {column}.")
    return block


def _named(columns):
    """Return the column names within a specification of columns."""
    if isinstance(columns, str):
        return [columns]
    if isinstance(columns, slice):
        return [end for end in (columns.start, columns.stop) if isinstance(end, str)]
    if np.ndim(columns) == 0:
        return []
    return [column for column in columns if isinstance(column, str)]


def _check_known(wanted, known, modality):
    for column in wanted:
        if column not in known:
            close = difflib.get_close_matches(column, [str(k) for k in known], n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(
                f"Unknown column {column!r} in modality {modality!r}.{hint}"
            )


def mask_steps(values, lengths):
    """Return padded sequences with NaN in the steps beyond each length.

    Raises
    ------
    ValueError
        If values are not padded sequences of numbers, or lengths are not an int array
        of shape (n_samples,) between 0 and n_steps.
    """
    if values.ndim not in (2, 3) or values.dtype.kind not in "iufb":
        raise ValueError(
            "Lengths belong to an array of shape (n_samples, n_steps, n_features). Got "
            f"shape {values.shape} of dtype {values.dtype}."
        )
    n_steps = values.shape[1]
    integers = lengths.shape == values.shape[:1] and lengths.dtype.kind in "iu"
    if not integers or ((lengths < 0) | (lengths > n_steps)).any():
        raise ValueError(
            f"Lengths must be {len(values)} integers between 0 and {n_steps}. "
            f"Got {lengths!r}."
        )
    values = values.astype(np.result_type(values, np.float32))
    values[np.arange(n_steps) >= lengths[:, None]] = np.nan
    return values


class BlockReader:
    """Find the columns of each modality in X once, then read its raw blocks.

    Parameters
    ----------
    columns : dict of str to (str, int, list, slice, mask or callable)
        The columns of each modality, or its key in a SliceDict.

    with_lengths : collection of str, default=()
        Modalities that may name a second key of a SliceDict, with the lengths.

    Attributes
    ----------
    places_ : dict of str to (str, tuple of str or list of int)
        Keys, or positions of the columns in the X of `fit`.

    names_ : list of str or None
        The columns of the X of `fit`, if that is a data frame whose columns are all
        named by strings.
    """

    def __init__(self, columns, with_lengths=()):
        self.columns = columns
        self.with_lengths = with_lengths

    def fit(self, X):
        """Find the columns in X, which has passed `validate_X`."""
        self.places_ = {
            name: resolve_columns(X, columns, name, lengths=name in self.with_lengths)
            for name, columns in self.columns.items()
        }
        names = column_names(X) if is_dataframe(X) else [None]
        self.names_ = names if all(isinstance(n, str) for n in names) else None
        return self

    @property
    def used_(self):
        """Set of str: the columns or keys that are read; None if they have no names."""
        places = self.places_.values()
        if isinstance(next(iter(places)), (str, tuple)):
            keys = ([place] if isinstance(place, str) else place for place in places)
            return {key for place in keys for key in place}
        if self.names_ is None:
            return None
        return {self.names_[position] for place in places for position in place}

    def check(self, X):
        """Raise ValueError if X is a SliceDict but was not in `fit`, or vice versa."""
        check_container(X, self.places_)

    def read(self, X, name):
        """Return the raw block of a modality in X, which has passed `check`."""
        place = self.places_[name]
        if is_dataframe(X) and self.names_ is not None:
            # Of columns that are not used, some may be absent or new.
            given = column_names(X)
            place = [given.index(self.names_[position]) for position in place]
        return select_block(X, place)
