"""Cells that tables hold in the wild, by name: each makes one cell."""

import collections
import datetime
import decimal
import enum
import fractions
import io
import os
import pathlib

import numpy as np
import pandas as pd
import polars as pl
import torch
from PIL import Image
from scipy import sparse

ZONES = [datetime.timezone(datetime.timedelta(hours=h)) for h in (14, -12)]
Point = collections.namedtuple("Point", "x y")


class Colour(enum.Enum):
    RED = 1


class Raising:
    """An object one of whose methods raises an error of its own."""

    def __init__(self, method):
        self.method = method

    def _answer(self, method, answer):
        if method == self.method:
            raise RuntimeError(f"no {method}")
        return answer

    def __eq__(self, other):
        return self._answer("eq", self is other)

    def __ne__(self, other):
        return self._answer("eq", self is not other)

    def __hash__(self):
        return self._answer("hash", 1)

    def __repr__(self):
        return self._answer("repr", "Raising()")

    def __len__(self):
        return self._answer("len", 1)

    def __bool__(self):
        return self._answer("bool", True)

    def __float__(self):
        return self._answer("float", 1.0)


class Eager:
    """An object that raises when numpy asks for its array."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no array")


class Undecided:
    """An object whose comparisons have no truth."""

    def __ne__(self, other):
        return np.array([True, False])

    __eq__ = __ne__
    __hash__ = None


NUMBERS = {
    "zero": 0,
    "negative zero": -0.0,
    "nan": float("nan"),
    "inf": float("inf"),
    "-inf": float("-inf"),
    "1e308": 1e308,
    "-1e308": -1e308,
    "1e-320": 1e-320,
    "2**53 + 1": 2**53 + 1,
    "2**63": 2**63,
    "2**64": 2**64,
    "10**30": 10**30,
    "10**400": 10**400,
    "-10**400": -(10**400),
    "float16": np.float16(6e4),
    "longdouble": np.longdouble(2) ** 5000,
    "int8": np.int8(-128),
    "uint64": np.uint64(2**64 - 1),
    "true": True,
    "bool_": np.bool_(False),
    "decimal": decimal.Decimal("1.5"),
    "decimal nan": decimal.Decimal("NaN"),
    "decimal snan": decimal.Decimal("sNaN"),
    "decimal inf": decimal.Decimal("Infinity"),
    "decimal 1e400": decimal.Decimal("1e400"),
    "fraction": fractions.Fraction(1, 3),
    "fraction 10**400": fractions.Fraction(10**400, 3),
    "complex": 1 + 2j,
    "complex nan": complex("nan"),
    "complex64": np.complex64(1j),
}
GAPS = {
    "none": None,
    "NA": pd.NA,
    "NaT": pd.NaT,
    "datetime64 nat": np.datetime64("NaT"),
    "timedelta64 nat": np.timedelta64("NaT"),
    "masked": np.ma.masked,
    "ellipsis": ...,
}
DATES = {
    "datetime": datetime.datetime(2020, 2, 29),
    "datetime max": datetime.datetime.max,
    "datetime min": datetime.datetime.min,
    "datetime max, zone": datetime.datetime.max.replace(tzinfo=ZONES[1]),
    "datetime min, zone": datetime.datetime.min.replace(tzinfo=ZONES[0]),
    "date": datetime.date(2020, 2, 29),
    "date max": datetime.date.max,
    "date min": datetime.date.min,
    "time": datetime.time(1),
    "timedelta": datetime.timedelta(days=1),
    "timedelta max": datetime.timedelta.max,
    "datetime64": np.datetime64("2020-02-29"),
    "datetime64 far": np.datetime64(2**62, "D"),
    "datetime64 unitless": np.datetime64("NaT", "generic"),
    "timedelta64": np.timedelta64(1, "s"),
    "timedelta64 far": np.timedelta64(2**62, "W"),
    "timestamp": pd.Timestamp("2020-02-29"),
    "timestamp, zone": pd.Timestamp("2020-02-29", tz="Asia/Tokyo"),
    "timestamp max": pd.Timestamp.max,
    "pandas timedelta": pd.Timedelta("1D"),
    "period": pd.Period("2020-02"),
    "interval": pd.Interval(0, 1),
}
STRINGS = {
    "empty": "",
    "space": " ",
    "letter": "a",
    "null byte": "\x00",
    "inner null byte": "a\x00b",
    "nan as string": "nan",
    "None as string": "None",
    "surrogate": "\ud800",
    "emoji": "😀",
    "chinese": "这是一部关于爱情的电影",
    "hindi": "यह एक फिल्म है",
    "long": "word " * 2000,
    "number as string": "1e5",
    "C++": "C++",
    "right to left": "\u202eabc",
    "numpy string": np.str_("a"),
    "sentence": "a red car in the night",
    "bytes": b"a",
    "no bytes": b"",
    "numpy bytes": np.bytes_(b"a"),
    "bytearray": bytearray(b"ab"),
    "memoryview": memoryview(b"ab"),
    "missing file": "missing.png",
    "null byte in path": "a\x00b.png",
    "surrogate in path": "\ud800.png",
    "long path": "a" * 5000 + ".png",
    "address": "https://example.org/a.png",
    "device": os.devnull,
    "folder": pathlib.Path(),
}
CONTAINERS = {
    "no list": list,
    "list": lambda: [1.0, 2.0],
    "list of strings": lambda: ["tag", "other"],
    "mixed list": lambda: [1, "a"],
    "ragged list": lambda: [[1], [1, 2]],
    "list of gaps": lambda: [None, None],
    "list of huge": lambda: [10**400, 1],
    "list of inf": lambda: [float("inf"), 1.0],
    "list of nan": lambda: [float("nan"), float("nan")],
    "list of lists": lambda: [[1.0, 2.0], [3.0, 4.0]],
    "list of raising": lambda: [Raising("float")],
    "no tuple": tuple,
    "tuple": lambda: (1, 2),
    "dict": lambda: {"a": 1},
    "set": lambda: {1},
    "range": lambda: range(3),
    "iterator": lambda: iter([1, 2]),
    "namedtuple": lambda: Point(1, 2),
    "0-d array": lambda: np.array(3.0),
    "empty array": lambda: np.zeros(0),
    "no steps": lambda: np.zeros((0, 3)),
    "no features": lambda: np.zeros((3, 0)),
    "steps": lambda: np.ones((3, 2)),
    "3-d array": lambda: np.zeros((2, 2, 2)),
    "4-d array": lambda: np.zeros((2, 2, 2, 2)),
    "array of strings": lambda: np.array(["a", "b"]),
    "array of objects": lambda: np.array([None, 1], dtype=object),
    "array of raising": lambda: np.array([Raising("eq")] * 2, dtype=object),
    "array of dates": lambda: np.array(["2020", "NaT"], dtype="M8[s]"),
    "array of complex": lambda: np.array([1j, 2]),
    "array of longdouble": lambda: np.array([1, 2], dtype=np.longdouble) ** 5000,
    "array of int64": lambda: np.array([2**62, 1]),
    "array of bool": lambda: np.array([True, False]),
    "structured array": lambda: np.zeros(2, dtype=[("a", "f8"), ("b", "U1")]),
    "masked array": lambda: np.ma.array([1.0, 2.0], mask=[False, True]),
    "matrix": lambda: np.asmatrix([[1.0, 2.0]]),
    "csr": lambda: sparse.csr_matrix([[1.0, 0.0]]),
    "coo array": lambda: sparse.coo_array([1.0, 0.0]),
    "tensor": lambda: torch.ones(3),
    "0-d tensor": lambda: torch.tensor(1.0),
    "tensor of bfloat16": lambda: torch.ones(3, 2, dtype=torch.bfloat16),
    "tensor of complex": lambda: torch.ones(3, dtype=torch.complex64),
    "tensor with gradient": lambda: torch.ones(3, requires_grad=True),
    "sparse tensor": lambda: torch.eye(3).to_sparse(),
    "meta tensor": lambda: torch.ones(3, device="meta"),
    "series": lambda: pd.Series([1.0, 2.0]),
    "frame": lambda: pd.DataFrame({"a": [1.0]}),
    "polars series": lambda: pl.Series([1.0, None]),
}
OBJECTS = {
    "object": object,
    "type": lambda: int,
    "function": lambda: len,
    "module": lambda: np,
    "enum": lambda: Colour.RED,
    "undecided": Undecided,
    "eager": Eager,
    **{f"raising {m}": (lambda m=m: Raising(m)) for m in ("eq", "hash", "repr")},
    **{f"raising {m}": (lambda m=m: Raising(m)) for m in ("len", "bool", "float")},
}
IMAGES = {
    "bytes image": lambda: np.zeros((4, 5, 3), np.uint8),
    "no pixels": lambda: np.zeros((0, 4, 3), np.uint8),
    "one pixel": lambda: np.ones((1, 1, 3), np.uint8),
    "no channels": lambda: np.zeros((4, 4, 0), np.uint8),
    "two channels": lambda: np.zeros((4, 4, 2), np.uint8),
    "uint16 image": lambda: np.full((4, 4), 40_000, np.uint16),
    "int64 image": lambda: np.full((4, 4), 300),
    "float image": lambda: np.full((4, 4), 0.5),
    "wild image": lambda: np.full((4, 4), 7.5),
    "nan image": lambda: np.full((4, 4), np.nan),
    **{
        f"PIL {mode}": (lambda mode=mode: Image.new(mode, (5, 4)))
        for mode in "1 L P RGB RGBA CMYK YCbCr LAB HSV I F LA PA I;16 I;16B".split()
    },
    "PIL no pixels": lambda: Image.new("RGB", (0, 4)),
    "PIL one pixel": lambda: Image.new("L", (1, 1)),
    "PIL wide": lambda: Image.new("L", (3000, 1)),
}


def _constant(value):
    return lambda: value


CELLS = {
    **{k: _constant(v) for k, v in (NUMBERS | GAPS | DATES | STRINGS).items()},
    **CONTAINERS,
    **OBJECTS,
    **IMAGES,
}


def write_files(folder):
    """Write hostile files to a folder and return their paths by name."""
    png = io.BytesIO()
    Image.new("RGB", (8, 8)).save(png, "PNG")
    content = {
        "empty.png": b"",
        "text.png": b"no image",
        "cut.png": png.getvalue()[:50],
        "good.png": png.getvalue(),
        "bomb.png": _write_bomb(),
    }
    for name, data in content.items():
        (folder / name).write_bytes(data)
    for mode, suffix in (("I;16", "png"), ("F", "tif"), ("1", "png"), ("CMYK", "jpg")):
        name = f"{mode.replace(';', '')}.{suffix}"
        Image.new(mode, (8, 8)).save(folder / name)
        content[name] = None
    if hasattr(os, "mkfifo"):  # where the system has pipes
        os.mkfifo(folder / "fifo.png")
    (folder / "folder.png").mkdir()
    names = [*content, "fifo.png", "folder.png"]
    return {name: str(folder / name) for name in names}


def _write_bomb():
    """Return a small file of more pixels than Pillow agrees to decode."""
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    return out.getvalue()
