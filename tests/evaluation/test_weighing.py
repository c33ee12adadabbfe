"""Weighing of components in the protocol."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcoral import ComponentScaler
from skcoral.datasets import make_multimodal_interactions
from skcoral.evaluation import JoinBlocks, draw_labels, evaluate


def run(transformers, label, **options):
    train, test = (make_multimodal_interactions(300, random_state=s) for s in (0, 1))
    y, y_test = train.target[label], test.target[label]
    return evaluate(
        transformers,
        train.data,
        y,
        X_test=test.data,
        y_test=y_test,
        n_labels=5,
        n_draws=3,
        baseline=False,
        **options,
    )


def test_weighed_scores_are_those_of_a_direct_fit():
    train, test = (make_multimodal_interactions(300, random_state=s) for s in (0, 1))
    y, y_test = train.target["unique_m0"], test.target["unique_m0"]
    join = JoinBlocks().fit(train.data)
    scaler = StandardScaler().fit(join.transform(train.data))
    X, X_test = (scaler.transform(join.transform(d)) for d in (train.data, test.data))
    for record in run({"raw": JoinBlocks()}, "unique_m0", weigh=True):
        rows = draw_labels(y, 5, record["draw"])
        weigh = ComponentScaler(join.output_indices_, target="classes")
        probe = make_pipeline(weigh, LogisticRegression(max_iter=2000))
        predicted = probe.fit(X[rows], y[rows]).predict(X_test)
        expected = balanced_accuracy_score(y_test, predicted)
        assert record["balanced_accuracy"] == pytest.approx(expected)


def test_only_the_whole_output_of_several_components_is_weighed():
    methods = {"raw": JoinBlocks(), "PCA": make_pipeline(JoinBlocks(), PCA(8))}
    options = {"components": True, "seeds": [0]}
    plain = run(methods, "unique_m0", **options)
    weighed = run(methods, "unique_m0", weigh=True, **options)
    for before, after in zip(plain, weighed, strict=True):
        changed = before["balanced_accuracy"] != after["balanced_accuracy"]
        may_change = before["method"] == "raw" and before["component"] == "all"
        assert may_change or not changed
    assert plain != weighed


def test_numbers_are_weighed_as_numbers():
    train, test = (make_multimodal_interactions(300, random_state=s) for s in (0, 1))
    direction = np.random.default_rng(0).normal(size=32)
    y, y_test = (made.data["m0"] @ direction for made in (train, test))
    options = {"X_test": test.data, "y_test": y_test, "n_labels": 40, "baseline": False}
    scores = [
        np.mean(
            [
                record["r2"]
                for record in evaluate(
                    {"raw": JoinBlocks()}, train.data, y, weigh=weigh, **options
                )
            ]
        )
        for weigh in (False, True)
    ]
    assert scores[1] > scores[0]
