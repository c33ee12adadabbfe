"""Augmentations of steps: blanking some of them, or shuffling their order."""

from typing import Any

import torch

from skcoral._generators import draw_uniform


class Drop:
    """Blank a random share of the steps of some of the samples.

    In a vector the steps are its features.

    Parameters
    ----------
    p : float, default=0.5
        Probability that a sample loses steps.

    max_fraction : float, default=0.8
        Largest share of steps to blank; the share is drawn uniformly from 0 to this.

    fill : float, default=0.0
        Value of a blanked step.

    Notes
    -----
    The augmentation "drop" in the code published with COrAL (arXiv 2602.14983), drawn
    for all samples at once.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import Drop
    >>> view = Drop(p=1.0)(torch.ones(2, 10))
    >>> bool((view.sum(dim=1) >= 2).all())
    True
    """

    def __init__(
        self, p: float = 0.5, max_fraction: float = 0.8, fill: float = 0.0
    ) -> None:
        self.p = p
        self.max_fraction = max_fraction
        self.fill = fill

    def __call__(
        self,
        x: torch.Tensor,
        mask: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Return a copy of `x` with blanked steps; padding does not count."""
        random: dict[str, Any] = {"device": x.device, "generator": generator}
        keys = draw_uniform(x.shape[:2], **random)
        n_steps = torch.full((len(x),), x.shape[1], device=x.device)
        if mask is not None:
            # Keys above one sort the padding behind all real steps.
            keys = keys.masked_fill(~mask, 2.0)
            n_steps = mask.sum(dim=1)
        share = self.max_fraction * draw_uniform((len(x),), **random)
        share = share * (draw_uniform((len(x),), **random) < self.p)
        ranks = keys.argsort(dim=1).argsort(dim=1)
        lost = ranks < (share * n_steps).round()[:, None]
        return x.masked_fill(lost if x.ndim == 2 else lost[..., None], self.fill)


class Crop:
    """Blank all but a random window of the steps.

    Parameters
    ----------
    min_fraction : float, default=0.08
        Smallest share of steps to keep; the share is drawn uniformly from this to 1.

    Notes
    -----
    The augmentation "crop" in the code published with COrAL (arXiv 2602.14983), except
    that steps outside the window are blanked here, which keeps the shape of the batch.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import Crop
    >>> Crop()(torch.ones(2, 9, 3)).shape
    torch.Size([2, 9, 3])
    """

    def __init__(self, min_fraction: float = 0.08) -> None:
        self.min_fraction = min_fraction

    def __call__(
        self,
        x: torch.Tensor,
        mask: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Return a copy of `x` with blanked steps; padding does not count."""
        random: dict[str, Any] = {"device": x.device, "generator": generator}
        lost = 1 - self.min_fraction
        share = 1 - lost * draw_uniform((len(x),), **random)
        window = _draw_window(x, mask, share, random)
        return x.masked_fill(~window[..., None], 0.0)


class DropConsecutive:
    """Blank a random window of the steps of some of the samples.

    Parameters
    ----------
    p : float, default=0.5
        Probability that a sample loses steps.

    max_fraction : float, default=0.8
        Largest share of steps to blank; the share is drawn uniformly from 0 to this.

    Notes
    -----
    The augmentation "drop_consecutive" in the code published with COrAL (arXiv
    2602.14983).

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import DropConsecutive
    >>> view = DropConsecutive(p=1.0)(torch.ones(2, 10, 1))
    >>> bool((view.sum(dim=(1, 2)) >= 2).all())
    True
    """

    def __init__(self, p: float = 0.5, max_fraction: float = 0.8) -> None:
        self.p = p
        self.max_fraction = max_fraction

    def __call__(
        self,
        x: torch.Tensor,
        mask: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Return a copy of `x` with blanked steps; padding does not count."""
        random: dict[str, Any] = {"device": x.device, "generator": generator}
        share = self.max_fraction * draw_uniform((len(x),), **random)
        share = share * (draw_uniform((len(x),), **random) < self.p)
        return x.masked_fill(_draw_window(x, mask, share, random)[..., None], 0.0)


class Permute:
    """Shuffle the steps of some of the samples.

    Parameters
    ----------
    p : float, default=0.5
        Probability that a sample is shuffled.

    Notes
    -----
    The augmentation "permute" in the code published with COrAL (arXiv 2602.14983).

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import Permute
    >>> x = torch.arange(5.0)[None, :, None]
    >>> Permute(p=1.0)(x).sort(dim=1).values.flatten()
    tensor([0., 1., 2., 3., 4.])
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def __call__(
        self,
        x: torch.Tensor,
        mask: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Return a copy of `x` with shuffled steps; padding stays where it is."""
        random: dict[str, Any] = {"device": x.device, "generator": generator}
        steps = torch.arange(x.shape[1], device=x.device)
        chosen = draw_uniform((len(x), 1), **random) < self.p
        if mask is not None:
            chosen = chosen & mask
        # Steps that stay keep their order, and sort behind the shuffled ones.
        keys = torch.where(chosen, draw_uniform(x.shape[:2], **random), 2.0 + steps)
        return x.take_along_dim(keys.argsort(dim=1)[..., None], dim=1)


def _draw_window(
    x: torch.Tensor,
    mask: torch.Tensor | None,
    share: torch.Tensor,
    random: dict[str, Any],
) -> torch.Tensor:
    """Return whether each step lies in a random window, a share of the real steps."""
    n_steps = torch.full((len(x),), x.shape[1], device=x.device)
    n_steps = n_steps if mask is None else mask.sum(dim=1)
    size = (share * n_steps).round()
    room = n_steps - size + 1
    start = (draw_uniform((len(x),), **random) * room).floor()
    steps = torch.arange(x.shape[1], device=x.device)
    return (steps >= start[:, None]) & (steps < (start + size)[:, None])
