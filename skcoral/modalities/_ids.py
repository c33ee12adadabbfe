"""Ids: the words or subwords of texts as padded arrays of ids."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.utils.extmath import randomized_svd

from skcoral._types import Array, RandomState
from skcoral.modalities.base import RETURNING_ARRAYS

# Word ids start after padding (0) and the id for texts without known words (1).
PADDING, UNKNOWN, FIRST_WORD = 0, 1, 2


def list_heaviest(weights: Any, n_tokens: int) -> NDArray[np.int32]:
    """Return the ids of each row's words of largest weight, by decreasing weight."""
    n_words = np.diff(weights.indptr)
    rows = np.repeat(np.arange(len(n_words)), n_words)
    order = np.lexsort((weights.indices, -weights.data, rows))
    ranks = np.arange(len(rows)) - np.repeat(weights.indptr[:-1], n_words)
    kept = ranks < n_tokens
    ids = np.full((len(n_words), n_tokens), PADDING, dtype=np.int32)
    ids[rows[kept], ranks[kept]] = FIRST_WORD + weights.indices[order][kept]
    ids[n_words == 0, 0] = UNKNOWN
    return ids


def count_ids(ids: NDArray[np.int32], n_ids: int) -> Any:
    """Return how often each word or subword id occurs in each text."""
    rows, places = np.nonzero(ids >= FIRST_WORD)
    ones = np.ones(len(rows), dtype=np.float32)
    return sparse.csr_matrix((ones, (rows, ids[rows, places])), (len(ids), n_ids))


@RETURNING_ARRAYS
def find_directions(counts: Any, n_directions: int, random_state: RandomState) -> Array:
    """Return the coordinates of each id by latent semantic analysis."""
    weights = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    n_directions = min(n_directions, *counts.shape)
    _, scale, directions = randomized_svd(
        weights, n_directions, random_state=random_state
    )
    directions[:, counts.getnnz(axis=0) == 0] = 0.0  # only rounding errors there
    return directions.T * scale


def pad_ids(rows: list[list[int]], n_tokens: int) -> NDArray[np.int32]:
    """Return lists of ids as an array, truncated and padded; UNKNOWN if empty."""
    ids = np.full((len(rows), n_tokens), PADDING, dtype=np.int32)
    for row, values in enumerate(rows):
        values = values[:n_tokens] or [UNKNOWN]
        ids[row, : len(values)] = values
    return ids
