"""The encoder of images: a grid of tokens."""

import math
from typing import Any, Literal

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from skcoral.nn.encoders.base import EncodedTokens, expand_mask
from skcoral.nn.positions import encode_grid

# A layout in memory, with which convolutions of few channels take a third less time.
CHANNELS_LAST: dict[str, Any] = {"memory_format": torch.channels_last}


class ImageEncoder(nn.Module):
    """Turn an image into a grid of tokens.

    Parameters
    ----------
    mean, scale : array-like of shape (n_channels,)
        Mean and standard deviation of the channels, for pixels in [0, 1].

    size : (int, int)
        Height and width of the images.

    embed_dim : int
        Width of the tokens.

    kind : {"conv", "patch", "alexnet"}, default="conv"
        Convolutions that halve the image to a grid of about six by six, linear patches,
        or the convolutions of AlexNet.

    patch_size : int, default=8
        Height and width of a patch in pixels.

    conv_width : int, default=32
        Number of channels of the first convolution of "conv"; the second has twice as
        many, the others four times.

    Notes
    -----
    Patches, AlexNet and the fixed sine and cosine encoding of the position follow COrAL
    (arXiv 2602.14983). The compact network is ours; its group normalisation keeps the
    images of a batch independent.

    Examples
    --------
    >>> import torch
    >>> from skcoral.nn.encoders.image import ImageEncoder
    >>> encoder = ImageEncoder([0.5] * 3, [0.2] * 3, (24, 24), embed_dim=8)
    >>> encoder(torch.zeros(2, 3, 24, 24, dtype=torch.uint8))[0].shape
    torch.Size([2, 36, 8])
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        mean: ArrayLike,
        scale: ArrayLike,
        size: tuple[int, int],
        embed_dim: int,
        kind: Literal["conv", "patch", "alexnet"] = "conv",
        patch_size: int = 8,
        conv_width: int = 32,
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.as_tensor(mean)[:, None, None].float())
        self.register_buffer("scale", torch.as_tensor(scale)[:, None, None].float())
        n_channels = len(self.mean)
        if kind == "patch":
            self.layers = _make_patches(n_channels, embed_dim, size, patch_size)
        else:
            if kind == "conv":
                layers, width = _make_convolutions(n_channels, size, conv_width)
            else:
                layers, width = _make_alexnet(n_channels, size)
            self.layers = nn.Sequential(*layers, nn.Conv2d(width, embed_dim, 1))
        self.layers.to(**CHANNELS_LAST)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> EncodedTokens:
        """Return tokens of shape (n_samples, n_tokens, embed_dim) and their mask."""
        x = x.float() / 255 if x.dtype == torch.uint8 else x
        x = (x - self.mean) / self.scale
        grid = self.layers(x.contiguous(**CHANNELS_LAST))
        tokens = grid.flatten(2).transpose(1, 2) + encode_grid(grid)
        return tokens, expand_mask(mask, tokens)


def _make_patches(
    n_channels: int, embed_dim: int, size: tuple[int, int], patch_size: int
) -> nn.Module:
    if min(size) < patch_size:
        raise ValueError(
            f"Images of height and width {tuple(size)} have no patch of {patch_size} "
            "pixels. Lower 'patch_size'."
        )
    return nn.Conv2d(n_channels, embed_dim, patch_size, stride=patch_size)


def _make_convolutions(
    n_channels: int, size: tuple[int, int], first_width: int
) -> tuple[list[nn.Module], int]:
    """Return layers that halve the image until the shorter side is at most six."""
    layers: list[nn.Module] = []
    width, side, wider = n_channels, min(size), first_width
    while not layers or side > 6:
        layers += [
            nn.Conv2d(width, wider, 3, stride=2, padding=1),
            nn.GroupNorm(math.gcd(8, wider), wider),
            nn.GELU(),
        ]
        width, side = wider, (side + 1) // 2
        wider = min(2 * wider, 4 * first_width)
    return layers, width


def _make_alexnet(
    n_channels: int, size: tuple[int, int]
) -> tuple[list[nn.Module], int]:
    """Return the convolution and pooling layers of AlexNet (arXiv 1404.5997)."""
    if min(size) < 63:
        raise ValueError(
            "encoder='alexnet' needs images of 63 pixels or more. Got height and width "
            f"{tuple(size)}."
        )
    pool = nn.MaxPool2d(3, stride=2)
    layers = [nn.Conv2d(n_channels, 64, 11, stride=4, padding=2), nn.ReLU(), pool]
    layers += [nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), pool]
    for width, wider in ((192, 384), (384, 256), (256, 256)):
        layers += [nn.Conv2d(width, wider, 3, padding=1), nn.ReLU()]
    return [*layers, pool], 256
