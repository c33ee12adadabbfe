"""Predictors from few labels and from all, on real data.

`COrALClassifier` and `COrALRegressor`, and the parts that they are made of, beside what
people would use: a linear model or boosted trees on raw features, and a linear model on
COrAL's or SimCLR's features. Networks are trained once per seed without labels; what
follows is fitted on 1, 5, 20 and 100 labels per class (of numbers: 50, 200 and 1,000),
in draws that all share, and on all. Test rows serve for the scores alone::

    python benchmarks/compare_predictors.py --data movies-genre courses \
        --courses courses.csv.gz --out predictors

Cells (data, unlabelled, seed) that are done are kept in the folder and skipped, so that
a killed run can be resumed. Results: ``results.csv``, a record per model and draw with
accuracy, balanced accuracy, log-loss and calibration error, or R2, and seconds; and
``table.md``.
"""

# %%
import time
from functools import partial
from pathlib import Path

import numpy as np
from compare_methods import choose_rows, find_files
from experiment import (
    make_method,
    make_parser,
    open_folder,
    parse,
    read_records,
    run_cells,
    whole,
    write,
    write_csv,
)
from real_data import ADVICE, FILES, NUMBERS, load, take_rows
from sklearn.base import is_classifier
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss, r2_score
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler

from skcoral import (
    ComponentRidge,
    ComponentRidgeClassifier,
    ComponentScaler,
    COrALClassifier,
    COrALRegressor,
)
from skcoral.evaluation import draw_labels, format_table

SETS = {**FILES, **NUMBERS}
LABELS, NUMBER_LABELS = (1, 5, 20, 100, "all"), (50, 200, 1000, "all")
MAX_TREES = 100  # labels per class from which boosted trees are tried
N_BINS = 10  # of the calibration error


# %%
# Models
# ------


def make_models(data, coral, simclr, numbers):
    """Return models by name; networks and raw features are fitted already."""
    linear = Ridge() if numbers else LogisticRegression(max_iter=2000)
    ridge = ComponentRidge if numbers else ComponentRidgeClassifier
    boosted = (
        HistGradientBoostingRegressor if numbers else HistGradientBoostingClassifier
    )
    predictor = COrALRegressor if numbers else COrALClassifier
    target = "numbers" if numbers else "classes"
    raw = FrozenEstimator(FeatureUnion(list(data.views.items())).fit(data.X_train))
    features = FrozenEstimator(coral.set_output(transform="pandas"))
    scaler = ComponentScaler(target=target)
    return {
        "raw, linear": make_pipeline(raw, StandardScaler(), linear),
        "raw, boosted trees": make_pipeline(raw, boosted(random_state=0)),
        "SimCLR, linear": make_pipeline(
            FrozenEstimator(simclr), StandardScaler(), linear
        ),
        "COrAL, linear": make_pipeline(features, StandardScaler(), linear),
        "COrAL, weighed, linear": make_pipeline(features, scaler, linear),
        "COrAL, component ridge": make_pipeline(features, ridge()),
        "COrAL predictor": predictor(init=coral),
    }


def measure(cell, paths, epochs):
    """Return the records of all models of one set and seed."""
    data = load(cell["data"], paths)
    rows = choose_rows(np.arange(len(data.y_train)), cell["unlabelled"])
    X, y = take_rows(data.X_train, rows), data.y_train[rows]
    data = data._replace(X_train=X, y_train=y)
    numbers = cell["data"] in NUMBERS
    width = 64 + 32 * len(data.views)
    settings = {"max_epochs": epochs} if epochs else {}
    settings["random_state"] = cell["seed"]
    coral = make_method("COrAL", data.modalities, **settings)
    simclr = make_method("SimCLR", data.modalities, embed_dim=width, **settings)
    start = time.perf_counter()
    coral.fit(data.X_train)
    seconds = time.perf_counter() - start
    simclr.fit(data.X_train)
    records = []
    for name, model in make_models(data, coral, simclr, numbers).items():
        for n_labels, draw, labelled in list_draws(data.y_train, numbers):
            if "trees" in name and not numbers and n_labels not in (MAX_TREES, "all"):
                continue
            scores = score(model, data, labelled)
            records.append(
                {
                    "data": cell["data"],
                    "method": name,
                    "n_labels": n_labels,
                    "seed": cell["seed"],
                    "draw": draw,
                    "transformer_seconds": round(seconds, 1),
                    **scores,
                }
            )
    return records


def list_draws(y, numbers):
    """Yield number of labels, draw and rows; one draw of all."""
    for n_labels in NUMBER_LABELS if numbers else LABELS:
        if n_labels == "all":
            yield n_labels, None, np.arange(len(y))
            continue
        for draw in range(5):
            yield n_labels, draw, draw_labels(y, n_labels, draw, per_class=not numbers)


def score(model, data, labelled):
    """Fit on labelled rows, and return scores on the test rows and seconds."""
    start = time.perf_counter()
    model.fit(take_rows(data.X_train, labelled), data.y_train[labelled])
    seconds = round(time.perf_counter() - start, 2)
    predicted = model.predict(data.X_test)
    if not is_classifier(model):
        return {"r2": r2_score(data.y_test, predicted), "seconds": seconds}
    probabilities = np.clip(model.predict_proba(data.X_test), 1e-9, 1)
    return {
        "balanced_accuracy": balanced_accuracy_score(data.y_test, predicted),
        "accuracy": accuracy_score(data.y_test, predicted),
        "log_loss": log_loss(data.y_test, probabilities, labels=model.classes_),
        "calibration_error": find_calibration_error(
            probabilities.max(axis=1), predicted == data.y_test
        ),
        "seconds": seconds,
    }


def find_calibration_error(confidence, right):
    """Return the mean gap of confidence and accuracy, over bins of confidence."""
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    gaps = np.bincount(bins, confidence - right, minlength=N_BINS)
    return float(np.abs(gaps).sum() / len(right))


# %%
# Command line
# ------------


def main(arguments=None):
    """Run what is not done yet, and write results and table."""
    parser = make_parser("predictors", __doc__)
    parser.add_argument("--data", nargs="+", choices=list(SETS))
    parser.add_argument("--unlabelled", type=whole(2), default=2000, help="rows")
    for name, advice in ADVICE.items():
        parser.add_argument(f"--{name}", type=Path, help=advice)
    options = parse(parser, arguments)
    paths = find_files(parser, options, SETS)
    used = {data: paths[SETS[data]] for data in options.data if SETS[data]}
    open_folder(options.out, used, experiment="predictors", epochs=options.epochs)
    cells = [
        {"data": data, "unlabelled": options.unlabelled, "seed": seed}
        for seed in options.seeds
        for data in options.data
    ]
    run = partial(measure, paths=paths, epochs=options.epochs)
    try:
        run_cells(options.out, cells, run, options.jobs)
    finally:
        summarise(options.out)


def summarise(folder):
    """Write a table of each data set and score, and all records."""
    records = read_records(folder)
    parts = []
    for data in dict.fromkeys(record["data"] for record in records):
        chosen = [record for record in records if record["data"] == data]
        names = ["r2"] if data in NUMBERS else ["balanced_accuracy", "log_loss"]
        parts += [f"{data}, {n}\n\n{format_table(chosen, scores=n)}" for n in names]
    if records:
        write_csv(folder / "results.csv", records)
        write(folder / "table.md", "\n\n".join(parts) + "\n")
        print("\n\n".join(parts))


if __name__ == "__main__":
    main()
