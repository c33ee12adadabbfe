"""COrAL's objective: shared and unique contrasts and an orthogonality penalty."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Literal

import torch
from torch import Tensor, nn

from skcoral._generators import draw_uniform
from skcoral._input.blocks import Batch, count_rows
from skcoral._input.presence import any_step
from skcoral.losses import orthogonality
from skcoral.nn.network import DualPathNetwork, Tokens
from skcoral.objectives.base import (
    Objective,
    Present,
    ProjectionHead,
    add_up,
    contrast,
    intersect_rows,
    list_present,
    project,
    select_present,
    stack_views,
)


class COrALObjective(Objective):
    """COrAL's objective: shared contrast, unique contrasts, orthogonality penalty.

    ``shared_weight NCE(S1, S2) + unique_weight sum_m NCE(U_m1, U_m2)
    + ortho_weight sum_v sum_(A, B) phi(A_v, B_v)`` over all pairs of components.

    Parameters
    ----------
    names : sequence of str
        Names of the modalities.

    embed_dim, unique_dim : int
        Widths of the shared and of each unique embedding.

    head_hidden_dim, head_dim : int, default=256, 128
        Hidden and output width of the projection heads.

    temperature : float, default=0.1
        Temperature of InfoNCE.

    mask_ratio : float or sequence of float, default=1.0
        Probability that a token of a masked modality is hidden from the shared path. A
        sequence is a schedule: stages of equal length over the epochs.

    shared_weight, unique_weight, ortho_weight : float, default=1.0
        Weights of the terms.

    orthogonality : {"squared", "hinge"}, default="squared"
        The penalty phi of a cosine c: ``c ** 2`` or ``max(0, c)``.

    ortho_reduction : {"sum", "mean"}, default="sum"
        Sum over the pairs, as published, or three times their mean, which equals the
        sum for two modalities and keeps the same scale for more.

    modality_dropout : float, default=0.0
        Probability that a modality of a row is hidden from the shared path of a view
        during training; a row never loses all of its modalities.

    Notes
    -----
    Source: COrAL, arXiv 2602.14983, and its published code for two modalities. With
    more than two modalities, each training batch draws a random partition into two
    non-empty sets; view 1 masks the first, view 2 the second, so that every modality is
    intact in exactly one view. A single modality is never masked, as nothing would be
    left to infer it from.
    A row that lacks a modality is left out of the contrast of that modality, as anchor
    and as negative, and out of the penalty of its pairs.
    All unique heads share their initial weights in the published code; ours do not.
    """

    def __init__(
        self,
        names: Sequence[str],
        embed_dim: int,
        unique_dim: int,
        head_hidden_dim: int = 256,
        head_dim: int = 128,
        temperature: float = 0.1,
        mask_ratio: float | Sequence[float] = 1.0,
        shared_weight: float = 1.0,
        unique_weight: float = 1.0,
        ortho_weight: float = 1.0,
        orthogonality: Literal["squared", "hinge"] = "squared",
        ortho_reduction: Literal["sum", "mean"] = "sum",
        modality_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.terms = ("shared", *(f"unique_{name}" for name in names), "orthogonality")
        self.temperature = temperature
        self.mask_ratio = mask_ratio
        self.shared_weight = shared_weight
        self.unique_weight = unique_weight
        self.ortho_weight = ortho_weight
        self.orthogonality = orthogonality
        self.ortho_reduction = ortho_reduction
        self.modality_dropout = modality_dropout
        self.heads = nn.ModuleList(
            ProjectionHead(in_dim, head_hidden_dim, head_dim)
            for in_dim in (embed_dim, *[unique_dim] * len(names))
        )

    def forward(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return the weighted terms for two views.

        Parameters
        ----------
        network : DualPathNetwork
            Offers `encode`, `fuse` and `unique`.

        views : list of two (dict of str to tensor or to (tensor, padding mask))
            The augmented views of one batch.

        generator : torch.Generator, default=None
            Source of the masks; None means torch's default generator.

        Returns
        -------
        dict of str to tensor of shape ()
            One weighted scalar per name in `terms`.
        """
        n_samples = count_rows(views[0])
        stacked = stack_views(views)
        tokens = network.encode(stacked, paths=("unique",))
        present = [None, *list_present(tokens.masks, n_samples)]
        fused = self._drop_modalities(tokens, generator)
        keep = self._draw_keep(fused, generator) if self.training else None
        fused = network.add_shared(fused, stacked, keep)
        components = [network.fuse(fused, keep=keep), *network.unique(tokens)]
        heads = [
            self.project(view, present)
            for view in zip(*(c.split(n_samples) for c in components), strict=True)
        ]
        values = [
            weight * contrast(a, b, rows, self.temperature)
            for weight, a, b, rows in zip(self._weights, *heads, present, strict=True)
        ]
        overlaps = (self._overlap(view, present) for view in heads)
        return dict(
            zip(
                self.terms, [*values, self.ortho_weight * add_up(overlaps)], strict=True
            )
        )

    def project(
        self, components: Sequence[Tensor], present: Sequence[Present] | None = None
    ) -> list[Tensor]:
        """Apply the heads to (shared, unique_1, ..., unique_M).

        Parameters
        ----------
        components : sequence of tensor of shape (n_samples, dim)
            The components.

        present : sequence of (None or bool tensor of shape (n_samples,)), default=None
            Per component, False at rows that lack it. Those rows are zero in the output
            and are excluded from the batch normalisation.

        Returns
        -------
        list of tensor of shape (n_samples, head_dim)
            One per component.
        """
        present = [None] * len(components) if present is None else present
        parts = zip(self.heads, components, present, strict=True)
        return [project(head, component, rows) for head, component, rows in parts]

    @property
    def _weights(self) -> list[float]:
        return [self.shared_weight] + [self.unique_weight] * (len(self.heads) - 1)

    def _drop_modalities(
        self, tokens: Tokens, generator: torch.Generator | None
    ) -> Tokens:
        """Hide whole modalities from the shared path, but never all of a row's."""
        if not self.training or not self.modality_dropout:
            return tokens
        parts = zip(tokens.unique, tokens.masks, strict=True)
        masks = [_full_mask(values, mask) for values, mask in parts]
        present = torch.stack([any_step(mask) for mask in masks], dim=1)
        dropped = draw_uniform(present.shape, present.device, generator)
        left = present & (dropped >= self.modality_dropout)
        left = torch.where(left.any(dim=1, keepdim=True), left, present)
        masks = [mask & left[:, [m]] for m, mask in enumerate(masks)]
        return tokens._replace(masks=masks)

    def _draw_keep(
        self, tokens: Tokens, generator: torch.Generator | None
    ) -> list[Tensor]:
        """Draw the tokens to keep; each view masks one side of a random bipartition.

        A view that has only one modality of a row keeps it intact.
        """
        unique = tokens.unique
        n_samples = len(unique[0]) // 2
        alone = _find_alone(tokens.masks)
        in_first = _draw_bipartition(len(unique), unique[0].device, generator)
        ratio = self._current_ratio()
        keep = []
        for values, first in zip(unique, in_first, strict=True):
            kept = draw_uniform(values.shape[:2], values.device, generator) > ratio
            masked_view = slice(None, n_samples) if first else slice(n_samples, None)
            intact = torch.ones_like(kept)
            intact[masked_view] = kept[masked_view]
            keep.append(intact | alone)
        return keep

    def _current_ratio(self) -> float:
        """Return the mask ratio of the current stage of the schedule."""
        if isinstance(self.mask_ratio, (int, float)):
            return self.mask_ratio
        stage = self.epoch * len(self.mask_ratio) // self.max_epochs
        return self.mask_ratio[min(int(stage), len(self.mask_ratio) - 1)]

    def _overlap(self, heads: Sequence[Tensor], present: Sequence[Present]) -> Tensor:
        """Return the penalty of all pairs of components in one view."""
        pairs = list(combinations(zip(heads, present, strict=True), 2))
        total = add_up(self._overlap_pair(*a, *b) for a, b in pairs)
        # Two modalities make three pairs, so the scaled mean equals the sum.
        return total if self.ortho_reduction == "sum" else 3 * total / len(pairs)

    def _overlap_pair(
        self, a: Tensor, rows_a: Present, b: Tensor, rows_b: Present
    ) -> Tensor:
        """Return the penalty of two components over the rows that have both."""
        a, b = select_present(intersect_rows(rows_a, rows_b), a, b)
        return orthogonality(a, b, kind=self.orthogonality) if len(a) else a.sum()


def _find_alone(masks: Sequence[Tensor | None]) -> Any:
    """Return which rows have just one modality: a column, or True or False for all."""
    if len(masks) == 1:
        return True
    if all(mask is None for mask in masks):
        return False
    present: list[Any] = [
        1 if mask is None else any_step(mask).long() for mask in masks
    ]
    return (sum(present) == 1)[:, None]


def _full_mask(values: Tensor, mask: Tensor | None) -> Tensor:
    """Return the padding mask, all True if there was none."""
    if mask is None:
        return torch.ones(values.shape[:2], dtype=torch.bool, device=values.device)
    return mask


def _draw_bipartition(
    n_modalities: int, device: torch.device, generator: torch.Generator | None
) -> list[bool]:
    """Return, for each modality, whether view 1 masks it; both sides are non-empty."""
    if n_modalities <= 2:
        return [True, False][:n_modalities]
    while True:
        in_first = draw_uniform((n_modalities,), device, generator) < 0.5
        if in_first.any() and not in_first.all():
            return in_first.tolist()
