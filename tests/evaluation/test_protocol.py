"""Evaluation: nothing leaks, draws are shared, numbers agree with hand and sklearn."""

import json
from functools import partial

import numpy as np
import pytest
import torch
from cca_zoo.linear import MCCA
from helpers import TINY
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.stats import pearsonr, ttest_1samp, ttest_rel
from sklearn import set_config
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.cross_decomposition import CCA, PLSCanonical
from sklearn.datasets import make_classification, make_regression
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    Ridge,
)
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    mean_squared_error,
    r2_score,
)
from sklearn.model_selection import (
    GridSearchCV,
    PredefinedSplit,
    StratifiedShuffleSplit,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from skorch.helper import SliceDict

from skcoral import COrALTransformer
from skcoral.datasets import make_multimodal_interactions
from skcoral.evaluation import (
    JoinBlocks,
    LinearProbe,
    MultiviewAdapter,
    RidgeProbe,
    compare,
    draw_labels,
    evaluate,
    format_table,
    summarize,
)
from skcoral.evaluation.scores import balanced_accuracy, score_classes, score_numbers
from skcoral.evaluation.search import search_around

GRID = [1e-6, 1e-4, 1e-2, 1.0, 1e2, 1e4, 1e6]
FEW = LogisticRegression(max_iter=2000)


@pytest.fixture
def known():
    """Training and test rows of two views with labels of each kind."""
    make = partial(make_multimodal_interactions, n_features=18)
    return make(150, random_state=0), make(120, random_state=1)


def run(known, transformers, label="redundant", **options):
    """Evaluate on the rows of the fixture."""
    train, test = known
    targets = (b.target if label is None else b.target[label] for b in (train, test))
    y, y_test = targets
    options = {"X_test": test.data, "y_test": y_test, "seeds": [0]} | options
    return evaluate(transformers, train.data, y, **options)


def classes(n_samples=160, seed=0, **options):
    options = {"n_informative": 4, "n_classes": 3, "flip_y": 0.2} | options
    return make_classification(n_samples, random_state=seed, **options)


# Probes


@parametrize_with_checks([LinearProbe(), RidgeProbe(), JoinBlocks()])
@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimator_passes_the_check(estimator, check):
    check(estimator)


def test_linear_probe_without_refinement_is_sklearns_grid_search():
    X, y = classes()
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
    X, y = classes()
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


def published_second_sweep(score, centre):
    """The search as published, with indices written out: all values it visits."""
    steps = [centre * 10 ** (-2 + 4 * i / 28) for i in range(29)]
    values = [C for C in steps if 1e-6 * (1 - 1e-9) <= C <= 1e6 * (1 + 1e-9)]
    visited = []
    while len(values) > 1:
        n = len(values)
        low, middle = n // 4, n // 2
        high = n + (-n // 4)
        a, b, c = (score(values[i]) for i in (low, middle, high))
        visited += [values[i] for i in (low, middle, high)]
        if a >= b and a >= c:
            values = values[:middle]
        elif c >= b:
            values = values[middle:]
        else:
            values = values[low:high]
    return visited


@pytest.mark.parametrize("seed", range(20))
def test_second_sweep_visits_what_the_published_one_does(seed):
    bumps = np.random.default_rng(seed).normal(size=(4, 3))

    def score(C):
        """Several maxima, and ties by rounding."""
        return round(sum(c * np.sin(3 * a * np.log10(C) + b) for a, b, c in bumps), 1)

    scores = {C: score(C) for C in GRID}
    centre = max(GRID, key=score)
    search_around(score, scores)
    visited = dict.fromkeys(np.round(np.log10([*GRID, *scores]), 6))
    expected = np.log10(GRID + published_second_sweep(score, centre))
    assert list(visited) == list(dict.fromkeys(np.round(expected, 6)))


def test_refinement_never_lowers_the_score():
    X, y = classes(flip_y=0.4)
    coarse, fine = (LinearProbe(refine=refine).fit(X, y) for refine in (False, True))
    assert fine.scores_[fine.C_] >= coarse.scores_[coarse.C_]
    assert len(fine.scores_) > len(coarse.scores_)
    assert list(fine.scores_)[:7] == GRID


def test_class_weight_reaches_the_classifier():
    X, y = classes(n_classes=2, weights=[0.9])
    plain, weighted = (
        LinearProbe(class_weight=w).fit(X, y) for w in (None, "balanced")
    )
    assert (weighted.predict(X) == 1).sum() > (plain.predict(X) == 1).sum()


def test_linear_probe_takes_sparse_features_and_strings_as_classes():
    X, y = classes()
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
    X, y = classes()
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


# Scores


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


# Draws


def test_draws_are_nested_balanced_and_told_by_their_number():
    y = np.random.default_rng(0).choice(list("aab"), 90)
    for draw in range(3):
        rows = {n: draw_labels(y, n, draw) for n in (1, 5, 20)}
        assert set(rows[1]) < set(rows[5]) < set(rows[20])
        assert all((y[rows[5]] == c).sum() == 5 for c in "ab")
        assert_array_equal(rows[5], draw_labels(list(y), 5, draw))
    assert set(draw_labels(y, 5, 0)) != set(draw_labels(y, 5, 1))


def test_a_class_with_fewer_rows_gives_all_of_them():
    rows = draw_labels([0, 0, 0, 0, 1, 1], 3, draw=0)
    assert len(rows) == 5
    assert {4, 5} < set(rows)


def test_numbers_are_drawn_without_classes():
    y = np.linspace(0, 1, 30)
    few, more = (draw_labels(y, n, 2, per_class=False) for n in (4, 9))
    assert_array_equal(few, more[:4])
    assert len(set(more)) == 9
    with pytest.raises(ValueError, match="continuous"):
        draw_labels(y, 4, 2)


class Recorder(ClassifierMixin, BaseEstimator):
    """A probe that tells what it was shown."""

    seen = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen.append((np.array(X), np.array(y)))
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_all_methods_and_seeds_see_the_same_rows(known):
    number = FunctionTransformer(lambda X: np.arange(len(X))[:, None].astype(float))
    sequel = make_pipeline(number, PCA(1, svd_solver="randomized"))
    Recorder.seen.clear()
    records = run(
        known,
        {"a": number, "b": sequel},
        n_labels=[2, 4],
        n_draws=2,
        seeds=[3, 4],
        probe=Recorder(),
        standardize=False,
    )
    rows = [np.argsort(np.argsort(X.ravel())) for X, _ in Recorder.seen]
    labels = [y for _, y in Recorder.seen]
    # One run of "a", which has no seed, and two of "b", of four probes each.
    assert len(rows) == 12
    y = known[0].target["redundant"]
    for i, (n, draw) in enumerate([(2, 0), (2, 1), (4, 0), (4, 1)]):
        drawn = draw_labels(y, n, draw)
        assert_array_equal(Recorder.seen[i][0].ravel(), drawn)
        for j in (i, i + 4, i + 8):
            assert_array_equal(labels[j], y[drawn])
    assert [r["seed"] for r in records[2:]] == [None] * 4 + [3] * 4 + [4] * 4


# Protocol


class Listing(LinearProbe):
    """A probe that remembers its choices and predictions."""

    said = []

    def predict(self, X):
        guess = super().predict(X)
        self.said.append((self.C_, guess.tolist()))
        return guess


def test_labels_of_test_rows_influence_neither_choice_nor_prediction(known):
    _, test = known
    shuffled = np.random.default_rng(0).permutation(test.target["redundant"])
    said, records = [], []
    for y_test in (test.target["redundant"], shuffled):
        Listing.said.clear()
        records.append(
            run(known, {"raw": JoinBlocks()}, probe=Listing(), y_test=y_test)
        )
        said.append(list(Listing.said))
    assert said[0] == said[1]
    assert len(said[0]) == 1
    assert records[0][1]["accuracy"] > records[1][1]["accuracy"]


def test_test_rows_shape_neither_transformer_nor_scale(known):
    _, test = known
    half = test.data[:60]
    fitted = {"PCA": make_pipeline(JoinBlocks(), PCA(4, random_state=0))}
    Listing.said.clear()
    run(known, fitted, probe=Listing())
    run(
        known,
        fitted,
        probe=Listing(),
        X_test=half,
        y_test=test.target["redundant"][:60],
    )
    (C, guess), (C_half, guess_half) = Listing.said
    assert (C, guess[:60]) == (C_half, guess_half)


def test_transformers_never_see_labels(known):
    class Curious(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            assert y is None
            return self

        def transform(self, X):
            return X["m0"]

    assert len(run(known, {"curious": Curious()})) == 2


def test_scores_are_those_of_a_direct_fit(known):
    (baseline, record) = run(known, {"raw": JoinBlocks()}, n_labels="all")
    train, test = (np.hstack(list(bunch.data.values())) for bunch in known)
    y, y_test = (bunch.target["redundant"] for bunch in known)
    model = make_pipeline(StandardScaler(), LinearProbe()).fit(train, y)
    expected = {
        "data": "data",
        "method": "raw",
        "component": "all",
        "label": "y",
        "n_labels": "all",
        "seed": None,
        "draw": None,
        "n_train": 150,
        "n_features": 36,
        "balanced_accuracy": balanced_accuracy_score(y_test, model.predict(test)),
        "accuracy": accuracy_score(y_test, model.predict(test)),
    }
    assert list(record) == list(expected)
    assert record == pytest.approx(expected)
    dummy = DummyClassifier(strategy="most_frequent").fit(train, y)
    assert baseline["accuracy"] == accuracy_score(y_test, dummy.predict(test))
    assert baseline["balanced_accuracy"] == 0.5
    assert baseline["method"] == "majority"
    assert list(baseline) == list(expected)


def test_scores_from_few_labels_are_those_of_a_direct_fit(known):
    records = run(known, {"raw": JoinBlocks()}, n_labels=5, n_draws=2, baseline=False)
    train, test = (np.hstack(list(bunch.data.values())) for bunch in known)
    y, y_test = (bunch.target["redundant"] for bunch in known)
    scaler = StandardScaler().fit(train)
    for draw, record in enumerate(records):
        rows = draw_labels(y, 5, draw)
        model = LogisticRegression().fit(scaler.transform(train[rows]), y[rows])
        guess = model.predict(scaler.transform(test))
        assert record["accuracy"] == pytest.approx(accuracy_score(y_test, guess))
        assert (record["draw"], record["n_train"]) == (draw, 10)


def test_validation_rows_choose_and_then_join_the_training_rows(known):
    val = make_multimodal_interactions(80, n_features=18, random_state=2)
    options = {"X_val": val.data, "y_val": val.target["redundant"]}
    Listing.said.clear()
    (record,) = run(
        known, {"raw": JoinBlocks()}, probe=Listing(), baseline=False, **options
    )
    train, val_X, test = (
        np.hstack(list(bunch.data.values())) for bunch in (known[0], val, known[1])
    )
    scaler = StandardScaler().fit(train)
    train, val_X, test = map(scaler.transform, (train, val_X, test))
    y, y_val = known[0].target["redundant"], val.target["redundant"]
    ((C, guess),) = Listing.said
    fitted = LogisticRegression(C=C, max_iter=1000)
    fitted.fit(np.vstack([train, val_X]), np.concatenate([y, y_val]))
    assert_array_equal(fitted.predict(test), guess)
    coarse = {}
    for value in GRID:
        model = LogisticRegression(C=value, max_iter=1000).fit(train, y)
        coarse[value] = balanced_accuracy_score(y_val, model.predict(val_X))
    final = LogisticRegression(C=C, max_iter=1000).fit(train, y)
    best = balanced_accuracy_score(y_val, final.predict(val_X))
    assert best >= max(coarse.values())
    assert record["n_train"] == 230


def test_shuffled_labels_are_told_at_chance(known):
    train, test = known
    rng = np.random.default_rng(0)
    y, y_test = (rng.integers(2, size=len(b.target["synergy"])) for b in (train, test))
    records = evaluate(
        {"raw": JoinBlocks()},
        train.data,
        y,
        X_test=test.data,
        y_test=y_test,
        n_labels=20,
        n_draws=20,
    )
    scores = [r["balanced_accuracy"] for r in records if r["method"] == "raw"]
    # Three deviations of the mean accuracy on 120 test rows.
    assert abs(np.mean(scores) - 0.5) < 3 * 0.5 / np.sqrt(120)


def test_one_table_holds_methods_of_all_kinds(known):
    transformers = {
        "raw": JoinBlocks(),
        "PCA": make_pipeline(JoinBlocks(), PCA(4)),
        "CCA": MultiviewAdapter(CCA(2)),
        "PLS": MultiviewAdapter(PLSCanonical(2)),
        "MCCA": MultiviewAdapter(MCCA(3), as_list=True),
        "COrAL": COrALTransformer(**TINY),
    }
    records = run(known, transformers, n_labels=[1, "all"], n_draws=2, seeds=[0, 1])
    runs = dict.fromkeys(("majority", *transformers), 0)
    for record in records:
        runs[record["method"]] += 1
    # PCA and COrAL have a seed; one label is drawn twice, all of them once.
    once = {"majority": 2, "raw": 3, "CCA": 3, "PLS": 3, "MCCA": 3}
    assert runs == once | {"PCA": 6, "COrAL": 6}
    sizes = {r["method"]: r["n_features"] for r in records}
    assert (sizes["raw"], sizes["PCA"]) == (36, 4)
    assert (sizes["CCA"], sizes["MCCA"], sizes["COrAL"]) == (4, 6, 16)
    table = format_table(records, scores="balanced_accuracy").splitlines()
    assert table[0] == "| method | 1 | all |"
    assert [line.split(" | ")[0] for line in table[2:]] == [f"| {n}" for n in runs]
    json.dumps(records)


def test_each_component_is_probed_for_each_label(known):
    coral = COrALTransformer(**TINY, random_state=0).fit(known[0].data)
    records = run(
        known,
        {
            "COrAL": FrozenEstimator(coral),
            "pipeline": make_pipeline("passthrough", JoinBlocks()),
            "PCA": make_pipeline(JoinBlocks(), PCA(2, random_state=0)),
        },
        label=None,
        components=True,
        probe=FEW,
        baseline=False,
    )
    found = {name: set() for name in ("COrAL", "pipeline", "PCA")}
    for record in records:
        found[record["method"]].add(record["component"])
    assert found["COrAL"] == {"all", "shared", "m0", "m1"}
    assert found["pipeline"] == {"all", "m0", "m1"}
    assert found["PCA"] == {"all"}
    labels = list(known[0].target)
    assert list(dict.fromkeys(r["label"] for r in records)) == labels
    assert len(records) == (4 + 3 + 1) * len(labels)
    matrix = [r for r in records if r["method"] == "COrAL"]
    assert {r["seed"] for r in matrix} == {None}
    _check_component(coral, known, matrix)


def _check_component(coral, known, matrix):
    """The cell of component and label is the score of a direct fit on its columns."""
    columns = coral.output_indices_["m1"]
    train, test = (coral.transform(b.data)[:, columns].astype(float) for b in known)
    model = make_pipeline(StandardScaler(), FEW).fit(train, known[0].target["synergy"])
    guess = model.predict(test)
    (cell,) = (r for r in matrix if (r["component"], r["label"]) == ("m1", "synergy"))
    assert cell["accuracy"] == accuracy_score(known[1].target["synergy"], guess)
    assert cell["n_features"] == columns.stop - columns.start


def test_view_with_its_own_label_tells_it_and_the_other_does_not():
    make = partial(make_multimodal_interactions, noise=0.0)
    known = make(800, random_state=0), make(800, random_state=1)
    records = run(
        known, {"raw": JoinBlocks()}, label="unique_m0", components=True, probe=FEW
    )
    scores = {r["component"]: r["balanced_accuracy"] for r in records[1:]}
    assert scores["m0"] > 0.8
    assert abs(scores["m1"] - 0.5) < 3 * 0.5 / np.sqrt(800)


def test_transformers_may_be_fitted_on_other_rows(known):
    other = make_multimodal_interactions(90, n_features=18, random_state=5).data
    pca = make_pipeline(JoinBlocks(), PCA(3, random_state=0))
    Listing.said.clear()
    run(known, {"PCA": pca}, X_fit=other, probe=Listing())
    run(known, {"PCA": FrozenEstimator(pca.fit(other))}, probe=Listing())
    assert Listing.said[0] == Listing.said[1]


def test_seeds_reach_the_parts_of_a_transformer(known):
    class Seeds(TransformerMixin, BaseEstimator):
        seen = []

        def __init__(self, random_state=None):
            self.random_state = random_state

        def fit(self, X, y=None):
            self.seen.append(self.random_state)
            self.fitted_ = True
            return self

        def transform(self, X):
            return X["m0"]

    records = run(known, {"a": make_pipeline(Seeds(1))}, seeds=(7, 9), probe=FEW)
    assert Seeds.seen == [7, 9]
    assert [r["seed"] for r in records[1:]] == [7, 9]


def test_plain_cross_validated_regression_is_a_probe(known):
    probe = LogisticRegressionCV(
        Cs=5, scoring="balanced_accuracy", l1_ratios=(0,), use_legacy_attributes=False
    )
    (record,) = run(known, {"raw": JoinBlocks()}, probe=probe, baseline=False)
    train, test = (np.hstack(list(bunch.data.values())) for bunch in known)
    y, y_test = (bunch.target["redundant"] for bunch in known)
    model = make_pipeline(StandardScaler(), probe).fit(train, y)
    assert record["accuracy"] == accuracy_score(y_test, model.predict(test))
    val = {"X_val": known[1].data, "y_val": y_test}
    assert run(known, {"raw": JoinBlocks()}, probe=probe, **val)[1]["n_train"] == 270


def test_numbers_are_predicted_by_ridge_regression():
    X, y = make_regression(150, 12, noise=20, random_state=0)
    parts = {"X_test": X[100:], "y_test": y[100:]}
    baseline, record = evaluate({"raw": JoinBlocks()}, X[:100], y[:100], **parts)
    model = make_pipeline(StandardScaler(), RidgeProbe()).fit(X[:100], y[:100])
    guess = model.predict(X[100:])
    assert record["mse"] == pytest.approx(mean_squared_error(y[100:], guess))
    assert record["r2"] == pytest.approx(r2_score(y[100:], guess))
    assert record["pearson_r"] == pytest.approx(pearsonr(y[100:], guess).statistic)
    assert baseline["method"] == "mean"
    assert baseline["mse"] == pytest.approx(np.mean((y[100:] - y[:100].mean()) ** 2))
    assert np.isnan(baseline["pearson_r"])
    few = evaluate({"raw": JoinBlocks()}, X[:100], y[:100], n_labels=[10], **parts)
    assert {r["n_train"] for r in few[1:]} == {10}
    assert "| raw | **" in format_table(few, scores="mse")


def test_whole_numbers_are_regressed_where_the_probe_says_so(known):
    records = run(known, {"raw": JoinBlocks()}, probe=Ridge(), n_labels=[6])
    assert records[1]["n_train"] == 6
    assert "mse" in records[1]


def test_sparse_features_are_scaled_without_centring():
    X, y = classes()
    X = np.where(np.abs(X) > 1, X, 0)
    thin = FunctionTransformer(lambda X: sparse.csr_matrix(X))
    parts = {"X_test": X[100:], "y_test": y[100:], "baseline": False}
    val = {"X_val": X[80:100], "y_val": y[80:100]}
    (record,) = evaluate({"thin": thin}, X[:80], y[:80], **parts, **val)
    scale = X[:80].std(axis=0)
    fold = PredefinedSplit(np.repeat([-1, 0], [80, 20]))
    model = LinearProbe(cv=fold).fit(X[:100] / scale, y[:100])
    assert record["accuracy"] == model.score(X[100:] / scale, y[100:])


def test_data_frames_of_mixed_columns_are_evaluated(films):
    y = np.arange(60) % 2
    raw = make_column_transformer((StandardScaler(), ["seen"]), sparse_threshold=0)
    records = evaluate(
        {"raw": raw, "COrAL": COrALTransformer(**TINY)},
        films[:40],
        y[:40],
        X_test=films[40:],
        y_test=y[40:],
        seeds=[0],
        components=True,
        probe=FEW,
    )
    names = [(r["method"], r["component"]) for r in records]
    assert names[1:3] == [("raw", "all"), ("raw", "standardscaler")]
    assert ("COrAL", "plot") in names


def test_two_jobs_return_what_one_returns_and_runs_repeat(known):
    transformers = {
        "raw": JoinBlocks(),
        "PCA": make_pipeline(JoinBlocks(), PCA(4, svd_solver="randomized")),
    }
    options = {"n_labels": [5, 20], "n_draws": 2, "seeds": [0, 1]}
    one, again, two = (
        run(known, transformers, n_jobs=n, **options) for n in (1, None, 2)
    )
    assert one == again == two


def test_coral_runs_repeat_and_the_global_generators_stay_untouched(known):
    np.random.seed(0)
    torch.manual_seed(0)
    before = np.random.get_state()[1].copy(), torch.get_rng_state().clone()
    one, two = (run(known, {"COrAL": COrALTransformer(**TINY)}) for _ in range(2))
    assert one == two
    assert_array_equal(np.random.get_state()[1], before[0])
    assert torch.equal(torch.get_rng_state(), before[1])


def test_records_go_into_pandas_and_come_back(known):
    pd = pytest.importorskip("pandas")
    records = run(known, {"raw": JoinBlocks()}, n_labels=5)
    frame = pd.DataFrame(records)
    assert frame.groupby("method")["accuracy"].mean().index.tolist() == [
        "majority",
        "raw",
    ]
    back = frame.to_dict("records")
    assert format_table(back) == format_table(records)
    # There, a seed that is None has become NaN.
    assert compare(back, "majority") == compare(records, "majority")
    with pytest.raises(ValueError, match="is in the records twice"):
        summarize(back + frame.to_dict("records"))


def test_output_of_data_frames_changes_nothing(known):
    pytest.importorskip("pandas")
    transformers = {
        "PCA": make_pipeline(JoinBlocks(), PCA(3, random_state=0)),
        "CCA": MultiviewAdapter(CCA(2), preprocessor=PCA(5)),
    }
    plain = run(known, transformers)
    set_config(transform_output="pandas")
    try:
        assert run(known, transformers) == plain
    finally:
        set_config(transform_output="default")


WRONG = {
    "seeds": [
        ([1, 1], r"'seeds' parameter of evaluate must be distinct .* Got \[1, 1\]"),
        ([], "'seeds' parameter of evaluate must be distinct"),
        ([-1], "'seeds' parameter of evaluate must be distinct"),
        (3, "'seeds' parameter of evaluate must be an instance of"),
    ],
    "n_labels": [
        ([5, 5], "'n_labels' parameter of evaluate must be 'all', an int"),
        ([0], "'n_labels' parameter of evaluate must be 'all', an int"),
        ([], "'n_labels' parameter of evaluate must be 'all', an int"),
        ("some", "'n_labels' parameter of evaluate must be"),
    ],
    "n_draws": [
        (0, r"'n_draws' parameter of evaluate must be an int in the range \[1")
    ],
    "probe": [
        (PCA(), "'probe' parameter of evaluate must be an object implementing"),
        (KMeans(), "'probe' parameter of evaluate must be a classifier or a regr"),
    ],
    "y_test": [
        (np.full(120, 7), r"'y' has classes in test rows that no .* has: \[7\]"),
        (np.zeros(119), r"inconsistent numbers of samples: \[120, 119\]"),
        (np.full(120, np.nan), "'y' is missing in test rows"),
        ({"other": np.zeros(120)}, r"test rows must have the names of y, \['y'\]"),
    ],
    "X_val": [(np.zeros((3, 2)), "X_val and y_val of evaluate belong together")],
    "components": [("shared", "'components' parameter of evaluate must be")],
}


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [(name, *case) for name, cases in WRONG.items() for case in cases],
)
def test_wrong_parameter_is_named(known, name, value, match):
    with pytest.raises(ValueError, match=match):
        run(known, {"raw": JoinBlocks()}, **{name: value})


@pytest.mark.parametrize(
    ("transformers", "match"),
    [
        ({}, "must be a non-empty dict"),
        ({"majority": PCA()}, "without the names 'majority' and 'mean'"),
        ({"a": PCA}, "must map names to instances with fit and transform"),
        ({"a": FEW}, "must map names to instances with fit and transform"),
        ({1: PCA()}, "must map names to instances with fit and transform"),
        ([PCA()], "'transformers' parameter of evaluate must be an instance of 'dict'"),
    ],
)
def test_wrong_transformers_are_named(known, transformers, match):
    with pytest.raises(ValueError, match=match):
        run(known, transformers)


def test_validation_rows_do_not_go_with_few_labels_or_probes_without_choice(known):
    val = {"X_val": known[1].data, "y_val": known[1].target["redundant"]}
    with pytest.raises(ValueError, match="X_val of evaluate needs n_labels='all'"):
        run(known, {"raw": JoinBlocks()}, n_labels=[5, "all"], **val)
    with pytest.raises(ValueError, match="X_val is for probes with a parameter 'cv'"):
        run(known, {"raw": JoinBlocks()}, probe=FEW, **val)


def test_error_says_which_method_and_seed_it_came_from(known):
    holes = FunctionTransformer(lambda X: np.full((len(X), 1), np.nan))
    with pytest.raises(ValueError, match="features of train rows contains NaN") as info:
        run(known, {"holes": holes})
    assert info.value.__notes__ == ["While evaluating 'holes', seed None."]
    short = FunctionTransformer(lambda X: np.zeros((2, 1)))
    with pytest.raises(
        ValueError, match=r"inconsistent numbers of samples: \[2, 150\]"
    ):
        run(known, {"short": short})
    with pytest.raises(ValueError, match="y"):
        run(known, {"LDA": make_pipeline(JoinBlocks(), LinearDiscriminantAnalysis())})


def test_component_must_not_be_called_all(known):
    train, test = (SliceDict(all=b.data["m0"], m1=b.data["m1"]) for b in known)
    with pytest.raises(ValueError, match="component must not be named 'all'"):
        evaluate(
            {"raw": JoinBlocks()},
            train,
            known[0].target["redundant"],
            X_test=test,
            y_test=known[1].target["redundant"],
            components=True,
        )


# Adapters


def test_blocks_are_flattened_in_order_and_named():
    rng = np.random.default_rng(0)
    X = SliceDict(
        a=rng.normal(size=(5, 2, 6)).astype(np.float32),
        b=rng.integers(9, size=5),
        c=rng.random((5, 3)) > 0.5,
    )
    joined = JoinBlocks(["c", "a"]).fit_transform(X)
    assert_array_equal(joined, np.hstack([X["c"], X["a"].reshape(5, 12)]))
    everything = JoinBlocks().fit(X)
    assert everything.output_indices_ == {
        "a": slice(0, 12),
        "b": slice(12, 13),
        "c": slice(13, 16),
    }
    names = everything.get_feature_names_out()
    assert names[[0, 11, 12, 15]].tolist() == ["a_00", "a_11", "b_0", "c_2"]
    assert JoinBlocks(["a"]).fit_transform(X).dtype == np.float32
    assert JoinBlocks().fit_transform(X).dtype == np.float64


def test_data_frames_inside_and_outside_of_blocks_are_joined():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"x": [1.0, None], "y": [True, False]})
    expected = [[1, 1], [np.nan, 0]]
    assert_array_equal(JoinBlocks().fit_transform(frame), expected)
    assert JoinBlocks().fit(frame).get_feature_names_out().tolist() == ["x", "y"]
    blocks = SliceDict(a=frame, b=frame["x"])
    joined = JoinBlocks().set_output(transform="pandas").fit_transform(blocks)
    assert joined.columns.tolist() == ["a_0", "a_1", "b_0"]
    assert_array_equal(joined, np.hstack([expected, [[1], [np.nan]]]))


def test_sparse_blocks_make_a_sparse_table(views):
    thin = SliceDict(a=sparse.csr_array(views["a"]), b=views["b"])
    joined = JoinBlocks().fit_transform(thin)
    assert sparse.issparse(joined)
    assert_array_equal(joined.toarray(), JoinBlocks().fit_transform(views))


def test_join_refuses_what_does_not_fit(views):
    join = JoinBlocks().fit(views)
    with pytest.raises(ValueError, match=r"block 'a' has 4 features, .* with 5"):
        join.transform(SliceDict(a=views["a"][:, :4], b=views["b"]))
    with pytest.raises(ValueError, match="now missing:\n- b"):
        join.transform(SliceDict(a=views["a"]))
    with pytest.raises(ValueError, match="Unknown column 'c'"):
        JoinBlocks(["c"]).fit(views)
    with pytest.raises(ValueError, match="must be distinct names, one at least"):
        JoinBlocks(["a", "a"]).fit(views)
    with pytest.raises(ValueError, match="must be None where X is no SliceDict"):
        JoinBlocks(["a"]).fit(views["a"])
    with pytest.raises(TypeError, match="cannot slice a plain dict"):
        JoinBlocks().fit(dict(views))
    text = SliceDict(text=np.array(["a b", "c"], dtype=object))
    with pytest.raises(ValueError, match="block 'text' must be numeric"):
        JoinBlocks().fit(text)
    dates = SliceDict(day=np.array(["2020-01-01"], dtype="datetime64[D]"))
    with pytest.raises(ValueError, match=r"block 'day' must be numeric.* Got dates"):
        JoinBlocks().fit(dates)


def test_two_views_go_into_cca_as_by_hand(views):
    adapted = MultiviewAdapter(CCA(2)).fit(views)
    expected = CCA(2).fit(views["a"], views["b"]).transform(views["a"], views["b"])
    assert_array_equal(adapted.transform(views), np.hstack(expected))
    assert adapted.output_indices_ == {"a": slice(0, 2), "b": slice(2, 4)}
    assert adapted.get_feature_names_out().tolist() == ["a_0", "a_1", "b_0", "b_1"]


def test_lists_of_views_go_into_methods_of_cca_zoo(views):
    X = SliceDict(**views, c=views["a"] ** 2)
    adapted = MultiviewAdapter(MCCA(2), as_list=True).fit(X)
    by_hand = MCCA(2).fit(list(X.values())).transform(list(X.values()))
    assert_array_equal(adapted.transform(X), np.hstack(by_hand))
    assert list(adapted.output_indices_) == ["a", "b", "c"]
    assert "estimator__shrinkage" in adapted.get_params()


def test_preprocessors_are_fitted_on_each_view_by_itself(views):
    adapted = MultiviewAdapter(CCA(1), preprocessor=PCA(2)).fit(views)
    reduced = [PCA(2).fit_transform(views[name]) for name in ("a", "b")]
    expected = CCA(1).fit(*reduced).transform(*reduced)
    assert_allclose(adapted.transform(views), np.hstack(expected))


def test_cca_needs_more_rows_than_columns(views):
    rows = views[:9]
    with pytest.raises(ValueError, match=r"Got 9 rows and \[5, 4\] columns"):
        MultiviewAdapter(CCA(1)).fit(rows)
    MultiviewAdapter(CCA(1), preprocessor=PCA(2)).fit(rows)
    MultiviewAdapter(PLSCanonical(1)).fit(rows)


def test_number_of_views_is_checked(views):
    three = SliceDict(**views, c=views["a"])
    with pytest.raises(
        ValueError, match=r"needs exactly two views. Got \['a', 'b', 'c"
    ):
        MultiviewAdapter(CCA(1)).fit(three)
    MultiviewAdapter(CCA(1), blocks=["b", "c"]).fit(three)
    with pytest.raises(ValueError, match=r"needs two views or more\. Got"):
        MultiviewAdapter(MCCA(), as_list=True, blocks=["a"]).fit(three)
    with pytest.raises(ValueError, match=r"exactly two views. Got \['table'\]"):
        MultiviewAdapter(CCA(1)).fit(views["a"])


def test_method_must_return_an_array_per_view(views):
    class Joint(MCCA):
        def transform(self, views):
            return super().transform(views)[0]

    with pytest.raises(ValueError, match=r"Joint\.transform must return one 2-D array"):
        MultiviewAdapter(Joint(), as_list=True).fit(views)


# Records


def make_runs(scores, **fields):
    """Return records of methods from scores by method, one per draw."""
    return [
        {"method": method, "seed": None, "draw": draw, "accuracy": score, **fields}
        for method, values in scores.items()
        for draw, score in enumerate(values)
    ]


def test_mean_and_deviation_by_hand():
    runs = make_runs({"a": [0.5, 0.7], "b": [0.25]}, data="d")
    assert summarize(runs) == [
        {
            "data": "d",
            "method": "a",
            "score": "accuracy",
            "mean": pytest.approx(0.6),
            "deviation": pytest.approx(0.1),
            "n_runs": 2,
        },
        {
            "data": "d",
            "method": "b",
            "score": "accuracy",
            "mean": 0.25,
            "deviation": 0.0,
            "n_runs": 1,
        },
    ]
    (pooled,) = summarize(runs, by="data", scores=["accuracy"])
    assert pooled["mean"] == pytest.approx((0.5 + 0.7 + 0.25) / 3)


def test_paired_comparison_by_hand():
    runs = make_runs({"a": [0.5, 0.6, 0.7, 0.8], "b": [0.4, 0.6, 0.8, 0.5]}, data="d")
    (result,) = compare(runs, "b", score="accuracy")
    # Differences 0.1, 0, -0.1, 0.3: mean 0.075, deviation of the sample 0.1708.
    expected = ttest_rel([0.5, 0.6, 0.7, 0.8], [0.4, 0.6, 0.8, 0.5])
    low, high = expected.confidence_interval(0.95)
    assert result == pytest.approx(
        {
            "data": "d",
            "method": "a",
            "reference": "b",
            "score": "accuracy",
            "n_pairs": 4,
            "difference": 0.075,
            "deviation": np.sqrt((0.025**2 + 0.075**2 + 0.175**2 + 0.225**2) / 4),
            "wins": 2,
            "ties": 1,
            "losses": 1,
            "n_units": 4,
            "low": low,
            "high": high,
            "p_value": expected.pvalue,
        }
    )
    # t = 0.075 / (0.17078 / 2) = 0.8783 with 3 degrees of freedom.
    assert result["p_value"] == pytest.approx(0.4445, abs=1e-4)
    narrow = compare(runs, "b", score="accuracy", confidence=0.5)[0]
    assert low < narrow["low"] < narrow["high"] < high


def test_only_runs_of_one_case_are_paired_and_pooled_on_request():
    first = make_runs({"a": [0.5, 0.6], "b": [0.4, 0.4]}, data="one")
    second = make_runs({"a": [0.1, 0.2], "b": [0.3, 0.1]}, data="two")
    shuffled = [*second[::-1], *first]
    results = {r["data"]: r for r in compare(shuffled, "b", score="accuracy")}
    assert results["one"]["difference"] == pytest.approx(0.15)
    assert results["two"]["difference"] == pytest.approx(-0.05)
    (pooled,) = compare(shuffled, "b", score="accuracy", by=[])
    assert (pooled["n_pairs"], pooled["wins"], pooled["losses"]) == (4, 3, 1)
    assert pooled["difference"] == pytest.approx(0.05)
    # Two data sets are two units: 0.15 and -0.05.
    assert pooled["n_units"] == 2
    assert pooled["p_value"] == pytest.approx(ttest_1samp([0.15, -0.05], 0).pvalue)


def test_a_run_without_seed_meets_all_seeds_of_its_draw():
    plain = make_runs({"PCA": [0.5, 0.6]})
    seeded = [
        {"method": "COrAL", "seed": seed, "draw": draw, "accuracy": 0.6 + 0.1 * seed}
        for seed in (0, 1, 2)
        for draw in (0, 1)
    ]
    guess = [{"method": "majority", "seed": None, "draw": None, "accuracy": 0.1}]
    results = compare([*plain, *seeded, *guess], "PCA", score="accuracy")
    by_method = {r["method"]: r for r in results}
    assert by_method["COrAL"]["n_pairs"] == 6
    assert by_method["COrAL"]["difference"] == pytest.approx(0.7 - 0.55)
    assert by_method["majority"]["n_pairs"] == 2


def test_seeds_that_change_nothing_are_no_evidence():
    scores = {"a": [0.5, 0.6, 0.9], "b": [0.4, 0.7, 0.6]}
    once = make_runs(scores)
    often = [{**run, "seed": seed} for seed in range(5) for run in once]
    (one,), (many,) = (compare(r, "b", score="accuracy") for r in (once, often))
    assert (one["n_pairs"], many["n_pairs"]) == (3, 15)
    assert one["n_units"] == many["n_units"] == 3
    assert many["p_value"] == pytest.approx(one["p_value"])
    assert (many["low"], many["high"]) == pytest.approx((one["low"], one["high"]))


@pytest.mark.parametrize("field", ["component", "label", "n_labels"])
def test_pooled_cases_of_one_data_set_are_no_evidence(field):
    scores = {"a": [0.5, 0.6, 0.9], "b": [0.4, 0.7, 0.6]}
    runs = make_runs(scores, data="d")
    pooled = [{**run, field: value} for value in range(1, 11) for run in runs]
    (one,) = compare(runs, "b", score="accuracy", by="data")
    (many,) = compare(pooled, "b", score="accuracy", by="data")
    assert (one["n_pairs"], many["n_pairs"]) == (3, 30)
    assert one["n_units"] == many["n_units"] == 3
    assert many["p_value"] == pytest.approx(one["p_value"])


def test_without_draws_seeds_are_the_units():
    runs = [
        {"method": m, "seed": seed, "draw": None, "accuracy": score}
        for m, scores in {"a": [0.5, 0.7, 0.6], "b": [0.4, 0.4, 0.4]}.items()
        for seed, score in enumerate(scores)
    ]
    (result,) = compare(runs, "b", score="accuracy")
    assert result["n_units"] == 3
    expected = ttest_1samp([0.1, 0.3, 0.2], 0).pvalue
    assert result["p_value"] == pytest.approx(expected)


def test_lower_errors_win():
    runs = [
        {"method": m, "draw": d, "mse": e}
        for m, errors in {"a": [1.0, 2.0], "b": [2.0, 1.5]}.items()
        for d, e in enumerate(errors)
    ]
    (result,) = compare(runs, "b", score="mse")
    assert (result["difference"], result["wins"], result["losses"]) == (-0.25, 1, 1)
    assert "| a | **1.500 ± 0.500** |" in format_table(runs, columns=None)


@pytest.mark.parametrize(
    "scores", [{"a": [0.5], "b": [0.4]}, {"a": [0.5, 0.7], "b": [0.4, 0.6]}]
)
def test_no_test_without_spread(scores):
    (result,) = compare(make_runs(scores), "b", score="accuracy")
    assert result["difference"] == pytest.approx(0.1)
    assert np.isnan([result["low"], result["high"], result["p_value"]]).all()


def test_table_by_hand():
    runs = [
        *make_runs({"raw": [0.5, 0.7], "a|b": [0.6, 0.6]}, data="one", n_labels=5),
        *make_runs({"raw": [0.25]}, data="two", n_labels=5),
        *make_runs({"a|b": [0.123, 0.133]}, data="two", n_labels="all"),
    ]
    table = format_table(runs, rows=["data", "method"], digits=2)
    assert table.splitlines() == [
        "| data | method | 5 | all |",
        "|---|---|---|---|",
        "| one | raw | **0.60 ± 0.10** |  |",
        "| one | a\\|b | **0.60 ± 0.00** |  |",
        "| two | raw | **0.25** |  |",
        "| two | a\\|b |  | **0.13 ± 0.01** |",
    ]


def test_table_shows_scores_side_by_side():
    runs = [
        {"method": "a", "n_labels": 5, "balanced_accuracy": 0.5, "accuracy": 0.75},
        {"method": "b", "n_labels": 5, "balanced_accuracy": 0.6, "accuracy": 0.5},
        {"method": "b", "n_labels": 5, "draw": 1, "balanced_accuracy": np.nan},
        {"method": "c", "n_labels": 5, "balanced_accuracy": np.nan},
    ]
    assert format_table(runs, digits=1).splitlines()[0] == (
        "| method | balanced_accuracy, 5 | accuracy, 5 |"
    )
    table = format_table([runs[0], runs[1], runs[3]], columns=None, digits=1)
    assert table.splitlines() == [
        "| method | balanced_accuracy | accuracy |",
        "|---|---|---|",
        "| a | 0.5 | **0.8** |",
        "| b | **0.6** | 0.5 |",
        "| c | - |  |",
    ]


def test_table_of_one_label_per_component_is_the_leakage_matrix(known):
    records = run(
        known,
        {"raw": JoinBlocks()},
        label=None,
        components=True,
        probe=FEW,
        baseline=False,
    )
    table = format_table(
        records, rows="component", columns="label", scores="balanced_accuracy"
    )
    lines = table.splitlines()
    assert lines[0] == "| component | redundant | unique_m0 | unique_m1 | synergy |"
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| all", "| m0", "| m1"]


def test_records_that_do_not_fit_are_refused():
    runs = make_runs({"a": [0.5], "b": [0.4]}, data="one", component="all")
    with pytest.raises(ValueError, match="There are no records"):
        summarize([])
    with pytest.raises(ValueError, match="No record has the field 'r2'; they have"):
        summarize(runs, scores="r2")
    with pytest.raises(ValueError, match="No record has the field 'labels'"):
        format_table(runs, columns="labels")
    with pytest.raises(ValueError, match="No record has the field 'seeds'"):
        compare(runs, "a", score="accuracy", by=["seeds"])
    with pytest.raises(ValueError, match=r"'reference' .* among \['a', 'b'\]. Got 'c'"):
        compare(runs, "c", score="accuracy")
    with pytest.raises(ValueError, match="is in the records twice"):
        compare([*runs, runs[0]], "a", score="accuracy")
    with pytest.raises(ValueError, match="is in the records twice"):
        format_table([*runs, runs[0]], columns=None)
    other = make_runs({"a": [0.5]}, data="two", component="all")
    with pytest.raises(ValueError, match=r"average .* 'data': \['one', 'two'\]"):
        format_table([*runs, *other], columns=None)
