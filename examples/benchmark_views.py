"""
===============================================================
Sequences and images: a smart watch, and emoji with their names
===============================================================

Balanced accuracy of a logistic regression from 5 and 20 labels per class and from all,
on each view alone, on their plain join and on COrAL's features; for series also on
statistics made by hand. The data are read from a user's files: ``watch.npz`` (exercises
by acceleration and rotation, split by subject; seglearn, BSD) and ``emoji.npz``
(pictures and names; category; emoji-datasource-twitter, pictures CC-BY-4.0). Cells that
are done are kept in the file and skipped::

    python examples/benchmark_views.py --watch watch.npz --out views.csv
    python examples/benchmark_views.py --emoji emoji.npz --out views.csv
"""

# %%
import argparse
import csv
from pathlib import Path

import numpy as np
from benchmark_label_efficiency import DRAWS, SEEDS, draw_labels
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch.helper import SliceDict

from skcoral import COrALTransformer

LABELS_PER_CLASS = (5, 20, "all")


# %%
# Data sets: X, y, training and test rows
# ---------------------------------------


def load_watch(path):
    """Windows of two seconds: acceleration and rotation, three axes each."""
    data = np.load(path)
    X = SliceDict(**{name: data[name].astype(np.float32) for name in ("accel", "gyro")})
    split = GroupShuffleSplit(1, test_size=0.3, random_state=0)
    return X, data["y"], next(split.split(X["accel"], groups=data["subject"]))


def load_emoji(path):
    """Pictures of 48 x 48 and names; flags are left out, their names say so."""
    data = np.load(path)
    rows = data["category"] != "Flags"
    X = SliceDict(image=data["image"][rows], text=data["text"][rows].astype(object))
    y = data["category"][rows]
    split = StratifiedShuffleSplit(1, test_size=0.3, random_state=0)
    return X, y, next(split.split(y, y))


# %%
# Features
# --------


def make_view(name):
    """Raw features of one view: numbers as they are, texts as TF-IDF."""

    def flatten(X):
        return X[name].reshape(len(X[name]), -1).astype(np.float32)

    if name == "text":
        svd = TruncatedSVD(128, random_state=0)
        choose = FunctionTransformer(lambda X: X[name])
        return make_pipeline(choose, TfidfVectorizer(sublinear_tf=True), svd)
    return FunctionTransformer(flatten)


def summarise(X):
    """Mean, deviation, extremes and mean absolute step of each channel of each view."""
    parts = []
    for name in X:
        steps = np.abs(np.diff(X[name], axis=1)).mean(axis=1)
        parts += [f(X[name], axis=1) for f in (np.mean, np.std, np.min, np.max)]
        parts.append(steps)
    return np.hstack(parts)


def make_features(name, views, seed):
    """The transformer behind one row of the table."""
    if name == "COrAL":
        return make_pipeline(COrALTransformer(random_state=seed), StandardScaler())
    if name == "statistics":
        return make_pipeline(FunctionTransformer(summarise), StandardScaler())
    names = views if name == "join" else [name]
    return make_pipeline(make_union(*map(make_view, names)), StandardScaler())


# %%
# Protocol
# --------


def score(train, test, y_train, y_test):
    """Balanced accuracy per number of labels and draw."""
    for n_labels in LABELS_PER_CLASS:
        for draw in DRAWS[:1] if n_labels == "all" else DRAWS:
            n = len(y_train) if n_labels == "all" else n_labels
            rows = draw_labels(y_train, n, draw)
            probe = LogisticRegression(max_iter=2000).fit(train[rows], y_train[rows])
            score = balanced_accuracy_score(y_test, probe.predict(test))
            yield n_labels, draw, score


def run(out, name, loader):
    """Run the cells of one data set that are not in the file yet."""
    X, y, (train, test) = loader()
    done = {row[:3] for row in read_results(out)}
    series = ["statistics"] if name == "watch" else []
    cells = [(features, 0) for features in (*X, "join", *series)]
    for features, seed in [*cells, *(("COrAL", seed) for seed in SEEDS)]:
        if (name, features, seed) in done:
            continue
        transformer = make_features(features, list(X), seed)
        known, unknown = (
            transformer.fit_transform(X[train]),
            transformer.transform(X[test]),
        )
        scores = list(score(known, unknown, y[train], y[test]))
        with out.open("a", newline="") as file:
            csv.writer(file).writerows((name, features, seed, *s) for s in scores)


def read_results(out):
    """Rows (data set, features, seed, labels per class, draw, score)."""
    if not out.exists():
        return []
    with out.open(newline="") as file:
        return [
            (r[0], r[1], int(r[2]), r[3], int(r[4]), float(r[5]))
            for r in csv.reader(file)
        ]


def print_table(results):
    """Mean and deviation over draws and seeds, as Markdown."""
    print("| data | features |" + "".join(f" {n} |" for n in LABELS_PER_CLASS))
    print("|---|---|" + "---|" * len(LABELS_PER_CLASS))
    for data, features in dict.fromkeys(row[:2] for row in results):
        cells = []
        for n in map(str, LABELS_PER_CLASS):
            s = [r[5] for r in results if r[:2] == (data, features) and r[3] == n]
            cells.append(f" {np.mean(s):.3f} ± {np.std(s):.3f} |")
        print(f"| {data} | {features} |" + "".join(cells))


# %%
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("views.csv"))
    parser.add_argument("--watch", type=Path, help="watch.npz")
    parser.add_argument("--emoji", type=Path, help="emoji.npz")
    arguments = parser.parse_args()
    if arguments.watch:
        run(arguments.out, "watch", lambda: load_watch(arguments.watch))
    if arguments.emoji:
        run(arguments.out, "emoji", lambda: load_emoji(arguments.emoji))
    print_table(read_results(arguments.out))
