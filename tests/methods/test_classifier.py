"""COrALClassifier: classes, their names and weights, and labels that are missing."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers import SMALL, exactly, make_target
from sklearn.utils.estimator_checks import check_classifiers_classes
from skorch.helper import SliceDict

from skcoral import (
    COrALClassifier,
)
from skcoral.datasets import make_multimodal_interactions

# What is learnt


def draw_labels(y, n_labels, seed):
    """Return labels of which only a few of each class are known."""
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(np.flatnonzero(y == c))[:n_labels] for c in np.unique(y)]
    known = np.full(len(y), -1)
    known[np.concatenate(rows)] = y[np.concatenate(rows)]
    return known


def test_few_labels_beat_chance():
    made = make_multimodal_interactions(900, random_state=0)
    y = made.target["redundant"]
    X, X_test, y_test = made.data[:400], made.data[400:], y[400:]
    scores = [
        COrALClassifier(**SMALL, max_epochs=15, batch_size=100, random_state=seed)
        .fit(X, draw_labels(y[:400], 10, seed))
        .score(X_test, y_test)
        for seed in range(3)
    ]
    # Guessing 500 rows has a standard error of 0.022, and these are three guesses.
    assert np.mean(scores) > 0.58


# Classes


def test_outputs_of_the_classifier_agree(views, make):
    model = make(max_epochs=20, lr=0.01).fit(views, make_target(COrALClassifier))
    probabilities, scores = model.predict_proba(views), model.decision_function(views)
    assert probabilities.shape == scores.shape == (60, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(
        np.log(probabilities[:, :1] / probabilities), scores[:, :1] - scores, atol=1e-9
    )
    np.testing.assert_array_equal(model.predict(views), probabilities.argmax(axis=1))


def test_two_classes_have_one_score(views, make):
    y = np.arange(60) % 2
    model = make(max_epochs=9).fit(views, y)
    scores, (_, probability) = (
        model.decision_function(views),
        model.predict_proba(views).T,
    )
    np.testing.assert_allclose(scores, np.log(probability / (1 - probability)))
    np.testing.assert_array_equal(model.predict(views), scores > 0)


CODES = np.where(np.arange(60) < 20, np.arange(60) % 3, -1)

NAMES = np.array(["drama", "comedy", "war", None], dtype=object)[CODES]


@pytest.mark.parametrize(
    ("y", "unlabeled"),
    [
        (NAMES, -1),
        (NAMES.tolist(), None),
        (np.where(CODES < 0, -1, NAMES), -1),
        (np.where(CODES < 0, np.nan, NAMES), -1),
        (np.where(CODES < 0, "?", NAMES), "?"),
        (np.where(CODES < 0, "?", NAMES).astype(str), "?"),
        (pd.Series(NAMES), -1),
        (pd.Series(NAMES, dtype="string"), -1),
        (pd.Series(NAMES, dtype="category"), -1),
        (pl.Series(NAMES.tolist()), -1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_labels_may_be_strings(views, make, y, unlabeled):
    coded = make().fit(views, np.array([1, 0, 2, -1])[CODES])
    model = make(unlabeled=unlabeled).fit(views, y)
    assert model.classes_.tolist() == ["comedy", "drama", "war"]
    np.testing.assert_array_equal(
        model.predict_proba(views), coded.predict_proba(views)
    )
    assert set(model.predict(views)) <= set(model.classes_)
    assert model.score(views, y) == coded.score(views, np.array([1, 0, 2, -1])[CODES])


@pytest.mark.parametrize(
    "y",
    [
        np.where(CODES < 0, np.nan, CODES),
        [None if code < 0 else int(code) for code in CODES],
        pd.Series(CODES, dtype="Int64").replace(-1, pd.NA),
        CODES.astype(np.int8),
    ],
    ids=["NaN", "None", "NA", "int8"],
)
def test_numbers_may_have_gaps(views, make, y):
    model, coded = make().fit(views, y), make().fit(views, CODES)
    np.testing.assert_array_equal(
        model.predict_proba(views), coded.predict_proba(views)
    )
    assert model.score(views, y) == coded.score(views, CODES)


def test_minus_one_is_a_class_where_another_value_marks_the_unlabelled(make):
    # Scikit-learn spares its semi-supervised classifiers this check, by their names.
    model = make(unlabeled=None, max_epochs=10, lr=0.02)
    check_classifiers_classes("COrALClassifier", model)


def test_class_weight_moves_the_predictions(views, make):
    y = np.where(np.arange(60) < 50, 0, 1)
    weights = (None, "balanced", {0: 1, 1: 50})
    sizes = {"max_epochs": 20, "lr": 0.05}
    models = [make(class_weight=w, **sizes).fit(views, y) for w in weights]
    means = [model.predict_proba(views)[:, 1].mean() for model in models]
    assert means[0] + 0.05 < means[1] < means[2] - 0.05


MARK = (
    "20 of 60 rows have the label -1, which marks rows without a label, beside the "
    "classes [0, 1]. If -1 is a class, set unlabeled=None; if not, mark these rows by "
    "None or NaN to avoid this warning."
)


def test_minus_one_beside_zero_and_one_is_warned_of(views, make):
    y = np.resize([-1, 0, 1], 60)
    with pytest.warns(UserWarning, match=exactly(MARK)):
        model = make(max_epochs=1).fit(views, y)
    assert model.classes_.tolist() == [0, 1]


@pytest.mark.parametrize("labels", [[-2, -1, 1, 2], [-1, -3, 5], [-1.0, -2.0, 0.0]])
def test_minus_one_beside_other_negative_classes_is_warned_of(views, make, labels):
    y = np.resize(labels, 60)
    y[10:] = -1  # many rows even
    with pytest.warns(UserWarning, match="If -1 is a class, set unlabeled=None"):
        make(max_epochs=1).fit(views, y)


@pytest.mark.parametrize(
    ("y", "unlabeled"),
    [
        pytest.param(np.repeat([0, 1, -1], [15, 15, 30]), -1, id="half unlabelled"),
        pytest.param(np.repeat([0, 1, 2, -1], [20, 20, 15, 5]), -1, id="three classes"),
        pytest.param(np.repeat([1, 2, -1], [28, 27, 5]), -1, id="one and two"),
        pytest.param(np.resize([-1, 0, 1], 60), None, id="a class"),
        pytest.param(np.resize([0, 1, None], 60), -1, id="none"),
        pytest.param(np.resize([0, 1, np.nan], 60), -1, id="nan"),
        pytest.param(np.resize([True, False], 60), -1, id="flags"),
        pytest.param(np.resize(["a", "b"], 60), -1, id="strings"),
    ],
)
def test_labels_in_which_minus_one_is_no_class_are_not_warned_of(
    views, make, y, unlabeled
):
    make(max_epochs=1, unlabeled=unlabeled).fit(views, y)  # warnings are errors


# Images


def test_images_may_be_bytes(make):
    rng = np.random.default_rng(0)
    pixels = rng.integers(256, size=(20, 8, 8, 3), dtype=np.uint8)
    vectors = rng.normal(size=(20, 4))
    y = np.arange(20) % 2
    sets = [
        SliceDict(image=images, vector=vectors)
        for images in (pixels, pixels / np.float32(255))
    ]
    first, second = (make().fit(X, y).predict_proba(X) for X in sets)
    np.testing.assert_allclose(first, second, atol=1e-4)


# Parameters that are set after fit


def test_the_mark_of_rows_without_a_label_may_be_set_later(make):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 4)), np.arange(30) % 2
    model = make(modalities=[("a", "embedding", [0, 1, 2, 3])]).fit(X, y)
    labelled = y == 1
    expected = np.mean(model.predict(X)[labelled] == 1)
    assert model.set_params(unlabeled=0).score(X, y) == pytest.approx(expected)
