"""RePercENT's objective: what each pair of modalities shares, and what it does not."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from skcoral._input.blocks import Batch, count_rows
from skcoral.losses import cross_correlation_norm
from skcoral.nn.network import DualPathNetwork
from skcoral.objectives.base import (
    Objective,
    Present,
    ViewKinds,
    add_up,
    contrast,
    intersect_rows,
    list_present,
    select_present,
)
from skcoral.objectives.disentangled import draw_von_mises_fisher


class Parts(NamedTuple):
    """Embeddings of the rows of one modality with regard to each other modality.

    Parameters
    ----------
    unique, shared : list of tensor of shape (n_samples, unique_dim)
        One entry per modality, in order; that of the modality itself is empty.
    """

    unique: list[Tensor]
    shared: list[Tensor]


class RePercENTObjective(Objective):
    """RePercENT's objective: disentangle every pair of modalities.

    Let ``u_mk`` and ``s_mk`` be what modality m does not share and what it shares with
    modality k, and ``z_mk`` a random draw around the direction of ``s_mk``. The mean
    over pairs (m, k) is minimised of ``shared_weight NCE(z_mk, z_km)
    - agreement_weight cos(s_mk, s_km)``, a mean over the batch and an augmented view,
    plus ``(NCE([u_mk, s_km], [u_mk', s_km']) + NCE([u_km, s_mk], [u_km', s_mk'])) / 2``
    between the two, plus ``ortho_weight / 2 sum_views (R(u_mk, s_mk)
    + R(u_km, s_km))``, where R is the norm of the correlations.

    Parameters
    ----------
    names : sequence of str
        Names of the modalities.

    unique_dim : int
        Width of each ``u_mk`` and ``s_mk``, at least two.

    concentration : float, default=1000.0
        Concentration kappa of the von Mises-Fisher distribution of the draws.

    temperature : float, default=0.07
        Temperature of InfoNCE, whose negatives come only from the other modality or
        view.

    shared_weight, agreement_weight, ortho_weight : float, default=2.0, 0.2, 1.0
        Weights alpha, alpha times beta, and lambda.

    Notes
    -----
    Source: the published code of RePercENT (2026). There the network is one Perceiver
    per modality; here it is the unique path with slots, which the network is made with:
    ``2 (M - 1)`` embeddings per modality, u and s in turn for each other modality.
    Validation makes no random draws.
    A row that lacks a modality is left out of the terms of its pairs, as anchor and as
    negative.
    """

    views: ViewKinds = ("original", "augmented")

    def __init__(
        self,
        names: Sequence[str],
        unique_dim: int,
        concentration: float = 1000.0,
        temperature: float = 0.07,
        shared_weight: float = 2.0,
        agreement_weight: float = 0.2,
        ortho_weight: float = 1.0,
    ) -> None:
        super().__init__()
        own = (f"unique_{name}" for name in names)
        self.terms = ("shared", "agreement", *own, "orthogonality")
        self.unique_dim = unique_dim
        self.concentration = concentration
        self.temperature = temperature
        self.shared_weight = shared_weight
        self.agreement_weight = agreement_weight
        self.ortho_weight = ortho_weight
        self.pairs = list(combinations(range(len(names)), 2))

    def forward(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return all terms for the original batch and an augmented view."""
        # The views cannot be stacked with the original, whose images are bytes.
        tokens = [network.encode(view) for view in views]
        present = list_present(tokens[0].masks, count_rows(views[0]))
        both = [self._split(network.unique(t)) for t in tokens]
        losses: dict[str, list[Tensor]] = {term: [] for term in self.terms}
        for m, k in self.pairs:
            rows = intersect_rows(present[m], present[k])
            for parts in both:
                shared = parts[m].shared[k], parts[k].shared[m]
                losses["shared"].append(self._match(*shared, rows, generator) / 2)
                losses["agreement"].append(_disagree(*shared, rows) / 2)
            for a, b in ((m, k), (k, m)):
                loss = self._contrast_views(both, a, b, rows) / 2
                losses[self.terms[2 + a]].append(loss)
                norms = (_correlate(parts[a], b, present[a]) / 2 for parts in both)
                losses["orthogonality"] += norms
        return self._weigh(losses)

    def dims(self, network: DualPathNetwork) -> dict[str, int]:
        """Return the widths: all shared parts together, then the unique of each."""
        n_others = len(network.names) - 1
        unique = dict.fromkeys(network.names, n_others * self.unique_dim)
        return {"shared": sum(unique.values()), **unique}

    def embed(self, network: DualPathNetwork, x: Batch) -> Sequence[Tensor]:
        """Return all shared parts side by side, and the unique ones per modality."""
        parts = self._split(network(x))
        shared = torch.cat([s for part in parts for s in part.shared], dim=1)
        return [shared, *(torch.cat(part.unique, dim=1) for part in parts)]

    def _split(self, embeddings: Sequence[Tensor]) -> list[Parts]:
        """Return the parts of each modality, by the other one they refer to."""
        split = []
        for m, embedding in enumerate(embeddings):
            unique, shared = (
                list(embedding.split(self.unique_dim, dim=1)[start::2])
                for start in (0, 1)
            )
            for parts in (unique, shared):
                parts.insert(m, embedding[:, :0])
            split.append(Parts(unique, shared))
        return split

    def _match(
        self, a: Tensor, b: Tensor, rows: Present, generator: torch.Generator | None
    ) -> Tensor:
        """Contrast random draws around the shared parts of a pair."""
        a, b = (self._draw(part, generator) for part in (a, b))
        return contrast(a, b, rows, self.temperature, intra_negatives=False)

    def _contrast_views(
        self, both: Sequence[Sequence[Parts]], m: int, k: int, rows: Present
    ) -> Tensor:
        """Contrast two views of what m does not share, with what k shares with it."""
        first, second = (
            torch.cat([parts[m].unique[k], parts[k].shared[m]], dim=1) for parts in both
        )
        return contrast(first, second, rows, self.temperature, intra_negatives=False)

    def _draw(self, part: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw around a shared part in training; return it unchanged otherwise."""
        if not self.training:
            return part
        direction = F.normalize(part, dim=1)
        return draw_von_mises_fisher(direction, self.concentration, generator)

    def _weigh(self, losses: dict[str, list[Tensor]]) -> dict[str, Tensor]:
        """Return the weighted means over pairs."""
        weights = {
            "shared": self.shared_weight,
            "agreement": self.agreement_weight,
            "orthogonality": self.ortho_weight,
        }
        return {
            term: weights.get(term, 1.0) * add_up(values) / len(self.pairs)
            for term, values in losses.items()
        }


def _disagree(a: Tensor, b: Tensor, rows: Present) -> Tensor:
    """Return minus the mean cosine of the rows, zero without any."""
    a, b = select_present(rows, a, b)
    return -F.cosine_similarity(a, b, dim=1).mean() if len(a) else a.sum()


def _correlate(parts: Parts, k: int, rows: Present) -> Tensor:
    """Return the norm of the correlations, zero for fewer than two rows."""
    unique, shared = select_present(rows, parts.unique[k], parts.shared[k])
    if len(unique) > 1:
        return cross_correlation_norm(unique, shared)
    return (unique + shared).sum() * 0.0
