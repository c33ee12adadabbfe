"""
==========================================================
COrAL and its siblings: known interactions, and real data
==========================================================

Vectors with known interactions: redundant and unique labels are probed after training
on unbiased rows, the synergistic one after training on biased rows, always by probes
that are fitted on other, unbiased rows and scored on yet others; the rows of a seed are
the same for all methods. Real data: the representation is learnt on the training rows
without labels and a logistic regression reads it from 5 and 20 labels per class, in
five draws, and from all. In the same tables: the plain join of the raw features,
standardised, its principal components, and the guess of the largest class::

    python examples/compare_methods.py --out comparison --jobs 2
    python examples/compare_methods.py --data mfeat-3 emoji --mfeat mfeat_digits.npz \
        --emoji emoji.npz --methods COrAL CoMM raw PCA --seeds 0 1 2

Films are in the package. A user's own files: ``mfeat_digits.npz``, ``emoji.npz`` and
``watch.npz``, as in ``benchmark_label_efficiency.py`` and ``benchmark_views.py``, whose
splits and raw features these are. Methods have their defaults.

Cells (data, method, seed, biased) that are done are kept in the folder and skipped, so
that a killed run can be resumed. Results: ``results.csv``, ``table.md`` and a figure of
each data set.
"""

# %%
from functools import partial
from pathlib import Path

import numpy as np
from benchmark_label_efficiency import PCA_DIM, load_digits_views, load_movie_table
from benchmark_views import load_emoji, load_watch, make_features
from experiment import (
    METHODS,
    add_methods,
    make_method,
    make_parser,
    open_folder,
    parse,
    read_records,
    report,
    run_cells,
    sort_methods,
    whole,
)
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcoral.datasets import make_multimodal_interactions
from skcoral.evaluation import JoinBlocks, evaluate

# File of each real data set, None if the package has it; what to obtain.
FILES = {
    "movies-genre": None,
    "movies-fresh": None,
    "mfeat-3": "mfeat",
    "mfeat-6": "mfeat",
    "emoji": "emoji",
    "watch": "watch",
}
ADVICE = {
    "mfeat": "mfeat_digits.npz, the 'multiple features' of UCI as arrays fou, fac, "
    "kar, pix, zer, mor and y",
    "emoji": "emoji.npz, pictures and names of emoji-datasource-twitter as arrays "
    "image, text and category",
    "watch": "watch.npz, windows of seglearn's watch data as arrays accel, gyro, "
    "subject and y",
}
NAMES = {5: "5 labels per class", 20: "20 labels per class", "all": "all labels"}
HALF = 32  # principal components of the 64 columns with known interactions
PROBE = LogisticRegression(max_iter=2000)
RARE_PROBE = LogisticRegression(max_iter=2000, class_weight="balanced")


# %%
# Methods
# -------


def make_transformer(method, raw, modalities, epochs, n_components=PCA_DIM):
    """Return a method, or the raw features, or their principal components."""
    if method in METHODS:
        parameters = {} if epochs is None else {"max_epochs": epochs}
        return make_method(method, modalities, **parameters)
    raw = make_pipeline(raw, StandardScaler())
    return raw if method == "raw" else make_pipeline(raw, PCA(n_components))


# %%
# Protocol
# --------


def load(data, path):
    """X, y, training and test rows, modalities and raw features of a real data set."""
    if FILES[data] in ("emoji", "watch"):
        X, y, rows = (load_emoji if data == "emoji" else load_watch)(path)
        return X, y, rows, "auto", make_features("join", list(X), 0)
    kind, _, which = data.partition("-")
    three, six = ("fou", "kar", "zer"), ("fou", "fac", "kar", "pix", "zer", "mor")
    if kind == "movies":
        X, y, modalities, raw = load_movie_table(which)
    else:
        views = three if which == "3" else six
        X, y, modalities, raw = load_digits_views(path, views)
    y = np.asarray(y)
    rows = train_test_split(
        np.arange(len(y)), test_size=0.3, stratify=y, random_state=0
    )
    return X, y, rows, modalities, raw


def measure_real(cell, paths, epochs):
    """Return the records of one training on real data."""
    data, method = cell["data"], cell["method"]
    X, y, rows, modalities, raw = load(data, paths.get(FILES[data]))
    take = X.iloc.__getitem__ if hasattr(X, "iloc") else X.__getitem__
    X_train, X_test = map(take, rows)
    records = evaluate(
        {method: make_transformer(method, raw, modalities, epochs)},
        X_train,
        y[rows[0]],
        X_test=X_test,
        y_test=y[rows[1]],
        n_labels=[5, 20, "all"],
        seeds=[cell["seed"]],
        probe=PROBE,
        data=data,
    )
    # The seed of an SVD does not make raw features a repetition.
    return records if method in METHODS else [r | {"seed": None} for r in records]


def measure_interactions(cell, epochs, n_rows):
    """Return the records of one training on vectors with known interactions."""
    seed, biased, method = cell["seed"], cell["biased"], cell["method"]
    seeds = np.random.SeedSequence([seed, biased]).generate_state(3).tolist()
    make = partial(make_multimodal_interactions, n_rows)
    fitted = make(biased=biased, random_state=seeds[0])
    probed, tested = (make(random_state=s) for s in seeds[1:])
    labels = [label for label in probed.target if (label == "synergy") == biased]
    transformer = make_transformer(method, JoinBlocks(), "auto", epochs, HALF)
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


def list_cells(options):
    """Return the cells that are asked for; raw features of real data have no seed."""
    cells = []
    for data in options.data:
        for seed in options.seeds:
            for method in options.methods:
                cell = {"data": data, "method": method}
                if data == "interactions":
                    both = [{"seed": seed, "biased": b} for b in (False, True)]
                else:
                    both = [{"seed": 0 if method in ("raw", "PCA") else seed}]
                cells += [cell | more for more in both]
    return [cell for i, cell in enumerate(cells) if cell not in cells[:i]]


def find_files(parser, options):
    """Return the path of each file; raise if one is missing that is asked for."""
    paths = {name: getattr(options, name) for name in ADVICE}
    if options.data is None:
        at_hand = [d for d, f in FILES.items() if f is None or paths[f] is not None]
        options.data = ["interactions", *at_hand]
    for name in {FILES.get(data) for data in options.data} - {None}:
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
    add_methods(parser, "raw", "PCA")
    parser.add_argument("--data", nargs="+", choices=["interactions", *FILES])
    parser.add_argument("--rows", type=whole(1), default=4000, help="of interactions")
    for name, advice in ADVICE.items():
        parser.add_argument(f"--{name}", type=Path, help=advice)
    options = parse(parser, arguments)
    paths = find_files(parser, options)
    settings = {"epochs": options.epochs, "n_rows": options.rows}
    used = {data: paths[FILES[data]] for data in options.data if FILES.get(data)}
    open_folder(options.out, used, experiment="comparison", **settings)
    run = partial(measure, paths=paths, **settings)
    try:
        run_cells(options.out, list_cells(options), run, options.jobs)
    finally:
        summarise(options.out)


def summarise(folder):
    """Write tables, CSV and figures of the cells that exist."""
    records = sort_methods(read_records(folder), first=("majority", "raw", "PCA"))
    tables, figures = [], []
    for data in dict.fromkeys(record["data"] for record in records):
        chosen = [record for record in records if record["data"] == data]
        column = "label" if data == "interactions" else "n_labels"
        keywords = {"column": column, "title": data, "names": NAMES}
        figures.append((data, chosen, keywords))
        balanced = {"columns": column, "scores": "balanced_accuracy"}
        tables.append((f"{data}, balanced accuracy", chosen, balanced))
    if records:
        report(folder, records, tables, figures)


# %%
if __name__ == "__main__":
    main()
