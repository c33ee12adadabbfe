"""Tables: numbers, categories, booleans and dates, with one token per column."""

import warnings
from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, QuantileTransformer, StandardScaler
from sklearn.utils.validation import check_is_fitted

from skcoral._input.arrays import read_cell
from skcoral._input.columns import list_categories, name_level, read_columns
from skcoral._input.containers import count_columns
from skcoral._input.dates import date_features
from skcoral._input.errors import naming_preprocessor
from skcoral._input.numbers import find_origin, holds_numbers, is_real, to_floats
from skcoral._input.presence import is_missing
from skcoral._input.strings import find_form
from skcoral._sklearn_compat import Interval
from skcoral._types import Array, RandomState
from skcoral.augmentations import Augmentation, Drop, MarginalCorruption, Noise
from skcoral.modalities._scalers import BoundedScaler, NormalScores, RankScaler
from skcoral.modalities.base import (
    RETURNING_ARRAYS,
    BaseModality,
    check_finite,
    example,
    is_empty,
    preprocess,
)
from skcoral.nn.encoders.tabular import TabularEncoder
from skcoral.nn.linear_path import ColumnPath

# Functions of pandas that read strings.
CONVERSIONS = {"numbers": "to_numeric", "dates": "to_datetime"}


class TabularModality(BaseModality):
    """Numbers, categories, booleans and dates, with one token per column.

    Numeric columns, including booleans and durations, are mapped to a normal
    distribution by their quantiles, so that units, heavy tails and outliers do no harm;
    numbers beyond those of `fit` become its ends. A date becomes its timestamp and the
    sine and cosine of its season, weekday and time of day; times with a zone are those
    of UTC, times without one are taken as they are. Frequent levels of a
    categorical column have a token each and rare ones share one; levels not seen in
    `fit` get a neutral token. Missing values stay missing: the encoder has a learned
    token for them, one per column.

    Parameters
    ----------
    augmentation : {"corrupt", "noise", "drop"}, sequence of these or callable, \
            default="corrupt"
        How views are made: "corrupt" replaces values by those of other rows (SCARF),
        "noise" adds Gaussian noise to numeric columns, "drop" makes values missing;
        several are applied in order. A callable takes ``(tensor, mask, generator)``.

    corruption_rate : float, default=0.5
        Probability that "corrupt" replaces a value.

    max_categories : int, default=100
        Maximum number of levels per categorical column; if there are more, the last one
        groups all rare levels.

    preprocessor : transformer, default=None
        A scikit-learn transformer that turns the block into numbers. It replaces the
        preprocessing above, and each column that it returns is standardised, at most a
        million deviations from its mean, and becomes a numeric token.

    random_state : int, RandomState instance or None, default=None
        Seed of the subsample from which quantiles are learnt if there are more than
        10,000 rows. None takes the seed of the estimator that holds the modality.

    Attributes
    ----------
    kinds_ : dict of (str or int) to str
        "numeric", "datetime" or "categorical" for each column.

    origins_ : list of float
        What is subtracted from each column first: not 0 for integers beyond 2**53.

    n_columns_in_ : int
        Number of columns seen in `fit`.

    cardinalities_ : list of int
        Number of codes of each categorical column, including code 0 for unseen levels.

    Notes
    -----
    Integers beyond 2**53, which float64 does not have, keep their differences. A column
    of more than 20 different strings that are numbers or dates is read as categories,
    with a warning, unless its type is categorical.

    Views follow SCARF (arXiv 2106.15147), with the differences that
    :class:`~skcoral.augmentations.MarginalCorruption` describes. A column without any
    value is allowed: its token is always the learned one for missing values.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoral import TabularModality
    >>> block = np.array([[1.0, "a"], [None, "b"], [3.0, "a"]], dtype=object)
    >>> modality = TabularModality().fit(block)
    >>> modality.kinds_
    {0: 'numeric', 1: 'categorical'}
    >>> modality.transform(block).shape
    (3, 2)
    """

    array_ndim = 1

    _parameter_constraints = {
        **BaseModality._parameter_constraints,
        "max_categories": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(
        self,
        *,
        augmentation: str | Sequence[str] | Augmentation = "corrupt",
        corruption_rate: float = 0.5,
        max_categories: int = 100,
        preprocessor: Any = None,
        random_state: RandomState = None,
    ) -> None:
        self.augmentation = augmentation
        self.corruption_rate = corruption_rate
        self.max_categories = max_categories
        self.preprocessor = preprocessor
        self.random_state = random_state

    def fit(self, block: Any, y: None = None) -> Self:
        """Learn the kinds, scales and levels of the columns.

        Parameters
        ----------
        block : data frame or ndarray of shape (n_samples, n_columns)
            The columns of this modality.

        y : None
            Ignored.

        Returns
        -------
        self : TabularModality
            The fitted modality.

        Raises
        ------
        ValueError
            If a value is infinite.

        TypeError
            If a value is neither a string, a number nor a date.
        """
        self._validate_params()
        self.make_augmentation()
        block = read_cell(block)
        if self.preprocessor is not None:
            return self._fit_preprocessor(block)
        columns = read_columns(block)
        self.n_columns_in_ = len(columns)
        self.kinds_ = {name: _kind_of(name, v) for name, v in columns.items()}
        self.origins_ = [
            find_origin(values) if kind == "numeric" else 0.0
            for (_, values), kind in self._pair(columns)
        ]
        self._fit_scaler(self._numbers(columns))
        self._fit_levels(self._categories(columns))
        self._warn_of_strings(block, columns)
        return self

    def transform(self, block: Any) -> NDArray[np.float32]:
        """Return the block as numbers.

        Parameters
        ----------
        block : data frame or ndarray of shape (n_samples, n_columns)
            Columns as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_numeric + n_categorical), float32
            Scaled numbers, then level codes; NaN where a value is missing.

        Raises
        ------
        ValueError
            If a column differs in kind from `fit`, or contains an infinite value.
        """
        check_is_fitted(self)
        block = read_cell(block)
        if self.preprocessor is not None:
            return self.scaler_.transform(preprocess(self.preprocessor_, block))
        columns = read_columns(block)
        self._check_fitted_width(len(columns))
        for (name, values), kind in self._pair(columns):
            _check_kind(name, values, kind)
        return np.concatenate(
            [
                self._scale(self._numbers(columns)),
                self._encode(self._categories(columns)),
            ],
            axis=1,
            dtype=np.float32,
        )

    def vectorize(self, values: Array, mask: Array | None) -> dict[str, Any]:
        """Return numbers, indicators of levels, and of what is missing.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_numeric + n_categorical)
            Rows of what `transform` returns.

        mask : ndarray of shape (n_samples, 1) or None
            Not used.

        Returns
        -------
        dict of str to ndarray of shape (n_samples, n_features)
            The kind "values".
        """
        numbers, codes = np.split(values, [self.n_numeric_], axis=1)
        levels = [
            column[:, None] == np.arange(1, cardinality)
            for column, cardinality in zip(codes.T, self.cardinalities_, strict=True)
        ]
        parts = [np.nan_to_num(numbers), np.isnan(values), *levels]
        return {"values": np.hstack(parts).astype(np.float32)}

    def make_encoder(self, embed_dim: int) -> TabularEncoder:
        """Return a new encoder of width `embed_dim`."""
        return TabularEncoder(self.n_numeric_, self.cardinalities_, embed_dim)

    def make_linear_path(self, embed_dim: int, unique_dim: int) -> ColumnPath:
        """Return a new linear path of numbers and levels, of width `unique_dim`."""
        return ColumnPath(self.n_numeric_, self.cardinalities_, unique_dim)

    def make_augmentation(self) -> Augmentation:
        """Return the augmentation: noise skips codes, "drop" makes values missing."""
        n_numeric = getattr(self, "n_numeric_", 0)
        return self._compose(
            {
                "corrupt": MarginalCorruption(self.corruption_rate),
                "noise": Noise(n_columns=n_numeric),
                "drop": Drop(fill=np.nan),
            }
        )

    def _fit_preprocessor(self, block: Any) -> Self:
        with naming_preprocessor(self.preprocessor):
            self.preprocessor_ = clone(self.preprocessor).fit(block)
        numbers = preprocess(self.preprocessor_, block, fitting=True)
        self.scaler_ = BoundedScaler().fit(numbers)
        self.n_numeric_ = numbers.shape[1]
        self.n_columns_in_ = count_columns(block)
        self.cardinalities_: list[int] = []
        return self

    def _pair(
        self, columns: dict[Any, Array]
    ) -> Iterator[tuple[tuple[Any, Array], str]]:
        """Pair columns with kinds by position, as arrays and frames differ in names."""
        return zip(columns.items(), self.kinds_.values(), strict=True)

    def _numbers(self, columns: dict[Any, Array]) -> Array:
        """Return numeric and date columns as a float matrix."""
        pairs = zip(self._pair(columns), self.origins_, strict=True)
        parts = [
            _read_dates(values) if kind == "datetime" else to_floats(values, origin)
            for ((_, values), kind), origin in pairs
            if kind != "categorical"
        ]
        n_samples = len(next(iter(columns.values())))
        parts = [part.reshape(n_samples, -1) for part in parts]
        return np.hstack([np.empty((n_samples, 0)), *parts])

    @RETURNING_ARRAYS
    def _fit_scaler(self, numbers: Array) -> None:
        self.n_numeric_ = numbers.shape[1]
        if not self.n_numeric_:
            return
        # Statistics of an empty column are undefined, so fit on zeros instead.
        empty = np.isnan(numbers).all(axis=0)
        numbers = np.where(empty, 0.0, numbers)
        n_quantiles = min(1000, len(numbers))
        # With normal output, QuantileTransformer takes values that differ by less than
        # 1e-7 from the ends for these, whatever their unit.
        self.scaler_ = make_pipeline(
            RankScaler(),
            QuantileTransformer(
                n_quantiles=n_quantiles, random_state=self.random_state
            ),
            NormalScores(),
            StandardScaler(),
        ).fit(numbers)

    @RETURNING_ARRAYS
    def _scale(self, numbers: Array) -> Array:
        return self.scaler_.transform(numbers) if self.n_numeric_ else numbers

    def _categories(self, columns: dict[Any, Array]) -> Array:
        """Return categorical columns as an object matrix of str and NaN."""
        parts = [
            _as_levels(values)
            for (_, values), kind in self._pair(columns)
            if kind == "categorical"
        ]
        n_samples = len(next(iter(columns.values())))
        return np.column_stack([np.empty((n_samples, 0), dtype=object), *parts])

    def _warn_of_strings(self, block: Any, columns: dict[Any, Array]) -> None:
        """Warn of categories that stand for numbers or dates, unless meant to be."""
        declared = list_categories(block)
        for (name, values), kind in self._pair(columns):
            form = None
            if kind == "categorical" and name not in declared:
                strings = (value for value in values if isinstance(value, str))
                form = find_form(dict.fromkeys(strings))
            if form:
                warnings.warn(
                    f"Column {name!r} holds {form} as strings, for example "
                    f"{example(values)}, and is read as categories, without order. "
                    f"Convert it, by pandas.{CONVERSIONS[form]} for example; or, if "
                    "they are categories, give it a categorical type.",
                    stacklevel=3,
                )

    @RETURNING_ARRAYS
    def _fit_levels(self, categories: Array) -> None:
        self.cardinalities_ = []
        if not categories.shape[1]:
            return
        self.levels_ = OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=-1,
            encoded_missing_value=np.nan,
            max_categories=self.max_categories,
        ).fit(categories)
        codes = self.levels_.transform(categories)
        # Code 0 is reserved for unknown levels; an empty column has no other.
        n_levels = np.fmax.reduce(codes, axis=0, initial=-1) + 1
        self.cardinalities_ = [int(n) + 1 for n in n_levels]

    @RETURNING_ARRAYS
    def _encode(self, categories: Array) -> Array:
        """Return level codes from 1 on; 0 for levels not seen in `fit`."""
        if not self.cardinalities_:
            return np.empty((len(categories), 0))
        codes = self.levels_.transform(categories) + 1
        # A missing value is not an unseen level, even if none was missing in `fit`.
        codes[categories != categories] = np.nan
        return codes


def _kind_of(name: Any, values: Array) -> str:
    """Return the kind of a tabular column, after checking its values."""
    if values.dtype.kind == "M":
        return "datetime"
    if holds_numbers(values):
        check_finite(f" in column {name!r}", to_floats(values), allow_nan=True)
        return "numeric"
    for value in values:
        if not (isinstance(value, (str, type(None))) or is_real(value)):
            raise TypeError(
                f"Column {name!r}: argument must be a string or a real number, not "
                f"{type(value).__name__!r}."
            )
    return "categorical"


def _read_dates(values: Array) -> Array:
    """Return the features of dates; an empty column is first cast to dates."""
    if is_empty(values):
        values = np.full(len(values), np.datetime64("NaT", "us"))
    return date_features(values)


def _check_kind(name: Any, values: Array, expected: str) -> None:
    """Raise if a column differs in kind from fit time."""
    if is_empty(values):
        return
    kind = _kind_of(name, values)
    # Numbers are allowed as levels: a categorical column is read as text anyway.
    if kind != expected and not (expected == "categorical" and kind == "numeric"):
        raise ValueError(
            f"Column {name!r} was {expected} at fit time and is {kind} now, for "
            f"example {example(values)}."
        )


def _as_levels(values: Array) -> Array:
    """Return a column as an object array of str, NaN where missing."""
    levels = [np.nan if is_missing(v) else name_level(v) for v in values.tolist()]
    return np.array(levels, dtype=object)
