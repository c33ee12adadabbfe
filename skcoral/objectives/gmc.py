"""GMC's objective: pull each modality alone towards the whole row."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skcoral._input.blocks import Batch, count_rows
from skcoral.nn.network import DualPathNetwork, Tokens
from skcoral.objectives.base import (
    Objective,
    ViewKinds,
    contrast,
    list_present,
)


class GMCObjective(Objective):
    """GMC's objective: ``sum_m NCE(z_m, z_joint)``.

    ``z_m`` is the embedding of one modality and ``z_joint`` the fusion of all, both
    projected by the same head.

    Parameters
    ----------
    names : sequence of str
        Names of the modalities.

    embed_dim : int
        Width of the fused and of each single-modality embedding.

    head_hidden_dim, head_dim : int, default=256, 64
        Hidden width of the head, and width of its output, which is the representation.

    temperature : float, default=0.1
        Temperature of InfoNCE.

    Notes
    -----
    Source: GMC (ICML 2022, arXiv 2202.03390) and its published code: InfoNCE with
    negatives among the joint and the single-modality embeddings, no augmentation, and
    the mean of the single-modality representations where a row lacks a modality.
    A row that lacks a modality is left out of its term, as anchor and as negative.
    """

    views: ViewKinds = ("original",)

    def __init__(
        self,
        names: Sequence[str],
        embed_dim: int,
        head_hidden_dim: int = 256,
        head_dim: int = 64,
        temperature: float = 0.1,
    ) -> None:
        super().__init__()
        self.terms = tuple(f"shared_{name}" for name in names)
        self.temperature = temperature
        self.head_dim = head_dim
        self.head = nn.Sequential(
            nn.Linear(embed_dim, head_hidden_dim),
            nn.SiLU(),
            nn.Linear(head_hidden_dim, head_dim),
        )

    def forward(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return the term of each modality for the original batch."""
        tokens = network.encode(views[0])
        present = list_present(tokens.masks, count_rows(views[0]))
        joint, single = self._represent(network, tokens)
        losses = [
            contrast(alone, joint, rows, self.temperature)
            for alone, rows in zip(single, present, strict=True)
        ]
        return dict(zip(self.terms, losses, strict=True))

    def dims(self, network: DualPathNetwork) -> dict[str, int]:
        """Return the width of the only component."""
        return {"shared": self.head_dim}

    def embed(self, network: DualPathNetwork, x: Batch) -> Sequence[Tensor]:
        """Return the joint representation, or the mean where a row lacks modalities."""
        tokens = network.encode(x)
        joint, single = self._represent(network, tokens)
        rows = list_present(tokens.masks, len(joint))
        everyone = torch.ones(len(joint), dtype=torch.bool, device=joint.device)
        present = torch.stack([everyone if r is None else r for r in rows])
        total = (torch.stack(single) * present[..., None]).sum(dim=0)
        mean = total / present.sum(dim=0).clamp(min=1)[:, None]
        return [torch.where(present.all(dim=0)[:, None], joint, mean)]

    def _represent(
        self, network: DualPathNetwork, tokens: Tokens
    ) -> tuple[Tensor, list[Tensor]]:
        """Return the normalised joint representation, and that of each modality."""
        embeddings = [network.fuse(tokens), *network.unique(tokens)]
        joint, *single = (F.normalize(self.head(e), dim=1) for e in embeddings)
        return joint, single
