"""The feed-forward part of a transformer layer, and dropout by shared masks."""

import torch
from torch import nn
from torch.nn import functional as F

from skcoral.nn.fused_hidden_layer import QUICK, fused_hidden_layer

# Hidden layers of this width and more are fused: docs/decisions/speed.md has the times
# of both forms, which `benchmarks/benchmark_feed_forward.py` measures.
FUSED_WIDTH = 1024
# Dropout masks that are drawn per pass; each row takes one of them.
N_MASKS = 128


class Dropout(nn.Module):
    """Dropout in which each row takes one of a few random masks.

    Parameters
    ----------
    p : float
        Probability that an entry is zeroed; the others are divided by ``1 - p``.

    Notes
    -----
    On CPUs random numbers are what dropout costs, about 10 ns each on a core. When each
    row takes one of 128 masks, fresh ones in every pass, they cost nothing.
    """

    def __init__(self, p):
        super().__init__()
        self.p = p

    def draw(self, x):
        """Return masks of shape (128, width) and the choice of each row, or None."""
        if not self.training or self.p == 0:
            return None
        width, n_rows = x.shape[-1], x.shape[:-1].numel()
        masks = torch.empty(N_MASKS, width, dtype=x.dtype, device=x.device)
        masks.bernoulli_(1 - self.p).div_(1 - self.p)
        return masks, torch.randint(N_MASKS, (n_rows,), device=x.device)

    def forward(self, x):
        """Return `x` with entries of its last axis zeroed, in training only."""
        drawn = self.draw(x)
        if drawn is None:
            return x
        masks, choice = drawn
        return x * masks[choice].view_as(x)


class FeedForward(nn.Module):
    """Normalisation, a wide hidden layer, and back.

    Parameters
    ----------
    embed_dim : int
        Width of the input and of the output.

    hidden_dim : int
        Width of the hidden layer.

    dropout : float
        Dropout of the hidden layer.

    activation : {"gelu", "relu"}, default="gelu"
        QuickGELU or ReLU.
    """

    def __init__(self, embed_dim, hidden_dim, dropout, activation="gelu"):
        super().__init__()
        self.norm = nn.LayerNorm(embed_dim)
        self.up = nn.Linear(embed_dim, hidden_dim)
        self.down = nn.Linear(hidden_dim, embed_dim)
        self.dropout = Dropout(dropout)
        self.activation = activation

    def forward(self, x):
        """Return the output for `x` of shape (..., embed_dim)."""
        x = self.norm(x)
        if self._is_fused(x):
            p = self.dropout.p if self.training else 0.0
            return fused_hidden_layer(x, self.up, self.down, p, self.activation)
        activate, scale = ACTIVATIONS[self.activation]
        hidden = activate(F.linear(x, scale * self.up.weight, scale * self.up.bias))
        return F.linear(self.dropout(hidden), self.down.weight / scale, self.down.bias)

    def _is_fused(self, x):
        """Return whether the fused form pays: training a wide layer on a CPU."""
        training = self.training and torch.is_grad_enabled()
        wide = self.up.out_features >= FUSED_WIDTH
        return training and wide and x.device.type == "cpu"


# The function of a hidden layer and the scale of its input, by which its output is
# divided: QuickGELU(z) = silu(1.702 z) / 1.702. The weights are scaled, not the hidden
# layer, which takes a fifth to a third less time.
ACTIVATIONS = {"gelu": (F.silu, QUICK), "relu": (F.relu, 1.0)}
