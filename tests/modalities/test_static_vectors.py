"""Static vectors: words of other texts tell what the words of these texts mean."""

import builtins
import pickle
import shutil

import numpy as np
import pytest
import torch
from helpers import STATIC_WORDS, exactly, make_coral_of, make_static_vectors
from safetensors.numpy import save_file
from sklearn import config_context
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler
from skorch.helper import SliceDict

import skcoral
from skcoral import COrALTransformer, TextModality
from skcoral.modalities import _static_vectors

# The fixtures of all tests hide the wheel.
LOCATE = _static_vectors._locate
TEXTS = np.array(
    ["red car", "blue car", "red bike", "", None, "blue boat", "red red car", "boat"],
    dtype=object,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of static vectors."""
    return make_static_vectors(tmp_path_factory.mktemp("vectors"))


@pytest.fixture
def wheel(folder, tmp_path, monkeypatch):
    """The same vectors, where a wheel would have them."""
    places = {
        "model.safetensors": _static_vectors.WEIGHTS,
        "tokenizer.json": _static_vectors.TOKENIZER,
    }
    for name, place in places.items():
        (tmp_path / place).parent.mkdir()
        shutil.copy(folder / name, tmp_path / place)
    monkeypatch.setattr(_static_vectors, "_locate", lambda: tmp_path)
    return tmp_path


def read_table(folder):
    """Return the vector of each token by its name."""
    static = _static_vectors._read_folder(folder)
    table = static.table.astype(np.float64)
    return {token: table[i] for token, i in static.tokenizer.get_vocab().items()}


def as_texts(*texts):
    return np.array(texts, dtype=object)


# Vectors


def test_texts_become_the_standardised_means_of_the_vectors_of_their_tokens(folder):
    table = read_table(folder)
    spec = TextModality(vectors=folder).fit(TEXTS)
    means = [
        np.mean([table[word] for word in text.split()], axis=0) if text else np.zeros(5)
        for text in map(str, np.where(TEXTS == None, "", TEXTS))  # noqa: E711
    ]
    expected = StandardScaler().fit(means)
    vectors = spec.transform(TEXTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, expected.transform(means), atol=1e-5)
    later = [(2 * table["boat"] + table["##s"] + table["green"]) / 4]
    got = spec.transform(as_texts("Boat BOATS mauve green"))
    np.testing.assert_allclose(got, expected.transform(later), atol=1e-5)


def test_a_text_without_a_known_token_is_like_an_empty_one(folder):
    spec = TextModality(vectors=folder).fit(TEXTS)
    np.testing.assert_array_equal(*spec.transform(as_texts("mauve !", "")))


def test_vectors_keep_their_precision_and_its_range(folder, tmp_path):
    spec = TextModality(vectors=folder).fit(TEXTS)
    assert spec.vectorizer_.table.dtype == np.float16
    huge = make_static_vectors(tmp_path, outlier=1e30, dtype=np.float32)
    spec = TextModality(vectors=huge).fit(TEXTS)
    assert np.isfinite(spec.transform(as_texts("bike", "red"))).all()


def test_equal_texts_have_finite_vectors(folder):
    spec = TextModality(vectors=folder).fit(as_texts("red", "red"))
    assert np.isfinite(spec.transform(as_texts("red", "blue"))).all()


@pytest.mark.parametrize(
    "text", ["\ud800 red", "\u200bred", "\x00", "🚗" * 200, "red" * 9999]
)
def test_odd_characters_do_no_harm(folder, text):
    spec = TextModality(vectors=folder).fit(TEXTS)
    assert np.isfinite(spec.transform(as_texts(text))).all()


def test_tags_and_several_columns_are_joined(folder):
    spec = TextModality(vectors=folder).fit(np.array([["red", "car"]] * 3, object))
    joined = TextModality(vectors=folder).fit(as_texts(*["red car"] * 3))
    got = spec.transform(np.array([["blue", "boat"]], dtype=object))
    np.testing.assert_array_equal(got, joined.transform(as_texts("blue boat")))


def test_scikit_learns_output_changes_nothing(folder):
    with config_context(transform_output="pandas"):
        got = TextModality(vectors=folder).fit(TEXTS).transform(TEXTS)
    expected = TextModality(vectors=folder).fit(TEXTS).transform(TEXTS)
    np.testing.assert_array_equal(got, expected)


def test_views_are_those_of_vectors(folder):
    spec = TextModality(vectors=folder, augmentation="noise", n_tokens=3).fit(TEXTS)
    view = spec.make_augmentation()(torch.zeros(4, 5))
    assert view.shape == (4, 5)
    tokens, mask = spec.make_encoder(8)(view)
    assert tokens.shape == (4, 3, 8)
    assert mask is None
    with pytest.raises(ValueError, match="must be made of"):
        TextModality(vectors=None, augmentation="noise").fit(TEXTS)


# Choice


def test_vectors_of_a_wheel_are_found_by_themselves_and_named(wheel):
    spec = TextModality().fit(TEXTS)
    assert spec.vectors_ == "wordllama"
    assert repr(spec) == "TextModality(vectors='wordllama')"
    assert "vectors_" in spec._repr_html_()
    assert repr(clone(spec)) == "TextModality()"


@pytest.mark.parametrize("vectors", ["auto", None])
def test_without_vectors_words_start_by_their_texts(vectors):
    spec = TextModality(vectors=vectors).fit(TEXTS)
    assert spec.vectors_ is None
    assert set(spec.vectorizer_.vocabulary_) == {"red", "car", "blue", "boat"}
    assert repr(spec) == repr(TextModality(vectors=vectors))


def test_none_does_without_the_wheel(wheel):
    assert TextModality(vectors=None).fit(TEXTS).vectors_ is None


@pytest.mark.parametrize(
    ("texts", "chosen"),
    [
        (["red zzyzx", "car"], "wordllama"),
        (["qwfp zzyzx red", "qwfp car"], None),
        (["red"] * 2 + ["qwfp"] * 3, None),
        (["boats boats", "red"], None),
    ],
)
def test_auto_wants_most_words_to_be_known_as_a_whole(wheel, texts, chosen):
    spec = TextModality().fit(np.array(texts, dtype=object))
    assert spec.vectors_ == chosen
    asked = TextModality(vectors="wordllama").fit(np.array(texts, dtype=object))
    assert asked.vectors_ == "wordllama"


@pytest.mark.parametrize("kind", ["subwords", "preprocessor", "encoder"])
def test_what_replaces_words_needs_no_vectors(wheel, kind):
    params = {
        "subwords": {"tokenizer": "subwords"},
        "preprocessor": {"preprocessor": skcoral.PretrainedEncoder(Lengths())},
        "encoder": {"encoder": Lengths()},
    }[kind]
    assert TextModality(**params).fit(TEXTS).vectors_ is None
    shown = {"subwords": "tokenizer='subwords'"}.get(kind, f"{kind}=")
    message = (
        "The 'vectors' parameter of TextModality must be 'auto' or None beside " + shown
    )
    with pytest.raises(ValueError, match=message):
        TextModality(vectors="wordllama", **params).fit(TEXTS)


# Estimators


@pytest.mark.parametrize("augmentation", ["corrupt", "drop", "noise"])
def test_estimator_with_vectors_comes_back_without_their_files(tmp_path, augmentation):
    folder = make_static_vectors(tmp_path / "vectors")
    spec = TextModality(vectors=str(folder), augmentation=augmentation)
    X = SliceDict(film=np.resize(TEXTS[:3], 20))
    coral = make_coral_of(spec, "film").fit(X)
    skcoral.save(coral, tmp_path / "coral.skcoral")
    shutil.rmtree(folder)
    later = SliceDict(film=np.array(["green boats", "car"], dtype=object))
    for copied in (
        pickle.loads(pickle.dumps(coral)),
        skcoral.load(tmp_path / "coral.skcoral"),
    ):
        np.testing.assert_array_equal(copied.transform(X), coral.transform(X))
        np.testing.assert_array_equal(copied.transform(later), coral.transform(later))
    alone = [coral.transform(later[[row]]) for row in range(2)]
    np.testing.assert_allclose(np.vstack(alone), coral.transform(later), atol=1e-6)
    assert not np.allclose(*coral.transform(later))


# Errors


class Lengths:
    """A model that tells the length of texts."""

    def encode(self, texts):
        return np.array([[len(text), 1.0 + text.count("e")] for text in texts])


def test_a_wheel_that_is_not_installed_names_the_extra():
    message = "vectors='wordllama' needs wordllama: pip install 'skcoral[words]'."
    with pytest.raises(ImportError, match=exactly(message)):
        TextModality(vectors="wordllama").fit(TEXTS)


def test_missing_tokenizers_name_the_extra(folder, monkeypatch):
    find = builtins.__import__

    def without(module, *args, **kwargs):
        if module == "tokenizers":
            raise ModuleNotFoundError(module)
        return find(module, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    message = "Static vectors need tokenizers: pip install 'skcoral[words]'."
    with pytest.raises(ImportError, match=exactly(message)):
        TextModality(vectors=folder).fit(TEXTS)


@pytest.mark.parametrize("present", [[], ["tokenizer.json"], ["model.safetensors"]])
def test_a_folder_without_vectors_is_refused(folder, tmp_path, present):
    for name in present:
        shutil.copy(folder / name, tmp_path / name)
    message = (
        "The 'vectors' parameter of TextModality must be 'auto', 'wordllama', None or "
        "a folder with a 'tokenizer.json' and one file '*.safetensors'; nothing is "
        f"downloaded. Got {str(tmp_path)!r} instead."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        TextModality(vectors=tmp_path).fit(TEXTS)


N_WORDS = len(STATIC_WORDS)
TABLES = {
    "short": ({"a": np.zeros((N_WORDS - 1, 4))}, "one matrix with a row for each of"),
    "empty": ({"a": np.zeros((N_WORDS, 0))}, r"Got {'a': \(\d+, 0\)} instead"),
    "flat": ({"a": np.zeros(N_WORDS)}, r"Got {'a': \(\d+,\)} instead"),
    "two": ({"a": np.zeros((N_WORDS, 2)), "b": np.zeros((N_WORDS, 2))}, "one matrix"),
    "nan": ({"a": np.diag([*[1.0] * 3, *[np.nan] * (N_WORDS - 3)])}, "Row 3 is not"),
}


@pytest.mark.parametrize("kind", TABLES)
def test_vectors_that_do_not_fit_their_tokenizer_are_refused(folder, tmp_path, kind):
    tensors, message = TABLES[kind]
    shutil.copy(folder / "tokenizer.json", tmp_path)
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=f"^The static vectors '.*{message}"):
        TextModality(vectors=tmp_path).fit(TEXTS)


@pytest.mark.parametrize("name", ["tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("damage", [b"", b"{}", b"\x00" * 100])
def test_damaged_files_are_refused(folder, tmp_path, name, damage):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / name).write_bytes(damage)
    message = "^The static vectors '.*' cannot be read: .* vectors=None does without"
    with pytest.raises(ValueError, match=message):
        TextModality(vectors=tmp_path).fit(TEXTS)


def test_a_damaged_wheel_is_refused_and_an_unknown_one_ignored(wheel):
    (wheel / _static_vectors.WEIGHTS).write_bytes(b"cut")
    message = "^The static vectors 'wordllama' cannot be read: "
    with pytest.raises(ValueError, match=message):
        TextModality().fit(TEXTS)
    (wheel / _static_vectors.WEIGHTS).unlink()
    assert TextModality().fit(TEXTS).vectors_ is None
    with pytest.raises(ValueError, match=message):
        TextModality(vectors="wordllama").fit(TEXTS)


# The wheel itself


def test_vectors_of_wordllama_know_words(monkeypatch):
    pytest.importorskip("wordllama")
    monkeypatch.setattr(_static_vectors, "_locate", LOCATE)
    titles = ["organic chemistry", "medieval poetry", "calculus of variations"]
    texts = np.array([f"{t} {i}" for i in range(10) for t in titles], dtype=object)
    coral = COrALTransformer(
        [("title", TextModality(), "title"), ("v", "embedding", "v")],
        embed_dim=16,
        max_epochs=1,
        random_state=0,
    )
    coral.fit(SliceDict(title=texts, v=np.random.default_rng(0).normal(size=(30, 3))))
    spec = coral.modalities_[0][1]
    assert spec.vectors_ == "wordllama"
    vectors = spec.transform(as_texts("physics", "biology", "novels", "sonnets"))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    alike = vectors @ vectors.T
    assert alike[0, 1] > max(alike[0, 2], alike[0, 3], alike[1, 2], alike[1, 3])
