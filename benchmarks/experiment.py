"""Shared by the reproductions: methods by name, cells of an experiment kept on disk.

A cell is one training and its probes. Its records are written to a file of their own
when it is done, by a temporary file that replaces it, and it is skipped next time: a
killed run loses at most the cells in flight. Cells in ``FOLDER/cells``, and beside
them ``configuration.json``, ``results.csv``, ``differences.csv`` (each method less
COrAL, paired), ``table.md`` and figures.
"""

import argparse
import csv
import hashlib
import io
import json
import os
import re
import time
import warnings
from functools import partial
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np
from joblib import Parallel, delayed, parallel_config
from matplotlib.ticker import MaxNLocator
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

import skcoral
from skcoral import (
    CoMMTransformer,
    COrALTransformer,
    CrossSelfTransformer,
    CrossTransformer,
    DisentangledSSLTransformer,
    FactorCLTransformer,
    GMCTransformer,
    IndiSeekTransformer,
    InfMaskingTransformer,
    RePercENTTransformer,
    SimCLRTransformer,
)
from skcoral.datasets import make_multimodal_interactions
from skcoral.evaluation import LinearProbe, compare, evaluate, format_table
from skcoral.published import METHODS as PUBLISHED
from skcoral.published import published_settings

# %%
# Methods
# -------

METHODS = {
    "COrAL": COrALTransformer,
    "COrAL-v1": COrALTransformer,
    "COrAL-2026-07": COrALTransformer,
    "Cross": CrossTransformer,
    "CrossSelf": CrossSelfTransformer,
    "SimCLR": SimCLRTransformer,
    "FactorCL": FactorCLTransformer,
    "CoMM": CoMMTransformer,
    "InfMasking": InfMaskingTransformer,
    "DisentangledSSL": DisentangledSSLTransformer,
    "GMC": GMCTransformer,
    "IndiSeek": IndiSeekTransformer,
    "RePercENT": RePercENTTransformer,
}
REFERENCE = "COrAL"
# Judge of labels one of which is rare, such as the synergy of vectors.
RARE_PROBE = LogisticRegression(max_iter=2000, class_weight="balanced")
MIN_SPAN = 0.2  # of the axis of scores in figures
# Variants of COrAL differ in these parameters.
OF_VARIANT = ("orthogonality", "ortho_weight", "mask_ratio", "linear_path")


def find_variant(name):
    """Return the published variant of COrAL that a name stands for, or None."""
    return name.removeprefix("COrAL-") if name.startswith("COrAL-") else None


def make_method(name, modalities, dataset="mosi", **parameters):
    """Return a method with its defaults, and those of a variant for a data set."""
    variant = find_variant(name)
    if variant is not None:
        published = published_settings("coral", dataset, variant)
        parameters |= {key: published[key] for key in OF_VARIANT}
    return METHODS[name](modalities, **parameters)


def make_published(name, dataset, **parameters):
    """Return a method with the parameters of its published experiment.

    "COrAL" has the published modalities, and this package's defaults otherwise. Methods
    without published settings for the data set have those of CoMM, which was published
    with some of them as baselines, but their own temperature.
    """
    variant, key = find_variant(name), name.lower()
    if name == REFERENCE:
        modalities = published_settings("coral", dataset)["modalities"]
        return make_method(name, modalities, **parameters)
    if variant is not None:
        published = published_settings("coral", dataset, variant)
    elif dataset in PUBLISHED.get(key, {}):
        published = published_settings(key, dataset)
    else:
        known = set(METHODS[name]().get_params(deep=False)) - {"temperature"}
        published = published_settings("comm", dataset)
        published = {key: published[key] for key in published if key in known}
    return METHODS[name](**(published | parameters))


def evaluate_published(*args, **keywords):
    """Evaluate by the published probe: no scaling, a hundred iterations of the solver.

    That the solver stops there is published, and no reason to warn.
    """
    probe = LinearProbe(max_iter=100)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return evaluate(*args, probe=probe, standardize=False, **keywords)


def make_interactions(seed, biased, n_rows, **sizes):
    """Return rows to learn from, to fit probes and to test, the last two unbiased."""
    seeds = np.random.SeedSequence([seed, biased]).generate_state(3).tolist()
    make = partial(make_multimodal_interactions, n_rows, **sizes)
    fitted = make(biased=biased, random_state=seeds[0])
    return fitted, *(make(random_state=s) for s in seeds[1:])


# %%
# Command line
# ------------


def make_parser(out, doc):
    """Return a parser of the options that all experiments have."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path(out), help="folder of results")
    parser.add_argument("--seeds", type=whole(0), nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--epochs", type=whole(1), help="instead of the usual ones")
    parser.add_argument(
        "--jobs", type=whole(1), default=1, help="cells at once, which share the cores"
    )
    return parser


def add_methods(parser, *baselines):
    """Add the choice of methods and, beside them, of plain features."""
    known = [*METHODS, *baselines]
    parser.add_argument("--methods", nargs="+", choices=known, default=known)


def whole(low):
    """Return a reader of whole numbers from `low` on."""

    def read(text):
        if not re.fullmatch(r"\d+", text) or int(text) < low:
            raise argparse.ArgumentTypeError(
                f"must be an int in the range [{low}, inf). Got {text!r} instead."
            )
        return int(text)

    return read


def parse(parser, arguments=None):
    """Read the command line; nothing may be asked for twice."""
    options = parser.parse_args(arguments)
    for name in ("seeds", "methods", "data"):
        values = getattr(options, name, None) or []
        if len(set(values)) < len(values):
            parser.error(f"argument --{name}: must be distinct. Got {values} instead.")
    if options.jobs > joblib.cpu_count():
        parser.error(
            f"argument --jobs: must be an int in the range [1, {joblib.cpu_count()}], "
            f"the number of cores. Got {options.jobs} instead."
        )
    return options


# %%
# Cells on disk
# -------------


def open_folder(folder, files=None, **configuration):
    """Make a folder of results, or check that it is one of the same configuration.

    `files` maps data sets to the files they are read from: none of them may have
    changed, but further data sets may be added.
    """
    here = {"skcoral": skcoral.__version__, **configuration}
    here |= {f"file of {name}": digest(file) for name, file in (files or {}).items()}
    (folder / "cells").mkdir(parents=True, exist_ok=True)
    path = folder / "configuration.json"
    if not path.exists() and list_cells(folder):
        raise ValueError(
            f"The folder '{folder}' has results and no configuration.json, so what "
            "they are of is not known. Choose another folder."
        )
    there = json.loads(path.read_text()) if path.exists() else here
    differ = [
        f"{name!r} is {there.get(name)!r} there and {here.get(name)!r} here"
        for name in {**there, **here}
        if not _agree(name, there, here)
    ]
    if differ:
        raise ValueError(
            f"The folder '{folder}' has results of another configuration: "
            f"{'; '.join(differ)}. Choose another folder."
        )
    write(path, json.dumps({**there, **here}, indent=2))


def _agree(name, there, here):
    """Tell whether two configurations agree; a file of one alone is no matter."""
    if name.startswith("file of ") and not (name in there and name in here):
        return True
    return there.get(name) == here.get(name)


def digest(path):
    """Return a fingerprint of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def write(path, text):
    """Write a file as a whole or not at all."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def list_cells(folder):
    """Return the files of finished cells, in order of name."""
    return sorted((folder / "cells").glob("*.json"))


def locate(folder, cell):
    """Return the file of a cell."""
    words = (f"{key}={value}" for key, value in cell.items())
    return folder / "cells" / f"{','.join(words)}.json"


def run_cells(folder, cells, measure, n_jobs=1):
    """Run the cells that have no file yet; `measure` returns the records of one."""
    todo = [cell for cell in cells if not locate(folder, cell).exists()]
    threads = max(1, joblib.cpu_count() // n_jobs)
    with parallel_config("loky", n_jobs=n_jobs, inner_max_num_threads=threads):
        jobs = (delayed(_run_cell)(folder, cell, measure) for cell in todo)
        # One job per worker at a time: an error loses no cell but those in flight.
        done = Parallel(return_as="generator_unordered", pre_dispatch=n_jobs)(jobs)
        n_done = len(cells) - len(todo)
        for _ in tqdm(done, total=len(cells), initial=n_done, unit="cell"):
            pass


def _run_cell(folder, cell, measure):
    """Measure one cell and write its file."""
    start = time.perf_counter()
    try:
        records = measure(cell)
    except Exception as error:
        error.add_note(f"In the cell {cell}.")
        raise
    seconds = time.perf_counter() - start
    content = {"cell": cell, "seconds": round(seconds, 1), "records": records}
    write(locate(folder, cell), json.dumps(content))


def read_records(folder):
    """Return the records of all cells that exist; what cells have in common, once."""
    contents = [json.loads(path.read_text()) for path in list_cells(folder)]
    records = [record for content in contents for record in content["records"]]
    return list({json.dumps(record): record for record in records}.values())


def sort_methods(records):
    """Return records in the order of methods, after the guess and plain features."""
    order = {name: place for place, name in enumerate(METHODS)} | {"majority": -2}
    return sorted(records, key=lambda record: order.get(record["method"], -1))


# %%
# Reports
# -------


def report(folder, records, tables, figures):
    """Write CSV, Markdown tables and figures, and print the tables.

    `differences.csv` has the paired differences of each method and COrAL.

    `tables` are (title, records, keywords of `format_table`), `figures` are (name,
    records, keywords of `plot`).
    """
    write_csv(folder / "results.csv", records)
    differences = [
        {"table": title, **difference}
        for title, chosen, _ in tables
        if REFERENCE in {record["method"] for record in chosen}
        for difference in compare(chosen, REFERENCE)
    ]
    if differences:
        write_csv(folder / "differences.csv", differences)
    text = "\n\n".join(
        f"{title}\n\n{format_table(chosen, **keywords)}"
        for title, chosen, keywords in tables
    )
    write(folder / "table.md", text + "\n")
    for name, chosen, keywords in figures:
        figure = plot(chosen, **keywords)
        figure.savefig(folder / f"{name}.png", dpi=150)
        plt.close(figure)
    seconds = [json.loads(path.read_text())["seconds"] for path in list_cells(folder)]
    print(f"\n{text}\n\n{len(seconds)} cells, {np.mean(seconds) / 60:.1f} minutes each")


def write_csv(path, records):
    """Write records as lines of a CSV file."""
    lines = io.StringIO()
    fields = dict.fromkeys(field for record in records for field in record)
    writer = csv.DictWriter(lines, list(fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    write(path, lines.getvalue())


def plot(records, column, *, title, score="balanced_accuracy", names=None):
    """Draw a panel per value of a field: runs as dots, their mean as a line."""
    values = list(dict.fromkeys(record[column] for record in records))
    known = dict.fromkeys(record["method"] for record in records)
    methods = [name for name in known if name != "majority"]
    height = 1.3 + 0.3 * len(methods)
    figure, axes = plt.subplots(
        1,
        len(values),
        figsize=(1.6 + 2.3 * len(values), height),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for ax, value in zip(axes[0], values, strict=True):
        _draw_panel(ax, [r for r in records if r[column] == value], methods, score)
        ax.set_title((names or {}).get(value, value), fontsize=10)
    axes[0, 0].set_yticks(range(len(methods)), methods)
    axes[0, 0].set_ylim(len(methods) - 0.4, -0.6)
    figure.suptitle(title, fontsize=11)
    figure.supxlabel(f"{score.replace('_', ' ')}; dashed: majority", fontsize=9)
    return figure


def _draw_panel(ax, records, methods, score):
    for place, method in enumerate(methods):
        scores = [r[score] for r in records if r["method"] == method]
        color = "C3" if method.startswith("COrAL") else "C0"
        color = color if method in METHODS else "0.45"
        ax.plot(scores, [place] * len(scores), "o", color=color, alpha=0.4, ms=5, mew=0)
        if scores:
            ax.plot(np.mean(scores), place, "|", color=color, ms=11, mew=2)
    guesses = [r[score] for r in records if r["method"] == "majority"]
    if guesses:
        ax.axvline(np.mean(guesses), color="0.5", ls="--", lw=1)
    ax.grid(axis="x", color="0.9")
    ax.set_axisbelow(True)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.1)
    low, high = ax.get_xlim()
    spare = max(0.0, MIN_SPAN - (high - low)) / 2  # a hundredth is not to look large
    ax.set_xlim(low - spare, high + spare)
    ax.xaxis.set_major_locator(MaxNLocator(4))
