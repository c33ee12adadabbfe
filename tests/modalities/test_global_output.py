"""The global setting of outputs: our own parts ignore it, a user's may follow it."""

import numpy as np
import pytest
from helpers import make_block, make_coral_of, make_frame
from scipy import sparse
from sklearn import config_context
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from skorch.helper import SliceDict

from skcoral import (
    EmbeddingModality,
    ImageModality,
    SequenceModality,
    TabularModality,
    TextModality,
)

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(20, 4))
TEXTS = make_block(TextModality)
FRAME = make_frame(20)
LSA = make_pipeline(TfidfVectorizer(), TruncatedSVD(2, random_state=0))
MIXED = ColumnTransformer(
    [
        ("n", StandardScaler(), ["year", "runtime"]),
        ("c", OneHotEncoder(sparse_output=False), ["mpaa"]),
    ]
)
KINDS = {
    "table": (TabularModality(), FRAME.drop(columns="credits")),
    "words": (TextModality(), TEXTS),
    "subwords": (TextModality(tokenizer="subwords"), TEXTS),
    "series": (SequenceModality(), RNG.normal(size=(20, 5, 2))),
    "images": (ImageModality(), RNG.random((20, 8, 8))),
    "vectors": (EmbeddingModality(), VECTORS),
    "sparse": (EmbeddingModality(svd_dim=2), sparse.csr_matrix(np.abs(VECTORS))),
    "sparse column": (EmbeddingModality(), sparse.csr_matrix(VECTORS[:, :1])),
    "table, preprocessed": (TabularModality(preprocessor=MIXED), FRAME),
    "words, preprocessed": (TextModality(preprocessor=LSA), TEXTS),
    "words, vectorised": (TextModality(preprocessor=TfidfVectorizer()), TEXTS),
    "vectors, preprocessed": (EmbeddingModality(preprocessor=PCA(2)), VECTORS),
}


@pytest.mark.parametrize("output", ["pandas", "polars"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_global_output_changes_no_feature(kind, output):
    spec, block = KINDS[kind]
    X = block if hasattr(block, "columns") else SliceDict(a=block)
    columns = list(block.columns) if hasattr(block, "columns") else "a"
    expected = make_coral_of(spec, columns).fit_transform(X)
    with config_context(transform_output=output):
        coral = make_coral_of(spec, columns).fit(X)
        features = coral.transform(X)
    assert type(features).__module__.startswith(output)
    np.testing.assert_array_equal(features.to_numpy(), expected)
    # Fitted under one setting, used under another.
    np.testing.assert_array_equal(coral.transform(X), expected)


@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_steps_of_a_preprocessor_may_rely_on_the_names_of_the_setting(output):
    scale = ColumnTransformer([("s", StandardScaler(), ["year"])])
    spec = TabularModality(preprocessor=make_pipeline(SimpleImputer(), scale))
    with config_context(transform_output=output):
        coral = make_coral_of(spec, ["year", "runtime"]).fit(FRAME)
        assert np.isfinite(coral.transform(FRAME).to_numpy()).all()


@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_modalities_return_arrays_whatever_the_output(output):
    for spec, block in KINDS.values():
        with config_context(transform_output=output):
            values = spec.fit(block).transform(block)
        values = values[0] if isinstance(values, tuple) else values
        assert isinstance(values, np.ndarray)
