"""Augmentations of images."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from skcoral._generators import drawing_from

# Crops of smaller images have corners that coincide, of which older releases of kornia
# make an error.
MIN_CROPPED = 8


class SimCLR:
    """Crop, flip, recolour and blur images, with separate draws for each sample.

    Parameters
    ----------
    min_scale : float, default=0.08
        Smallest share of the area that a crop keeps.

    Raises
    ------
    ImportError
        If kornia is not installed.

    Notes
    -----
    As in SimCLR (arXiv 2002.05709): a random crop, resized to the size of the image;
    with probability 0.8 a change of brightness, contrast and saturation by up to 0.4
    and of hue by up to 0.1; conversion to grey with probability 0.2; with probability
    0.5 a Gaussian blur with a standard deviation of 0.1 to 2 pixels; a horizontal flip
    with probability 0.5. Colours change in images of three channels only, and images of
    fewer than 8 pixels in height or width are not cropped.

    `kornia` does the work.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import SimCLR
    >>> SimCLR()(torch.zeros(2, 3, 16, 16, dtype=torch.uint8)).dtype
    torch.float32
    """

    def __init__(self, min_scale: float = 0.08) -> None:
        self.min_scale = min_scale

    def __call__(
        self,
        x: torch.Tensor,
        mask: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Return a view, as floats, of the images `x`: bytes, or floats in [0, 1]."""
        unit = x.float() / 255 if x.dtype == torch.uint8 else x
        with drawing_from(generator):
            return self._make_pipeline(unit.shape[1:])(unit)

    def _make_pipeline(self, shape: Sequence[Any]) -> nn.Sequential:
        """Return kornia's augmentations for images (channels, height, width)."""
        try:
            from kornia import augmentation as kornia
        except ImportError as error:
            raise ImportError(
                "augmentation='simclr' needs kornia: pip install 'skcoral[image]'."
            ) from error
        n_channels, *size = shape
        # The kernel spans a tenth of the image, as published; its size must be odd.
        kernel = max(3, min(size) // 10 | 1)
        colours = [
            kornia.ColorJitter(0.4, 0.4, 0.4, 0.1, p=0.8),
            kornia.RandomGrayscale(p=0.2),
        ]
        crop = [kornia.RandomResizedCrop(tuple(size), scale=(self.min_scale, 1.0))]
        blur = [kornia.RandomGaussianBlur((kernel, kernel), (0.1, 2.0), p=0.5)]
        return nn.Sequential(
            *(crop if min(size) >= MIN_CROPPED else []),
            *(colours if n_channels == 3 else []),
            *(blur if min(size) > 1 else []),
            kornia.RandomHorizontalFlip(p=0.5),
        )
