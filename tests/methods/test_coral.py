"""COrALTransformer as its users meet it: pipelines, searches, frames, outputs."""

import copy
import math
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
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
from skcoral.methods import _base

FILM = ["year", "rating", "seen", "released"]


def make_coral(tiny, modalities="auto", **params):
    return COrALTransformer(modalities, **{**tiny, "random_state": 0, **params})


def film_modalities():
    return [("film", TabularModality(), FILM), ("words", TextModality(), "plot")]


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
    coral = make_coral(tiny).fit(X)
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
    coral = make_coral(tiny).fit(views)
    whole, parts = coral.transform(views), coral.output_indices_
    coral.set_params(output=output)
    assert list(coral.output_indices_) == components
    expected = np.hstack([whole[:, parts[name]] for name in components])
    np.testing.assert_array_equal(coral.transform(views), expected)
    assert len(coral.get_feature_names_out()) == expected.shape[1]


def test_names_carry_component_and_number(tiny):
    X = make_views(2)
    coral = make_coral(tiny, embed_dim=12, unique_dim=3).fit(X)
    names = coral.get_feature_names_out().tolist()
    assert names[:2] == ["shared_00", "shared_01"]
    assert names[12:] == ["m0_0", "m0_1", "m0_2", "m1_0", "m1_1", "m1_2"]


def test_fit_transform_equals_fit_and_transform(views, tiny):
    both = make_coral(tiny).fit_transform(views)
    np.testing.assert_array_equal(both, make_coral(tiny).fit(views).transform(views))


@pytest.mark.parametrize(("container", "frame"), [("pandas", pd), ("polars", pl)])
def test_set_output_names_the_columns(films, tiny, container, frame):
    coral = make_coral(tiny, film_modalities()).set_output(transform=container)
    Z = coral.fit_transform(films)
    assert isinstance(Z, frame.DataFrame)
    assert list(Z.columns) == coral.get_feature_names_out().tolist()
    np.testing.assert_array_equal(
        Z.to_numpy(), coral.set_output(transform="default").transform(films)
    )


def test_set_output_keeps_the_index(films, tiny):
    films.index = films.index[::-1] + 100
    coral = make_coral(tiny, film_modalities()).set_output(transform="pandas")
    assert coral.fit_transform(films).index.equals(films.index)


# Invariance


@pytest.mark.parametrize("form", ["frame", "views"])
def test_a_row_is_embedded_alike_in_every_batch(films, views, tiny, form):
    X = films if form == "frame" else views
    take = X.iloc.__getitem__ if form == "frame" else X.__getitem__
    coral = make_coral(tiny).fit(X)
    whole = coral.transform(X)
    order = np.random.default_rng(0).permutation(60)
    np.testing.assert_array_equal(coral.transform(take(order)), whole[order])
    single = np.vstack([coral.transform(take(slice(i, i + 1))) for i in range(60)])
    np.testing.assert_array_equal(single, whole)


def test_more_rows_than_an_inference_batch(tiny):
    X = np.random.default_rng(0).normal(size=(700, 3))
    coral = make_coral(tiny).fit(X[:50])
    Z = coral.transform(X)
    parts = [
        coral.transform(X[:1]),
        coral.transform(X[1:600]),
        coral.transform(X[600:]),
    ]
    np.testing.assert_array_equal(Z, np.vstack(parts))


def test_targets_are_ignored(views, tiny):
    y = np.arange(60)
    plain, with_y = make_coral(tiny).fit(views), make_coral(tiny).fit(views, y)
    np.testing.assert_array_equal(plain.transform(views), with_y.transform(views))


def test_transform_and_score_leave_the_estimator_as_it_was(films, tiny):
    coral = make_coral(tiny).fit(films)
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
    coral = make_coral(tiny, film_modalities())
    other = change(coral)
    np.testing.assert_array_equal(
        coral.fit_transform(films), other.fit_transform(films)
    )


def test_pickle_keeps_everything(films, tiny):
    coral = make_coral(tiny, film_modalities()).fit(films)
    copied = pickle.loads(pickle.dumps(coral))
    np.testing.assert_array_equal(copied.transform(films), coral.transform(films))
    assert copied.score(films) == coral.score(films)
    assert copied.history_ == coral.history_


def test_order_of_modalities_is_the_order_of_unique_blocks(views, tiny):
    modalities = [("b", "embedding", "b"), ("a", "embedding", "a")]
    coral = make_coral(tiny, modalities).fit(views)
    assert list(coral.output_indices_) == ["shared", "b", "a"]


# Training further


def test_auto_epochs_follow_the_number_of_updates(tiny):
    for n_rows, batch_size, updates in [(40, 10, 4), (60, 8, 8), (1000, 16, 63)]:
        coral = make_coral(tiny, max_epochs="auto", batch_size=batch_size)
        expected = min(200, max(10, math.ceil(600 / updates)))
        assert count_epochs(coral, n_rows) == expected
    coral.set_params(early_stopping=True, validation_fraction=0.5)
    assert count_epochs(coral, 1000) == math.ceil(600 / 32)


def test_fit_starts_anew_and_warm_start_continues(views, tiny):
    coral = make_coral(tiny)
    first = coral.fit_transform(views)
    np.testing.assert_array_equal(coral.fit_transform(views), first)
    coral.set_params(warm_start=True).fit(views)
    assert coral.n_iter_ == 4
    assert not np.allclose(coral.transform(views), first)
    assert not hasattr(make_coral(tiny, warm_start=True), "net_")


def test_warm_start_keeps_what_the_modalities_learnt(films, tiny):
    coral = make_coral(tiny, film_modalities(), warm_start=True).fit(films)
    scaler = coral.modalities_[0][1].scaler_
    coral.fit(films.iloc[:30])
    assert coral.modalities_[0][1].scaler_ is scaler


def test_partial_fit_trains_one_epoch_per_chunk(films, tiny):
    coral = make_coral(tiny, film_modalities())
    for i in range(3):
        coral.partial_fit(films.iloc[20 * i : 20 * i + 20])
        assert coral.n_iter_ == i + 1
    assert coral.modalities_[1][1] is not coral.modalities[1][1]
    # Scales and vocabulary are those of the first chunk.
    first = make_coral(tiny, film_modalities()).fit(films.iloc[:20])
    for a, b in zip(coral.modalities_, first.modalities_, strict=True):
        block = films[[a[2]] if isinstance(a[2], str) else a[2]]
        np.testing.assert_array_equal(a[1].transform(block), b[1].transform(block))
    assert coral.transform(films).shape == (60, 16)


def test_partial_fit_is_reproducible(views, tiny):
    first, second = (
        make_coral(tiny).partial_fit(views).partial_fit(views[:30]) for _ in range(2)
    )
    np.testing.assert_array_equal(first.transform(views), second.transform(views))


def test_partial_fit_follows_the_schedule_of_max_epochs(views, tiny):
    coral = make_coral(tiny, max_epochs=4, mask_ratio=(0.1, 0.2))
    ratios = []
    for _ in range(4):
        coral.partial_fit(views)
        ratios.append(coral.net_.criterion_._current_ratio())
    assert ratios == [0.1, 0.1, 0.2, 0.2]


def test_partial_fit_refuses_early_stopping(views, tiny):
    with pytest.raises(ValueError, match=r"partial_fit of COrALTransformer.*early"):
        make_coral(tiny, early_stopping=True).partial_fit(views)


@pytest.mark.parametrize(
    "attribute",
    ["output_indices_", "history_", "n_iter_", "loss_curve_", "device_"],
)
def test_fitted_attributes_need_a_fit(tiny, attribute):
    with pytest.raises(NotFittedError):
        getattr(make_coral(tiny), attribute)


def test_no_validation_curve_without_early_stopping(views, tiny):
    assert make_coral(tiny).fit(views).validation_loss_curve_ is None


# Scikit-learn's machinery


def test_pipeline_with_a_classifier(films, tiny):
    y = films["seen"].to_numpy()
    model = make_pipeline(
        make_coral(tiny, film_modalities()), StandardScaler(), LogisticRegression()
    )
    assert model.fit(films, y).predict(films).shape == (60,)
    assert cross_val_score(model, films, y, cv=3).shape == (3,)


def test_grid_search_reaches_nested_parameters_in_two_processes(films, tiny):
    y = films["seen"].to_numpy()
    model = make_pipeline(make_coral(tiny, film_modalities()), LogisticRegression())
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
    search = GridSearchCV(make_coral(tiny, film_modalities()), grid, cv=2)
    search.fit(films)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_slice_dict_through_split_and_search(views, tiny):
    y = views["a"][:, 0] > 0
    train, test, y_train, _ = train_test_split(views, y, random_state=0)
    model = make_pipeline(make_coral(tiny), LogisticRegression())
    grid = {"coraltransformer__mask_ratio": [0.2, (0.1, 0.9)]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(train, y_train)
    assert search.predict(test).shape == (15,)


def test_pipeline_memory_trains_once(films, tiny, tmp_path):
    coral = make_coral(tiny, film_modalities())
    y = films["seen"].to_numpy()
    model = make_pipeline(coral, LogisticRegression(), memory=str(tmp_path))
    first = model.fit(films, y)[0]
    second = clone(model).fit(films, y)[0]
    times = [net.history[:, "dur"] for net in (first.net_, second.net_)]
    assert times[0] == times[1]  # measured anew, they would differ


def test_frozen_estimator_is_not_trained_again(films, tiny):
    coral = make_coral(tiny, film_modalities()).fit(films)
    model = make_pipeline(FrozenEstimator(coral), LogisticRegression())
    model.fit(films.iloc[:20], films["seen"][:20])
    assert model[0].estimator is coral
    assert coral.n_iter_ == 2


def test_sparse_block_out_of_a_vectorizer(films, tiny):
    counts = CountVectorizer().fit_transform(films["plot"])
    year = films[["year"]].fillna(0.0).to_numpy()
    X = SliceDict(words=sparse.csr_array(counts), film=year)
    modalities = [("words", "embedding", "words"), ("film", "tabular", "film")]
    Z = make_coral(tiny, modalities).fit_transform(X)
    assert Z.shape == (60, 16)


def test_preprocessor_of_any_modality(films, tiny):
    reduce = make_pipeline(CountVectorizer(), TruncatedSVD(3, random_state=0))
    modalities = [
        ("film", TabularModality(preprocessor=StandardScaler()), ["year"]),
        ("words", TextModality(preprocessor=reduce), "plot"),
        ("flat", EmbeddingModality(preprocessor=StandardScaler()), ["seen"]),
    ]
    films["year"] = films["year"].fillna(0.0)
    assert make_coral(tiny, modalities).fit_transform(films).shape == (60, 20)


def test_a_plain_array_is_one_table(tiny):
    X = load_iris().data
    coral = make_coral(tiny).fit(X)
    assert [(name, type(spec)) for name, spec, _ in coral.modalities_] == [
        ("table", TabularModality)
    ]


def test_auto_of_the_films(films, tiny):
    coral = make_coral(tiny).fit(films)
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
    coral = COrALTransformer(max_epochs=60, random_state=seed, **sizes)
    Z = coral.fit_transform(data.data)
    for label in ("redundant", "unique_m0", "unique_m1"):
        y = data.target[label]
        # Chance is 0.5, and 600 test rows have a standard error of 0.02.
        assert probe(Z[:600], Z[600:], y[:600], y[600:]) > 0.65
    # A unique path sees one modality, and the other's factors are independent of it.
    own = Z[:, coral.output_indices_["m0"]]
    y = data.target["unique_m1"]
    assert probe(own[:600], own[600:], y[:600], y[600:]) < 0.6


# Missing modalities


def with_gaps(views, rate=0.3):
    """Return the views with rows that lack one modality, never both."""
    rng = np.random.default_rng(1)
    gone = rng.random(60) < 2 * rate
    which = rng.random(60) < 0.5
    blocks = {name: views[name].copy() for name in views}
    blocks["a"][gone & which] = np.nan
    blocks["b"][gone & ~which] = np.nan
    return SliceDict(**blocks)


@pytest.mark.parametrize("mask_mode", ["zero", "token", "drop"])
def test_rows_may_lack_a_modality_in_fit_and_transform(views, tiny, mask_mode):
    X = with_gaps(views)
    coral = make_coral(tiny, mask_mode=mask_mode).fit(X)
    assert np.isfinite(coral.loss_curve_).all()
    assert np.isfinite(coral.transform(X)).all()
    assert np.isfinite(coral.score(X))


def test_complete_rows_are_embedded_alike_beside_incomplete_ones(views, tiny):
    coral = make_coral(tiny).fit(with_gaps(views))
    alone, mixed = coral.transform(views[:20]), coral.transform(with_gaps(views)[:20])
    complete = [np.isfinite(with_gaps(views)[k][:20]).all(axis=1) for k in views]
    rows = np.logical_and(*complete)
    assert 0 < rows.sum() < 20
    np.testing.assert_allclose(mixed[rows], alone[rows], atol=1e-5)


@pytest.mark.parametrize("missing", ["zero", "nan"])
def test_missing_unique_components_are_filled(views, tiny, missing):
    coral = make_coral(tiny, missing=missing).fit(views)
    X = SliceDict(a=views["a"], b=views["b"].copy())
    X["b"][:9] = np.nan
    Z, parts = coral.transform(X), coral.output_indices_
    whole = coral.transform(views)
    fill = {"zero": 0.0, "nan": np.nan}[missing]
    np.testing.assert_array_equal(Z[:9, parts["b"]], np.full((9, 4), fill))
    np.testing.assert_allclose(Z[9:], whole[9:], atol=1e-5)
    np.testing.assert_allclose(Z[:9, parts["a"]], whole[:9, parts["a"]], atol=1e-5)
    assert np.isfinite(Z[:, parts["shared"]]).all()


def test_a_modality_may_be_missing_in_all_rows_of_transform(views, tiny):
    coral = make_coral(tiny).fit(views)
    X = SliceDict(a=views["a"], b=np.full_like(views["b"], np.nan))
    assert np.isfinite(coral.transform(X)).all()


def test_a_modality_that_is_missing_in_every_row_of_fit_is_refused(views, tiny):
    X = SliceDict(a=views["a"], b=np.full_like(views["b"], np.nan))
    with pytest.raises(ValueError, match=r"^Modality 'b': .*missing in every row"):
        make_coral(tiny).fit(X)


def test_rows_that_lack_everything_are_refused_by_default(views, tiny):
    coral = make_coral(tiny).fit(views)
    X = SliceDict(**{name: views[name].copy() for name in views})
    for name in X:
        X[name][[4, 7]] = np.nan
    message = (
        r"^2 rows of X lack every modality, the first of them row 4\. Leave them out, "
        r"or set empty_rows='nan'\.$"
    )
    for method in (coral.transform, coral.score, clone(coral).fit):
        with pytest.raises(ValueError, match=message):
            method(X)


def test_rows_that_lack_everything_are_nan_on_request(views, tiny):
    X = SliceDict(**{name: views[name].copy() for name in views})
    for name in X:
        X[name][[4, 7]] = np.nan
    coral = make_coral(tiny, empty_rows="nan").fit(X)
    Z = coral.transform(X)
    assert np.isnan(Z[[4, 7]]).all()
    rest = np.delete(np.arange(60), [4, 7])
    np.testing.assert_array_equal(Z[rest], coral.transform(X[rest]))
    np.testing.assert_array_equal(
        Z[rest], make_coral(tiny).fit(X[rest]).transform(X[rest])
    )
    assert coral.score(X) == coral.score(X[rest])


def test_few_rows_that_have_anything(views, tiny):
    X = SliceDict(**{name: np.full_like(views[name], np.nan) for name in views})
    coral = make_coral(tiny, empty_rows="nan")
    with pytest.raises(ValueError, match="missing in every row"):
        coral.fit(X)
    fitted = clone(coral).fit(views)
    Z = fitted.transform(X)
    assert Z.shape == (60, 16) and np.isnan(Z).all()
    for name in X:
        X[name][0] = 0.0
    with pytest.raises(ValueError, match=r"^Found 1 row\(s\) that have any modality"):
        coral.fit(X)
    n_iter = fitted.n_iter_
    with pytest.raises(ValueError, match=r"^Found 1 row\(s\) that have any modality"):
        fitted.partial_fit(X)
    assert fitted.n_iter_ == n_iter


def test_text_and_table_may_be_missing(films, tiny):
    films["seen"] = films["seen"].astype("boolean")
    films.loc[:9, "plot"] = None
    films.loc[30:34, FILM] = None
    coral = make_coral(tiny, film_modalities(), missing="nan").fit(films)
    Z, parts = coral.transform(films), coral.output_indices_
    assert np.isnan(Z[:10, parts["words"]]).all()
    assert np.isnan(Z[30:35, parts["film"]]).all()
    assert np.isfinite(Z[10:30]).all() and np.isfinite(Z[35:]).all()


def test_an_empty_text_is_not_missing(films, tiny):
    films.loc[:9, "plot"] = ""
    coral = make_coral(tiny, film_modalities(), missing="nan").fit(films)
    assert np.isfinite(coral.transform(films)).all()


def test_modality_dropout_is_reproducible_and_matters(views, tiny):
    plain = make_coral(tiny).fit_transform(views)
    first, second = (
        make_coral(tiny, modality_dropout=0.5).fit_transform(views) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, plain)


def test_gaps_survive_pickle_and_partial_fit(views, tiny):
    X = with_gaps(views)
    coral = make_coral(tiny).partial_fit(X[:30]).partial_fit(views).partial_fit(X)
    copied = pickle.loads(pickle.dumps(coral))
    np.testing.assert_array_equal(copied.transform(X), coral.transform(X))


# Large inputs


def as_mapped(blocks, folder):
    """Return a SliceDict of the same blocks in memory-mapped files."""
    mapped = {}
    for name in blocks:
        np.save(folder / f"{name}.npy", blocks[name])
        mapped[name] = np.load(folder / f"{name}.npy", mmap_mode="r")
    return SliceDict(**mapped)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_mapped_files_give_the_same_features(views, tiny, tmp_path, early_stopping):
    mapped = as_mapped(views, tmp_path)
    coral = make_coral(tiny, early_stopping=early_stopping)
    Z = clone(coral).fit_transform(views)
    lazy = clone(coral).fit(mapped)
    np.testing.assert_array_equal(lazy.transform(mapped), Z)
    np.testing.assert_array_equal(lazy.transform(mapped[10:20]), Z[10:20])
    assert lazy.score(mapped) == clone(coral).fit(views).score(views)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(lazy)).transform(views), Z)


def test_mapped_table_gives_the_same_features(tiny, tmp_path):
    X = np.random.default_rng(0).normal(size=(40, 5))
    mapped = as_mapped({"x": X}, tmp_path)["x"]
    modalities = [("a", "tabular", [0, 1]), ("b", "embedding", [2, 4])]
    for coral in (make_coral(tiny), make_coral(tiny, modalities)):
        Z = clone(coral).fit_transform(X)
        np.testing.assert_array_equal(clone(coral).fit_transform(mapped), Z)


def test_mapped_files_may_lack_modalities(views, tiny, tmp_path):
    X = with_gaps(views)
    mapped = as_mapped(X, tmp_path)
    coral = make_coral(tiny, missing="nan").fit(mapped)
    Z = make_coral(tiny, missing="nan").fit_transform(X)
    np.testing.assert_allclose(coral.transform(mapped), Z, atol=1e-5)


def test_mapped_rows_are_read_batch_by_batch(views, tiny, tmp_path, monkeypatch):
    read = []
    transform = EmbeddingModality.transform

    def spy(self, block):
        read.append(len(block))
        return transform(self, block)

    monkeypatch.setattr(EmbeddingModality, "transform", spy)
    X = SliceDict(**{name: np.tile(views[name], (20, 1)) for name in views})
    mapped = as_mapped(X, tmp_path)
    make_coral(tiny, batch_size=100).fit(mapped).transform(mapped)
    assert max(read) <= 256


def test_an_error_in_a_mapped_row_names_the_modality(views, tiny, tmp_path):
    X = SliceDict(**{name: views[name].copy() for name in views})
    coral = make_coral(tiny).fit(as_mapped(X, tmp_path))
    X["b"][50, 0] = np.inf
    mapped = as_mapped(X, tmp_path)
    with pytest.raises(ValueError, match=r"^Modality 'b': Input X contains infinity"):
        coral.transform(mapped)


def test_chunks_of_a_parquet_file_stream_through_partial_fit(films, tiny, tmp_path):
    import pyarrow.parquet as pq

    films.to_parquet(tmp_path / "films.parquet", row_group_size=20)
    file = pq.ParquetFile(tmp_path / "films.parquet")
    coral = make_coral(tiny, film_modalities())
    for group in range(file.num_row_groups):
        coral.partial_fit(file.read_row_group(group).to_pandas())
    assert coral.n_iter_ == 3
    assert np.isfinite(coral.transform(films)).all()


# Rows in parts


@pytest.mark.parametrize("container", ["array", "frame", "polars", "views"])
def test_transform_in_parts_gives_the_same_bits(
    container, films, views, tiny, monkeypatch
):
    X = films if container in ("frame", "polars") else views
    X = np.hstack(list(views.values())) if container == "array" else X
    X = pl.from_pandas(X) if container == "polars" else X
    coral = COrALTransformer(**tiny, random_state=0).fit(X)
    whole = coral.transform(X)
    monkeypatch.setattr(_base, "TRANSFORM_ROWS", 17)
    assert np.array_equal(coral.transform(X), whole)


def test_errors_of_a_part_say_where_its_rows_are(views, tiny, monkeypatch):
    coral = COrALTransformer(**tiny, random_state=0).fit(views)
    monkeypatch.setattr(_base, "TRANSFORM_ROWS", 17)
    X = SliceDict(**{name: block.copy() for name, block in views.items()})
    X["b"][40] = np.inf
    with pytest.raises(ValueError, match=r"Modality 'b', rows from 34 on: .*infinity"):
        coral.transform(X)
    for block in X.values():
        block[40] = np.nan
    with pytest.raises(ValueError, match=r"1 rows of X lack every modality.* row 40"):
        coral.transform(X)
