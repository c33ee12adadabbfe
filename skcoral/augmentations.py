"""Augmentations: callables ``(x, mask, generator) -> view`` on batches, on the device.

`x` has shape (n_samples, n_features) or (n_samples, n_steps, n_features). `mask` is
None, or True at real steps, or of shape (n_samples, 1) where there are no steps.
`generator` is a `torch.Generator` on the device of `x`, or None for torch's default
one. `x` itself is never changed.
"""

import torch
from torch import nn


class MarginalCorruption:
    """Replace entries by values of the same feature in other rows of the batch.

    Parameters
    ----------
    rate : float, default=0.5
        Probability that an entry is replaced.

    Notes
    -----
    After SCARF (arXiv 2106.15147). There each row has the same number of features
    replaced, by draws from the whole training set, in one view only; here each entry is
    replaced with a probability, by a draw from the batch, and both views are corrupted.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import MarginalCorruption
    >>> x = torch.tensor([[1.0, 10.0], [2.0, 20.0]])
    >>> view = MarginalCorruption(rate=1.0)(x, None, torch.Generator().manual_seed(0))
    >>> set(view[:, 1].tolist()) <= {10.0, 20.0}
    True
    """

    def __init__(self, rate=0.5):
        self.rate = rate

    def __call__(self, x, mask=None, generator=None):
        """Return a corrupted copy of `x`; rows that lack the modality are no donors."""
        if x.ndim != 2:
            raise ValueError(
                "MarginalCorruption expects shape (n_samples, n_features). "
                f"Got {tuple(x.shape)}."
            )
        random = {"device": x.device, "generator": generator}
        replaced = torch.rand(x.shape, **random) < self.rate
        present = torch.arange(len(x), device=x.device)
        if mask is not None:
            present = present[mask[:, 0]]
        if not len(present):
            return x
        donors = present[torch.randint(len(present), x.shape, **random)]
        return torch.where(replaced, x.gather(0, donors), x)


class Noise:
    """Add Gaussian noise to some of the samples.

    Parameters
    ----------
    scale : float, default=0.1
        Standard deviation of the noise, in the units of `x`.

    p : float, default=0.5
        Probability that a sample gets noise.

    n_columns : int or None, default=None
        Only this many features, the first ones, get noise; all if None.

    Notes
    -----
    The "noise" of the code that COrAL (arXiv 2602.14983) was published with.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import Noise
    >>> Noise(n_columns=1)(torch.zeros(3, 2))[:, 1]
    tensor([0., 0., 0.])
    """

    def __init__(self, scale=0.1, p=0.5, n_columns=None):
        self.scale = scale
        self.p = p
        self.n_columns = n_columns

    def __call__(self, x, mask=None, generator=None):
        """Return a noisy copy of `x`; padding stays as it is."""
        random = {"device": x.device, "generator": generator}
        chosen = torch.rand(_per_sample(x), **random) < self.p
        noise = self.scale * torch.randn(x.shape, dtype=x.dtype, **random)
        if self.n_columns is not None:
            noise[..., self.n_columns :] = 0.0
        if mask is not None:
            chosen = chosen & (mask if x.ndim == 2 else mask[..., None])
        return torch.where(chosen, x + noise, x)


class Drop:
    """Blank a random share of the steps of some of the samples.

    The features of a vector, and the steps of a sequence, are what is blanked.

    Parameters
    ----------
    p : float, default=0.5
        Probability that a sample loses steps.

    max_fraction : float, default=0.8
        The share of its steps is uniform between 0 and this.

    fill : float, default=0.0
        Value of a blanked step.

    Notes
    -----
    The "drop" of the code that COrAL (arXiv 2602.14983) was published with, drawn for
    all samples at once.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import Drop
    >>> view = Drop(p=1.0)(torch.ones(2, 10))
    >>> bool((view.sum(dim=1) >= 2).all())
    True
    """

    def __init__(self, p=0.5, max_fraction=0.8, fill=0.0):
        self.p = p
        self.max_fraction = max_fraction
        self.fill = fill

    def __call__(self, x, mask=None, generator=None):
        """Return a copy of `x` with blanked steps; padding does not count."""
        random = {"device": x.device, "generator": generator}
        keys = torch.rand(x.shape[:2], **random)
        n_steps = torch.full((len(x),), x.shape[1], device=x.device)
        if mask is not None:
            # Keys above one sort the padding behind all real steps.
            keys = keys.masked_fill(~mask, 2.0)
            n_steps = mask.sum(dim=1)
        share = self.max_fraction * torch.rand(len(x), **random)
        share = share * (torch.rand(len(x), **random) < self.p)
        ranks = keys.argsort(dim=1).argsort(dim=1)
        lost = ranks < (share * n_steps).round()[:, None]
        return x.masked_fill(lost if x.ndim == 2 else lost[..., None], self.fill)


class Crop:
    """Blank all but a random window of the steps.

    Parameters
    ----------
    min_fraction : float, default=0.08
        The share of steps that stay is uniform between this and one.

    Notes
    -----
    "crop" of the code that COrAL (arXiv 2602.14983) was published with; steps outside
    the window are blanked here, which keeps the shape of the batch.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import Crop
    >>> Crop()(torch.ones(2, 9, 3)).shape
    torch.Size([2, 9, 3])
    """

    def __init__(self, min_fraction=0.08):
        self.min_fraction = min_fraction

    def __call__(self, x, mask=None, generator=None):
        """Return a copy of `x` with blanked steps; padding does not count."""
        random = {"device": x.device, "generator": generator}
        lost = 1 - self.min_fraction
        share = 1 - lost * torch.rand(len(x), **random)
        window = _draw_window(x, mask, share, random)
        return x.masked_fill(~window[..., None], 0.0)


class DropConsecutive:
    """Blank a random window of the steps of some of the samples.

    Parameters
    ----------
    p : float, default=0.5
        Probability that a sample loses steps.

    max_fraction : float, default=0.8
        The share of its steps is uniform between 0 and this.

    Notes
    -----
    "drop_consecutive" of the code that COrAL (arXiv 2602.14983) was published with.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import DropConsecutive
    >>> view = DropConsecutive(p=1.0)(torch.ones(2, 10, 1))
    >>> bool((view.sum(dim=(1, 2)) >= 2).all())
    True
    """

    def __init__(self, p=0.5, max_fraction=0.8):
        self.p = p
        self.max_fraction = max_fraction

    def __call__(self, x, mask=None, generator=None):
        """Return a copy of `x` with blanked steps; padding does not count."""
        random = {"device": x.device, "generator": generator}
        share = self.max_fraction * torch.rand(len(x), **random)
        share = share * (torch.rand(len(x), **random) < self.p)
        return x.masked_fill(_draw_window(x, mask, share, random)[..., None], 0.0)


class Permute:
    """Shuffle the steps of some of the samples.

    Parameters
    ----------
    p : float, default=0.5
        Probability that a sample is shuffled.

    Notes
    -----
    "permute" of the code that COrAL (arXiv 2602.14983) was published with.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import Permute
    >>> x = torch.arange(5.0)[None, :, None]
    >>> Permute(p=1.0)(x).sort(dim=1).values.flatten()
    tensor([0., 1., 2., 3., 4.])
    """

    def __init__(self, p=0.5):
        self.p = p

    def __call__(self, x, mask=None, generator=None):
        """Return a copy of `x` with shuffled steps; padding stays where it is."""
        random = {"device": x.device, "generator": generator}
        steps = torch.arange(x.shape[1], device=x.device)
        chosen = torch.rand((len(x), 1), **random) < self.p
        if mask is not None:
            chosen = chosen & mask
        # Steps that stay keep keys in order, behind the shuffled ones.
        keys = torch.where(chosen, torch.rand(x.shape[:2], **random), 2.0 + steps)
        return x.take_along_dim(keys.argsort(dim=1)[..., None], dim=1)


def _draw_window(x, mask, share, random):
    """Return True in a random window that covers a share of the real steps."""
    n_steps = torch.full((len(x),), x.shape[1], device=x.device)
    n_steps = n_steps if mask is None else mask.sum(dim=1)
    size = (share * n_steps).round()
    room = n_steps - size + 1
    start = (torch.rand(len(x), **random) * room).floor()
    steps = torch.arange(x.shape[1], device=x.device)
    return (steps >= start[:, None]) & (steps < (start + size)[:, None])


class SimCLR:
    """Crop, flip, recolour and blur images, each sample by draws of its own.

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
    Random crop resized to the image; with probability 0.8 a change of brightness,
    contrast and saturation by 0.4 and of hue by 0.1; grey with 0.2; blur of deviation
    0.1 to 2 pixels with 0.5; horizontal flip with 0.5. As in SimCLR (arXiv 2002.05709),
    by `kornia`, which draws from torch's default generator: `generator` is not used.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import SimCLR
    >>> SimCLR()(torch.zeros(2, 3, 16, 16, dtype=torch.uint8)).dtype
    torch.float32
    """

    def __init__(self, min_scale=0.08):
        self.min_scale = min_scale

    def __call__(self, x, mask=None, generator=None):
        """Return a view of the images `x`, bytes or floats in [0, 1], as floats."""
        unit = x.float() / 255 if x.dtype == torch.uint8 else x
        return self._make_pipeline(unit.shape[1:])(unit)

    def _make_pipeline(self, shape):
        """Return kornia's augmentations for images of (channels, height, width)."""
        try:
            from kornia import augmentation as kornia
        except ImportError as error:
            raise ImportError(
                "augmentation='simclr' needs kornia: pip install 'skcoral[image]'."
            ) from error
        n_channels, *size = shape
        # A blur over a tenth of the image, as published; kernels have odd sizes.
        kernel = max(3, min(size) // 10 | 1)
        colours = [
            kornia.ColorJitter(0.4, 0.4, 0.4, 0.1, p=0.8),
            kornia.RandomGrayscale(p=0.2),
        ]
        return nn.Sequential(
            kornia.RandomResizedCrop(tuple(size), scale=(self.min_scale, 1.0)),
            *(colours if n_channels == 3 else []),
            kornia.RandomGaussianBlur((kernel, kernel), (0.1, 2.0), p=0.5),
            kornia.RandomHorizontalFlip(p=0.5),
        )


class TokenCorruption:
    """Replace tokens by tokens of any rows of the batch.

    Parameters
    ----------
    rate : float, default=0.5
        Probability that a token is replaced.

    Notes
    -----
    :class:`MarginalCorruption` for texts, whose tokens have no columns: a donor is
    drawn from all tokens of the batch.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import TokenCorruption
    >>> ids = torch.tensor([[2, 3, 0], [4, 0, 0]])
    >>> view = TokenCorruption(rate=1.0)(ids, None, torch.Generator().manual_seed(0))
    >>> (view == 0).tolist() == (ids == 0).tolist()
    True
    """

    def __init__(self, rate=0.5):
        self.rate = rate

    def __call__(self, x, mask=None, generator=None):
        """Return a corrupted copy of the ids `x`; 0 is padding and stays."""
        random = {"device": x.device, "generator": generator}
        real = x > 0
        pool = x[real]
        replaced = real & (torch.rand(x.shape, **random) < self.rate)
        donors = torch.randint(max(1, len(pool)), (int(replaced.sum()),), **random)
        return x.masked_scatter(replaced, pool[donors])


class TokenDrop(Drop):
    """Blank a random share of the tokens of some of the samples.

    Parameters
    ----------
    p : float, default=0.5
        Probability that a sample loses tokens.

    max_fraction : float, default=0.8
        The share of its tokens is uniform between 0 and this.

    fill : int, default=1
        Id of a blank token.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import TokenDrop
    >>> view = TokenDrop(p=1.0, max_fraction=1.0)(torch.tensor([[2, 3, 4, 0]]))
    >>> int(view[0, 3])
    0
    """

    def __init__(self, p=0.5, max_fraction=0.8, fill=1):
        super().__init__(p, max_fraction, fill)

    def __call__(self, x, mask=None, generator=None):
        """Return a copy of the ids `x` with blanks; 0 is padding and stays."""
        return super().__call__(x, x > 0, generator)


class Compose:
    """Apply augmentations in order.

    Parameters
    ----------
    augmentations : sequence of callable
        Callables ``(x, mask, generator) -> tensor``.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import Compose, Drop, Noise
    >>> Compose([Drop(), Noise()])(torch.zeros(2, 3)).shape
    torch.Size([2, 3])
    """

    def __init__(self, augmentations):
        self.augmentations = augmentations

    def __call__(self, x, mask=None, generator=None):
        """Return the view that the last augmentation makes."""
        for augment in self.augmentations:
            x = augment(x, mask, generator)
        return x


def _per_sample(x):
    """Return the shape of one draw per sample that broadcasts over `x`."""
    return (len(x), *[1] * (x.ndim - 1))
