"""Augmentations of values: other rows lend theirs, or noise is added."""

from typing import Any

import torch

from skcoral._generators import draw_uniform


class MarginalCorruption:
    """Replace entries by values of the same feature in other rows of the batch.

    Parameters
    ----------
    rate : float, default=0.5
        Probability that an entry is replaced.

    Notes
    -----
    After SCARF (arXiv 2106.15147), which replaces the same number of features in each
    row, by draws from the whole training set and in one view only. Here each entry is
    replaced with probability `rate`, by a draw from the batch, and both views are
    corrupted.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import MarginalCorruption
    >>> x = torch.tensor([[1.0, 10.0], [2.0, 20.0]])
    >>> view = MarginalCorruption(rate=1.0)(x, None, torch.Generator().manual_seed(0))
    >>> set(view[:, 1].tolist()) <= {10.0, 20.0}
    True
    """

    def __init__(self, rate: float = 0.5) -> None:
        self.rate = rate

    def __call__(
        self,
        x: torch.Tensor,
        mask: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Return a corrupted view of `x`; rows without the modality donate nothing."""
        if x.ndim != 2:
            raise ValueError(
                "MarginalCorruption expects shape (n_samples, n_features). "
                f"Got {tuple(x.shape)}."
            )
        random: dict[str, Any] = {"device": x.device, "generator": generator}
        replaced = draw_uniform(x.shape, **random) < self.rate
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
        Add noise to the first `n_columns` features only; None means all of them.

    Notes
    -----
    The augmentation "noise" in the code published with COrAL (arXiv 2602.14983).

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import Noise
    >>> Noise(n_columns=1)(torch.zeros(3, 2))[:, 1]
    tensor([0., 0., 0.])
    """

    def __init__(
        self, scale: float = 0.1, p: float = 0.5, n_columns: int | None = None
    ) -> None:
        self.scale = scale
        self.p = p
        self.n_columns = n_columns

    def __call__(
        self,
        x: torch.Tensor,
        mask: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Return a noisy copy of `x`; padding is left as it is."""
        random: dict[str, Any] = {"device": x.device, "generator": generator}
        chosen = draw_uniform(_per_sample(x), **random) < self.p
        noise = self.scale * torch.randn(x.shape, dtype=x.dtype, **random)
        if self.n_columns is not None:
            noise[..., self.n_columns :] = 0.0
        if mask is not None:
            chosen = chosen & (mask if x.ndim == 2 else mask[..., None])
        return torch.where(chosen, x + noise, x)


def _per_sample(x: torch.Tensor) -> tuple[int, ...]:
    """Return the shape of one draw per sample, which broadcasts over `x`."""
    return (len(x), *[1] * (x.ndim - 1))
