"""Records: means, deviations, the way to pandas and back, what does not fit."""

import pytest
from helpers import evaluate_known, make_runs

from skcoral.evaluation import (
    JoinBlocks,
    compare,
    format_table,
    summarize,
)

# Protocol


def test_records_go_into_pandas_and_come_back(known):
    pd = pytest.importorskip("pandas")
    records = evaluate_known(known, {"raw": JoinBlocks()}, n_labels=5)
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


# Records


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
