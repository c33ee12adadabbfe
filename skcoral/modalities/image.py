"""Images: arrays, PIL images or paths of files, decoded once to one small size."""

import contextlib
from numbers import Integral
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from skcoral._constraints import POSITIVE_INT
from skcoral._input.containers import is_dataframe, list_cells
from skcoral._input.presence import first_present, is_missing
from skcoral._sklearn_compat import StrOptions
from skcoral.augmentations import SimCLR
from skcoral.modalities.base import BaseModality
from skcoral.nn.encoders import ImageEncoder

CHANNELS = {"L": 1, "RGB": 3}
# Endings of the files that "auto" takes for images.
FILE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
# Images resized in one go, and images from which mean and deviation are learnt.
RESIZE_BATCH = 256
STATISTICS_ROWS = 2000
# Decoded images are kept up to this size, beyond it files are decoded batch by batch.
MAX_DECODED_BYTES = 2**30


class _Cell(NamedTuple):
    """An image that is decoded later, and its row for messages."""

    row: int
    image: object


class ImageModality(BaseModality):
    """Images from arrays, PIL images or files: a grid of tokens by a small network.

    Images are decoded one by one, brought to one size and kept as bytes, up to 1 GB of
    them; beyond that, files are decoded again in each epoch, batch by batch. Views are
    made on the device by `kornia` (extra ``image``).

    Parameters
    ----------
    size : int, (int, int) or None, default=None
        Height and width, one number for both. None keeps the size of the images, which
        must then be equal.

    mode : {"RGB", "L"}, default="RGB"
        Colour or grey; others are converted.

    encoder : {"conv", "patch", "alexnet"}, default="conv"
        A compact convolutional network, linear patches, or the convolutions of AlexNet
        as in COrAL's paper, which need images of 63 pixels or more.

    patch_size : int, default=8
        Height and width of a patch in pixels.

    conv_width : int, default=32
        Channels of the first convolution of "conv"; the second has twice as many, the
        others four times. 16 takes about half the time.

    augmentation : {"simclr"}, sequence of it, or callable, default="simclr"
        How a view is made: random crop, flip, colours, grey and blur. An empty sequence
        leaves images as they are. A callable takes ``(tensor, mask, generator)``.

    random_state : int, RandomState instance or None, default=None
        Not used; there for symmetry with the other kinds.

    Attributes
    ----------
    size_ : (int, int)
        Height and width of the images.

    mean_, scale_ : ndarray of shape (n_channels,)
        Mean and deviation of each channel, of at most 2,000 images, evenly spaced.

    Notes
    -----
    A block is an array of shape (n_samples, height, width, channels), (n_samples,
    channels, height, width) or (n_samples, height, width), of bytes or of floats in
    [0, 1]; or an object array, or a column of a data frame, of such images, of PIL
    images or of paths. None, or an image of NaN, is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoral.modalities import ImageModality
    >>> block = np.zeros((4, 16, 16, 3), dtype=np.uint8)
    >>> ImageModality().fit(block).transform(block).shape
    (4, 3, 16, 16)
    """

    array_ndim = 4

    _parameter_constraints = {
        "size": [*POSITIVE_INT, tuple, list, None],
        "mode": [StrOptions(set(CHANNELS))],
        "encoder": [StrOptions({"conv", "patch", "alexnet"})],
        "patch_size": POSITIVE_INT,
        "conv_width": POSITIVE_INT,
        "augmentation": [StrOptions({"simclr"}), "array-like", callable],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        size=None,
        mode="RGB",
        encoder="conv",
        patch_size=8,
        conv_width=32,
        augmentation="simclr",
        random_state=None,
    ):
        self.size = size
        self.mode = mode
        self.encoder = encoder
        self.patch_size = patch_size
        self.conv_width = conv_width
        self.augmentation = augmentation
        self.random_state = random_state

    @staticmethod
    def claims(values):
        """Return whether a column holds PIL images, arrays of bytes or image files."""
        cell = first_present(values)
        if isinstance(cell, (str, Path)):
            return Path(cell).suffix.lower() in FILE_SUFFIXES
        if isinstance(cell, np.ndarray):
            return cell.dtype == np.uint8 and cell.ndim >= 2
        return _is_pil(cell)

    def fit(self, block, y=None):
        """Learn the size, and mean and deviation of each channel.

        Parameters
        ----------
        block : ndarray, or data frame of one column
            The images.

        y : None
            Ignored.

        Returns
        -------
        self : ImageModality
            The fitted modality.

        Raises
        ------
        ValueError
            If sizes differ and `size` is None, a value is not in [0, 1], or a file
            cannot be read.

        TypeError
            If a cell is no image and no path.

        ImportError
            If Pillow is needed and not installed.
        """
        self._validate_params()
        self.make_augmentation()
        self.size_ = self._check_size()
        images = self._sample(block)
        self.size_ = images.shape[2:]
        unit = _to_unit(images)
        axes = (0, 2, 3)
        self.mean_ = unit.mean(axis=axes, dtype=np.float64).astype(np.float32)
        deviation = unit.std(axis=axes, dtype=np.float64).astype(np.float32)
        self.scale_ = np.where(deviation > 0, deviation, 1).astype(np.float32)
        return self

    def transform(self, block):
        """Return the images in one size.

        Parameters
        ----------
        block : ndarray, or data frame of one column
            The images.

        Returns
        -------
        ndarray of shape (n_samples, n_channels, height, width), uint8 or float32
            Bytes where the images were bytes or files, else floats in [0, 1].
        """
        return self._read(block)

    def make_encoder(self, embed_dim):
        """Return the encoder, an :class:`~skcoral.nn.encoders.ImageEncoder`."""
        return ImageEncoder(
            self.mean_,
            self.scale_,
            self.size_,
            embed_dim,
            kind=self.encoder,
            patch_size=self.patch_size,
            conv_width=self.conv_width,
        )

    def make_augmentation(self):
        """Return the callable ``(tensor, mask, generator) -> tensor`` of one view."""
        return self._compose({"simclr": SimCLR()})

    def _check_size(self):
        size = (self.size,) * 2 if isinstance(self.size, Integral) else self.size
        if size is None:
            return None
        if len(size) != 2 or not all(isinstance(s, Integral) and s > 0 for s in size):
            raise ValueError(
                "The 'size' parameter of ImageModality must be an int, a pair of int "
                f"or None. Got {self.size!r} instead."
            )
        return tuple(size)

    def defer(self, block):
        """Return cells to be decoded batch by batch, or None if all may be decoded.

        Parameters
        ----------
        block : ndarray, or data frame of one column
            The images.

        Returns
        -------
        ndarray of object of shape (n_samples,), or None
            None if the decoded images take less than 1 GB.
        """
        n_bytes = len(block) * CHANNELS[self.mode] * np.prod(self.size_)
        if _is_array(block) or n_bytes <= MAX_DECODED_BYTES:
            return None
        cells = [_Cell(*cell) for cell in enumerate(list_cells(block))]
        cells = (None if is_missing(cell.image) else cell for cell in cells)
        return np.fromiter(cells, dtype=object, count=len(block))

    def _sample(self, block):
        """Return images, evenly spaced, of which to learn mean and deviation."""
        if _is_array(block):
            images = self._read(block)
            return images[:: -(-len(images) // STATISTICS_ROWS)]
        cells = list_cells(block)
        there = [row for row, cell in enumerate(cells) if not is_missing(cell)]
        rows = there[:: -(-len(there) // STATISTICS_ROWS)]
        return _read_cells([_Cell(r, cells[r]) for r in rows], self.mode, self.size_)

    def _read(self, block):
        if _is_array(block):
            return _read_array(block, self.mode, self.size_)
        return _read_cells(list_cells(block), self.mode, self.size_)


def _is_array(block):
    """Tell an array of images from cells that hold one image each."""
    return not is_dataframe(block) and block.dtype.kind in "uifb"


def _read_array(block, mode, size):
    """Return an array of images as (n_samples, channels, height, width)."""
    images = _channels_first(block)
    if images.dtype != np.uint8:
        images = _check_unit(images)
    images = _convert_channels(images, mode)
    if size is None or images.shape[2:] == size:
        return np.ascontiguousarray(images)
    parts = np.array_split(images, max(1, len(images) // RESIZE_BATCH))
    return np.concatenate([_resize(part, size) for part in parts])


def _channels_first(block):
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


def _check_unit(images):
    """Return floats between 0 and 1; an image of NaN is missing, and black here."""
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


def _convert_channels(images, mode):
    """Drop transparency, and turn grey into colour or colour into grey."""
    images = images[:, :3]
    if images.shape[1] == CHANNELS[mode]:
        return images
    if mode == "RGB":
        return np.repeat(images, 3, axis=1)
    # The weights of ITU-R 601-2, as in Pillow.
    grey = np.einsum("nchw,c->nhw", images, [0.299, 0.587, 0.114])[:, None]
    return grey.round().astype(np.uint8) if images.dtype == np.uint8 else grey


def _resize(images, size):
    resized = F.interpolate(
        torch.from_numpy(np.ascontiguousarray(images)).float(),
        size=size,
        mode="bilinear",
        antialias=True,
    )
    if images.dtype == np.uint8:
        resized = resized.round().clamp(0, 255).to(torch.uint8)
    return resized.numpy()


def _read_cells(cells, mode, size):
    """Decode images one by one; only their final size is ever held together."""
    cells = [
        cell if isinstance(cell, _Cell) else _Cell(row, cell)
        for row, cell in enumerate(cells)
    ]
    images = {
        place: _decode(*cell, mode, size)
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


def _decode(row, cell, mode, size):
    """Return one image as (channels, height, width)."""
    if isinstance(cell, np.ndarray):
        with _naming_row(row):
            return _read_array(cell[None], mode, size)[0]
    image = _open(row, cell).convert(mode)
    if size is not None and image.size != size[::-1]:
        from PIL import Image

        image = image.resize(size[::-1], Image.Resampling.BILINEAR)
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


@contextlib.contextmanager
def _naming_row(row):
    """Name the row of X in an error about a single image."""
    try:
        yield
    except ValueError as error:
        message = str(error).removesuffix(" in row 0.").removesuffix(".")
        raise ValueError(f"{message} in row {row}.") from error


def _open(row, cell):
    """Return a PIL image, from itself or from a file."""
    if _is_pil(cell):
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


def _is_pil(cell):
    """Return whether a cell is an image of Pillow, which need not be installed."""
    return hasattr(cell, "convert") and hasattr(cell, "resize")


def _to_unit(images):
    return images / np.float32(255) if images.dtype == np.uint8 else images
