"""Modality specs: how a kind of block becomes an array, its encoder and its views."""

from numbers import Integral, Real
from operator import methodcaller

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OrdinalEncoder,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted

from skcoral._columns import (
    count_columns,
    date_features,
    is_dataframe,
    is_missing,
    name_level,
    read_columns,
)
from skcoral._validation import (
    POSITIVE_INT,
    PROBABILITY,
    TRANSFORMER,
    Interval,
    StrOptions,
)
from skcoral.augmentations import Compose, Drop, MarginalCorruption, Noise
from skcoral.encoders import TabularEncoder, VectorEncoder

AUGMENTATIONS = {"corrupt", "noise", "drop"}


class _BaseModality(BaseEstimator):
    """What all kinds of modality share: parameters of the views and their checks.

    A kind of modality implements `fit`, `transform` and `make_encoder`, and may replace
    `make_augmentation`.
    """

    _parameter_constraints = {
        "augmentation": [StrOptions(AUGMENTATIONS), "array-like", callable],
        "corruption_rate": PROBABILITY,
        "preprocessor": TRANSFORMER,
        "random_state": ["random_state"],
    }

    def transform(self, block):
        """Turn a block into an array, as learnt in `fit`."""
        raise NotImplementedError

    def make_encoder(self, embed_dim):
        """Return a new encoder for the arrays of `transform`."""
        raise NotImplementedError

    def make_augmentation(self):
        """Return the callable ``(tensor, mask, generator) -> tensor`` of one view."""
        return self._compose({"noise": Noise(), "drop": Drop()})

    def _compose(self, paper):
        """Look the words of `augmentation` up, in order."""
        if callable(self.augmentation):
            return self.augmentation
        known = {"corrupt": MarginalCorruption(self.corruption_rate), **paper}
        words = self.augmentation
        words = [words] if isinstance(words, str) else list(words)
        for word in words:
            if word not in known:
                raise ValueError(
                    f"The 'augmentation' parameter of {type(self).__name__} must be "
                    f"made of {sorted(known)}. Got {word!r} instead."
                )
        return Compose([known[word] for word in words])

    def _check_fitted_width(self, n_columns):
        """Compare the number of columns with that of `fit`."""
        check_is_fitted(self)
        if n_columns != self.n_columns_in_:
            raise ValueError(
                f"The block has {n_columns} columns, but had {self.n_columns_in_} "
                "at fit time."
            )


class TabularModality(_BaseModality):
    """Numbers, categories, booleans and dates: one token per column.

    Numeric columns, booleans included, are mapped to a normal distribution by their
    quantiles, so that heavy tails and outliers do no harm. A date becomes its time and
    the sine and cosine of its season, weekday and hour. Of a categorical column the
    frequent levels are kept and rare ones share one token; a level that was not seen in
    `fit` has a neutral token. Missing values stay missing: the encoder has a learned
    token for them, per column.

    Parameters
    ----------
    augmentation : {"corrupt", "noise", "drop"}, sequence of these or callable, \
            default="corrupt"
        How a view is made: "corrupt" replaces values by those of other rows (SCARF),
        "noise" adds Gaussian noise to numeric columns, "drop" makes columns missing;
        several are applied in order. A callable takes ``(tensor, mask, generator)``.

    corruption_rate : float, default=0.3
        Probability that "corrupt" replaces a value.

    max_categories : int, default=100
        Levels kept per categorical column, the most frequent ones; the last one stands
        for all rare levels where there are more.

    preprocessor : transformer, default=None
        A scikit-learn transformer that turns the block into numbers; it replaces the
        treatment above, and every column that it returns is a numeric token.

    random_state : int, RandomState instance or None, default=None
        Seed of the subsample from which quantiles are learnt above 10,000 rows. None
        takes the seed of the estimator that holds the modality.

    Attributes
    ----------
    kinds_ : dict of (str or int) to str
        "numeric", "datetime" or "categorical" for each column.

    n_columns_in_ : int
        Number of columns seen in `fit`.

    cardinalities_ : list of int
        Number of codes of each categorical column, the code 0 of unseen levels
        included.

    Notes
    -----
    Views follow SCARF (arXiv 2106.15147) with the differences that
    :class:`~skcoral.augmentations.MarginalCorruption` names. A column with no value at
    all is allowed: its token is always the learned one for missing values.

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

    _parameter_constraints = {
        **_BaseModality._parameter_constraints,
        "max_categories": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(
        self,
        *,
        augmentation="corrupt",
        corruption_rate=0.3,
        max_categories=100,
        preprocessor=None,
        random_state=None,
    ):
        self.augmentation = augmentation
        self.corruption_rate = corruption_rate
        self.max_categories = max_categories
        self.preprocessor = preprocessor
        self.random_state = random_state

    def fit(self, block, y=None):
        """Learn kinds, scales and levels of the columns.

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
            If a value is neither text nor a number nor a date.
        """
        self._validate_params()
        self.make_augmentation()
        if self.preprocessor is not None:
            return self._fit_preprocessor(block)
        columns = read_columns(block)
        self.n_columns_in_ = len(columns)
        self.kinds_ = {name: _kind_of(name, v) for name, v in columns.items()}
        self._fit_scaler(self._numbers(columns))
        self._fit_levels(self._categories(columns))
        return self

    def transform(self, block):
        """Return the block as numbers.

        Parameters
        ----------
        block : data frame or ndarray of shape (n_samples, n_columns)
            Columns as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_numeric + n_categorical), float32
            Scaled numbers, then codes of levels; NaN where a value is missing.

        Raises
        ------
        ValueError
            If a column changed its kind since `fit`, or holds an infinite value.
        """
        check_is_fitted(self)
        if self.preprocessor is not None:
            return _preprocess(self.preprocessor_, block)
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

    def make_encoder(self, embed_dim):
        """Return a :class:`~skcoral.encoders.TabularEncoder` of width `embed_dim`."""
        return TabularEncoder(self.n_numeric_, self.cardinalities_, embed_dim)

    def make_augmentation(self):
        """Return the augmentation; noise spares codes, "drop" makes values missing."""
        n_numeric = getattr(self, "n_numeric_", 0)
        return self._compose(
            {"noise": Noise(n_columns=n_numeric), "drop": Drop(fill=np.nan)}
        )

    def _fit_preprocessor(self, block):
        self.preprocessor_ = clone(self.preprocessor).fit(block)
        self.n_numeric_ = _preprocess(self.preprocessor_, block).shape[1]
        self.n_columns_in_ = count_columns(block)
        self.cardinalities_ = []
        return self

    def _pair(self, columns):
        """Pair columns with kinds by position: arrays have other names than frames."""
        return zip(columns.items(), self.kinds_.values(), strict=True)

    def _numbers(self, columns):
        """Return numeric and date columns as a float matrix."""
        parts = [
            _read_dates(values) if kind == "datetime" else values
            for (_, values), kind in self._pair(columns)
            if kind != "categorical"
        ]
        n_samples = len(next(iter(columns.values())))
        parts = [np.asarray(p, dtype=np.float64).reshape(n_samples, -1) for p in parts]
        return np.hstack([np.empty((n_samples, 0)), *parts])

    def _fit_scaler(self, numbers):
        self.n_numeric_ = numbers.shape[1]
        if not self.n_numeric_:
            return
        # Statistics of an empty column are undefined; zeros stand in for them.
        empty = np.isnan(numbers).all(axis=0)
        numbers = np.where(empty, 0.0, numbers)
        n_quantiles = min(1000, len(numbers))
        self.scaler_ = make_pipeline(
            QuantileTransformer(
                n_quantiles=n_quantiles,
                output_distribution="normal",
                random_state=self.random_state,
            ),
            StandardScaler(),
        ).fit(numbers)

    def _scale(self, numbers):
        return self.scaler_.transform(numbers) if self.n_numeric_ else numbers

    def _categories(self, columns):
        """Return categorical columns as an object matrix of str and NaN."""
        parts = [
            _as_levels(values)
            for (_, values), kind in self._pair(columns)
            if kind == "categorical"
        ]
        n_samples = len(next(iter(columns.values())))
        return np.column_stack([np.empty((n_samples, 0), dtype=object), *parts])

    def _fit_levels(self, categories):
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
        # Code 0 is kept for unknown levels; an all-missing column has no other.
        n_levels = np.fmax.reduce(codes, axis=0, initial=-1) + 1
        self.cardinalities_ = [int(n) + 1 for n in n_levels]

    def _encode(self, categories):
        """Return the code of each level from 1 on, 0 where it was not seen in `fit`."""
        if not self.cardinalities_:
            return np.empty((len(categories), 0))
        codes = self.levels_.transform(categories) + 1
        # A gap is no unseen level, even in a column that had no gap before.
        codes[categories != categories] = np.nan
        return codes


class TextModality(_BaseModality):
    """Raw strings as TF-IDF vectors, reduced and cut into a few tokens.

    Words and pairs of words are weighted by TF-IDF, reduced by a truncated SVD (latent
    semantic analysis) and standardised; a small network turns the vector into tokens.
    Nothing is downloaded. Missing and empty strings are allowed.

    Parameters
    ----------
    n_tokens : int, default=8
        Number of tokens that the encoder makes of a text.

    svd_dim : int, default=128
        Width of the reduced vectors; smaller where the vocabulary or the number of
        rows is.

    augmentation : {"corrupt", "noise", "drop"}, sequence of these or callable, \
            default="corrupt"
        How a view is made, see :class:`TabularModality`; it acts on the vectors.

    corruption_rate : float, default=0.3
        Probability that "corrupt" replaces a component.

    preprocessor : transformer, default=None
        A scikit-learn transformer from a list of strings to vectors, dense or sparse;
        it replaces the TF-IDF, and sparse vectors are reduced all the same.

    random_state : int, RandomState instance or None, default=None
        Seed of the SVD. None takes the seed of the estimator that holds the modality.

    Attributes
    ----------
    n_features_ : int
        Width of the vectors.

    n_columns_in_ : int
        Number of text columns seen in `fit`.

    Notes
    -----
    The texts of several columns are joined by a space.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoral import TextModality
    >>> texts = np.array(["a red car", "a blue car", None, ""], dtype=object)
    >>> TextModality().fit(texts).transform(texts).shape
    (4, 3)
    """

    _parameter_constraints = {
        **_BaseModality._parameter_constraints,
        "n_tokens": POSITIVE_INT,
        "svd_dim": POSITIVE_INT,
    }

    def __init__(
        self,
        *,
        n_tokens=8,
        svd_dim=128,
        augmentation="corrupt",
        corruption_rate=0.3,
        preprocessor=None,
        random_state=None,
    ):
        self.n_tokens = n_tokens
        self.svd_dim = svd_dim
        self.augmentation = augmentation
        self.corruption_rate = corruption_rate
        self.preprocessor = preprocessor
        self.random_state = random_state

    def fit(self, block, y=None):
        """Learn vocabulary, weights and reduction.

        Parameters
        ----------
        block : data frame, or ndarray of shape (n_samples,) or (n_samples, n_columns)
            The texts.

        y : None
            Ignored.

        Returns
        -------
        self : TextModality
            The fitted modality.

        Raises
        ------
        TypeError
            If a value is not a string.

        ValueError
            If no text holds a word.
        """
        self._validate_params()
        self.make_augmentation()
        texts, self.n_columns_in_ = _read_texts(block)
        vectorizer = self.preprocessor
        if vectorizer is None:
            if not any(texts):
                raise ValueError("The text columns hold no text at all.")
            vectorizer = TfidfVectorizer(sublinear_tf=True, max_features=50_000)
        self.vectorizer_ = clone(vectorizer).fit(texts)
        vectors = self.vectorizer_.transform(texts)
        self.reducer_ = _fit_reducer(vectors, self.svd_dim, self.random_state)
        self.n_features_ = self.reducer_[-1].n_features_in_
        return self

    def transform(self, block):
        """Return the texts as vectors.

        Parameters
        ----------
        block : data frame, or ndarray of shape (n_samples,) or (n_samples, n_columns)
            Columns as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32
            Standardised vectors.

        Raises
        ------
        TypeError
            If a value is not a string.
        """
        texts, n_columns = _read_texts(block)
        self._check_fitted_width(n_columns)
        vectors = self.reducer_.transform(self.vectorizer_.transform(texts))
        return np.asarray(vectors, dtype=np.float32)

    def make_encoder(self, embed_dim):
        """Return a :class:`~skcoral.encoders.VectorEncoder` of width `embed_dim`."""
        return VectorEncoder(self.n_features_, embed_dim, self.n_tokens)


class EmbeddingModality(_BaseModality):
    """Dense vectors from anywhere, or sparse ones out of a vectorizer.

    Dense vectors are standardised; sparse ones are first reduced by a truncated SVD.

    Parameters
    ----------
    n_tokens : int, default=8
        Number of tokens that the encoder makes of a vector.

    svd_dim : int, default=128
        Width to which sparse vectors are reduced.

    augmentation : {"corrupt", "noise", "drop"}, sequence of these or callable, \
            default="corrupt"
        How a view is made, see :class:`TabularModality`.

    corruption_rate : float, default=0.3
        Probability that "corrupt" replaces a component.

    preprocessor : transformer, default=None
        A scikit-learn transformer that is applied to the block first.

    random_state : int, RandomState instance or None, default=None
        Seed of the SVD. None takes the seed of the estimator that holds the modality.

    Attributes
    ----------
    n_features_ : int
        Width of the vectors.

    n_columns_in_ : int
        Number of columns seen in `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoral import EmbeddingModality
    >>> vectors = np.random.default_rng(0).normal(size=(5, 3))
    >>> EmbeddingModality().fit(vectors).transform(vectors).shape
    (5, 3)
    """

    _parameter_constraints = {
        **_BaseModality._parameter_constraints,
        "n_tokens": POSITIVE_INT,
        "svd_dim": POSITIVE_INT,
    }

    def __init__(
        self,
        *,
        n_tokens=8,
        svd_dim=128,
        augmentation="corrupt",
        corruption_rate=0.3,
        preprocessor=None,
        random_state=None,
    ):
        self.n_tokens = n_tokens
        self.svd_dim = svd_dim
        self.augmentation = augmentation
        self.corruption_rate = corruption_rate
        self.preprocessor = preprocessor
        self.random_state = random_state

    def fit(self, block, y=None):
        """Learn the scale, and the reduction of sparse vectors.

        Parameters
        ----------
        block : ndarray or sparse matrix of shape (n_samples, n_columns), or data frame
            The vectors.

        y : None
            Ignored.

        Returns
        -------
        self : EmbeddingModality
            The fitted modality.

        Raises
        ------
        ValueError
            If the vectors are not two-dimensional or not finite.

        TypeError
            If they are not numbers.
        """
        self._validate_params()
        self.make_augmentation()
        if self.preprocessor is not None:
            self.preprocessor_ = clone(self.preprocessor).fit(block)
        self.n_columns_in_ = count_columns(block)
        vectors = self._vectors(block)
        self.reducer_ = _fit_reducer(vectors, self.svd_dim, self.random_state)
        self.n_features_ = self.reducer_[-1].n_features_in_
        return self

    def transform(self, block):
        """Return the standardised vectors.

        Parameters
        ----------
        block : ndarray or sparse matrix of shape (n_samples, n_columns), or data frame
            Columns as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32
            Standardised vectors.
        """
        self._check_fitted_width(count_columns(block))
        vectors = self.reducer_.transform(self._vectors(block))
        return np.asarray(vectors, dtype=np.float32)

    def make_encoder(self, embed_dim):
        """Return a :class:`~skcoral.encoders.VectorEncoder` of width `embed_dim`."""
        return VectorEncoder(self.n_features_, embed_dim, self.n_tokens)

    def _vectors(self, block):
        """Return the block as a float matrix, preprocessed, dense or sparse."""
        if self.preprocessor is not None:
            block = self.preprocessor_.transform(block)
        if sparse.issparse(block):
            return sparse.csr_matrix(block)
        return _read_matrix(block)


KINDS = {
    "tabular": TabularModality,
    "text": TextModality,
    "embedding": EmbeddingModality,
}


def _fit_reducer(vectors, svd_dim, random_state):
    """Fit the standardisation, after a truncated SVD where vectors are sparse."""
    reducer = _make_reducer(vectors, svd_dim, random_state)
    # Equal vectors have no variance; the share that the SVD explains is then 0 / 0.
    with np.errstate(invalid="ignore"):
        return reducer.fit(vectors)


def _make_reducer(vectors, svd_dim, random_state):
    if not sparse.issparse(vectors):
        return make_pipeline(StandardScaler())
    if vectors.shape[1] == 1:
        return make_pipeline(
            FunctionTransformer(methodcaller("toarray"), accept_sparse=True),
            StandardScaler(),
        )
    # There are no more directions than columns, nor after centring than rows less one.
    svd_dim = max(1, min(svd_dim, vectors.shape[1], vectors.shape[0] - 1))
    svd = TruncatedSVD(svd_dim, random_state=random_state)
    return make_pipeline(svd, StandardScaler())


def _preprocess(preprocessor, block):
    """Apply a user's transformer and return a finite float32 matrix."""
    out = preprocessor.transform(block)
    out = out.toarray() if sparse.issparse(out) else out
    return _read_matrix(out, allow_nan=True).astype(np.float32)


def _read_matrix(block, *, allow_nan=False):
    """Return a block of numbers as a float64 matrix; name the column that is none."""
    if not is_dataframe(block):
        block = np.asarray(block)
        if block.ndim != 2:
            raise ValueError(f"Expected 2-D vectors. Got shape {block.shape}.")
        if block.dtype.kind in "iuf":
            _check_finite("", block, allow_nan=allow_nan)
            return block
    columns = read_columns(block)
    for name, values in columns.items():
        if values.dtype.kind not in "fb":
            raise TypeError(f"Column {name!r} must be numeric. Got {_example(values)}.")
        _check_finite(f" in column {name!r}", values, allow_nan=allow_nan)
    return np.column_stack(list(columns.values())).astype(np.float64)


def _check_finite(where, values, *, allow_nan):
    if np.isinf(values).any():
        raise ValueError(f"Input X contains infinity{where}.")
    if not allow_nan and np.isnan(values).any():
        raise ValueError(f"Input X contains NaN{where}; vectors must be complete.")


def _kind_of(name, values):
    """Return the kind of a tabular column, having checked its values."""
    if values.dtype.kind == "M":
        return "datetime"
    if values.dtype.kind in "bf":
        _check_finite(f" in column {name!r}", values.astype(float), allow_nan=True)
        return "numeric"
    for value in values:
        if not isinstance(value, (str, Real, bool, type(None))):
            raise TypeError(
                f"Column {name!r}: argument must be a string or a real number, not "
                f"{type(value).__name__!r}."
            )
    return "categorical"


def _read_dates(values):
    """Return the features of dates; a column of gaps alone has no type of its own."""
    if _is_empty(values):
        values = np.full(len(values), np.datetime64("NaT", "us"))
    return date_features(values)


def _check_kind(name, values, expected):
    """Raise if a column holds another kind of values than at fit time."""
    if _is_empty(values):
        return
    kind = _kind_of(name, values)
    # Numbers may be levels: a categorical column is read as text anyway.
    if kind != expected and not (expected == "categorical" and kind == "numeric"):
        raise ValueError(
            f"Column {name!r} was {expected} at fit time and is {kind} now, for "
            f"example {_example(values)}."
        )


def _is_empty(values):
    return values.dtype.kind == "f" and np.isnan(values).all()


def _example(values):
    return repr(next((v for v in values.tolist() if v is not None), None))


def _as_levels(values):
    """Return a column as object array of str, NaN where missing."""
    levels = [np.nan if is_missing(v) else name_level(v) for v in values.tolist()]
    return np.array(levels, dtype=object)


def _read_texts(block):
    """Return a list of str, "" where missing, and the number of columns."""
    columns = read_columns(block)
    for name, values in columns.items():
        _check_texts(name, values)
    parts = [["" if v is None else v for v in _to_objects(c)] for c in columns.values()]
    return [" ".join(row).strip() for row in zip(*parts, strict=True)], len(columns)


def _to_objects(values):
    return [None] * len(values) if _is_empty(values) else values


def _check_texts(name, values):
    for row, value in enumerate(np.asarray(_to_objects(values)).tolist()):
        if value is not None and not isinstance(value, str):
            raise TypeError(
                f"Column {name!r} must hold strings or missing values. Got {value!r} "
                f"of type {type(value).__name__!r} in row {row}."
            )
