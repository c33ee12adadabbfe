"""The feed-forward part of a transformer layer, and dropout with shared masks."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skcoral.nn.fused_hidden_layer import SCALES, Activation, fused_hidden_layer

# Hidden layers of so many units, and of so many times the width of the tokens, are
# fused: docs/decisions/speed.md has the times of both forms.
FUSED_WIDTH = 1024
FUSED_RATIO = 16
# Number of dropout masks drawn per pass; each row uses one of them.
N_MASKS = 128


class Dropout(nn.Module):
    """Dropout in which each row uses one of a few random masks.

    Parameters
    ----------
    p : float
        Probability that an entry is zeroed; the others are divided by ``1 - p``.

    Notes
    -----
    On CPUs the cost of dropout is that of its random numbers, about 10 ns each on one
    core. When rows share 128 masks, drawn anew in every pass, the cost is negligible.
    The trainer sets `generator`, which the masks are drawn from, while it trains; None
    means torch's default generator.
    """

    generator: torch.Generator | None = None

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def draw(self, x: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return masks of shape (128, width) and each row's mask index, or None."""
        if not self.training or self.p == 0:
            return None
        width, n_rows = x.shape[-1], x.shape[:-1].numel()
        masks = torch.empty(N_MASKS, width, dtype=x.dtype, device=x.device)
        masks.bernoulli_(1 - self.p, generator=self.generator).div_(1 - self.p)
        random: dict[str, Any] = {"device": x.device, "generator": self.generator}
        return masks, torch.randint(N_MASKS, (n_rows,), **random)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x`, with random entries zeroed in training."""
        drawn = self.draw(x)
        if drawn is None:
            return x
        masks, choice = drawn
        return x * masks[choice].view_as(x)


class FeedForward(nn.Module):
    """Layer normalisation, a wide hidden layer, and a projection back.

    Parameters
    ----------
    embed_dim : int
        Width of the input and of the output.

    hidden_dim : int
        Width of the hidden layer.

    dropout : float
        Dropout of the hidden layer.

    activation : {"gelu", "relu"}, default="gelu"
        Activation; "gelu" is QuickGELU.
    """

    def __init__(
        self,
        embed_dim: int,
        hidden_dim: int,
        dropout: float,
        activation: Activation = "gelu",
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(embed_dim)
        self.up = nn.Linear(embed_dim, hidden_dim)
        self.down = nn.Linear(hidden_dim, embed_dim)
        self.dropout = Dropout(dropout)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Return the output for `x` of shape (..., embed_dim)."""
        x = self.norm(x)
        if self._is_fused(x):
            drop = self.dropout.p, self.dropout.generator
            return fused_hidden_layer(x, self.up, self.down, self.activation, *drop)
        # Scaling the weights, not the hidden layer, takes a third less time.
        activate, scale = ACTIVATIONS[self.activation], SCALES[self.activation]
        hidden = activate(F.linear(x, scale * self.up.weight, scale * self.up.bias))
        return F.linear(self.dropout(hidden), self.down.weight / scale, self.down.bias)

    def _is_fused(self, x: Tensor) -> bool:
        """Return whether the fused form is faster: in training, wide, on a CPU."""
        training = self.training and torch.is_grad_enabled()
        least = max(FUSED_WIDTH, FUSED_RATIO * self.up.in_features)
        wide = self.up.out_features >= least
        return training and wide and x.device.type == "cpu"


ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "gelu": F.silu,
    "relu": F.relu,
}
