"""Augmentations: callables ``(x, mask, generator) -> view`` on batches, on the device.

:class:`Augmentation` is the contract that all of them meet.
"""

from skcoral.augmentations.base import Augmentation, Compose
from skcoral.augmentations.images import (
    ColorJitter,
    Flip,
    GaussianBlur,
    ResizedCrop,
    SimCLR,
)
from skcoral.augmentations.steps import Crop, Drop, DropConsecutive, Permute
from skcoral.augmentations.tokens import TokenCorruption, TokenDrop
from skcoral.augmentations.values import MarginalCorruption, Noise

__all__ = [
    "Augmentation",
    "ColorJitter",
    "Compose",
    "Crop",
    "Drop",
    "DropConsecutive",
    "Flip",
    "GaussianBlur",
    "MarginalCorruption",
    "Noise",
    "Permute",
    "ResizedCrop",
    "SimCLR",
    "TokenCorruption",
    "TokenDrop",
]
