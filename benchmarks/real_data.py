"""Shared by the benchmarks: real data sets, their split, and their raw features.

Films are in the package. A user's own files: ``mfeat_digits.npz`` (handwritten digits,
the "multiple features" of UCI, CC BY 4.0), ``emoji.npz`` (pictures and names of
emoji-datasource-twitter, pictures CC-BY-4.0), ``watch.npz`` (exercises by acceleration
and rotation, seglearn, BSD), ``courses.csv.gz`` (a university's term, openintro),
``artworks.csv.gz`` (a museum's catalogue, modeldata) and ``cells.csv.gz`` (measurements
of cells in four channels, modeldata).
"""

from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
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
    "courses": "courses",
    "artworks": "artworks",
    "cells": "cells",
}
NUMBERS = {"movies-meter": None, "artworks-year": "artworks"}  # for regression
ADVICE = {
    "mfeat": "mfeat_digits.npz, the 'multiple features' of UCI as arrays fou, fac, "
    "kar, pix, zer, mor and y",
    "emoji": "emoji.npz, pictures and names of emoji-datasource-twitter as arrays "
    "image, text and category",
    "watch": "watch.npz, windows of seglearn's watch data as arrays accel, gyro, "
    "subject and y",
    "courses": "courses.csv.gz, the courses of openintro: subject, title and others",
    "artworks": "artworks.csv.gz, the catalogue of modeldata: artist, title, medium, "
    "year, and period, the fifths of year",
    "cells": "cells.csv.gz, the cells of modeldata: class, and columns that end in "
    "_ch_1 to _ch_4",
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
    elif name.startswith("artworks"):
        target = "year" if name in NUMBERS else "period"
        X, y, modalities, views = load_artworks(paths["artworks"], target)
    else:
        X, y, modalities, views = READERS[name](paths[name])
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
    strata = None if name in NUMBERS else y
    return train_test_split(rows, test_size=0.3, stratify=strata, random_state=0)


def load_films(target):
    """Films: a table and a text."""
    films = load_movies(target=target)
    return (
        films.data,
        films.target,
        films.modalities,
        make_views(films.data, films.modalities),
    )


def load_courses(path):
    """Courses of a university: a table and a title."""
    X = pd.read_csv(path)
    y = X.pop("subject")
    table = [c for c in X if c != "title"]
    modalities = [("table", "tabular", table), ("title", "text", "title")]
    return X, y, modalities, make_views(X, modalities)


def load_artworks(path, target):
    """Works of art: the artist, a title and a medium; the year, or its fifths."""
    X = pd.read_csv(path)
    y = X[target]
    modalities = [
        ("artist", "tabular", ["artist"]),
        ("title", "text", "title"),
        ("medium", "text", "medium"),
    ]
    return X, y, modalities, make_views(X, modalities)


def load_cells(path):
    """Cells: what is measured in each of four channels."""
    X = pd.read_csv(path)
    y = X.pop("class")
    channels = [f"ch_{i}" for i in range(1, 5)]
    modalities = [
        (channel, "tabular", [c for c in X if c.endswith(channel)])
        for channel in channels
    ]
    return X, y, modalities, make_views(X, modalities)


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


READERS = {
    "emoji": load_emoji,
    "watch": load_watch,
    "courses": load_courses,
    "cells": load_cells,
}


def make_views(X, modalities):
    """Return the raw features of tables and texts, by modality."""
    make = {"tabular": partial(make_table, X), "text": make_text}
    return {name: make[kind](columns) for name, kind, columns in modalities}


def make_table(X, columns):
    """Return the raw features of a table: imputed numbers, categories as indicators."""
    numeric = [c for c in columns if X[c].dtype.kind in "iufb"]
    categorical = [c for c in columns if c not in numeric]
    return make_column_transformer(
        (SimpleImputer(add_indicator=True), numeric),
        (OneHotEncoder(max_categories=100, handle_unknown="ignore"), categorical),
        sparse_threshold=0,
    )


def make_text(column):
    """Return the raw features of a column of texts."""
    return make_column_transformer((make_words(), column))


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
