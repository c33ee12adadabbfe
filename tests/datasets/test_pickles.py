"""Pickles of arrays are read as pickle reads them; nothing else is, nor is it run."""

import builtins
import collections
import copy
import ctypes
import datetime
import functools
import math
import operator
import os
import pickle
import struct
import subprocess
import sys

import numpy as np
import pytest

from skcoral.datasets import _pickles
from skcoral.datasets._pickles import read_pickle

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
HONEST = {
    "floats": np.linspace(-1, 1, 24).reshape(2, 3, 4),
    "float32": np.arange(6, dtype=np.float32),
    "big endian": np.arange(4, dtype=">i2"),
    "bools": np.array([True, False]),
    "complex": np.array([1j, 2.0]),
    "bytes": np.array([[b"a", b"bcd"]]),
    "words": np.array(["a", "bcd", "é"]),
    "empty": np.zeros((0, 3)),
    "no axis": np.array(3.0),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "transposed": np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1),
    "objects": np.array([1, "a", None, b"c", (1, [2])], dtype=object),
    "arrays": np.array([np.arange(2), np.arange(3.0)], dtype=object),
    "scalar": np.float32(2.5),
    "word": np.str_("abc"),
    "no word": np.str_(""),
    "flag": np.bool_(True),
    "list": [1, 2.5, "é", b"\xff", b"", None, True, 10**30],
    "set": {1, 2},
    "frozen": frozenset({3}),
    "tuple": ((), (1,), {"a": {"b": []}}),
}


def write(path, content):
    path.write_bytes(content)
    return path


@pytest.fixture
def file(tmp_path):
    return tmp_path / "data.pkl"


def assert_equal(read, expected):
    """Compare recursively; arrays by values, dtype and shape."""
    if isinstance(expected, np.ndarray):
        assert read.dtype == expected.dtype
        assert read.shape == expected.shape
        for one, other in zip(read.ravel(), expected.ravel(), strict=True):
            assert_equal(one, other)
    elif isinstance(expected, list | tuple):
        assert type(read) is type(expected)
        assert len(read) == len(expected)
        for one, other in zip(read, expected, strict=True):
            assert_equal(one, other)
    else:
        assert type(read) is type(expected)
        assert read == expected


# What is read


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", HONEST)
def test_honest_pickles_are_read_as_by_pickle(file, kind, protocol):
    content = pickle.dumps({kind: HONEST[kind]}, protocol)
    read = read_pickle(write(file, content))
    assert list(read) == [kind]
    assert_equal(read[kind], pickle.loads(content)[kind])


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("kind", HONEST)
def test_pickles_of_numpy_1_are_read(file, kind, protocol):
    content = pickle.dumps(HONEST[kind], protocol)
    old = content.replace(b"numpy._core", b"numpy.core")
    if protocol == 4:  # names have their length before them, and so has the frame
        old = old.replace(b"\x8c\x16numpy.core", b"\x8c\x15numpy.core")
        n_shorter = len(content) - len(old)
        (length,) = struct.unpack("<Q", old[3:11])
        old = old[:3] + struct.pack("<Q", length - n_shorter) + old[11:]
    assert_equal(read_pickle(write(file, old)), pickle.loads(content))


def test_arrays_of_python_2_are_read(file):
    # What Python 2 writes: the bytes of arrays, and names, are its strings.
    content = (
        b"\x80\x02}q\x00U\x01aq\x01cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\n"
        b"ndarray\nq\x03K\x00\x85U\x01b\x87Rq\x04(K\x01K\x02\x85cnumpy\ndtype\nq\x05U"
        b"\x02f4K\x00K\x01\x87Rq\x06(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK"
        b"\x00tb\x89U\x08" + np.array([1.5, -np.inf], "<f4").tobytes() + b"tbs."
    )
    read = read_pickle(write(file, content))
    assert_equal(read["a"], np.array([1.5, -np.inf], "<f4"))


def test_scalars_of_python_2_are_read(file):
    content = (
        b"\x80\x02cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02f8K\x00K\x01\x87R"
        b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbU\x08"
        + np.array(-2.5e300).tobytes()
        + b"\x86R."
    )
    assert read_pickle(write(file, content)) == -2.5e300


def test_references_and_cycles_are_kept(file):
    shared = np.arange(3)
    loop = [shared, shared]
    loop.append(loop)
    read = read_pickle(write(file, pickle.dumps(loop)))
    assert read[0] is read[1]
    assert read[2] is read


# What is refused


class Calls:
    """Pickles as a call."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


class Foreign:
    """A class of the user's."""


def in_objects(value):
    array = np.empty(2, dtype=object)
    array[:] = [value, [{"deep": value}]]
    return array


PLACES = {
    "alone": lambda value: value,
    "in a dict": lambda value: {"train": {"vision": np.ones(3), "id": value}},
    "as a key": lambda value: {value: 1},
    "in an object array": in_objects,
    "in an array in an array": lambda value: in_objects(in_objects(value)),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_is_run(file, tmp_path, place, protocol):
    proof = tmp_path / "proof"
    threat = Calls(os.system, f"touch {proof}")
    content = pickle.dumps(PLACES[place](threat), protocol)
    name = f"{os.system.__module__}.system"
    with pytest.raises(ValueError, match=f"data.pkl.* holds '{name}'.* is refused"):
        read_pickle(write(file, content))
    assert not proof.exists()
    # The threat is real.
    pickle.loads(content)
    assert proof.exists()


@pytest.mark.parametrize(
    "threat",
    [
        Calls(eval, "1 / 0"),
        Calls(exec, "1 / 0"),
        Calls(getattr, "a", "upper"),
        Calls(__import__, "os"),
        Calls(open, "proof", "w"),
        Calls(type, "A", (), {}),
        Calls(map, print, [1]),
        Calls(subprocess.call, ["true"]),
        Calls(operator.attrgetter, "system"),
        Calls(functools.partial, print),
        Calls(pickle.loads, b"N."),
        Calls(copy.copy, 1),
        Calls(np.load, "file.npy", None, True),
        Calls(np.frompyfunc, print, 1, 1),
        Calls(np.vectorize, print),
        Calls(ctypes.string_at, 0),
        Calls(bytearray, 10),
        Foreign(),
        Foreign,
        collections.OrderedDict(a=1),
        datetime.date(2020, 1, 1),
        np.random.default_rng(0),
        np.random.RandomState(0),
        np.ma.array([1.0]),
        np.linspace,
        np.float64,
        print,
        math.pi.__class__,
        sys.exit,
    ],
)
@pytest.mark.parametrize("protocol", [2, 5])
def test_all_other_names_are_refused_by_name(file, threat, protocol):
    content = pickle.dumps(in_objects(threat), protocol)
    with pytest.raises(ValueError, match=r"holds '[\w.]+', which is no array and no"):
        read_pickle(write(file, content))


def test_names_are_whole(file):
    for module, name in [
        ("numpy", "dtype.__class__"),
        ("numpy", "ndarray.__subclasses__"),
        ("numpy.core.multiarray", "_reconstruct.__globals__"),
        ("numpy.core", "multiarray"),
        ("builtins", "set.__class__"),
        ("skcoral.datasets._pickles", "ADMITTED"),
    ]:
        words = (
            b"\x8c" + bytes([len(w)]) + w for w in (module.encode(), name.encode())
        )
        content = b"\x80\x04" + b"".join(words) + b"\x93."
        with pytest.raises(ValueError, match=f"holds '{module}.{name}'"):
            read_pickle(write(file, content))


def test_the_admitted_names_are_these():
    # A longer list is a decision, not a detail.
    names = {f"{module}.{name}" for module, name in _pickles.ADMITTED}
    assert names == {
        "_codecs.encode",
        *(f"__builtin__.{name}" for name in ("bytes", "set", "frozenset")),
        *(f"builtins.{name}" for name in ("bytes", "set", "frozenset")),
        *("numpy.ndarray", "numpy.dtype"),
        *(f"numpy.{c}.multiarray._reconstruct" for c in ("core", "_core")),
        *(f"numpy.{c}.multiarray.scalar" for c in ("core", "_core")),
        *(f"numpy.{c}.numeric._frombuffer" for c in ("core", "_core")),
    }


def test_stand_ins_are_none_of_what_they_stand_for():
    theirs = [np.ndarray, np.dtype, *vars(builtins).values()]
    for maker in _pickles.ADMITTED.values():
        assert type(maker) is _pickles._Maker
        assert not any(maker is other for other in theirs)


ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
DTYPE = b"cnumpy\ndtype\n(S'%s'\nI0\nI1\ntR"

OBJECTS = b"(I3\nS'|'\nNNNI-1\nI-1\nI63\ntb"


def fill(code, shape, data, state=b"(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"):
    """Return a pickle of one array, of protocol 0."""
    return ARRAY + b"(I1\n" + shape + DTYPE % code + state + b"I00\n" + data + b"tb."


NAMELESS = fill(b"f8", b"(I1\nt", b"S'A'\n").replace(b"S'f8'\n", b"(l")


# numpy's own functions take the first three, and the interpreter crashes.
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        # An array over raw memory: its items would be pointers.
        (b"cnumpy\nndarray\n((I1\ntS'O'\ntR.", "calls numpy.ndarray"),
        # Raw memory for objects: flags that tell numpy that there are none.
        (fill(b"O8", b"(I1\nt", b"S'AAAAAAAA'\n"), "too few objects"),
        # Less objects than items: numpy would read behind the list.
        (fill(b"O8", b"(I9\nt", b"(lI1\na", OBJECTS), "too few objects"),
        (fill(b"f8", b"(I-1\nt", b"S'AAAAAAAA'\n"), "an array of shape"),
        (fill(b"f8", b"(I2\nt", b"S'AAAAAAAA'\n"), "buffer size"),
        (fill(b"V8", b"(I1\nt", b"S'AAAAAAAA'\n"), "array of dtype '|V8'"),
        (fill(b"M8[D]", b"(I1\nt", b"S'AAAAAAAA'\n"), "array of dtype"),
        (fill(b"f4,O", b"(I1\nt", b"S'AAAAAAAA'\n"), "array of dtype"),
        (
            fill(b"f8", b"(I1\nt", b"S'AAAAAAAA'\n", b"(I3\nS'<'\nN(lNI8\nI8\nI0\ntb"),
            "structured",
        ),
        (
            fill(b"f8", b"(I1\nt", b"S'A'\n").replace(b"S'f8'\n", b"(l"),
            "without a name",
        ),
        (b"cnumpy.core.multiarray\n_reconstruct\n(N(I0\ntS'b'\ntR.", "foreign class"),
        (b"cnumpy.core.multiarray\nscalar\n(S'O8'\nS'A'\ntR.", "without a dtype"),
        (
            b"cnumpy.core.multiarray\nscalar\n(" + DTYPE % b"O8" + b"S'AAAAAAAA'\ntR.",
            "OBJECT array",
        ),
        (
            b"cnumpy.core.numeric\n_frombuffer\n(S'AAAAAAAA'\n"
            + DTYPE % b"O8"
            + b"(I1\ntS'C'\ntR.",
            "data|buffer|bytes",
        ),
        # A change of the function that the next pickle would call.
        (b"c_codecs\nencode\n(dS'x'\nI1\nsb.", "changes a function"),
        (b"cnumpy\ndtype\n(N(dS'_function'\nI1\nstb.", "changes a function"),
        (b"c_codecs\nencode\n(S'a'\nS'zlib'\ntR.", "code 'zlib'"),
        (b"P1\n.", "persistent"),
        (b"\x80\x02\x82\x01.", "extension code 1"),
    ],
)
def test_forged_pickles_are_refused(file, content, reason):
    with pytest.raises(ValueError, match=f"cannot be read as a pickle .*{reason}"):
        read_pickle(write(file, content))


def test_a_forged_pickle_changes_nothing(file):
    before = dict(_pickles.ADMITTED)
    write(file, b"c_codecs\nencode\n(N(dS'_function'\nI1\nstb.")
    with pytest.raises(ValueError, match="changes a function"):
        read_pickle(file)
    assert before == _pickles.ADMITTED
    test_honest_pickles_are_read_as_by_pickle(file, "floats", 2)


# Damage


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_every_truncation_is_named(file, protocol):
    content = pickle.dumps({"a": np.arange(3.0), "b": ["x", np.float32(1)]}, protocol)
    for n_bytes in range(len(content)):
        with pytest.raises(ValueError, match=r"data.pkl' cannot be read as a pickle"):
            read_pickle(write(file, content[:n_bytes]))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Ran out of input"),
        (b"Some text, not a pickle.\n", "data.pkl"),
        (b"\x89HDF\r\n\x1a\n" + bytes(64), "invalid load key"),
        (b"PK\x03\x04" + bytes(64), "data.pkl"),
        (b"\x1f\x8b\x08\x00" + bytes(64), "invalid load key"),
    ],
)
def test_files_that_are_no_pickles_are_named(file, content, reason):
    with pytest.raises(ValueError, match=reason):
        read_pickle(write(file, content))


def test_a_file_that_cannot_be_opened_is_no_damaged_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_pickle(tmp_path / "absent.pkl")


# Depth

N_DEEP = 200_000
DEEP = {
    "tuple": b")" + b"\x85" * N_DEEP,
    "marked tuple": b"(" * N_DEEP + b"K\x01" + b"t" * N_DEEP,
    "list": b"]" * N_DEEP + b"a" * (N_DEEP - 1),
    "dict": b"}K\x01" * N_DEEP + b"K\x02" + b"s" * N_DEEP,
    "frozenset": b"(" * N_DEEP + b"K\x01" + b"\x91" * N_DEEP,
    "key": b"}(" + b")" + b"\x85" * N_DEEP + b"K\x01u",
    "member": b"\x8f(" + b")" + b"\x85" * N_DEEP + b"\x90",
    "memo": b"}(" + b")" + b"q\x010h\x01\x85" * N_DEEP + b"K\x01u",
    "memo of text": b"}(" + b")" + b"p1\n0h\x01\x85" * N_DEEP + b"K\x01u",
    "twice": b"}(" + b")" + b"2\x86" * N_DEEP + b"K\x01u",
}
READ_ALL = """
import sys
from skcoral.datasets._pickles import read_pickle
for path in sys.argv[1:]:
    try:
        read_pickle(path)
    except ValueError as error:
        print(str(error).endswith("it nests containers more than 100 deep."))
"""


def test_deep_pickles_are_refused_and_do_not_crash_the_interpreter(tmp_path):
    paths = []
    for kind, body in DEEP.items():
        paths.append(str(write(tmp_path / f"{kind}.pkl", b"\x80\x04" + body + b".")))
    run = [sys.executable, "-c", READ_ALL, *paths]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"] * len(DEEP)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_long_pickles_are_not_deep(file, protocol):
    honest = {"rows": [(i, [i, {"a": (i,)}]) for i in range(500)]}
    assert_equal(read_pickle(write(file, pickle.dumps(honest, protocol))), honest)
    deep = value = []
    for _ in range(40):
        value.append([])
        value = value[0]
    assert_equal(read_pickle(write(file, pickle.dumps(deep, protocol))), deep)
