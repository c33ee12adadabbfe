import pickle

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from skcoral.methods._forest import Forest


def make_forest(n_classes=3, n_rows=200, n_trees=20):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 5)).astype(np.float32)
    y = np.digitize(X[:, 0] + X[:, 1] ** 2, np.linspace(0, 1, n_classes - 1))
    return RandomForestClassifier(n_trees, random_state=0).fit(X, y), X


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_probabilities_are_those_of_the_forest(n_classes):
    forest, X = make_forest(n_classes)
    new = np.random.default_rng(1).normal(size=(50, 5))
    for rows in (X, new):
        expected = forest.predict_proba(rows)
        np.testing.assert_allclose(Forest(forest).predict(rows), expected, atol=1e-6)


def test_numbers_are_those_of_the_forest():
    X = np.random.default_rng(0).normal(size=(200, 5))
    forest = RandomForestRegressor(20, random_state=0).fit(X, X[:, 0] * X[:, 1])
    predicted = Forest(forest).predict(X)[:, 0]
    np.testing.assert_allclose(predicted, forest.predict(X), rtol=1e-5, atol=1e-6)


def test_held_out_predictions_are_those_of_the_trees_that_have_not_drawn_a_row():
    forest, X = make_forest()
    y = forest.predict(X)
    forest.set_params(oob_score=True, n_estimators=60).fit(X, y)
    held_out = Forest(forest).predict_held_out(X, forest.estimators_samples_)
    np.testing.assert_allclose(held_out, forest.oob_decision_function_, atol=1e-6)
    everywhere = [np.arange(len(X))] * 60
    assert np.isnan(Forest(forest).predict_held_out(X, everywhere)).all()


def test_a_tree_of_one_leaf_predicts():
    forest = RandomForestClassifier(3, random_state=0).fit(
        np.zeros((4, 1)), [0, 0, 1, 1]
    )
    assert Forest(forest).predict(np.ones((2, 1))).shape == (2, 2)


def test_it_takes_a_fraction_of_the_size():
    forest, X = make_forest(n_rows=1000)
    copy = pickle.loads(pickle.dumps(Forest(forest)))
    np.testing.assert_array_equal(copy.predict(X), Forest(forest).predict(X))
    assert len(pickle.dumps(copy)) < 0.4 * len(pickle.dumps(forest))


@pytest.mark.parametrize(
    ("name", "change", "match"),
    [
        ("children", lambda a: a + 10**6, "children of a forest must be ints from 0"),
        ("children", lambda a: a - 10**6, "children of a forest must be ints from 0"),
        ("features", lambda a: a + 5, "features of a forest must be ints from 0 to 4"),
        ("roots", lambda a: a.astype(float), "roots of a forest must be ints"),
        ("thresholds", lambda a: a[:-1], "arrays of a forest differ in length"),
        ("values", lambda a: a[:-1], "arrays of a forest differ in length"),
    ],
)
def test_arrays_that_are_no_trees_are_refused(name, change, match):
    state = vars(Forest(make_forest()[0])).copy()
    state[name] = change(state[name])
    with pytest.raises(ValueError, match=match):
        Forest.__new__(Forest).__setstate__(state)
