"""Texts turned into words, subwords and vectors that the embeddings start from."""

import builtins
import pickle
import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from helpers import (
    TEXTS,
    exactly,
    make_block,
    make_coral_of,
    text_vectors,
)
from scipy.fft import dct
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import StandardScaler
from skorch.helper import SliceDict

import skcoral
from skcoral import TextModality

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


def test_text_without_a_word_is_refused_by_column():
    message = (
        "Columns ['t'] hold no word, for example '! ?'. If these are categories, use "
        "'tabular'."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        TextModality().fit(pd.DataFrame({"t": [None, "! ?", "..."]}))


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
    coral = make_coral_of("text", ["a", "b"]).fit(frame)
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
    message = (
        "Column 0 must hold strings, lists of strings or missing values. Got "
        f"{shown} in row 1."
    )
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
    coral = make_coral_of(spec, "film").fit(X)
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


# Runs of letters


STEMS = np.array(
    ["chemistry", "chemical", "biochemist", "poetry", "poets", "poem"] * 2, object
)


def naive_runs(text):
    """Return the runs of three and four letters of words with spaces around them."""
    runs = []
    for word in text.lower().split():
        padded = f" {word} "
        runs += [
            padded[i : i + size]
            for size in (3, 4)
            for i in range(len(padded) - size + 1)
        ]
    return runs


def test_runs_of_letters_become_the_analysis_of_their_weights():
    spec = TextModality(tokenizer="ngrams", svd_dim=4, random_state=0).fit(STEMS)
    vectorizer = TfidfVectorizer(analyzer=naive_runs, sublinear_tf=True, min_df=2)
    weights = vectorizer.fit_transform(STEMS)
    analysis = TruncatedSVD(4, random_state=0).fit_transform(weights)
    expected = StandardScaler().fit_transform(dct(analysis, axis=1, norm="ortho"))
    got = spec.transform(STEMS)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, atol=1e-4)
    assert spec.vectors_ is None


def test_words_of_one_stem_are_alike_whatever_their_case():
    spec = TextModality(tokenizer="ngrams", random_state=0).fit(STEMS)
    words = np.array(["CHEMISTS", "chemists", "chemicals", "poetic"], dtype=object)
    shouted, chemists, chemicals, poetic = spec.transform(words)
    np.testing.assert_array_equal(shouted, chemists)
    distance = np.linalg.norm(chemists - chemicals)
    assert distance < np.linalg.norm(chemists - poetic)


def test_runs_of_a_single_text_are_left_out_where_others_are_shared():
    texts = np.array(["red", "red", "blue"], dtype=object)
    spec = TextModality(tokenizer="ngrams").fit(texts)
    assert set(spec.vectorizer_.vocabulary_) == set(naive_runs("red"))
    spec = TextModality(tokenizer="ngrams").fit(np.array(["red", "blue"], object))
    assert set(naive_runs("red blue")) == set(spec.vectorizer_.vocabulary_)
    spec = TextModality(tokenizer="ngrams", max_features=2).fit(texts)
    assert len(spec.vectorizer_.vocabulary_) == 2


@pytest.mark.parametrize("augmentation", ["corrupt", "noise"])
def test_estimator_trains_on_runs_of_letters_and_comes_back(augmentation, tmp_path):
    X = SliceDict(film=make_block(TextModality))
    spec = TextModality(tokenizer="ngrams", augmentation=augmentation)
    coral = make_coral_of(spec, "film").fit(X)
    copied = pickle.loads(pickle.dumps(coral))
    np.testing.assert_array_equal(copied.transform(X), coral.transform(X))
    skcoral.save(coral, tmp_path / "coral.skcoral")
    loaded = skcoral.load(tmp_path / "coral.skcoral")
    np.testing.assert_array_equal(loaded.transform(X), coral.transform(X))


def test_tags_and_what_is_no_word_stay_whole():
    texts = ["at 電影喜 👍", ["red car"], None]
    spec = TextModality(tokenizer="ngrams").fit(np.array(texts * 2, dtype=object))
    runs = {" at", "at ", " at ", "電影", "影喜", "👍", "red car"}
    assert set(spec.vectorizer_.vocabulary_) == runs


def test_most_texts_without_a_known_run_are_a_warning():
    spec = TextModality(tokenizer="ngrams").fit(STEMS)
    assert spec.remark(STEMS, spec.transform(STEMS)) is None
    foreign = np.array(["żółw"] * 6 + ["poet"] * 4 + [""] * 9, dtype=object)
    message = "^6 of 10 texts in columns .0. have no known word, for example 'żółw'"
    assert re.match(message, spec.remark(foreign, spec.transform(foreign)))


# Start of the embeddings


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
