"""The comparison of predictors, on small generated files of the same formats."""

import csv

import compare_predictors
import numpy as np
import pandas as pd
import pytest
from helpers import read_state

RUN = ["--epochs", "1", "--seeds", "0", "--jobs", "1", "--unlabelled", "60"]


def make_files(folder):
    """Write courses and artworks, and return the options that name them."""
    rng = np.random.default_rng(0)
    subject = rng.choice(["MATH", "ART"], size=90)
    words = {"MATH": ["Algebra", "Numbers", "Sets"], "ART": ["Drawing", "Film", "Clay"]}
    # As many words as the decomposition of raw features has columns, and more.
    title = [
        f"{rng.choice(words[kind])} {' '.join(f'w{4 * i + j}' for j in range(4))}"
        for i, kind in enumerate(subject)
    ]
    number = rng.integers(1, 300, size=90)
    courses = pd.DataFrame({"subject": subject, "title": title, "number": number})
    artist = rng.choice(["A", "B", "C"], size=90)
    year = 1900 + 10 * (artist == "A") + rng.integers(0, 9, size=90)
    artworks = pd.DataFrame({"artist": artist, "title": title, "medium": title})
    artworks["year"], artworks["period"] = year, year // 10
    options = []
    for name, frame in {"courses": courses, "artworks": artworks}.items():
        path = folder / f"{name}.csv.gz"
        frame.to_csv(path, index=False)
        options += [f"--{name}", str(path)]
    return options


def read_records(folder):
    with open(folder / "results.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_predictors_are_compared_and_done_cells_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(compare_predictors, "LABELS", (1, "all"))
    monkeypatch.setattr(compare_predictors, "NUMBER_LABELS", ("all",))
    out = tmp_path / "out"
    sets = ["--data", "courses", "artworks-year"]
    arguments = [*RUN, *make_files(tmp_path), *sets, "--out", str(out)]
    compare_predictors.main(arguments)
    records = read_records(out)
    methods = {r["method"] for r in records}
    assert {"raw, linear", "COrAL, weighed, linear", "COrAL predictor"} <= methods
    found = {r["n_labels"] for r in records if r["data"] == "courses"}
    assert found == {"1", "all"}
    trees = [r for r in records if r["method"] == "raw, boosted trees"]
    assert {r["n_labels"] for r in trees if r["data"] == "courses"} == {"all"}
    numbers = [r for r in records if r["data"] == "artworks-year"]
    assert all(r["r2"] and not r["accuracy"] for r in numbers)
    table = (out / "table.md").read_text()
    assert "courses, log_loss" in table and "artworks-year, r2" in table
    before = read_state(out)
    compare_predictors.main(arguments)
    assert read_state(out) == before


def test_a_file_that_is_not_given_is_asked_for(tmp_path, capsys):
    with pytest.raises(SystemExit):
        compare_predictors.main([*RUN, "--data", "cells", "--out", str(tmp_path)])
    assert "--cells: give the path of cells.csv.gz" in capsys.readouterr().err


def test_the_calibration_error_is_the_gap_of_confidence_and_accuracy():
    right = np.repeat([True, False], [60, 40])
    find = compare_predictors.find_calibration_error
    assert find(np.full(100, 0.6), right) == pytest.approx(0)
    assert find(np.full(100, 0.95), right) == pytest.approx(0.35)
    assert find(np.ones(100), right) == pytest.approx(0.4)
