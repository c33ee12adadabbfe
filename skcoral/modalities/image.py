"""Images: arrays, PIL images or file paths, decoded to one size."""

import math
from collections.abc import Iterator, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skcoral._constraints import POSITIVE_INT, PROBABILITY
from skcoral._input.arrays import is_numeric
from skcoral._input.containers import list_cells
from skcoral._input.errors import naming_preprocessor
from skcoral._input.presence import find_nonempty_rows, first_present, is_missing
from skcoral._sklearn_compat import StrOptions
from skcoral._types import Array, RandomState
from skcoral.augmentations import (
    Augmentation,
    ColorJitter,
    Flip,
    GaussianBlur,
    ResizedCrop,
    SimCLR,
)
from skcoral.modalities._pixels import (
    CHANNELS,
    Cell,
    Mode,
    Size,
    average_parts,
    is_pil,
    read_array,
    read_cells,
    to_unit,
)
from skcoral.modalities.base import (
    AUGMENTATIONS,
    BaseModality,
    fit_reducer,
    read_matrix,
    reduce_vectors,
)
from skcoral.nn.encoders.embedding import VectorEncoder
from skcoral.nn.encoders.image import ImageEncoder
from skcoral.pretrained import MODEL, wrap_model

# Encoders that are trained.
NETWORKS = {"conv", "patch", "alexnet"}
# Views of images by their words.
VIEWS = {
    "simclr": SimCLR,
    "crop": ResizedCrop,
    "color": ColorJitter,
    "blur": GaussianBlur,
    "flip": Flip,
}

# Suffixes of the files that "auto" takes for images.
FILE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
# Maximum number of images from which mean and standard deviation are learnt.
STATISTICS_ROWS = 2000
# Decoded images up to this size are kept in memory, larger ones read batch by batch.
MAX_DECODED_BYTES = 2**30


class ImageModality(BaseModality):
    """Images from arrays, PIL images or files, encoded as a grid of tokens.

    Images are decoded one by one, resized to one size and kept in memory as bytes, up
    to 1 GB. Beyond that, files are decoded again in each epoch, batch by batch. Views
    are made on the device.

    Parameters
    ----------
    size : int, (int, int) or None, default=None
        Height and width in pixels; one number sets both. None keeps the size of the
        images, which must then be the same for all.

    mode : {"RGB", "L"}, default="RGB"
        Colour or grey; other images are converted.

    encoder : {"conv", "patch", "alexnet"}, torch.nn.Module, object with `encode` or \
            `transform`, or path, default="conv"
        A compact convolutional network, linear patches, or the convolutions of AlexNet
        as in COrAL's paper, which need images of at least 63 pixels in height and
        width. Anything else is a frozen model, whose vectors replace the pixels: a
        short form of ``encoder=PretrainedEncoder(model)``. Its vectors are standardised
        and become tokens by a small network. Clones share it.

    patch_size : int, default=8
        Height and width of a patch in pixels.

    conv_width : int, default=32
        Number of channels of the first convolution of "conv"; the second has twice as
        many, the others four times. 16 takes about half the time.

    augmentation : {"simclr", "crop", "color", "blur", "flip"}, sequence of these, \
            callable or None, default=None
        How views are made: "simclr" does all four, a random crop, a change of colours,
        a blur and a flip. An empty sequence leaves images unchanged. A callable takes
        ``(tensor, mask, generator)``. Vectors of a frozen model have the views of
        :class:`EmbeddingModality` instead: "corrupt", "noise" or "drop". None takes
        "simclr", or "corrupt" for vectors.

    corruption_rate : float, default=0.5
        Probability that "corrupt" replaces a component of a vector.

    random_state : int, RandomState instance or None, default=None
        Not used, present for consistency with the other kinds.

    Attributes
    ----------
    size_ : (int, int)
        Height and width of the images in pixels.

    itemsize_ : int
        Bytes per value of a decoded image: 1, or 4 if images have more than 8 bits per
        channel.

    mean_, scale_ : ndarray of shape (n_channels,)
        Mean and standard deviation of each channel, over at most 2,000 evenly spaced
        images.

    encoder_ : PretrainedEncoder
        The frozen model, if `encoder` is one. Its vectors are standardised by those of
        the same images.

    Notes
    -----
    A frozen model gets images as arrays of shape (n_channels, height, width), of bytes
    if all have 8 bits per channel, otherwise of floats in [0, 1]; see
    :class:`~skcoral.pretrained.PretrainedEncoder`. Its vectors are computed in `fit`,
    for at most 2,000 images, and in `transform`; with `memory` each once.

    A block is an array of shape (n_samples, height, width, channels), (n_samples,
    channels, height, width) or (n_samples, height, width), of bytes, of 16 bits or of
    floats in [0, 1]; or an object array, or a data frame's column, of such images, PIL
    images or paths. None and images that are all NaN count as missing.

    Images of 16 bits per channel are divided by 65,535, in arrays and in files alike,
    and floats must be in [0, 1]: no value is clipped. Alpha channels are dropped, and
    photos are turned upright as their EXIF orientation says. Animations and stacks of
    pages are refused, and so are files of more than ``PIL.Image.MAX_IMAGE_PIXELS``.

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
        "encoder": [StrOptions(NETWORKS), *MODEL],
        "patch_size": POSITIVE_INT,
        "conv_width": POSITIVE_INT,
        "augmentation": [
            StrOptions({*VIEWS, *AUGMENTATIONS}),
            "array-like",
            callable,
            None,
        ],
        "corruption_rate": PROBABILITY,
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        size: int | tuple[int, int] | None = None,
        mode: Mode = "RGB",
        encoder: Any = "conv",
        patch_size: int = 8,
        conv_width: int = 32,
        augmentation: str | Sequence[str] | Augmentation | None = None,
        corruption_rate: float = 0.5,
        random_state: RandomState = None,
    ) -> None:
        self.size = size
        self.mode = mode
        self.encoder = encoder
        self.patch_size = patch_size
        self.conv_width = conv_width
        self.augmentation = augmentation
        self.corruption_rate = corruption_rate
        self.random_state = random_state

    @staticmethod
    def claims(values: Array) -> bool:
        """Return whether a column holds PIL images, arrays of bytes or image files."""
        cell = first_present(values)
        if isinstance(cell, (str, Path)):
            return Path(cell).suffix.lower() in FILE_SUFFIXES
        if isinstance(cell, np.ndarray):
            return cell.dtype == np.uint8 and cell.ndim >= 2
        return is_pil(cell)

    def fit(self, block: Any, y: None = None) -> Self:
        """Learn the size, and the mean and standard deviation of each channel.

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
            If sizes differ although `size` is None, a value is outside [0, 1], or a
            file cannot be read.

        TypeError
            If a cell is neither an image nor a path.

        ImportError
            If Pillow is needed but not installed.
        """
        self._validate_params()
        self._check_encoder()
        self.make_augmentation()
        self.size_: Any = self._check_size()
        images = self._sample(block)
        self.size_ = images.shape[2:]
        self.itemsize_ = images.dtype.itemsize
        unit = to_unit(images)
        axes = (0, 2, 3)
        self.mean_ = unit.mean(axis=axes, dtype=np.float64).astype(np.float32)
        deviation = unit.std(axis=axes, dtype=np.float64).astype(np.float32)
        self.scale_ = np.where(deviation > 0, deviation, 1).astype(np.float32)
        if self._is_frozen:
            self._fit_vectors(images)
        return self

    def transform(self, block: Any) -> Array:
        """Return the images, resized to one size, or the vectors of a frozen model.

        Parameters
        ----------
        block : ndarray, or data frame of one column
            The images.

        Returns
        -------
        ndarray of shape (n_samples, n_channels, height, width), uint8 or float32
            Bytes if all images have 8 bits per channel, otherwise floats in [0, 1]. Of
            a frozen model, vectors of shape (n_samples, n_features), float32.
        """
        return self._transform_vectors(block) if self._is_frozen else self._read(block)

    def vectorize(self, values: Array, mask: Array | None) -> dict[str, Any]:
        """Return the mean color of each of 8 x 8 parts, or the vectors of a model.

        Parameters
        ----------
        values, mask : ndarray
            Rows of what `transform` returns; the mask is not used.

        Returns
        -------
        dict of str to ndarray of shape (n_samples, n_features)
            The kind "values".
        """
        return {"values": values if self._is_frozen else average_parts(values)}

    def make_encoder(self, embed_dim: int) -> ImageEncoder | VectorEncoder:
        """Return a new encoder of width `embed_dim`."""
        if self._is_frozen:
            return VectorEncoder(self.reducer_[-1].n_features_in_, embed_dim)
        return ImageEncoder(
            self.mean_,
            self.scale_,
            self.size_,
            embed_dim,
            kind=self.encoder,
            patch_size=self.patch_size,
            conv_width=self.conv_width,
        )

    def make_augmentation(self) -> Augmentation:
        """Return the callable ``(tensor, mask, generator) -> tensor`` of one view."""
        if self._is_frozen:
            return super().make_augmentation()
        return self._compose({w: make() for w, make in VIEWS.items()}, default="simclr")

    @property
    def _n_kept(self) -> int:
        """Number of decoded images that memory may hold."""
        n_bytes = CHANNELS[self.mode] * math.prod(self.size_) * self.itemsize_
        return max(1, MAX_DECODED_BYTES // n_bytes)

    @property
    def _is_frozen(self) -> bool:
        """Whether a model encodes the images before training."""
        return not isinstance(self.encoder, str) or self.encoder not in NETWORKS

    def _check_encoder(self) -> None:
        known = not self._is_frozen or not isinstance(self.encoder, str)
        if not known and not Path(self.encoder).exists():
            raise ValueError(
                "The 'encoder' parameter of ImageModality must be among "
                f"{sorted(NETWORKS)}, a model or the path of one; nothing is "
                f"downloaded. Got {self.encoder!r} instead."
            )

    def _check_size(self) -> Size | None:
        size: Any = (self.size,) * 2 if isinstance(self.size, Integral) else self.size
        if size is None:
            return None
        if len(size) != 2 or not all(
            isinstance(s, Integral) and int(s) > 0 for s in size
        ):
            raise ValueError(
                "The 'size' parameter of ImageModality must be an int, a pair of int "
                f"or None. Got {self.size!r} instead."
            )
        return size[0], size[1]

    def defer(self, block: Any) -> Array | None:
        """Return cells to decode batch by batch, or None to decode all at once.

        Parameters
        ----------
        block : ndarray, or data frame of one column
            The images.

        Returns
        -------
        ndarray of object of shape (n_samples,), or None
            None if the images are an array, take at most 1 GB when decoded, or become
            vectors.
        """
        few = len(block) <= self._n_kept
        if is_numeric(block) or few or self._is_frozen:
            return None
        cells = [Cell(*cell) for cell in enumerate(list_cells(block))]
        present = (None if is_missing(cell.image) else cell for cell in cells)
        return np.fromiter(present, dtype=object, count=len(block))

    def _sample(self, block: Any) -> Array:
        """Return evenly spaced images from which to learn mean and deviation."""
        if is_numeric(block):
            images = self._read(block)
            return images[:: -(-len(images) // STATISTICS_ROWS)]
        cells = list_cells(block)
        there = [row for row, cell in enumerate(cells) if not is_missing(cell)]
        rows = there[:: -(-len(there) // STATISTICS_ROWS)]
        return read_cells([Cell(r, cells[r]) for r in rows], self.mode, self.size_)

    def _fit_vectors(self, images: Array) -> None:
        """Load the model, and learn the scale of its vectors."""
        self.encoder_ = clone(wrap_model(self.encoder)).fit(images)
        self.reducer_ = fit_reducer(self._encode(images), 1, None)

    def _transform_vectors(self, block: Any) -> NDArray[np.float32]:
        """Return standardised vectors, zero where a row has no image."""
        rows = np.flatnonzero(find_nonempty_rows(block))
        n_features = self.reducer_[-1].n_features_in_
        out = np.zeros((len(block), n_features), dtype=np.float32)
        for part, images in self._read_parts(block, rows):
            out[part] = reduce_vectors(self.reducer_, self._encode(images))
        return out

    def _read_parts(self, block: Any, rows: Array) -> Iterator[tuple[Array, Array]]:
        """Yield some rows and their images, so many at a time as memory may hold."""
        whole = self._read(block) if is_numeric(block) else None
        cells = [] if is_numeric(block) else list_cells(block)
        for start in range(0, len(rows), self._n_kept):
            part = rows[start : start + self._n_kept]
            if whole is not None:
                yield part, whole[part]
                continue
            images = [Cell(row, cells[row]) for row in part]
            yield part, read_cells(images, self.mode, self.size_)

    def _encode(self, images: Array) -> Array:
        """Return the vectors of the model."""
        images = to_unit(images) if self.itemsize_ > 1 else images
        with naming_preprocessor(self.encoder_.encoder, "encoder"):
            return read_matrix(self.encoder_.transform(images))

    def _read(self, block: Any) -> Array:
        if is_numeric(block):
            return read_array(block, self.mode, self.size_)
        return read_cells(list_cells(block), self.mode, self.size_)
