"""DisentangledSSL's objective: first what is shared, then what is specific."""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skcoral._generators import draw_uniform, drawing_from
from skcoral._input.blocks import Batch, count_rows
from skcoral.losses import cross_product_norm
from skcoral.nn.network import DualPathNetwork, Tokens
from skcoral.objectives.base import (
    Objective,
    Present,
    add_up,
    average_others,
    contrast,
    contrast_pairs,
    fill_from_others,
    intersect_rows,
    list_present,
    select_present,
    stack_views,
)


class DisentangledSSLObjective(Objective):
    """DisentangledSSL's objective, in two steps of half the epochs each.

    Let ``z_m`` be a random draw around the shared embedding ``e_m`` of modality m, and
    ``u_m`` its specific embedding. Step 1 minimises ``mean_(m, k) NCE(z_m, z_k)
    + agreement_weight mean_(m, k) A(e_m, e_k)``, and step 2, with ``e_m`` fixed,
    ``sum_m NCE([u_m', z_-m'], [u_m'', z_-m'']) + ortho_weight / 2 sum_(m, views)
    ||U_m.T Z_m||``, where the norm is Frobenius'.

    Parameters
    ----------
    names : sequence of str
        Names of the modalities.

    embed_dim, unique_dim : int
        Widths of the shared and of the specific embedding of each modality.

    head_hidden_dim : int, default=256
        Hidden width of the networks that compute the specific embeddings.

    distribution : {"vmf", "normal"}, default="vmf"
        Distribution of the draws: von Mises-Fisher on the unit sphere, where A is minus
        the cosine similarity, or normal with unit variance, where A is the squared
        distance.

    concentration : float, default=1000.0
        Concentration kappa of the von Mises-Fisher distribution.

    temperature : float, default=0.07
        Temperature of InfoNCE, whose negatives come only from the other modality or
        view.

    agreement_weight, ortho_weight : float, default=1.0, 0.1
        Weights beta and lambda.

    Notes
    -----
    Source: DisentangledSSL (ICLR 2025, arXiv 2410.23996) and its published code for
    synthetic data. Here ``e_m`` is the fusion of the tokens of m alone, ``u_m`` is
    computed by a network from the unique embedding of m and ``e_m``, and the terms of
    step 1 are means over both views.
    For more than two modalities, the terms of step 1 are means over pairs, and ``z_-m``
    is the normalised mean of the shared embeddings of the other modalities; for two it
    is that of the other one. With "vmf", the direction of ``e_m`` is what is compared,
    concatenated and returned.
    As in the source, step 2 makes no random draws. Validation computes the terms of
    both steps, without draws.
    A row that lacks a modality is left out of its terms, as anchor and as negative. A
    row with one modality only is also left out of the contrast of step 2.
    """

    def __init__(
        self,
        names: Sequence[str],
        embed_dim: int,
        unique_dim: int,
        head_hidden_dim: int = 256,
        distribution: Literal["vmf", "normal"] = "vmf",
        concentration: float = 1000.0,
        temperature: float = 0.07,
        agreement_weight: float = 1.0,
        ortho_weight: float = 0.1,
    ) -> None:
        super().__init__()
        own = (f"unique_{name}" for name in names)
        self.terms = ("shared", "agreement", *own, "orthogonality")
        self.distribution = distribution
        self.concentration = concentration
        self.temperature = temperature
        self.agreement_weight = agreement_weight
        self.ortho_weight = ortho_weight
        self.specific = nn.ModuleList(
            nn.Sequential(
                nn.Linear(unique_dim + embed_dim, head_hidden_dim),
                nn.ReLU(),
                nn.Linear(head_hidden_dim, unique_dim),
            )
            for _ in names
        )

    def forward(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return the terms of the current step; the others are zero."""
        first = self.in_first_step
        learn_shared = first or not self.training
        stacked = stack_views(views)
        # Step 1 needs no unique paths, and step 2 no gradients in the shared path.
        with torch.set_grad_enabled(learn_shared and torch.is_grad_enabled()):
            tokens = network.encode(stacked, paths=("shared",))
            shared = self._embed_shared(network, tokens)
        present = list_present(tokens.masks, count_rows(views[0]))
        terms = dict.fromkeys(self.terms, shared[0].new_zeros(()))
        if learn_shared:
            terms |= self._learn_shared(_split_views(shared), present, generator)
        if not (first and self.training):
            unique = network.unique(network.encode(stacked, paths=("unique",)))
            shared = [e.detach() for e in shared]
            specific = self._embed_specific(unique, shared)
            own, common = _split_views(specific), _split_views(shared)
            terms |= self._learn_specific(own, common, present)
        return terms

    def dims(self, network: DualPathNetwork) -> dict[str, int]:
        """Return the widths: all shared embeddings together, then each specific one."""
        unique = {name: network.dims[name] for name in network.names}
        return {"shared": network.dims["shared"] * len(unique), **unique}

    def embed(self, network: DualPathNetwork, x: Batch) -> Sequence[Tensor]:
        """Return the shared embeddings side by side, and each specific embedding."""
        tokens = network.encode(x)
        shared = self._embed_shared(network, tokens)
        rows = list_present(tokens.masks, len(shared[0]))
        shared = fill_from_others(shared, rows, self._settle)
        _, *unique = network.embed(tokens)
        return [torch.cat(shared, dim=1), *self._embed_specific(unique, shared)]

    def _embed_shared(self, network: DualPathNetwork, tokens: Tokens) -> list[Tensor]:
        """Return the shared embedding of each modality, or its direction for "vmf"."""
        fused = (network.fuse(tokens, subset=[m]) for m in range(len(network.names)))
        return [self._settle(embedding) for embedding in fused]

    def _settle(self, embedding: Tensor) -> Tensor:
        return F.normalize(embedding, dim=1) if self._is_vmf else embedding

    @property
    def _is_vmf(self) -> bool:
        return self.distribution == "vmf"

    def _embed_specific(
        self, unique: list[Tensor], shared: list[Tensor]
    ) -> list[Tensor]:
        parts = zip(self.specific, unique, shared, strict=True)
        return [layers(torch.cat([p, e], dim=1)) for layers, p, e in parts]

    def _draw(self, embedding: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw around a shared embedding in training; return it unchanged otherwise."""
        if not self.training:
            return embedding
        if self._is_vmf:
            return draw_von_mises_fisher(embedding, self.concentration, generator)
        return embedding + _draw_normal_like(embedding, generator)

    def _learn_shared(
        self,
        views: list[Any],
        present: Sequence[Present],
        generator: torch.Generator | None,
    ) -> dict[str, Tensor]:
        """Return the terms of step 1, averaged over the views."""
        options = {"temperature": self.temperature, "intra_negatives": False}
        losses, agreements = [], []
        for embeddings in views:
            drawn = [self._draw(embedding, generator) for embedding in embeddings]
            losses.append(contrast_pairs(drawn, present, **options))
            agreements.append(self._disagreement(embeddings, present))
        agreement = self.agreement_weight * add_up(agreements) / len(views)
        return {"shared": add_up(losses) / len(views), "agreement": agreement}

    def _disagreement(
        self, embeddings: Sequence[Tensor], present: Sequence[Present]
    ) -> Tensor:
        """Return the mean of A over pairs of modalities, on the rows that have both."""
        pairs = combinations(zip(embeddings, present, strict=True), 2)
        losses = [
            self._compare(*select_present(intersect_rows(rows_a, rows_b), a, b))
            for (a, rows_a), (b, rows_b) in pairs
        ]
        return add_up(losses) / len(losses)

    def _compare(self, a: Tensor, b: Tensor) -> Tensor:
        if not len(a):
            return a.sum()
        if self._is_vmf:
            return -F.cosine_similarity(a, b, dim=1).mean()
        return (a - b).square().sum(dim=1).mean()

    def _learn_specific(
        self, specific: list[Any], shared: list[Any], present: Sequence[Present]
    ) -> dict[str, Tensor]:
        """Return the terms of step 2."""
        n_samples = len(specific[0][0])
        terms, overlaps = {}, []
        for m, (term, rows) in enumerate(zip(self.terms[2:-1], present, strict=True)):
            joint = []
            for own, common in zip(specific, shared, strict=True):
                others = F.normalize(average_others(common, present, m), dim=1)
                joint.append(torch.cat([own[m], others], dim=1))
                a, b = select_present(rows, own[m], common[m])
                overlaps.append(cross_product_norm(a, b))
            known = intersect_rows(rows, _find_others(present, m, n_samples))
            terms[term] = contrast(
                joint[0], joint[1], known, self.temperature, intra_negatives=False
            )
        return terms | {"orthogonality": self.ortho_weight * add_up(overlaps) / 2}


def draw_von_mises_fisher(
    directions: Tensor,
    concentration: float,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw from von Mises-Fisher distributions, differentiable in their directions.

    Parameters
    ----------
    directions : tensor of shape (n_samples, n_features)
        Mean directions, of unit length, with at least two features.

    concentration : float
        Concentration kappa, the same for all distributions.

    generator : torch.Generator, default=None
        Source of the draws; None means torch's default generator.

    Returns
    -------
    tensor of shape (n_samples, n_features)
        One draw per direction, of unit length.

    Notes
    -----
    ``w mu + sqrt(1 - w ** 2) v`` with v uniform among the unit vectors orthogonal to
    mu, and the cosine w drawn by Wood's rejection sampling (1994). The rejection
    depends on kappa alone, so no gradient has to pass through it.
    """
    distances = _draw_distances(directions, concentration, generator)
    noise = _draw_normal_like(directions, generator)
    tangents = noise - (noise * directions).sum(dim=1, keepdim=True) * directions
    sines = (distances * (2 - distances)).clamp(min=0.0).sqrt()
    return (1 - distances) * directions + sines * F.normalize(tangents, dim=1)


@torch.no_grad()
def _draw_distances(
    directions: Tensor, concentration: float, generator: torch.Generator | None
) -> Tensor:
    """Return one minus the cosine between draw and mean direction, (n_samples, 1).

    These are Wood's formulas for the cosine ``w``, written with ``1 - w = 2 b e`` to
    avoid cancellation and to keep the ratio finite, however large kappa is.
    """
    n_samples, n_features = directions.shape
    half = (n_features - 1) / 2
    b = half / (concentration + math.hypot(concentration, half))
    scale = 2 * b * concentration  # at most (n_features - 1) / 2
    concentrations = torch.full((n_samples, 1), half, device=directions.device)
    beta = torch.distributions.Beta(concentrations, concentrations)
    distances = directions.new_zeros(n_samples, 1)
    waiting = torch.ones_like(distances, dtype=torch.bool)
    while waiting.any():
        with drawing_from(generator):
            z = beta.sample().to(directions.dtype)
        e = z / (1 - (1 - b) * z)
        log_ratio = scale * (1 / (1 + b) - e)
        log_ratio += 2 * half * torch.log((1 + b) / 2 * (1 + (1 - b) * e))
        accepted = waiting & (
            log_ratio >= draw_uniform(e.shape, e.device, generator).log()
        )
        distances = torch.where(accepted, 2 * b * e, distances)
        waiting = waiting & ~accepted
    return distances


def _draw_normal_like(tensor: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return standard normal numbers of the shape, type and device of a tensor."""
    return torch.empty_like(tensor).normal_(generator=generator)


def _split_views(parts: Sequence[Tensor]) -> list[tuple[Tensor, ...]]:
    """Split stacked views: return, per view, a list with an entry per modality."""
    return list(zip(*(part.chunk(2) for part in parts), strict=True))


def _find_others(present: Sequence[Present], m: int, n_samples: int) -> Present:
    """Return which rows have a modality other than m, or None if all have."""
    others: list[Any] = [rows for k, rows in enumerate(present) if k != m]
    if any(rows is None for rows in others):
        return None
    return torch.stack(others).any(dim=0)
