"""Blocks: those of a SliceDict as one table of raw features."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted
from skorch.helper import SliceDict

from skcoral._input.columns import read_columns
from skcoral._input.containers import is_dataframe
from skcoral._input.selection import BlockReader
from skcoral._input.validation import validate_X
from skcoral._sklearn_compat import check_feature_names_in, fit_context
from skcoral._types import Array, Rows
from skcoral.components._columns import name_components, place_components


class JoinBlocks(TransformerMixin, BaseEstimator):
    """Lay the blocks of a SliceDict side by side as one table of numbers.

    The output holds the raw features that a learnt representation is compared with. As
    the first step of a pipeline, it serves transformers that take one table, such as
    :class:`~sklearn.decomposition.PCA`. Blocks of more than two axes are flattened. A
    table, be it an array or a data frame, counts as one block.

    Parameters
    ----------
    blocks : list of str or None, default=None
        Blocks of the SliceDict to join, in this order; None joins all of them.

    Attributes
    ----------
    output_indices_ : dict of str to slice
        Columns of each block in the output; the key is "table" if X is not a SliceDict.

    n_features_in_ : int
        Number of blocks, or of columns of a table.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the blocks, or of the columns of a data frame.

    See Also
    --------
    sklearn.compose.ColumnTransformer : Transforms groups of columns of a table.
    MultiviewAdapter : For methods that take the blocks separately.

    Notes
    -----
    Missing values are kept; :class:`~sklearn.impute.SimpleImputer` may follow. The
    output is sparse if any block is.

    Examples
    --------
    >>> import numpy as np
    >>> from skorch.helper import SliceDict
    >>> from skcoral.evaluation import JoinBlocks
    >>> X = SliceDict(a=np.ones((3, 2)), b=np.zeros((3, 2, 2)))
    >>> join = JoinBlocks()
    >>> join.fit_transform(X).shape, join.output_indices_["b"]
    ((3, 6), slice(2, 6, None))
    >>> join.get_feature_names_out().tolist()
    ['a_0', 'a_1', 'b_0', 'b_1', 'b_2', 'b_3']
    """

    _parameter_constraints = {"blocks": [list, tuple, None]}

    def __init__(self, blocks: Sequence[str] | None = None) -> None:
        self.blocks = blocks

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Rows, y: None = None) -> Self:
        """Learn the names and widths of the blocks.

        Parameters
        ----------
        X : SliceDict, data frame or array-like of shape (n_samples, n_features)
            The rows.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        TypeError
            If X is a plain dict or a list of blocks.

        ValueError
            If a block is unknown or not numeric.
        """
        X = validate_X(self, X, reset=True)
        self._reader_ = BlockReader(self._find_columns(X)).fit(X)
        widths = {name: matrix.shape[1] for name, matrix in self._read(X).items()}
        self.output_indices_ = place_components(widths)
        return self

    def transform(self, X: Rows) -> Any:
        """Return the blocks side by side.

        Parameters
        ----------
        X : SliceDict, data frame or array-like of shape (n_samples, n_features)
            Rows with the blocks of `fit`.

        Returns
        -------
        ndarray or sparse matrix of shape (n_samples, n_features_out)
            The numbers: float32 if all blocks are, otherwise float64.

        Raises
        ------
        ValueError
            If the blocks differ from those of `fit`, or one has another width.
        """
        check_is_fitted(self, "output_indices_")
        X = validate_X(self, X, reset=False, used=self._reader_.used_)
        matrices = self._read(X)
        for name, columns in self.output_indices_.items():
            _check_width(name, matrices[name], columns.stop - columns.start)
        if any(map(sparse.issparse, matrices.values())):
            return sparse.hstack(list(matrices.values()), format="csr")
        return np.hstack(list(matrices.values()))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> Array:
        """Return the names of the output columns, such as "image_07".

        Parameters
        ----------
        input_features : array-like of str, default=None
            Compared with the names seen in `fit`, or names for the columns of an array.

        Returns
        -------
        ndarray of shape (n_features_out,), object
            Block and position, or the names of a table's columns.
        """
        check_is_fitted(self, "output_indices_")
        names = check_feature_names_in(self, input_features)
        in_blocks = isinstance(next(iter(self._reader_.places_.values())), str)
        return name_components(self.output_indices_) if in_blocks else names

    def _find_columns(self, X: Rows) -> dict[str, Any]:
        """Return the columns of each block in X: a key, or positions."""
        if isinstance(X, SliceDict):
            names = list(X) if self.blocks is None else self.blocks
            if not names or len(set(names)) < len(names):
                raise ValueError(
                    "The 'blocks' parameter of JoinBlocks must be distinct names, one "
                    f"at least. Got {self.blocks!r} instead."
                )
            return {name: name for name in names}
        if self.blocks is not None:
            raise ValueError(
                "The 'blocks' parameter of JoinBlocks must be None where X is no "
                f"SliceDict. Got {self.blocks!r} instead."
            )
        return {"table": list(range(X.shape[1]))}

    def _read(self, X: Rows) -> dict[str, Any]:
        self._reader_.check(X)
        names = self._reader_.places_
        return {n: _as_matrix(n, self._reader_.read(X, n)) for n in names}

    def __sklearn_tags__(self) -> Tags:
        """Return the tags: missing values and float32 are kept."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _as_matrix(name: str, block: Any) -> Any:
    """Return a block as a 2-D array of floats, or unchanged if it is sparse."""
    if sparse.issparse(block):
        return block
    try:
        if is_dataframe(block) or block.dtype.kind not in "iufb":
            columns = read_columns(block).values()
            columns = [_as_numbers(values) for values in columns]
            return np.column_stack(columns)
    except ValueError as error:
        raise ValueError(
            f"The block {name!r} must be numeric; give text and categories a "
            f"transformer of their own. {error}"
        ) from error
    precision = block.dtype if block.dtype in (np.float32, np.float64) else np.float64
    return block.reshape(len(block), -1).astype(precision, copy=False)


def _as_numbers(values: Array) -> Array:
    """Return a column as floats; dates do not count as numbers."""
    if values.dtype.kind == "M":
        raise ValueError("Got dates.")
    return values.astype(np.float64)


def _check_width(name: str, matrix: Any, width: int) -> None:
    if matrix.shape[1] != width:
        raise ValueError(
            f"The block {name!r} has {matrix.shape[1]} features, but JoinBlocks was "
            f"fitted with {width}."
        )
