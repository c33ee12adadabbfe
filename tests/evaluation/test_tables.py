"""Tables of records by hand."""

import numpy as np
from helpers import FEW, evaluate_known, make_runs

from skcoral.evaluation import (
    JoinBlocks,
    format_table,
)


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
    records = evaluate_known(
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
