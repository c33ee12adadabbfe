"""
=====================================
Missing modalities: digits with holes
=====================================

Handwritten digits in three modalities (fou, kar, zer of the "multiple features" of UCI,
CC BY 4.0), read from a user's ``.npz`` file: balanced accuracy of a logistic regression
from 20 labels per class, on complete data, with 30 % of each modality missing at random
in training and test rows, and with one modality missing in all test rows. Raw features
are imputed by the mean; a single modality has a classifier of its own. Cells that are
done are kept in the file and skipped::

    python examples/benchmark_missing.py --mfeat mfeat_digits.npz --out missing.csv
"""

# %%
import argparse
import csv
from pathlib import Path

import numpy as np
from benchmark_label_efficiency import DRAWS, SEEDS, draw_labels
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch.helper import SliceDict

from skcoral import COrALTransformer

VIEWS = ("fou", "kar", "zer")
N_LABELS = 20
MISSING_RATE = 0.3
HOLES = "30 % missing"


# %%
# Holes
# -----


def make_holes(X, rate, seed):
    """Make each modality of a row missing with a probability; one always stays."""
    rng = np.random.default_rng(seed)
    n_samples = len(X[VIEWS[0]])
    gone = rng.random((n_samples, len(VIEWS))) < rate
    kept = rng.integers(len(VIEWS), size=n_samples)
    gone[np.arange(n_samples), kept] &= ~gone.all(axis=1)
    return remove(X, dict(zip(VIEWS, gone.T, strict=True)))


def remove(X, gone):
    """Set rows of modalities to NaN."""
    blocks = {name: X[name].copy() for name in VIEWS}
    for name, rows in gone.items():
        blocks[name][rows] = np.nan
    return SliceDict(**blocks)


def make_cases(X_train, X_test):
    """Training rows, and the test rows of each case, as learnt from them."""
    holes = (make_holes(X, MISSING_RATE, i) for i, X in enumerate((X_train, X_test)))
    train_holes, test_holes = holes
    everywhere = np.ones(len(X_test[VIEWS[0]]), dtype=bool)
    without = {
        f"test without {name}": remove(X_test, {name: everywhere}) for name in VIEWS
    }
    return [
        (X_train, {"complete": X_test, **without}),
        (train_holes, {HOLES: test_holes}),
    ]


# %%
# Features
# --------


def make_features(name, seed):
    """The transformer behind one row of the table."""
    if name in VIEWS:
        return make_pipeline(FunctionTransformer(lambda X: X[name]), StandardScaler())
    if name == "raw, mean-imputed":
        join = FunctionTransformer(lambda X: np.hstack([X[v] for v in VIEWS]))
        return make_pipeline(join, SimpleImputer(), StandardScaler())
    dropout = 0.3 if name == "COrAL, modality_dropout=0.3" else 0.0
    coral = COrALTransformer(modality_dropout=dropout, random_state=seed)
    return make_pipeline(coral, StandardScaler())


def score(train, test, y_train, y_test):
    """Balanced accuracy per draw of labels."""
    for draw in DRAWS:
        rows = draw_labels(y_train, N_LABELS, draw)
        probe = LogisticRegression(max_iter=2000).fit(train[rows], y_train[rows])
        yield draw, balanced_accuracy_score(y_test, probe.predict(test))


def is_usable(features, case):
    """A single modality serves where no row lacks it."""
    return features not in VIEWS or case not in (f"test without {features}", HOLES)


def run(out, path):
    """Run the cells that are not in the file yet."""
    data = np.load(path)
    X = SliceDict(**{name: data[name].astype(np.float32) for name in VIEWS})
    y = data["y"]
    rows = train_test_split(
        np.arange(len(y)), test_size=0.3, stratify=y, random_state=0
    )
    y_train, y_test = y[rows[0]], y[rows[1]]
    learnt = ("COrAL", "COrAL, modality_dropout=0.3")
    cells = [("raw, mean-imputed", 0), *((name, 0) for name in VIEWS)]
    cells += [(name, seed) for name in learnt for seed in SEEDS]
    for train, tests in make_cases(X[rows[0]], X[rows[1]]):
        for features, seed in cells:
            run_cell(out, features, seed, train, tests, (y_train, y_test))


def run_cell(out, features, seed, train, tests, targets):
    """Fit one transformer and score the cases that are not in the file yet."""
    done = {row[1] for row in read_results(out) if (row[0], row[3]) == (features, seed)}
    cases = [case for case in tests if is_usable(features, case) and case not in done]
    if not cases:
        return
    transformer = make_features(features, seed)
    known = transformer.fit_transform(train)
    for case in cases:
        scores = list(score(known, transformer.transform(tests[case]), *targets))
        with out.open("a", newline="") as file:
            rows = ((features, case, draw, seed, s) for draw, s in scores)
            csv.writer(file).writerows(rows)


def read_results(out):
    """Rows (features, case, draw, seed, score)."""
    if not out.exists():
        return []
    with out.open(newline="") as file:
        return [
            (r[0], r[1], int(r[2]), int(r[3]), float(r[4])) for r in csv.reader(file)
        ]


def print_table(results):
    """Mean and deviation over draws and seeds, as Markdown."""
    cases = list(dict.fromkeys(row[1] for row in results))
    print("| features |" + "".join(f" {case} |" for case in cases))
    print("|---|" + "---|" * len(cases))
    for features in dict.fromkeys(row[0] for row in results):
        cells = [[r[4] for r in results if r[:2] == (features, c)] for c in cases]
        texts = [f"{np.mean(c):.3f} ± {np.std(c):.3f}" if c else "" for c in cells]
        print(f"| {features} |" + "".join(f" {text} |" for text in texts))


# %%
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("missing.csv"))
    parser.add_argument("--mfeat", type=Path, required=True, help="mfeat_digits.npz")
    arguments = parser.parse_args()
    run(arguments.out, arguments.mfeat)
    print_table(read_results(arguments.out))
