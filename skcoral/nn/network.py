"""The dual-path network: tokens of all modalities -> shared, of one -> unique.

The network knows neither losses nor views. The objective chooses masks and subsets of
modalities and calls `encode`, `fuse` and `unique`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skcoral._input.blocks import Batch, split_block
from skcoral._input.presence import any_step
from skcoral.nn.attention import TransformerLayer
from skcoral.nn.encoders.base import EncodedTokens
from skcoral.nn.slot_path import SlotPath
from skcoral.nn.unique_path import UniquePath

# One mask of shape (n_samples, n_tokens) per modality, None where all is True.
Masks: TypeAlias = Sequence[Tensor | None]


class Tokens(NamedTuple):
    """Tokens of one batch, with one list entry per modality.

    Parameters
    ----------
    shared : list of tensor of shape (n_samples, n_tokens, embed_dim)
        Tokens for the shared path.

    unique : list of tensor of shape (n_samples, n_tokens, embed_dim)
        Tokens for the unique paths, from separate encoders.

    masks : list of (None or bool tensor of shape (n_samples, n_tokens))
        True at real tokens, False at padding; None if all are real.

    linear : list of (None or tensor of shape (n_samples, unique_dim))
        What linear paths add to the unique embeddings; None without such a path.
    """

    shared: list[Tensor]
    unique: list[Tensor]
    masks: Masks
    linear: Sequence[Tensor | None] = ()


class DualPathNetwork(nn.Module):
    """COrAL's network: a fused shared path and a unique path per modality.

    Parameters
    ----------
    modalities : dict of str to modality
        Fitted modality specs by name, in the order of the embeddings.

    embed_dim : int, default=64
        Width of the tokens and of the shared embedding.

    unique_dim : int, default=32
        Width of each unique embedding.

    n_layers : int, default=1
        Number of fusion layers.

    n_heads : int, default=4
        Number of attention heads.

    dropout : float, default=0.0
        Dropout in the fusion layers.

    mask_mode : {"zero", "token", "drop"}, default="zero"
        How tokens are masked: multiplied by zero, as published, replaced by a learned
        vector, or left out of the attention.

    paths : sequence of {"shared", "unique"}, default=("shared", "unique")
        The paths to build; only their components exist.

    n_slots : int, default=0
        Number of embeddings that each unique path makes, side by side, by slots that
        compete for its tokens; 0 pools the tokens into one embedding.

    with_linear : bool, default=False
        Whether unique paths have linear ones beside them, for kinds that offer these.

    Attributes
    ----------
    dims : dict of str to int
        Width of each component, in the order of the embedding.

    fill_weight : tensor of shape (n_modalities, unique_dim, n_features)
        Weights that predict the unique embedding of a modality that a row lacks from
        the shared embedding of the others, or their unique ones without a shared path.

    fill_bias : tensor of shape (n_modalities, unique_dim)
        Intercepts of that prediction.

    fill_mean : tensor of shape (n_modalities, unique_dim)
        Mean unique embeddings. Without a shared path they replace further modalities
        that a row lacks.

    Notes
    -----
    Unlike in the published code, `n_layers` takes effect, padding is masked in
    attention and pooling, and shared and unique encoders start from different random
    weights.
    """

    fill_weight: Tensor
    fill_bias: Tensor
    fill_mean: Tensor

    def __init__(
        self,
        modalities: Mapping[str, Any],
        embed_dim: int = 64,
        unique_dim: int = 32,
        n_layers: int = 1,
        n_heads: int = 4,
        dropout: float = 0.0,
        mask_mode: Literal["zero", "token", "drop"] = "zero",
        paths: Sequence[str] = ("shared", "unique"),
        n_slots: int = 0,
        with_linear: bool = False,
    ) -> None:
        super().__init__()
        specs = list(modalities.values())
        self.names = list(modalities)
        self.mask_mode = mask_mode
        self.has_shared, self.has_unique = "shared" in paths, "unique" in paths
        shared = {"shared": embed_dim} if self.has_shared else {}
        width = unique_dim * (n_slots or 1)
        unique = dict.fromkeys(modalities, width) if self.has_unique else {}
        self.dims = shared | unique
        linear: list[Any] = [None] * len(specs)
        if with_linear and self.has_unique:
            linear = [spec.make_linear_path(embed_dim, width) for spec in specs]
        self.linear_paths: Any = nn.ModuleList(linear)
        if self.has_shared:
            self.encoders = _make_encoders(specs, embed_dim)
        if self.has_unique:
            self.unique_encoders = _make_encoders(specs, embed_dim)
            slots = (n_slots, n_layers, n_heads, dropout)
            self.unique_paths = nn.ModuleList(
                SlotPath(embed_dim, unique_dim, *slots)
                if n_slots
                else UniquePath(embed_dim, unique_dim)
                for _ in specs
            )
            n_features = embed_dim if self.has_shared else len(specs) * width
            self._register_fill((len(specs), width), n_features)
        if self.has_shared:
            self._make_fusion(embed_dim, n_layers, n_heads, dropout)

    def _register_fill(self, shape: tuple[int, int], n_features: int) -> None:
        # Buffers, not parameters: they are set by regression after training.
        self.register_buffer("fill_weight", torch.zeros(*shape, n_features))
        self.register_buffer("fill_bias", torch.zeros(shape))
        self.register_buffer("fill_mean", torch.zeros(shape))

    def _make_fusion(
        self, embed_dim: int, n_layers: int, n_heads: int, dropout: float
    ) -> None:
        self.cls = nn.Parameter(torch.randn(1, 1, embed_dim))
        if self.mask_mode == "token":
            self.mask_token = nn.Parameter(torch.randn(embed_dim) * 0.02)
        self.layers = nn.ModuleList(
            TransformerLayer(embed_dim, n_heads, n_layers, dropout)
            for _ in range(n_layers)
        )
        self.norm = nn.LayerNorm(embed_dim)

    def encode(self, x: Batch, paths: Sequence[str] = ("shared", "unique")) -> Tokens:
        """Turn a batch into tokens.

        Parameters
        ----------
        x : dict of str to tensor or to (tensor, padding mask)
            One block per modality, first axis = samples.

        paths : sequence of {"shared", "unique"}, default=("shared", "unique")
            The paths to make tokens for; paths that were not built are skipped.

        Returns
        -------
        Tokens
            Tokens of these paths, in the order of the modalities.
        """
        blocks = [split_block(x[name]) for name in self.names]
        with_shared = self.has_shared and "shared" in paths
        with_unique = self.has_unique and "unique" in paths
        shared = _encode(self.encoders, blocks) if with_shared else []
        unique = _encode(self.unique_encoders, blocks) if with_unique else []
        masks = [mask for _, mask in shared or unique]
        linear = self._apply_linear(blocks, unique) if with_unique else []
        return Tokens([t for t, _ in shared], [t for t, _ in unique], masks, linear)

    def _apply_linear(
        self, blocks: list[EncodedTokens], unique: list[EncodedTokens]
    ) -> list[Tensor | None]:
        """Return the outputs of the linear paths, None where there is none."""
        parts = zip(self.linear_paths, blocks, unique, strict=True)
        return [path and path(x, *tokens) for path, (x, _), tokens in parts]

    def read_linear(self, x: Batch) -> list[Tensor]:
        """Return the values that the linear paths act on, of those that exist.

        Parameters
        ----------
        x : dict of str to tensor or to (tensor, padding mask)
            One block per modality, first axis = samples.

        Returns
        -------
        list of tensor of shape (n_samples, n_values)
            The values, in the order of the modalities.
        """
        blocks = [split_block(x[name]) for name in self.names]
        unique = _encode(self.unique_encoders, blocks)
        parts = zip(self.linear_paths, blocks, unique, strict=True)
        return [path.read(x, *tokens) for path, (x, _), tokens in parts if path]

    def add_shared(self, tokens: Tokens, x: Batch, keep: Masks | None = None) -> Tokens:
        """Add the tokens of the shared path to those of the unique paths.

        Parameters
        ----------
        tokens : Tokens
            Output of `encode` with ``paths=("unique",)``.

        x : dict of str to tensor or to (tensor, padding mask)
            The batch that `tokens` was encoded from.

        keep : list of bool tensor of shape (n_samples, n_tokens), default=None
            Per modality, False at tokens that `fuse` will mask. Rows masked entirely
            are not encoded but filled with zeros, unless the network is compiled.

        Returns
        -------
        Tokens
            Tokens of both paths.
        """
        blocks = [split_block(x[name]) for name in self.names]
        keep = [None] * len(blocks) if keep is None else keep
        parts = zip(self.encoders, blocks, keep, strict=True)
        return tokens._replace(shared=[_encode_kept(f, *b, k) for f, b, k in parts])

    def fuse(
        self,
        tokens: Tokens,
        subset: Sequence[int] | None = None,
        keep: Masks | None = None,
    ) -> Tensor:
        """Fuse the tokens of the modalities into the shared embedding.

        Parameters
        ----------
        tokens : Tokens
            Output of `encode`.

        subset : sequence of int, default=None
            Indices of the modalities to fuse; all by default.

        keep : list of bool tensor of shape (n_samples, n_tokens), default=None
            Per modality, False at tokens to mask, or None to mask nothing.

        Returns
        -------
        tensor of shape (n_samples, embed_dim)
            The shared embedding.
        """
        subset = range(len(self.names)) if subset is None else subset
        keep = [None] * len(self.names) if keep is None else keep
        parts = [self._mask(tokens.shared[m], tokens.masks[m], keep[m]) for m in subset]
        cls = self.cls.expand(len(parts[0][0]), -1, -1)
        parts = [(cls, None), *parts]
        x = torch.cat([values for values, _ in parts], dim=1)
        mask = _attention_mask(parts)
        for layer in self.layers[:-1]:
            x = layer(x, mask=mask)
            cls = x[:, :1]
        return self.norm(self.layers[-1](cls, x, mask)[:, 0])

    def _mask(
        self, values: Tensor, mask: Tensor | None, keep: Tensor | None
    ) -> EncodedTokens:
        """Hide the tokens that are not kept; return tokens and attention mask."""
        if keep is None:
            return values, mask
        if self.mask_mode == "drop":
            return values, keep if mask is None else keep & mask
        hidden = self.mask_token if self.mask_mode == "token" else values.new_zeros(())
        return torch.where(keep[..., None], values, hidden), mask

    def unique(self, tokens: Tokens) -> list[Tensor]:
        """Return the list of unique embeddings, each (n_samples, unique_dim)."""
        parts = zip(self.unique_paths, tokens.unique, tokens.masks, strict=True)
        unique = [path(values, mask) for path, values, mask in parts]
        pairs = zip(unique, tokens.linear or [None] * len(unique), strict=True)
        return [u if added is None else u + added for u, added in pairs]

    def forward(self, x: Batch) -> tuple[Tensor, ...]:
        """Return (shared, unique_1, ..., unique_M) without masks, for inference."""
        return self.embed(self.encode(x))

    def embed(self, tokens: Tokens) -> tuple[Tensor, ...]:
        """Return the components; those of modalities that rows lack are predicted."""
        shared = [self.fuse(tokens)] if self.has_shared else []
        if not self.has_unique:
            return tuple(shared)
        unique = self.unique(tokens)
        context = shared[0] if shared else self._join_unique(unique, tokens.masks)
        return (*shared, *self._fill(unique, context, tokens.masks))

    def _join_unique(
        self, unique: list[Tensor], masks: Masks, without: int | None = None
    ) -> Tensor:
        """Concatenate centred unique embeddings; zeros where a row lacks one."""
        parts = []
        for m, (values, mask) in enumerate(zip(unique, masks, strict=True)):
            centred = values - self.fill_mean[m]
            if mask is not None:
                centred = centred * any_step(mask)[:, None]
            parts.append(torch.zeros_like(centred) if m == without else centred)
        return torch.cat(parts, dim=1)

    def _fill(
        self, unique: list[Tensor], context: Tensor, masks: Masks
    ) -> list[Tensor]:
        """Replace the unique embeddings of modalities that rows lack by predictions."""
        parts = zip(unique, masks, self.fill_weight, self.fill_bias, strict=True)
        return [
            values
            if mask is None
            else torch.where(
                any_step(mask)[:, None], values, F.linear(context, weight, bias)
            )
            for values, mask, weight, bias in parts
        ]

    def leave_one_out(self, x: Batch) -> list[Tensor]:
        """Return the data that `fill_weight` and `fill_bias` are learnt from.

        Returns
        -------
        list of tensor of shape (n_samples, n_features)
            First, for each modality, the features of the row without it; then the
            unique embeddings, each of shape (n_samples, unique_dim).
        """
        tokens = self.encode(x)
        unique = self.unique(tokens)
        everyone = range(len(self.names))
        if self.has_shared:
            others = ([k for k in everyone if k != m] for m in everyone)
            return [*(self.fuse(tokens, subset) for subset in others), *unique]
        known = (self._join_unique(unique, tokens.masks, m) for m in everyone)
        return [*known, *unique]


def _make_encoders(specs: list[Any], embed_dim: int) -> nn.ModuleList:
    return nn.ModuleList(spec.make_encoder(embed_dim) for spec in specs)


def _encode(
    encoders: nn.ModuleList, blocks: list[EncodedTokens]
) -> list[EncodedTokens]:
    return [f(*block) for f, block in zip(encoders, blocks, strict=True)]


def _encode_kept(
    encoder: nn.Module, x: Tensor, mask: Tensor | None, keep: Tensor | None
) -> Tensor:
    """Return the tokens of rows that keep any, and zeros for the other rows."""
    rows = None if keep is None else any_step(keep)
    # A compiler needs shapes that do not depend on the random masks.
    if rows is None or torch.compiler.is_compiling() or rows.all():
        return encoder(x, mask)[0]
    tokens, _ = encoder(x[rows], None if mask is None else mask[rows])
    return tokens.new_zeros(len(x), *tokens.shape[1:]).index_put((rows,), tokens)


def _attention_mask(parts: Sequence[EncodedTokens]) -> Tensor | None:
    """Concatenate the masks of (tokens, mask) pairs; None if nothing is hidden."""
    if all(mask is None for _, mask in parts):
        return None
    masks = [
        values.new_ones(values.shape[:2], dtype=torch.bool) if mask is None else mask
        for values, mask in parts
    ]
    return torch.cat(masks, dim=1)
