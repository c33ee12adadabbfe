"""COrALClassifier and COrALRegressor: labels, gaps in them, scores and errors."""

import pickle

import numpy as np
import pytest
import torch
from helpers import PREDICTORS, film_modalities, make_target, predict
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.helper import SliceDict

from skcoral import (
    COrALClassifier,
    COrALRegressor,
    COrALTransformer,
)
from skcoral.objectives.supervised import SupervisedObjective

# What is learnt


def test_without_weight_the_features_are_those_of_the_transformer(views, make):
    # The classifier draws a view of the labelled rows between those of the others.
    y = make_target(COrALRegressor)
    model = make(COrALRegressor, supervised_weight=0.0).fit(views, y)
    coral = make(COrALTransformer).fit(views)
    np.testing.assert_array_equal(model.transform(views), coral.transform(views))
    assert model.history_["train_shared"] == coral.history_["train_shared"]
    assert model.output_indices_ == coral.output_indices_
    names = model.get_feature_names_out()
    assert names.tolist() == coral.get_feature_names_out().tolist()


@pytest.mark.parametrize("cls", PREDICTORS)
def test_labels_change_the_features(views, make, cls):
    y = make_target(cls)
    features = [
        make(cls, supervised_weight=w, max_epochs=9).fit(views, y).transform(views)
        for w in (0.0, 1.0)
    ]
    assert np.abs(features[0] - features[1]).max() > 1e-3


@pytest.mark.parametrize("cls", PREDICTORS)
def test_unlabelled_rows_change_the_fit(views, make, cls):
    y = make_target(cls)
    whole, alone = make(cls).fit(views, y), make(cls).fit(views[:20], y[:20])
    assert not np.allclose(predict(whole, views), predict(alone, views), atol=1e-4)


@pytest.mark.parametrize("cls", PREDICTORS)
def test_the_supervised_loss_falls(views, make, cls):
    y = views["a"][:, 0]
    y = np.digitize(y, [-0.4, 0.4]) if cls is COrALClassifier else y
    model = make(cls, max_epochs=30, lr=0.01).fit(views, y)
    losses = model.history_["train_supervised"]
    assert len(losses) == 30
    assert losses[-1] < 0.7 * losses[0]
    start = 1.0  # the variance of the standardised target
    if is_classifier(model):
        counts = np.bincount(y)
        np.testing.assert_allclose(
            model.class_prior_, (counts + 1) / (counts + 1).sum()
        )
        start = -np.average(np.log(model.class_prior_), weights=counts)
    assert losses[0] == pytest.approx(start, rel=1e-5)


@pytest.mark.parametrize("cls", PREDICTORS)
def test_the_head_is_linear_on_what_transform_returns(films, make, cls):
    films.loc[50:, "plot"] = None
    model = make(cls, film_modalities()).fit(films, make_target(cls))
    outputs = (
        model.decision_function(films)
        if is_classifier(model)
        else predict(model, films)
    )
    Z = model.transform(films).astype(float)
    fitted = LinearRegression().fit(Z, outputs).predict(Z)
    np.testing.assert_allclose(fitted, outputs, atol=1e-5)


@pytest.mark.parametrize(
    ("cls", "kinds"),
    [
        (COrALClassifier, ["original", "augmented"]),
        (COrALRegressor, ["original"]),
    ],
)
def test_labelled_rows_are_seen_with_their_targets(
    views, make, cls, kinds, monkeypatch
):
    seen = []
    forward = SupervisedObjective.forward

    def spy(self, network, batch, generator, labelled=None, targets=None):
        seen.append((labelled, targets))
        return forward(self, network, batch, generator, labelled, targets)

    monkeypatch.setattr(SupervisedObjective, "forward", spy)
    y = make_target(cls)
    model = make(cls, max_epochs=1).fit(views, y)
    ((labelled, targets),) = seen
    block = torch.as_tensor(model._reader_.read(views)["a"][:20])
    assert [torch.equal(view["a"], block) for view in labelled] == [
        kind == "original" for kind in kinds
    ]
    expected = y if is_classifier(model) else (y - np.nanmean(y)) / np.nanstd(y)
    np.testing.assert_allclose(targets, expected[:20], rtol=1e-6)


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


@pytest.mark.parametrize("cls", PREDICTORS)
def test_early_stopping_holds_out_labelled_rows_too(views, make, cls):
    model = make(cls, early_stopping=True, validation_fraction=0.3, max_epochs=4).fit(
        views, make_target(cls)
    )
    valid = model.history_["valid_supervised"]
    assert len(valid) == model.n_iter_
    assert all(loss > 0 for loss in valid)
    assert np.isfinite(predict(model, views)).all()


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


# Continued training


@pytest.mark.parametrize("cls", PREDICTORS)
def test_warm_start_goes_on_with_the_same_targets(views, make, cls):
    y = make_target(cls)
    model = make(cls, warm_start=True).fit(views, y)
    learnt = getattr(model, "classes_", getattr(model, "target_mean_", None))
    head = model.net_.module_.head.linear.weight.detach().clone()
    model.fit(views[:30], y[:30])
    assert model.n_iter_ == 4
    np.testing.assert_array_equal(
        learnt, getattr(model, "classes_", getattr(model, "target_mean_", None))
    )
    assert not torch.equal(head, model.net_.module_.head.linear.weight)


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
            {"supervised_weight": -1},
            r"'supervised_weight' parameter of COrALClassifier must be a float in the "
            r"range \[0.0, inf\)",
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
def test_there_is_no_sample_weight(views, make, cls):
    with pytest.raises(TypeError, match="sample_weight"):
        make(cls).fit(views, make_target(cls), sample_weight=np.ones(60))


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
