"""Encoders: one small module per kind of block, from a batch to tokens.

An encoder maps a batch of one modality, with an optional padding mask, to tokens of
shape (n_samples, n_tokens, embed_dim) and the padding mask of those tokens (None where
every token is real).
"""

import torch
from torch import nn


class TabularEncoder(nn.Module):
    """Turn a table into one token per column.

    A numeric column becomes ``x * weight + bias``, a categorical one a learned vector
    per level. Missing values (NaN) have a learned token of their own, and so they carry
    information instead of being imputed.

    Parameters
    ----------
    n_numeric : int
        Number of numeric columns; they come first.

    cardinalities : sequence of int
        Number of codes of each categorical column, the code 0 of unknown levels
        included.

    embed_dim : int
        Width of the tokens.

    Notes
    -----
    The linear feature tokens are those of the published COrAL code and of
    FT-Transformer (Gorishniy et al., arXiv 2106.11959). The learned token for missing
    values is ours.

    Examples
    --------
    >>> import torch
    >>> from skcoral.encoders import TabularEncoder
    >>> encoder = TabularEncoder(n_numeric=2, cardinalities=[3], embed_dim=8)
    >>> tokens, mask = encoder(torch.tensor([[0.5, float("nan"), 2.0]]))
    >>> tokens.shape, mask
    (torch.Size([1, 3, 8]), None)
    """

    def __init__(self, n_numeric, cardinalities, embed_dim):
        super().__init__()
        n_columns = n_numeric + len(cardinalities)
        starts = torch.tensor([0, *cardinalities]).cumsum(0)[:-1]
        self.n_numeric = n_numeric
        self.register_buffer("starts", starts.long())
        self.register_buffer("cardinalities", torch.tensor(cardinalities).long())
        self.weight = nn.Parameter(torch.randn(n_numeric, embed_dim))
        self.bias = nn.Parameter(torch.randn(n_numeric, embed_dim))
        self.missing = nn.Parameter(torch.randn(n_columns, embed_dim))
        self.levels = nn.Embedding(int(sum(cardinalities)), embed_dim)
        # An unknown level starts neutral, and stays so if training has none.
        with torch.no_grad():
            self.levels.weight[self.starts] = 0.0

    def forward(self, x, mask=None):
        """Return tokens of shape (n_samples, n_columns, embed_dim) and their mask."""
        gaps = x.isnan()
        x = x.masked_fill(gaps, 0.0)
        numeric = x[:, : self.n_numeric, None] * self.weight + self.bias
        codes = x[:, self.n_numeric :].long() + self.starts
        tokens = torch.cat([numeric, self.levels(codes)], dim=1)
        tokens = torch.where(gaps[..., None], self.missing, tokens)
        return tokens, _expand(mask, tokens)


class TokenEncoder(nn.Module):
    """Look the tokens of a text up.

    Parameters
    ----------
    n_ids : int
        Number of ids; 0 is padding.

    embed_dim : int
        Width of the tokens.

    Examples
    --------
    >>> import torch
    >>> from skcoral.encoders import TokenEncoder
    >>> tokens, mask = TokenEncoder(n_ids=9, embed_dim=4)(torch.tensor([[5, 2, 0]]))
    >>> tokens.shape, mask
    (torch.Size([1, 3, 4]), tensor([[ True,  True, False]]))
    """

    def __init__(self, n_ids, embed_dim):
        super().__init__()
        self.embedding = nn.Embedding(n_ids, embed_dim, padding_idx=0)

    def forward(self, x, mask=None):
        """Return tokens of shape (n_samples, n_tokens, embed_dim) and their mask."""
        return self.embedding(x), x > 0


class VectorEncoder(nn.Module):
    """Turn a dense vector into a few tokens by a small network.

    Parameters
    ----------
    n_features : int
        Width of the vectors.

    embed_dim : int
        Width of the tokens.

    n_tokens : int, default=8
        Number of tokens per vector.

    Examples
    --------
    >>> import torch
    >>> from skcoral.encoders import VectorEncoder
    >>> tokens, mask = VectorEncoder(5, embed_dim=8, n_tokens=4)(torch.zeros(2, 5))
    >>> tokens.shape, mask
    (torch.Size([2, 4, 8]), None)
    """

    def __init__(self, n_features, embed_dim, n_tokens=8):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_features, 4 * embed_dim),
            nn.GELU(),
            nn.Linear(4 * embed_dim, n_tokens * embed_dim),
            nn.Unflatten(1, (n_tokens, embed_dim)),
        )

    def forward(self, x, mask=None):
        """Return tokens of shape (n_samples, n_tokens, embed_dim) and their mask."""
        tokens = self.layers(x)
        return tokens, _expand(mask, tokens)


def _expand(mask, tokens):
    """Give all tokens of a row the mask of the row; None stays."""
    return None if mask is None else mask.expand(tokens.shape[:2])
