import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcoral import ComponentRidge, ComponentRidgeClassifier
from skcoral.components._calibration import calibrate
from skcoral.components._solution import solve

PARTS = {"told": slice(0, 4), "silent": slice(4, 40)}


def make_rows(n_rows, seed=0, n_classes=3):
    """Return rows whose first four columns tell the class, and 36 of noise."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(n_classes, 4))
    y = np.arange(n_rows) % n_classes
    X = rng.normal(size=(n_rows, 40))
    X[:, :4] += centers[y]
    return X, np.array(["a", "b", "c"])[y]


# The solution


@pytest.mark.parametrize("n_rows", [6, 60])
def test_the_solution_is_that_of_ridge(n_rows):
    rng = np.random.default_rng(0)
    Z, Y = rng.normal(size=(n_rows, 9)), rng.normal(size=(n_rows, 2)) + 3
    weights = rng.uniform(0.5, 2, size=n_rows)
    Z -= np.average(Z, axis=0, weights=weights)
    coefficients, intercept, _ = solve(Z, Y, 2.5, weights)
    ridge = Ridge(2.5).fit(Z, Y, weights)
    np.testing.assert_allclose(coefficients.T, ridge.coef_, atol=1e-10)
    np.testing.assert_allclose(intercept, ridge.intercept_)


@pytest.mark.parametrize("n_rows", [6, 60])
def test_held_out_predictions_are_those_of_fits_without_the_row(n_rows):
    rng = np.random.default_rng(0)
    Z, Y = rng.normal(size=(n_rows, 9)), rng.normal(size=(n_rows, 2)) + 3
    weights = rng.uniform(0.5, 2, size=n_rows)
    Z -= np.average(Z, axis=0, weights=weights)
    _, _, held_out = solve(Z, Y, 2.5, weights)
    for row in range(n_rows):
        rest = np.delete(np.arange(n_rows), row)
        ridge = Ridge(2.5).fit(Z[rest], Y[rest], weights[rest])
        np.testing.assert_allclose(held_out[row], ridge.predict(Z[[row]])[0])


# Calibration


def test_calibration_finds_the_slope_that_made_the_labels():
    rng = np.random.default_rng(0)
    prior = np.array([0.7, 0.2, 0.1])
    scores = rng.normal(0, 0.3, size=(20_000, 3))
    noise = rng.gumbel(size=scores.shape)
    codes = (7 * scores + 0.8 * np.log(prior) + noise).argmax(axis=1)
    slope, power = calibrate(scores, codes, prior, np.ones(len(codes)))
    assert slope == pytest.approx(7, rel=0.05)
    assert power == pytest.approx(0.8, abs=0.05)


def test_without_labels_to_judge_by_the_priors_hold():
    scores, codes = np.eye(3), np.arange(3)
    assert calibrate(scores, codes, np.full(3, 1 / 3), np.zeros(3)) == (
        pytest.approx(4),
        pytest.approx(1),
    )


# Classes


def test_few_labels_are_worth_more_than_with_one_penalty_for_all():
    gains = []
    for seed in range(10):
        X, y = make_rows(15, seed)
        X_new, y_new = make_rows(600, seed)  # the same centres, other noise
        ours = ComponentRidgeClassifier(PARTS).fit(X, y).score(X_new, y_new)
        plain = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
        gains.append(ours - plain.score(X_new, y_new))
    assert np.mean(gains) > 3 * np.std(gains) / np.sqrt(len(gains))


def test_probabilities_are_calibrated():
    ours, plain = [], []
    for seed in range(10):
        X, y = make_rows(60, seed)
        X_new, y_new = make_rows(900, seed)
        model = ComponentRidgeClassifier(PARTS).fit(X, y)
        ours.append(log_loss(y_new, model.predict_proba(X_new)))
        other = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
        plain.append(log_loss(y_new, other.predict_proba(X_new)))
    assert np.mean(ours) < np.mean(plain)


def test_held_out_probabilities_tell_the_loss_on_new_rows():
    known, new = [], []
    for seed in range(10):
        X, y = make_rows(90, seed)
        X_new, y_new = make_rows(900, seed)
        model = ComponentRidgeClassifier(PARTS)
        known.append(log_loss(y, model.fit_held_out(X, y)))
        new.append(log_loss(y_new, model.predict_proba(X_new)))
    assert np.mean(known) == pytest.approx(np.mean(new), abs=0.08)


def test_decisions_agree_with_probabilities():
    X, y = make_rows(60)
    for labels in (y, y == "a"):
        model = ComponentRidgeClassifier(PARTS).fit(X, labels)
        probabilities = model.predict_proba(X)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
        decisions = model.decision_function(X)
        if len(model.classes_) == 2:
            odds = np.log(probabilities[:, 1] / probabilities[:, 0])
            np.testing.assert_allclose(decisions, odds)
        else:
            assert (decisions.argmax(axis=1) == probabilities.argmax(axis=1)).all()


def test_one_label_per_class_is_enough():
    X, y = make_rows(3)
    model = ComponentRidgeClassifier(PARTS).fit(X, y)
    assert model.score(X, y) == 1
    assert model.calibration_ == (pytest.approx(4), pytest.approx(1))


def test_without_information_probabilities_are_the_frequencies():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2000, 10)), rng.random(2000) < 0.2
    model = ComponentRidgeClassifier({"all": slice(0, 10)}).fit(X, y)
    assert np.abs(model.predict_proba(X)[:, 1] - 0.2).max() < 0.1


def test_balanced_weights_find_the_rare_class():
    X, y = make_rows(120)
    rare = np.flatnonzero(y == "c")[:-4]
    X, y = np.delete(X, rare, axis=0), np.delete(y, rare)
    plain = ComponentRidgeClassifier(PARTS).fit(X, y)
    balanced = ComponentRidgeClassifier(PARTS, class_weight="balanced").fit(X, y)
    np.testing.assert_allclose(balanced.intercept_, 1 / 3)
    X_new, y_new = make_rows(900)
    rows = y_new == "c"
    assert balanced.score(X_new[rows], y_new[rows]) > plain.score(
        X_new[rows], y_new[rows]
    )


def test_a_class_of_weight_zero_is_none():
    X, y = make_rows(60)
    model = ComponentRidgeClassifier(PARTS).fit(X, y, sample_weight=y != "c")
    assert model.classes_.tolist() == ["a", "b"]


def test_one_class_is_refused():
    X, _ = make_rows(6)
    with pytest.raises(ValueError, match="needs two classes or more"):
        ComponentRidgeClassifier(PARTS).fit(X, ["a"] * 6)


def test_it_is_searched_and_cross_validated():
    X, y = load_wine(return_X_y=True)
    parts = {"acids": slice(0, 5), "rest": slice(5, 13)}
    scores = cross_val_score(ComponentRidgeClassifier(parts), X, y)
    assert scores.mean() > 0.95
    grid = GridSearchCV(
        ComponentRidgeClassifier(parts), {"prior_scale": [0.5, 1.0]}, cv=3
    )
    assert grid.fit(X, y).best_score_ > 0.95


def test_names_of_columns_are_enough():
    X, y = make_rows(60)
    names = [f"told_{i}" for i in range(4)] + [f"silent_{i}" for i in range(36)]
    frame = pd.DataFrame(X, columns=names)
    named = ComponentRidgeClassifier().fit(frame, y)
    given = ComponentRidgeClassifier(PARTS).fit(X, y)
    np.testing.assert_allclose(named.predict_proba(frame), given.predict_proba(X))
    assert named.weights_["told"] > named.weights_["silent"]


# Numbers


@pytest.mark.parametrize("n_outputs", [None, 1, 3])
def test_numbers_have_the_shape_of_the_targets(n_outputs):
    X, _ = make_rows(60)
    coefficients = np.ones(4) if n_outputs is None else np.ones((4, n_outputs))
    y = X[:, :4] @ coefficients + 5
    model = ComponentRidge(PARTS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a column of targets is taken as 1-D
        held_out = model.fit_held_out(X, y)
    predicted = model.predict(X)
    shape = (60,) if n_outputs == 1 else y.shape
    assert predicted.shape == held_out.shape == shape
    assert model.score(X, y.reshape(shape)) > 0.99


def test_few_targets_are_worth_more_than_with_one_penalty_for_all():
    gains = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(600, 40))
        y = X[:, :4] @ rng.normal(size=4) + rng.normal(size=600)
        ours = ComponentRidge(PARTS).fit(X[:20], y[:20]).score(X[20:], y[20:])
        plain = Ridge().fit(X[:20], y[:20]).score(X[20:], y[20:])
        gains.append(ours - plain)
    assert np.mean(gains) > 3 * np.std(gains) / np.sqrt(len(gains))


def test_a_unit_of_the_targets_does_not_matter():
    X, _ = make_rows(60)
    y = X[:, 0] + X[:, 5]
    expected = ComponentRidge(PARTS).fit(X, y).predict(X)
    other = ComponentRidge(PARTS).fit(X, 1e6 * y + 3).predict(X)
    np.testing.assert_allclose(other, 1e6 * expected + 3, rtol=1e-6)
