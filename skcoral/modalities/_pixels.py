"""Pixels: reading arrays, PIL images and files into one array, channels first."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from torch.nn import functional as F

from skcoral._input.containers import is_dataframe
from skcoral._input.presence import is_missing
from skcoral._types import Array

Mode: TypeAlias = Literal["RGB", "L"]
# Height and width in pixels.
Size: TypeAlias = tuple[int, int]

CHANNELS: dict[Mode, int] = {"L": 1, "RGB": 3}
# Number of images that are resized at once.
RESIZE_BATCH = 256


class Cell(NamedTuple):
    """An image to decode later, with its row for error messages."""

    row: int
    image: Any


def is_array(block: Any) -> bool:
    """Return whether a block is one array of images, not a column of images."""
    return not is_dataframe(block) and block.dtype.kind in "uifb"


def read_array(block: Array, mode: Mode, size: Size | None) -> Array:
    """Return an array of images as (n_samples, channels, height, width)."""
    images = _channels_first(block)
    if images.dtype != np.uint8:
        images = _check_unit(images)
    images = _convert_channels(images, mode)
    if size is None or images.shape[2:] == size:
        return np.ascontiguousarray(images)
    parts = np.array_split(images, max(1, len(images) // RESIZE_BATCH))
    return np.concatenate([_resize(part, size) for part in parts])


def _channels_first(block: Array) -> Array:
    if block.ndim == 3:
        return block[:, None]
    if block.ndim == 4 and block.shape[3] in (1, 3, 4):
        return block.transpose(0, 3, 1, 2)
    if block.ndim == 4 and block.shape[1] in (1, 3, 4):
        return block
    raise ValueError(
        "Expected images of shape (n_samples, height, width, channels) or (n_samples, "
        f"channels, height, width), with 1, 3 or 4 channels. Got shape {block.shape}."
    )


def _check_unit(images: Array) -> Array:
    """Return floats in [0, 1]; images that are all NaN are missing, black here."""
    images = images.astype(np.float32)
    gaps = np.isnan(images)
    absent = gaps.all(axis=(1, 2, 3))
    images[absent] = 0.0
    wrong = ~((images >= 0) & (images <= 1))
    if wrong.any():
        row = int(wrong.any(axis=(1, 2, 3)).argmax())
        value = images[row][wrong[row]][0]
        raise ValueError(
            "Images must be of dtype uint8, or floats in [0, 1]. Got "
            f"{value:g} in row {row}."
        )
    return images


def _convert_channels(images: Array, mode: Mode) -> Array:
    """Drop the alpha channel and convert between grey and colour."""
    images = images[:, :3]
    if images.shape[1] == CHANNELS[mode]:
        return images
    if mode == "RGB":
        return np.repeat(images, 3, axis=1)
    # Luma weights of ITU-R 601-2, as in Pillow.
    grey = np.einsum("nchw,c->nhw", images, [0.299, 0.587, 0.114])[:, None]
    return grey.round().astype(np.uint8) if images.dtype == np.uint8 else grey


def _resize(images: Array, size: Size) -> Array:
    resized = F.interpolate(
        torch.from_numpy(np.ascontiguousarray(images)).float(),
        size=size,
        mode="bilinear",
        antialias=True,
    )
    if images.dtype == np.uint8:
        resized = resized.round().clamp(0, 255).to(torch.uint8)
    return resized.numpy()


def read_cells(cells: Sequence[Any], mode: Mode, size: Size | None) -> Array:
    """Decode images one by one, so that they are held together only in final size."""
    cells = [
        cell if isinstance(cell, Cell) else Cell(row, cell)
        for row, cell in enumerate(cells)
    ]
    images = {
        place: _decode(cell.row, cell.image, mode, size)
        for place, cell in enumerate(cells)
        if not is_missing(cell.image)
    }
    blank = np.zeros((CHANNELS[mode], *(size or (1, 1))), dtype=np.uint8)
    first = next(iter(images.values()), blank)
    out = np.zeros((len(cells), *first.shape), dtype=first.dtype)
    for place, image in images.items():
        if image.shape != first.shape or image.dtype != first.dtype:
            raise ValueError(
                f"The image in row {cells[place].row} has height and width "
                f"{image.shape[1:]} and dtype {image.dtype}, but an earlier one "
                f"{first.shape[1:]} and {first.dtype}. Set 'size' to bring images to "
                "one size."
            )
        out[place] = image
    return out


def _decode(row: int, cell: Any, mode: Mode, size: Size | None) -> Array:
    """Return one image as (channels, height, width)."""
    if isinstance(cell, np.ndarray):
        with _naming_row(row):
            return read_array(cell[None], mode, size)[0]
    image = _open(row, cell).convert(mode)
    if size is not None and image.size != size[::-1]:
        from PIL import Image

        image = image.resize(size[::-1], Image.Resampling.BILINEAR)
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


@contextlib.contextmanager
def _naming_row(row: int) -> Iterator[None]:
    """Name the row of X in errors about a single image."""
    try:
        yield
    except ValueError as error:
        message = str(error).removesuffix(" in row 0.").removesuffix(".")
        raise ValueError(f"{message} in row {row}.") from error


def _open(row: int, cell: Any) -> Any:
    """Return a PIL image, opening a file if necessary."""
    if is_pil(cell):
        return cell
    if not isinstance(cell, (str, Path)):
        raise TypeError(
            "An image must be an array, a PIL image or a path. Got "
            f"{type(cell).__name__!r} in row {row}."
        )
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "Reading image files needs Pillow: pip install 'skcoral[image]'."
        ) from error
    try:
        with Image.open(cell) as image:
            image.load()
            return image
    except OSError as error:
        raise ValueError(
            f"The image file {str(cell)!r} in row {row} cannot be read: {error}"
        ) from error


def is_pil(cell: Any) -> bool:
    """Return whether a cell is a PIL image, without needing Pillow."""
    return hasattr(cell, "convert") and hasattr(cell, "resize")


def to_unit(images: Array) -> Array:
    """Return images as floats in [0, 1]."""
    return images / np.float32(255) if images.dtype == np.uint8 else images
