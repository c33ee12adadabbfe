"""The encoder of vectors: a few tokens by a small network."""

from torch import Tensor, nn

from skcoral.nn.encoders.base import EncodedTokens, expand_mask


class VectorEncoder(nn.Module):
    """Turn a dense vector into a few tokens with a small network.

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
    >>> from skcoral.nn.encoders.embedding import VectorEncoder
    >>> tokens, mask = VectorEncoder(5, embed_dim=8, n_tokens=4)(torch.zeros(2, 5))
    >>> tokens.shape, mask
    (torch.Size([2, 4, 8]), None)
    """

    def __init__(self, n_features: int, embed_dim: int, n_tokens: int = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_features, 4 * embed_dim),
            nn.GELU(),
            nn.Linear(4 * embed_dim, n_tokens * embed_dim),
            nn.Unflatten(1, (n_tokens, embed_dim)),
        )

    def forward(self, x: Tensor, mask: Tensor | None = None) -> EncodedTokens:
        """Return tokens of shape (n_samples, n_tokens, embed_dim) and their mask."""
        tokens = self.layers(x)
        return tokens, expand_mask(mask, tokens)
