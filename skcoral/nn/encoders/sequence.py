"""The encoder of series: one token per step."""

from typing import Literal

from torch import Tensor, nn

from skcoral._input.presence import any_step
from skcoral.nn.attention import TransformerLayer
from skcoral.nn.encoders.base import EncodedTokens
from skcoral.nn.feed_forward import Activation, Dropout
from skcoral.nn.positions import encode_steps


class SequenceEncoder(nn.Module):
    """Turn a series into one token per step.

    Parameters
    ----------
    n_features : int
        Number of features per step.

    embed_dim : int
        Width of the tokens.

    kind : {"transformer", "gru"}, default="transformer"
        Network over the steps.

    n_layers, n_heads : int, default=1, 4
        Number of layers, and of attention heads of the transformer.

    dim_feedforward : int or None, default=None
        Width of the hidden layers; None is four times `embed_dim`.

    activation : {"gelu", "relu"}, default="gelu"
        Activation of those layers; "gelu" is QuickGELU.

    dropout : float, default=0.0
        Dropout in the layers of the transformer, or between layers of the GRU.

    positional_encoding : bool, default=True
        Add sines and cosines of the step to the input of the transformer.

    Notes
    -----
    As in COrAL (arXiv 2602.14983): a linear layer without bias, then pre-norm layers,
    with ReLU as their activation there. Masking padding is our addition.

    Examples
    --------
    >>> import torch
    >>> from skcoral.nn.encoders.sequence import SequenceEncoder
    >>> tokens, mask = SequenceEncoder(3, embed_dim=8)(torch.zeros(2, 5, 3))
    >>> tokens.shape, mask
    (torch.Size([2, 5, 8]), None)
    """

    def __init__(
        self,
        n_features: int,
        embed_dim: int,
        kind: Literal["transformer", "gru"] = "transformer",
        n_layers: int = 1,
        n_heads: int = 4,
        dim_feedforward: int | None = None,
        activation: Activation = "gelu",
        dropout: float = 0.0,
        positional_encoding: bool = True,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.positional_encoding = positional_encoding
        if kind == "gru":
            # One by one: between the layers of one GRU, torch's own dropout would draw.
            widths = [n_features, *[embed_dim] * (n_layers - 1)]
            self.layers = nn.ModuleList(
                nn.GRU(width, embed_dim, batch_first=True) for width in widths
            )
            self.dropout = Dropout(dropout)
            return
        self.project = nn.Linear(n_features, embed_dim, bias=False)
        self.layers = nn.ModuleList(
            TransformerLayer(
                embed_dim, n_heads, n_layers, dropout, dim_feedforward, activation
            )
            for _ in range(n_layers)
        )

    def forward(self, x: Tensor, mask: Tensor | None = None) -> EncodedTokens:
        """Return tokens of shape (n_samples, n_steps, embed_dim) and the mask."""
        if self.kind == "gru":
            return self._recur(x), mask
        tokens = self.project(x)
        if self.positional_encoding:
            tokens = tokens + encode_steps(tokens.shape[1], tokens.shape[2], x.device)
        attended = mask
        if mask is not None:
            # A row without steps attends to its padding to stay finite; it is left out
            # later.
            attended = mask | ~any_step(mask)[:, None]
        for layer in self.layers:
            tokens = layer(tokens, mask=attended)
        return tokens, mask

    def _recur(self, x: Tensor) -> Tensor:
        """Return the output of the last recurrent layer.

        Padding comes last, so it cannot affect the steps before it.
        """
        first, *others = self.layers
        tokens, _ = first(x)
        for layer in others:
            tokens, _ = layer(self.dropout(tokens))
        return tokens
