"""The modality contract, the base class of kinds, and helpers that kinds share."""

from typing import Any, ClassVar, Protocol, Self

import numpy as np
from scipy import sparse
from scipy.fft import dct
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import TruncatedSVD
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

from skcoral._constraints import PROBABILITY, TRANSFORMER
from skcoral._input.columns import read_columns
from skcoral._input.containers import is_dataframe
from skcoral._input.errors import describe, naming_preprocessor
from skcoral._input.numbers import check_distinct, holds_numbers, to_floats
from skcoral._sklearn_compat import StrOptions
from skcoral._types import Array, RandomState
from skcoral.augmentations import (
    Augmentation,
    Compose,
    Drop,
    MarginalCorruption,
    Noise,
)
from skcoral.modalities._scalers import BoundedScaler, SparseScaler
from skcoral.nn.encoders.base import Encoder
from skcoral.nn.linear_path import LinearPath

# Decorates functions that call transformers of our own: these return arrays, whatever
# output a user has configured. Those of users follow the configuration.
RETURNING_ARRAYS = config_context(transform_output="default")
AUGMENTATIONS = {"corrupt", "noise", "drop"}


class Modality(Protocol):
    """Interface of a kind of modality; the package relies on nothing else.

    A modality is also a scikit-learn estimator, so that it can be cloned, configured
    and displayed.

    Attributes
    ----------
    array_ndim : int or None
        Number of axes, including samples, of the numeric arrays in a `SliceDict` that
        "auto" assigns to this kind; None if it assigns none.

    reads_strings : bool
        Whether the kind reads raw strings.

    takes_lengths : bool
        Whether a second key of a `SliceDict` may hold the lengths of its sequences.
    """

    array_ndim: ClassVar[int | None]
    reads_strings: ClassVar[bool]
    takes_lengths: ClassVar[bool]

    @staticmethod
    def claims(values: np.ndarray) -> bool:
        """Return whether "auto" gives a column of these values to this kind."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name."""

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name."""

    def fit(self, block: Any, y: None = None) -> Self:
        """Learn scales, levels or a vocabulary."""

    def transform(self, block: Any) -> Any:
        """Return an array, or (array, mask), True at real steps."""

    def defer(self, block: Any) -> np.ndarray | None:
        """Return cells to be transformed batch by batch, or None to do it at once."""

    def remark(self, block: Any, values: Any) -> str | None:
        """Return what users should be warned of in a transformed block, or None."""

    def vectorize(self, values: Array, mask: Array | None) -> dict[str, Any]:
        """Return plain features of the rows of a transformed block, by their kind."""

    def make_encoder(self, embed_dim: int) -> Encoder:
        """Return a new encoder for the arrays that `transform` returns."""

    def make_linear_path(self, embed_dim: int, unique_dim: int) -> LinearPath | None:
        """Return a new linear path to the unique embedding, or None for none."""

    def make_augmentation(self) -> Augmentation:
        """Return the callable that makes one view of a batch."""


class BaseModality(BaseEstimator):
    """Base class of all kinds of modality, with default declarations and views.

    A kind implements `fit`, `transform` and `make_encoder`, overrides the class
    attributes below where it differs, and may override `make_augmentation`.
    """

    # Declarations of a kind; see `Modality`.
    array_ndim: ClassVar[int | None] = None
    reads_strings: ClassVar[bool] = False
    takes_lengths: ClassVar[bool] = False

    _parameter_constraints = {
        "augmentation": [StrOptions(AUGMENTATIONS), "array-like", callable],
        "corruption_rate": PROBABILITY,
        "preprocessor": TRANSFORMER,
        "random_state": ["random_state"],
    }

    def __sklearn_clone__(self) -> Self:
        """Return an unfitted copy, which shares a frozen model."""
        params = {
            name: value if name == "encoder" else clone(value, safe=False)
            for name, value in self.get_params(deep=False).items()
        }
        return type(self)(**params)

    @staticmethod
    def claims(values: np.ndarray) -> bool:
        """Return whether "auto" gives a column of these values to this kind.

        Parameters
        ----------
        values : ndarray of shape (n_samples,)
            The values of the column; missing objects are None.

        Returns
        -------
        bool
            False in the base class; kinds that claim columns inspect the values.
        """
        return False

    def fit(self, block: Any, y: None = None) -> Self:
        """Learn what `transform` needs from a block."""
        raise NotImplementedError

    def transform(self, block: Any) -> Any:
        """Turn a block into an array, with what `fit` learnt."""
        raise NotImplementedError

    def defer(self, block: Any) -> np.ndarray | None:
        """Return cells to be transformed batch by batch, or None to do it at once.

        Parameters
        ----------
        block : ndarray, sparse matrix or data frame
            The raw block.

        Returns
        -------
        ndarray of shape (n_samples,), or None
            None in the base class: the block is transformed at once.
        """
        return None

    def remark(self, block: Any, values: Any) -> str | None:
        """Return what users should be warned of in a transformed block, or None.

        Parameters
        ----------
        block : ndarray, sparse matrix or data frame
            The raw block.

        values : ndarray
            What `transform` has made of it.

        Returns
        -------
        str or None
            None in the base class. A warning adds the name of the modality.
        """
        return None

    def vectorize(self, values: Array, mask: Array | None) -> dict[str, Any]:
        """Return plain features of rows, which predictors use beside the network's.

        Parameters
        ----------
        values : ndarray, first axis = samples
            Rows of what `transform` returns.

        mask : ndarray of shape (n_samples, n_steps) or None
            True at real steps; None if all are.

        Returns
        -------
        dict of str to ndarray or sparse matrix of shape (n_samples, n_features)
            Features by kind. In the base class, the values themselves.
        """
        return {"values": values.reshape(len(values), -1)}

    def make_encoder(self, embed_dim: int) -> Encoder:
        """Return a new encoder for the arrays of `transform`."""
        raise NotImplementedError

    def make_linear_path(self, embed_dim: int, unique_dim: int) -> LinearPath | None:
        """Return a new linear path of the arrays of `transform`; None by default."""
        return None

    def make_augmentation(self) -> Augmentation:
        """Return the callable ``(tensor, mask, generator) -> tensor`` of one view."""
        corrupt = MarginalCorruption(self.corruption_rate)
        known: dict[str, Augmentation] = {
            "corrupt": corrupt,
            "noise": Noise(),
            "drop": Drop(),
        }
        return self._compose(known, default="corrupt")

    def _compose(
        self, known: dict[str, Augmentation], default: str | None = None
    ) -> Augmentation:
        """Look up the augmentations named in `augmentation`, in order."""
        if callable(self.augmentation):
            return self.augmentation
        words: Any = default if self.augmentation is None else self.augmentation
        words = [words] if isinstance(words, str) else list(words)
        for word in words:
            if word not in known:
                raise ValueError(
                    f"The 'augmentation' parameter of {type(self).__name__} must be "
                    f"made of {sorted(known)}. Got {word!r} instead."
                )
        return Compose([known[word] for word in words])

    def _check_fitted_width(self, n_columns: int) -> None:
        """Check the number of columns against that seen in `fit`."""
        check_is_fitted(self)
        if n_columns != self.n_columns_in_:
            raise ValueError(
                f"The block has {n_columns} columns, but had {self.n_columns_in_} "
                "at fit time."
            )


@RETURNING_ARRAYS
def fit_reducer(vectors: Any, svd_dim: int, random_state: RandomState) -> Pipeline:
    """Fit the standardisation, after a truncated SVD if vectors are sparse."""
    reducer = _make_reducer(vectors, svd_dim, random_state)
    # Equal vectors have no variance, of which the SVD explains a share: 0 / 0, or more.
    with np.errstate(invalid="ignore", divide="ignore"):
        return reducer.fit(vectors)


@RETURNING_ARRAYS
def reduce_vectors(reducer: Pipeline, vectors: Any) -> Array:
    """Return vectors as `fit_reducer` has learnt to reduce and standardise them."""
    return reducer.transform(vectors)


def _make_reducer(vectors: Any, svd_dim: int, random_state: RandomState) -> Pipeline:
    if not sparse.issparse(vectors):
        return make_pipeline(BoundedScaler())
    if vectors.shape[1] == 1:
        return make_pipeline(
            FunctionTransformer(to_dense, accept_sparse=True),
            BoundedScaler(),
        )
    # There are at most as many directions as columns and, after centring, rows less
    # one.
    svd_dim = max(1, min(svd_dim, vectors.shape[1], vectors.shape[0] - 1))
    svd = TruncatedSVD(svd_dim, random_state=random_state)
    rotation = FunctionTransformer(rotate)
    return make_pipeline(SparseScaler(), svd, rotation, BoundedScaler())


def rotate(vectors: Array) -> Array:
    """Return vectors whose columns vary about equally; distances stay as they are.

    Where the first columns vary most, as those of an SVD do, dividing each by its
    deviation would make the last ones count as much as the first.
    """
    return dct(vectors, axis=1, norm="ortho")


def to_dense(vectors: Any) -> Array:
    """Return sparse vectors as an array."""
    return vectors.toarray()


def preprocess(preprocessor: Any, block: Any, *, fitting: bool = False) -> Array:
    """Apply a user's transformer and return a matrix of numbers or NaN."""
    with naming_preprocessor(preprocessor):
        out = preprocessor.transform(block)
    out = out.toarray() if sparse.issparse(out) else out
    return read_matrix(out, allow_nan=True, fitting=fitting)


def read_matrix(block: Any, *, allow_nan: bool = False, fitting: bool = False) -> Array:
    """Return a block of numbers as a matrix; errors name the column at fault.

    In `fit`, integers that are equal in float64, but not among themselves, are refused:
    their differences would be lost.
    """
    if not is_dataframe(block):
        block = np.asarray(block)
        if block.ndim != 2:
            raise ValueError(f"Expected 2-D vectors. Got shape {block.shape}.")
        if block.dtype.kind in "iuf":
            check_finite("", block, allow_nan=allow_nan)
            if fitting:
                _check_columns(dict(enumerate(block.T)))
            return block
    columns = read_columns(block)
    for name, values in columns.items():
        if not holds_numbers(values):
            raise TypeError(f"Column {name!r} must be numeric. Got {example(values)}.")
        where = f" in column {name!r}"
        check_finite(where, to_floats(values), allow_nan=allow_nan)
    if fitting:
        _check_columns(columns)
    return np.column_stack([to_floats(values) for values in columns.values()])


def _check_columns(columns: dict[Any, Array]) -> None:
    for name, values in columns.items():
        check_distinct(f"Column {name!r}", values)


def check_finite(where: str, values: Array, *, allow_nan: bool) -> None:
    """Raise if values are infinite as float64, or missing although not allowed."""
    with np.errstate(over="ignore"):
        if values.dtype.itemsize > 8:  # the type has a larger range
            values = values.astype(np.float64)
    if np.isinf(values).any():
        raise ValueError(f"Input X contains infinity{where}.")
    if not allow_nan and np.isnan(values).any():
        raise ValueError(f"Input X contains NaN{where}; vectors must be complete.")


def is_empty(values: Array) -> bool:
    """Return whether a column has only missing values."""
    return values.dtype.kind == "f" and bool(np.isnan(values).all())


def example(values: Array) -> str:
    """Return the repr of the first value that is not missing."""
    return describe(next((v for v in values.tolist() if v is not None), None))
