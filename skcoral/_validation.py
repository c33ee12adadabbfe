"""From X to a block per modality; the only file with private names of sklearn."""

import datetime
import difflib
from numbers import Integral, Real

import narwhals as nw
import numpy as np
from scipy import sparse
from sklearn.base import _fit_context
from sklearn.utils._indexing import _get_column_indices
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import _check_feature_names_in, validate_data
from skorch.helper import SliceDict

__all__ = ["HasMethods", "Interval", "StrOptions"]  # re-exported to other modules

fit_context = _fit_context
VisualBlock = _VisualBlock
BaseComposition = _BaseComposition
check_feature_names_in = _check_feature_names_in

# Constraints that several estimators and specs share, as data.
POSITIVE_INT = [Interval(Integral, 1, None, closed="left")]
POSITIVE_FLOAT = [Interval(Real, 0, None, closed="neither")]
NON_NEGATIVE_FLOAT = [Interval(Real, 0, None, closed="left")]
PROBABILITY = [Interval(Real, 0, 1, closed="both")]
OPEN_FRACTION = [Interval(Real, 0, 1, closed="neither")]
TRANSFORMER = [HasMethods(["fit", "transform"]), None]


def is_dataframe(X):
    """Tell whether X is a pandas, polars or other data frame that narwhals reads."""
    return nw.dependencies.is_into_dataframe(X)


def validate_X(estimator, X, *, reset):
    """Check X as a whole and record, or compare, its features on the estimator.

    Parameters
    ----------
    estimator : estimator instance
        Gets `n_features_in_` and `feature_names_in_` when `reset`.

    X : array-like of shape (n_samples, n_features), data frame or SliceDict
        The data.

    reset : bool
        True in `fit`, False elsewhere.

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
        return _validate_slice_dict(estimator, X, reset=reset)
    if is_dataframe(X):
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        _check_n_samples(estimator, len(X), at_least=2 if reset else 1)
        return X
    return validate_data(
        estimator,
        X,
        reset=reset,
        dtype=None,
        ensure_all_finite=False,
        ensure_min_samples=2 if reset else 1,
    )


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
    if isinstance(X, (list, tuple)) and len(X) and np.ndim(X[0]) >= 2:
        raise TypeError(
            f"{name} cannot slice a list of views. Name and wrap them: "
            "skorch.helper.SliceDict(name=view, ...)."
        )


def _validate_slice_dict(estimator, X, *, reset):
    names = list(X)
    if not names:
        raise ValueError(f"Found SliceDict with 0 blocks while {_needs(estimator)}.")
    lengths = {name: X[name].shape[0] for name in names}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"Modalities have inconsistent numbers of samples: {lengths}.")
    _check_n_samples(estimator, lengths[names[0]], at_least=2 if reset else 1)
    if reset:
        estimator.n_features_in_ = len(names)
        estimator.feature_names_in_ = np.asarray(names, dtype=object)
    else:
        _compare_names(list(getattr(estimator, "feature_names_in_", [])), names)
    return X


def _needs(estimator):
    return f"a minimum of 1 is required by {type(estimator).__name__}"


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
        ]
    raise ValueError("\n".join(lines))


def resolve_columns(X, columns, modality):
    """Return where a modality's block stands in X.

    Parameters
    ----------
    X : ndarray, data frame or SliceDict
        Data that passed `validate_X`.

    columns : str, int, list, slice, mask or callable
        The modality's columns, or its key in a SliceDict.

    modality : str
        Name of the modality, for messages.

    Returns
    -------
    str or list of int
        The key of a SliceDict, or the positions of columns.

    Raises
    ------
    ValueError
        If a column is unknown, or if there are none.
    """
    if isinstance(X, SliceDict):
        return _resolve_key(X, columns, modality)
    columns = columns(X) if callable(columns) else columns
    if is_dataframe(X):
        _check_known(_named(columns), list(X.columns), modality)
    try:
        positions = _get_column_indices(X, columns)
    except (ValueError, IndexError, TypeError) as error:
        raise ValueError(
            f"The columns of modality {modality!r} cannot be selected: {error}"
        ) from error
    if not positions:
        raise ValueError(f"Modality {modality!r} must have at least one column. Got 0.")
    return positions


def _resolve_key(X, columns, modality):
    keys = [columns] if isinstance(columns, str) else list(columns)
    if len(keys) != 1:
        raise ValueError(
            f"Modality {modality!r} of a SliceDict must name exactly one key. "
            f"Got {columns!r}."
        )
    _check_known(keys, list(X), modality)
    return keys[0]


def select_block(X, where):
    """Return the block of one modality.

    Parameters
    ----------
    X : ndarray, data frame or SliceDict
        Data that passed `validate_X`.

    where : str or list of int
        Result of `resolve_columns`.

    Returns
    -------
    ndarray, sparse matrix or data frame
        First axis = samples.
    """
    if is_dataframe(X):
        return nw.from_native(X, eager_only=True)[:, where].to_native()
    return X[where] if isinstance(X, SliceDict) else X[:, where]


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


def read_columns(block):
    """Read a block as named columns.

    Parameters
    ----------
    block : data frame or ndarray of shape (n_samples,) or (n_samples, n_columns)
        The block.

    Returns
    -------
    dict of (str or int) to 1-D ndarray
        bool, float64, datetime64 or, with None where a value is missing, object.
    """
    if is_dataframe(block):
        frame = nw.from_native(block, eager_only=True)
        return {name: _read_series(frame[name]) for name in frame.columns}
    block = block[:, None] if block.ndim == 1 else block
    if block.ndim != 2:
        raise ValueError(f"Expected a 2-D block. Got an array of shape {block.shape}.")
    return {i: _read_values(block[:, i]) for i in range(block.shape[1])}


def _read_series(series):
    """Turn a data frame's column into an array; null becomes NaN, NaT or None."""
    dtype = series.dtype
    if dtype.is_numeric():
        return _read_values(series.cast(nw.Float64).fill_null(np.nan).to_numpy())
    if dtype == nw.Boolean and not series.is_null().any():
        return series.to_numpy().astype(bool)
    if isinstance(dtype, (nw.Datetime, nw.Date)):
        return _read_datetimes(series)
    values = np.empty(len(series), dtype=object)
    values[:] = series.to_list()
    return _read_values(values)


def _read_datetimes(series):
    if isinstance(series.dtype, nw.Datetime) and series.dtype.time_zone:
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    values = series.cast(nw.Datetime("us")).to_numpy()
    return values.astype("datetime64[us]")


def _read_values(values):
    """Give a 1-D array its natural dtype; missing objects become None."""
    if values.dtype.kind == "b" or values.dtype.kind == "M":
        return values
    if values.dtype.kind in "iuf":
        return values.astype(np.float64, copy=False)
    values = values.astype(object)
    gaps = np.fromiter((_is_missing(v) for v in values), dtype=bool, count=len(values))
    present = values[~gaps]
    if all(isinstance(v, (Real, np.bool_)) for v in present):
        numbers = np.full(len(values), np.nan)
        numbers[~gaps] = present.astype(np.float64)
        return numbers
    if len(present) and all(isinstance(v, datetime.date) for v in present):
        dates = np.full(len(values), "NaT", dtype="datetime64[us]")
        dates[~gaps] = present.astype("datetime64[us]")
        return dates
    values[gaps] = None
    return values


def _is_missing(value):
    """Tell None, NaN, NaT and pandas.NA: a value that is absent or unlike itself."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas.NA has no truth; arrays have several
        return type(value).__name__ == "NAType"


# A string column is free text, not a category, from this many words on average and this
# many distinct values (or half of the rows, in a small table) on.
MIN_WORDS_OF_TEXT = 3
MIN_DISTINCT_TEXTS = 40


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
        Free-text columns one by one, all other columns of a table as one modality
        "table", each key of a SliceDict by its shape.
    """
    if isinstance(X, SliceDict):
        return [(key, _kind_by_shape(key, X[key]), key) for key in X]
    if not is_dataframe(X) and X.dtype.kind in "iufb":
        return [("table", "tabular", list(range(X.shape[1])))]
    columns = read_columns(X)
    texts = [name for name, values in columns.items() if _is_free_text(values)]
    rest = [name for name in columns if name not in texts]
    chosen = [("table", "tabular", rest)] if rest else []
    for name in texts:
        taken = reserved | {modality for modality, _, _ in chosen}
        chosen.append((_free_name(str(name), taken), "text", name))
    return chosen


def _kind_by_shape(key, block):
    if sparse.issparse(block):
        return "embedding"
    numeric = block.dtype.kind in "iufb"
    if block.ndim == 2:
        return "embedding" if numeric else "tabular"
    if block.ndim == 1:
        return "tabular" if numeric else "text"
    raise ValueError(
        f"No kind of modality fits the block {key!r} of shape {block.shape}: expected "
        "1-D text, or a 2-D array. Name the modalities to choose another kind."
    )


def _is_free_text(values):
    present = [value for value in values.tolist() if isinstance(value, str)]
    if values.dtype != object or not present:
        return False
    n_words = np.mean([len(value.split()) for value in present])
    enough = min(MIN_DISTINCT_TEXTS, len(present) / 2)
    return n_words >= MIN_WORDS_OF_TEXT and len(set(present)) > enough


def _free_name(name, taken):
    """Return a modality name made of a column's name that is not taken."""
    name = name.replace("__", "_").strip("_") or "text"
    while name in taken:
        name += "_text"
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
    if not is_word and not all(hasattr(spec, method) for method in methods):
        raise ValueError(
            f"{label} must have specs that are modality instances or among "
            f"{sorted(kinds)}. Got {spec!r} for {name!r} instead."
        )


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
