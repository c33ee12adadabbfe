"""Augmentations of images, all samples of a batch at once."""

import math

import numpy as np
import torch
from torch import Tensor

from skcoral._generators import draw_uniform
from skcoral.augmentations.base import Compose

# Luma and the two axes of colour of YIQ (NTSC, 1953), in RGB.
YIQ = np.array(
    [
        [0.299, 0.587, 0.114],
        [0.595716, -0.274453, -0.321263],
        [0.211456, -0.522591, 0.311135],
    ]
)
TO_GREY = np.tile(YIQ[0], (3, 1))
# A turn of the hue by 90 degrees, of colours without their grey.
QUARTER_TURN = np.linalg.inv(YIQ) @ [[0, 0, 0], [0, 0, -1], [0, 1, 0]] @ YIQ
# Largest distortion by a crop.
MAX_RATIO = 4 / 3
# Number of crops that are drawn, of which the first that fits is taken.
N_TRIES = 10


class ResizedCrop:
    """Crop images at random and resize the crops to the size of the images.

    Parameters
    ----------
    min_scale : float, default=0.08
        Smallest share of the area that a crop keeps.

    Notes
    -----
    The share of the area is uniform and the ratio of the sides log-uniform between 3/4
    and 4/3, as in SimCLR (arXiv 2002.05709). It is relative to the ratio of the image,
    so that resizing distorts wide images no more than square ones. Of ten draws the
    first counts that fits into the image. Interpolation is bilinear.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import ResizedCrop
    >>> ResizedCrop()(torch.zeros(2, 3, 16, 16, dtype=torch.uint8)).dtype
    torch.float32
    """

    def __init__(self, min_scale: float = 0.08) -> None:
        self.min_scale = min_scale

    def __call__(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return a view, as floats, of the images `x`: bytes, or floats in [0, 1]."""
        unit = _to_unit(x)
        draws = draw_uniform((2, N_TRIES + 1, len(unit)), unit.device, generator)
        draws = draws.to(unit.dtype)
        lengths = self._choose_lengths(*draws[:, 1:])
        starts = draws[:, 0] * (1 - lengths)
        height, width = unit.shape[2:]
        down, across = (
            _weigh_crop(side, start, length)
            for side, start, length in zip(
                (height, width), starts, lengths, strict=True
            )
        )
        return _resample(unit, down, across)

    def _choose_lengths(self, shares: Tensor, ratios: Tensor) -> Tensor:
        """Return the sides of the first crops that fit, as shares of those of images.

        Both draws have shape (n_tries, n_samples).
        """
        shares = self.min_scale + (1 - self.min_scale) * shares
        ratios = MAX_RATIO ** (2 * ratios - 1)
        lengths = torch.stack([shares / ratios, shares * ratios]).sqrt()
        first = (lengths <= 1).all(dim=0).int().argmax(dim=0)
        return lengths[:, first, torch.arange(len(first))].clamp(max=1)


class Flip:
    """Flip half of the images horizontally.

    Parameters
    ----------
    rate : float, default=0.5
        Probability of a flip.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import Flip
    >>> Flip(rate=1.0)(torch.tensor([[[[0.0, 0.5, 1.0]]]]))
    tensor([[[[1.0000, 0.5000, 0.0000]]]])
    """

    def __init__(self, rate: float = 0.5) -> None:
        self.rate = rate

    def __call__(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return a view, as floats, of the images `x`: bytes, or floats in [0, 1]."""
        flipped = draw_uniform((len(x), 1, 1, 1), x.device, generator) < self.rate
        unit = _to_unit(x)
        return torch.where(flipped, unit.flip(3), unit)


class ColorJitter:
    """Change brightness, contrast, saturation and hue, or all colours to grey.

    Parameters
    ----------
    rate : float, default=0.8
        Probability of a change of brightness, contrast, saturation and hue.

    strength : float, default=0.4
        Largest relative change of brightness, contrast and saturation.

    hue : float, default=0.1
        Largest change of the hue, as a share of a full turn.

    grey_rate : float, default=0.2
        Probability of a conversion to grey.

    Notes
    -----
    Rates and strengths are those of SimCLR (arXiv 2002.05709). The hue turns about the
    greys in the space YIQ, and not in HSV: a matrix of three by three per image does
    all at once. Values are clipped to [0, 1] at the end.

    Images of one channel are left as they are.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import ColorJitter
    >>> red = torch.tensor([1.0, 0.0, 0.0])[None, :, None, None]
    >>> ColorJitter(rate=0.0, grey_rate=1.0)(red).flatten()
    tensor([0.2990, 0.2990, 0.2990])
    """

    def __init__(
        self,
        rate: float = 0.8,
        strength: float = 0.4,
        hue: float = 0.1,
        grey_rate: float = 0.2,
    ) -> None:
        self.rate = rate
        self.strength = strength
        self.hue = hue
        self.grey_rate = grey_rate

    def __call__(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return a view, as floats, of the images `x`: bytes, or floats in [0, 1]."""
        unit = _to_unit(x)
        if unit.shape[1] == 1:
            return unit
        draws = draw_uniform((6, len(unit), 1, 1), unit.device, generator)
        draws = draws.to(unit.dtype)
        is_changed, is_grey = draws[0] < self.rate, draws[1] < self.grey_rate
        change = torch.where(is_changed, 2 * draws[2:] - 1, 0)
        brightness, contrast, saturation = 1 + self.strength * change[:3]
        colours = torch.where(is_grey, 0, saturation)
        turn = 2 * math.pi * self.hue * change[3]
        return _recolour(unit, brightness, contrast, colours, turn)


class GaussianBlur:
    """Blur half of the images.

    Parameters
    ----------
    rate : float, default=0.5
        Probability of a blur.

    Notes
    -----
    As in SimCLR (arXiv 2002.05709), the standard deviation is uniform between 0.1 and 2
    pixels, and the kernel spans a tenth of the image, at least three pixels. Kernels
    end at the border.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import GaussianBlur
    >>> GaussianBlur()(torch.ones(2, 3, 16, 16)).shape
    torch.Size([2, 3, 16, 16])
    """

    def __init__(self, rate: float = 0.5) -> None:
        self.rate = rate

    def __call__(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return a view, as floats, of the images `x`: bytes, or floats in [0, 1]."""
        unit = _to_unit(x)
        draws = draw_uniform((2, len(unit)), unit.device, generator).to(unit.dtype)
        rows = draws[0] < self.rate
        deviation = 0.1 + 1.9 * draws[1][rows]
        height, width = unit.shape[2:]
        reach = max(3, min(height, width) // 10 | 1) // 2
        down = _weigh_blur(height, deviation, reach)
        across = _weigh_blur(width, deviation, reach)
        return unit.index_put((rows,), _resample(unit[rows], down, across))


class SimCLR(Compose):
    """Crop, recolour, blur and flip images, with separate draws for each sample.

    Parameters
    ----------
    min_scale : float, default=0.08
        Smallest share of the area that a crop keeps.

    See Also
    --------
    ResizedCrop, ColorJitter, GaussianBlur, Flip : The four steps.

    Notes
    -----
    As in SimCLR (arXiv 2002.05709): a random crop, resized to the size of the image;
    with probability 0.8 a change of brightness, contrast and saturation by up to 0.4
    and of hue by up to 0.1; conversion to grey with probability 0.2; with probability
    0.5 a Gaussian blur with a standard deviation of 0.1 to 2 pixels; a horizontal flip
    with probability 0.5. Colours change in images of three channels only.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import SimCLR
    >>> SimCLR()(torch.zeros(2, 3, 16, 16, dtype=torch.uint8)).dtype
    torch.float32
    """

    def __init__(self, min_scale: float = 0.08) -> None:
        crop = ResizedCrop(min_scale)
        super().__init__([crop, ColorJitter(), GaussianBlur(), Flip()])


def _to_unit(x: Tensor) -> Tensor:
    """Return images as floats in [0, 1]."""
    return x.float() / 255 if x.dtype == torch.uint8 else x


def _recolour(
    unit: Tensor, brightness: Tensor, contrast: Tensor, colours: Tensor, turn: Tensor
) -> Tensor:
    """Return recoloured images; factors and angles have shape (n_samples, 1, 1).

    A colour is its grey and the rest, which is scaled and turned. No step changes the
    grey but brightness and contrast, so that their order does not matter.
    """
    grey, quarter = (
        torch.as_tensor(m, dtype=unit.dtype, device=unit.device)
        for m in (TO_GREY, QUARTER_TURN)
    )
    rest = torch.eye(3, dtype=unit.dtype, device=unit.device) - grey
    turned = colours * (turn.cos() * rest + turn.sin() * quarter)
    pixels = unit.flatten(2)
    mean_grey = grey @ pixels.mean(dim=2, keepdim=True)
    out = torch.baddbmm(
        brightness * (1 - contrast) * mean_grey,
        brightness * contrast * (grey + turned),
        pixels,
    )
    return out.clamp_(0, 1).view_as(unit)


def _resample(images: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Mix the rows and the columns of images, by weights (n_samples, side, side)."""
    mixed = down[:, None] @ (images.flatten(1, 2) @ across.mT).view_as(images)
    return mixed.clamp_(0, 1)


def _weigh_crop(side: int, start: Tensor, length: Tensor) -> Tensor:
    """Return bilinear weights of a side's pixels for those of a part of it.

    Start and length of the part are shares of the side.
    """
    places = torch.arange(side, device=start.device)
    centres = start[:, None] * (side - 1) + length[:, None] * places
    return (1 - (centres[:, :, None] - places).abs()).clamp_(min=0)


def _weigh_blur(side: int, deviation: Tensor, reach: int) -> Tensor:
    """Return Gaussian weights of pixels for pixels: (n_samples, side, side)."""
    places = torch.arange(side, device=deviation.device)
    distance = (places[:, None] - places).abs()
    exponents = -0.5 * (distance / deviation[:, None, None]) ** 2
    return exponents.masked_fill(distance > reach, -torch.inf).softmax(dim=2)
