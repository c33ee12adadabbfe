"""The protocol: nothing leaks, draws are shared, scores are those of direct fits."""

import json
from functools import partial

import numpy as np
import pytest
import torch
from cca_zoo.linear import MCCA
from helpers import FEW, GRID, TINY, evaluate_known, make_classes
from numpy.testing import assert_array_equal
from scipy import sparse
from scipy.stats import pearsonr
from sklearn import set_config
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.cross_decomposition import CCA, PLSCanonical
from sklearn.datasets import make_regression
from sklearn.decomposition import PCA
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
    PredefinedSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skcoral import COrALTransformer
from skcoral.datasets import make_multimodal_interactions
from skcoral.evaluation import (
    JoinBlocks,
    LinearProbe,
    MultiviewAdapter,
    RidgeProbe,
    draw_labels,
    evaluate,
    format_table,
)

# Draws


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
    records = evaluate_known(
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
            evaluate_known(known, {"raw": JoinBlocks()}, probe=Listing(), y_test=y_test)
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
    evaluate_known(known, fitted, probe=Listing())
    evaluate_known(
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

    assert len(evaluate_known(known, {"curious": Curious()})) == 2


def test_scores_are_those_of_a_direct_fit(known):
    (baseline, record) = evaluate_known(known, {"raw": JoinBlocks()}, n_labels="all")
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
    records = evaluate_known(
        known, {"raw": JoinBlocks()}, n_labels=5, n_draws=2, baseline=False
    )
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
    (record,) = evaluate_known(
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
    records = evaluate_known(
        known, transformers, n_labels=[1, "all"], n_draws=2, seeds=[0, 1]
    )
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
    records = evaluate_known(
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
    records = evaluate_known(
        known, {"raw": JoinBlocks()}, label="unique_m0", components=True, probe=FEW
    )
    scores = {r["component"]: r["balanced_accuracy"] for r in records[1:]}
    assert scores["m0"] > 0.8
    assert abs(scores["m1"] - 0.5) < 3 * 0.5 / np.sqrt(800)


def test_transformers_may_be_fitted_on_other_rows(known):
    other = make_multimodal_interactions(90, n_features=18, random_state=5).data
    pca = make_pipeline(JoinBlocks(), PCA(3, random_state=0))
    Listing.said.clear()
    evaluate_known(known, {"PCA": pca}, X_fit=other, probe=Listing())
    evaluate_known(known, {"PCA": FrozenEstimator(pca.fit(other))}, probe=Listing())
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

    records = evaluate_known(
        known, {"a": make_pipeline(Seeds(1))}, seeds=(7, 9), probe=FEW
    )
    assert Seeds.seen == [7, 9]
    assert [r["seed"] for r in records[1:]] == [7, 9]


def test_plain_cross_validated_regression_is_a_probe(known):
    probe = LogisticRegressionCV(
        Cs=5, scoring="balanced_accuracy", l1_ratios=(0,), use_legacy_attributes=False
    )
    (record,) = evaluate_known(
        known, {"raw": JoinBlocks()}, probe=probe, baseline=False
    )
    train, test = (np.hstack(list(bunch.data.values())) for bunch in known)
    y, y_test = (bunch.target["redundant"] for bunch in known)
    model = make_pipeline(StandardScaler(), probe).fit(train, y)
    assert record["accuracy"] == accuracy_score(y_test, model.predict(test))
    val = {"X_val": known[1].data, "y_val": y_test}
    assert (
        evaluate_known(known, {"raw": JoinBlocks()}, probe=probe, **val)[1]["n_train"]
        == 270
    )


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
    records = evaluate_known(known, {"raw": JoinBlocks()}, probe=Ridge(), n_labels=[6])
    assert records[1]["n_train"] == 6
    assert "mse" in records[1]


def test_sparse_features_are_scaled_without_centring():
    X, y = make_classes()
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
        evaluate_known(known, transformers, n_jobs=n, **options) for n in (1, None, 2)
    )
    assert one == again == two


def test_coral_runs_repeat_and_the_global_generators_stay_untouched(known):
    np.random.seed(0)
    torch.manual_seed(0)
    before = np.random.get_state()[1].copy(), torch.get_rng_state().clone()
    one, two = (
        evaluate_known(known, {"COrAL": COrALTransformer(**TINY)}) for _ in range(2)
    )
    assert one == two
    assert_array_equal(np.random.get_state()[1], before[0])
    assert torch.equal(torch.get_rng_state(), before[1])


@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_output_of_data_frames_changes_nothing(known, output):
    pytest.importorskip(output)
    transformers = {
        "PCA": make_pipeline(JoinBlocks(), PCA(3, random_state=0)),
        "CCA": MultiviewAdapter(CCA(2), preprocessor=PCA(5)),
    }
    plain = evaluate_known(known, transformers)
    set_config(transform_output=output)
    try:
        assert evaluate_known(known, transformers) == plain
    finally:
        set_config(transform_output="default")
