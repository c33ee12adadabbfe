"""COrALTransformer as its users meet it: outputs, further training, searches."""

import copy
import math
import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers import PREDICTORS, exactly, film_modalities, make_tiny
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.helper import SliceDict

from skcoral import (
    COrALTransformer,
    EmbeddingModality,
    TabularModality,
    TextModality,
)
from skcoral._training.trainer import count_epochs
from skcoral.datasets import make_multimodal_interactions


def make_views(n_modalities, n_rows=40):
    rng = np.random.default_rng(0)
    sizes = range(3, 3 + n_modalities)
    return SliceDict(
        **{f"m{i}": rng.normal(size=(n_rows, d)) for i, d in enumerate(sizes)}
    )


# Output


@pytest.mark.parametrize("n_modalities", [1, 2, 3, 4])
def test_any_number_of_modalities(tiny, n_modalities):
    X = make_views(n_modalities)
    coral = make_tiny(tiny).fit(X)
    Z = coral.transform(X)
    assert Z.shape == (40, 8 + 4 * n_modalities)
    assert Z.dtype == np.float32
    assert np.isfinite(Z).all()
    assert list(coral.output_indices_) == ["shared", *X]
    assert coral.n_features_in_ == n_modalities


@pytest.mark.parametrize(
    ("output", "components"),
    [("all", ["shared", "a", "b"]), ("shared", ["shared"]), ("unique", ["a", "b"])],
)
def test_output_selects_components_even_after_fit(views, tiny, output, components):
    coral = make_tiny(tiny).fit(views)
    whole, parts = coral.transform(views), coral.output_indices_
    coral.set_params(output=output)
    assert list(coral.output_indices_) == components
    expected = np.hstack([whole[:, parts[name]] for name in components])
    np.testing.assert_array_equal(coral.transform(views), expected)
    assert len(coral.get_feature_names_out()) == expected.shape[1]


def test_names_carry_component_and_number(tiny):
    X = make_views(2)
    coral = make_tiny(tiny, embed_dim=12, unique_dim=3).fit(X)
    names = coral.get_feature_names_out().tolist()
    assert names[:2] == ["shared_00", "shared_01"]
    assert names[12:] == ["m0_0", "m0_1", "m0_2", "m1_0", "m1_1", "m1_2"]


def test_fit_transform_equals_fit_and_transform(views, tiny):
    both = make_tiny(tiny).fit_transform(views)
    np.testing.assert_array_equal(both, make_tiny(tiny).fit(views).transform(views))


@pytest.mark.parametrize(("container", "frame"), [("pandas", pd), ("polars", pl)])
def test_set_output_names_the_columns(films, tiny, container, frame):
    coral = make_tiny(tiny, film_modalities()).set_output(transform=container)
    Z = coral.fit_transform(films)
    assert isinstance(Z, frame.DataFrame)
    assert list(Z.columns) == coral.get_feature_names_out().tolist()
    np.testing.assert_array_equal(
        Z.to_numpy(), coral.set_output(transform="default").transform(films)
    )


def test_set_output_keeps_the_index(films, tiny):
    films.index = films.index[::-1] + 100
    coral = make_tiny(tiny, film_modalities()).set_output(transform="pandas")
    assert coral.fit_transform(films).index.equals(films.index)


# Invariance


@pytest.mark.parametrize("form", ["frame", "views"])
def test_a_row_is_embedded_alike_in_every_batch(films, views, tiny, form):
    X = films if form == "frame" else views
    take = X.iloc.__getitem__ if form == "frame" else X.__getitem__
    coral = make_tiny(tiny).fit(X)
    whole = coral.transform(X)
    order = np.random.default_rng(0).permutation(60)
    np.testing.assert_array_equal(coral.transform(take(order)), whole[order])
    single = np.vstack([coral.transform(take(slice(i, i + 1))) for i in range(60)])
    np.testing.assert_array_equal(single, whole)


def test_more_rows_than_an_inference_batch(tiny):
    X = np.random.default_rng(0).normal(size=(700, 3))
    coral = make_tiny(tiny).fit(X[:50])
    Z = coral.transform(X)
    parts = [
        coral.transform(X[:1]),
        coral.transform(X[1:600]),
        coral.transform(X[600:]),
    ]
    np.testing.assert_array_equal(Z, np.vstack(parts))


def test_targets_are_ignored(views, tiny):
    y = np.arange(60)
    plain, with_y = make_tiny(tiny).fit(views), make_tiny(tiny).fit(views, y)
    np.testing.assert_array_equal(plain.transform(views), with_y.transform(views))


def test_transform_and_score_leave_the_estimator_as_it_was(films, tiny):
    coral = make_tiny(tiny).fit(films)
    before = copy.deepcopy(vars(coral)).keys()
    weights = [p.clone() for p in coral.net_.module_.parameters()]
    buffers = [b.clone() for b in coral.net_.criterion_.buffers()]
    coral.transform(films), coral.score(films)
    assert vars(coral).keys() == before
    pairs = zip(weights, coral.net_.module_.parameters(), strict=True)
    assert all((a == b).all() for a, b in pairs)
    pairs = zip(buffers, coral.net_.criterion_.buffers(), strict=True)
    assert all((a == b).all() for a, b in pairs)


@pytest.mark.parametrize("change", [clone, copy.deepcopy])
def test_copies_fit_to_the_same_features(films, tiny, change):
    coral = make_tiny(tiny, film_modalities())
    other = change(coral)
    np.testing.assert_array_equal(
        coral.fit_transform(films), other.fit_transform(films)
    )


def test_pickle_keeps_everything(films, tiny):
    coral = make_tiny(tiny, film_modalities()).fit(films)
    copied = pickle.loads(pickle.dumps(coral))
    np.testing.assert_array_equal(copied.transform(films), coral.transform(films))
    assert copied.score(films) == coral.score(films)
    assert copied.history_ == coral.history_


def test_order_of_modalities_is_the_order_of_unique_blocks(views, tiny):
    modalities = [("b", "embedding", "b"), ("a", "embedding", "a")]
    coral = make_tiny(tiny, modalities).fit(views)
    assert list(coral.output_indices_) == ["shared", "b", "a"]


# Training further


def test_auto_epochs_follow_the_number_of_updates(tiny):
    for n_rows, batch_size, updates in [(40, 10, 4), (60, 8, 8), (1000, 16, 63)]:
        expected = min(200, max(10, math.ceil(600 / updates)))
        assert count_epochs(n_rows, batch_size) == expected
    X = np.random.default_rng(0).normal(size=(1000, 2))
    coral = make_tiny(tiny, max_epochs="auto", batch_size=16)
    coral.set_params(early_stopping=True, validation_fraction=0.5, n_iter_no_change=1)
    assert coral.fit(X).net_.max_epochs == math.ceil(600 / 32)


def test_continued_training_keeps_the_sizes_of_the_first(views, tiny):
    coral = make_tiny(tiny).fit(views).set_params(n_heads=3, mask_ratio=[])
    assert coral.partial_fit(views).n_iter_ == 3
    with pytest.raises(ValueError, match="non-empty sequence"):
        coral.fit(views)


def test_fit_starts_anew_and_warm_start_continues(views, tiny):
    coral = make_tiny(tiny)
    first = coral.fit_transform(views)
    np.testing.assert_array_equal(coral.fit_transform(views), first)
    coral.set_params(warm_start=True).fit(views)
    assert coral.n_iter_ == 4
    assert not np.allclose(coral.transform(views), first)
    assert not hasattr(make_tiny(tiny, warm_start=True), "net_")


def test_warm_start_keeps_what_the_modalities_learnt(films, tiny):
    coral = make_tiny(tiny, film_modalities(), warm_start=True).fit(films)
    scaler = coral.modalities_[0][1].scaler_
    coral.fit(films.iloc[:30])
    assert coral.modalities_[0][1].scaler_ is scaler


def test_partial_fit_trains_one_epoch_per_chunk(films, tiny):
    coral = make_tiny(tiny, film_modalities())
    for i in range(3):
        coral.partial_fit(films.iloc[20 * i : 20 * i + 20])
        assert coral.n_iter_ == i + 1
    assert coral.modalities_[1][1] is not coral.modalities[1][1]
    # Scales and vocabulary are those of the first chunk.
    first = make_tiny(tiny, film_modalities()).fit(films.iloc[:20])
    for a, b in zip(coral.modalities_, first.modalities_, strict=True):
        block = films[[a[2]] if isinstance(a[2], str) else a[2]]
        np.testing.assert_array_equal(a[1].transform(block), b[1].transform(block))
    assert coral.transform(films).shape == (60, 16)


def test_partial_fit_is_reproducible(views, tiny):
    first, second = (
        make_tiny(tiny).partial_fit(views).partial_fit(views[:30]) for _ in range(2)
    )
    np.testing.assert_array_equal(first.transform(views), second.transform(views))


def test_partial_fit_follows_the_schedule_of_max_epochs(views, tiny):
    coral = make_tiny(tiny, max_epochs=4, mask_ratio=(0.1, 0.2))
    ratios = []
    for _ in range(4):
        coral.partial_fit(views)
        ratios.append(coral.net_.criterion_._current_ratio())
    assert ratios == [0.1, 0.1, 0.2, 0.2]


def test_partial_fit_refuses_early_stopping(views, tiny):
    with pytest.raises(ValueError, match=r"partial_fit of COrALTransformer.*early"):
        make_tiny(tiny, early_stopping=True).partial_fit(views)


@pytest.mark.parametrize(
    "attribute",
    ["output_indices_", "history_", "n_iter_", "loss_curve_", "device_"],
)
def test_fitted_attributes_need_a_fit(tiny, attribute):
    with pytest.raises(NotFittedError):
        getattr(make_tiny(tiny), attribute)


def test_no_validation_curve_without_early_stopping(views, tiny):
    assert make_tiny(tiny).fit(views).validation_loss_curve_ is None


# Scikit-learn's machinery


def test_pipeline_with_a_classifier(films, tiny):
    y = films["seen"].to_numpy()
    model = make_pipeline(
        make_tiny(tiny, film_modalities()), StandardScaler(), LogisticRegression()
    )
    assert model.fit(films, y).predict(films).shape == (60,)
    assert cross_val_score(model, films, y, cv=3).shape == (3,)


def test_grid_search_reaches_nested_parameters_in_two_processes(films, tiny):
    y = films["seen"].to_numpy()
    model = make_pipeline(make_tiny(tiny, film_modalities()), LogisticRegression())
    grid = {
        "coraltransformer__words__n_tokens": [1, 2],
        "coraltransformer__film__augmentation": ["corrupt", ["drop", "noise"]],
        "coraltransformer__output": ["all"],
    }
    search = GridSearchCV(model, grid, cv=2, n_jobs=2, error_score="raise")
    search.fit(films, y)
    assert len(search.cv_results_["params"]) == 4
    best = search.best_estimator_[0].modalities_[1][1]
    n_tokens = search.best_params_["coraltransformer__words__n_tokens"]
    assert best.n_tokens == n_tokens


def test_grid_search_replaces_a_whole_modality(films, tiny):
    grid = {"words": [TextModality(), TextModality(preprocessor=CountVectorizer())]}
    search = GridSearchCV(make_tiny(tiny, film_modalities()), grid, cv=2)
    search.fit(films)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_slice_dict_through_split_and_search(views, tiny):
    y = views["a"][:, 0] > 0
    train, test, y_train, _ = train_test_split(views, y, random_state=0)
    model = make_pipeline(make_tiny(tiny), LogisticRegression())
    grid = {"coraltransformer__mask_ratio": [0.2, (0.1, 0.9)]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(train, y_train)
    assert search.predict(test).shape == (15,)


def test_pipeline_memory_trains_once(films, tiny, tmp_path):
    coral = make_tiny(tiny, film_modalities())
    y = films["seen"].to_numpy()
    model = make_pipeline(coral, LogisticRegression(), memory=str(tmp_path))
    first = model.fit(films, y)[0]
    second = clone(model).fit(films, y)[0]
    times = [net.history[:, "dur"] for net in (first.net_, second.net_)]
    assert times[0] == times[1]  # measured anew, they would differ


def test_frozen_estimator_is_not_trained_again(films, tiny):
    coral = make_tiny(tiny, film_modalities()).fit(films)
    model = make_pipeline(FrozenEstimator(coral), LogisticRegression())
    model.fit(films.iloc[:20], films["seen"][:20])
    assert model[0].estimator is coral
    assert coral.n_iter_ == 2


def test_sparse_block_out_of_a_vectorizer(films, tiny):
    counts = CountVectorizer().fit_transform(films["plot"])
    year = films[["year"]].fillna(0.0).to_numpy()
    X = SliceDict(words=sparse.csr_array(counts), film=year)
    modalities = [("words", "embedding", "words"), ("film", "tabular", "film")]
    Z = make_tiny(tiny, modalities).fit_transform(X)
    assert Z.shape == (60, 16)


def test_preprocessor_of_any_modality(films, tiny):
    reduce = make_pipeline(CountVectorizer(), TruncatedSVD(3, random_state=0))
    modalities = [
        ("film", TabularModality(preprocessor=StandardScaler()), ["year"]),
        ("words", TextModality(preprocessor=reduce), "plot"),
        ("flat", EmbeddingModality(preprocessor=StandardScaler()), ["seen"]),
    ]
    films["year"] = films["year"].fillna(0.0)
    assert make_tiny(tiny, modalities).fit_transform(films).shape == (60, 20)


def test_a_plain_array_is_one_table(tiny):
    X = load_iris().data
    coral = make_tiny(tiny).fit(X)
    assert [(name, type(spec)) for name, spec, _ in coral.modalities_] == [
        ("table", TabularModality)
    ]


def test_auto_of_the_films(films, tiny):
    coral = make_tiny(tiny).fit(films)
    kinds = {name: type(spec) for name, spec, _ in coral.modalities_}
    assert kinds == {"table": TabularModality, "plot": TextModality}
    assert coral.modalities == "auto"
    assert coral.feature_names_in_.tolist() == list(films.columns)


# What the features know


def probe(train, test, y_train, y_test):
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return balanced_accuracy_score(y_test, model.fit(train, y_train).predict(test))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_features_know_shared_and_unique_labels(seed):
    data = make_multimodal_interactions(1200, random_state=seed)
    sizes = {"embed_dim": 32, "head_dim": 32, "head_hidden_dim": 64}
    coral = COrALTransformer(max_epochs=30, random_state=seed, **sizes)
    Z = coral.fit_transform(data.data)
    for label in ("redundant", "unique_m0", "unique_m1"):
        y = data.target[label]
        # Chance is 0.5, and 600 test rows have a standard error of 0.02.
        assert probe(Z[:600], Z[600:], y[:600], y[600:]) > 0.65
    # A unique path sees one modality, and the other's factors are independent of it.
    own = Z[:, coral.output_indices_["m0"]]
    y = data.target["unique_m1"]
    assert probe(own[:600], own[600:], y[:600], y[600:]) < 0.6


@pytest.mark.parametrize("cls", [COrALTransformer, *PREDICTORS])
def test_one_modality_is_warned_of_once_a_fit(cls, views, tiny):
    message = (
        f"{cls.__name__} has one modality, 'a', so that its shared and unique "
        "components lose their meaning: there is none to share anything with. Name two "
        "modalities or more in 'modalities'."
    )
    modalities = [("a", "embedding", "a"), ("b", "embedding", "b")]
    y = np.arange(60) % 2
    with pytest.warns(UserWarning, match=exactly(message)) as caught:
        model = cls(modalities[:1], **tiny).fit(views, y)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.transform(views)
        cls(modalities, **tiny).fit(views, y)
