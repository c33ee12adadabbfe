"""Objectives of CoMM and InfMasking: contrast partial fusions with the full fusion."""

from collections.abc import Sequence

import torch
from torch import Tensor

from skcoral._generators import draw_uniform
from skcoral._input.blocks import Batch
from skcoral.losses import info_nce_of_masks
from skcoral.nn.network import DualPathNetwork, Tokens
from skcoral.objectives.base import (
    Objective,
    ProjectionHead,
    add_up,
    contrast,
    list_present,
    project_views,
    stack_views,
)


class CoMMObjective(Objective):
    """CoMM's objective: each modality alone should identify the fusion of all.

    ``1 / (M + 1) sum_k w_k (NCE(z_k', z_all'') + NCE(z_k'', z_all')) / 2`` over k,
    which is each of the M modalities and then all of them, where ``z_k`` is the
    projected fusion of the tokens of k in one of two augmented views.

    Parameters
    ----------
    names : sequence of str
        Names of the modalities.

    embed_dim : int
        Width of the shared embedding.

    head_hidden_dim, head_dim : int, default=256, 128
        Hidden and output width of the projection head.

    temperature : float, default=0.1
        Temperature of InfoNCE.

    unimodal_weight, multimodal_weight : float, default=1.0
        Weights of the single-modality terms and of the term of the full fusion.

    Notes
    -----
    Source: CoMM (arXiv 2409.07402) and its published code, where the unimodal terms use
    augmented modalities and the mean is not divided by the weights. A single modality
    is well defined: both fusions are then the same.
    A row that lacks a modality is left out of its term, as anchor and as negative.
    Padding is masked in training as in inference.
    """

    def __init__(
        self,
        names: Sequence[str],
        embed_dim: int,
        head_hidden_dim: int = 256,
        head_dim: int = 128,
        temperature: float = 0.1,
        unimodal_weight: float = 1.0,
        multimodal_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.terms = (*(f"shared_{name}" for name in names), "shared")
        self.temperature = temperature
        self.weights = [unimodal_weight] * len(names) + [multimodal_weight]
        self.head = ProjectionHead(embed_dim, head_hidden_dim, head_dim)

    def forward(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return the weighted terms for two augmented views."""
        tokens = network.encode(stack_views(views))
        whole = project_views(self.head, network.fuse(tokens), None)
        losses = _compare_fusions(self.head, network, tokens, whole, self.temperature)
        parts = zip(self.terms, self.weights, losses, strict=True)
        return {term: weight * loss / len(losses) for term, weight, loss in parts}


class InfMaskingObjective(Objective):
    """InfMasking's objective: CoMM's, plus fusions under many random masks.

    The mean, over the M + 3 terms ``[IM', IM'', CoMM's terms]``, of each term times its
    weight ``w_n``. ``IM`` is
    :func:`~skcoral.losses.info_nce_of_masks` between the fusion of all tokens of a view
    and K fusions in which random tokens are hidden; in training, the weight of its
    variance is ``variance_weight (epoch + 1) / max_epochs``.

    Parameters
    ----------
    names : sequence of str
        Names of the modalities.

    embed_dim : int
        Width of the shared embedding.

    head_hidden_dim, head_dim : int, default=256, 128
        Hidden and output width of the projection head.

    temperature : float, default=0.1
        Temperature of all terms.

    mask_ratio : float, default=0.7
        Fraction of the tokens of each modality that a mask hides.

    n_masks : int, default=6
        Number K of masks per view.

    variance_weight : float, default=1.0
        Weight of the variance at the end of training.

    masking_weight, unimodal_weight, multimodal_weight : float, default=1.0
        Weights of the two masking terms, of the single-modality terms, and of the term
        of the full fusion.

    Notes
    -----
    Source: InfMasking (arXiv 2509.25270) and its published code. Of the T tokens that a
    row has of a modality, exactly ``floor(T (1 - mask_ratio))`` are kept, which may be
    none; the network must replace the others by a learned token
    (``mask_mode="token"``). The variance is computed directly, not from covariance
    matrices. Masks are drawn in validation too, as the term would be meaningless
    without them; the variance has its final weight there, so that epochs are
    comparable.
    A row that lacks a modality has no tokens to hide there and is left out of its term.
    """

    def __init__(
        self,
        names: Sequence[str],
        embed_dim: int,
        head_hidden_dim: int = 256,
        head_dim: int = 128,
        temperature: float = 0.1,
        mask_ratio: float = 0.7,
        n_masks: int = 6,
        variance_weight: float = 1.0,
        masking_weight: float = 1.0,
        unimodal_weight: float = 1.0,
        multimodal_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.terms = ("masking", *(f"shared_{name}" for name in names), "shared")
        self.temperature = temperature
        self.mask_ratio = mask_ratio
        self.n_masks = n_masks
        self.variance_weight = variance_weight
        unimodal = [unimodal_weight] * len(names)
        self.weights = [masking_weight, *unimodal, multimodal_weight]
        self.head = ProjectionHead(embed_dim, head_hidden_dim, head_dim)

    def forward(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return the weighted terms for two augmented views."""
        tokens = network.encode(stack_views(views))
        whole = project_views(self.head, network.fuse(tokens), None)
        masking = self._compare_masks(network, tokens, whole, generator)
        fusions = _compare_fusions(self.head, network, tokens, whole, self.temperature)
        n_terms = len(fusions) + len(masking)
        parts = zip(self.terms, self.weights, [add_up(masking), *fusions], strict=True)
        return {term: weight * loss / n_terms for term, weight, loss in parts}

    def _compare_masks(
        self,
        network: DualPathNetwork,
        tokens: Tokens,
        whole: list[Tensor],
        generator: torch.Generator | None,
    ) -> list[Tensor]:
        """Return, per view, the loss between its fusion and its masked fusions."""
        masked = []
        for _ in range(self.n_masks):
            keep = self._draw_keep(tokens, generator)
            fused = network.fuse(tokens, keep=keep)
            masked.append(project_views(self.head, fused, None))
        settings = (self.temperature, self._current_variance_weight())
        return [
            info_nce_of_masks(anchors, torch.stack(versions), *settings)
            for anchors, versions in zip(whole, zip(*masked, strict=True), strict=True)
        ]

    def _draw_keep(
        self, tokens: Tokens, generator: torch.Generator | None
    ) -> list[Tensor]:
        """Draw the tokens to keep: an exact number per modality and row."""
        parts = zip(tokens.shared, tokens.masks, strict=True)
        ratio = self.mask_ratio
        return [_keep_exactly(*part, ratio, generator) for part in parts]

    def _current_variance_weight(self) -> float:
        """Return the weight of the variance, which grows with the epoch in training."""
        if not self.training:
            return self.variance_weight
        share = (int(self.epoch) + 1) / int(self.max_epochs)
        return self.variance_weight * min(share, 1.0)


def _compare_fusions(
    head: ProjectionHead,
    network: DualPathNetwork,
    tokens: Tokens,
    whole: list[Tensor],
    temperature: float,
) -> list[Tensor]:
    """Return CoMM's losses: each modality against all, then all against all."""
    present = list_present(tokens.masks, len(whole[0]))
    losses = []
    for m, rows in enumerate(present):
        alone = project_views(head, network.fuse(tokens, subset=[m]), rows)
        pairs = zip(alone, reversed(whole), strict=True)
        losses.append(add_up(contrast(a, b, rows, temperature) for a, b in pairs) / 2)
    return [*losses, contrast(whole[0], whole[1], None, temperature)]


def _keep_exactly(
    values: Tensor,
    mask: Tensor | None,
    ratio: float,
    generator: torch.Generator | None,
) -> Tensor:
    """Return a mask that keeps a random fraction of the real tokens of each row."""
    order = draw_uniform(values.shape[:2], values.device, generator)
    n_real = torch.full((len(order), 1), order.shape[1], device=values.device)
    if mask is not None:
        order = order.masked_fill(~mask, 2.0)
        n_real = mask.sum(dim=1, keepdim=True)
    # Products such as 5 * (1 - 0.8) fall just short of an integer.
    n_kept = torch.floor(n_real * (1.0 - ratio) + 1e-4)
    return order.argsort(dim=1).argsort(dim=1) < n_kept
