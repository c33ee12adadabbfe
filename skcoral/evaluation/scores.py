"""Scores of predictions: two accuracies of classes, three scores of numbers."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import pearsonr
from sklearn.metrics import (
    accuracy_score,
    mean_squared_error,
    r2_score,
    recall_score,
)

CLASSIFICATION = ("balanced_accuracy", "accuracy")
REGRESSION = ("mse", "r2", "pearson_r")
SCORES = (*CLASSIFICATION, *REGRESSION)
LOWER_IS_BETTER = {"mse"}


def balanced_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the mean recall over the classes of `y_true`.

    The same as scikit-learn's ``balanced_accuracy_score``, without its warning about a
    predicted class that has no row in `y_true`, which is no fault of a test split.
    """
    classes = np.unique(y_true)
    return recall_score(
        y_true, y_pred, labels=classes, average="macro", zero_division=0.0
    )


def score_classes(y_true: ArrayLike, y_pred: ArrayLike) -> dict[str, float]:
    """Return the scores of predicted classes by name."""
    scores = balanced_accuracy(y_true, y_pred), accuracy_score(y_true, y_pred)
    return dict(zip(CLASSIFICATION, map(float, scores), strict=True))


def score_numbers(y_true: ArrayLike, y_pred: ArrayLike) -> dict[str, float]:
    """Return the scores of predicted numbers by name; r of a constant is NaN."""
    constant = np.ptp(y_pred) == 0 or np.ptp(y_true) == 0
    r = np.nan if constant else pearsonr(y_true, y_pred).statistic
    scores = mean_squared_error(y_true, y_pred), r2_score(y_true, y_pred), r
    return dict(zip(REGRESSION, map(float, scores), strict=True))
