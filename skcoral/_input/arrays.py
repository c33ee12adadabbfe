"""Arrays: what stands for one, such as tensors and masked arrays, as a numpy array."""

import narwhals as nw
import numpy as np
import torch

from skcoral._input.numbers import is_exact

# What a cell nearly always is, and stays.
PLAIN = (str, int, float, type(None))
NUMPY_FLOATS = (torch.float16, torch.float32, torch.float64)


def is_series(values):
    """Return whether values are a series of pandas, polars or another library."""
    return not isinstance(values, np.ndarray) and nw.dependencies.is_into_series(values)


def is_numeric(block):
    """Return whether a block is an array of numbers or booleans."""
    return isinstance(block, np.ndarray) and block.dtype.kind in "iufb"


def read_array(block):
    """Return a block that is neither sparse nor a data frame as an array.

    Parameters
    ----------
    block : array-like or tensor, first axis = samples
        The block.

    Returns
    -------
    ndarray, first axis = samples
        Without masks, complex numbers and fields. In an array of objects, arrays stand
        in the place of tensors, matrices, masked arrays and series.

    Raises
    ------
    TypeError
        If it is no array, or has fields.

    ValueError
        If it has no rows, or holds complex numbers.
    """
    block = read_cell(block)
    if not hasattr(block, "__array__"):
        raise TypeError(
            "Expected an array, a sparse matrix, a tensor or a data frame. Got "
            f"{type(block).__name__!r}."
        )
    block = block if isinstance(block, np.ndarray) else np.asarray(block)
    if block.ndim == 0:
        raise ValueError(f"Expected one value or more per row. Got {block!r}.")
    check_dtype(block.dtype)
    if block.dtype == object:
        return _read_objects(block)
    if block.dtype == np.longdouble:
        # Numbers beyond the range of float64 become infinite, which is refused later.
        with np.errstate(over="ignore"):
            return block.astype(np.float64, copy=False)
    return block


def check_dtype(dtype):
    """Raise an error if no modality reads arrays of this dtype."""
    if dtype.kind == "V":
        raise TypeError(
            f"Arrays with fields or of raw bytes are not supported. Got dtype {dtype}. "
            "Make a data frame of it."
        )
    if dtype.kind == "c":
        raise ValueError(
            "Complex data not supported. Pass real and imaginary parts, or magnitude "
            "and angle, in separate columns."
        )


def _read_objects(block):
    """Read each cell; return the same array if all stay as they are."""
    cells = [read_cell(value) for value in block.flat]
    if all(cell is value for cell, value in zip(cells, block.flat, strict=True)):
        return block
    out = np.empty(len(cells), dtype=object)
    for place, cell in enumerate(cells):
        out[place] = cell
    return out.reshape(block.shape)


def read_cell(value):
    """Return an array for a tensor, a matrix, a masked array or a series.

    Any other value is returned as it is, but arrays without axes as numbers.

    Raises
    ------
    TypeError
        If a tensor is sparse, nested, quantized or without data.
    """
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, torch.Tensor):
        value = _read_tensor(value)
    elif isinstance(value, np.ma.MaskedArray):
        value = _unmask(value)
    elif isinstance(value, np.matrix):
        value = np.asarray(value)
    elif is_series(value):
        value = value.to_numpy()
    return value[()] if isinstance(value, np.ndarray) and not value.ndim else value


def _read_tensor(tensor):
    plain = tensor.layout == torch.strided and not tensor.is_nested
    if not plain or tensor.is_meta or tensor.is_quantized:
        raise TypeError(
            "A tensor must be dense, neither nested nor quantized, on a device that "
            f"holds data. Got layout {tensor.layout} on device '{tensor.device}'."
        )
    # numpy has no bfloat16 and no floats of 8 bits.
    if tensor.is_floating_point() and tensor.dtype not in NUMPY_FLOATS:
        tensor = tensor.float()
    return tensor.numpy(force=True)


def _unmask(values):
    """Return a masked array as an array in which masked values are missing."""
    if values is np.ma.masked:
        return None
    if not np.ma.is_masked(values):
        return np.asarray(values)
    if values.dtype.kind == "M":
        return values.filled(np.datetime64("NaT"))
    if values.dtype.kind == "f" or (
        values.dtype.kind in "iub" and is_exact(values.compressed())
    ):
        return values.astype(np.result_type(values, np.float32)).filled(np.nan)
    objects = values.data.astype(object)
    objects[values.mask] = None
    return objects
