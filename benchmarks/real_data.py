"""Shared by the benchmarks: real data sets, their split, and their raw features.

Films are in the package. A user's own files: ``mfeat_digits.npz`` (handwritten digits,
the "multiple features" of UCI, CC BY 4.0), ``emoji.npz`` (pictures and names of
emoji-datasource-twitter, pictures CC-BY-4.0) and ``watch.npz`` (exercises by
acceleration and rotation, seglearn, BSD).
"""

from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from skorch.helper import SliceDict

from skcoral.datasets import load_movies
from skcoral.evaluation import JoinBlocks, MultiviewAdapter

# File of each data set, None if the package has it; what to obtain.
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
VIEWS = {
    "mfeat-3": ("fou", "kar", "zer"),
    "mfeat-6": ("fou", "fac", "kar", "pix", "zer", "mor"),
}
TEXT_DIM = 128  # of the decomposition of TF-IDF
PCA_DIM = 128
SIDE_DIM, CCA_DIM = 32, 16  # principal components of a side, canonical pairs


class RealData(NamedTuple):
    """A data set: rows and labels of both parts, modalities, raw features by view."""

    X_train: object
    y_train: np.ndarray
    X_test: object
    y_test: np.ndarray
    modalities: object
    views: dict


# %%
# Data sets
# ---------


def load(name, paths):
    """Return a data set; `paths` are the files of a user."""
    if name.startswith("movies"):
        X, y, modalities, views = load_films(name.removeprefix("movies-"))
    elif name.startswith("mfeat"):
        X, y, modalities, views = load_digits(paths["mfeat"], VIEWS[name])
    else:
        read = {"emoji": load_emoji, "watch": load_watch}[name]
        X, y, modalities, views = read(paths[name])
    y = np.asarray(y)
    train, test = split(name, y, paths)
    parts = take_rows(X, train), y[train], take_rows(X, test), y[test]
    return RealData(*parts, modalities, views)


def take_rows(X, rows):
    """Return rows of a data frame or SliceDict."""
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def split(name, y, paths):
    """Return training rows and the 30 % for test: other subjects, or stratified."""
    rows = np.arange(len(y))
    if name == "watch":
        subjects = np.load(paths["watch"])["subject"]
        splitter = GroupShuffleSplit(1, test_size=0.3, random_state=0)
        return next(splitter.split(rows, groups=subjects))
    return train_test_split(rows, test_size=0.3, stratify=y, random_state=0)


def load_films(target):
    """Films: a table and a text."""
    films = load_movies(target=target)
    table, text = films.modalities[0][2], films.modalities[1][2]
    numeric = [c for c in table if films.data[c].dtype.kind in "iuf"]
    categorical = [c for c in table if c not in numeric]
    columns = make_column_transformer(
        (SimpleImputer(add_indicator=True), numeric),
        (OneHotEncoder(max_categories=100, handle_unknown="ignore"), categorical),
        sparse_threshold=0,
    )
    words = make_column_transformer((make_words(), text))
    names = [modality[0] for modality in films.modalities]
    views = dict(zip(names, (columns, words), strict=True))
    return films.data, films.target, films.modalities, views


def load_digits(path, names):
    """Handwritten digits: views of the same images."""
    data = np.load(path)
    X = SliceDict(**{name: data[name].astype(np.float32) for name in names})
    modalities = [(name, "embedding", name) for name in names]
    return X, data["y"], modalities, {name: JoinBlocks([name]) for name in names}


def load_watch(path):
    """Windows of two seconds: acceleration and rotation, three axes each."""
    data = np.load(path)
    names = ("accel", "gyro")
    X = SliceDict(**{name: data[name].astype(np.float32) for name in names})
    return X, data["y"], "auto", {name: JoinBlocks([name]) for name in names}


def load_emoji(path):
    """Pictures of 48 x 48 and names; flags are left out, their names say so."""
    data = np.load(path)
    rows = data["category"] != "Flags"
    X = SliceDict(image=data["image"][rows], text=data["text"][rows].astype(object))
    texts = make_pipeline(FunctionTransformer(lambda X: X["text"]), make_words())
    views = {"image": JoinBlocks(["image"]), "text": texts}
    return X, data["category"][rows], "auto", views


def make_words():
    """Return the raw features of texts."""
    svd = TruncatedSVD(TEXT_DIM, random_state=0)
    return make_pipeline(TfidfVectorizer(sublinear_tf=True), svd)


# %%
# Features that people would use
# ------------------------------


def make_features(name, data):
    """Return transformers by name: the views' join, its reductions, or each view."""
    raw = make_pipeline(FeatureUnion(list(data.views.items())), StandardScaler())
    if name == "raw":
        return {"raw": raw}
    if name == "PCA":
        return {"PCA": make_pipeline(raw, PCA(PCA_DIM, random_state=0))}
    if name == "CCA":
        return {"CCA": make_cca(data.views)}
    if name == "statistics":
        return {"statistics": FunctionTransformer(summarise_series)}
    return {f"only {view}": features for view, features in data.views.items()}


def make_cca(views):
    """Return the canonical correlations of two sides, each the join of half the views.

    Sides are reduced first: CCA finds correlations of one where there are as many
    columns as rows.
    """
    half = (len(views) + 1) // 2
    names = list(views)
    sides = {
        side: FeatureUnion([(name, views[name]) for name in chosen])
        for side, chosen in (("a", names[:half]), ("b", names[half:]))
    }
    reduce = make_pipeline(StandardScaler(), PCA(SIDE_DIM, random_state=0))
    cca = MultiviewAdapter(CCA(CCA_DIM, max_iter=2000), preprocessor=reduce)
    return make_pipeline(Sides(sides), cca)


class Sides(TransformerMixin, BaseEstimator):
    """Raw features of each side of the views, as the blocks of a SliceDict."""

    def __init__(self, transformers):
        self.transformers = transformers

    def fit(self, X, y=None):
        """Fit the features of each side."""
        items = self.transformers.items()
        self.transformers_ = {side: clone(part).fit(X) for side, part in items}
        return self

    def transform(self, X):
        """Return the sides."""
        items = self.transformers_.items()
        return SliceDict(**{side: part.transform(X) for side, part in items})


def summarise_series(X):
    """Mean, deviation, extremes and mean absolute step of each channel of each view."""
    parts = []
    for name in X:
        steps = np.abs(np.diff(X[name], axis=1)).mean(axis=1)
        parts += [f(X[name], axis=1) for f in (np.mean, np.std, np.min, np.max)]
        parts.append(steps)
    return np.hstack(parts)
