"""Embeddings: dense vectors from any source, or sparse ones from a vectorizer."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone

from skcoral._constraints import POSITIVE_INT
from skcoral._input.arrays import read_cell
from skcoral._input.containers import count_columns, filter_rows
from skcoral._input.errors import naming_preprocessor
from skcoral._input.presence import find_nonempty_rows
from skcoral._types import RandomState
from skcoral.augmentations import Augmentation
from skcoral.modalities.base import (
    BaseModality,
    check_finite,
    fit_reducer,
    read_matrix,
    reduce_vectors,
)
from skcoral.nn.encoders.embedding import VectorEncoder
from skcoral.nn.linear_path import ColumnPath


class EmbeddingModality(BaseModality):
    """Dense vectors from any source, or sparse ones from a vectorizer.

    Dense vectors are standardised in float64, whatever their unit and level, at most a
    million standard deviations from their mean; sparse ones are first reduced by a
    truncated SVD.

    Parameters
    ----------
    n_tokens : int, default=8
        Number of tokens that the encoder makes from each vector.

    svd_dim : int, default=128
        Number of dimensions to which sparse vectors are reduced.

    augmentation : {"corrupt", "noise", "drop"}, sequence of these or callable, \
            default="corrupt"
        How views are made; see :class:`TabularModality`.

    corruption_rate : float, default=0.5
        Probability that "corrupt" replaces a component.

    preprocessor : transformer, default=None
        A scikit-learn transformer to apply to the block first.

    random_state : int, RandomState instance or None, default=None
        Seed of the SVD. None takes the seed of the estimator that holds the modality.

    Attributes
    ----------
    n_features_ : int
        Width of the transformed vectors.

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

    array_ndim = 2

    _parameter_constraints = {
        **BaseModality._parameter_constraints,
        "n_tokens": POSITIVE_INT,
        "svd_dim": POSITIVE_INT,
    }

    def __init__(
        self,
        *,
        n_tokens: int = 8,
        svd_dim: int = 128,
        augmentation: str | Sequence[str] | Augmentation = "corrupt",
        corruption_rate: float = 0.5,
        preprocessor: Any = None,
        random_state: RandomState = None,
    ) -> None:
        self.n_tokens = n_tokens
        self.svd_dim = svd_dim
        self.augmentation = augmentation
        self.corruption_rate = corruption_rate
        self.preprocessor = preprocessor
        self.random_state = random_state

    def fit(self, block: Any, y: None = None) -> Self:
        """Learn the scale, and the SVD if vectors are sparse.

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
        block = read_cell(block)
        self.n_columns_in_ = count_columns(block)
        block = filter_rows(block, find_nonempty_rows(block))
        if self.preprocessor is not None:
            with naming_preprocessor(self.preprocessor):
                self.preprocessor_ = clone(self.preprocessor).fit(block)
        vectors = self._vectors(block, fitting=True)
        self.reducer_ = fit_reducer(vectors, self.svd_dim, self.random_state)
        self.n_features_ = self.reducer_[-1].n_features_in_
        return self

    def transform(self, block: Any) -> NDArray[np.float32]:
        """Return the standardised vectors.

        Parameters
        ----------
        block : ndarray or sparse matrix of shape (n_samples, n_columns), or data frame
            Columns as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32
            Standardised vectors, zero where a row is missing entirely.
        """
        block = read_cell(block)
        self._check_fitted_width(count_columns(block))
        present = find_nonempty_rows(block)
        out = np.zeros((len(present), self.n_features_), dtype=np.float32)
        if present.any():
            vectors = self._vectors(filter_rows(block, present))
            out[present] = reduce_vectors(self.reducer_, vectors)
        return out

    def make_encoder(self, embed_dim: int) -> VectorEncoder:
        """Return a new encoder of width `embed_dim`."""
        return VectorEncoder(self.n_features_, embed_dim, self.n_tokens)

    def make_linear_path(self, embed_dim: int, unique_dim: int) -> ColumnPath:
        """Return a new linear path of the vectors, of width `unique_dim`."""
        return ColumnPath(self.n_features_, [], unique_dim)

    def _vectors(self, block: Any, *, fitting: bool = False) -> Any:
        """Return the block as a float matrix, preprocessed, dense or sparse."""
        if self.preprocessor is not None:
            with naming_preprocessor(self.preprocessor):
                block = self.preprocessor_.transform(block)
        if sparse.issparse(block):
            return _check_sparse(sparse.csr_matrix(block))
        return read_matrix(block, fitting=fitting)


def _check_sparse(vectors: Any) -> Any:
    """Raise if sparse vectors are not real numbers."""
    if vectors.dtype.kind not in "biuf":
        raise TypeError(f"Sparse vectors must be real. Got dtype {vectors.dtype}.")
    check_finite("", vectors.data, allow_nan=False)
    return vectors
