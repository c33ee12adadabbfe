"""Containers: operations that differ between arrays, data frames and SliceDicts."""

import narwhals as nw
import numpy as np


def is_dataframe(X):
    """Return whether X is a pandas, polars or other data frame that narwhals reads."""
    return nw.dependencies.is_into_dataframe(X)


def column_names(X):
    """Return the column names of a data frame, whatever its library."""
    return list(nw.from_native(X, eager_only=True).columns)


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


def list_cells(block):
    """Return the cells of a single-column block as a list of Python objects."""
    if count_columns(block) != 1:
        raise ValueError(f"Expected a single column. Got {count_columns(block)}.")
    if is_dataframe(block):
        return nw.from_native(block, eager_only=True)[:, 0].to_list()
    return list(block if block.ndim == 1 else block[:, 0])
