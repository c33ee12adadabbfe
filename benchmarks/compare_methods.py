"""COrAL and its peers: known interactions, and real data.

Vectors with known interactions: redundant and unique labels are probed after training
on unbiased rows, the synergistic one after training on biased rows, always by probes
that are fitted on other, unbiased rows and scored on yet others; the rows of a seed are
the same for all methods. Real data: the representation is learnt on the training rows
without labels, and a logistic regression reads it from 1, 5 and 20 labels per class, in
five draws, and from all. In the same tables: the plain join of the raw features, its
principal components, canonical correlations, each view alone, for series statistics
made by hand, and the guess of the largest class; from all labels also the join of raw
and COrAL's features, by logistic regression and by boosted trees::

    python benchmarks/compare_methods.py --out comparison --jobs 2
    python benchmarks/compare_methods.py --data mfeat-3 emoji --mfeat mfeat_digits.npz \
        --emoji emoji.npz --methods COrAL SimCLR raw PCA --unlabelled 300 all

``--unlabelled`` are the rows that representations are learnt from, the first of one
order of the training rows. Data sets, splits and raw features: ``real_data.py``.
Methods have their defaults.

Cells (data, unlabelled, method, seed, biased) that are done are kept in the folder and
skipped, so that a killed run can be resumed. Results: ``results.csv``; ``table.md``, a
table of each data set and one of all by number of labels; a figure of each data set;
and ``gains.md``, what COrAL gains over the best of the features that people would use.
"""

# %%
from functools import partial
from pathlib import Path

import numpy as np
from experiment import (
    METHODS,
    RARE_PROBE,
    REFERENCE,
    add_methods,
    make_interactions,
    make_method,
    make_parser,
    open_folder,
    parse,
    read_records,
    report,
    run_cells,
    sort_methods,
    whole,
    write,
)
from real_data import ADVICE, FILES, load, make_features, take_rows
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler

from skcoral.evaluation import JoinBlocks, evaluate

FEATURES = ("raw", "PCA", "CCA", "views", "statistics")
PLAIN = ("raw", "PCA", "CCA", "only")  # features that are not trained
TRAINED = "SimCLR"  # the method with the same encoders and views
LABELS = (1, 5, 20)  # per class
NAMES = {1: "1 label per class", 5: "5 labels", 20: "20 labels", "all": "all labels"}
HALF = 32  # principal components of the 64 columns with known interactions
PROBE = LogisticRegression(max_iter=2000)
BOOSTED = HistGradientBoostingClassifier(random_state=0)


# %%
# Real data
# ---------


def choose_rows(X, n_rows):
    """Return the rows that a representation is learnt from."""
    if n_rows == "all":
        return X
    return take_rows(X, np.random.default_rng(0).permutation(X.shape[0])[:n_rows])


def fit_transformers(cell, data, epochs):
    """Return fitted transformers by name: one method, or some plain features."""
    name, X = cell["method"], choose_rows(data.X_train, cell["unlabelled"])
    if name in METHODS:
        made = {name: make_method(name, data.modalities, max_epochs=epochs or "auto")}
        made[name].set_params(random_state=cell["seed"])
    else:
        made = make_features(name, data)
    return {name: FrozenEstimator(each.fit(X)) for name, each in made.items()}


def measure_real(cell, paths, epochs):
    """Return the records of one training on real data."""
    data = load(cell["data"], paths)
    rows = {"X_test": data.X_test, "y_test": data.y_test, "data": name_data(cell)}
    score = partial(evaluate, X=data.X_train, y=data.y_train, **rows)
    made = fit_transformers(cell, data, epochs)
    whole_set = cell["unlabelled"] == "all"
    n_labels = [*LABELS, "all"] if whole_set else list(LABELS)
    records = score(made, n_labels=n_labels, probe=PROBE)
    if whole_set and cell["method"] in (REFERENCE, "raw"):
        records += measure_joined(made, data, score)
    # The seed is in the transformers, which are fitted already.
    return [r | {"seed": cell["seed"]} if is_learnt(r) else r for r in records]


def is_learnt(record):
    """Tell whether a record depends on a seed: plain features and the guess do not."""
    name = record["method"].removeprefix("raw + ").removesuffix(", boosted")
    return name in METHODS


def measure_joined(made, data, score):
    """Return records of raw and learnt features together, and of boosted trees."""
    joined = made
    if REFERENCE in made:
        parts = make_features("raw", data) | made
        union = FeatureUnion(list(parts.items())).fit(data.X_train)
        joined = {f"raw + {REFERENCE}": FrozenEstimator(union)}
    keywords = {"n_labels": "all", "baseline": False}
    trees = {f"{name}, boosted": each for name, each in joined.items()}
    records = score(trees, probe=BOOSTED, **keywords)
    if REFERENCE in made:
        records += score(joined, probe=PROBE, **keywords)
    return records


def name_data(cell):
    """Return the name of a data set in tables."""
    n_rows = cell["unlabelled"]
    return cell["data"] + ("" if n_rows == "all" else f", {n_rows} unlabelled")


# %%
# Known interactions
# ------------------


def make_transformer(method, epochs):
    """Return a method, or the raw features, or their principal components."""
    if method in METHODS:
        return make_method(method, "auto", max_epochs=epochs or "auto")
    raw = make_pipeline(JoinBlocks(), StandardScaler())
    return raw if method == "raw" else make_pipeline(raw, PCA(HALF))


def measure_interactions(cell, epochs, n_rows):
    """Return the records of one training on vectors with known interactions."""
    seed, biased, method = cell["seed"], cell["biased"], cell["method"]
    fitted, probed, tested = make_interactions(seed, biased, n_rows)
    labels = [label for label in probed.target if (label == "synergy") == biased]
    transformer = make_transformer(method, epochs)
    records = evaluate(
        {method: transformer},
        probed.data,
        {label: probed.target[label] for label in labels},
        X_test=tested.data,
        y_test={label: tested.target[label] for label in labels},
        X_fit=fitted.data,
        seeds=[seed],
        probe=RARE_PROBE,
        data="interactions",
    )
    # Raw features and the guess have no seed, but the rows have.
    return [record | {"seed": seed} for record in records]


def measure(cell, *, paths, epochs, n_rows):
    """Return the records of one cell."""
    if cell["data"] == "interactions":
        return measure_interactions(cell, epochs, n_rows)
    return measure_real(cell, paths, epochs)


def list_cells(options, sizes):
    """Return the cells that are asked for; plain features have one seed."""
    cells = []
    for data in options.data:
        if data == "interactions":
            methods = [m for m in options.methods if m in (*METHODS, "raw", "PCA")]
            cells += [
                {"data": data, "method": method, "seed": seed, "biased": biased}
                for seed in options.seeds
                for method in methods
                for biased in (False, True)
            ]
            continue
        cells += [
            {"data": data, "unlabelled": n, "method": method, "seed": seed}
            for seed in options.seeds
            for n in options.unlabelled
            for method in options.methods
            if (n == "all" or n < sizes[data])
            and (method in METHODS or seed == options.seeds[0])
            and (method != "statistics" or data == "watch")
        ]
    return cells


def find_files(parser, options, sets, others=()):
    """Return the path of each file; raise if one is missing that is asked for.

    `sets` has the file of each data set; `others` need none. All that are at hand are
    the default.
    """
    paths = {name: getattr(options, name) for name in ADVICE}
    if options.data is None:
        at_hand = [d for d, f in sets.items() if f is None or paths[f] is not None]
        options.data = [*others, *at_hand]
    for name in {sets.get(data) for data in options.data} - {None}:
        if paths[name] is None:
            parser.error(f"argument --{name}: give the path of {ADVICE[name]}.")
        if not paths[name].is_file():
            parser.error(
                f"argument --{name}: found no '{paths[name]}'. Obtain {ADVICE[name]}, "
                "and pass its path."
            )
    return paths


def main(arguments=None):
    """Run the cells that are missing and report on all that there are."""
    parser = make_parser("comparison", __doc__)
    add_methods(parser, *FEATURES)
    parser.add_argument("--data", nargs="+", choices=["interactions", *FILES])
    parser.add_argument("--rows", type=whole(1), default=4000, help="of interactions")
    parser.add_argument(
        "--unlabelled",
        type=lambda text: text if text == "all" else whole(1)(text),
        nargs="+",
        default=["all"],
        help='numbers of rows to learn from, "all" for all',
    )
    for name, advice in ADVICE.items():
        parser.add_argument(f"--{name}", type=Path, help=advice)
    options = parse(parser, arguments)
    paths = find_files(parser, options, FILES, ["interactions"])
    settings = {"epochs": options.epochs, "n_rows": options.rows}
    used = {data: paths[FILES[data]] for data in options.data if FILES.get(data)}
    open_folder(options.out, used, experiment="comparison", **settings)
    real = [data for data in options.data if data != "interactions"]
    sizes = {data: len(load(data, paths).y_train) for data in real}
    run = partial(measure, paths=paths, **settings)
    try:
        run_cells(options.out, list_cells(options, sizes), run, options.jobs)
    finally:
        summarise(options.out)


def summarise(folder):
    """Write tables, CSV and figures of the cells that exist."""
    records = sort_records(read_records(folder))
    tables, figures = [], []
    for data in dict.fromkeys(record["data"] for record in records):
        chosen = [record for record in records if record["data"] == data]
        column = "label" if data == "interactions" else "n_labels"
        keywords = {"column": column, "title": data, "names": NAMES}
        figures.append((data, chosen, keywords))
        balanced = {"columns": column, "scores": "balanced_accuracy"}
        tables.append((f"{data}, balanced accuracy", chosen, balanced))
    tables += make_overviews(records)
    if records:
        report(folder, records, tables, figures)
        write(folder / "gains.md", format_gains(records))


def sort_records(records):
    """Return records by data set, joins and boosted trees after all else of a set."""
    return sorted(
        sort_methods(records),
        key=lambda r: (rank_data(r), r["method"].startswith(("raw + ", "raw, "))),
    )


def rank_data(record):
    """Return the place of a record's data set in tables; few unlabelled rows first."""
    name, _, rows = record["data"].partition(", ")
    n_rows = int(rows.split()[0]) if rows else np.inf
    return ["interactions", *FILES].index(name), n_rows


def make_overviews(records):
    """Return a table of methods and data sets for each number of labels."""
    whole_sets = [
        r for r in records if r["data"] in FILES and "raw +" not in r["method"]
    ]
    chosen = {n: [r for r in whole_sets if r["n_labels"] == n] for n in NAMES}
    keywords = {"columns": "data", "scores": "balanced_accuracy"}
    return [(f"All sets, {NAMES[n]}", chosen[n], keywords) for n in NAMES if chosen[n]]


def format_gains(records):
    """Return what COrAL gains over the best of the others, by data and labels.

    In points of balanced accuracy: over the best of the features that are not trained,
    over the best of these and SimCLR, and the deviation over the seeds of COrAL.
    """
    heads = ["data", *(NAMES[n] for n in LABELS)]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    rows = []
    for data in dict.fromkeys(record["data"] for record in records):
        found = [find_gains(records, data, n_labels) for n_labels in LABELS]
        if None not in found:
            lines.append(format_row(data, found))
            rows.append([gains for *gains, _ in found])
    if rows:
        lines.append(format_row("mean", np.mean(rows, axis=0)))
        lines.append(format_row("least", np.min(rows, axis=0)))
    return "\n".join(lines) + "\n"


def format_row(name, cells):
    """Return a line of gains."""
    return f"| {name} | {' | '.join(format_cell(*gains) for gains in cells)} |"


def format_cell(plain, both, deviation=np.nan):
    """Return plain / all, and the deviation where there is one."""
    text = f"{plain:+.1f} / {both:+.1f}"
    return text if np.isnan(deviation) else f"{text} ± {deviation:.1f}"


def find_gains(records, data, n_labels):
    """Return gains over plain and all rivals and a deviation; None if there are none.

    The deviation is of the runs of COrAL, each the mean of its draws of labels; NaN if
    there is one run.
    """
    scores = {}
    for record in records:
        if (record["data"], record["n_labels"]) == (data, n_labels):
            seeds = scores.setdefault(record["method"], {})
            seeds.setdefault(record["seed"], []).append(record["balanced_accuracy"])
    runs = {
        m: 100 * np.array([np.mean(s) for s in seeds.values()])
        for m, seeds in scores.items()
    }
    plain = [r.mean() for m, r in runs.items() if m.startswith(PLAIN)]
    if not {REFERENCE, TRAINED} <= set(runs) or not plain:
        return None
    own, best = runs[REFERENCE], max(plain)
    gains = own.mean() - best, own.mean() - max(best, runs[TRAINED].mean())
    return *gains, own.std() if len(own) > 1 else np.nan


# %%
if __name__ == "__main__":
    main()
