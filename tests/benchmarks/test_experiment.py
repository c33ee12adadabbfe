"""Experiments: cells on disk, their configuration, and the methods they compare."""

import os

import experiment
import joblib
import pytest
from helpers import measure, measure_threads, read_state

from skcoral.published import published_settings

CELLS = [{"method": "raw", "seed": seed} for seed in range(4)]


def fail_at_two(cell):
    """Be killed in the third cell."""
    if cell["seed"] == 2:
        raise RuntimeError("killed")
    return measure(cell)


@pytest.fixture
def folder(tmp_path):
    experiment.open_folder(tmp_path / "results", experiment="test", image_size=48)
    return tmp_path / "results"


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
