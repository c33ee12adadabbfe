"""What several test modules need: sizes, builders of data and networks, loops."""

import math
import os
import pickle
import re

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import save_file
from sklearn.base import is_classifier, is_regressor
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted
from skorch.helper import SliceDict
from torch import nn

import skcoral
from skcoral import (
    COrALClassifier,
    COrALRegressor,
    COrALTransformer,
    EmbeddingModality,
    TabularModality,
    TextModality,
)
from skcoral.evaluation import evaluate
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.nn.network import DualPathNetwork

# Sizes that make a fit a matter of milliseconds.
TINY = {"max_epochs": 2, "embed_dim": 8, "head_dim": 8, "head_hidden_dim": 8}


class Half:
    """Select the first or second half of the columns of a table, one at least.

    An object with a name, not a function: estimators that hold it name common checks,
    and workers must agree on these names.
    """

    def __init__(self, place):
        self.place = place

    def __call__(self, X):
        n_columns = X.shape[1]
        if self.place == "first":
            return list(range(max(1, n_columns // 2)))
        return list(range(n_columns // 2, n_columns))

    def __repr__(self):
        return f"Half({self.place!r})"


HALVES = [(place, "tabular", Half(place)) for place in ("first", "second")]


# All estimators of the package.
ALL_METHODS = [
    kind
    for kind in (getattr(skcoral, name) for name in skcoral.__all__)
    if isinstance(kind, type) and issubclass(kind, BaseMultimodalTransformer)
]


def make_of(kind, modalities="auto", **params):
    """Return an estimator of any method, in batches of 20 rows and tiny otherwise."""
    estimator = kind(modalities, random_state=0, batch_size=20)
    sizes = {k: v for k, v in TINY.items() if hasattr(estimator, k)}
    return estimator.set_params(**{**sizes, **params})


def as_cells(values):
    """Return values as a 1-D array of objects, whatever they are."""
    cells = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        cells[i] = value
    return cells


def as_column(values):
    """Return values as a block of one column of objects."""
    return as_cells(values)[:, None]


# The tokens of static vectors for tests, in the order of their rows.
STATIC_WORDS = "[UNK] red blue green car bike boat ##s ##ke bi".split()


def make_static_vectors(folder, outlier=0.0, dtype=np.float16):
    """Write static vectors of width 5 into a folder; return it."""
    tokenizers = pytest.importorskip("tokenizers")
    vocabulary = {word: i for i, word in enumerate(STATIC_WORDS)}
    model = tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    table = np.random.default_rng(0).normal(size=(len(STATIC_WORDS), 5))
    table[STATIC_WORDS.index("bike")] += outlier
    save_file({"embeddings": table.astype(dtype)}, folder / "model.safetensors")
    return folder


def exactly(message):
    """Return a pattern for the whole of a message."""
    return f"^{re.escape(message)}$"


# Inputs and estimators of the tests of what X may be

N_ROWS = 12


def make_coral(modalities="auto", **params):
    """Return an estimator that trains in milliseconds."""
    sizes = {"embed_dim": 8, "head_dim": 8, "head_hidden_dim": 8, "max_epochs": 1}
    return COrALTransformer(modalities, **{**sizes, "random_state": 0, **params})


def make_frame(n_rows=N_ROWS):
    """Return a frame with numbers, categories, booleans, dates and free text."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "year": rng.normal(size=n_rows),
            "runtime": rng.integers(60, 200, size=n_rows),
            "mpaa": np.resize(["PG", "R", "G"], n_rows),
            "seen": np.resize([True, False], n_rows),
            "released": pd.date_range("2020-01-01", periods=n_rows, freq="D"),
            "credits": [f"directed by person{i} and others" for i in range(n_rows)],
        }
    )


def make_views(n_rows=N_ROWS):
    """Return two dense blocks."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(n_rows, 3)), rng.normal(size=(n_rows, 2))
    return SliceDict(film=a, audio=b)


def is_fitted(estimator):
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def learnt(estimator):
    """Return the names of what a fit left behind."""
    return [name for name in vars(estimator) if name.endswith("_")]


FILM = [("film", "tabular", ["year", "runtime"])]
# How the errors about absent columns and blocks end.
MARK = (
    "Where rows lack them, pass them all the same: None or NaN in a column of objects "
    "or strings, NaN throughout a block of numbers."
)


# Methods on the views and films of conftest.py

FILM_TABLE = ["year", "rating", "seen", "released"]


def make_tiny(tiny, modalities="auto", **params):
    """Return an estimator of the sizes of the fixture tiny."""
    return COrALTransformer(modalities, **{**tiny, "random_state": 0, **params})


def make_batched(tiny, **params):
    """Return an estimator of the sizes of tiny that has three batches of 60 rows."""
    return make_tiny(tiny, **{"batch_size": 20, **params})


def film_modalities():
    """Return modalities of the fixture films: a table and a text."""
    return [("film", TabularModality(), FILM_TABLE), ("words", TextModality(), "plot")]


def with_gaps(views, rate=0.3):
    """Return the views with rows that lack one modality, never both."""
    rng = np.random.default_rng(1)
    gone = rng.random(60) < 2 * rate
    which = rng.random(60) < 0.5
    blocks = {name: views[name].copy() for name in views}
    blocks["a"][gone & which] = np.nan
    blocks["b"][gone & ~which] = np.nan
    return SliceDict(**blocks)


PREDICTORS = [COrALClassifier, COrALRegressor]
SMALL = {"embed_dim": 16, "head_dim": 16, "head_hidden_dim": 32}


def make_target(cls, n_rows=60, n_labelled=20):
    """Return targets of which the first ones are known; those of `views` say them."""
    factor = np.random.default_rng(0).normal(size=(n_rows, 2))[:, 0]
    y = np.digitize(factor, [-0.4, 0.4])
    if cls is COrALRegressor:
        y = y.astype(float)
    y[n_labelled:] = -1 if cls is COrALClassifier else np.nan
    return y


def predict(model, X):
    """Return probabilities of a classifier, predictions of a regressor."""
    return model.predict_proba(X) if is_classifier(model) else model.predict(X)


# Every method, fitted

METHODS = [o for o in vars(skcoral).values() if hasattr(o, "partial_fit")]


def make_fitted(method, X, n_rows=60, **params):
    """Return a fitted estimator, and what its methods take besides rows."""
    estimator = method(random_state=0, batch_size=20)
    sizes = {k: v for k, v in TINY.items() if hasattr(estimator, k)}
    supervised = is_classifier(estimator) or is_regressor(estimator)
    labels = (make_target(method, n_rows, n_rows // 3),) if supervised else ()
    return estimator.set_params(**{**sizes, **params}).fit(X, *labels), labels


# Modalities and blocks that they read

SPECS = [TabularModality, TextModality, EmbeddingModality]
TEXTS = np.array([f"a {w} car" for w in "red blue green black white".split()], object)


def text_vectors(**params):
    """Return a text modality that makes vectors, not words."""
    return TextModality(preprocessor=TfidfVectorizer(), **params)


VECTORS = [TabularModality, text_vectors, EmbeddingModality]


def make_block(spec_class, n_rows=20):
    """Return a block that a kind of modality reads."""
    rng = np.random.default_rng(0)
    if spec_class in (TextModality, text_vectors):
        return np.resize(TEXTS, n_rows)
    if spec_class is TabularModality:
        levels = np.resize(["a", "b", "c"], n_rows)
        return pd.DataFrame({"x": rng.normal(size=n_rows), "c": levels})
    return rng.normal(size=(n_rows, 4))


def make_coral_of(spec, columns):
    """Return an estimator of one modality that trains in milliseconds."""
    return make_coral([("film", spec, columns)])


# Objectives: loops that they are compared with, and the networks they run on

ATOL = {torch.float32: 1e-5, torch.float64: 1e-10}
N, DIM, UNIQUE = 6, 8, 4
# Rows that lack a modality, none of them all.
MISSING = {"m0": [0, 1], "m1": [4], "m2": [1, 4, 5]}


class Identity(nn.Module):
    """Encoder whose tokens are the block itself."""

    def forward(self, x, mask=None):
        return x, mask


class Spec:
    """A fitted modality reduced to what the network needs."""

    def make_encoder(self, embed_dim):
        return Identity()


def name_modalities(n_modalities):
    return [f"m{i}" for i in range(n_modalities)]


def make_network(n_modalities, dtype=torch.float64, **params):
    """Return a network whose weights count, biases and norms included."""
    torch.manual_seed(0)
    specs = dict.fromkeys(name_modalities(n_modalities), Spec())
    sizes = {"embed_dim": DIM, "unique_dim": UNIQUE, "n_heads": 2}
    network = DualPathNetwork(specs, **{**sizes, **params}).to(dtype)
    return shake(network)


@torch.no_grad()
def shake(module):
    """Move biases and norms away from where they start."""
    for parameter in module.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    return module


def draw_views(n_modalities, n_views=2, dtype=torch.float64):
    """Return views with 2, 3, ... tokens per modality."""
    generator = torch.Generator().manual_seed(1)
    draw = {"generator": generator, "dtype": torch.float64}
    return [
        {
            name: torch.randn(N, 2 + i, DIM, **draw).to(dtype)
            for i, name in enumerate(name_modalities(n_modalities))
        }
        for _ in range(n_views)
    ]


def lacking(views, **missing):
    """Return the views with masks: True but at the rows named for a modality."""
    masked = []
    for view in views:
        blocks = {}
        for name, values in view.items():
            mask = torch.ones(values.shape[:2], dtype=torch.bool)
            mask[missing.get(name, [])] = False
            blocks[name] = (values, mask)
        masked.append(blocks)
    return masked


def make_gaps(views):
    """Return views in which rows lack modalities, and who has what."""
    names = list(views[0])
    missing = {name: MISSING[name] for name in names}
    rows = [[i for i in range(N) if i not in missing[name]] for name in names]
    return lacking(views, **missing), rows


def permute(views, order):
    """Return the views with their rows in another order."""
    return [{name: block[order] for name, block in view.items()} for view in views]


def cosine(a, b):
    return (a @ b) / (a.norm() * b.norm())


def naive_info_nce(a, b, temperature, intra=True):
    """Return the mean over both views of -log of the softmax of the positive."""
    rows = [*a, *b]
    n_samples = len(a)
    losses = []
    for i, anchor in enumerate(rows):
        positive = (i + n_samples) % len(rows)
        scores = {
            j: math.exp(cosine(anchor, other) / temperature)
            for j, other in enumerate(rows)
            if j != i and (intra or (i < n_samples) != (j < n_samples))
        }
        losses.append(-math.log(scores[positive] / sum(scores.values())))
    return sum(losses) / len(losses)


def both(rows_a, rows_b):
    """Return the rows that have two modalities."""
    return [i for i in rows_a if i in rows_b]


# Evaluation

GRID = [1e-6, 1e-4, 1e-2, 1.0, 1e2, 1e4, 1e6]
FEW = LogisticRegression(max_iter=2000)


def evaluate_known(known, transformers, label="redundant", **options):
    """Evaluate on the rows of the fixture."""
    train, test = known
    targets = (b.target if label is None else b.target[label] for b in (train, test))
    y, y_test = targets
    options = {"X_test": test.data, "y_test": y_test, "seeds": [0]} | options
    return evaluate(transformers, train.data, y, **options)


def make_classes(n_samples=160, seed=0, **options):
    """Return features and labels of three classes, a fifth of them wrong."""
    options = {"n_informative": 4, "n_classes": 3, "flip_y": 0.2} | options
    return make_classification(n_samples, random_state=seed, **options)


def make_runs(scores, **fields):
    """Return records of methods from scores by method, one per draw."""
    return [
        {"method": method, "seed": None, "draw": draw, "accuracy": score, **fields}
        for method, values in scores.items()
        for draw, score in enumerate(values)
    ]


# Files of data sets

AFFECT_SIZES = {"train": 24, "valid": 8, "test": 8}
AFFECT_STEPS = 50
# Narrower than the real files, apart from vision and audio of MOSI.
AFFECT_WIDTHS = {"vision": 20, "audio": 5, "text": 30}
MIMIC_ROWS = 43


def _make_affect_part(n, rng, name="mosi", shape=(1, 1), dtype=np.float32):
    """Return one split: padding on the left, a row without text, infinite audio."""
    lengths = rng.integers(1, AFFECT_STEPS + 1, n)
    lengths[:2] = 1, AFFECT_STEPS
    part = {}
    for key, width in AFFECT_WIDTHS.items():
        series = rng.normal(size=(n, AFFECT_STEPS, width))
        series[np.arange(AFFECT_STEPS) < AFFECT_STEPS - lengths[:, None]] = 0
        part[key] = series.astype(dtype)
    part["text"][2] = 0
    part["audio"][3, -1, :2] = -np.inf
    if name in ("mosi", "mosei"):
        labels = rng.uniform(-3, 3, n)
        labels[3] = 0
    else:
        labels = rng.choice([-1, 1] if name == "sarcasm" else [0, 1], n)
    part["labels"] = np.zeros((n, *shape))
    part["labels"].reshape(n, -1)[:, 0] = labels
    if shape == (1, 7):
        part["labels"][..., 1:] = rng.uniform(0, 3, (n, 1, 6))
    part["id"] = [f"video{i}[{i % 3}]" for i in range(n)]
    return part


def make_affect_file(path, name="mosi", shape=(1, 1), dtype=np.float32, change=None):
    """Write a file and return its path and its content."""
    rng = np.random.default_rng(0)
    content = {
        subset: _make_affect_part(n, rng, name, shape, dtype)
        for subset, n in AFFECT_SIZES.items()
    }
    if change is not None:
        change(content)
    path.write_bytes(pickle.dumps(content))
    return path, content


def make_mimic_file(path, n=MIMIC_ROWS, change=None):
    """Write a file of the format, with gaps, and return its path and content."""
    rng = np.random.default_rng(0)
    stays = {
        "ep_tdata": rng.normal(3, 2, (n, 24, 12)),
        "adm_features_all": rng.normal(50, 9, (n, 5)),
        "adm_labels_all": (rng.random((n, 6)) < 0.2).astype(float),
        "y_icd9": (rng.random((n, 20)) < 0.5).astype(int),
        "adm_labels_mort": rng.integers(0, 2, n),
    }
    stays["ep_tdata"][0, 3, 2] = np.nan
    stays["ep_tdata"][1, 4, 5] = np.inf
    stays["adm_features_all"][2, 1] = -np.inf
    stays["adm_features_all"][3, 4] = np.nan
    if change is not None:
        change(stays)
    path.write_bytes(pickle.dumps(stays))
    return path, stays


# Cells of an experiment; worker processes import what they run, not test modules


def measure(cell):
    """Return the records of one cell, some arithmetic."""
    score = float(np.random.default_rng(cell["seed"]).random())
    return [
        {"method": "majority", "seed": None, "balanced_accuracy": 0.5},
        {**cell, "balanced_accuracy": score},
    ]


def measure_threads(cell):
    """Return how many threads torch has in this process, and which process it is."""
    return [{"threads": torch.get_num_threads(), "process": os.getpid()}]


def read_state(folder):
    """Return content and time of each finished cell, in order of name."""
    files = sorted((folder / "cells").glob("*.json"))
    return {file.name: (file.read_text(), file.stat().st_mtime_ns) for file in files}


def gradients(out, layer, x):
    """Return the gradients of a sum of squares by the input and all parameters."""
    return torch.autograd.grad(out.square().sum(), [x, *layer.parameters()])
