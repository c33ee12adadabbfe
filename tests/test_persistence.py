"""Saving and loading: the same bits for every method and kind, in one small file."""

import importlib
import json
import os
import pkgutil
import zipfile
from itertools import chain

import numpy as np
import pandas as pd
import pytest
import skops.io
import torch
from helpers import METHODS, TEXTS, TINY, make_fitted, make_tiny
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback
from skorch.exceptions import DeviceWarning
from skorch.helper import SliceDict

import skcoral
from skcoral import (
    COrALClassifier,
    COrALTransformer,
    EmbeddingModality,
    FactorCLTransformer,
    ImageModality,
    PretrainedEncoder,
    SequenceModality,
    TabularModality,
    TextModality,
    load,
    objectives,
    persistence,
    save,
)
from skcoral.datasets import make_multimodal_interactions
from skcoral.objectives.base import Objective

methods = pytest.mark.parametrize("method", METHODS, ids=lambda m: m.__name__)

# A modality of every kind, and every way to read it.
KINDS = {
    "table": TabularModality(augmentation=["corrupt", "noise", "drop"]),
    "scaled": TabularModality(preprocessor=StandardScaler()),
    "words": TextModality(augmentation=["corrupt", "drop"]),
    "subwords": TextModality(tokenizer="subwords"),
    "ngrams": TextModality(tokenizer="ngrams"),
    "tfidf": TextModality(preprocessor=TfidfVectorizer()),
    "attended": SequenceModality(augmentation=["crop", "drop_consecutive", "permute"]),
    "recurrent": SequenceModality(encoder="gru"),
    "pictures": ImageModality(encoder="patch", patch_size=4),
    "dense": EmbeddingModality(preprocessor=PCA(2)),
    "sparse": EmbeddingModality(),
    "narrow": EmbeddingModality(),
}
MODALITIES = [(name, spec, name) for name, spec in KINDS.items()]
# FactorCL has critics for every pair of modalities: half of them at a time.
CASES = [
    (method, MODALITIES) for method in METHODS if method is not FactorCLTransformer
]
CASES += [(FactorCLTransformer, MODALITIES[start::2]) for start in (0, 1)]


def make_rows(n_rows=24):
    """Return rows that have a block for every kind."""
    rng = np.random.RandomState(0)
    table = pd.DataFrame(
        {
            "year": np.where(np.arange(n_rows) % 7, rng.normal(size=n_rows), np.nan),
            "rating": np.resize(["G", "PG", None], n_rows),
            "seen": np.resize([True, False], n_rows),
            "released": pd.date_range("2020-01-01", periods=n_rows),
        }
    )
    texts = np.resize(TEXTS, n_rows)
    series = rng.normal(size=(n_rows, 5, 2))
    vectors = sparse.random(n_rows, 6, 0.5, "csr", random_state=0)
    return SliceDict(
        table=table,
        scaled=rng.normal(size=(n_rows, 3)),
        words=texts,
        subwords=texts,
        ngrams=texts,
        tfidf=texts,
        attended=series,
        recurrent=series,
        pictures=rng.randint(255, size=(n_rows, 8, 8, 3)).astype(np.uint8),
        dense=rng.normal(size=(n_rows, 4)),
        sparse=vectors,
        narrow=vectors[:, :1],
    )


@pytest.fixture(scope="module")
def rows():
    return make_rows()


def saved(estimator, folder, **options):
    """Return an estimator after it has been in a file."""
    save(estimator, folder / "model.skcoral", **options)
    return load(folder / "model.skcoral")


def check_alike(loaded, model, X):
    """Check that all that an estimator says about rows is the same, bit for bit."""
    for name in ("transform", "predict", "predict_proba"):
        if hasattr(model, name):
            results = getattr(loaded, name)(X), getattr(model, name)(X)
            np.testing.assert_array_equal(*results)


# Round trips


@pytest.mark.parametrize(("method", "modalities"), CASES)
def test_every_method_and_kind_comes_back_the_same(rows, method, modalities, tmp_path):
    options = {"modalities": modalities, "max_epochs": 1, "n_rows": 24}
    model, labels = make_fitted(method, rows, **options)
    state = torch.get_rng_state()
    loaded = saved(model, tmp_path)
    assert torch.equal(torch.get_rng_state(), state)
    check_alike(loaded, model, rows)
    assert loaded.history_ == model.history_
    assert list(loaded.get_feature_names_out()) == list(model.get_feature_names_out())
    whole = saved(model, tmp_path, for_training=True)
    assert whole.score(rows, *labels) == model.score(rows, *labels)
    for estimator in (whole, model):
        estimator.set_params(warm_start=True).fit(rows, *labels)
    check_alike(whole, model, rows)
    data = skops.io.dumps(model)
    trusted = skops.io.get_untrusted_types(data=data)
    assert set(trusted) <= set(persistence.TRUSTED)
    check_alike(skops.io.loads(data, trusted=trusted), model, rows)


X = np.random.default_rng(0).normal(size=(40, 6))
Y = np.arange(40) % 2
TINY_CORAL = COrALTransformer(**TINY, random_state=0)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), TINY_CORAL, LogisticRegression()),
        GridSearchCV(
            make_pipeline(TINY_CORAL, LogisticRegression()),
            {"logisticregression__C": [0.1, 1.0]},
            cv=2,
        ),
        GridSearchCV(COrALClassifier(**TINY, random_state=0), {"lr": [0.1, 0.2]}, cv=2),
        ColumnTransformer([("a", TINY_CORAL, [0, 1, 2]), ("b", TINY_CORAL, [3, 4])]),
    ],
    ids=lambda model: type(model).__name__,
)
def test_what_holds_estimators_comes_back_the_same(model, tmp_path):
    model = clone(model).fit(X, Y)
    check_alike(saved(model, tmp_path), model, X)


def test_choices_and_names_of_a_frame_come_back(films, tiny, tmp_path):
    numbers = make_column_selector(dtype_include="number")
    modalities = [("film", "tabular", numbers), ("words", "text", ["plot"])]
    coral = make_tiny(tiny, modalities).set_output(transform="pandas").fit(films)
    loaded = saved(coral, tmp_path)
    pd.testing.assert_frame_equal(loaded.transform(films), coral.transform(films))
    assert loaded.feature_names_in_.tolist() == coral.feature_names_in_.tolist()
    assert loaded.modalities[0][2].dtype_include == "number"
    assert loaded.get_params().keys() == coral.get_params().keys()


def test_an_estimator_may_be_unfitted_or_interrupted_early(views, tiny, tmp_path):
    loaded = saved(make_tiny(tiny, early_stopping=True, verbose=1), tmp_path)
    loaded.set_params(verbose=0).fit(views)
    again = saved(loaded, tmp_path, for_training=True)
    check_alike(again, loaded, views)
    check_alike(again.fit(views), loaded.fit(views), views)


@pytest.mark.parametrize("make", [str, lambda path: path])
def test_the_folder_of_checkpoints_comes_back(views, tiny, tmp_path, make):
    coral = make_tiny(tiny, checkpoint=make(tmp_path / "training")).fit(views)
    loaded = saved(coral, tmp_path, for_training=True)
    assert loaded.checkpoint == coral.checkpoint
    check_alike(loaded, coral, views)
    check_alike(loaded.fit(views), coral, views)  # the training is done


def test_seeds_may_be_random_states(views, tiny, tmp_path):
    coral = make_tiny(tiny, random_state=np.random.RandomState(0)).fit(views)
    loaded = saved(coral, tmp_path)
    check_alike(loaded, coral, views)
    check_alike(loaded.fit(views), coral.fit(views), views)


# What is in the file


def test_the_default_file_has_less_than_four_megabytes(tmp_path):
    made = make_multimodal_interactions(60, random_state=0)
    coral = COrALTransformer(max_epochs=1).fit(made.data)
    save(coral, tmp_path / "model.skcoral")
    assert (tmp_path / "model.skcoral").stat().st_size < 2.7e6


def test_the_file_is_a_zip_with_the_versions_of_libraries(views, tiny, tmp_path):
    path = tmp_path / "model.skcoral"
    save(make_tiny(tiny).fit(views), path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        versions = json.loads(archive.read("skcoral.json"))
    assert versions["format"] == 1
    assert versions["skcoral"] == "0.1.0"
    assert versions["torch"] == torch.__version__
    assert {"skops", "skorch", "scikit-learn", "numpy"} <= versions.keys()


@methods
def test_without_training_there_is_no_score_and_no_further_training(
    views, method, tmp_path
):
    model, labels = make_fitted(method, views, warm_start=True)
    again = saved(saved(model, tmp_path), tmp_path, for_training=True)
    check_alike(again, model, views)
    message = r"saved without for_training=True, so it lacks what the loss and further"
    if not labels:
        with pytest.raises(ValueError, match=message):
            again.score(views)
    for train in ("partial_fit", "fit"):
        if hasattr(again, train):
            with pytest.raises(ValueError, match=message):
                getattr(again, train)(views, *labels)
        check_alike(again, model, views)
    again.set_params(warm_start=False).fit(views, *labels)
    check_alike(again, model, views)


def test_heads_of_the_embedding_are_kept_and_no_others(views, tmp_path):
    for method in METHODS:
        loaded = saved(make_fitted(method, views)[0], tmp_path)
        objective = loaded.net_.criterion_
        kept = any(parameter.any() for parameter in objective.parameters())
        makes_embedding = type(objective).embed is not Objective.embed
        has_weights = any(True for _ in objective.parameters())
        assert kept is (makes_embedding and has_weights), method


# Trust


class Mine(TabularModality):
    """A kind of modality of a user."""


class Watch(Callback):
    """A callback of a user."""


class Lengths:
    """A frozen model of a user."""

    def encode(self, texts):
        return np.array([[len(text)] for text in texts])


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"modalities": [("a", Mine(), "a")]}, f"{__name__}.Mine"),
        ({"callbacks": [Watch()]}, f"{__name__}.Watch"),
        (
            {
                "modalities": [
                    ("a", TextModality(preprocessor=PretrainedEncoder(Lengths())), "a")
                ]
            },
            "skcoral.pretrained.PretrainedEncoder",
        ),
    ],
)
def test_what_users_bring_is_named_and_can_be_trusted(tiny, tmp_path, params, name):
    text = "preprocessor" in repr(params)
    rows = SliceDict(a=np.resize(TEXTS, 20) if text else X[:20])
    coral = make_tiny(tiny, **params).fit(rows)
    path = tmp_path / "model.skcoral"
    save(coral, path)
    with pytest.raises(ValueError, match="does not trust") as caught:
        load(path)
    assert repr(name) in str(caught.value)
    assert "only if you trust whoever wrote" in str(caught.value)
    check_alike(load(path, trusted=[name, f"{__name__}.Lengths"]), coral, rows)
    kind = {"Mine": Mine, "Watch": Watch}.get(name.rpartition(".")[2])
    if kind is not None:
        check_alike(load(path, trusted=[kind]), coral, rows)


def test_a_lambda_cannot_be_saved(tmp_path):
    coral = COrALTransformer([("a", "tabular", lambda X: [0])])
    with pytest.raises(
        TypeError, match=r"\.<lambda> cannot be saved, as only code tha"
    ):
        save(coral, tmp_path / "model.skcoral")
    assert list(tmp_path.iterdir()) == []


def find_classes(package):
    """Return the classes that the modules of a package define."""
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and value.__module__ == module.name:
                yield value


def test_the_list_has_all_of_ours_but_the_encoder_of_models():
    parts = find_classes(skcoral.modalities), find_classes(skcoral.augmentations)
    ours = {c for c in chain(*parts) if issubclass(c, BaseEstimator)} | {*METHODS}
    ours |= {c for c in find_classes(objectives) if issubclass(c, Objective)}
    names = {f"{c.__module__}.{c.__name__}" for c in ours}
    bases = {
        "skcoral.modalities.base.BaseModality",
        "skcoral.objectives.base.Objective",
    }
    assert len(names) > 30
    assert names - bases <= {*persistence.TRUSTED}
    assert not any("pretrained" in name for name in persistence.TRUSTED)


def test_the_list_holds_nothing_that_has_gone():
    for name in persistence.TRUSTED:
        module, _, word = name.rpartition(".")
        if module == "pathlib._local":  # of later versions of Python
            continue
        assert getattr(importlib.import_module(module), word).__name__ == word


# Paths


@pytest.mark.parametrize("make", [str, lambda path: path])
def test_a_path_is_a_string_or_a_path(tiny, tmp_path, make):
    coral = make_tiny(tiny)
    save(coral, make(tmp_path / "a.skcoral"))
    assert repr(load(make(tmp_path / "a.skcoral"))) == repr(coral)
    assert os.listdir(tmp_path) == ["a.skcoral"]


def test_wrong_paths_are_refused(tiny, tmp_path):
    coral = make_tiny(tiny)
    with pytest.raises(IsADirectoryError, match=r"'path' must be a file\. '"):
        save(coral, tmp_path)
    with pytest.raises(
        FileNotFoundError, match=r"folder of 'path' must exist. The.*no"
    ):
        save(coral, tmp_path / "no" / "model.skcoral")
    for path in (tmp_path, tmp_path / "no"):
        with pytest.raises(FileNotFoundError, match="There is no file '"):
            load(path)


def test_a_failed_save_leaves_the_older_file(tiny, tmp_path, monkeypatch):
    path = tmp_path / "model.skcoral"
    save(make_tiny(tiny), path)
    before = path.read_bytes()

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save(make_tiny(tiny, lr=1.0), path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.skcoral"]


def test_a_link_stays_a_link(tiny, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "model.skcoral")
    save(make_tiny(tiny), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert load(tmp_path / "model.skcoral").random_state == 0


# Devices and threads


def test_a_file_of_another_device_goes_on_with_the_cpu(views, tiny, tmp_path):
    coral = make_tiny(tiny).fit(views)
    Z = coral.transform(views)
    coral.net_.device = "cuda:99"
    save(coral, tmp_path / "model.skcoral")
    with pytest.warns(DeviceWarning, match="fitted on 'cuda:99', which is not avail"):
        loaded = load(tmp_path / "model.skcoral")
    np.testing.assert_array_equal(loaded.transform(views), Z)
    loaded = load(tmp_path / "model.skcoral", device="cpu")
    assert loaded.device_ == "cpu"
    np.testing.assert_array_equal(loaded.transform(views), Z)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_files_go_between_cpu_and_gpu(views, tiny, tmp_path):
    path = tmp_path / "model.skcoral"
    for device, other in [("cuda", "cpu"), ("cpu", "cuda")]:
        coral = make_tiny(tiny, device=device).fit(views)
        save(coral, path, for_training=True)
        loaded = load(path, device=other)
        assert loaded.device_ == other
        features = loaded.transform(views), coral.transform(views)
        np.testing.assert_allclose(*features, atol=1e-5)
        assert load(path).partial_fit(views).device_ == device


def test_bytes_of_a_file_do_not_depend_on_the_default_type(views, tiny, tmp_path):
    coral = make_tiny(tiny).fit(views)
    Z = coral.transform(views)
    save(coral, tmp_path / "model.skcoral")
    torch.set_default_dtype(torch.float64)
    try:
        loaded = load(tmp_path / "model.skcoral")
    finally:
        torch.set_default_dtype(torch.float32)
    np.testing.assert_array_equal(loaded.transform(views), Z)
