"""The base of all objectives: contract, projection heads, rows that lack a modality.

An objective is the criterion that the trainer minimises. It owns the projection heads,
which are not used after training, and calls the network for the embeddings it needs.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn

from skcoral._input.blocks import Batch
from skcoral._input.presence import find_present
from skcoral.losses import info_nce
from skcoral.nn.network import DualPathNetwork

# Which rows have something, None if all do.
Present: TypeAlias = Tensor | None
ViewKinds: TypeAlias = tuple[Literal["augmented", "original"], ...]
# Function of network and views that returns some terms, and the parameters to update.
Phase: TypeAlias = tuple[
    Callable[..., dict[str, Tensor]] | None, Sequence[Tensor] | None
]


class ProjectionHead(nn.Sequential):
    """Three linear layers with batch normalisation, used only by the losses.

    Parameters
    ----------
    in_dim, hidden_dim, out_dim : int
        Widths of the input, of both hidden layers and of the output.
    """

    def __init__(self, in_dim: int, hidden_dim: int, out_dim: int) -> None:
        super().__init__(
            nn.Linear(in_dim, hidden_dim),
            nn.BatchNorm1d(hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, hidden_dim),
            nn.BatchNorm1d(hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, out_dim),
        )


class Objective(nn.Module):
    """Base class of objectives: named, weighted terms whose sum is minimised.

    A subclass sets `terms` and implements `forward`, which draws from `generator` only:
    the same objective may run in several threads.

    Attributes
    ----------
    terms : tuple of str
        Names of the loss terms, in order; each is recorded in the history.

    views : tuple of {"augmented", "original"}
        The views of a batch that `forward` receives, in order.

    epoch, max_epochs : int tensor of shape ()
        The current epoch, counted from 0, and the planned number of epochs. The trainer
        sets them, and they are saved with the state, so that schedules continue
        correctly when training is resumed.
    """

    terms: tuple[str, ...] = ()
    views: ViewKinds = ("augmented", "augmented")
    epoch: Tensor
    max_epochs: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("epoch", torch.tensor(0))
        self.register_buffer("max_epochs", torch.tensor(1))

    def forward(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return the weighted terms, as a dict of scalars, for the views of a batch."""
        raise NotImplementedError

    def phases(self, network: DualPathNetwork) -> list[Phase]:
        """Return the updates that each batch makes, one after another.

        Parameters
        ----------
        network : DualPathNetwork
            The network being trained.

        Returns
        -------
        list of (callable or None, list of parameters or None)
            Each entry is a separate forward pass, backward pass and optimiser step. The
            callable takes what `forward` takes and returns some of the terms; None
            means the objective itself. The step updates the listed parameters; None
            means all.
        """
        return [(None, None)]

    @property
    def in_first_step(self) -> bool:
        """Whether training in two steps of half the epochs each is in the first."""
        return 2 * int(self.epoch) < int(self.max_epochs)

    def dims(self, network: DualPathNetwork) -> dict[str, int]:
        """Return the width of each component of `embed`, by name and in order."""
        return network.dims

    def embed(self, network: DualPathNetwork, x: Batch) -> Sequence[Tensor]:
        """Return the components of a batch for `transform`, each (n_samples, dim)."""
        return network(x)


def stack_views(views: Sequence[Batch]) -> dict[str, Any]:
    """Concatenate the views along the samples, so that the network runs only once."""
    return {name: _concatenate([view[name] for view in views]) for name in views[0]}


def _concatenate(blocks: list[Any]) -> Any:
    if isinstance(blocks[0], tuple):
        return tuple(torch.cat(parts) for parts in zip(*blocks, strict=True))
    return torch.cat(blocks)


def list_present(masks: Iterable[Tensor | None], n_samples: int) -> list[Present]:
    """Return, per modality, which of the first rows have it; None where all do."""
    return [find_present(None if mask is None else mask[:n_samples]) for mask in masks]


def intersect_rows(*rows: Present) -> Present:
    """Return which rows have all of several modalities, or None if all rows do."""
    known = [r for r in rows if r is not None]
    return torch.stack(known).all(dim=0) if known else None


def select_present(rows: Present, *tensors: Tensor) -> tuple[Tensor, ...]:
    """Select the given rows of each tensor; all of them if rows is None."""
    return tensors if rows is None else tuple(tensor[rows] for tensor in tensors)


def project(head: Any, component: Tensor, rows: Present) -> Tensor:
    """Apply a head to the rows that have the component; other rows get zeros."""
    if rows is None:
        return head(component)
    out = component.new_zeros(len(component), head[-1].out_features)
    # A single row cannot be batch-normalised, and has no negatives to contrast with.
    if rows.sum() > 1:
        out[rows] = head(component[rows]).to(out.dtype)
    return out


def contrast(
    a: Tensor, b: Tensor, rows: Present, temperature: float | Tensor, **options: Any
) -> Tensor:
    """Contrast the rows that have the component; zero if fewer than two do."""
    a, b = select_present(rows, a, b)
    if len(a) > 1:
        return info_nce(a, b, temperature, **options)
    return (a + b).sum() * 0.0


def add_up(tensors: Iterable[Tensor]) -> Tensor:
    """Return the sum of tensors, of which there must be at least one."""
    return sum(tensors)  # type: ignore[return-value]


def contrast_pairs(
    parts: Sequence[Tensor],
    present: Sequence[Present],
    temperature: float | Tensor,
    **options: Any,
) -> Tensor:
    """Return the mean contrast over all pairs of modalities.

    Each pair is contrasted on the rows that have both modalities.
    """
    pairs = combinations(zip(parts, present, strict=True), 2)
    losses = [
        contrast(a, b, intersect_rows(rows_a, rows_b), temperature, **options)
        for (a, rows_a), (b, rows_b) in pairs
    ]
    return add_up(losses) / len(losses)


def project_views(head: Any, component: Tensor, rows: Present) -> list[Tensor]:
    """Apply a head to two stacked views, each batch-normalised separately."""
    return [project(head, view, rows) for view in component.chunk(2)]


def average_others(
    embeddings: Sequence[Tensor], present: Sequence[Present], m: int
) -> Tensor:
    """Return the mean embedding, per row, of the other modalities that it has."""
    total = torch.zeros_like(embeddings[m])
    count = total.new_zeros(len(total), 1)
    for k, (embedding, rows) in enumerate(zip(embeddings, present, strict=True)):
        if k != m:
            weight = 1.0 if rows is None else rows[:, None].to(embedding.dtype)
            total, count = total + weight * embedding, count + weight
    return total / count.clamp(min=1.0)


def fill_from_others(
    embeddings: Sequence[Tensor],
    present: Sequence[Present],
    settle: Callable[[Tensor], Tensor] = lambda mean: mean,
) -> list[Tensor]:
    """Fill in the mean of the other modalities, settled, where a row lacks one."""
    filled = []
    for m, (embedding, rows) in enumerate(zip(embeddings, present, strict=True)):
        if rows is not None:
            others = settle(average_others(embeddings, present, m))
            embedding = torch.where(rows[:, None], embedding, others)
        filled.append(embedding)
    return filled
