"""
==========================================
Accuracy from few labels: COrAL, raw, PCA
==========================================

Logistic regression on COrAL features, on the standardised raw features and on their
principal components, from 1, 5, 20 and 100 labels per class. The representations are
learnt on the training rows without labels, and so is the scale of raw and COrAL
features; the same classifier follows all of them; the test rows serve for nothing but
the score.

Each cell (data set, features, seed) is written when it is done and skipped when it is
there, so that a killed run can be resumed::

    python examples/benchmark_label_efficiency.py --out results.csv
    python examples/benchmark_label_efficiency.py --mfeat mfeat_digits.npz

The handwritten digits ("multiple features", UCI, CC BY 4.0) are read from a user's
``.npz`` file with the arrays fou, fac, kar, pix, zer, mor and y.
"""

# %%
import argparse
import csv
from pathlib import Path

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from skorch.helper import SliceDict

from skcoral import COrALTransformer
from skcoral.datasets import load_movies

SEEDS = (0, 1, 2)
DRAWS = (0, 1, 2, 3, 4)
LABELS_PER_CLASS = (1, 5, 20, 100)
PCA_DIM = 128


# %%
# Data sets: X, y, modalities and the raw features as a transformer
# -----------------------------------------------------------------


def load_movie_table(target):
    """Films: a tabular and a text modality."""
    movies = load_movies(target=target)
    table, text = movies.modalities[0][2], movies.modalities[1][2]
    numeric = [c for c in table if movies.data[c].dtype.kind in "iuf"]
    categorical = [c for c in table if c not in numeric]
    words = make_pipeline(
        TfidfVectorizer(sublinear_tf=True), TruncatedSVD(128, random_state=0)
    )
    raw = make_column_transformer(
        (SimpleImputer(add_indicator=True), numeric),
        (OneHotEncoder(max_categories=100, handle_unknown="ignore"), categorical),
        (words, text),
        sparse_threshold=0,
    )
    return movies.data, movies.target, movies.modalities, raw


def load_digits_views(path, names):
    """Handwritten digits: views of the same images."""
    data = np.load(path)
    X = SliceDict(**{name: data[name].astype(np.float32) for name in names})
    modalities = [(name, "embedding", name) for name in names]
    join = FunctionTransformer(lambda X: np.hstack([X[name] for name in names]))
    return X, data["y"], modalities, join


def load_datasets(mfeat):
    """Name and loader of each data set that is at hand."""
    loaders = {
        "movies genre": lambda: load_movie_table("genre"),
        "movies fresh": lambda: load_movie_table("fresh"),
    }
    if mfeat is not None:
        three = ("fou", "kar", "zer")
        six = ("fou", "fac", "kar", "pix", "zer", "mor")
        loaders["mfeat 3 views"] = lambda: load_digits_views(mfeat, three)
        loaders["mfeat 6 views"] = lambda: load_digits_views(mfeat, six)
    return loaders


# %%
# Protocol
# --------


def draw_labels(y, n_per_class, draw):
    """Draw rows with `n_per_class` labels of each class, or all of a rarer class."""
    rng = np.random.default_rng(draw)
    return np.concatenate(
        [rng.permutation(np.flatnonzero(y == c))[:n_per_class] for c in np.unique(y)]
    )


def score_features(train, test, y_train, y_test):
    """Balanced accuracy per number of labels and draw."""
    for n_per_class in LABELS_PER_CLASS:
        for draw in DRAWS:
            rows = draw_labels(y_train, n_per_class, draw)
            probe = LogisticRegression(max_iter=2000).fit(train[rows], y_train[rows])
            score = balanced_accuracy_score(y_test, probe.predict(test))
            yield n_per_class, draw, score


def make_features(name, modalities, raw, seed):
    """The transformer behind one row of the table."""
    if name == "COrAL":
        coral = COrALTransformer(modalities, random_state=seed)
        return make_pipeline(coral, StandardScaler())
    raw = make_pipeline(raw, StandardScaler())
    if name == "PCA":
        return make_pipeline(raw, PCA(PCA_DIM, random_state=seed))
    return raw


def run_cell(loader, features, seed):
    """All scores of one data set, one kind of features and one seed."""
    X, y, modalities, raw = loader()
    y = np.asarray(y)
    rows = np.arange(len(y))
    rows = train_test_split(rows, test_size=0.3, stratify=y, random_state=0)
    take = X.iloc.__getitem__ if hasattr(X, "iloc") else X.__getitem__
    X_train, X_test = map(take, rows)
    transformer = make_features(features, modalities, raw, seed)
    train = transformer.fit_transform(X_train)
    test = transformer.transform(X_test)
    return list(score_features(train, test, y[rows[0]], y[rows[1]]))


def run(out, loaders):
    """Run the cells that are not in the file yet."""
    done = {row[:3] for row in read_results(out)}
    cells = [
        (data, features, seed)
        for data in loaders
        for features in ("raw", "PCA", "COrAL")
        for seed in (SEEDS if features == "COrAL" else SEEDS[:1])
        if (data, features, seed) not in done
    ]
    for data, features, seed in cells:
        scores = run_cell(loaders[data], features, seed)
        with out.open("a", newline="") as file:
            csv.writer(file).writerows((data, features, seed, *s) for s in scores)
        print(f"{data}, {features}, seed {seed}: done", flush=True)


def read_results(out):
    """Rows (data set, features, seed, labels per class, draw, score)."""
    if not out.exists():
        return []
    with out.open(newline="") as file:
        return [
            (r[0], r[1], int(r[2]), int(r[3]), int(r[4]), float(r[5]))
            for r in csv.reader(file)
        ]


def print_table(results):
    """Mean and deviation over draws and seeds, as Markdown."""
    print("| data | features |" + "".join(f" {n} |" for n in LABELS_PER_CLASS))
    print("|---|---|" + "---|" * len(LABELS_PER_CLASS))
    for data, features in dict.fromkeys(row[:2] for row in results):
        cells = []
        for n in LABELS_PER_CLASS:
            s = [r[5] for r in results if r[:2] == (data, features) and r[3] == n]
            cells.append(f" {np.mean(s):.3f} ± {np.std(s):.3f} |")
        print(f"| {data} | {features} |" + "".join(cells))


# %%
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("label_efficiency.csv"))
    parser.add_argument("--mfeat", type=Path, help="mfeat_digits.npz")
    arguments = parser.parse_args()
    run(arguments.out, load_datasets(arguments.mfeat))
    print_table(read_results(arguments.out))
