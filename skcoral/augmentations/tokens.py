"""Augmentations of texts, as token ids with 0 as padding."""

from typing import Any

import torch

from skcoral._generators import draw_uniform
from skcoral.augmentations.steps import Drop


class TokenCorruption:
    """Replace tokens by tokens from any row of the batch.

    Parameters
    ----------
    rate : float, default=0.5
        Probability that a token is replaced.

    Notes
    -----
    The counterpart of :class:`MarginalCorruption` for texts. Tokens have no columns, so
    replacements are drawn from all tokens of the batch.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import TokenCorruption
    >>> ids = torch.tensor([[2, 3, 0], [4, 0, 0]])
    >>> view = TokenCorruption(rate=1.0)(ids, None, torch.Generator().manual_seed(0))
    >>> (view == 0).tolist() == (ids == 0).tolist()
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
        """Return a corrupted copy of the ids `x`; padding (0) is left as it is."""
        random: dict[str, Any] = {"device": x.device, "generator": generator}
        real = x > 0
        pool = x[real]
        replaced = real & (draw_uniform(x.shape, **random) < self.rate)
        donors = torch.randint(max(1, len(pool)), (int(replaced.sum()),), **random)
        return x.masked_scatter(replaced, pool[donors])


class TokenDrop(Drop):
    """Blank a random share of the tokens of some of the samples.

    Parameters
    ----------
    p : float, default=0.5
        Probability that a sample loses tokens.

    max_fraction : float, default=0.8
        Largest share of tokens to blank; the share is drawn uniformly from 0 to this.

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

    def __init__(
        self, p: float = 0.5, max_fraction: float = 0.8, fill: int = 1
    ) -> None:
        super().__init__(p, max_fraction, fill)

    def __call__(
        self,
        x: torch.Tensor,
        mask: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Return a copy of the ids `x` with blanks; padding (0) is left as it is."""
        return super().__call__(x, x > 0, generator)
