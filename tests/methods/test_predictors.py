"""COrALClassifier and COrALRegressor: labels, gaps in them, scores and errors."""

import pickle

import numpy as np
import pytest
import torch
from helpers import PREDICTORS, film_modalities, make_target, predict
from sklearn import config_context
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.helper import SliceDict

from skcoral import (
    COrALClassifier,
    COrALRegressor,
    COrALTransformer,
    load,
    save,
)

# What is learnt


@pytest.mark.parametrize("cls", PREDICTORS)
def test_the_features_are_those_of_the_transformer(views, make, cls):
    model = make(cls).fit(views, make_target(cls))
    coral = make(COrALTransformer).fit(views)
    np.testing.assert_array_equal(model.transform(views), coral.transform(views))
    assert model.history_ == coral.history_
    assert model.output_indices_ == coral.output_indices_
    names = model.get_feature_names_out()
    assert names.tolist() == coral.get_feature_names_out().tolist()


@pytest.mark.parametrize("cls", PREDICTORS)
def test_components_and_plain_features_are_weighed(films, make, cls):
    model = make(cls, film_modalities()).fit(films, make_target(cls))
    components = list(model.output_indices_)
    assert list(model.weights_)[: len(components)] == components
    assert {"words words"} <= set(model.weights_)
    assert (model.powers_ >= 0).all()


@pytest.mark.parametrize("cls", PREDICTORS)
def test_what_only_plain_features_know_is_predicted(make, cls):
    """A network of one epoch and two columns loses most of sixteen numbers."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 16))
    y = X[:, 3] - X[:, 11]
    y = (y > 0).astype(int) if cls is COrALClassifier else y
    model = make(
        cls, [("a", "embedding", slice(0, 8)), ("b", "embedding", slice(8, 16))]
    )
    model.set_params(unique_dim=1, max_epochs=1).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.85


@pytest.mark.parametrize("cls", PREDICTORS)
def test_unlabelled_rows_change_the_fit(views, make, cls):
    y = make_target(cls)
    whole, alone = make(cls).fit(views, y), make(cls).fit(views[:20], y[:20])
    assert not np.allclose(predict(whole, views), predict(alone, views), atol=1e-4)


@pytest.mark.parametrize("cls", PREDICTORS)
def test_mapped_files_give_the_same_predictions(views, make, cls, tmp_path):
    mapped = SliceDict()
    for name, block in views.items():
        np.save(tmp_path / f"{name}.npy", block)
        mapped[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
    y = make_target(cls)
    expected = predict(make(cls).fit(views, y), views)
    np.testing.assert_array_equal(predict(make(cls).fit(mapped, y), mapped), expected)


# Invariance


@pytest.mark.parametrize("cls", PREDICTORS)
@pytest.mark.parametrize("form", ["frame", "views"])
def test_a_row_is_predicted_alike_in_every_batch(films, views, make, form, cls):
    X = films if form == "frame" else views
    take = X.iloc.__getitem__ if form == "frame" else X.__getitem__
    model = make(cls).fit(X, make_target(cls))
    whole = predict(model, X)
    single = [predict(model, take(slice(i, i + 1)))[0] for i in range(5)]
    np.testing.assert_array_equal(whole[:5], single)
    backwards = predict(model, take(slice(None, None, -1)))
    np.testing.assert_array_equal(whole[::-1], backwards)


@pytest.mark.parametrize("cls", PREDICTORS)
def test_same_seed_same_predictions_and_global_generators_untouched(views, make, cls):
    states = np.random.get_state()[1].copy(), torch.get_rng_state()
    # More labelled rows than fit in a batch: these are drawn.
    params = {"batch_size": 8, "dropout": 0.3}
    first, second = (
        predict(make(cls, **params).fit(views, make_target(cls)), views)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(states[0], np.random.get_state()[1])
    assert torch.equal(states[1], torch.get_rng_state())
    other = make(cls, **params, random_state=1).fit(views, make_target(cls))
    assert not np.array_equal(first, predict(other, views))


@pytest.mark.parametrize("cls", PREDICTORS)
def test_pickle_and_clone(views, make, cls):
    y = make_target(cls)
    model = make(cls).fit(views, y)
    expected = predict(model, views)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(predict(copy, views), expected)
    np.testing.assert_array_equal(predict(clone(model).fit(views, y), views), expected)


# Scores and searches


def test_score_leaves_out_rows_without_a_label(views, make):
    y = make_target(COrALClassifier)
    model = make().fit(views, y)
    expected = accuracy_score(y[:20], model.predict(views)[:20])
    assert model.score(views, y) == expected
    numbers = make_target(COrALRegressor)
    model = make(COrALRegressor).fit(views, numbers)
    expected = r2_score(numbers[:20], model.predict(views)[:20])
    assert model.score(views, numbers) == pytest.approx(expected)


@pytest.mark.parametrize("cls", PREDICTORS)
def test_grid_search_over_own_and_nested_parameters_with_unlabelled_rows(
    films, make, cls
):
    y = make_target(cls, n_labelled=40)
    model = make_pipeline(
        FunctionTransformer(), make(cls, film_modalities(), max_epochs=1)
    )
    name = cls.__name__.lower()
    grid = {
        f"{name}__mask_ratio": [0.5, 0.75],
        f"{name}__words__n_tokens": [4, 8],
    }
    search = GridSearchCV(model, grid, cv=2).fit(films, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert predict(search.best_estimator_, films).shape[0] == 60


# Gaps in X


@pytest.mark.parametrize("cls", PREDICTORS)
def test_rows_may_lack_modalities(views, make, cls):
    X = SliceDict(**{name: block.copy() for name, block in views.items()})
    X["a"][:10], X["b"][10:20] = np.nan, np.nan
    model = make(cls).fit(X, make_target(cls))
    assert np.isfinite(predict(model, X)).all()


@pytest.mark.parametrize("cls", PREDICTORS)
def test_rows_that_lack_everything_are_left_out_with_their_labels(views, make, cls):
    X = SliceDict(**{name: block.copy() for name, block in views.items()})
    for name in X:
        X[name][[0, 40]] = np.nan
    y = make_target(cls)
    filled = np.setdiff1d(np.arange(60), [0, 40])
    with pytest.raises(ValueError, match="2 rows of X lack every modality"):
        make(cls).fit(X, y)
    model = make(cls, empty_rows="nan").fit(X, y)
    expected = make(cls).fit(X[filled], y[filled])
    np.testing.assert_array_equal(
        predict(model, X[filled]), predict(expected, X[filled])
    )
    assert np.isnan(predict(model, X)[[0, 40]]).all()
    if is_classifier(model):
        with pytest.raises(ValueError, match="first of them row 0: no class"):
            model.predict(X)


# A transformer that is there


@pytest.mark.parametrize("cls", PREDICTORS)
def test_init_gives_the_same_predictions_without_training(films, make, cls):
    y = make_target(cls)
    modalities = film_modalities()
    expected = make(cls, modalities).fit(films, y)
    coral = make(COrALTransformer, modalities).fit(films)
    model = cls(init=coral).fit(films, y)
    assert model.net_ is coral.net_
    assert model.n_features_in_ == coral.n_features_in_
    np.testing.assert_array_equal(predict(model, films), predict(expected, films))
    few = cls(init=coral).fit(films[:20], y[:20])
    assert len(predict(few, films)) == len(films)


@pytest.mark.parametrize("cls", PREDICTORS)
def test_clones_and_searches_share_the_transformer(views, make, cls):
    coral = make(COrALTransformer).fit(views)
    model = cls(init=coral)
    assert clone(model).init is coral
    y = make_target(cls, n_labelled=60)
    search = GridSearchCV(model, {"missing": ["zero", "learned"]}, cv=2).fit(views, y)
    assert search.best_estimator_.net_ is coral.net_


@pytest.mark.parametrize("cls", PREDICTORS)
def test_a_loaded_transformer_serves_as_init(views, make, cls, tmp_path):
    coral = make(COrALTransformer).fit(views)
    save(coral, tmp_path / "coral.skcoral")
    y = make_target(cls)
    loaded = cls(init=load(tmp_path / "coral.skcoral")).fit(views, y)
    expected = cls(init=coral).fit(views, y)
    np.testing.assert_array_equal(predict(loaded, views), predict(expected, views))
    save(loaded, tmp_path / "model.skcoral")
    again = load(tmp_path / "model.skcoral")
    np.testing.assert_array_equal(predict(again, views), predict(expected, views))


@pytest.mark.parametrize("cls", PREDICTORS)
def test_an_init_that_does_not_fit_is_refused(views, make, cls):
    y = make_target(cls)
    with pytest.raises(ValueError, match="must be a fitted transformer"):
        cls(init=make(COrALTransformer)).fit(views, y)
    coral = make(COrALTransformer).fit(views)
    others = [("a", "embedding", "a"), ("c", "embedding", "b")]
    with pytest.raises(ValueError, match=r"names of those in 'init', \['a', 'b'\]"):
        cls(others, init=coral).fit(views, y)
    with pytest.raises(ValueError, match="'init' parameter of"):
        cls(init="coral").fit(views, y)
    with pytest.raises(ValueError, match="modality names should match"):
        cls(init=coral).fit(SliceDict(a=views["a"]), y)
    assert coral.transform(views).shape[0] == 60


# Weights of rows


@pytest.mark.parametrize("cls", PREDICTORS)
def test_labels_of_weight_zero_do_not_count(views, make, cls):
    y = make_target(cls, n_labelled=40)
    weight = np.repeat([1.0, 0.0], [20, 40])
    coral = make(COrALTransformer).fit(views)
    weighed = cls(init=coral).fit(views, y, sample_weight=weight)
    fewer = cls(init=coral).fit(views, make_target(cls, n_labelled=20))
    np.testing.assert_array_equal(predict(weighed, views), predict(fewer, views))
    score = weighed.score(views, y, sample_weight=weight)
    assert score == pytest.approx(weighed.score(views[:20], y[:20]))


@pytest.mark.parametrize("cls", PREDICTORS)
@pytest.mark.parametrize(
    ("weight", "match"),
    [
        (np.zeros(60), "(?i)zero"),
        (np.r_[-1.0, np.ones(59)], "Negative values"),
        (np.ones(7), "sample_weight.shape == "),
    ],
)
def test_weights_that_do_not_fit_are_refused(views, make, cls, weight, match):
    with pytest.raises(ValueError, match=match):
        make(cls).fit(views, make_target(cls), sample_weight=weight)


def test_weights_are_routed_through_a_search(views, make):
    y = np.arange(60) % 2
    weight = np.random.default_rng(0).uniform(1, 2, size=60)
    with config_context(enable_metadata_routing=True):
        model = COrALClassifier(init=make(COrALTransformer).fit(views))
        model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(model, {"class_weight": [None, "balanced"]}, cv=2)
        search.fit(views, y, sample_weight=weight)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


# Continued training


@pytest.mark.parametrize("cls", PREDICTORS)
def test_warm_start_trains_on_and_reads_the_labels_again(views, make, cls):
    y = make_target(cls)
    model = make(cls, warm_start=True).fit(views, y)
    before = predict(model, views)
    model.fit(views[:30], y[:30])
    assert model.n_iter_ == 4
    assert not np.array_equal(before, predict(model, views))


@pytest.mark.parametrize("cls", PREDICTORS)
def test_there_is_no_partial_fit(make, cls):
    assert not hasattr(make(cls), "partial_fit")
    with pytest.raises(AttributeError, match="pass it as init=transformer"):
        getattr(make(cls), "partial_fit")  # noqa: B009 - what a user would write


# Errors


@pytest.mark.parametrize(
    ("cls", "y", "match"),
    [
        (COrALClassifier, np.full(60, -1), r"two classes or more. Got 0 class\(es\)"),
        (COrALClassifier, [None] * 60, r"None, NaN and unlabeled=-1 mark rows"),
        (COrALClassifier, np.ones(60), r"Got 1 class\(es\): \[1.\]"),
        (COrALClassifier, np.tile([-1, 1], 30), r"Got 1 class\(es\): \[1\]"),
        (COrALClassifier, np.linspace(0, 1, 60), "Unknown label type: continuous"),
        (COrALClassifier, np.full(60, np.inf), "Input y contains infinity"),
        (COrALClassifier, np.ones((60, 2), dtype=int), "y should be a 1d array"),
        (COrALClassifier, np.array([0, 1, 2]), "inconsistent numbers of samples"),
        (COrALClassifier, None, "requires y to be passed"),
        (COrALClassifier, np.array(["a", "b", -1] * 20), "holds the string '-1'"),
        (COrALClassifier, np.array(["a", "b", np.nan] * 20), "the string 'nan'"),
        (COrALRegressor, np.full(60, np.nan), "needs one target or more"),
        (COrALRegressor, np.full(60, np.inf), "Input y contains infinity"),
        (COrALRegressor, np.ones((60, 2)), "y should be a 1d array"),
        (COrALRegressor, np.ones(3), "inconsistent numbers of samples"),
        (COrALRegressor, None, "requires y to be passed"),
    ],
)
def test_targets_that_cannot_be_learnt_are_refused(views, make, cls, y, match):
    model = make(cls)
    with pytest.raises(ValueError, match=match):
        model.fit(views, y)
    with pytest.raises(NotFittedError):
        model.predict(views)


@pytest.mark.parametrize(
    ("cls", "params", "match"),
    [
        (
            COrALClassifier,
            {"init": 3},
            "'init' parameter of COrALClassifier must be an instance of",
        ),
        (COrALClassifier, {"class_weight": "even"}, "'class_weight' parameter"),
        (COrALClassifier, {"unlabeled": 0.5}, "'unlabeled' parameter"),
        (COrALRegressor, {"mask_ratio": 2.0}, "'mask_ratio' parameter"),
        (COrALRegressor, {"embed_dim": 6}, "must be a multiple of 'n_heads'"),
    ],
)
def test_bad_parameters_are_refused(views, make, cls, params, match):
    with pytest.raises(ValueError, match=match):
        make(cls, **params).fit(views, make_target(cls))


@pytest.mark.parametrize("cls", PREDICTORS)
def test_a_plain_dict_is_refused_as_by_the_transformer(views, make, cls):
    with pytest.raises(TypeError, match="cannot slice a plain dict"):
        make(cls).fit(dict(views), make_target(cls))


@pytest.mark.parametrize("cls", PREDICTORS)
def test_score_needs_a_label(views, make, cls):
    model = make(cls).fit(views, make_target(cls))
    with pytest.raises(ValueError, match="y has no label"):
        model.score(views, make_target(cls, n_labelled=0))


@pytest.mark.parametrize("cls", PREDICTORS)
def test_a_column_of_targets_is_raveled_with_a_warning(views, make, cls):
    y = make_target(cls)
    expected = predict(make(cls).fit(views, y), views)
    with pytest.warns(DataConversionWarning, match="column-vector y"):
        model = make(cls).fit(views, y[:, None])
    np.testing.assert_array_equal(predict(model, views), expected)


def test_kinds_of_estimators():
    assert is_classifier(COrALClassifier())
    assert is_regressor(COrALRegressor())
