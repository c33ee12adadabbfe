"""FactorCL's objective: bounds on shared and unique information, by critics."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn

from skcoral._input.blocks import Batch, count_rows
from skcoral.losses import club_bound, nce_bound
from skcoral.nn.network import DualPathNetwork
from skcoral.objectives.base import (
    Objective,
    Phase,
    Present,
    ViewKinds,
    add_up,
    intersect_rows,
    list_present,
    select_present,
)

# Bounds for a pair of modalities: whether they include the augmented views, and the
# function that computes the bound.
ROLES = {
    "cross_nce": (False, nce_bound),
    "cross_club": (False, club_bound),
    "conditional_nce": (True, nce_bound),
    "conditional_club": (True, club_bound),
}
CLUB_ROLES = ("cross_club", "conditional_club")
# Hidden units that a critic computes at once on a CPU, few enough for its cache: with
# batches of 256 and 64 units, 2**19 takes half the time of all pairs at once.
UNITS_AT_ONCE = 2**19


class Critic(nn.Module):
    """Score every row of one modality against every row of another by a small network.

    Parameters
    ----------
    dim_a, dim_b : int
        Widths of the embeddings of the two modalities.

    hidden_dim : int
        Width of both hidden layers.

    Notes
    -----
    A linear layer of a concatenation is a sum of one linear layer per part, so the
    first layer is computed once per row, not once per pair.
    """

    def __init__(self, dim_a: int, dim_b: int, hidden_dim: int) -> None:
        super().__init__()
        self.first = nn.Linear(dim_a, hidden_dim)
        self.second = nn.Linear(dim_b, hidden_dim, bias=False)
        self.layers = nn.Sequential(
            nn.ReLU(),
            nn.Linear(hidden_dim, hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, 1),
        )

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return scores of shape (n_samples, n_samples), with `a` on the first axis."""
        first, second = self.first(a)[:, None], self.second(b)[None]
        n_rows = len(a)
        if a.device.type == "cpu":
            n_rows = max(1, UNITS_AT_ONCE // max(1, second.numel()))
        return torch.cat([self.layers(p + second)[..., 0] for p in first.split(n_rows)])


class PairBounds(nn.Module):
    """Heads and critics for the four bounds of a pair of modalities.

    Parameters
    ----------
    dim : int
        Width of the embeddings and of the heads.

    critic_hidden_dim : int
        Width of the hidden layers of the critics.
    """

    # Containers of modules, whose items mypy knows as Module only.
    heads: Any
    critics: Any

    def __init__(self, dim: int, critic_hidden_dim: int) -> None:
        super().__init__()
        self.heads = nn.ModuleDict(
            {role: nn.ModuleList([_make_head(dim), _make_head(dim)]) for role in ROLES}
        )
        widths = {role: 2 * dim if given else dim for role, (given, _) in ROLES.items()}
        self.critics = nn.ModuleDict(
            {role: Critic(w, w, critic_hidden_dim) for role, w in widths.items()}
        )

    def project(self, role: str, *modalities: Sequence[Tensor]) -> list[Tensor]:
        """Apply the heads of a bound to two modalities, each a list of views."""
        n_views = 2 if ROLES[role][0] else 1
        return [
            torch.cat([head(view) for view in views[:n_views]], dim=1)
            for head, views in zip(self.heads[role], modalities, strict=True)
        ]


class FactorCLObjective(Objective):
    """FactorCL's objective without labels: shared and unique information.

    With ``I`` a bound on the mutual information of head outputs, x the batch and x' an
    augmented view, the objective is minus the sum over pairs (m, k) of
    ``I_NCE(x_m, x_k) - I_CLUB(x_m, x_k) + I_NCE([x_m, x_m'], [x_k, x_k'])
    - I_CLUB([x_m, x_m'], [x_k, x_k'])``, minus the sum over modalities of
    ``I_NCE(x_m, x_m')``.

    Parameters
    ----------
    names : sequence of str
        Names of the modalities.

    unique_dim : int
        Width of the embedding of each modality and of its heads.

    critic_hidden_dim : int, default=64
        Width of the hidden layers of the critics.

    Notes
    -----
    Source: FactorCL (arXiv 2306.05268) and its published code, whose temperature has no
    effect and is left out. Each bound has its own heads and its own critic. Each batch
    makes two updates: the first updates everything except the critics of CLUB by the
    objective, the second updates those critics by minus the ``I_NCE`` of their scores,
    the term "critics".
    For more than two modalities, the bounds are summed over pairs.
    A row that lacks a modality is left out of its bounds, as anchor and as negative.
    """

    views: ViewKinds = ("original", "augmented")
    # Containers of modules, whose items mypy knows as Module only.
    pairs: Any
    self_heads: Any
    self_critics: Any

    def __init__(
        self, names: Sequence[str], unique_dim: int, critic_hidden_dim: int = 64
    ) -> None:
        super().__init__()
        own = [f"self_{name}" for name in names]
        self.terms = (*ROLES, *own, "critics")
        self.couples = list(combinations(range(len(names)), 2))
        self.pairs = nn.ModuleList(
            PairBounds(unique_dim, critic_hidden_dim) for _ in self.couples
        )
        self.self_heads = nn.ModuleList(_make_head(unique_dim) for _ in names)
        self.self_critics = nn.ModuleList(
            Critic(unique_dim, unique_dim, critic_hidden_dim) for _ in names
        )

    def forward(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return all terms for the original batch and an augmented view."""
        bounds = self.bound(network, views, generator)
        return bounds | self.fit_critics(network, views, generator)

    def phases(self, network: DualPathNetwork) -> list[Phase]:
        """Return the update of all but the critics of CLUB, then that of those."""
        critics = [
            parameter
            for pair in self.pairs
            for role in CLUB_ROLES
            for parameter in pair.critics[role].parameters()
        ]
        theirs = {id(parameter) for parameter in critics}
        everything = (*network.parameters(), *self.parameters())
        others = [p for p in everything if id(p) not in theirs]
        return [(self.bound, others), (self.fit_critics, critics)]

    def bound(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return the terms that train the embeddings."""
        embeddings, present = _embed_views(network, views)
        terms = {}
        for role, (_, bound) in ROLES.items():
            sign = 1.0 if role in CLUB_ROLES else -1.0
            scores = self._score_pairs(role, embeddings, present)
            terms[role] = sign * add_up(_apply(bound, score) for score in scores)
        for m, name in enumerate(network.names):
            both = select_present(present[m], *embeddings[m])
            scores = self.self_critics[m](*map(self.self_heads[m], both))
            terms[f"self_{name}"] = -_apply(nce_bound, scores)
        return terms

    def fit_critics(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return the term that trains the critics of CLUB."""
        with torch.no_grad():
            embeddings, present = _embed_views(network, views)
        scores = [
            score
            for role in CLUB_ROLES
            for score in self._score_pairs(role, embeddings, present)
        ]
        return {"critics": -add_up(_apply(nce_bound, score) for score in scores)}

    def _score_pairs(
        self, role: str, embeddings: list[Any], present: Sequence[Present]
    ) -> Iterator[Tensor]:
        """Yield the critic's scores per pair, on the rows that have both modalities."""
        for (m, k), pair in zip(self.couples, self.pairs, strict=True):
            rows = intersect_rows(present[m], present[k])
            views = [select_present(rows, *embeddings[i]) for i in (m, k)]
            yield pair.critics[role](*pair.project(role, *views))

    def dims(self, network: DualPathNetwork) -> dict[str, int]:
        """Return the total width of the head outputs of each modality."""
        n_heads = 1 + len(ROLES) * (len(network.names) - 1)
        return {name: n_heads * dim for name, dim in network.dims.items()}

    def embed(self, network: DualPathNetwork, x: Batch) -> Sequence[Tensor]:
        """Return all head outputs of each modality, side by side."""
        embeddings = network(x)
        parts = zip(self.self_heads, embeddings, strict=True)
        outputs = [[head(embedding)] for head, embedding in parts]
        for couple, pair in zip(self.couples, self.pairs, strict=True):
            for heads in pair.heads.values():
                for m, head in zip(couple, heads, strict=True):
                    outputs[m].append(head(embeddings[m]))
        return [torch.cat(parts, dim=1) for parts in outputs]


def _make_head(dim: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim))


def _embed_views(
    network: DualPathNetwork, views: Sequence[Batch]
) -> tuple[list[Any], list[Present]]:
    """Return, per modality, its embedding in each view and which rows have it."""
    tokens = [network.encode(view) for view in views]
    embeddings = list(zip(*map(network.unique, tokens), strict=True))
    return embeddings, list_present(tokens[0].masks, count_rows(views[0]))


def _apply(bound: Callable[[Tensor], Tensor], scores: Tensor) -> Tensor:
    """Apply a bound to scores; without any rows it is zero."""
    return bound(scores) if len(scores) else scores.sum()
