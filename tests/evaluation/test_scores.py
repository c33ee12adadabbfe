"""Scores of classes and of numbers by hand."""

import numpy as np
import pytest
from sklearn.metrics import (
    balanced_accuracy_score,
)

from skcoral.evaluation.scores import balanced_accuracy, score_classes, score_numbers


def test_scores_of_classes_by_hand():
    # Recall: class 0 two of four, class 1 one of one; class 2 has no row.
    scores = score_classes([0, 0, 0, 0, 1], [0, 0, 1, 2, 1])
    assert scores == {"balanced_accuracy": 0.75, "accuracy": 0.6}


def test_balanced_accuracy_is_that_of_sklearn():
    rng = np.random.default_rng(0)
    y, guess = rng.choice(list("abc"), (2, 60), p=[0.7, 0.2, 0.1])
    assert balanced_accuracy(y, guess) == pytest.approx(
        balanced_accuracy_score(y, guess)
    )


def test_scores_of_numbers_by_hand():
    scores = score_numbers(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 4.0]))
    assert scores["mse"] == pytest.approx(4 / 3)
    assert scores["r2"] == pytest.approx(1 - 4 / 2)
    assert scores["pearson_r"] == pytest.approx(4 / np.sqrt(2 * 26 / 3))
    assert np.isnan(score_numbers(np.arange(3.0), np.ones(3))["pearson_r"])
