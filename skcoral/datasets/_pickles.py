"""Pickles of arrays, read without running any code that they may hold.

A pickle is a program: it may call any function that can be imported. The reader admits
a list of names only, and replaces them by functions of this module. So no pickle
reaches the constructors of numpy either, which a forged pickle can make take raw memory
for Python objects (tests/test_pickles.py has three that crash numpy 2.4).
"""

import math
import pickle
import pickletools
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from skcoral._types import Array, FilePath

# bool, int, float, complex, bytes, str, object: no structures, no dates.
KINDS = "biufcSUO"
# Containers in containers, tuples above all: to hash a tuple that is nested some ten
# thousand times crashes the interpreter.
MAX_DEPTH = 100
INSTRUCTIONS = {each.code.encode("latin-1"): each for each in pickletools.opcodes}
# Instructions that fill a container, in place of making one of their arguments.
FILLING = {"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD"}
REFUSED = (
    "it holds {!r}, which is no array and no builtin container. It is refused, as "
    "reading it could run code"
)


def read_pickle(path: FilePath) -> Any:
    """Read a pickle of numpy arrays in builtin containers, and nothing else.

    Parameters
    ----------
    path : str or path
        The file, written by Python 2 or 3 with any version of numpy.

    Returns
    -------
    object
        The pickled object. Its arrays are of a subclass; ``numpy.asarray`` turns them
        into plain ones.

    Raises
    ------
    ValueError
        If the file holds anything else, is damaged, or is not a pickle.
    """
    try:
        with open(path, "rb") as file:
            _check_depth(file)
            file.seek(0)
            # Latin-1 maps each byte of Python 2 strings, and so of arrays, to itself.
            return _Unpickler(file, encoding="latin1").load()
    except (OSError, MemoryError):
        raise
    except Exception as error:  # a damaged pickle raises almost anything
        reason = str(error) or type(error).__name__
        raise ValueError(
            f"The file {str(path)!r} cannot be read as a pickle of arrays: {reason}."
        ) from error


def _check_depth(file: BinaryIO) -> None:
    """Raise if a pickle nests containers too deep, before any is made.

    The depth of a list or a dict is that of its making: what is put into it later, by
    way of the memo, is not counted, and it cannot be hashed.
    """
    depths: list[int | None] = []  # of what is on the stack; None is a mark
    memo: dict[int, int] = {}
    name = ""
    while name != "STOP":
        instruction, argument = _read_instruction(file)
        name = instruction.name
        if "GET" in name:
            depths.append(memo[argument])
        elif "PUT" in name:
            memo[argument] = _as_depth(depths[-1])
        elif name == "MEMOIZE":
            memo[len(memo)] = _as_depth(depths[-1])
        elif name == "POP":
            depths.pop()
        elif name == "MARK":
            depths.append(None)
        else:
            depths += _apply(instruction, depths)


def _read_instruction(file: BinaryIO) -> tuple[pickletools.OpcodeInfo, Any]:
    """Return the next instruction of a pickle and its argument."""
    code = file.read(1)
    if not code:
        raise EOFError("Ran out of input")
    if code not in INSTRUCTIONS:
        raise pickle.UnpicklingError(f"invalid load key, {code!r}")
    instruction = INSTRUCTIONS[code]
    if instruction.arg is None:
        return instruction, None
    if instruction.name == "STRING":  # the reader takes no strings of Python 2
        return instruction, file.readline()
    return instruction, instruction.arg.reader(file)


def _apply(
    instruction: pickletools.OpcodeInfo, depths: list[int | None]
) -> list[int | None]:
    """Take what an instruction takes off the stack; return the depths it puts there."""
    takes = instruction.stack_before
    marked = pickletools.markobject in takes
    start = len(depths) - len(takes)
    if marked:
        mark = len(depths) - 1 - depths[::-1].index(None)
        start = mark - takes.index(pickletools.markobject)
    if start < 0:
        raise pickle.UnpicklingError("unpickling stack underflow")
    taken = [_as_depth(d) for d in depths[start:] if not (marked and d is None)]
    del depths[start:]
    made = 1 + max(taken, default=0)
    if instruction.name in FILLING:
        made = max(taken[0], 1 + max(taken[1:], default=-1))
    if made > MAX_DEPTH:
        raise pickle.UnpicklingError(f"it nests containers more than {MAX_DEPTH} deep")
    return [made] * len(instruction.stack_after)


def _as_depth(depth: int | None) -> int:
    """Return a depth; raise if it is a mark."""
    if depth is None:
        raise pickle.UnpicklingError("unexpected MARK found")
    return depth


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return the replacement of an admitted name; nothing is imported."""
        if (module, name) not in ADMITTED:
            raise pickle.UnpicklingError(REFUSED.format(f"{module}.{name}"))
        return ADMITTED[module, name]


class _Maker:
    """A function that a pickle may call but cannot change."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *args: Any) -> Any:
        return self._function(*args)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("it changes a function")


class _Dtype:
    """A dtype as its code and byte order, as numpy accepts any flags from a pickle."""

    __slots__ = ("_code", "_order")

    def __init__(self, code: Any, align: Any = False, copy: Any = False) -> None:
        self._code = code
        self._order: Any = "="

    def __setstate__(self, state: Any) -> None:
        _, self._order, *structure = state[:5]
        if structure != [None] * 3:
            raise pickle.UnpicklingError("it holds an array of a structured dtype")

    def make(self) -> np.dtype[Any]:
        """Return the dtype; raise unless its kind is admitted."""
        if not isinstance(self._code, str):
            raise pickle.UnpicklingError("it holds a dtype without a name")
        dtype = np.dtype(self._code)
        if dtype.kind not in KINDS:
            raise pickle.UnpicklingError(f"it holds an array of dtype {str(dtype)!r}")
        return dtype.newbyteorder(self._order)


class _Array(np.ndarray):
    """An array that checks what a pickle fills it with."""

    def __setstate__(self, state: Any) -> None:
        *version, shape, dtype, fortran, data = state
        dtype = _make_dtype(dtype)
        if not all(type(size) is int and size >= 0 for size in shape):
            raise pickle.UnpicklingError(f"it holds an array of shape {shape}")
        # numpy itself checks the length of bytes, but not of lists.
        listed = isinstance(data, list)
        if dtype.hasobject and not (listed and len(data) == math.prod(shape)):
            raise pickle.UnpicklingError("it holds an array of too few objects")
        super().__setstate__((*version, shape, dtype, fortran, data))


def _make_dtype(dtype: Any) -> np.dtype[Any]:
    if not isinstance(dtype, _Dtype):
        raise pickle.UnpicklingError("it holds an array without a dtype")
    return dtype.make()


def _make_array(kind: Any, shape: Any, code: Any) -> _Array:
    """Return the empty array that the pickle fills next."""
    if kind is not NDARRAY:
        raise pickle.UnpicklingError("it holds an array of a foreign class")
    return np.ndarray.__new__(_Array, 0, dtype="b")


def _make_array_of_buffer(
    buffer: Any, dtype: Any, shape: Any, order: Any, axis_order: Any = None
) -> Array:
    flat = np.frombuffer(buffer, dtype=_make_dtype(dtype))
    if axis_order is not None:
        return flat.reshape(shape).transpose(axis_order)
    return flat.reshape(shape, order=order)


def _make_scalar(dtype: Any, data: Any) -> Any:
    dtype = _make_dtype(dtype)
    data = data.encode("latin1") if isinstance(data, str) else data
    # An empty string has no bytes to read.
    return np.frombuffer(data, dtype)[0] if dtype.itemsize else dtype.type()


def _encode(text: str, encoding: str) -> bytes:
    """Return bytes, which early protocols write as text."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it holds text in the code {encoding!r}")
    return text.encode("latin1")


def _make_no_bytes() -> bytes:
    return b""


def _refuse_call(*args: Any) -> None:
    raise pickle.UnpicklingError("it calls numpy.ndarray, which takes raw memory")


NDARRAY = _Maker(_refuse_call)
ADMITTED = {
    ("numpy", "ndarray"): NDARRAY,
    ("numpy", "dtype"): _Maker(_Dtype),
    ("_codecs", "encode"): _Maker(_encode),
    # Python 2 has another name for its builtins.
    ("__builtin__", "bytes"): _Maker(_make_no_bytes),
    ("__builtin__", "set"): _Maker(set),
    ("__builtin__", "frozenset"): _Maker(frozenset),
    ("builtins", "bytes"): _Maker(_make_no_bytes),
    ("builtins", "set"): _Maker(set),
    ("builtins", "frozenset"): _Maker(frozenset),
    # numpy 1 and numpy 2 have different names for the same functions.
    ("numpy.core.multiarray", "_reconstruct"): _Maker(_make_array),
    ("numpy._core.multiarray", "_reconstruct"): _Maker(_make_array),
    ("numpy.core.multiarray", "scalar"): _Maker(_make_scalar),
    ("numpy._core.multiarray", "scalar"): _Maker(_make_scalar),
    ("numpy.core.numeric", "_frombuffer"): _Maker(_make_array_of_buffer),
    ("numpy._core.numeric", "_frombuffer"): _Maker(_make_array_of_buffer),
}
