"""Scripts that measure: their command lines, and small runs on tiny data."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import benchmark_interactions
import benchmark_missing
import compare_methods
import experiment
import joblib
import numpy as np
import pytest
import reproduce_multibench
import reproduce_trifeatures
from helpers import (
    make_affect_file,
    make_mimic_file,
    read_state,
)
from skorch.helper import SliceDict

SCRIPTS = [compare_methods, reproduce_multibench, reproduce_trifeatures]

TINY_RUN = ["--epochs", "1", "--seeds", "0", "--jobs", "1"]


# Command line


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--seeds", "1", "0", "1"], r"--seeds: must be distinct. Got \[1, 0, 1\]"),
        (["--methods", "CoMM", "CoMM"], r"--methods: must be distinct"),
        (["--methods", "CLIP"], r"--methods: invalid choice: 'CLIP'"),
        (
            ["--seeds", "1.5"],
            r"--seeds: must be an int in the range \[0, inf\). Got '1.5'",
        ),
        (["--epochs", "0"], r"--epochs: must be an int in the range \[1, inf\)"),
        (["--jobs", "9999"], r"--jobs: must be an int in the range \[1, \d+\]"),
    ],
)
def test_errors_of_the_command_line(script, arguments, message, capsys, tmp_path):
    out = tmp_path / "results"
    with pytest.raises(SystemExit):
        script.main([*arguments, "--out", str(out)])
    assert re.search(message, capsys.readouterr().err)
    assert not out.exists()


def test_unknown_data_and_missing_files(capsys, tmp_path):
    out = ["--out", str(tmp_path / "results")]
    for arguments, message in [
        (["--data", "cifar"], "--data: invalid choice: 'cifar'"),
        (["--data", "emoji", "emoji"], "--data: must be distinct"),
        (["--data", "mfeat-3"], "--mfeat: give the path of mfeat_digits.npz"),
        (["--watch", "no.npz"], "--watch: found no 'no.npz'. Obtain watch.npz"),
    ]:
        with pytest.raises(SystemExit):
            compare_methods.main([*arguments, *out])
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit):
        reproduce_multibench.main(out)
    assert "give the file of one data set" in capsys.readouterr().err
    with pytest.raises(FileNotFoundError, match=r"Obtain 'mosi_data\.pkl'"):
        reproduce_multibench.main(["--mosi", str(tmp_path / "no.pkl"), *out])
    assert not (tmp_path / "results").exists()


# Scripts


def check_report(folder, figures):
    """Return table and CSV; every figure is there."""
    found = {path.stem for path in folder.glob("*.png")}
    assert found == set(figures)
    return (folder / "table.md").read_text(), read_csv(folder / "results.csv")


def test_trifeatures(tmp_path):
    methods = ["--methods", "COrAL", "Cross"]
    size = ["--image-size", "16", "--pairs", "60"]
    arguments = [*TINY_RUN, *methods, *size, "--out", str(tmp_path)]
    reproduce_trifeatures.main(arguments)
    before = read_state(tmp_path)
    assert len(before) == 4
    table, records = check_report(tmp_path, ["rus"])
    assert "| balanced_accuracy, R |" in table
    assert {r["label"] for r in records} == {"share", "unique1", "unique2", "synergy"}
    reproduce_trifeatures.main(arguments)
    assert read_state(tmp_path) == before
    with pytest.raises(ValueError, match="'pairs' is 60 there and 61 here"):
        reproduce_trifeatures.main([*arguments, "--pairs", "61"])


def test_a_script_runs_two_jobs_in_processes_of_their_own(tmp_path):
    if joblib.cpu_count() < 2:
        pytest.skip("one core")
    script = Path(reproduce_trifeatures.__file__)
    arguments = "--jobs 2 --methods Cross --seeds 0 --epochs 1 --image-size 16"
    command = [sys.executable, script, *arguments.split(), "--pairs", "60"]
    done = subprocess.run(
        [*command, "--out", tmp_path],
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert len(experiment.list_cells(tmp_path)) == 2
    assert "100%" in done.stderr  # progress
    check_report(tmp_path, ["rus"])


def test_kinds_are_means_of_their_labels():
    scores = {"share": 0.5, "unique1": 0.25, "unique2": 0.75, "synergy": 1.0}
    records = [
        {
            "method": "CoMM",
            "seed": s,
            "label": label,
            "balanced_accuracy": x,
            **accuracy,
        }
        for s in (0, 1)
        for label, x in scores.items()
        for accuracy in [{"accuracy": x / 2}]
    ]
    kinds = reproduce_trifeatures.join_kinds(records)
    found = [(k["label"], k["seed"], k["balanced_accuracy"]) for k in kinds]
    expected = [("R", 0.5), ("U", 0.5), ("S", 1.0)]
    assert found == [(label, s, x) for label, x in expected for s in (0, 1)]
    assert [k["accuracy"] for k in kinds] == [0.25] * 4 + [0.5] * 2


def test_trifeatures_are_probed_on_unbiased_rows(monkeypatch):
    calls = []
    monkeypatch.setattr(
        reproduce_trifeatures, "evaluate", lambda *a, **k: calls.append((a, k))
    )
    settings = {"scale": "laptop", "image_size": 16, "pairs": 300, "epochs": 1}
    for biased in (False, True):
        cell = {"method": "COrAL", "seed": 0, "biased": biased}
        reproduce_trifeatures.measure(cell, **settings)
    ((_, X, y), unbiased), ((_, X_probe, y_probe), biased) = calls
    assert unbiased["X_fit"] is None
    assert list(y) == ["share", "unique1", "unique2"] and list(y_probe) == ["synergy"]
    assert 0 < y_probe["synergy"].mean() < 0.5  # unbiased
    assert not np.array_equal(biased["X_fit"]["image1"], X["image1"])
    for name in ("image1", "image2"):
        assert np.array_equal(X_probe[name], X[name])
        assert np.array_equal(biased["X_test"][name], unbiased["X_test"][name])


def test_multibench(tmp_path, monkeypatch):
    mosi, _ = make_affect_file(tmp_path / "mosi_data.pkl")
    mimic, _ = make_mimic_file(tmp_path / "im.pk")
    published = experiment.make_published

    def shrink(name, dataset, **parameters):
        series = ("vision", "text") if dataset == "mosi" else ()
        parameters |= {"embed_dim": 40}
        layers = {f"{name}__n_layers": 1 for name in series}
        return published(name, dataset, **parameters).set_params(**layers)

    monkeypatch.setattr(reproduce_multibench, "make_published", shrink)
    out = tmp_path / "results"
    arguments = [*TINY_RUN, "--mosi", str(mosi), "--out", str(out)]
    arguments += ["--methods", "COrAL-v1", "Cross"]
    reproduce_multibench.main(arguments)
    reproduce_multibench.main([*arguments, "--mimic", str(mimic)])
    assert len(experiment.list_cells(out)) == 4
    table, records = check_report(out, ["accuracy"])
    assert "| balanced_accuracy, mosi | balanced_accuracy, mimic |" in table
    # Probes see training and validation rows, test rows are apart.
    assert {r["n_train"] for r in records if r["method"] == "Cross"} == {"30", "39"}


def make_digits(path):
    """Write a small file of the format of mfeat_digits.npz, without information."""
    rng = np.random.default_rng(0)
    views = {"fou": 76, "kar": 64, "zer": 47}
    blocks = {name: rng.normal(size=(200, width)) for name, width in views.items()}
    np.savez(path, y=np.arange(200) % 4, **blocks)
    return path


def read_csv(path):
    """Return the lines of a CSV file."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_comparison(tmp_path):
    mfeat = make_digits(tmp_path / "mfeat_digits.npz")
    out = tmp_path / "results"
    features = ["raw", "PCA", "CCA", "views"]
    arguments = [*TINY_RUN, "--methods", "COrAL", "SimCLR", *features]
    arguments += ["--data", "interactions", "mfeat-3", "--mfeat", str(mfeat)]
    arguments += ["--rows", "150"]
    arguments += ["--unlabelled", "130", "500", "all"]
    compare_methods.main([*arguments, "--out", str(out)])
    # Raw and PCA of interactions; 500 rows to learn from are more than there are.
    assert len(experiment.list_cells(out)) == 4 * 2 + 2 * 6
    names = ["interactions", "mfeat-3", "mfeat-3, 130 unlabelled"]
    table, records = check_report(out, names)
    assert "redundant" in table and "synergy" in table
    assert "All sets, 20 labels\n\n| method | mfeat-3 |" in table
    found = {r["method"] for r in records if r["data"] == "mfeat-3"}
    alone = {"only fou", "only kar", "only zer"}
    joined = {"raw + COrAL", "raw, boosted", "raw + COrAL, boosted"}
    plain = {"raw", "PCA", "CCA"}
    assert found == {"majority", "COrAL", "SimCLR"} | plain | alone | joined
    few = [r for r in records if r["method"] == "COrAL" and r["n_labels"] == "5"]
    assert [r["draw"] for r in few] == list("01234") * 2
    seeds = {r["method"]: r["seed"] for r in records if r["data"] == "mfeat-3"}
    assert seeds["raw"] == "" and seeds["COrAL"] == seeds["raw + COrAL"] == "0"
    # Every method is scored against COrAL, run by run.
    differences = read_csv(out / "differences.csv")
    assert {d["reference"] for d in differences} == {"COrAL"}
    assert {d["method"] for d in differences} >= {"majority"} | plain | alone
    gains = (out / "gains.md").read_text()
    assert "| mfeat-3, 130 unlabelled |" in gains and "| mean |" in gains
    content = json.loads(experiment.list_cells(out)[0].read_text())
    assert content["seconds"] > 0


def make_runs(data, n_labels, scores):
    """Return records of two draws of labels that are 0.2 apart."""
    return [
        {"data": data, "n_labels": n_labels, "method": method, "seed": s, "draw": d}
        | {"balanced_accuracy": score + 0.1 * d}
        for method, runs in scores.items()
        for s, score in enumerate(runs)
        for d in (-1, 1)
    ]


def test_gains_are_over_the_best_rival():
    scores = {"COrAL": [0.5, 0.7], "SimCLR": [0.2, 0.9], "raw": [0.54], "CoMM": [1.0]}
    found = compare_methods.find_gains(make_runs("a", 5, scores), "a", 5)
    # Draws are averaged, seeds of COrAL deviate by 10 points; CoMM is no rival.
    assert np.allclose(found, [6.0, 5.0, 10.0])
    scores["PCA"] = [0.58]
    found = compare_methods.find_gains(make_runs("a", 5, scores), "a", 5)
    assert np.allclose(found, [2.0, 2.0, 10.0])
    assert compare_methods.find_gains(make_runs("a", 5, scores), "a", 20) is None
    del scores["SimCLR"]
    assert compare_methods.find_gains(make_runs("a", 5, scores), "a", 5) is None


def test_methods_are_in_order():
    ordered = ["majority", "PCA", "COrAL", "GMC", "raw + COrAL", "raw, boosted"]
    records = [{"method": name, "data": "emoji"} for name in ordered]
    shuffled = [records[place] for place in (4, 3, 0, 5, 2, 1)]
    found = [record["method"] for record in compare_methods.sort_records(shuffled)]
    # Joins keep their order, as plain features do.
    assert found == ordered


def test_data_sets_are_in_order():
    names = ["mfeat-3", "emoji, 300 unlabelled", "mfeat-3, 1000 unlabelled"]
    names += ["mfeat-3, 300 unlabelled", "interactions"]
    ordered = sorted(({"data": name} for name in names), key=compare_methods.rank_data)
    expected = [names[place] for place in (4, 3, 2, 0, 1)]
    assert [record["data"] for record in ordered] == expected


def test_gains_have_mean_and_least_over_data():
    raw = {"a": 0.3, "b": 0.45}
    records = [
        record
        for data, score in raw.items()
        for n_labels in (1, 5, 20)
        for record in make_runs(
            data, n_labels, {"COrAL": [0.5], "SimCLR": [0.4], "raw": [score]}
        )
    ]
    lines = compare_methods.format_gains(records).splitlines()[2:]
    assert [line.split("|")[1:3] for line in lines] == [
        [" a ", " +20.0 / +10.0 "],
        [" b ", " +5.0 / +5.0 "],
        [" mean ", " +12.5 / +7.5 "],
        [" least ", " +5.0 / +5.0 "],
    ]


def test_interactions_and_missing_modalities(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark_interactions, "N_ROWS", 150)
    out = ["--out", str(tmp_path / "interactions")]
    benchmark_interactions.main([*TINY_RUN, *out])
    table = (tmp_path / "interactions" / "table.md").read_text()
    assert "| COrAL | shared |" in table and "unique_m1" in table
    mfeat = make_digits(tmp_path / "mfeat_digits.npz")
    out = tmp_path / "missing"
    arguments = [*TINY_RUN, "--mfeat", str(mfeat), "--out", str(out)]
    benchmark_missing.main(arguments)
    records = read_csv(out / "results.csv")
    cases = {r["label"] for r in records if r["method"] == "fou"}
    assert cases == {"complete", "without kar", "without zer"}
    assert {r["label"] for r in records} == cases | {"without fou", "30 % missing"}
    methods = dict.fromkeys(record["method"] for record in records)
    assert tuple(methods) == benchmark_missing.FEATURES


def test_holes_leave_each_row_a_modality():
    rng = np.random.default_rng(0)
    blocks = {name: rng.normal(size=(4000, 2)) for name in benchmark_missing.NAMES}
    X = benchmark_missing.make_holes(SliceDict(**blocks), 0.3, 0)
    gone = np.array([np.isnan(X[name]).all(axis=1) for name in X])
    assert not gone.all(axis=0).any()
    # 0.3 less the ninth of all-gone rows that got one back: 0.291, deviation 0.007.
    assert np.allclose(gone.mean(axis=1), 0.291, atol=0.03)
