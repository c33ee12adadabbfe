"""Plain features: what modalities know without a network, beside its components."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skcoral._input.blocks import Blocks, LazyBlock, find_rows, split_block
from skcoral._types import Array
from skcoral.modalities.base import RETURNING_ARRAYS, to_dense

# Number of columns that a kind of plain feature is reduced to.
MAX_COLUMNS = 128


class PlainFeatures:
    """Plain features of the modalities, reduced to few columns.

    A network compresses, and what it loses cannot be had back: these features go past
    it. Those of words are weighed by their rarity.

    Parameters
    ----------
    modalities : dict of str to modality
        Fitted specs by name.

    seed : int
        Seed of the reductions.

    Attributes
    ----------
    reducers_ : dict of str to Pipeline
        What reduces each kind, by "modality kind".
    """

    def __init__(self, modalities: Mapping[str, Any], seed: int) -> None:
        self.modalities = modalities
        self.seed = seed

    @RETURNING_ARRAYS
    def fit(self, blocks: Blocks) -> Self:
        """Learn the reductions from rows; those that lack a modality do not count."""
        self.reducers_ = {}
        for name, (features, present) in self._read(blocks).items():
            features = features if present is None else features[present]
            self.reducers_[name] = self._make_reducer(features).fit(features)
        return self

    @RETURNING_ARRAYS
    def transform(self, blocks: Blocks) -> dict[str, NDArray[np.float32]]:
        """Return features by "modality kind", NaN where a row lacks the modality."""
        out = {}
        for name, (features, present) in self._read(blocks).items():
            reduced = self.reducers_[name].transform(features).astype(np.float32)
            if present is not None:
                reduced[~present] = np.nan
            out[name] = reduced
        return out

    def _read(self, blocks: Blocks) -> dict[str, tuple[Any, Any]]:
        """Return features by "modality kind", and which rows have them."""
        read = {}
        for name, block in blocks.items():
            loaded = block.load() if isinstance(block, LazyBlock) else block
            features = self.modalities[name].vectorize(*split_block(loaded))
            for kind, values in features.items():
                read[f"{name} {kind}"] = values, find_rows(block)
        return read

    def _make_reducer(self, features: Array) -> Pipeline:
        """Return what reduces features to few columns, unfitted."""
        width = min(MAX_COLUMNS, features.shape[0] - 1, features.shape[1])
        if not sparse.issparse(features):
            if features.shape[1] <= MAX_COLUMNS:
                return make_pipeline("passthrough")
            return make_pipeline(StandardScaler(), PCA(width, random_state=self.seed))
        if width < 2:
            return make_pipeline(FunctionTransformer(to_dense, accept_sparse=True))
        svd = TruncatedSVD(width, random_state=self.seed)
        return make_pipeline(TfidfTransformer(sublinear_tf=True), svd)
