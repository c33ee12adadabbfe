"""Blocks: what one modality has of each row, an array or (array, mask of what is real).

The mask has shape (n_samples, n_steps), or (n_samples, 1) where rows have no steps; a
row without a True is a row that lacks the modality.
"""

import numpy as np

from skcoral._columns import find_present


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
    _, mask = split_block(block)
    if mask is None:
        return None
    present = mask.any(1)
    return None if present.all() else present


def find_empty(blocks):
    """Return the positions of rows that lack every modality."""
    present = [find_rows(block) for block in blocks.values()]
    if any(rows is None for rows in present):
        return np.array([], dtype=int)
    return np.flatnonzero(~np.any(present, axis=0))


def fit_block(spec, block):
    """Fit a spec and return the transformed block.

    Raises
    ------
    ValueError
        If no row has the modality.
    """
    if not find_present(block).any():
        raise ValueError("The modality is missing in every row.")
    return transform_block(spec.fit(block), block)


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
    present = find_present(block)
    out = spec.transform(block)
    if present.all():
        return out
    values, mask = split_block(out)
    mask = np.ones((len(values), 1), dtype=bool) if mask is None else mask.copy()
    values[~present], mask[~present] = 0, False
    return values, mask
