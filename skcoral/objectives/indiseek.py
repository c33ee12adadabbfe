"""IndiSeek's objective: first what is shared, then what completes it independently."""

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Any

import torch
from torch import Tensor, nn

from skcoral._input.blocks import Batch, count_rows
from skcoral.losses import club_bound, nce_bound, reconstruction_loss
from skcoral.nn.network import DualPathNetwork, Tokens
from skcoral.objectives.base import (
    Objective,
    Phase,
    Present,
    ViewKinds,
    add_up,
    contrast_pairs,
    fill_from_others,
    intersect_rows,
    list_present,
    select_present,
)
from skcoral.objectives.factorcl import Critic


class IndiSeekObjective(Objective):
    """IndiSeek's objective, in two steps of half the epochs each.

    Let ``c_m`` be the shared and ``z_m`` the specific embedding of modality m. Step 1
    minimises ``mean_(m, k) NCE(c_m, c_k)`` over pairs, and step 2, with ``c_m`` fixed,
    ``sum_m mean_k I_CLUB(z_m, c_k) + reconstruction_weight sum_m E||g_m(z_m, c_m)
    - x_m||^2 / (2 E||x_m||^2)`` over the other modalities k, with a decoder g per
    modality. The critics of CLUB are trained in alternation with the rest.

    Parameters
    ----------
    names : sequence of str
        Names of the modalities.

    embed_dim, unique_dim : int
        Widths of the shared and of the specific embedding of each modality.

    head_hidden_dim : int, default=256
        Hidden width of the decoders.

    critic_hidden_dim : int, default=64
        Width of the hidden layers of the critics.

    temperature : float, default=0.1
        Temperature of InfoNCE, whose negatives come only from the other modality.

    reconstruction_weight : float, default=10.0
        Weight lambda.

    Notes
    -----
    Source: IndiSeek (arXiv 2509.21584), which has two modalities and no published code.
    It takes the bound from FactorCL (arXiv 2306.05268), and so are its critics here:
    each batch of step 2 makes two updates, the second of the critics alone by minus the
    ``I_NCE`` of their scores, the term "critics".
    For more than two modalities, the bounds are means over the other modalities.
    Here ``c_m`` is the fusion of the tokens of m alone, ``z_m`` its unique path, and
    ``x_m`` the mean of its tokens in the shared path, which step 2 leaves as they are:
    what the source reconstructs, the input, is no vector of numbers for every kind.
    Validation computes the terms of both steps.
    A row that lacks a modality is left out of its terms.
    """

    views: ViewKinds = ("original",)
    # Containers of modules, whose items mypy knows as Module only.
    critics: Any
    decoders: Any

    def __init__(
        self,
        names: Sequence[str],
        embed_dim: int,
        unique_dim: int,
        head_hidden_dim: int = 256,
        critic_hidden_dim: int = 64,
        temperature: float = 0.1,
        reconstruction_weight: float = 10.0,
    ) -> None:
        super().__init__()
        own = (f"reconstruction_{name}" for name in names)
        self.terms = ("shared", "independence", *own, "critics")
        self.temperature = temperature
        self.reconstruction_weight = reconstruction_weight
        self.couples = list(permutations(range(len(names)), 2))
        self.critics = nn.ModuleList(
            Critic(unique_dim, embed_dim, critic_hidden_dim) for _ in self.couples
        )
        self.decoders = nn.ModuleList(
            nn.Sequential(
                nn.Linear(unique_dim + embed_dim, head_hidden_dim),
                nn.ReLU(),
                nn.Linear(head_hidden_dim, embed_dim),
            )
            for _ in names
        )

    def forward(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return the terms of both steps for the original batch."""
        first = self.learn_shared(network, views, generator)
        specific = self.learn_specific(network, views, generator)
        critics = self.fit_critics(network, views, generator)
        return first | specific | critics | {"shared": first["shared"]}

    def phases(self, network: DualPathNetwork) -> list[Phase]:
        """Return the update of step 1, or the two of step 2."""
        if self.in_first_step:
            return [(self.learn_shared, None)]
        specific = (network.unique_encoders, network.unique_paths, self.decoders)
        updated = [parameter for part in specific for parameter in part.parameters()]
        critics = list(self.critics.parameters())
        return [(self.learn_specific, updated), (self.fit_critics, critics)]

    def learn_shared(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return the terms of step 1: all but the contrast are zero."""
        tokens = network.encode(views[0], paths=("shared",))
        present = list_present(tokens.masks, count_rows(views[0]))
        shared = _embed_shared(network, tokens)
        options = {"intra_negatives": False}
        loss = contrast_pairs(shared, present, self.temperature, **options)
        return dict.fromkeys(self.terms, loss.new_zeros(())) | {"shared": loss}

    def learn_specific(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return the terms of step 2 but that of the critics; the contrast is zero."""
        with torch.no_grad():
            tokens = network.encode(views[0], paths=("shared",))
            shared = _embed_shared(network, tokens)
            targets = _average_tokens(tokens)
        specific = network.unique(network.encode(views[0], paths=("unique",)))
        present = list_present(tokens.masks, count_rows(views[0]))
        scores = self._score_pairs(specific, shared, present)
        bounds = [club_bound(s) if len(s) else s.sum() for s in scores]
        bound = add_up(bounds) / (len(shared) - 1)
        terms = {"shared": bound.new_zeros(()), "independence": bound}
        parts = zip(self.decoders, specific, shared, targets, present, strict=True)
        for name, (decoder, *known, rows) in zip(self.terms[2:-1], parts, strict=True):
            own, common, target = select_present(rows, *known)
            made = decoder(torch.cat([own, common], dim=1))
            terms[name] = self.reconstruction_weight * reconstruction_loss(made, target)
        return terms

    def fit_critics(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return the term that trains the critics."""
        with torch.no_grad():
            tokens = network.encode(views[0])
            shared, specific = _embed_shared(network, tokens), network.unique(tokens)
        present = list_present(tokens.masks, count_rows(views[0]))
        scores = self._score_pairs(specific, shared, present)
        return {"critics": -add_up(nce_bound(s) if len(s) else s.sum() for s in scores)}

    def dims(self, network: DualPathNetwork) -> dict[str, int]:
        """Return the widths: all shared embeddings together, then each specific one."""
        unique = {name: network.dims[name] for name in network.names}
        return {"shared": network.dims["shared"] * len(unique), **unique}

    def embed(self, network: DualPathNetwork, x: Batch) -> Sequence[Tensor]:
        """Return the shared embeddings side by side, and each specific embedding."""
        tokens = network.encode(x)
        present = list_present(tokens.masks, count_rows(x))
        shared = fill_from_others(_embed_shared(network, tokens), present)
        _, *specific = network.embed(tokens)
        return [torch.cat(shared, dim=1), *specific]

    def _score_pairs(
        self,
        specific: Sequence[Tensor],
        shared: Sequence[Tensor],
        present: Sequence[Present],
    ) -> Iterator[Tensor]:
        """Yield the critic's scores of each specific and each other shared embedding.

        They are those of the rows that have both modalities.
        """
        for (m, k), critic in zip(self.couples, self.critics, strict=True):
            rows = intersect_rows(present[m], present[k])
            yield critic(*select_present(rows, specific[m], shared[k]))


def _embed_shared(network: DualPathNetwork, tokens: Tokens) -> list[Tensor]:
    """Return the shared embedding of each modality, the fusion of its tokens alone."""
    return [network.fuse(tokens, subset=[m]) for m in range(len(network.names))]


def _average_tokens(tokens: Tokens) -> list[Tensor]:
    """Return the mean of the real tokens of each modality in the shared path."""
    means = []
    for values, mask in zip(tokens.shared, tokens.masks, strict=True):
        real = torch.ones_like(values[..., 0])
        real = real if mask is None else real * mask
        weights = real / real.sum(dim=1, keepdim=True).clamp(min=1.0)
        means.append((values * weights[..., None]).sum(dim=1))
    return means
