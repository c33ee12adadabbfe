"""The predictors' objective: a contrast of all rows, and a loss on labelled rows."""

from collections.abc import Sequence
from typing import Any, Literal, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from skcoral._input.blocks import Batch
from skcoral.nn.network import DualPathNetwork
from skcoral.objectives.base import Objective, Present, ViewKinds, add_up, list_present


class SupervisedObjective(Objective):
    """The terms of another objective on all rows, plus a supervised term.

    ``contrast + weight * mean_v mean_i loss(head(z_vi), y_i)``, where z_vi are the
    components of view v of labelled row i, before any projection head and with nothing
    masked. The linear head belongs to the network and is kept for prediction; in
    training it standardises the components over all views of the batch.

    Parameters
    ----------
    contrast : type
        Class of the other objective, which must have a single phase.

    contrast_params : dict of str to object
        Parameters of the other objective.

    loss : {"cross_entropy", "squared_error"}
        Cross-entropy of the softmax of the head's outputs, or squared error of its
        single output.

    weight : float, default=1.0
        Weight of the supervised term.

    class_weight : sequence of float, default=None
        Weights of the classes in the mean of the cross-entropy; equal by default.

    labelled_views : tuple of {"augmented", "original"}, default=("original",)
        The views v of each labelled row.

    Notes
    -----
    Where a row lacks a modality, its unique component is replaced by the mean over the
    rows of the batch that have it. In prediction it is replaced by what `fill_weight`
    and `fill_bias` of the network predict from the row's other modalities.
    """

    class_weight: Tensor | None

    def __init__(
        self,
        contrast: type[Objective],
        contrast_params: dict[str, Any],
        loss: Literal["cross_entropy", "squared_error"],
        weight: float = 1.0,
        class_weight: Sequence[float] | None = None,
        labelled_views: ViewKinds = ("original",),
    ) -> None:
        super().__init__()
        self.contrast = contrast(**contrast_params)
        self.terms = (*self.contrast.terms, "supervised")
        self.views = self.contrast.views
        self.labelled_views = labelled_views
        self.loss = loss
        self.weight = weight
        weights = None
        if class_weight is not None:
            weights = torch.as_tensor(class_weight, dtype=torch.float32)
        self.register_buffer("class_weight", weights)

    def forward(
        self,
        network: DualPathNetwork,
        views: Sequence[Batch],
        generator: torch.Generator | None = None,
        labelled_views: Sequence[Batch] | None = None,
        targets: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return the weighted terms.

        Parameters
        ----------
        network : DualPathNetwork
            A network with a head.

        views : list of (dict of str to tensor or to (tensor, padding mask))
            Views of all rows, for the contrast.

        generator : torch.Generator, default=None
            Source of the contrast's draws; None means torch's default generator.

        labelled_views : list of the same as views, default=None
            Views of the labelled rows; without them the supervised term is zero.

        targets : tensor of shape (n_labelled,), default=None
            Class codes or values of the labelled rows.

        Returns
        -------
        dict of str to tensor of shape ()
            One weighted scalar per name in `terms`.
        """
        # The trainer sets the epoch here; the schedules are in the inner objective.
        self.contrast.epoch.copy_(self.epoch)
        self.contrast.max_epochs.copy_(self.max_epochs)
        terms = self.contrast(network, views, generator)
        if labelled_views is None:
            return {**terms, "supervised": 0.0 * add_up(terms.values())}
        # Views cannot be stacked before encoding, as original images are bytes.
        parts = zip(*(_embed(network, view) for view in labelled_views), strict=True)
        outputs = network.head(torch.cat(part) for part in parts)
        repeated = cast(Tensor, targets).repeat(len(labelled_views))
        loss = self._measure(outputs, repeated)
        return {**terms, "supervised": self.weight * loss}

    def _measure(self, outputs: Tensor, targets: Tensor) -> Tensor:
        outputs = outputs.to(targets.dtype)  # bfloat16 in some trainings
        if self.loss == "squared_error":
            return F.mse_loss(outputs[:, 0], targets)
        return F.cross_entropy(outputs, targets.long(), weight=self.class_weight)


def _embed(network: DualPathNetwork, view: Batch) -> list[Tensor]:
    """Return the components, with the mean where a row lacks a modality."""
    tokens = network.encode(view)
    unique = network.unique(tokens)
    present = list_present(tokens.masks, len(unique[0]))
    filled = (_fill(values, rows) for values, rows in zip(unique, present, strict=True))
    return [network.fuse(tokens), *filled]


def _fill(values: Tensor, rows: Present) -> Tensor:
    """Fill all other rows with the mean of the given ones; zeros if there are none."""
    if rows is None:
        return values
    mean = (values * rows[:, None]).sum(dim=0) / rows.sum().clamp(min=1)
    return torch.where(rows[:, None], values, mean)
