"""Blocks: what one modality has of each row, an array or (array, mask of what is real).

The mask has shape (n_samples, n_steps), or (n_samples, 1) where rows have no steps; a
row without a True is a row that lacks the modality.
"""

import contextlib
import math

import numpy as np

from skcoral._input.containers import is_mapped
from skcoral._input.presence import find_nonempty_rows
from skcoral._sklearn_compat import InvalidParameterError

# Rows of a memory-mapped array from which a spec learns, and which are read in one go.
MAPPED_FIT_ROWS = 50_000
MAPPED_CHUNK_ROWS = 10_000


class LazyBlock:
    """Rows of a memory-mapped array, or of files, transformed when they are needed.

    Parameters
    ----------
    name : str
        Name of the modality.

    spec : modality
        A fitted spec.

    source : ndarray
        The mapped array, or the cells that name files.

    rows : ndarray of int, default=None
        Positions in the source; all by default.

    present : ndarray of bool, default=None
        Which rows have the modality; looked up by default.
    """

    def __init__(self, name, spec, source, rows=None, present=None):
        self.name = name
        self.spec = spec
        self.source = source
        self.rows = np.arange(len(source)) if rows is None else rows
        self.present = self._find_present() if present is None else present

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, rows):
        rows = rows if isinstance(rows, slice) else np.asarray(rows)
        return LazyBlock(
            self.name, self.spec, self.source, self.rows[rows], self.present[rows]
        )

    def load(self):
        """Read and transform the rows."""
        with naming(self.name):
            return transform_block(self.spec, np.asarray(self.source[self.rows]))

    def _find_present(self):
        starts = range(0, len(self.source), MAPPED_CHUNK_ROWS)
        chunks = (self.source[start : start + MAPPED_CHUNK_ROWS] for start in starts)
        return np.concatenate(
            [find_nonempty_rows(np.asarray(chunk)) for chunk in chunks]
        )


@contextlib.contextmanager
def naming(modality, start=0):
    """Name the modality in errors of its spec, and where its rows begin in X."""
    where = f"Modality {modality!r}" + (f", rows from {start} on" if start else "")
    try:
        yield
    except (ValueError, TypeError) as error:
        # Some subclasses, UnicodeDecodeError say, are not made of one message.
        kinds = (InvalidParameterError, ValueError, TypeError)
        kind = next(kind for kind in kinds if isinstance(error, kind))
        raise kind(f"{where}: {error}") from error


def split_block(block):
    """Return the values and the mask of a block, None where all is real."""
    return block if isinstance(block, tuple) else (block, None)


def map_block(function, block):
    """Apply a function to a block, or to its values and its mask."""
    if isinstance(block, tuple):
        return tuple(function(part) for part in block)
    return function(block)


def count_rows(blocks):
    """Return the number of rows of a dict of blocks."""
    return len(split_block(next(iter(blocks.values())))[0])


def take_from_blocks(blocks, rows):
    """Return some rows of each block."""
    return {
        name: map_block(lambda part: part[rows], block)
        for name, block in blocks.items()
    }


def find_rows(block):
    """Return which rows have the modality, or None if all have it."""
    if isinstance(block, LazyBlock):
        present = block.present
    else:
        _, mask = split_block(block)
        if mask is None:
            return None
        present = mask.any(1)
    return None if present.all() else present


def drop_idle_mask(block):
    """Return a block without its mask if that hides nothing."""
    values, mask = (None, None) if isinstance(block, LazyBlock) else split_block(block)
    return block if mask is None or not mask.all() else values


def find_empty(blocks):
    """Return the positions of rows that lack every modality."""
    present = [find_rows(block) for block in blocks.values()]
    if any(rows is None for rows in present):
        return np.array([], dtype=int)
    return np.flatnonzero(~np.any(present, axis=0))


def fit_block(spec, block, name):
    """Fit a spec and return the transformed block, or a lazy one of a mapped array.

    A spec learns from all rows, or from an evenly spaced part of a mapped array.

    Raises
    ------
    ValueError
        If no row has the modality.
    """
    step = math.ceil(len(block) / MAPPED_FIT_ROWS) if is_mapped(block) else 1
    sample = block if step == 1 else np.asarray(block[::step])
    if not find_nonempty_rows(sample).any():
        raise ValueError("The modality is missing in every row.")
    return read_block(spec.fit(sample), block, name)


def read_block(spec, block, name):
    """Return the transformed block, or a lazy one of what is not read whole."""
    source = block if is_mapped(block) else _defer(spec, block)
    if source is not None:
        return LazyBlock(name, spec, source)
    return transform_block(spec, block)


def _defer(spec, block):
    """Ask a spec whether its block is better transformed batch by batch."""
    return spec.defer(block) if hasattr(spec, "defer") else None


def transform_block(spec, block):
    """Transform a block and mark the rows that lack the modality.

    Parameters
    ----------
    spec : modality
        A fitted spec.

    block : ndarray, sparse matrix or data frame
        The raw block.

    Returns
    -------
    ndarray or (ndarray, mask)
        Zeros stand where a row lacks the modality.
    """
    present = find_nonempty_rows(block)
    out = spec.transform(block)
    if present.all():
        return out
    values, mask = split_block(out)
    mask = np.ones((len(values), 1), dtype=bool) if mask is None else mask.copy()
    values[~present], mask[~present] = 0, False
    return values, mask
