"""Vectors: dense and sparse, complete, of any type and any kind of frame."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from helpers import TEXTS, exactly, make_block, make_coral_of
from scipy import sparse
from scipy.spatial.distance import pdist
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import StandardScaler
from skorch.helper import SliceDict

from skcoral import EmbeddingModality


@pytest.mark.parametrize(
    "make", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array]
)
def test_sparse_vectors_are_reduced(make):
    block = make(np.eye(10))
    out = EmbeddingModality(svd_dim=3).fit(block).transform(block)
    assert out.shape == (10, 3)
    assert isinstance(out, np.ndarray)


def test_distances_of_reduced_vectors_are_those_of_the_svd():
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(60, 8)) * 2.0 ** -np.arange(8)  # few matter
    block = sparse.csr_matrix(factors @ rng.normal(size=(8, 30)))
    spec = EmbeddingModality(svd_dim=8, random_state=0).fit(block)
    svd = TruncatedSVD(8, random_state=0).fit_transform(block)
    got, expected = pdist(spec.transform(block)), pdist(svd)
    whitened = pdist(StandardScaler().fit_transform(svd))
    assert np.corrcoef(got, expected)[0, 1] > 0.9
    assert np.corrcoef(whitened, expected)[0, 1] < 0.7


def test_sparse_block_stands_beside_others_in_a_slice_dict():
    rng = np.random.default_rng(0)
    X = SliceDict(
        text=TfidfVectorizer().fit_transform(np.resize(TEXTS, 10)),
        film=rng.normal(size=(10, 3)),
    )
    coral = make_coral_of("embedding", "text")
    coral.set_params(modalities=[*coral.modalities, ("f", "embedding", "film")])
    out = coral.fit(X).transform(X)
    assert out.shape == (10, 16)
    rows = np.array([0, 3])
    np.testing.assert_allclose(coral.transform(X[rows]), out[rows], atol=1e-5)


@pytest.mark.parametrize("kind", ["tabular", "text"])
def test_sparse_block_in_another_modality_says_what_to_do(kind):
    X = SliceDict(film=sparse.csr_matrix(np.eye(5)))
    with pytest.raises((TypeError, ValueError), match=r"^Modality 'film': .*sparse"):
        make_coral_of(kind, "film").fit(X)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_sparse_vectors_must_be_finite(value):
    block = sparse.csr_matrix(np.diag([1.0, 2.0, value]))
    with pytest.raises(ValueError, match=r"^Input X contains (NaN|infinity)"):
        EmbeddingModality().fit(block)


def test_nan_in_vectors_is_refused():
    block = make_block(EmbeddingModality)
    block[1, 2] = np.nan
    with pytest.raises(
        ValueError, match=r"^Input X contains NaN.*; vectors must be complete\.$"
    ):
        EmbeddingModality().fit(block)


def test_nan_in_vectors_names_the_column_of_a_frame():
    block = pd.DataFrame({"a": [1.0, 2.0], "b": [np.nan, 2.0]})
    message = "Input X contains NaN in column 'b'; vectors must be complete."
    with pytest.raises(ValueError, match=exactly(message)):
        EmbeddingModality().fit(block)


def test_nan_in_vectors_is_refused_at_transform():
    block = make_block(EmbeddingModality)
    spec = EmbeddingModality().fit(block)
    block[0, 0] = np.nan
    with pytest.raises(ValueError, match=r"^Input X contains NaN"):
        spec.transform(block)


def test_text_in_vectors_names_the_column():
    block = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    message = "Column 'b' must be numeric. Got 'x'."
    with pytest.raises(TypeError, match=exactly(message)):
        EmbeddingModality().fit(block)


def test_one_dimensional_vectors_are_refused():
    message = "Expected 2-D vectors. Got shape (4,)."
    with pytest.raises(ValueError, match=exactly(message)):
        EmbeddingModality().fit(np.zeros(4))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool", object])
def test_type_of_vectors_does_not_matter(dtype):
    block = np.array([[0, 1], [1, 0], [1, 1]])
    expected = EmbeddingModality().fit(block).transform(block)
    other = block.astype(dtype)
    got = EmbeddingModality().fit(other).transform(other)
    np.testing.assert_allclose(got, expected, atol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        pd.DataFrame,
        pytest.param(pl.DataFrame),
        pytest.param(pa.table),
    ],
)
def test_vectors_of_a_frame_are_read(make):
    block = make_block(EmbeddingModality)
    frame = make({f"e{i}": column for i, column in enumerate(block.T)})
    np.testing.assert_array_equal(
        EmbeddingModality().fit(frame).transform(frame),
        EmbeddingModality().fit(block).transform(block),
    )


def test_constant_component_is_zero():
    block = np.ones((4, 2))
    assert not EmbeddingModality().fit(block).transform(block).any()


def test_extreme_vectors_stay_finite():
    block = np.array([[1e-30, 1e30], [2e-30, -1e30], [3e-30, 1e30]])
    assert np.isfinite(EmbeddingModality().fit(block).transform(block)).all()
