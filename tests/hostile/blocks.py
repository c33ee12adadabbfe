"""Blocks and containers of all libraries and types, by name."""

import functools
import tempfile

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import torch
from helpers import as_cells
from scipy import sparse
from skorch.helper import SliceDict

RNG = np.random.default_rng(0)
DTYPES = """
    bool int8 uint8 int16 uint16 int64 uint64 float16 float32 float64 >f8 longdouble
    complex64 complex128 U3 S3 O M8[ns] M8[us] M8[D] M8[Y] m8[s] V4
    """.split()


def draw(n_rows, *shape):
    """Return the same numbers for the same shape, not negative."""
    return np.random.default_rng(0).uniform(0, 9, size=(n_rows, *shape))


def make_typed(dtype, n_rows):
    """Return an array of a dtype with two columns."""
    numbers = draw(n_rows, 2)
    if dtype == "V4":
        return np.zeros((n_rows, 2), dtype="V4")
    if dtype[0] in "mM":
        numbers = numbers.astype("i8")
    return numbers.astype(dtype)


def make_mapped(n_rows, *shape, dtype="f8"):
    """Return a memory-mapped array."""
    file = tempfile.TemporaryFile()
    mapped = np.memmap(file, dtype=dtype, shape=(n_rows, *shape), mode="w+")
    mapped[:] = draw(n_rows, *shape)
    return mapped


def make_read_only(n_rows):
    block = draw(n_rows, 2)
    block.flags.writeable = False
    return block


def make_masked(n_rows):
    mask = np.zeros((n_rows, 2), dtype=bool)
    mask[:1] = True
    return np.ma.array(draw(n_rows, 2), mask=mask)


def fill(value):
    """Return a maker of blocks that hold one value among numbers."""

    def make(n_rows):
        block = draw(n_rows, 2)
        block[n_rows // 2 :, 0] = value
        return block

    return make


BLOCKS = {
    **{name: functools.partial(make_typed, name) for name in DTYPES},
    "StringDType": lambda n: np.full((n, 2), "a", dtype=np.dtypes.StringDType()),
    "structured": lambda n: np.zeros(n, dtype=[("a", "f8"), ("b", "U1")]),
    "record": lambda n: np.rec.fromarrays([np.zeros(n), np.zeros(n)], names="a,b"),
    **{f"with {value}": fill(value) for value in (np.nan, np.inf, 1e300, 1e-300)},
    "constant": lambda n: np.ones((n, 2)),
    "all nan": lambda n: np.full((n, 2), np.nan),
    "1-D": draw,
    "1-D strings": lambda n: np.resize(["a b c", "d e f"], n),
    "0-D": lambda n: np.array(1.0),
    "no columns": lambda n: np.zeros((n, 0)),
    "no rows": lambda n: np.zeros((0, 2)),
    "one row": lambda n: np.zeros((1, 2)),
    "two rows": lambda n: draw(2, 2),
    "3-D": lambda n: draw(n, 3, 2),
    "3-D no steps": lambda n: np.zeros((n, 0, 2)),
    "3-D no features": lambda n: np.zeros((n, 3, 0)),
    "3-D objects": lambda n: draw(n, 3, 2).astype(object),
    "4-D": lambda n: draw(n, 4, 4, 3),
    "4-D unit": lambda n: draw(n, 4, 4, 3) / 9,
    "4-D bytes": lambda n: draw(n, 4, 4, 3).astype(np.uint8),
    "4-D uint16": lambda n: draw(n, 4, 4, 1).astype(np.uint16),
    "4-D no pixels": lambda n: np.zeros((n, 0, 4, 3), np.uint8),
    "4-D one pixel": lambda n: np.ones((n, 1, 1, 3), np.uint8),
    "5-D": lambda n: draw(n, 2, 2, 2, 2),
    "fortran": lambda n: np.asfortranarray(draw(n, 2)),
    "strided": lambda n: draw(n, 4)[:, ::-2],
    "read-only": make_read_only,
    "mapped": lambda n: make_mapped(n, 2),
    "mapped complex": lambda n: make_mapped(n, 2, dtype="c16"),
    "mapped 3-D": lambda n: make_mapped(n, 3, 2),
    "mapped 1-D": make_mapped,
    "matrix": lambda n: np.asmatrix(draw(n, 2)),
    "masked": make_masked,
    "masked 3-D": lambda n: np.ma.masked_less(draw(n, 3, 2), 1),
    "tensor": lambda n: torch.tensor(draw(n, 2)),
    "tensor 3-D": lambda n: torch.tensor(draw(n, 3, 2)),
    "tensor bfloat16": lambda n: torch.ones(n, 2, dtype=torch.bfloat16),
    "tensor complex": lambda n: torch.ones(n, 2, dtype=torch.complex64),
    "tensor with gradient": lambda n: torch.ones(n, 2, requires_grad=True),
    "tensor sparse": lambda n: torch.ones(n, 2).to_sparse(),
    "tensor meta": lambda n: torch.ones(n, 2, device="meta"),
    "pandas sparse": lambda n: pd.DataFrame.sparse.from_spmatrix(sparse.eye(n)),
    "series": lambda n: pd.Series(draw(n)),
    "series of texts": lambda n: pd.Series(np.resize(["a b c", "d e f"], n)),
    "polars series": lambda n: pl.Series("s", draw(n)),
    "polars series of lists": lambda n: pl.Series("s", draw(n, 3).tolist()),
    "polars series of structs": lambda n: pl.Series("s", [{"a": 1}] * n),
    "arrow array": lambda n: pa.array(draw(n)),
    "arrow chunked": lambda n: pa.chunked_array([pa.array(draw(n))]),
    "frame": lambda n: pd.DataFrame(draw(n, 2), columns=["a", "b"]),
    "empty frame": lambda n: pd.DataFrame(index=range(n)),
    "polars": lambda n: pl.DataFrame(draw(n, 2)),
    "lazy": lambda n: pl.DataFrame(draw(n, 2)).lazy(),
    "arrow table": lambda n: pa.table({"a": draw(n), "b": draw(n)}),
    **{
        f"sparse {form}": (lambda n, form=form: sparse.eye_array(n, 3, format=form))
        for form in ("csr", "csc", "coo", "dok", "lil", "bsr", "dia")
    },
    "sparse csr_matrix": lambda n: sparse.csr_matrix(draw(n, 3) > 4),
    "sparse nan": lambda n: sparse.csr_array(np.full((n, 2), np.nan)),
    "sparse complex": lambda n: sparse.csr_array(np.ones((n, 2), dtype=complex)),
    "sparse 1-D": lambda n: sparse.coo_array(np.ones(n)),
    "sparse zero": lambda n: sparse.csr_array((n, 2)),
    "rows of dicts": lambda n: [{"a": 1}] * n,
    "ragged rows": lambda n: [[1.0], *[[1.0, 2.0]] * (n - 1)],
    "rows of texts": lambda n: [["a"], *[["b"]] * (n - 1)],
    "list of texts": lambda n: ["a"] * n,
    "list of numbers": lambda n: list(range(n)),
    "list of tensors": lambda n: [torch.ones(2)] * n,
    "list of arrays": lambda n: [np.ones(2)] * n,
    "deep list": lambda n: [[[1.0, 2.0]]] * n,
    "iterator": lambda n: iter(draw(n, 2)),
    "set": lambda n: set(range(n)),
    "text": lambda n: "a" * n,
    "none": lambda n: None,
    "number": int,
    "dict": lambda n: {"a": draw(n)},
    "object": lambda n: object(),
    "no list": lambda n: [],
    "empty SliceDict": lambda n: SliceDict(),
}


def _infer(columns):
    return pd.DataFrame({k: pd.Series(list(v)) for k, v in columns.items()})


def _objects(columns):
    return pd.DataFrame(
        {k: pd.Series(list(v), dtype=object) for k, v in columns.items()}
    )


def _polars(columns):
    return pl.DataFrame(
        {k: pl.Series(k, list(v), strict=False) for k, v in columns.items()}
    )


def _polars_objects(columns):
    frame = {k: pl.Series(k, list(v), dtype=pl.Object) for k, v in columns.items()}
    return pl.DataFrame({**frame, "g": list(columns["g"])})


def _rows(columns):
    return list(map(list, zip(*columns.values(), strict=True)))


def _matrix(columns):
    return np.column_stack([as_cells(values) for values in columns.values()])


def _rename(names):
    """Return a form of frames with other names of the columns."""

    def form(columns):
        frame = _objects(columns)
        return frame.set_axis(
            pd.Index(names, dtype=object, tupleize_cols=False), axis=1
        )

    return form


def _levels(columns):
    frame = _objects(columns)
    return frame.set_axis(pd.MultiIndex.from_product([["x"], columns]), axis=1)


def _cast(dtype):
    """Return a form of frames whose columns are cast where that is possible."""

    def form(columns):
        frame = _objects(columns)
        frame["h"] = frame["h"].astype(dtype)
        return frame

    return form


def _index(index):
    """Return a form of frames with another index."""
    return lambda columns: _objects(columns).set_index(
        pd.Index(np.resize(index, len(columns["g"])), dtype=object)
    )


# Forms of a table whose columns are "h", hostile cells, "g" and "k", numbers.
FORMS = {
    "pandas": _infer,
    "pandas objects": _objects,
    "pandas nullable": lambda c: _infer(c).convert_dtypes(),
    "pandas arrow": lambda c: _infer(c).convert_dtypes(dtype_backend="pyarrow"),
    **{
        f"pandas {dtype}": _cast(dtype)
        for dtype in """category string Int64 Float64 boolean datetime64[ns]
        timedelta64[ns] period[M] Sparse[float] complex128 string[pyarrow]
        datetime64[ns,UTC] float16 int8""".split()
    },
    "pandas duplicate names": _rename(["h", "h", "g"]),
    "pandas int names": _rename([0, 1, 2]),
    "pandas mixed names": _rename(["h", 1, 2.5]),
    "pandas odd names": _rename([None, "", "a__b"]),
    "pandas tuple names": _rename([("h", 1), ("g", 1), ("k", 2)]),
    "pandas nan names": _rename([np.nan, "g", "k"]),
    "pandas levels": _levels,
    "pandas double index": _index([0, 0]),
    "pandas odd index": _index([None, "a", 1.5]),
    "polars": _polars,
    "polars objects": _polars_objects,
    **{
        f"polars {name}": (
            lambda c, t=t: _polars(c).with_columns(pl.col("h").cast(t, strict=False))
        )
        for name, t in {
            "categorical": pl.Categorical,
            "decimal": pl.Decimal(20, 2),
            "duration": pl.Duration("ns"),
            "time": pl.Time,
            "binary": pl.Binary,
            "null": pl.Null,
            "float32": pl.Float32,
            "date": pl.Date,
            **({"int128": pl.Int128} if hasattr(pl, "Int128") else {}),
        }.items()
    },
    "polars array": lambda c: _polars(c).with_columns(
        h=pl.Series([[1.0, 2.0]] * len(c["g"]), dtype=pl.Array(pl.Float64, 2))
    ),
    "polars struct": lambda c: _polars(c).with_columns(h=pl.struct("g", "k")),
    "polars lists": lambda c: _polars(c).with_columns(h=pl.concat_list("g", "k")),
    "arrow": lambda c: pa.table({k: pa.array(list(v)) for k, v in c.items()}),
    "list": _rows,
    "tuple": lambda c: tuple(map(tuple, _rows(c))),
    "array": _matrix,
    "SliceDict": lambda c: SliceDict(h=as_cells(c["h"]), g=np.asarray(c["g"])),
    "SliceDict of columns": lambda c: SliceDict(
        h=as_cells(c["h"])[:, None], g=_matrix({"g": c["g"], "k": c["k"]})
    ),
    "SliceDict of wide": lambda c: SliceDict(
        h=_matrix({"h": c["h"], "j": c["h"]}), g=np.asarray(c["g"])[:, None]
    ),
    "SliceDict of frames": lambda c: SliceDict(
        h=_objects({"h": c["h"], "k": c["k"]}), g=np.asarray(c["g"])[:, None]
    ),
    "SliceDict of series": lambda c: SliceDict(
        h=pd.Series(list(c["h"]), dtype=object), g=np.asarray(c["g"])[:, None]
    ),
    "SliceDict of polars": lambda c: SliceDict(
        h=pl.Series(list(c["h"]), strict=False), g=pl.DataFrame({"g": list(c["g"])})
    ),
    "SliceDict of strings": lambda c: SliceDict(
        h=np.array([str(v) for v in c["h"]]), g=np.asarray(c["g"])[:, None]
    ),
}


def make_table(form, columns):
    """Return the columns in a form, or as objects where the library refuses them."""
    try:
        return FORMS[form](columns)
    except (Exception, pl.exceptions.PanicException):
        return _objects(columns)
