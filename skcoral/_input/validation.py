"""Validation of X as a whole: its container, its names and its number of rows."""

import narwhals as nw
import numpy as np
from scipy import sparse
from sklearn.utils.validation import validate_data
from skorch.helper import SliceDict

from skcoral._input.arrays import is_series, read_array
from skcoral._input.containers import column_names, is_dataframe, read_block
from skcoral._input.errors import naming_block

MARK_MISSING = (
    "Where rows lack them, pass them all the same: None or NaN in a column of objects "
    "or strings, NaN throughout a block of numbers."
)


def validate_X(estimator, X, *, reset, min_samples=1, used=None):
    """Check X as a whole, and record its features on the estimator or compare them.

    Parameters
    ----------
    estimator : estimator instance
        The estimator; `n_features_in_` and `feature_names_in_` are set if `reset`.

    X : array-like of shape (n_samples, n_features), data frame or SliceDict
        The data.

    reset : bool
        True in `fit`, False elsewhere.

    min_samples : int, default=1
        Minimum number of rows.

    used : set of str or None, default=None
        The columns of a data frame, or blocks of a SliceDict, that must be there as in
        `fit`, while others may be absent or new, as in ColumnTransformer. None compares
        all names.

    Returns
    -------
    ndarray, data frame or SliceDict
        X, converted to an array if it was a list or another sequence.

    Raises
    ------
    TypeError
        If X is a plain dict, a list of blocks, a LazyFrame, or sparse as a whole.

    ValueError
        If shapes, names or the number of samples are wrong.
    """
    _refuse_unsliceable(estimator, X)
    if isinstance(X, SliceDict):
        X = _validate_slice_dict(estimator, X, reset=reset, min_samples=min_samples)
        if not reset:
            _compare_names("Modality", _fitted_names(estimator), list(X), used)
        return X
    if is_dataframe(X):
        if used is None:
            _validate_columns(estimator, X, reset=reset)
        else:
            _compare_names("Feature", _fitted_names(estimator), column_names(X), used)
        _check_n_samples(estimator, len(X), at_least=min_samples)
        return X
    return validate_data(
        estimator,
        _read_table(X),
        reset=reset,
        dtype=None,
        ensure_all_finite=False,
        ensure_min_samples=min_samples,
    )


def _validate_columns(estimator, X, *, reset):
    known = set(column_names(X))
    try:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    except ValueError as error:
        fitted = () if reset else getattr(estimator, "feature_names_in_", ())
        if set(fitted) <= known:
            raise
        raise ValueError(f"{error}{MARK_MISSING}") from error


def _read_table(X):
    """Return X that is neither a data frame nor a SliceDict as an array."""
    if isinstance(X, (list, tuple)):
        return read_array(_read_rows(X))
    return read_array(X) if hasattr(X, "__array__") and not is_series(X) else X


def _read_rows(rows):
    """Return rows in a list as an array.

    Numbers stay numbers beside strings, and cells may be lists or arrays.
    """
    try:
        table = np.asarray(rows)
    # Rows of unequal lengths, and cells that raise errors of their own.
    except Exception:
        return _list_cells(rows)
    return _list_cells(rows) if table.dtype.kind in "US" else table


def _list_cells(rows):
    """Return rows in a list as an array of objects, cell by cell."""
    lengths = [len(r) if isinstance(r, (list, tuple, np.ndarray)) else 0 for r in rows]
    if not any(lengths):
        return np.fromiter(rows, dtype=object, count=len(rows))
    for row, length in enumerate(lengths):
        if length != lengths[0]:
            raise ValueError(
                "The rows of X must have equal numbers of values. Got "
                f"{lengths[0]} in row 0 and {length} in row {row}."
            )
    cells = (cell for row in rows for cell in row)
    table = np.fromiter(cells, dtype=object, count=sum(lengths))
    return table.reshape(len(rows), lengths[0])


def _refuse_unsliceable(estimator, X):
    name = type(estimator).__name__
    # Sparse matrices come first: one of their formats is a dict.
    if sparse.issparse(X):
        raise TypeError(
            f"{name} does not take sparse data as a whole. Put the sparse block beside "
            "the others in skorch.helper.SliceDict(name=X, ...), where the 'embedding' "
            "modality accepts it."
        )
    if isinstance(X, dict) and not isinstance(X, SliceDict):
        raise TypeError(
            f"{name} cannot slice a plain dict. Wrap it: skorch.helper.SliceDict(**X)."
        )
    if nw.dependencies.is_polars_lazyframe(X):
        raise TypeError(f"{name} does not take a LazyFrame. Call X.collect() first.")
    if isinstance(X, (list, tuple)) and len(X) and _count_axes(X[0]) >= 2:
        raise TypeError(
            f"{name} cannot slice a list of views. Name and wrap them: "
            "skorch.helper.SliceDict(name=view, ...)."
        )


def _count_axes(view):
    try:
        return np.ndim(view)
    except Exception:  # a row of cells of several kinds
        return 1


def _validate_slice_dict(estimator, X, *, reset, min_samples):
    names = list(X)
    if not names:
        raise ValueError(f"Found SliceDict with 0 blocks while {_needs(estimator)}.")
    blocks = {name: _read_named(name, X[name]) for name in names}
    lengths = {name: block.shape[0] for name, block in blocks.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"Modalities have inconsistent numbers of samples: {lengths}.")
    _check_n_samples(estimator, lengths[names[0]], at_least=min_samples)
    if reset:
        estimator.n_features_in_ = len(names)
        estimator.feature_names_in_ = np.asarray(names, dtype=object)
    return SliceDict(**blocks)


def _read_named(name, block):
    with naming_block(name):
        return read_block(block)


def _needs(estimator):
    return f"a minimum of 1 is required by {type(estimator).__name__}"


def check_container(X, places):
    """Raise if X is a SliceDict but was not in `fit`, or vice versa.

    Parameters
    ----------
    X : ndarray, data frame or SliceDict
        Data that passed `validate_X`.

    places : dict of str to (str, tuple of str or list of int)
        The place of each modality in `fit`; see `resolve_columns`.
    """
    of_keys = isinstance(next(iter(places.values())), (str, tuple))
    expected = "SliceDict" if of_keys else "table"
    given = "SliceDict" if isinstance(X, SliceDict) else "table"
    if given != expected:
        raise ValueError(f"X was a {expected} in fit and is a {given} now.")


def _check_n_samples(estimator, n_samples, *, at_least):
    if n_samples < at_least:
        raise ValueError(
            f"Found array with {n_samples} sample(s) while a minimum of {at_least} is "
            f"required by {type(estimator).__name__}."
        )


def _fitted_names(estimator):
    return list(getattr(estimator, "feature_names_in_", []))


def _compare_names(kind, fitted, given, used):
    """Raise, in the words of scikit-learn, if names are missing or in another order."""
    unseen = sorted(set(given) - set(fitted), key=str)
    wanted = [name for name in fitted if used is None or name in used]
    missing = sorted(set(wanted) - set(given), key=str)
    lines = []
    if unseen and (missing or used is None):
        lines += [f"{kind} names unseen at fit time:", *(f"- {n}" for n in unseen)]
    if missing:
        lines += [
            f"{kind} names seen at fit time, yet now missing:",
            *(f"- {n}" for n in missing),
            MARK_MISSING,
        ]
    ordered = kind != "Feature" or [n for n in given if n in wanted] == wanted
    if not lines and not ordered:
        lines = ["Feature names must be in the same order as they were in fit.\n"]
    if lines:
        head = (
            f"The {kind.lower()} names should match those that were passed during fit."
        )
        raise ValueError("\n".join([head, *lines]))
