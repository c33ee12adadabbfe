"""Objectives that contrast modalities, views of one modality, or both."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from skcoral._input.blocks import Batch, count_rows
from skcoral.nn.network import DualPathNetwork
from skcoral.objectives.base import (
    Objective,
    ProjectionHead,
    ViewKinds,
    contrast,
    contrast_pairs,
    list_present,
    project,
    project_views,
    stack_views,
)

# Scales of the logits lie between 1 and 100.
MAX_LOG_SCALE = math.log(100)


class CrossObjective(Objective):
    """CLIP's objective: match the modalities of a row against those of other rows.

    ``mean_(m, k) (CE(S_mk) + CE(S_mk.T)) / 2`` over pairs of modalities, where ``S_mk``
    holds the cosine similarities of the projected embeddings of all rows, times a
    learned scale.

    Parameters
    ----------
    names : sequence of str
        Names of the modalities.

    unique_dim : int
        Width of the embedding of each modality.

    head_dim : int, default=128
        Width of the projections.

    temperature : float, default=0.07
        Initial temperature, one over the scale.

    Notes
    -----
    Source: CLIP (arXiv 2103.00020): the scale is ``exp(t)`` with t between 0 and log
    100, the projections have no bias and start from ``N(0, 1 / unique_dim)``, and
    nothing is augmented. For more than two modalities the loss is the mean over pairs,
    as in CMC (arXiv 1906.05849).
    A row that lacks a modality is left out of its pairs, as anchor and as negative.
    """

    views: ViewKinds = ("original",)
    heads: Any  # a ModuleList, whose items mypy knows as Module only

    def __init__(
        self,
        names: Sequence[str],
        unique_dim: int,
        head_dim: int = 128,
        temperature: float = 0.07,
    ) -> None:
        super().__init__()
        self.terms = ("cross",)
        self.names = list(names)
        self.log_scale = nn.Parameter(torch.full((), -math.log(temperature)))
        self.heads = nn.ModuleList(
            nn.Linear(unique_dim, head_dim, bias=False) for _ in names
        )
        for head in self.heads:
            nn.init.normal_(head.weight, std=unique_dim**-0.5)

    def forward(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return the mean loss over pairs of modalities for the original batch."""
        tokens = network.encode(views[0])
        present = list_present(tokens.masks, count_rows(views[0]))
        projected = self._project(network.unique(tokens))
        temperature = self._bounded_log_scale().neg().exp()
        options = {"intra_negatives": False}
        return {"cross": contrast_pairs(projected, present, temperature, **options)}

    def dims(self, network: DualPathNetwork) -> dict[str, int]:
        """Return the width of the projections, which form the embedding."""
        return dict.fromkeys(network.names, self.heads[0].out_features)

    def embed(self, network: DualPathNetwork, x: Batch) -> Sequence[Tensor]:
        """Return the projections of all modalities, without normalisation."""
        return self._project(network(x))

    def _project(self, embeddings: Sequence[Tensor]) -> list[Tensor]:
        return [head(e) for head, e in zip(self.heads, embeddings, strict=True)]

    def _bounded_log_scale(self) -> Tensor:
        if self.training:
            # Bring the parameter itself back into range: the clamp below has no
            # gradient outside it, so it could never return.
            with torch.no_grad():
                self.log_scale.clamp_(0.0, MAX_LOG_SCALE)
        return self.log_scale.clamp(0.0, MAX_LOG_SCALE)


class CrossSelfObjective(Objective):
    """Contrast modalities with one another, and views of each with one another.

    ``cross_weight mean_(m, k) NCE(h_m(x_m), h_k(x_k))
    + self_weight mean_m NCE(h_m(x_m'), h_m(x_m''))``, where the first mean is over
    pairs of modalities of the original batch and the second over modalities, between
    two augmented views.

    Parameters
    ----------
    names : sequence of str
        Names of the modalities.

    unique_dim : int
        Width of the embedding of each modality.

    head_hidden_dim, head_dim : int, default=256, 128
        Hidden and output width of the projection heads.

    temperature : float, default=0.1
        Temperature of InfoNCE.

    cross_weight, self_weight : float, default=1.0
        Weights of the terms.

    Notes
    -----
    Source: "Cross+Self" in FactorCL (arXiv 2306.05268) and CoMM (arXiv 2409.07402),
    with negatives from the same view. For two modalities the terms are theirs; the
    means keep the same scale for more.
    A row that lacks a modality is left out of its contrasts, as anchor and as negative.
    """

    views: ViewKinds = ("original", "augmented", "augmented")

    def __init__(
        self,
        names: Sequence[str],
        unique_dim: int,
        head_hidden_dim: int = 256,
        head_dim: int = 128,
        temperature: float = 0.1,
        cross_weight: float = 1.0,
        self_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.terms = ("cross", *(f"self_{name}" for name in names))
        self.temperature = temperature
        self.cross_weight = cross_weight
        self.self_weight = self_weight
        self.heads = _make_heads(names, unique_dim, head_hidden_dim, head_dim)

    def forward(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return the weighted terms for the original batch and two augmented views."""
        original, *augmented = views
        tokens = network.encode(original)
        present = list_present(tokens.masks, count_rows(original))
        parts = zip(self.heads, network.unique(tokens), present, strict=True)
        heads = [project(*part) for part in parts]
        cross = contrast_pairs(heads, present, self.temperature)
        # The views cannot be stacked with the original, whose images are bytes.
        both = _contrast_views(self.heads, network, augmented, self.temperature)
        own = [self.self_weight * loss / len(both) for loss in both]
        return dict(zip(self.terms, [self.cross_weight * cross, *own], strict=True))


class SimCLRObjective(Objective):
    """Contrast two views of each modality, one modality at a time.

    ``mean_m NCE(h_m(x_m'), h_m(x_m''))``

    Parameters
    ----------
    names : sequence of str
        Names of the modalities.

    unique_dim : int
        Width of the embedding of each modality.

    head_hidden_dim, head_dim : int, default=256, 128
        Hidden and output width of the projection heads.

    temperature : float, default=0.1
        Temperature of InfoNCE.

    Notes
    -----
    Source: SimCLR (arXiv 2002.05709), applied to each modality.
    A row that lacks a modality is left out of its contrast, as anchor and as negative.
    """

    def __init__(
        self,
        names: Sequence[str],
        unique_dim: int,
        head_hidden_dim: int = 256,
        head_dim: int = 128,
        temperature: float = 0.1,
    ) -> None:
        super().__init__()
        self.terms = tuple(f"unique_{name}" for name in names)
        self.temperature = temperature
        self.heads = _make_heads(names, unique_dim, head_hidden_dim, head_dim)

    def forward(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return the terms for two augmented views."""
        losses = _contrast_views(self.heads, network, views, self.temperature)
        values = (loss / len(losses) for loss in losses)
        return dict(zip(self.terms, values, strict=True))


def _make_heads(
    names: Sequence[str], in_dim: int, hidden_dim: int, out_dim: int
) -> nn.ModuleList:
    return nn.ModuleList(ProjectionHead(in_dim, hidden_dim, out_dim) for _ in names)


def _contrast_views(
    heads: nn.ModuleList,
    network: DualPathNetwork,
    views: Sequence[Batch],
    temperature: float,
) -> list[Tensor]:
    """Return, per modality, the contrast of two augmented views."""
    tokens = network.encode(stack_views(views))
    present = list_present(tokens.masks, count_rows(views[0]))
    losses = []
    parts = zip(heads, network.unique(tokens), present, strict=True)
    for head, embedding, rows in parts:
        first, second = project_views(head, embedding, rows)
        losses.append(contrast(first, second, rows, temperature))
    return losses
