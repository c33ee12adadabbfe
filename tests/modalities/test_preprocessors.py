"""Preprocessors in place of what a modality does by itself."""

import numpy as np
import polars as pl
import pytest
from helpers import SPECS, TEXTS, exactly, make_block, make_coral_of
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from skorch.helper import SliceDict

from skcoral import EmbeddingModality, TabularModality, TextModality


def test_preprocessor_of_tabular_replaces_the_treatment():
    block = make_block(TabularModality)
    one_hot = OneHotEncoder(sparse_output=False).fit_transform(block[["c"]])
    spec = TabularModality(preprocessor=OneHotEncoder()).fit(block[["c"]])
    np.testing.assert_allclose(
        spec.transform(block[["c"]]), StandardScaler().fit_transform(one_hot), atol=1e-6
    )
    assert spec.n_numeric_ == 3
    assert spec.cardinalities_ == []


def test_preprocessor_of_tabular_may_leave_values_missing():
    block = np.array([[1.0, np.nan], [2.0, 3.0]])
    spec = TabularModality(preprocessor=FunctionTransformer()).fit(block)
    np.testing.assert_array_equal(spec.transform(block), [[-1, np.nan], [1, 0]])


def test_preprocessor_of_tabular_must_return_finite_numbers():
    spec = TabularModality(preprocessor=FunctionTransformer(lambda x: x / 0.0))
    with (
        np.errstate(all="ignore"),
        pytest.raises(ValueError, match=exactly("Input X contains infinity.")),
    ):
        spec.fit(np.ones((3, 2)))


def test_preprocessor_of_tabular_must_return_numbers():
    spec = TabularModality(preprocessor=FunctionTransformer())
    with pytest.raises(TypeError, match=exactly("Column 0 must be numeric. Got 'a'.")):
        spec.fit(np.array([["a"], ["b"]], dtype=object))


@pytest.mark.parametrize("output", ["pandas", "polars"])
@pytest.mark.parametrize("spec_class", [TabularModality, EmbeddingModality])
def test_preprocessor_may_return_a_frame(spec_class, output):
    block = make_block(EmbeddingModality)
    plain = spec_class(preprocessor=StandardScaler()).fit(block)
    framed = StandardScaler().set_output(transform=output)
    spec = spec_class(preprocessor=framed).fit(block)
    np.testing.assert_allclose(spec.transform(block), plain.transform(block), atol=1e-6)


def test_preprocessor_of_text_may_be_sparse():
    spec = TextModality(preprocessor=HashingVectorizer(n_features=16), svd_dim=3)
    assert spec.fit(TEXTS).transform(TEXTS).shape == (5, 3)


def test_preprocessor_of_text_may_be_dense():
    lengths = FunctionTransformer(
        lambda texts: np.array([[len(t), 1.0] for t in texts])
    )
    out = TextModality(preprocessor=lengths).fit(TEXTS).transform(TEXTS)
    assert out.shape == (5, 2)
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-6)


def test_preprocessor_of_text_gets_empty_strings_for_gaps():
    seen = []
    spy = FunctionTransformer(lambda texts: seen.append(list(texts)) or np.ones((3, 1)))
    TextModality(preprocessor=spy).fit(np.array(["a", None, ""], dtype=object))
    assert seen[0] == ["a", "", ""]


def test_preprocessor_of_embedding_comes_first():
    block = make_block(EmbeddingModality)
    out = EmbeddingModality(preprocessor=PCA(2)).fit(block).transform(block)
    assert out.shape == (20, 2)
    np.testing.assert_allclose(out.std(axis=0), 1, atol=1e-5)


def test_preprocessor_of_embedding_may_read_text():
    block = TEXTS
    spec = EmbeddingModality(preprocessor=TfidfVectorizer(), svd_dim=2).fit(block)
    assert spec.transform(block).shape == (5, 2)


@pytest.mark.parametrize("spec_class", SPECS)
def test_the_given_preprocessor_stays_unfitted(spec_class):
    preprocessor = {
        TabularModality: OneHotEncoder(),
        TextModality: TfidfVectorizer(),
        EmbeddingModality: StandardScaler(),
    }[spec_class]
    spec_class(preprocessor=preprocessor).fit(make_block(spec_class))
    assert not [n for n in vars(preprocessor) if n.endswith("_")]


@pytest.mark.parametrize("spec_class", [TabularModality, EmbeddingModality])
def test_preprocessor_may_read_a_polars_frame(spec_class):
    block = pl.DataFrame({"x": [1.0, 2.0, 4.0]})
    spec = spec_class(preprocessor=StandardScaler()).fit(block)
    assert spec.transform(block).shape == (3, 1)


def test_any_error_of_a_preprocessor_names_the_modality():
    def fail(texts):
        b"\xff".decode("utf8")

    spec = TextModality(preprocessor=FunctionTransformer(fail))
    with pytest.raises(ValueError, match=r"^Modality 'film': .*codec can't decode"):
        make_coral_of(spec, "film").fit(SliceDict(film=TEXTS))


@pytest.mark.parametrize("spec_class", [TabularModality, EmbeddingModality])
def test_a_frame_block_reaches_the_preprocessor_as_a_frame(spec_class):
    spec = spec_class(preprocessor=StandardScaler())
    spec.fit(make_block(TabularModality)[["x"]])
    assert list(spec.preprocessor_.feature_names_in_) == ["x"]


class Failing(BaseEstimator, TransformerMixin):
    """Raises an error in `fit` or in `transform`."""

    def __init__(self, error=None, method="fit"):
        self.error = error
        self.method = method

    def fit(self, X, y=None):
        return self._run("fit")

    def transform(self, X):
        return self._run("transform")

    def _run(self, method):
        if method == self.method:
            raise self.error
        return self


@pytest.mark.parametrize("spec_class", SPECS)
@pytest.mark.parametrize("method", ["fit", "transform"])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (KeyError("year"), ValueError),
        (OverflowError("too large"), ValueError),
        (AttributeError("no lower"), ValueError),
        (pl.exceptions.InvalidOperationError("no 128-bit integers"), ValueError),
        (ImportError("no extra"), ImportError),
        (TypeError("no number"), TypeError),
    ],
)
def test_a_preprocessor_that_fails_is_named(spec_class, method, error, kind):
    spec = spec_class(preprocessor=Failing(error, method))
    message = f"The preprocessor Failing does not take this block: .*{error.args[0]}"
    message = "no extra" if kind is ImportError else message
    with pytest.raises(kind, match=message):
        block = make_block(spec_class)
        spec.fit(block).transform(block)
