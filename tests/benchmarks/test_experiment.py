"""Reproductions: cells on disk, their configuration, and the scripts on tiny data."""

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
from helpers import make_affect_file, make_mimic_file, measure, measure_threads
from skorch.helper import SliceDict

from skcoral.published import published_settings

CELLS = [{"method": "raw", "seed": seed} for seed in range(4)]
SCRIPTS = [compare_methods, reproduce_multibench, reproduce_trifeatures]
TINY_RUN = ["--epochs", "1", "--seeds", "0", "--jobs", "1"]


def fail_at_two(cell):
    """Be killed in the third cell."""
    if cell["seed"] == 2:
        raise RuntimeError("killed")
    return measure(cell)


@pytest.fixture
def folder(tmp_path):
    experiment.open_folder(tmp_path / "results", experiment="test", image_size=48)
    return tmp_path / "results"


def read_state(folder):
    """Return content and time of each finished cell."""
    files = experiment.list_cells(folder)
    return {file.name: (file.read_text(), file.stat().st_mtime_ns) for file in files}


# Cells


def test_finished_cells_survive_an_error_and_are_skipped(folder):
    with pytest.raises(RuntimeError, match="killed") as caught:
        experiment.run_cells(folder, CELLS, fail_at_two)
    assert caught.value.__notes__ == ["In the cell {'method': 'raw', 'seed': 2}."]
    before = read_state(folder)
    assert list(before) == ["method=raw,seed=0.json", "method=raw,seed=1.json"]
    called = []

    def count(cell):
        called.append(cell)
        return measure(cell)

    experiment.run_cells(folder, CELLS, count)
    assert called == CELLS[2:]
    after = read_state(folder)
    assert len(after) == 4
    assert {name: after[name] for name in before} == before
    experiment.run_cells(folder, CELLS, fail_at_two)  # nothing is left to fail
    assert read_state(folder) == after


def test_two_jobs_give_the_records_of_one(tmp_path):
    if joblib.cpu_count() < 2:
        pytest.skip("one core")
    records = []
    for n_jobs in (1, 2):
        folder = tmp_path / str(n_jobs)
        experiment.open_folder(folder)
        experiment.run_cells(folder, CELLS, measure, n_jobs)
        records.append(experiment.read_records(folder))
    assert records[0] == records[1]
    assert len(records[0]) == 1 + len(CELLS)  # the guess of all cells is there once


def test_jobs_share_the_cores(folder):
    if joblib.cpu_count() < 2:
        pytest.skip("one core")
    experiment.run_cells(folder, CELLS, measure_threads, n_jobs=2)
    records = experiment.read_records(folder)
    assert {record["threads"] for record in records} == {joblib.cpu_count() // 2}
    assert os.getpid() not in {record["process"] for record in records}


def test_a_file_is_written_as_a_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "cell.json"
    experiment.write(path, "old")

    def fail(*args):
        raise OSError("disk is full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk is full"):
        experiment.write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_temporary_file_is_no_cell(folder):
    (folder / "cells" / "method=raw,seed=0.json.17.tmp").write_text('{"rec')
    assert experiment.list_cells(folder) == []
    experiment.run_cells(folder, CELLS[:1], measure)
    assert len(experiment.read_records(folder)) == 2


# Configuration


def test_a_folder_of_another_configuration_is_refused(folder):
    experiment.run_cells(folder, CELLS, measure)
    before = read_state(folder)
    experiment.open_folder(folder, experiment="test", image_size=48)
    message = (
        r"another configuration: 'image_size' is 48 there and 32 here; 'epochs' is "
        r"None there and 3 here\. Choose another folder"
    )
    with pytest.raises(ValueError, match=message):
        experiment.open_folder(folder, experiment="test", image_size=32, epochs=3)
    with pytest.raises(ValueError, match="'image_size' is 48 there and None here"):
        experiment.open_folder(folder, experiment="test")
    assert read_state(folder) == before


def test_a_version_of_the_package_is_configuration(folder, monkeypatch):
    monkeypatch.setattr("skcoral.__version__", "99")
    with pytest.raises(ValueError, match=r"'skcoral' is '.*' there and '99' here"):
        experiment.open_folder(folder, experiment="test", image_size=48)


def test_files_may_be_added_but_not_changed(tmp_path):
    files = {name: tmp_path / name for name in "ab"}
    for path in files.values():
        path.write_text("old")
    folder = tmp_path / "results"
    experiment.open_folder(folder, {"a": files["a"]})
    experiment.open_folder(folder, {"b": files["b"]})
    experiment.open_folder(folder, files)
    files["a"].write_text("new")
    with pytest.raises(ValueError, match=r"'file of a' is '.*' there and '.*' here"):
        experiment.open_folder(folder, files)


def test_results_without_a_configuration_are_refused(folder):
    experiment.run_cells(folder, CELLS, measure)
    (folder / "configuration.json").unlink()
    with pytest.raises(ValueError, match=r"has results and no configuration\.json"):
        experiment.open_folder(folder)


# Methods


@pytest.mark.parametrize("name", experiment.METHODS)
@pytest.mark.parametrize("dataset", ["trifeatures", "mosei"])
def test_published_methods_have_the_settings_of_their_experiment(name, dataset):
    own = experiment.make_published(name, dataset, max_epochs=3).get_params(deep=False)
    assert own["max_epochs"] == 3
    published = published_settings("coral", dataset)
    assert [m[0] for m in own["modalities"]] == [m[0] for m in published["modalities"]]
    if name != "COrAL":
        assert (own["embed_dim"], own["batch_size"]) == (published["embed_dim"], 64)
    if name == "CoMM":
        assert own["lr"] == published_settings("comm", dataset)["lr"]
    if name == "DisentangledSSL":
        assert own["temperature"] == 0.07


def test_the_published_probe_stops_after_a_hundred_iterations(monkeypatch):
    calls = []
    monkeypatch.setattr(experiment, "evaluate", lambda *a, **k: calls.append(k))
    experiment.evaluate_published({}, data="mosi")
    (keywords,) = calls
    assert keywords["probe"].max_iter == 100
    assert (keywords["standardize"], keywords["data"]) == (False, "mosi")


def test_variants_of_coral_differ():
    made = {
        name: experiment.make_method(name, "auto").get_params(deep=False)
        for name in experiment.METHODS
        if name.startswith("COrAL")
    }
    assert made["COrAL-v1"]["orthogonality"] == "hinge"
    assert made["COrAL-2026-07"]["ortho_weight"] == 10.0
    assert made["COrAL"]["ortho_weight"] == 1.0


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
