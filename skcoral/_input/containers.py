"""From X to a block per modality; the only file with private names of sklearn."""

import difflib
from numbers import Integral, Real

import narwhals as nw
import numpy as np
from scipy import sparse
from sklearn.base import _fit_context
from sklearn.utils._indexing import _get_column_indices
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    StrOptions,
    validate_params,
)
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import _check_feature_names_in, validate_data
from skorch.helper import SliceDict

from skcoral._input.columns import (
    column_names,
    is_dataframe,
    mask_steps,
    take_columns,
)

__all__ = [
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "StrOptions",
    "validate_params",
]  # re-exported to other modules

fit_context = _fit_context
VisualBlock = _VisualBlock
BaseComposition = _BaseComposition
check_feature_names_in = _check_feature_names_in

# Constraints that several estimators and specs share, as data.
AT_LEAST_TWO = [Interval(Integral, 2, None, closed="left")]
POSITIVE_INT = [Interval(Integral, 1, None, closed="left")]
NON_NEGATIVE_INT = [Interval(Integral, 0, None, closed="left")]
POSITIVE_FLOAT = [Interval(Real, 0, None, closed="neither")]
NON_NEGATIVE_FLOAT = [Interval(Real, 0, None, closed="left")]
PROBABILITY = [Interval(Real, 0, 1, closed="both")]
OPEN_FRACTION = [Interval(Real, 0, 1, closed="neither")]
TRANSFORMER = [HasMethods(["fit", "transform"]), None]
UNIQUE_DIM = {"unique_dim": [*POSITIVE_INT, None]}
FUSION = {
    "n_layers": POSITIVE_INT,
    "n_heads": POSITIVE_INT,
    "dropout": [Interval(Real, 0, 1, closed="left")],
}
HEADS = {"head_hidden_dim": POSITIVE_INT, "head_dim": POSITIVE_INT}

MARK_MISSING = (
    "Where rows lack them, pass them all the same: None or NaN in a column of objects "
    "or strings, NaN throughout a block of numbers."
)


def validate_X(estimator, X, *, reset, min_samples=1):
    """Check X as a whole and record, or compare, its features on the estimator.

    Parameters
    ----------
    estimator : estimator instance
        Gets `n_features_in_` and `feature_names_in_` when `reset`.

    X : array-like of shape (n_samples, n_features), data frame or SliceDict
        The data.

    reset : bool
        True in `fit`, False elsewhere.

    min_samples : int, default=1
        Rows that X must have.

    Returns
    -------
    ndarray, data frame or SliceDict
        X, as an array if it was a list or the like.

    Raises
    ------
    TypeError
        If X is a plain dict, a list of views, or sparse as a whole.

    ValueError
        If shapes, names or the number of samples are wrong.
    """
    _refuse_unsliceable(estimator, X)
    if isinstance(X, SliceDict):
        return _validate_slice_dict(estimator, X, reset=reset, min_samples=min_samples)
    if is_dataframe(X):
        _validate_columns(estimator, X, reset=reset)
        _check_n_samples(estimator, len(X), at_least=min_samples)
        return X
    return validate_data(
        estimator,
        keep_numbers(X),
        reset=reset,
        dtype=None,
        ensure_all_finite=False,
        ensure_min_samples=min_samples,
    )


def _validate_columns(estimator, X, *, reset):
    try:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    except ValueError as error:
        fitted = () if reset else getattr(estimator, "feature_names_in_", ())
        if set(fitted) <= set(column_names(X)):
            raise
        raise ValueError(f"{error}{MARK_MISSING}") from error


def keep_numbers(X):
    """Keep numpy from making strings of the numbers in a list of mixed rows."""
    if isinstance(X, (list, tuple)) and np.asarray(X).dtype.kind in "US":
        return np.asarray(X, dtype=object)
    return X


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
    if isinstance(X, (list, tuple)) and len(X) and np.ndim(X[0]) >= 2:
        raise TypeError(
            f"{name} cannot slice a list of views. Name and wrap them: "
            "skorch.helper.SliceDict(name=view, ...)."
        )


def _validate_slice_dict(estimator, X, *, reset, min_samples):
    names = list(X)
    if not names:
        raise ValueError(f"Found SliceDict with 0 blocks while {_needs(estimator)}.")
    lengths = {name: X[name].shape[0] for name in names}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"Modalities have inconsistent numbers of samples: {lengths}.")
    _check_n_samples(estimator, lengths[names[0]], at_least=min_samples)
    if reset:
        estimator.n_features_in_ = len(names)
        estimator.feature_names_in_ = np.asarray(names, dtype=object)
    else:
        _compare_names(list(getattr(estimator, "feature_names_in_", [])), names)
    return X


def _needs(estimator):
    return f"a minimum of 1 is required by {type(estimator).__name__}"


def check_container(X, places):
    """Raise if X is a SliceDict and was none in `fit`, or the other way round.

    Parameters
    ----------
    X : ndarray, data frame or SliceDict
        Data that passed `validate_X`.

    places : dict of str to (str or list of int)
        Where each modality stood in `fit`; see `resolve_columns`.
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


def _compare_names(fitted, given):
    unseen = sorted(set(given) - set(fitted))
    missing = sorted(set(fitted) - set(given))
    if not unseen and not missing:
        return
    lines = ["The modality names should match those that were passed during fit."]
    if unseen:
        lines += ["Modality names unseen at fit time:", *(f"- {n}" for n in unseen)]
    if missing:
        lines += [
            "Modality names seen at fit time, yet now missing:",
            *(f"- {n}" for n in missing),
            MARK_MISSING,
        ]
    raise ValueError("\n".join(lines))


def resolve_columns(X, columns, modality, *, lengths=False):
    """Return where a modality's block stands in X.

    Parameters
    ----------
    X : ndarray, data frame or SliceDict
        Data that passed `validate_X`.

    columns : str, int, list, slice, mask or callable
        The modality's columns, or its key in a SliceDict.

    modality : str
        Name of the modality, for messages.

    lengths : bool, default=False
        Whether a second key of a SliceDict may name the lengths of sequences.

    Returns
    -------
    str, tuple of str or list of int
        The key of a SliceDict, or those of sequences and lengths, or the positions of
        columns.

    Raises
    ------
    ValueError
        If a column is unknown, or if there are none.
    """
    if isinstance(X, SliceDict):
        return _resolve_key(X, columns, modality, lengths)
    columns = columns(X) if callable(columns) else columns
    if is_dataframe(X):
        _check_known(_named(columns), column_names(X), modality)
    try:
        positions = _get_column_indices(X, columns)
    except (ValueError, IndexError, TypeError) as error:
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
        First axis = samples.

    Raises
    ------
    ValueError
        If an array holds an infinite value; data frames are checked by name later.
    """
    if isinstance(where, tuple):
        return mask_steps(*(np.asarray(X[key]) for key in where))
    if isinstance(X, SliceDict):
        block = X[where]
        if nw.dependencies.is_into_series(block) and not isinstance(block, np.ndarray):
            return nw.from_native(block, series_only=True).to_frame().to_native()
        return block
    block = take_columns(X, where)
    if not is_dataframe(X) and block.dtype.kind == "f":
        infinite = np.isinf(block).any(axis=0)
        if infinite.any():
            # The modality would name the position in its block, not that in X.
            column = where[infinite.argmax()]
            raise ValueError(f"Input X contains infinity in column {column}.")
    return block


def _named(columns):
    """Return the names among a specification of columns."""
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


def check_several(estimator, names):
    """Raise unless an estimator that compares modalities has two of them or more."""
    if len(names) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs two modalities or more. Got "
            f"{list(names)}: name them in 'modalities'."
        )


def refuse_early_stopping(estimator, where):
    """Raise if an estimator is to stop early where it cannot."""
    if estimator.early_stopping:
        raise ValueError(f"{where} does not support early_stopping=True.")


def check_multiple(estimator, name, divisor):
    """Raise unless one int parameter of an estimator is a multiple of another."""
    value, unit = getattr(estimator, name), getattr(estimator, divisor)
    if value % unit:
        raise ValueError(
            f"The {name!r} parameter of {type(estimator).__name__} must be a multiple "
            f"of {divisor!r} (now {unit}). Got {value} instead."
        )


def check_schedule(estimator, name):
    """Raise unless a parameter is a probability or a non-empty sequence of them."""
    value = getattr(estimator, name)
    stages = [value] if isinstance(value, Real) else list(value)
    if not stages or not all(isinstance(s, Real) and 0 <= s <= 1 for s in stages):
        raise ValueError(
            f"The {name!r} parameter of {type(estimator).__name__} must be a float in "
            f"the range [0.0, 1.0] or a non-empty sequence of them. Got {value!r} "
            "instead."
        )
