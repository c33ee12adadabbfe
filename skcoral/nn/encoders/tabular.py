"""The encoder of tables: one token per column."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from skcoral.nn.encoders.base import EncodedTokens, expand_mask


class TabularEncoder(nn.Module):
    """Turn a table into one token per column.

    A numeric column becomes ``x * weight + bias``, a categorical one a learned vector
    per level. Missing values (NaN) become a learned token per column, so they carry
    information instead of being imputed.

    Parameters
    ----------
    n_numeric : int
        Number of numeric columns; they come first.

    cardinalities : sequence of int
        Number of codes of each categorical column, including code 0 for unknown levels.

    embed_dim : int
        Width of the tokens.

    Notes
    -----
    The linear feature tokens are those of the published COrAL code and of
    FT-Transformer (Gorishniy et al., arXiv 2106.11959). The learned token for missing
    values is our addition.

    Examples
    --------
    >>> import torch
    >>> from skcoral.nn.encoders.tabular import TabularEncoder
    >>> encoder = TabularEncoder(n_numeric=2, cardinalities=[3], embed_dim=8)
    >>> tokens, mask = encoder(torch.tensor([[0.5, float("nan"), 2.0]]))
    >>> tokens.shape, mask
    (torch.Size([1, 3, 8]), None)
    """

    starts: Tensor
    cardinalities: Tensor

    def __init__(
        self, n_numeric: int, cardinalities: Sequence[int], embed_dim: int
    ) -> None:
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
        # Unknown levels start at zero and stay there if none occur in training.
        with torch.no_grad():
            self.levels.weight[self.starts] = 0.0

    def forward(self, x: Tensor, mask: Tensor | None = None) -> EncodedTokens:
        """Return tokens of shape (n_samples, n_columns, embed_dim) and their mask."""
        gaps = x.isnan()
        x = x.masked_fill(gaps, 0.0)
        numeric = x[:, : self.n_numeric, None] * self.weight + self.bias
        codes = x[:, self.n_numeric :].long() + self.starts
        tokens = torch.cat([numeric, self.levels(codes)], dim=1)
        tokens = torch.where(gaps[..., None], self.missing, tokens)
        return tokens, expand_mask(mask, tokens)
