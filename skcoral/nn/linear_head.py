"""The linear head of predictors, on all components."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LinearHead(nn.Module):
    """A linear layer on standardised components.

    The scales of components differ by a factor of ten; without standardisation a linear
    layer would need many updates to compensate.

    Parameters
    ----------
    in_dim : int
        Total width of the components.

    start : sequence of float
        The outputs before training, for any components.
    """

    def __init__(self, in_dim: int, start: Sequence[float]) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(in_dim, affine=False)
        # No random numbers are drawn: the other weights are as without a head.
        self.linear = nn.utils.skip_init(nn.Linear, in_dim, len(start))
        nn.init.zeros_(self.linear.weight)
        with torch.no_grad():
            self.linear.bias.copy_(torch.as_tensor(start))

    def forward(self, components: Iterable[Tensor]) -> Tensor:
        """Return outputs of shape (n_samples, n_outputs)."""
        x = torch.cat(list(components), dim=1)
        if len(x) > 1:
            return self.linear(self.norm(x))
        # A single row has no variance, so running statistics are used in training too.
        mean, variance = self.norm.running_mean, self.norm.running_var
        return self.linear(F.batch_norm(x, mean, variance))
