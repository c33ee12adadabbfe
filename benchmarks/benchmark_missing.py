"""Missing modalities: digits with holes.

Handwritten digits in three modalities (fou, kar, zer of the "multiple features" of
UCI), read from a user's file: balanced accuracy of a logistic regression from 20 labels
per class, on complete data, with 30 % of each modality missing at random in training
and test rows, and with one modality missing in all test rows. Raw features are imputed
by the mean; a single modality has a classifier of its own. Cells that are done are kept
in the folder and skipped::

    python benchmarks/benchmark_missing.py --mfeat mfeat_digits.npz --out missing
"""

# %%
from functools import partial
from pathlib import Path

import numpy as np
from experiment import (
    make_parser,
    open_folder,
    parse,
    read_records,
    run_cells,
    write,
    write_csv,
)
from real_data import VIEWS, load
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from skorch.helper import SliceDict

from skcoral import COrALTransformer
from skcoral.evaluation import JoinBlocks, evaluate, format_table

NAMES = VIEWS["mfeat-3"]
N_LABELS = 20
MISSING_RATE = 0.3
HOLES = "30 % missing"
DROPOUT = {"COrAL": 0.0, "COrAL, modality_dropout=0.3": 0.3}
MEAN = "raw, mean-imputed"
FEATURES = (MEAN, *NAMES, *DROPOUT)
PROBE = LogisticRegression(max_iter=2000)


# %%
# Holes
# -----


def make_holes(X, rate, seed):
    """Make each modality of a row missing with a probability; one always stays."""
    rng = np.random.default_rng(seed)
    n_samples = len(X[NAMES[0]])
    gone = rng.random((n_samples, len(NAMES))) < rate
    kept = rng.integers(len(NAMES), size=n_samples)
    gone[np.arange(n_samples), kept] &= ~gone.all(axis=1)
    return remove(X, dict(zip(NAMES, gone.T, strict=True)))


def remove(X, gone):
    """Set rows of modalities to NaN."""
    blocks = {name: X[name].copy() for name in NAMES}
    for name, rows in gone.items():
        blocks[name][rows] = np.nan
    return SliceDict(**blocks)


def make_cases(data, holes):
    """Return training rows, and the test rows of each case, as learnt from them."""
    if holes:
        train, test = (
            make_holes(X, MISSING_RATE, seed)
            for seed, X in enumerate((data.X_train, data.X_test))
        )
        return train, {HOLES: test}
    everywhere = np.ones(len(data.y_test), dtype=bool)
    without = {
        f"without {name}": remove(data.X_test, {name: everywhere}) for name in NAMES
    }
    return data.X_train, {"complete": data.X_test, **without}


# %%
# Protocol
# --------


def make_features(method, seed, epochs):
    """Return the transformer behind one row of the table."""
    if method in NAMES:
        return JoinBlocks([method])
    if method == MEAN:
        return make_pipeline(JoinBlocks(), SimpleImputer())
    return COrALTransformer(
        modality_dropout=DROPOUT[method],
        max_epochs=epochs or "auto",
        random_state=seed,
    )


def measure(cell, *, path, epochs):
    """Return the records of one training, a case as the label."""
    data = load("mfeat-3", {"mfeat": path})
    X, cases = make_cases(data, cell["holes"])
    features = make_features(cell["method"], cell["seed"], epochs).fit(X)
    records = []
    for case, X_test in cases.items():
        if case == f"without {cell['method']}":
            continue
        scores = evaluate(
            {cell["method"]: FrozenEstimator(features)},
            X,
            {case: data.y_train},
            X_test=X_test,
            y_test={case: data.y_test},
            n_labels=N_LABELS,
            probe=PROBE,
            baseline=False,
        )
        records += [record | {"seed": cell["seed"]} for record in scores]
    return records


def main(arguments=None):
    """Run the cells that are missing and print the table of all that there are."""
    parser = make_parser("missing", __doc__)
    parser.add_argument("--mfeat", type=Path, required=True, help="mfeat_digits.npz")
    options = parse(parser, arguments)
    settings = {"epochs": options.epochs}
    open_folder(options.out, {"mfeat": options.mfeat}, experiment="missing", **settings)
    cells = [
        {"method": method, "seed": seed, "holes": holes}
        for seed in options.seeds
        for method in FEATURES
        for holes in (False, True)
        if (method in DROPOUT or seed == options.seeds[0])
        and not (method in NAMES and holes)  # a single modality has rows without it
    ]
    run = partial(measure, path=options.mfeat, **settings)
    try:
        run_cells(options.out, cells, run, options.jobs)
    finally:
        summarise(options.out)


def summarise(folder):
    """Write and print the table of the cells that exist."""
    order = FEATURES.index
    records = sorted(read_records(folder), key=lambda record: order(record["method"]))
    if records:
        write_csv(folder / "results.csv", records)
        keywords = {"columns": "label", "scores": "balanced_accuracy"}
        table = format_table(records, **keywords)
        write(folder / "table.md", f"{table}\n")
        print(f"\n{table}")


# %%
if __name__ == "__main__":
    main()
