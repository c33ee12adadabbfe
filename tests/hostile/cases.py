"""Cases: hypothesis draws words, and a case makes data and an estimator of them."""

import datetime
import functools
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import torch
from helpers import as_cells
from hostile.blocks import BLOCKS, FORMS, draw, make_table
from hostile.cells import CELLS, Raising, write_files
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import StandardScaler
from skorch.helper import SliceDict

import skcoral
from skcoral import (
    EmbeddingModality,
    ImageModality,
    SequenceModality,
    TabularModality,
    TextModality,
)

FILES = (
    "empty.png text.png cut.png good.png bomb.png I16.png F.tif 1.png CMYK.jpg "
    "fifo.png folder.png"
).split()
# What stands around hostile cells.
FILLERS = {
    "numbers": lambda row: row * 0.7 % 3,
    "texts": lambda row: f"a {'red blue green'.split()[row % 3]} car drives {row}",
    "levels": lambda row: "ab"[row % 2],
    "dates": lambda row: datetime.datetime(2020, 1, 1 + row % 28),
    "series": lambda row: np.arange(2.0 + row % 2) + row,
    "pixels": lambda row: np.full((4, 4, 3), 20 * (row % 12), np.uint8),
    "gaps": lambda row: None,
    "booleans": lambda row: row % 2 == 0,
}
# The kind that reads what stands there.
FITTING = {
    "numbers": "embedding",
    "texts": "text",
    "series": "sequence",
    "pixels": "image",
    "gaps": None,
}
KINDS = {
    **{word: lambda w=word: w for word in skcoral.modalities.KINDS},
    "scaled table": lambda: TabularModality(preprocessor=StandardScaler()),
    "noisy table": lambda: TabularModality(augmentation=["noise", "drop"]),
    "subwords": lambda: TextModality(tokenizer="subwords"),
    "runs of letters": lambda: TextModality(tokenizer="ngrams"),
    "text vectors": lambda: TextModality(preprocessor=TfidfVectorizer()),
    "scaled vectors": lambda: EmbeddingModality(preprocessor=StandardScaler()),
    "short gru": lambda: SequenceModality(encoder="gru", max_length=2),
    "grey": lambda: ImageModality(size=8, mode="L"),
    "patches": lambda: ImageModality(encoder="patch", patch_size=4),
    "augmented series": lambda: SequenceModality(augmentation=["crop", "permute"]),
}
COLUMNS = {
    "position": lambda: [0],
    "both positions": lambda: [0, 1],
    "name": lambda: "h",
    "names": lambda: ["h", "k"],
    "mask": lambda: [True, False, False],
    "slice": lambda: slice(0, 1),
    "slice of names": lambda: slice("h", "g"),
    "callable": lambda: lambda X: [0],
    "negative": lambda: -3,
    "unknown name": lambda: "year",
    "out of range": lambda: [99],
    "none": lambda: [],
    "float": lambda: 0.5,
    "None": lambda: None,
    "nested": lambda: [["h"]],
    "array": lambda: np.array([0]),
    "mixed": lambda: ["h", 0],
    "lengths": lambda: ["h", "g"],
    "raising": lambda: lambda X: X.nothing,
}
PREDICTORS = ("COrALClassifier", "COrALRegressor")
OTHERS = [n for n in skcoral.__all__ if n.endswith("Transformer")]
USUAL = ["COrALTransformer"] * 6 + [*PREDICTORS] * 4 + OTHERS
GOOD_FORMS = ["pandas", "pandas objects", "polars", "array", "SliceDict", "list"]
TARGETS = {
    "two": lambda n: np.arange(n) % 2,
    "three": lambda n: list(np.arange(n) % 3),
    "strings": lambda n: np.resize(["u", "v"], n),
    "objects": lambda n: as_cells(["u", None] + ["v"] * n)[:n],
    "numbers": lambda n: draw(n) / 3,
    "few": lambda n: np.r_[0.0, 1.0, np.full(n, np.nan)][:n],
    "marked": lambda n: np.r_[0, 1, np.full(n, -1)][:n],
    "none": lambda n: None,
    "all None": lambda n: [None] * n,
    "all nan": lambda n: np.full(n, np.nan),
    "constant": np.ones,
    "short": lambda n: np.arange(1, n) % 2,
    "two columns": lambda n: np.zeros((n, 2)),
    "one column": lambda n: (np.arange(n) % 2)[:, None],
    "0-D": lambda n: np.array(1),
    "word": lambda n: "abc",
    "inf": lambda n: np.r_[np.inf, draw(n)][:n],
    "NA": lambda n: pd.Series([1, pd.NA] * n, dtype=object)[:n],
    "nullable": lambda n: pd.Series([1, 0, None] * n, dtype="Int64")[:n],
    "nullable strings": lambda n: pd.Series(["u", None, "v"] * n, dtype="string")[:n],
    "category": lambda n: pd.Series(["u", "v"] * n, dtype="category")[:n],
    "polars": lambda n: pl.Series([1, None, 0] * n)[:n],
    "frame": lambda n: pd.DataFrame({"y": np.arange(n) % 2}),
    "polars frame": lambda n: pl.DataFrame({"y": np.arange(n) % 2}),
    "mixed": lambda n: as_cells([1, "a"] * n)[:n],
    "mixed, string first": lambda n: as_cells(["a", 1] * n)[:n],
    "mixed list": lambda n: [1, "a"] * (n // 2),
    "number strings": lambda n: as_cells(["1", "2.5"] * n)[:n],
    "huge": lambda n: [10**400, 1] * (n // 2),
    "large": lambda n: np.r_[1e160, draw(n)][:n],
    "beyond 64 bits": lambda n: [2**70, 1] * (n // 2),
    "bytes": lambda n: [b"a", b"b"] * (n // 2),
    "dates": lambda n: np.arange(n).astype("M8[D]"),
    "timedeltas": lambda n: np.arange(n).astype("m8[D]"),
    "decimals": lambda n: [Decimal("1.5"), Decimal("sNaN")] * (n // 2),
    "complex": lambda n: np.arange(n) * 1j,
    "complex objects": lambda n: [1j, 2] * (n // 2),
    "bool": lambda n: np.arange(n) % 2 == 0,
    "bool and None": lambda n: [True, False, None] * (n // 3) + [None] * (n % 3),
    "tensor": lambda n: torch.arange(n) % 2,
    "tensor with gradient": lambda n: torch.ones(n, requires_grad=True),
    "sparse": lambda n: sparse.csr_matrix(np.eye(n)[:, :1]),
    "masked": lambda n: np.ma.array(np.arange(n) % 2, mask=np.arange(n) == 0),
    "lists": lambda n: [[1], [1, 2]] * (n // 2),
    "tuples": lambda n: as_cells([(1, 2), (1,)] * n)[:n],
    "dicts": lambda n: [{"a": 1}] * n,
    "raising": lambda n: as_cells([Raising("eq"), 1] * n)[:n],
    "structured": lambda n: np.zeros(n, dtype=[("a", "f8")]),
    "void": lambda n: np.zeros(n, dtype="V4"),
    "float16": lambda n: (draw(n) / 3).astype(np.float16),
    "longdouble": lambda n: draw(n).astype(np.longdouble) ** 3000,
    "number": lambda n: 7,
    "object": lambda n: object(),
    "iterator": lambda n: iter(range(n)),
    "set": lambda n: set(range(n)),
    "dict": lambda n: dict.fromkeys(range(n), 0),
    "nan string": lambda n: np.resize(["nan", "v"], n),
}
PARAMETERS = {
    "none": {},
    "nan": {"missing": "nan"},
    "empty rows": {"empty_rows": "nan"},
    "early": {"early_stopping": True, "validation_fraction": 0.3},
    "late": {"early_stopping": True, "validation_fraction": 0.01},
    "steep": {"lr": 1e30},
    "huge rate": {"lr": 10**400},
    "callback word": {"callbacks": ["x"]},
    "callback number": {"callbacks": [None]},
    "callback class": {"callbacks": [int]},
    "callback pair": {"callbacks": [("a", "b")]},
    "unknown device": {"device": "toaster"},
    "meta": {"device": "meta"},
    "cuda": {"device": "cuda:99"},
    "batches": {"batch_size": 3},
    "huge batch": {"batch_size": 10**30},
    "odd width": {"embed_dim": 7},
    "warm": {"warm_start": True},
    "negative seed": {"random_state": -1},
    "huge seed": {"random_state": 2**70},
    "no fraction": {"validation_fraction": float("nan")},
    "no temperature": {"temperature": float("nan")},
    "mask ratios": {"mask_ratio": ["a"]},
    "shared": {"output": "shared"},
    "no modalities": {"modalities": []},
    "modality of None": {"modalities": [("h", None, "h")]},
    "modality of a class": {"modalities": [("h", TabularModality, "h")]},
    "modality without columns": {"modalities": [("h", "tabular")]},
    "equal modalities": {"modalities": [("h", "tabular", [0]), ("h", "text", [0])]},
    "modality of a number": {"modalities": [(1, "tabular", [0])]},
    "named after a parameter": {"modalities": [("lr", "tabular", [0])]},
    "parameter of a word": {"h__corruption_rate": 0.3},
    "unknown parameter": {"h__nothing": 1},
    "deep parameter": {"h__a__b": 1},
    "spec by name": {"h": "tabular"},
    "unlabeled list": {"unlabeled": [1]},
    "unlabeled word": {"unlabeled": "u"},
    "unlabeled None": {"unlabeled": None},
}
WEIGHTS = {
    **{f"weight {w}": {0: w, 1: 1.0} for w in (0, -1, float("nan"), float("inf"))},
    **{f"weight {w!r}": {0: w, 1: 1.0} for w in (1e308, 1e-320, 10**400, None, "a")},
    "weights of others": {5: 1.0},
    "weights of words": {"u": 2.0, "v": 1},
    "no weights": {},
    "balanced": "balanced",
    "wrong word": "equal",
    "list of weights": [1, 2],
}
OPERATIONS = {
    "transform": lambda e, X, y: e.transform(X),
    "predict": lambda e, X, y: e.predict(X),
    "predict_proba": lambda e, X, y: e.predict_proba(X),
    "decision_function": lambda e, X, y: e.decision_function(X),
    "score": lambda e, X, y: e.score(X, y),
    "partial_fit": lambda e, X, y: _fit_more(e, X, y).score(X, y),
    "first chunk": lambda e, X, y: _fit_more(clone(e), X, y).transform(X),
    "fit": lambda e, X, y: e.fit(X, y).transform(X),
    "names": lambda e, X, y: e.get_feature_names_out(["h", "g", "k"]),
    "hostile names": lambda e, X, y: e.get_feature_names_out(X),
    "output": lambda e, X, y: e.set_output(transform="pandas").transform(X).to_numpy(),
    "set_params": lambda e, X, y: e.set_params(h__corruption_rate=0.3).fit(X, y),
}


def _fit_more(estimator, X, y):
    """Fit a chunk; predictors, which take none, train on."""
    if hasattr(estimator, "partial_fit"):
        return estimator.partial_fit(X, y)
    return estimator.set_params(warm_start=True).fit(X, y)


@dataclass(frozen=True)
class Data:
    """X by words: a form and its cells, or a block alone or in a SliceDict."""

    form: str
    block: str | None = None
    filler: str = "numbers"
    cells: tuple[str, ...] = ()
    n_rows: int = 8

    def make(self, folder):
        """Return X."""
        if self.block is None:
            return make_table(self.form, self._fill_columns(folder))
        block = BLOCKS[self.block](self.n_rows)
        if self.form == "SliceDict":
            try:
                return SliceDict(h=block, g=draw(block.shape[0], 2))
            except (AttributeError, IndexError, TypeError):
                pass  # not every block has the shape that a SliceDict asks for
        return block

    def _fill_columns(self, folder):
        rows = range(self.n_rows)
        h = [FILLERS[self.filler](row) for row in rows]
        paths = _find_files(folder)
        for row, name in zip(rows, reversed(self.cells), strict=False):
            h[-1 - row] = paths[name] if name in paths else CELLS[name]()
        return {"h": h, "g": list(draw(self.n_rows)), "k": [r % 3 for r in rows]}


@functools.cache
def _find_files(folder):
    return write_files(folder)


@dataclass(frozen=True)
class Case:
    """A fit and one more operation, by words."""

    estimator: str
    data: Data
    kind: str | None
    columns: str
    y: str
    parameters: tuple[str, ...]
    operation: str
    other: Data | None

    def make_estimator(self, X):
        """Return the estimator, not fitted."""
        sizes = {"embed_dim": 8, "head_dim": 8, "head_hidden_dim": 8}
        params = {**sizes, "n_heads": 2, "max_epochs": 1, "random_state": 0}
        params["modalities"] = self._name_modalities(X)
        for word in self.parameters:
            weights = word in WEIGHTS
            params |= {"class_weight": WEIGHTS[word]} if weights else PARAMETERS[word]
        estimator = getattr(skcoral, self.estimator)()
        known = {k for k in params if "__" in k or hasattr(estimator, k) or k == "h"}
        first = {k: v for k, v in params.items() if k == "modalities"}
        estimator.set_params(**first)
        return estimator.set_params(**{k: params[k] for k in sorted(known)})

    def _name_modalities(self, X):
        kind = self.kind
        if kind == "fitting":
            kind = FITTING.get(self.data.filler, "tabular")
        if kind is None or (self.kind == "fitting" and self.data.block is not None):
            return "auto"
        if isinstance(X, SliceDict):
            columns = "h" if self.columns == "position" else COLUMNS[self.columns]()
            rest = "g"
        else:
            columns, rest = COLUMNS[self.columns](), [1]
        return [("h", KINDS[kind](), columns), ("v", "tabular", rest)]

    def make_target(self, data):
        """Return y for some data."""
        return TARGETS[self.y](data.n_rows)

    def read_other(self):
        """Return the data of the operation."""
        return self.other or self.data


def _draw_cells():
    names = st.sampled_from(sorted(CELLS) + FILES)
    alone = names.map(lambda name: (name,))
    throughout = names.map(lambda name: (name,) * 8)
    return st.one_of(alone, throughout, st.lists(names, max_size=8).map(tuple))


def draw_data():
    """Return a strategy of data."""
    n_rows = st.sampled_from([8, 8, 8, 8, 2, 1, 0, 3])
    tables = st.builds(
        Data,
        form=st.sampled_from(list(FORMS)),
        filler=st.sampled_from(list(FILLERS)),
        cells=_draw_cells(),
        n_rows=n_rows,
    )
    blocks = st.builds(
        Data,
        form=st.sampled_from(["SliceDict", "alone"]),
        block=st.sampled_from(list(BLOCKS)),
        n_rows=n_rows,
    )
    return st.one_of(tables, tables, blocks)


def draw_case():
    """Return a strategy of cases: hostile in one respect or two, or in all."""
    usual = {
        "estimator": st.sampled_from(USUAL),
        "data": draw_good(),
        "kind": st.just("fitting"),
        "columns": st.just("position"),
        "y": st.just("two"),
        "parameters": st.just(()),
        "operation": st.sampled_from(list(OPERATIONS)),
        "other": st.none(),
    }
    words = st.sampled_from([*PARAMETERS, *WEIGHTS])
    targets = st.sampled_from(list(TARGETS))
    hostile = {
        "data": draw_data(),
        "kind": st.sampled_from(["fitting", None, *KINDS]),
        "columns": st.sampled_from(list(COLUMNS)),
        "parameters": st.lists(words, min_size=1, max_size=2).map(tuple),
    }
    labels = {"y": targets, "estimator": st.sampled_from(PREDICTORS)}
    respects = [
        {"data": draw_data()},
        {"data": hostile["data"], "kind": hostile["kind"]},
        {"other": draw_data()},
        {"other": draw_data(), "data": draw_data()},
        labels,
        {**labels, "parameters": hostile["parameters"]},
        {"parameters": hostile["parameters"]},
        {"columns": hostile["columns"]},
        {**hostile, "y": targets, "other": draw_data()},
    ]
    return st.one_of([st.builds(Case, **usual | each) for each in respects])


def draw_good():
    """Return a strategy of data that should do no harm."""
    fillers = st.sampled_from([name for name in FILLERS if name != "gaps"])
    return st.builds(Data, form=st.sampled_from(GOOD_FORMS), filler=fillers)
