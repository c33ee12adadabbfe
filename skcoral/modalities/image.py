"""Images: arrays, PIL images or paths of files, decoded once to one small size."""

from numbers import Integral
from pathlib import Path

import numpy as np

from skcoral._constraints import POSITIVE_INT
from skcoral._input.containers import list_cells
from skcoral._input.presence import first_present, is_missing
from skcoral._sklearn_compat import StrOptions
from skcoral.augmentations import SimCLR
from skcoral.modalities._pixels import (
    CHANNELS,
    Cell,
    is_array,
    is_pil,
    read_array,
    read_cells,
    to_unit,
)
from skcoral.modalities.base import BaseModality
from skcoral.nn.encoders import ImageEncoder

# Endings of the files that "auto" takes for images.
FILE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
# Images from which mean and deviation are learnt.
STATISTICS_ROWS = 2000
# Decoded images are kept up to this size, beyond it files are decoded batch by batch.
MAX_DECODED_BYTES = 2**30


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
        return is_pil(cell)

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
        unit = to_unit(images)
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
        if is_array(block) or n_bytes <= MAX_DECODED_BYTES:
            return None
        cells = [Cell(*cell) for cell in enumerate(list_cells(block))]
        cells = (None if is_missing(cell.image) else cell for cell in cells)
        return np.fromiter(cells, dtype=object, count=len(block))

    def _sample(self, block):
        """Return images, evenly spaced, of which to learn mean and deviation."""
        if is_array(block):
            images = self._read(block)
            return images[:: -(-len(images) // STATISTICS_ROWS)]
        cells = list_cells(block)
        there = [row for row, cell in enumerate(cells) if not is_missing(cell)]
        rows = there[:: -(-len(there) // STATISTICS_ROWS)]
        return read_cells([Cell(r, cells[r]) for r in rows], self.mode, self.size_)

    def _read(self, block):
        if is_array(block):
            return read_array(block, self.mode, self.size_)
        return read_cells(list_cells(block), self.mode, self.size_)
