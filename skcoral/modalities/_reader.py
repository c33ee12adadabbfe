"""The reader of all modalities, from X to transformed blocks."""

import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from skcoral._input.blocks import (
    ArrayBlock,
    Block,
    Blocks,
    LazyBlock,
    find_filled,
    keep_rows,
    split_block,
)
from skcoral._input.containers import is_mapped, slice_rows
from skcoral._input.errors import naming
from skcoral._input.presence import find_nonempty_rows
from skcoral._input.selection import BlockReader
from skcoral._types import Array, Rows
from skcoral.modalities._specs import Specs, make_spec
from skcoral.modalities.base import Modality

# Maximum number of rows of a memory-mapped array that a spec is fitted on.
SAMPLE_ROWS = 50_000
# Number of rows that a function is applied to at once, to bound memory use.
ROWS_AT_ONCE = 2**15


class ModalityReader:
    """Fit the modalities on X, then read their blocks from X.

    Parameters
    ----------
    modalities : list of (name, spec, columns)
        The modalities; specs are instances or names of kinds, and are not changed.

    seed : int
        Seed for every random part of a spec that has no seed of its own.

    Attributes
    ----------
    modalities : list of (name, spec, columns)
        The modalities, whose specs are new and, from `fit_read` on, fitted.
    """

    def __init__(self, modalities: Specs, seed: int) -> None:
        self.modalities = [
            (name, make_spec(spec, seed), columns) for name, spec, columns in modalities
        ]
        self.raw_reader = BlockReader(
            {name: columns for name, _, columns in self.modalities},
            {name for name, spec, _ in self.modalities if spec.takes_lengths},
        )

    def fit_read(self, X: Rows) -> dict[str, Any]:
        """Fit all specs, and return the transformed blocks by name.

        Raises
        ------
        ValueError
            If columns cannot be found, if a modality is missing in every row, or if a
            spec raises it; the message names the modality.
        """
        self.raw_reader.fit(X)
        blocks = {}
        for name, spec, _ in self.modalities:
            with naming(name):
                block = self.raw_reader.read(X, name)
                _fit_spec(spec, block)
                blocks[name] = _read_block(spec, name, block)
            _warn_of(spec, name, block, blocks[name])
        return blocks

    def read(self, X: Rows, start: int = 0) -> dict[str, Any]:
        """Return the transformed blocks by name.

        Parameters
        ----------
        X : ndarray, data frame or SliceDict
            Rows that passed `validate_X`.

        start : int, default=0
            Index of the first row within a larger X, for error messages.

        Raises
        ------
        ValueError
            If X is a different container than in `fit_read`, or if a spec raises it.
        """
        self.raw_reader.check(X)
        blocks = {}
        for name, spec, _ in self.modalities:
            with naming(name, start):
                block = self.raw_reader.read(X, name)
                blocks[name] = _read_block(spec, name, block)
            if not start:  # one warning a call, not one a chunk
                _warn_of(spec, name, block, blocks[name])
        return blocks

    def map_rows(
        self,
        function: Callable[[Blocks], Array],
        X: Rows,
        n_columns: int,
        empty_rows: str,
    ) -> NDArray[np.float32]:
        """Apply a function of blocks to all rows, chunk by chunk.

        Parameters
        ----------
        function : callable
            Takes blocks and returns an array of shape (n_samples, n_columns).

        X : ndarray, data frame or SliceDict
            Rows that passed `validate_X`.

        n_columns : int
            Number of columns of the result.

        empty_rows : {"error", "nan"}
            Whether rows that lack every modality raise an error or give NaN.

        Returns
        -------
        ndarray of shape (n_samples, n_columns), float32
            NaN where a row lacks every modality.
        """
        out = np.full((len(X), n_columns), np.nan, dtype=np.float32)
        for rows in gen_batches(len(out), ROWS_AT_ONCE):
            part = X if len(out) <= ROWS_AT_ONCE else slice_rows(X, rows)
            blocks = self.read(part, rows.start)
            filled = find_filled(blocks, empty_rows, start=rows.start)
            if filled.any():
                out[rows][filled] = function(keep_rows(blocks, filled))
        return out


def _fit_spec(spec: Modality, block: Any) -> None:
    """Fit a spec on all rows, or on evenly spaced rows of a memory-mapped array."""
    step = math.ceil(len(block) / SAMPLE_ROWS) if is_mapped(block) else 1
    sample = block if step == 1 else np.asarray(block[::step])
    if not find_nonempty_rows(sample).any():
        raise ValueError("The modality is missing in every row.")
    spec.fit(sample)


def _warn_of(spec: Modality, name: str, raw: Any, block: Block) -> None:
    """Warn of what a spec remarks on a block that is not read batch by batch."""
    if isinstance(block, LazyBlock):
        return
    remark = spec.remark(raw, split_block(block)[0])
    if remark is not None:
        warnings.warn(f"Modality {name!r}: {remark}", stacklevel=4)


def _read_block(spec: Modality, name: str, block: Any) -> ArrayBlock | LazyBlock:
    """Return the transformed block, or a lazy one if it is read batch by batch."""
    source = block if is_mapped(block) else spec.defer(block)
    if source is None:
        return transform_block(spec, block)
    return LazyBlock(partial(_load, spec, name), source)


def _load(spec: Modality, name: str, block: Any) -> ArrayBlock:
    """Transform the rows of a lazy block."""
    with naming(name):
        return transform_block(spec, block)


def transform_block(spec: Modality, block: Any) -> ArrayBlock:
    """Transform a block and mask the rows that lack the modality.

    Parameters
    ----------
    spec : modality
        A fitted spec.

    block : ndarray, sparse matrix or data frame
        The raw block.

    Returns
    -------
    ndarray or (ndarray, mask)
        The transformed block, with zeros where a row lacks the modality.
    """
    present = find_nonempty_rows(block)
    out = spec.transform(block)
    if present.all():
        return out
    values, mask = split_block(out)
    mask = np.ones((len(values), 1), dtype=bool) if mask is None else mask.copy()
    values[~present], mask[~present] = 0, False
    return values, mask
