"""The slot path: several embeddings of one modality, which compete for its tokens."""

import torch
from torch import Tensor, nn

from skcoral.nn.attention import TransformerLayer
from skcoral.nn.feed_forward import FeedForward

# Slots compete in groups of two, for what is unique and for what is shared.
GROUP = 2
# Keeps the weights of slots that win no token finite.
EPSILON = 1e-6


class SlotAttention(nn.Module):
    """Let slots attend to tokens, which the two slots of a group share out.

    With scores ``s_kt`` of slot k and token t, token t gives ``a_kt``, the softmax over
    the group, to each slot of it, and slot k takes ``sum_t a_kt v_t / sum_t a_kt``. In
    other attention the tokens compete for a slot, here the slots for a token.

    Parameters
    ----------
    embed_dim, n_heads : int
        Width of slots and tokens, and number of attention heads.
    """

    def __init__(self, embed_dim: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.norm_slots = nn.LayerNorm(embed_dim)
        self.norm_tokens = nn.LayerNorm(embed_dim)
        self.query = nn.Linear(embed_dim, embed_dim, bias=False)
        self.key_value = nn.Linear(embed_dim, 2 * embed_dim, bias=False)
        self.out = nn.Linear(embed_dim, embed_dim)

    def forward(
        self, slots: Tensor, tokens: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """Return what each slot takes, of the shape of the slots.

        Parameters
        ----------
        slots : tensor of shape (n_samples, n_slots, embed_dim)
            The slots; those of a group follow each other.

        tokens : tensor of shape (n_samples, n_tokens, embed_dim)
            The tokens.

        mask : bool tensor of shape (n_samples, n_tokens), default=None
            True at real tokens; a row without any takes nothing.
        """
        query = self._split(self.query(self.norm_slots(slots)))
        both = self.key_value(self.norm_tokens(tokens)).chunk(2, dim=-1)
        key, value = map(self._split, both)
        scores = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
        groups = scores.unflatten(-2, (-1, GROUP))
        shares = groups.softmax(dim=-2).flatten(-3, -2)
        if mask is not None:
            shares = shares * mask[:, None, None]
        weights = shares / (shares.sum(dim=-1, keepdim=True) + EPSILON)
        taken = weights.to(value.dtype) @ value
        return self.out(taken.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)


class SlotLayer(nn.Module):
    """Let slots attend to tokens, and then to each other.

    Parameters
    ----------
    embed_dim, n_heads : int
        Width of slots and tokens, and number of attention heads.

    n_layers : int
        Number of layers in the stack.

    dropout : float
        Dropout in the layers.
    """

    def __init__(
        self, embed_dim: int, n_heads: int, n_layers: int, dropout: float
    ) -> None:
        super().__init__()
        self.attention = SlotAttention(embed_dim, n_heads)
        self.feed_forward = FeedForward(embed_dim, 4 * embed_dim, dropout)
        self.among_slots = TransformerLayer(embed_dim, n_heads, n_layers, dropout)

    def forward(
        self, slots: Tensor, tokens: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """Return the slots after this layer."""
        slots = slots + self.attention(slots, tokens, mask)
        return self.among_slots(slots + self.feed_forward(slots))


class SlotPath(nn.Module):
    """Embed one modality several times: learned slots collect its tokens.

    Parameters
    ----------
    embed_dim, unique_dim : int
        Width of the tokens, and of the embedding that each slot gives.

    n_slots : int
        Number of slots, in groups of two.

    n_layers, n_heads : int
        Number of layers, and of attention heads.

    dropout : float, default=0.0
        Dropout in the layers.

    Notes
    -----
    The grouped slot attention of RePercENT (2026), without its marks of pair and kind,
    which the start of the slots learns by itself, and with padding left out.
    """

    def __init__(
        self,
        embed_dim: int,
        unique_dim: int,
        n_slots: int,
        n_layers: int,
        n_heads: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.slots = nn.Parameter(torch.randn(1, n_slots, embed_dim))
        self.layers = nn.ModuleList(
            SlotLayer(embed_dim, n_heads, n_layers, dropout) for _ in range(n_layers)
        )
        self.last = nn.Linear(embed_dim, unique_dim)

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the embeddings side by side, (n_samples, n_slots * unique_dim).

        Rows without any token get finite but meaningless numbers.
        """
        slots = self.slots.expand(len(tokens), -1, -1)
        for layer in self.layers:
            slots = layer(slots, tokens, mask)
        return self.last(slots).flatten(1)
