"""Methods compared run by run, by hand."""

import numpy as np
import pytest
from helpers import make_runs
from scipy.stats import ttest_1samp, ttest_rel

from skcoral.evaluation import (
    compare,
    format_table,
)


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
