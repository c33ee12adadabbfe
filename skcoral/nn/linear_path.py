"""Linear paths: what a modality says linearly, added to its unique embedding."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LinearPath(nn.Module):
    """Map values of a modality linearly to the width of its unique embedding.

    The map is zero until it is given a start, such as the principal components of the
    values, and learns from then on. A subclass says which values.

    Parameters
    ----------
    n_values, unique_dim : int
        Width of the values and of the unique embedding.
    """

    def __init__(self, n_values: int, unique_dim: int) -> None:
        super().__init__()
        # Zeros, and not random: the other weights are as without this path.
        self.weight = nn.Parameter(torch.zeros(unique_dim, n_values))
        self.bias = nn.Parameter(torch.zeros(unique_dim))

    def read(self, x: Tensor, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """Return the values that the map acts on.

        Parameters
        ----------
        x : tensor, first axis = samples
            A batch of the modality.

        tokens : tensor of shape (n_samples, n_tokens, embed_dim)
            What the encoder of the unique path makes of it.

        mask : bool tensor of shape (n_samples, n_tokens), or None
            True at real tokens; None if all are real.

        Returns
        -------
        tensor of shape (n_samples, n_values)
            The values.
        """
        raise NotImplementedError

    def forward(self, x: Tensor, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """Return the mapped values, of shape (n_samples, unique_dim)."""
        return F.linear(self.read(x, tokens, mask), self.weight, self.bias)


class ColumnPath(LinearPath):
    """A linear path of numbers, and of indicators of levels.

    Parameters
    ----------
    n_numeric : int
        Number of numeric columns; they come first.

    cardinalities : sequence of int
        Number of codes of each categorical column, including code 0 for unknown levels.

    unique_dim : int
        Width of the unique embedding.

    Examples
    --------
    >>> import torch
    >>> from skcoral.nn.linear_path import ColumnPath
    >>> path = ColumnPath(n_numeric=2, cardinalities=[3], unique_dim=4)
    >>> x = torch.tensor([[0.5, float("nan"), 2.0]])
    >>> path.read(x)
    tensor([[0.5000, 0.0000, 0.0000, 1.0000]])
    """

    def __init__(
        self, n_numeric: int, cardinalities: Sequence[int], unique_dim: int
    ) -> None:
        super().__init__(sum(cardinalities, n_numeric - len(cardinalities)), unique_dim)
        self.n_numeric = n_numeric
        self.cardinalities = list(cardinalities)

    def read(
        self, x: Tensor, tokens: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Return numbers, 0 where missing, and indicators of all known levels."""
        x = x.nan_to_num(0.0)
        codes = x[:, self.n_numeric :].long()
        pairs = zip(codes.unbind(dim=1), self.cardinalities, strict=True)
        levels = [F.one_hot(column, n)[:, 1:].to(x.dtype) for column, n in pairs]
        return torch.cat([x[:, : self.n_numeric], *levels], dim=1)


class TokenPath(LinearPath):
    """A linear path of the mean of the tokens, such as the embeddings of words."""

    def read(self, x: Tensor, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """Return the mean of the real tokens; zeros for rows without any."""
        if mask is None:
            return tokens.mean(dim=1)
        weights = mask.to(tokens.dtype) / mask.sum(dim=1, keepdim=True).clamp(min=1)
        return (weights[:, None] @ tokens)[:, 0]
