"""Pixels: reading arrays, PIL images and files into one array, channels first."""

import contextlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from torch.nn import functional as F

from skcoral._input.errors import describe
from skcoral._input.presence import is_missing
from skcoral._types import Array

Mode: TypeAlias = Literal["RGB", "L"]
# Height and width in pixels.
Size: TypeAlias = tuple[int, int]

CHANNELS: dict[Mode, int] = {"L": 1, "RGB": 3}
# Modes of Pillow with more than 8 bits per channel.
DEEP_MODES = {"I", "I;16", "I;16B", "I;16L", "I;16N", "F"}
MAX_UINT16 = 65535
# Parts of a side of an image that have a mean color.
N_PARTS = 8
# Number of images that are resized at once.
RESIZE_BATCH = 256


class Cell(NamedTuple):
    """An image to decode later, with its row for error messages."""

    row: int
    image: Any


def read_array(block: Array, mode: Mode, size: Size | None) -> Array:
    """Return an array of images as (n_samples, channels, height, width)."""
    images = _channels_first(block)
    if 0 in images.shape[1:]:
        raise ValueError(
            f"Images must have pixels. Got height and width {images.shape[2:]}."
        )
    if images.dtype == np.uint16:
        images = images / np.float32(MAX_UINT16)
    elif images.dtype != np.uint8:
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
            "Images must be of dtype uint8 or uint16, or floats in [0, 1]. Got "
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
    # Bytes only if all are.
    deep = any(image.dtype != np.uint8 for image in images.values())
    out = np.zeros((len(cells), *first.shape), dtype=np.float32 if deep else np.uint8)
    for place, image in images.items():
        if image.shape != first.shape:
            raise ValueError(
                f"The image in row {cells[place].row} has height and width "
                f"{image.shape[1:]}, but an earlier one {first.shape[1:]}. Set 'size' "
                "to bring images to one size."
            )
        out[place] = to_unit(image) if deep else image
    return out


def _decode(row: int, cell: Any, mode: Mode, size: Size | None) -> Array:
    """Return one image as (channels, height, width)."""
    image: Any = None if isinstance(cell, np.ndarray) else _open(row, cell)
    with _naming_row(row):
        image = cell if image is None else _read_image(image, mode, size)
        if image.dtype.kind not in "uifb":
            raise ValueError(
                f"An image must be an array of numbers. Got dtype {image.dtype}."
            )
        return read_array(image[None], mode, size)[0]


def _read_image(image: Any, mode: Mode, size: Size | None) -> Array:
    """Return a PIL image as an array of bytes, of 16 bits or of floats."""
    from PIL import Image

    if image.mode in DEEP_MODES:
        return _read_deep(np.asarray(image))
    if 0 in image.size:
        raise ValueError(f"Images must have pixels. Got height and width {image.size}.")
    # Pillow warns of palettes that have transparent colours.
    image = image.convert("RGBA") if image.mode in ("P", "PA") else image
    try:
        image = image.convert(mode)
    except ValueError as error:
        raise ValueError(
            f"Images of mode {image.mode!r} cannot be converted to {mode!r}."
        ) from error
    if size is not None and image.size != size[::-1]:
        image = image.resize(size[::-1], Image.Resampling.BILINEAR)
    return np.asarray(image)


def _read_deep(image: Array) -> Array:
    """Return pixels of more than 8 bits as uint16, or as floats.

    Pillow has integers of 32 bits also for files of 16.
    """
    if image.dtype.kind == "f":
        if np.isnan(image).any():
            raise ValueError("Images of floats must be in [0, 1]. Got NaN.")
        return image
    if image.min(initial=0) < 0 or image.max(initial=0) > MAX_UINT16:
        raise ValueError(
            f"Images of 32-bit integers must be in [0, {MAX_UINT16}]. Got values from "
            f"{image.min()} to {image.max()}."
        )
    return image.astype(np.uint16)


@contextlib.contextmanager
def _naming_row(row: int) -> Iterator[None]:
    """Name the row of X in errors about a single image."""
    try:
        yield
    except ValueError as error:
        message = str(error).removesuffix(" in row 0.").removesuffix(".")
        raise ValueError(f"{message} in row {row}.") from error


def _open(row: int, cell: Any) -> Any:
    """Return an upright PIL image of one frame, opening a file if necessary."""
    if not is_pil(cell) and not isinstance(cell, (str, Path)):
        raise TypeError(
            "An image must be an array, a PIL image or a path. Got "
            f"{type(cell).__name__!r} in row {row}."
        )
    try:
        from PIL import ImageOps
    except ImportError as error:
        raise ImportError(
            "Reading image files needs Pillow: pip install 'skcoral[image]'."
        ) from error
    try:
        if is_pil(cell):
            return ImageOps.exif_transpose(_check_frames(cell))
        return ImageOps.exif_transpose(_load(Path(cell)))
    # Each of Pillow's decoders has errors of its own.
    except Exception as error:
        what = "image" if is_pil(cell) else f"image file {describe(str(cell))}"
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"The {what} in row {row} cannot be read: {reason}") from error


def _load(path: Path) -> Any:
    """Return the image of a file, which is neither a device nor a pipe."""
    from PIL import Image

    if path.exists() and not path.is_file():
        raise ValueError("it is no regular file.")
    with Image.open(path) as image:
        n_pixels, limit = math.prod(image.size), Image.MAX_IMAGE_PIXELS
        if limit is not None and n_pixels > limit:
            raise ValueError(
                f"it has {n_pixels} pixels, more than PIL.Image.MAX_IMAGE_PIXELS."
            )
        _check_frames(image).load()
        return image


def _check_frames(image: Any) -> Any:
    """Refuse animations and stacks, but not photos with a preview beside them."""
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise ValueError(f"it has {image.n_frames} frames. Save the one to be read.")
    return image


def is_pil(cell: Any) -> bool:
    """Return whether a cell is a PIL image, without needing Pillow."""
    return hasattr(cell, "convert") and hasattr(cell, "resize")


def to_unit(images: Array) -> Array:
    """Return images as floats in [0, 1]."""
    return images / np.float32(255) if images.dtype == np.uint8 else images


def average_parts(images: Array) -> Array:
    """Return the mean color of each of 8 x 8 parts, or of fewer if images are small."""
    size = (min(N_PARTS, images.shape[2]), min(N_PARTS, images.shape[3]))
    unit = torch.from_numpy(to_unit(images))
    return F.adaptive_avg_pool2d(unit, size).flatten(1).numpy()
