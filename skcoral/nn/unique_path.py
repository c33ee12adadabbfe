"""The unique path: the tokens of one modality pooled into one embedding."""

import torch
from torch import Tensor, nn

from skcoral.nn.attention import masked_softmax


class UniquePath(nn.Module):
    """Pool the tokens of one modality into its unique embedding.

    Per token ``r = W2 GELU(LN(W1 q + c1)) + c2``, then attention pooling with one
    learned query: ``u = sum_t softmax_t(r_t . w) r_t`` (COrAL, arXiv 2602.14983). The
    query starts at zero, so that the embedding starts as the mean of the tokens. A
    random query, as published, is so long that the softmax selects a single token and
    learns from it alone.

    Parameters
    ----------
    embed_dim, unique_dim : int
        Width of the tokens and of the embedding.
    """

    def __init__(self, embed_dim: int, unique_dim: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(embed_dim, embed_dim),
            nn.LayerNorm(embed_dim),
            nn.GELU(),
            nn.Linear(embed_dim, unique_dim),
        )
        self.pool_query = nn.Parameter(torch.zeros(unique_dim))

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return embeddings of shape (n_samples, unique_dim), ignoring padding.

        Rows without any token get finite but meaningless numbers.
        """
        # W2 is linear and the weights of the tokens sum to one, so W2 is applied after
        # pooling, to one vector per row and not per token. c2 . w is the same for all
        # tokens.
        *inner, last = self.layers
        hidden = tokens
        for layer in inner:
            hidden = layer(hidden)
        scores = hidden @ (self.pool_query @ last.weight)  # type: ignore[operator]
        weights = masked_softmax(scores, mask)
        pooled = weights.to(hidden.dtype)[:, None] @ hidden
        return last(pooled[:, 0])
