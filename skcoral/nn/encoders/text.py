"""The encoder of texts: a learned token per word."""

import torch
from torch import Tensor, nn

from skcoral._types import Array
from skcoral.nn.encoders.base import EncodedTokens


class TokenEncoder(nn.Module):
    """Look up the embeddings of a text's tokens.

    Parameters
    ----------
    n_ids : int
        Number of token ids; 0 is padding.

    embed_dim : int
        Width of the tokens.

    start : ndarray of shape (n_ids, n_coordinates), default=None
        Initial values of the first coordinates of the embeddings; the remaining ones,
        or all by default, are random.

    Examples
    --------
    >>> import torch
    >>> from skcoral.nn.encoders.text import TokenEncoder
    >>> tokens, mask = TokenEncoder(n_ids=9, embed_dim=4)(torch.tensor([[5, 2, 0]]))
    >>> tokens.shape, mask
    (torch.Size([1, 3, 4]), tensor([[ True,  True, False]]))
    """

    def __init__(self, n_ids: int, embed_dim: int, start: Array | None = None) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_ids, embed_dim, padding_idx=0)
        if start is not None:
            with torch.no_grad():
                self.embedding.weight[:, : start.shape[1]] = torch.from_numpy(start)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> EncodedTokens:
        """Return tokens of shape (n_samples, n_tokens, embed_dim) and their mask."""
        return self.embedding(x), x > 0
