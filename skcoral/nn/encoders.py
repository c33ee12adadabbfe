"""Encoders: small modules that turn a batch of one modality into tokens.

An encoder maps a batch of one modality, with an optional padding mask, to tokens of
shape (n_samples, n_tokens, embed_dim) and the padding mask of those tokens (None where
every token is real).
"""

import math
from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from skcoral._input.presence import any_step
from skcoral._types import Array
from skcoral.nn.attention import TransformerLayer
from skcoral.nn.feed_forward import Activation
from skcoral.nn.positions import encode_grid, encode_steps

# Tokens and the mask of the real ones, None if all are real.
EncodedTokens: TypeAlias = tuple[Tensor, Tensor | None]


class Encoder(Protocol):
    """Interface that the network expects of an encoder, a :class:`torch.nn.Module`."""

    def __call__(self, x: Tensor, mask: Tensor | None = None) -> EncodedTokens:
        """Return the tokens and the mask of the real ones.

        Parameters
        ----------
        x : tensor, first axis = samples
            A batch of one modality.

        mask : bool tensor of shape (n_samples, n_steps) or (n_samples, 1), default=None
            True where real; a row without any True lacks the modality.

        Returns
        -------
        tokens : tensor of shape (n_samples, n_tokens, embed_dim)
            The tokens.

        mask : bool tensor of shape (n_samples, n_tokens), or None
            True at real tokens; None if all are real.
        """


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
    >>> from skcoral.nn.encoders import TabularEncoder
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
        return tokens, _expand(mask, tokens)


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
    >>> from skcoral.nn.encoders import TokenEncoder
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
    >>> from skcoral.nn.encoders import SequenceEncoder
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
            dropout = dropout if n_layers > 1 else 0.0
            self.gru = nn.GRU(
                n_features, embed_dim, n_layers, batch_first=True, dropout=dropout
            )
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
            # Padding comes last, so it cannot affect the steps before it.
            return self.gru(x)[0], mask
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


class ImageEncoder(nn.Module):
    """Turn an image into a grid of tokens.

    Parameters
    ----------
    mean, scale : array-like of shape (n_channels,)
        Mean and standard deviation of the channels, for pixels in [0, 1].

    size : (int, int)
        Height and width of the images.

    embed_dim : int
        Width of the tokens.

    kind : {"conv", "patch", "alexnet"}, default="conv"
        Convolutions that halve the image to a grid of about six by six, linear patches,
        or the convolutions of AlexNet.

    patch_size : int, default=8
        Height and width of a patch in pixels.

    conv_width : int, default=32
        Number of channels of the first convolution of "conv"; the second has twice as
        many, the others four times.

    Notes
    -----
    Patches, AlexNet and the fixed sine and cosine encoding of the position follow COrAL
    (arXiv 2602.14983). The compact network is ours; its group normalisation keeps the
    images of a batch independent.

    Examples
    --------
    >>> import torch
    >>> from skcoral.nn.encoders import ImageEncoder
    >>> encoder = ImageEncoder([0.5] * 3, [0.2] * 3, (24, 24), embed_dim=8)
    >>> encoder(torch.zeros(2, 3, 24, 24, dtype=torch.uint8))[0].shape
    torch.Size([2, 36, 8])
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        mean: ArrayLike,
        scale: ArrayLike,
        size: tuple[int, int],
        embed_dim: int,
        kind: Literal["conv", "patch", "alexnet"] = "conv",
        patch_size: int = 8,
        conv_width: int = 32,
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.as_tensor(mean)[:, None, None].float())
        self.register_buffer("scale", torch.as_tensor(scale)[:, None, None].float())
        n_channels = len(self.mean)
        if kind == "patch":
            self.layers = _make_patches(n_channels, embed_dim, size, patch_size)
        else:
            if kind == "conv":
                layers, width = _make_convolutions(n_channels, size, conv_width)
            else:
                layers, width = _make_alexnet(n_channels, size)
            self.layers = nn.Sequential(*layers, nn.Conv2d(width, embed_dim, 1))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> EncodedTokens:
        """Return tokens of shape (n_samples, n_tokens, embed_dim) and their mask."""
        x = x.float() / 255 if x.dtype == torch.uint8 else x
        grid = self.layers((x - self.mean) / self.scale)
        tokens = grid.flatten(2).transpose(1, 2) + encode_grid(grid)
        return tokens, _expand(mask, tokens)


def _make_patches(
    n_channels: int, embed_dim: int, size: tuple[int, int], patch_size: int
) -> nn.Module:
    if min(size) < patch_size:
        raise ValueError(
            f"Images of height and width {tuple(size)} have no patch of {patch_size} "
            "pixels. Lower 'patch_size'."
        )
    return nn.Conv2d(n_channels, embed_dim, patch_size, stride=patch_size)


def _make_convolutions(
    n_channels: int, size: tuple[int, int], first_width: int
) -> tuple[list[nn.Module], int]:
    """Return layers that halve the image until the shorter side is at most six."""
    layers: list[nn.Module] = []
    width, side, wider = n_channels, min(size), first_width
    while not layers or side > 6:
        layers += [
            nn.Conv2d(width, wider, 3, stride=2, padding=1),
            nn.GroupNorm(math.gcd(8, wider), wider),
            nn.GELU(),
        ]
        width, side = wider, (side + 1) // 2
        wider = min(2 * wider, 4 * first_width)
    return layers, width


def _make_alexnet(
    n_channels: int, size: tuple[int, int]
) -> tuple[list[nn.Module], int]:
    """Return the convolution and pooling layers of AlexNet (arXiv 1404.5997)."""
    if min(size) < 63:
        raise ValueError(
            "encoder='alexnet' needs images of 63 pixels or more. Got height and width "
            f"{tuple(size)}."
        )
    pool = nn.MaxPool2d(3, stride=2)
    layers = [nn.Conv2d(n_channels, 64, 11, stride=4, padding=2), nn.ReLU(), pool]
    layers += [nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), pool]
    for width, wider in ((192, 384), (384, 256), (256, 256)):
        layers += [nn.Conv2d(width, wider, 3, padding=1), nn.ReLU()]
    return [*layers, pool], 256


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
    >>> from skcoral.nn.encoders import VectorEncoder
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
        return tokens, _expand(mask, tokens)


def _expand(mask: Tensor | None, tokens: Tensor) -> Tensor | None:
    """Expand a mask of rows to all of their tokens; None stays None."""
    return None if mask is None else mask.expand(tokens.shape[:2])
