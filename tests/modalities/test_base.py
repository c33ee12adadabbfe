"""What all modalities share: rows, clones, parameters, encoders, errors and seeds."""

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import SPECS, exactly, make_block, make_coral_of, text_vectors
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.helper import SliceDict

from skcoral import EmbeddingModality, TabularModality, TextModality
from skcoral.modalities import KINDS

# What all specs share


@pytest.mark.parametrize("spec_class", SPECS)
def test_arrays_have_a_row_per_sample(spec_class):
    block = make_block(spec_class)
    out = spec_class().fit(block).transform(block)
    assert out.dtype == (np.int32 if spec_class is TextModality else np.float32)
    assert out.ndim == 2
    assert len(out) == len(block)


@pytest.mark.parametrize("spec_class", SPECS)
def test_rows_do_not_depend_on_each_other(spec_class):
    block = make_block(spec_class)
    spec = spec_class().fit(block)
    np.testing.assert_allclose(
        spec.transform(block[:3]), spec.transform(block)[:3], atol=1e-5
    )


@pytest.mark.parametrize("spec_class", SPECS)
def test_fit_returns_the_spec_and_transform_leaves_it_alone(spec_class):
    block, spec = make_block(spec_class), spec_class()
    assert spec.fit(block) is spec
    before = set(vars(spec))
    spec.transform(block)
    assert set(vars(spec)) == before


@pytest.mark.parametrize("spec_class", SPECS)
def test_transform_before_fit_is_refused(spec_class):
    message = f"This {spec_class.__name__} instance is not fitted yet"
    with pytest.raises(NotFittedError, match=message):
        spec_class().transform(make_block(spec_class))


@pytest.mark.parametrize("spec_class", SPECS)
def test_fit_does_not_change_the_block(spec_class):
    block = make_block(spec_class)
    before = block.copy()
    spec_class().fit(block).transform(block)
    if isinstance(block, pd.DataFrame):
        pd.testing.assert_frame_equal(block, before)
    else:
        np.testing.assert_array_equal(block, before)


@pytest.mark.parametrize("spec_class", SPECS)
def test_specs_clone_without_what_they_learnt(spec_class):
    spec = spec_class(corruption_rate=0.5).fit(make_block(spec_class))
    twin = clone(spec)
    assert twin.corruption_rate == 0.5
    assert not [name for name in vars(twin) if name.endswith("_")]


@pytest.mark.parametrize("spec_class", SPECS)
def test_repr_shows_only_what_differs_from_the_defaults(spec_class):
    name = spec_class.__name__
    assert repr(spec_class()) == f"{name}()"
    assert repr(spec_class(corruption_rate=0.25)) == f"{name}(corruption_rate=0.25)"


@pytest.mark.parametrize("spec_class", SPECS)
def test_parameters_are_read_and_set_by_name(spec_class):
    spec = spec_class().set_params(augmentation="noise")
    assert spec.get_params()["augmentation"] == "noise"


def test_parameters_of_a_preprocessor_are_nested():
    spec = EmbeddingModality(preprocessor=PCA(2)).set_params(
        preprocessor__n_components=3
    )
    assert spec.preprocessor.n_components == 3


@pytest.mark.parametrize("spec_class", SPECS)
def test_specs_take_keywords_only(spec_class):
    with pytest.raises(TypeError, match="positional argument"):
        spec_class("corrupt")


@pytest.mark.parametrize("word", ["embedding", "tabular", "text"])
def test_a_word_is_the_spec_with_its_defaults(word):
    block = make_block(KINDS[word])
    X = SliceDict(film=block)
    by_word = make_coral_of(word, "film").fit_transform(X)
    by_spec = make_coral_of(KINDS[word](), "film").fit_transform(X)
    np.testing.assert_array_equal(by_word, by_spec)


@pytest.mark.parametrize("spec_class", SPECS)
def test_encoder_makes_tokens_of_the_arrays(spec_class):
    block = make_block(spec_class)
    spec = spec_class().fit(block)
    array = torch.as_tensor(spec.transform(block))
    tokens, mask = spec.make_encoder(8)(array)
    assert tokens.shape[0] == len(block)
    assert tokens.shape[2] == 8
    # Words are padded to one length; the tokens of the others are all real.
    if spec_class is TextModality:
        assert torch.equal(mask, array > 0)
    else:
        assert mask is None
    assert tokens.isfinite().all()


@pytest.mark.parametrize("spec_class", [text_vectors, EmbeddingModality])
def test_n_tokens_is_the_number_of_tokens(spec_class):
    block = make_block(spec_class)
    spec = spec_class(n_tokens=3).fit(block)
    tokens, _ = spec.make_encoder(8)(torch.as_tensor(spec.transform(block)))
    assert tokens.shape[1] == 3


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        (
            TabularModality(max_categories=1),
            "'max_categories' parameter of TabularModality must be an int in the range "
            "[2, inf). Got 1",
        ),
        (
            TextModality(n_tokens=0),
            "'n_tokens' parameter of TextModality must be an int in the range [1, inf) "
            "or None. Got 0",
        ),
        (
            EmbeddingModality(svd_dim=0),
            "'svd_dim' parameter of EmbeddingModality must be an int in the range "
            "[1, inf). Got 0",
        ),
        (
            EmbeddingModality(corruption_rate=1.5),
            "'corruption_rate' parameter of EmbeddingModality must be a float in the "
            "range [0.0, 1.0]. Got 1.5",
        ),
        (
            TextModality(preprocessor="tfidf"),
            "'preprocessor' parameter of TextModality must be an object implementing "
            "'fit' and 'transform' or None. Got 'tfidf'",
        ),
    ],
)
def test_bad_parameter_of_a_spec_is_named_with_rule_and_value(spec, rule):
    coral = make_coral_of(spec, "film")
    X = SliceDict(film=make_block(type(spec)))
    message = f"Modality 'film': The {rule} instead."
    with pytest.raises(ValueError, match=exactly(message)):
        coral.fit(X)
    assert not hasattr(coral, "net_")


@pytest.mark.parametrize("spec_class", SPECS)
@pytest.mark.parametrize(
    "change", [lambda b: b[:, :1], lambda b: np.hstack([b, b])], ids=["less", "more"]
)
def test_block_of_another_width_is_refused(spec_class, change):
    block = make_block(spec_class)
    block = block.to_numpy() if isinstance(block, pd.DataFrame) else block
    block = np.column_stack([block, block]) if block.ndim == 1 else block
    other = change(block)
    message = (
        f"The block has {other.shape[1]} columns, but had {block.shape[1]} at fit time."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        spec_class().fit(block).transform(other)


@pytest.mark.parametrize("spec_class", SPECS)
def test_block_of_three_dimensions_is_refused(spec_class):
    message = r"^Expected (a 2-D block\. Got an array of|2-D vectors\. Got) shape \("
    with pytest.raises(ValueError, match=message):
        spec_class().fit(np.zeros((4, 2, 2)))


# Seeds


@pytest.mark.parametrize("spec_class", SPECS)
def test_a_spec_without_a_seed_gets_that_of_the_estimator(spec_class):
    X = SliceDict(film=make_block(spec_class))
    first, second = (
        make_coral_of(spec_class(), "film").fit(X).modalities_[0][1].random_state
        for _ in range(2)
    )
    assert isinstance(first, int)
    assert first == second


@pytest.mark.parametrize("spec_class", SPECS)
def test_a_seed_of_the_spec_is_kept(spec_class):
    X = SliceDict(film=make_block(spec_class))
    coral = make_coral_of(spec_class(random_state=7), "film").fit(X)
    assert coral.modalities_[0][1].random_state == 7


def test_random_steps_of_a_preprocessor_are_seeded():
    spec = EmbeddingModality(preprocessor=make_pipeline(PCA(2), StandardScaler()))
    X = SliceDict(film=make_block(EmbeddingModality))
    coral = make_coral_of(spec, "film").fit(X)
    fitted = coral.modalities_[0][1]
    assert fitted.preprocessor.steps[0][1].random_state == fitted.random_state
    assert fitted.preprocessor_.steps[0][1].random_state == fitted.random_state
    assert spec.preprocessor.steps[0][1].random_state is None


@pytest.mark.parametrize("spec_class", SPECS)
def test_same_seed_same_array(spec_class):
    block = make_block(spec_class)
    a, b = (spec_class(random_state=0).fit(block).transform(block) for _ in range(2))
    np.testing.assert_array_equal(a, b)
