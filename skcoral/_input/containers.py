"""Containers: operations that differ between arrays, data frames and SliceDicts."""

from collections import Counter

import narwhals as nw
import numpy as np
from narwhals.exceptions import DuplicateError
from scipy import sparse

from skcoral._input.arrays import check_dtype, is_series, read_array, read_cell


def is_dataframe(X):
    """Return whether X is a pandas, polars or other data frame that narwhals reads."""
    return nw.dependencies.is_into_dataframe(X)


def column_names(X):
    """Return the column names of a data frame, whatever its library.

    Raises
    ------
    ValueError
        If two columns have the same name.
    """
    try:
        return list(nw.from_native(X, eager_only=True).columns)
    except DuplicateError as error:
        names = list(getattr(X, "column_names", X.columns))
        name, n = Counter(names).most_common(1)[0]
        raise ValueError(
            f"Column names must be unique. Got {name!r} {n} times."
        ) from error


def read_block(block):
    """Return a block of a SliceDict, tensors and what resembles an array as an array.

    Parameters
    ----------
    block : array-like, tensor, sparse matrix, series or data frame
        The block, first axis = samples.

    Returns
    -------
    ndarray, sparse matrix, series or data frame
        See `read_array`; sparse matrices are in the format of compressed rows.

    Raises
    ------
    TypeError, ValueError
        If no modality reads such a block.
    """
    if is_series(block):
        return block
    if is_dataframe(block):
        column_names(block)
        return block
    if not sparse.issparse(block):
        return read_array(block)
    if block.ndim != 2:
        raise ValueError(f"A sparse block has two axes. Got shape {block.shape}.")
    check_dtype(block.dtype)
    return block.tocsr()


def is_mapped(block):
    """Return whether an array, or the array it is a view of, is memory-mapped."""
    while isinstance(block, np.ndarray) and not isinstance(block, np.memmap):
        block = block.base
    return isinstance(block, np.memmap)


def count_columns(block):
    """Return the number of columns of a block; one if it is 1-D."""
    return block.shape[1] if len(block.shape) > 1 else 1


def take_columns(X, positions):
    """Return the selected columns of a data frame or array, in the same container."""
    if not is_dataframe(X):
        consecutive = positions == list(range(positions[0], positions[-1] + 1))
        # A slice makes no copy, which matters for memory-mapped arrays.
        return X[
            :, slice(positions[0], positions[-1] + 1) if consecutive else positions
        ]
    frame = nw.from_native(X, eager_only=True)
    if positions == list(range(frame.shape[1])):
        return X
    return frame[:, positions].to_native()


def slice_rows(X, rows):
    """Return a slice of the rows of an array, data frame or SliceDict."""
    if is_dataframe(X):
        return nw.from_native(X, eager_only=True)[rows].to_native()
    return X[rows]


def filter_rows(block, present):
    """Return the rows of a block that a mask selects, in the same container."""
    if present.all():
        return block
    if is_dataframe(block):
        frame = nw.from_native(block, eager_only=True)
        return frame.filter(present.tolist()).to_native()
    return block[present]


def refuse_sparse(block):
    """Raise TypeError if a block is sparse."""
    if sparse.issparse(block):
        raise TypeError(
            "sparse blocks are for the 'embedding' modality; make it dense for another."
        )


def list_cells(block):
    """Return the cells of a single-column block as a list of Python objects."""
    refuse_sparse(block)
    if count_columns(block) != 1:
        raise ValueError(f"Expected a single column. Got {count_columns(block)}.")
    if is_dataframe(block):
        return list_series(nw.from_native(block, eager_only=True)[:, 0])
    return list(block if block.ndim == 1 else block[:, 0])


def list_series(series):
    """Return the cells of a series of narwhals as a list of Python objects."""
    return [read_cell(value) for value in series.to_list()]
