"""Blocks: the rows of one modality, transformed for the network or read lazily.

A block is an array or a pair (array, mask), where the mask is True at real steps. It
has shape (n_samples, n_steps), or (n_samples, 1) if rows have no steps; a row without
any True lacks the modality. Batches hold tensors instead of arrays.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from skcoral._input.presence import find_nonempty_rows, find_present
from skcoral._types import Array

# What `transform` of a modality returns: values, or (values, mask).
ArrayBlock: TypeAlias = Array | tuple[Array, Array]
# The same in a batch, and a batch: one block per modality, by name.
TensorBlock: TypeAlias = torch.Tensor | tuple[torch.Tensor, torch.Tensor]
Batch: TypeAlias = Mapping[str, TensorBlock]
# Any block, and the blocks of a table by modality.
Block: TypeAlias = "ArrayBlock | TensorBlock | LazyBlock"
Blocks: TypeAlias = Mapping[str, Block]

# Number of rows of a memory-mapped array that are read at once.
MAPPED_CHUNK_ROWS = 10_000


class LazyBlock:
    """Rows of a memory-mapped array, or of files, transformed on demand.

    Parameters
    ----------
    transform : callable
        Turns raw rows into a block.

    source : ndarray
        The memory-mapped array, or the cells with paths of files.

    rows : ndarray of int, default=None
        Indices into the source; all rows by default.

    present : ndarray of bool, default=None
        True at rows that have the modality; determined from the source by default.
    """

    def __init__(
        self,
        transform: Callable[[Array], ArrayBlock],
        source: Array,
        rows: Array | None = None,
        present: Array | None = None,
    ) -> None:
        self.transform = transform
        self.source = source
        self.rows = np.arange(len(source)) if rows is None else rows
        self.present = self._look_up() if present is None else present

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: Any) -> "LazyBlock":
        rows = rows if isinstance(rows, slice) else np.asarray(rows)
        part = self.rows[rows], self.present[rows]
        return LazyBlock(self.transform, self.source, *part)

    def load(self) -> ArrayBlock:
        """Read and transform the rows."""
        return self.transform(np.asarray(self.source[self.rows]))

    def _look_up(self) -> NDArray[np.bool_]:
        starts = range(0, len(self.source), MAPPED_CHUNK_ROWS)
        chunks = (self.source[start : start + MAPPED_CHUNK_ROWS] for start in starts)
        return np.concatenate([find_nonempty_rows(np.asarray(c)) for c in chunks])


def split_block(block: Any) -> tuple[Any, Any]:
    """Return the values and the mask of a block; the mask is None if all is real."""
    return block if isinstance(block, tuple) else (block, None)


def map_block(function: Callable[[Any], Any], block: Any) -> Any:
    """Apply a function to a block's array, or to its values and its mask."""
    if isinstance(block, tuple):
        return tuple(function(part) for part in block)
    return function(block)


def count_rows(blocks: Blocks | Batch) -> int:
    """Return the number of rows of the blocks."""
    return len(split_block(next(iter(blocks.values())))[0])


def take_from_blocks(blocks: Blocks, rows: Any) -> dict[str, Any]:
    """Return the selected rows of each block."""
    return {
        name: map_block(lambda part: part[rows], block)
        for name, block in blocks.items()
    }


def keep_rows(blocks: Blocks, kept: NDArray[np.bool_]) -> Blocks:
    """Return the rows that a mask selects, without a copy if it selects all."""
    return blocks if kept.all() else take_from_blocks(blocks, kept)


def find_rows(block: Block) -> Any:
    """Return which rows of a block have the modality, or None if all have it."""
    if isinstance(block, LazyBlock):
        return None if block.present.all() else block.present
    return find_present(split_block(block)[1])


def drop_idle_mask(block: Block) -> Any:
    """Return a block without its mask if the mask hides nothing."""
    values, mask = (None, None) if isinstance(block, LazyBlock) else split_block(block)
    return block if mask is None or not mask.all() else values


def find_empty(blocks: Blocks) -> NDArray[np.int_]:
    """Return the indices of rows that lack every modality."""
    present = [find_rows(block) for block in blocks.values()]
    if any(rows is None for rows in present):
        return np.array([], dtype=int)
    return np.flatnonzero(~np.any(present, axis=0))


def find_filled(
    blocks: Blocks,
    empty_rows: str,
    *,
    start: int = 0,
    min_samples: int = 0,
    owner: str | None = None,
) -> NDArray[np.bool_]:
    """Return which rows have at least one modality.

    Parameters
    ----------
    blocks : dict of str to block
        One block per modality.

    empty_rows : {"error", "nan"}
        Whether rows that lack every modality raise an error.

    start : int, default=0
        Index of the first row within X, for error messages.

    min_samples : int, default=0
        Minimum number of rows with at least one modality.

    owner : str, default=None
        Name of the estimator that requires them, for error messages.

    Returns
    -------
    ndarray of shape (n_samples,), bool
        False at rows that lack every modality.

    Raises
    ------
    ValueError
        If a row lacks every modality and `empty_rows` is "error", or if fewer than
        `min_samples` rows are left.
    """
    empty = find_empty(blocks)
    if len(empty) and empty_rows == "error":
        raise ValueError(
            f"{len(empty)} rows of X lack every modality, the first of them row "
            f"{start + empty[0]}. Leave them out, or set empty_rows='nan'."
        )
    n_filled = count_rows(blocks) - len(empty)
    if n_filled < min_samples:
        raise ValueError(
            f"Found {n_filled} row(s) that have any modality while a minimum of "
            f"{min_samples} is required by {owner}."
        )
    return np.isin(np.arange(count_rows(blocks)), empty, invert=True)
