"""Specs turn a block into numbers: values, levels, dates, texts, vectors, views."""

import builtins
import pickle
import re
from itertools import product

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from skorch.helper import SliceDict

from skcoral import COrALTransformer, EmbeddingModality, TabularModality, TextModality
from skcoral.modalities import KINDS

SPECS = [TabularModality, TextModality, EmbeddingModality]
TEXTS = np.array([f"a {w} car" for w in "red blue green black white".split()], object)


def text_vectors(**params):
    """Return a text modality that makes vectors, not words."""
    return TextModality(preprocessor=TfidfVectorizer(), **params)


VECTORS = [TabularModality, text_vectors, EmbeddingModality]


def exactly(message):
    """Return a pattern for the whole of a message."""
    return f"^{re.escape(message)}$"


def make_block(spec_class, n_rows=20):
    """Return a block that a kind of modality reads."""
    rng = np.random.default_rng(0)
    if spec_class in (TextModality, text_vectors):
        return np.resize(TEXTS, n_rows)
    if spec_class is TabularModality:
        levels = np.resize(["a", "b", "c"], n_rows)
        return pd.DataFrame({"x": rng.normal(size=n_rows), "c": levels})
    return rng.normal(size=(n_rows, 4))


def make_coral(spec, columns):
    """Return an estimator of one modality that trains in milliseconds."""
    return COrALTransformer(
        [("film", spec, columns)],
        embed_dim=8,
        head_dim=8,
        head_hidden_dim=8,
        max_epochs=1,
        random_state=0,
    )


def tabular(values, **params):
    """Return one column as TabularModality fits and transforms it."""
    block = pd.DataFrame({"x": values})
    return TabularModality(**params).fit(block).transform(block)[:, 0]


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
    by_word = make_coral(word, "film").fit_transform(X)
    by_spec = make_coral(KINDS[word](), "film").fit_transform(X)
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
    coral = make_coral(spec, "film")
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
        make_coral(spec_class(), "film").fit(X).modalities_[0][1].random_state
        for _ in range(2)
    )
    assert isinstance(first, int)
    assert first == second


@pytest.mark.parametrize("spec_class", SPECS)
def test_a_seed_of_the_spec_is_kept(spec_class):
    X = SliceDict(film=make_block(spec_class))
    coral = make_coral(spec_class(random_state=7), "film").fit(X)
    assert coral.modalities_[0][1].random_state == 7


def test_random_steps_of_a_preprocessor_are_seeded():
    spec = EmbeddingModality(preprocessor=make_pipeline(PCA(2), StandardScaler()))
    X = SliceDict(film=make_block(EmbeddingModality))
    coral = make_coral(spec, "film").fit(X)
    fitted = coral.modalities_[0][1]
    assert fitted.preprocessor.steps[0][1].random_state == fitted.random_state
    assert fitted.preprocessor_.steps[0][1].random_state == fitted.random_state
    assert spec.preprocessor.steps[0][1].random_state is None


@pytest.mark.parametrize("spec_class", SPECS)
def test_same_seed_same_array(spec_class):
    block = make_block(spec_class)
    a, b = (spec_class(random_state=0).fit(block).transform(block) for _ in range(2))
    np.testing.assert_array_equal(a, b)


# Augmentations


@pytest.mark.parametrize(
    ("spec_class", "augmentation"),
    [
        *product(SPECS, ["corrupt", "drop", ["corrupt", "drop"], []]),
        *product(VECTORS, ["noise", ["corrupt", "noise"], ("noise", "drop")]),
    ],
)
def test_augmentation_keeps_shape_and_type(spec_class, augmentation):
    block = make_block(spec_class)
    spec = spec_class(augmentation=augmentation).fit(block)
    x = torch.as_tensor(spec.transform(block))
    view = spec.make_augmentation()(x, None, None)
    assert view.shape == x.shape
    assert view.dtype == x.dtype


@pytest.mark.parametrize("spec_class", SPECS)
def test_corruption_rate_zero_changes_nothing(spec_class):
    block = make_block(spec_class)
    spec = spec_class(corruption_rate=0.0).fit(block)
    x = torch.as_tensor(spec.transform(block))
    torch.testing.assert_close(spec.make_augmentation()(x, None, None), x)


@pytest.mark.parametrize("spec_class", VECTORS)
def test_corruption_takes_values_of_the_same_column(spec_class):
    block = make_block(spec_class)
    spec = spec_class(corruption_rate=1.0).fit(block)
    x = torch.as_tensor(spec.transform(block))
    view = spec.make_augmentation()(x, None, None)
    for before, after in zip(x.T, view.T, strict=True):
        assert torch.isin(after, before).all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("augmentation", ["noise", ["noise", "drop"]])
def test_views_of_categories_stay_codes_or_missing(augmentation, seed):
    block = make_block(TabularModality)
    spec = TabularModality(augmentation=augmentation).fit(block)
    x = torch.as_tensor(spec.transform(block))
    generator = torch.Generator().manual_seed(seed)
    codes = spec.make_augmentation()(x, None, generator)[:, 1]
    assert (codes.isnan() | torch.isin(codes, x[:, 1])).all()


@pytest.mark.parametrize("spec_class", SPECS)
def test_a_callable_is_the_augmentation(spec_class):
    def double(x, mask, generator):
        return 2 * x

    spec = spec_class(augmentation=double).fit(make_block(spec_class))
    assert spec.make_augmentation() is double


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_callable_that_returns_nonsense_diverges_with_epoch_term_and_lr(value):
    def spoil(x, mask, generator):
        return torch.full_like(x, value)

    coral = make_coral(EmbeddingModality(augmentation=spoil), "film")
    message = r"^Training diverged at epoch 1: the 'shared' term is nan\. Lower lr "
    with pytest.raises(ValueError, match=message + r"\(now 0\.001\) or raise"):
        coral.fit(SliceDict(film=make_block(EmbeddingModality)))
    assert not hasattr(coral, "net_")


@pytest.mark.parametrize("spec_class", SPECS)
def test_unknown_augmentation_is_refused_with_the_known_ones(spec_class):
    name = spec_class.__name__
    message = (
        rf"^The 'augmentation' parameter of {name} must be a str among \{{.*\}}, an "
        r"array-like or a callable\. Got 'corupt' instead\.$"
    )
    with pytest.raises(ValueError, match=message):
        spec_class(augmentation="corupt").fit(make_block(spec_class))


@pytest.mark.parametrize("spec_class", [TabularModality, EmbeddingModality])
def test_unknown_augmentation_in_a_list_is_named(spec_class):
    message = (
        f"The 'augmentation' parameter of {spec_class.__name__} must be made of "
        "['corrupt', 'drop', 'noise']. Got 'corupt' instead."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        spec_class(augmentation=["noise", "corupt"]).fit(make_block(spec_class))


def test_words_have_no_noise():
    message = (
        "The 'augmentation' parameter of TextModality must be made of ['corrupt', "
        "'drop']. Got 'noise' instead."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        TextModality(augmentation="noise").fit(TEXTS)


@pytest.mark.parametrize("augmentation", ["corrupt", "drop", ["corrupt", "drop"]])
@pytest.mark.parametrize("spec_class", SPECS)
def test_estimator_trains_with_any_augmentation(spec_class, augmentation):
    X = SliceDict(film=make_block(spec_class))
    coral = make_coral(spec_class(augmentation=augmentation), "film").fit(X)
    assert np.isfinite(coral.transform(X)).all()


# Preprocessors


def test_preprocessor_of_tabular_replaces_the_treatment():
    block = make_block(TabularModality)
    one_hot = OneHotEncoder().fit(block[["c"]])
    spec = TabularModality(preprocessor=OneHotEncoder()).fit(block[["c"]])
    np.testing.assert_array_equal(
        spec.transform(block[["c"]]), one_hot.transform(block[["c"]]).toarray()
    )
    assert spec.n_numeric_ == 3
    assert spec.cardinalities_ == []


def test_preprocessor_of_tabular_may_leave_values_missing():
    block = np.array([[1.0, np.nan], [2.0, 3.0]])
    spec = TabularModality(preprocessor=FunctionTransformer()).fit(block)
    np.testing.assert_array_equal(spec.transform(block), block)


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
        make_coral(spec, "film").fit(SliceDict(film=TEXTS))


@pytest.mark.parametrize("spec_class", [TabularModality, EmbeddingModality])
def test_a_frame_block_reaches_the_preprocessor_as_a_frame(spec_class):
    spec = spec_class(preprocessor=StandardScaler())
    spec.fit(make_block(TabularModality)[["x"]])
    assert list(spec.preprocessor_.feature_names_in_) == ["x"]


# Tables


def test_numbers_come_first_and_levels_after():
    block = pd.DataFrame({"c": ["a", "b", "a"], "x": [1.0, 2.0, 3.0]})
    spec = TabularModality().fit(block)
    assert spec.kinds_ == {"c": "categorical", "x": "numeric"}
    assert spec.transform(block)[:, 1].tolist() == [1, 2, 1]


def test_numbers_are_scaled_in_order():
    out = tabular([1.0, 1e9, 2.0, -5.0])
    assert np.argsort(out).tolist() == [3, 0, 2, 1]
    np.testing.assert_allclose([out.mean(), out.std()], [0, 1], atol=1e-5)


def test_missing_numbers_stay_missing():
    assert np.isnan(tabular([1.0, np.nan, 3.0])).tolist() == [False, True, False]


@pytest.mark.parametrize("value", [0.0, 5.0, True])
def test_constant_column_is_zero_and_not_missing(value):
    assert np.ptp(tabular([value] * 5)) == 0
    assert np.isfinite(tabular([value] * 5)).all()


@pytest.mark.parametrize("values", [[np.nan] * 3, [None] * 3, [pd.NaT] * 3])
def test_column_without_a_value_is_missing(values):
    assert np.isnan(tabular(values)).all()


def test_value_in_a_column_that_was_empty_in_fit_is_finite():
    spec = TabularModality().fit(pd.DataFrame({"x": [None, None]}))
    assert np.isfinite(spec.transform(pd.DataFrame({"x": [3.0, -3.0]}))).all()


def test_text_in_a_column_that_was_empty_in_fit_names_the_column():
    spec = TabularModality().fit(pd.DataFrame({"x": [None, None]}))
    message = (
        "Column 'x' was numeric at fit time and is categorical now, for example 'a'."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        spec.transform(pd.DataFrame({"x": ["a", "b"]}))


def test_numbers_beyond_those_of_fit_are_clipped():
    spec = TabularModality().fit(pd.DataFrame({"x": [0.0, 1.0, 2.0]}))
    out = spec.transform(pd.DataFrame({"x": [2.0, 1e30, -1e30, 0.0]}))[:, 0]
    assert out[0] == out[1]
    assert out[2] == out[3]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_booleans_with_gaps_are_numbers(missing):
    out = tabular(pd.Series([True, missing, False, True], dtype="boolean"))
    assert out[0] == out[3] > out[2]
    assert np.isnan(out[1])


def test_unseen_level_has_code_zero():
    spec = TabularModality().fit(pd.DataFrame({"x": ["a", "b"]}))
    out = spec.transform(pd.DataFrame({"x": ["b", "new", None]}))[:, 0]
    assert out[:2].tolist() == [2, 0]


def test_missing_level_is_missing_whether_fit_saw_it_or_not():
    for values in (["a", "b"], ["a", None]):
        spec = TabularModality().fit(pd.DataFrame({"x": values}))
        out = spec.transform(pd.DataFrame({"x": ["a", None]}))[:, 0]
        assert np.isnan(out).tolist() == [False, True]


def test_rare_levels_share_one_code():
    values = ["a"] * 5 + ["b"] * 4 + ["c", "d", "e"]
    spec = TabularModality(max_categories=3).fit(pd.DataFrame({"x": values}))
    out = spec.transform(pd.DataFrame({"x": ["a", "b", "c", "d", "e", "new"]}))[:, 0]
    assert len(set(out[:3].tolist())) == 3
    assert out[2] == out[3] == out[4]
    assert out[5] == 0


def test_codes_stay_below_the_cardinality_at_high_cardinality():
    values = [f"id{i}" for i in range(300)]
    block = pd.DataFrame({"x": values})
    spec = TabularModality().fit(block)
    codes = spec.transform(pd.DataFrame({"x": [*values, "new"]}))
    assert spec.cardinalities_ == [101]
    assert codes.max() == 100
    assert codes.min() == 0


def test_estimator_embeds_unseen_levels_of_high_cardinality():
    block = pd.DataFrame({"x": [f"id{i}" for i in range(300)]})
    coral = make_coral("tabular", ["x"]).fit(block)
    assert np.isfinite(coral.transform(block + "new")).all()


@pytest.mark.parametrize("values", [[1, "a", 2.5], [True, "a", 3], [0, "0.5", False]])
def test_level_does_not_depend_on_the_other_rows(values):
    block = pd.DataFrame({"x": pd.Series(values, dtype=object)})
    spec = TabularModality().fit(block)
    alone = [spec.transform(block[i : i + 1])[0, 0] for i in range(len(values))]
    assert alone == spec.transform(block)[:, 0].tolist()


def test_numbers_in_a_categorical_column_are_levels():
    spec = TabularModality().fit(pd.DataFrame({"x": ["1", "2", "x"]}))
    out = spec.transform(pd.DataFrame({"x": [1, 2]}))[:, 0]
    assert out.tolist() == [1, 2]


def test_mixed_numbers_and_strings_are_levels():
    spec = TabularModality().fit(pd.DataFrame({"x": [1, "a", 2.5, None]}, dtype=object))
    assert spec.kinds_ == {"x": "categorical"}


def test_dates_become_time_and_seasons():
    block = pd.DataFrame({"x": pd.date_range("2020-01-01", periods=6, freq="D")})
    spec = TabularModality().fit(block)
    out = spec.transform(block)
    assert spec.kinds_ == {"x": "datetime"}
    assert out.shape == (6, spec.n_numeric_) == (6, 7)
    assert (np.diff(out[:, 0]) > 0).all()


def test_missing_dates_stay_missing():
    block = pd.DataFrame({"x": pd.to_datetime(["2020-01-01", None, "2021-05-01"])})
    out = TabularModality().fit(block).transform(block)
    assert np.isnan(out).all(axis=1).tolist() == [False, True, False]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_resolution_of_dates_does_not_matter(unit):
    days = pd.date_range("2020-01-01", periods=5, freq="36h")
    spec = TabularModality().fit(pd.DataFrame({"x": days}))
    expected = spec.transform(pd.DataFrame({"x": days}))
    got = spec.transform(pd.DataFrame({"x": days.as_unit(unit)}))
    np.testing.assert_array_equal(got, expected)


def test_dates_of_all_kinds_agree():
    days = pd.Series(pd.date_range("2020-01-01", periods=5, freq="D"))
    times = [day.to_pydatetime() for day in days]
    frames = [
        pd.DataFrame({"x": days}),
        pd.DataFrame({"x": days.dt.tz_localize("UTC")}),
        pd.DataFrame({"x": pd.Series(list(days.dt.date), dtype=object)}),
        pd.DataFrame({"x": pd.Series(times, dtype=object)}),
        pl.DataFrame({"x": list(days.dt.date)}),
        pl.DataFrame({"x": times}),
        pl.DataFrame({"x": days.dt.tz_localize("UTC").to_list()}),
        pa.table({"x": list(days.dt.date)}),
        days.to_numpy()[:, None],
        np.array(list(days.dt.date), dtype=object)[:, None],
    ]
    spec = TabularModality().fit(frames[0])
    for frame in frames[1:]:
        np.testing.assert_array_equal(spec.transform(frame), spec.transform(frames[0]))


FRAMES = {
    "x": [1.5, None, 3.0, 4.0],
    "n": [1, 2, None, 4],
    "c": ["a", "b", None, "a"],
    "b": [True, None, False, True],
}


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(pl.DataFrame, id="polars"),
        pytest.param(pa.table, id="pyarrow"),
        pytest.param(lambda d: pd.DataFrame(d, dtype=object), id="object"),
        pytest.param(lambda d: pd.DataFrame(d).convert_dtypes(), id="nullable"),
        pytest.param(
            lambda d: pd.DataFrame(d).convert_dtypes(dtype_backend="pyarrow"),
            id="pandas-pyarrow",
        ),
        pytest.param(
            lambda d: pd.DataFrame(d).astype({"c": "category"}), id="category"
        ),
        pytest.param(
            lambda d: pl.DataFrame(d).cast({"c": pl.Categorical}), id="Categorical"
        ),
        pytest.param(
            lambda d: pl.DataFrame(d).cast({"c": pl.Enum(["b", "a"])}), id="Enum"
        ),
        pytest.param(
            lambda d: pd.DataFrame(d, dtype=object).to_numpy(), id="numpy-object"
        ),
    ],
)
def test_frame_libraries_give_the_same_arrays(make):
    expected = (
        TabularModality().fit(pd.DataFrame(FRAMES)).transform(pd.DataFrame(FRAMES))
    )
    block = make(FRAMES)
    np.testing.assert_array_equal(
        TabularModality().fit(block).transform(block), expected
    )


def test_strings_of_numpy_are_levels():
    out = TabularModality().fit(np.array([["a"], ["b"]])).transform(np.array([["b"]]))
    assert out.tolist() == [[2]]


def test_numbers_written_as_strings_are_levels():
    spec = TabularModality().fit(pd.DataFrame({"x": ["1.0", "2.0"]}))
    assert spec.kinds_ == {"x": "categorical"}


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_number_names_its_column(value):
    message = "Input X contains infinity in column 'x'."
    with pytest.raises(ValueError, match=exactly(message)):
        tabular([1.0, value])


# Texts


def test_missing_and_empty_texts_are_the_same():
    spec = TextModality().fit(TEXTS)
    block = np.array([None, "", np.nan, pd.NA, "   "], dtype=object)
    out = spec.transform(block)
    assert np.isfinite(out).all()
    assert (out == out[0]).all()


@pytest.mark.parametrize("texts", [["", ""], [None, None], [np.nan, " "]])
def test_text_without_a_word_is_refused(texts):
    message = "The text columns hold no text at all."
    with pytest.raises(ValueError, match=exactly(message)):
        TextModality().fit(np.array(texts, dtype=object))


@pytest.mark.parametrize("texts", [["! ?", "..."], ["a", "b"]])
def test_text_without_a_word_of_the_vocabulary_is_refused(texts):
    with pytest.raises(ValueError, match=r"empty vocabulary|no text at all"):
        TextModality().fit(np.array(texts, dtype=object))


def test_unknown_words_are_like_no_words():
    spec = TextModality().fit(TEXTS)
    out = spec.transform(np.array(["zebra", ""], dtype=object))
    np.testing.assert_array_equal(out[0], out[1])


def test_several_text_columns_are_joined():
    frame = pd.DataFrame({"a": ["red", "blue", None], "b": ["car", None, "bike"]})
    joined = np.array(["red car", "blue", "bike"], dtype=object)
    spec = TextModality(random_state=0).fit(frame)
    assert spec.n_columns_in_ == 2
    np.testing.assert_allclose(
        spec.transform(frame),
        TextModality(random_state=0).fit(joined).transform(joined),
        atol=1e-5,
    )


def test_estimator_joins_several_text_columns():
    frame = pd.DataFrame({"a": ["red", "blue"] * 3, "b": ["car", None] * 3})
    coral = make_coral("text", ["a", "b"]).fit(frame)
    assert coral.modalities_[0][1].n_columns_in_ == 2
    assert coral.transform(frame).shape == (6, 12)


@pytest.mark.parametrize(
    "make",
    [
        lambda t: t[:, None],
        lambda t: t.astype(str),
        lambda t: pd.DataFrame({"t": t}),
        lambda t: pd.DataFrame({"t": pd.Series(t, dtype="string")}),
        lambda t: pd.DataFrame({"t": pd.Series(t, dtype="category")}),
        lambda t: pl.DataFrame({"t": t.tolist()}),
        lambda t: pa.table({"t": t.tolist()}),
    ],
)
def test_texts_of_all_containers_agree(make):
    expected = TextModality(random_state=0).fit(TEXTS).transform(TEXTS)
    block = make(TEXTS)
    got = TextModality(random_state=0).fit(block).transform(block)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("value", "shown"), [(1, "1 of type 'int'"), (b"x", "b'x' of type 'bytes'")]
)
def test_value_that_is_no_text_is_refused_with_its_row(value, shown):
    message = f"Column 0 must hold strings or missing values. Got {shown} in row 1."
    with pytest.raises(TypeError, match=exactly(message)):
        TextModality().fit(np.array(["a car", value], dtype=object))


def test_svd_dim_bounds_the_width_of_texts():
    block = np.array([f"word{i} word{i + 1}" for i in range(30)], dtype=object)
    assert text_vectors(svd_dim=4).fit(block).transform(block).shape == (30, 4)


def naive_heaviest_words(spec, text):
    """Return the ids of a text's known words by falling TF-IDF, then by id."""
    vectorizer = spec.vectorizer_
    words = vectorizer.build_analyzer()(text)
    known = {w for w in words if w in vectorizer.vocabulary_}
    weights = {
        2 + vectorizer.vocabulary_[w]: (1 + np.log(words.count(w)))
        * vectorizer.idf_[vectorizer.vocabulary_[w]]
        for w in known
    }
    ids = sorted(weights, key=lambda i: (-round(weights[i], 9), i)) or [1]
    ids = ids[: spec.n_tokens_]
    return ids + [0] * (spec.n_tokens_ - len(ids))


@pytest.mark.parametrize("n_tokens", [1, 3, None])
def test_heaviest_words_equal_the_loop(n_tokens):
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(30)])
    sizes = rng.integers(0, 12, size=50)
    block = [" ".join(rng.choice(words, size)) for size in sizes]
    spec = TextModality(n_tokens=n_tokens).fit(np.array(block, dtype=object))
    ids = spec.transform(np.array(block, dtype=object))
    assert ids.tolist() == [naive_heaviest_words(spec, text) for text in block]


def test_words_of_one_text_are_left_out_where_others_are_shared():
    spec = TextModality().fit(np.array(["red car", "red bike"], dtype=object))
    assert list(spec.vectorizer_.vocabulary_) == ["red"]
    spec = TextModality().fit(np.array(["red car", "blue bike"], dtype=object))
    assert len(spec.vectorizer_.vocabulary_) == 4


def test_vocabulary_is_bounded_by_max_features():
    block = np.array([f"word{i // 2} common" for i in range(30)], dtype=object)
    spec = TextModality(max_features=4).fit(block)
    assert len(spec.vectorizer_.vocabulary_) == 4


def test_order_of_words_does_not_matter():
    spec = TextModality().fit(TEXTS)
    texts = np.array(["a red car", "car red a"], dtype=object)
    np.testing.assert_array_equal(*spec.transform(texts))


@pytest.mark.parametrize("n_rows", [2, 3])
def test_few_texts_are_enough(n_rows):
    out = TextModality().fit(TEXTS[:n_rows]).transform(TEXTS)
    assert np.isfinite(out).all()


def test_one_text_repeated_is_finite():
    block = np.array(["the same words"] * 4, dtype=object)
    assert np.isfinite(TextModality().fit(block).transform(block)).all()


def test_vocabulary_of_one_word_is_enough():
    block = np.array(["word", None, "word", "word word"], dtype=object)
    assert np.isfinite(TextModality().fit(block).transform(block)).all()


# Subwords


def test_subwords_are_trained_on_the_column_and_cover_new_words():
    block = np.array(["walking talking", "walked talked", "walks talks"] * 3, object)
    spec = TextModality(tokenizer="subwords").fit(block)
    ids = spec.transform(np.array(["talking walks", "walkable", "", "żółw"], object))
    tokenizer = spec.tokenizer_
    pieces = [[tokenizer.id_to_token(i) for i in row if i] for row in ids.tolist()]
    assert "".join(pieces[0]) == "talkingwalks"
    assert pieces[1][0] == "walk"
    assert ids[2].tolist() == [1] + [0] * (ids.shape[1] - 1)
    assert pieces[3] == ["[UNK]"] * spec.n_tokens_
    assert ids.dtype == np.int32


def test_subwords_are_cut_and_padded():
    block = np.array(["a b c d e f", "a", None] * 3, dtype=object)
    spec = TextModality(tokenizer="subwords", n_tokens=4).fit(block)
    ids = spec.transform(block)
    assert ids.shape == (9, 4)
    assert (ids[0] > 0).all()
    assert (ids[1] > 0).sum() == (ids[2] > 0).sum() == 1
    _, mask = spec.make_encoder(8)(torch.as_tensor(ids))
    assert torch.equal(mask, torch.as_tensor(ids) > 0)


def test_vocabulary_of_subwords_is_bounded_and_reproducible():
    words = [f"{a}{b}{c}" for a in "abcd" for b in "efgh" for c in "ijkl"]
    block = np.array([" ".join(words)] * 3, dtype=object)
    first, second = (
        TextModality(tokenizer="subwords", max_features=30).fit(block) for _ in range(2)
    )
    assert first.tokenizer_.get_vocab_size() == 30
    np.testing.assert_array_equal(first.transform(block), second.transform(block))


@pytest.mark.parametrize("augmentation", ["corrupt", "drop"])
def test_estimator_trains_on_subwords_and_pickles(augmentation):
    X = SliceDict(film=make_block(TextModality))
    spec = TextModality(tokenizer="subwords", augmentation=augmentation)
    coral = make_coral(spec, "film").fit(X)
    copied = pickle.loads(pickle.dumps(coral))
    np.testing.assert_array_equal(copied.transform(X), coral.transform(X))
    longer = SliceDict(film=np.append(X["film"], "a red car " * 30))
    np.testing.assert_allclose(
        coral.transform(longer)[:20], coral.transform(X), atol=1e-5
    )


def test_empty_corpus_of_a_tokenizer_is_refused():
    message = "The text columns hold no text at all."
    with pytest.raises(ValueError, match=exactly(message)):
        TextModality(tokenizer="subwords").fit(np.array(["", None], dtype=object))


def test_missing_tokenizers_name_the_extra(monkeypatch):
    find = builtins.__import__

    def without(module, *args, **kwargs):
        if module == "tokenizers":
            raise ModuleNotFoundError(module)
        return find(module, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'skcoral\[text\]'"):
        TextModality(tokenizer="subwords").fit(TEXTS)


# Vectors


@pytest.mark.parametrize(
    "make", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array]
)
def test_sparse_vectors_are_reduced(make):
    block = make(np.eye(10))
    out = EmbeddingModality(svd_dim=3).fit(block).transform(block)
    assert out.shape == (10, 3)
    assert isinstance(out, np.ndarray)


def test_sparse_block_stands_beside_others_in_a_slice_dict():
    rng = np.random.default_rng(0)
    X = SliceDict(
        text=TfidfVectorizer().fit_transform(np.resize(TEXTS, 10)),
        film=rng.normal(size=(10, 3)),
    )
    coral = make_coral("embedding", "text")
    coral.set_params(modalities=[*coral.modalities, ("f", "embedding", "film")])
    out = coral.fit(X).transform(X)
    assert out.shape == (10, 16)
    rows = np.array([0, 3])
    np.testing.assert_allclose(coral.transform(X[rows]), out[rows], atol=1e-5)


@pytest.mark.parametrize("kind", ["tabular", "text"])
def test_sparse_block_in_another_modality_says_what_to_do(kind):
    X = SliceDict(film=sparse.csr_matrix(np.eye(5)))
    with pytest.raises((TypeError, ValueError), match=r"^Modality 'film': .*sparse"):
        make_coral(kind, "film").fit(X)


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


@pytest.mark.parametrize("tokenizer", ["words", "subwords"])
def test_embeddings_start_where_latent_semantic_analysis_has_them(tokenizer):
    spec = TextModality(tokenizer=tokenizer, random_state=0).fit(TEXTS)
    ids = spec.transform(TEXTS)
    n_ids = len(spec.token_vectors_)
    counts = np.array([[np.sum(row == i) for i in range(n_ids)] for row in ids])
    counts[:, :2] = 0  # padding, and texts without known words
    frequency = np.log((1 + len(ids)) / (1 + (counts > 0).sum(axis=0))) + 1
    weights = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0) * frequency
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    # Vectors of all directions have the inner products of the columns of the weights.
    given = spec.token_vectors_ @ spec.token_vectors_.T
    np.testing.assert_allclose(given, weights.T @ weights, atol=1e-5)


def test_embeddings_start_with_equal_lengths_and_keep_padding_at_zero():
    spec = TextModality(svd_dim=2, random_state=0).fit(TEXTS)
    start = spec.make_encoder(8).embedding.weight.detach().numpy()
    assert spec.token_vectors_.shape == (len(start), 2)
    norms = np.linalg.norm(start[:, :2], axis=1)
    np.testing.assert_allclose(norms, [0, 0, *[2**0.5] * (len(start) - 2)], atol=1e-6)
    np.testing.assert_array_equal(start[0], np.zeros(8))
    assert (start[1:, 2:] != 0).all()
    narrow = spec.make_encoder(1).embedding.weight.detach().numpy()
    np.testing.assert_allclose(np.abs(narrow[2:]), 1.0, atol=1e-6)


def test_words_of_the_same_texts_start_alike():
    texts = np.array(["cat dog", "dog cat", "rose tulip", "tulip rose"] * 5, object)
    spec = TextModality(random_state=0).fit(texts)
    start = spec.make_encoder(4).embedding.weight.detach().numpy()
    cat, dog, rose = (
        start[spec.transform(np.array([w], object))[0, 0]]
        for w in ("cat", "dog", "rose")
    )
    known = slice(None, spec.token_vectors_.shape[1])
    assert cat[known] @ dog[known] > 0.9 * (dog[known] @ dog[known])
    assert abs(cat[known] @ rose[known]) < 0.1 * (dog[known] @ dog[known])
