"""Linear and ridge probes against scikit-learn and direct fits."""

import numpy as np
import pytest
from helpers import GRID, make_classes
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import make_regression
from sklearn.linear_model import (
    LogisticRegression,
    Ridge,
)
from sklearn.metrics import (
    balanced_accuracy_score,
    mean_squared_error,
)
from sklearn.model_selection import (
    GridSearchCV,
    PredefinedSplit,
    StratifiedShuffleSplit,
    train_test_split,
)
from sklearn.utils.estimator_checks import parametrize_with_checks

from skcoral.evaluation import (
    JoinBlocks,
    LinearProbe,
    RidgeProbe,
)


@parametrize_with_checks([LinearProbe(), RidgeProbe(), JoinBlocks()])
@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimator_passes_the_check(estimator, check):
    check(estimator)


def test_linear_probe_without_refinement_is_sklearns_grid_search():
    X, y = make_classes()
    split = StratifiedShuffleSplit(1, test_size=0.4, random_state=48)
    grid = GridSearchCV(
        LogisticRegression(max_iter=1000),
        {"C": GRID},
        cv=split,
        scoring="balanced_accuracy",
    ).fit(X, y)
    probe = LinearProbe(refine=False).fit(X, y)
    assert probe.C_ == grid.best_params_["C"]
    assert_allclose(list(probe.scores_.values()), grid.cv_results_["mean_test_score"])
    assert_array_equal(probe.decision_function(X), grid.decision_function(X))
    assert_array_equal(probe.predict_proba(X), grid.predict_proba(X))


def test_linear_probe_is_refitted_on_training_and_validation_rows():
    X, y = make_classes()
    train = np.arange(160) % 3 > 0
    probe = LinearProbe(cv=PredefinedSplit(np.where(train, -1, 0))).fit(X, y)
    by_hand = {}
    for C in probe.scores_:
        model = LogisticRegression(C=C, max_iter=1000).fit(X[train], y[train])
        by_hand[C] = balanced_accuracy_score(y[~train], model.predict(X[~train]))
    assert_allclose(list(probe.scores_.values()), list(by_hand.values()))
    assert probe.scores_[probe.C_] == max(by_hand.values())
    direct = LogisticRegression(C=probe.C_, max_iter=1000).fit(X, y)
    assert_array_equal(probe.estimator_.coef_, direct.coef_)


def test_of_equal_values_the_smallest_of_the_first_sweep_is_chosen():
    X = np.repeat([[-1.0], [1.0]], 20, axis=0)
    probe = LinearProbe().fit(X, np.repeat([0, 1], 20))
    assert set(probe.scores_.values()) == {1.0}
    assert probe.C_ == 1e-6


def test_refinement_never_lowers_the_score():
    X, y = make_classes(flip_y=0.4)
    coarse, fine = (LinearProbe(refine=refine).fit(X, y) for refine in (False, True))
    assert fine.scores_[fine.C_] >= coarse.scores_[coarse.C_]
    assert len(fine.scores_) > len(coarse.scores_)
    assert list(fine.scores_)[:7] == GRID


def test_class_weight_reaches_the_classifier():
    X, y = make_classes(n_classes=2, weights=[0.9])
    plain, weighted = (
        LinearProbe(class_weight=w).fit(X, y) for w in (None, "balanced")
    )
    assert (weighted.predict(X) == 1).sum() > (plain.predict(X) == 1).sum()


def test_linear_probe_takes_sparse_features_and_strings_as_classes():
    X, y = make_classes()
    names = np.array(["a", "b", "c"])[y]
    dense, thin = (
        LinearProbe().fit(X, names),
        LinearProbe().fit(sparse.csr_array(X), names),
    )
    assert dense.C_ == thin.C_
    assert_array_equal(dense.predict(X), thin.predict(sparse.csr_array(X)))


def test_ridge_probe_is_a_direct_choice_by_the_error_on_held_out_rows():
    X, y = make_regression(90, 40, noise=30, random_state=0)
    held_out = np.arange(90) % 4 == 0
    probe = RidgeProbe(cv=PredefinedSplit(np.where(held_out, 0, -1))).fit(X, y)
    errors = [
        mean_squared_error(
            y[held_out], Ridge(a).fit(X[~held_out], y[~held_out]).predict(X[held_out])
        )
        for a in GRID
    ]
    assert probe.alpha_ == GRID[np.argmin(errors)]
    assert_allclose([-s for s in probe.scores_.values()], errors)
    assert_array_equal(probe.predict(X), Ridge(probe.alpha_).fit(X, y).predict(X))


def test_ridge_probe_holds_out_a_fifth_by_the_published_seed():
    X, y = make_regression(90, 40, noise=30, random_state=0)
    train, held_out = train_test_split(np.arange(90), test_size=0.2, random_state=48)
    fold = np.where(np.isin(np.arange(90), held_out), 0, -1)
    assert RidgeProbe().fit(X, y).scores_ == pytest.approx(
        RidgeProbe(cv=PredefinedSplit(fold)).fit(X, y).scores_
    )
    assert len(train) == 72


@pytest.mark.parametrize(
    "grid", [[], [0.0, 1.0], [1.0, 1.0], [2.0, 1.0], ["a"], [1, np.inf], [np.nan]]
)
def test_grid_must_be_positive_and_ascend(grid):
    X, y = make_classes()
    with pytest.raises(
        ValueError, match="'Cs' parameter of LinearProbe must be positive"
    ):
        LinearProbe(grid).fit(X, y)
    with pytest.raises(
        ValueError, match="'alphas' parameter of RidgeProbe must be pos"
    ):
        RidgeProbe(grid).fit(X, y)


def test_one_row_per_class_cannot_be_split():
    with pytest.raises(ValueError, match=r"LinearProbe cannot hold out .* of 3 rows"):
        LinearProbe().fit(np.eye(3), [0, 1, 2])
