"""Encoders of texts: a token per word, learned or from static vectors."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

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


class StaticTokenEncoder(nn.Module):
    """Map the static vectors of a text's tokens to the width of the network.

    The vectors stay as they are: only the map is learned, so that what is learnt about
    the tokens of some texts holds for all others. It starts by keeping the first
    coordinates.

    Parameters
    ----------
    vectors : ndarray of shape (n_ids, n_coordinates)
        The vector of each id, zero for padding (0). They are no weights of the module,
        as whoever makes it has them.

    embed_dim : int
        Width of the tokens.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skcoral.nn.encoders.text import StaticTokenEncoder
    >>> vectors = np.array([[0, 0], [0, 0], [1, 2], [3, 4]], dtype=np.float16)
    >>> tokens, mask = StaticTokenEncoder(vectors, 2)(torch.tensor([[3, 2, 0]]))
    >>> tokens.tolist(), mask
    ([[[3.0, 4.0], [1.0, 2.0], [0.0, 0.0]]], tensor([[ True,  True, False]]))
    """

    vectors: Tensor

    def __init__(self, vectors: Array, embed_dim: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.tensor(vectors), persistent=False)
        self.linear = nn.Linear(vectors.shape[1], embed_dim)
        n_kept = min(self.linear.weight.shape)
        with torch.no_grad():
            self.linear.bias.zero_()
            self.linear.weight[:n_kept] = torch.eye(n_kept, vectors.shape[1])

    def forward(self, x: Tensor, mask: Tensor | None = None) -> EncodedTokens:
        """Return tokens of shape (n_samples, n_tokens, embed_dim) and their mask."""
        vectors = F.embedding(x, self.vectors).to(self.linear.weight.dtype)
        return self.linear(vectors), x > 0
