"""The objective of predictors: contrast of all rows, a loss on those with a label."""

import torch
from torch.nn import functional as F

from skcoral.objectives.base import Objective, list_present


class SupervisedObjective(Objective):
    """The terms of another objective on all rows, and one more on labelled rows.

    ``contrast + weight * mean_v mean_i loss(head(z_vi), y_i)``, where z_vi are the
    components of view v of row i before any projection head, with nothing masked, and
    the linear head is that of the network, which is kept for prediction. It
    standardises the components over all views of the batch in training.

    Parameters
    ----------
    make_contrast : callable
        Makes the other objective, which is trained in a single phase.

    loss : {"cross_entropy", "squared_error"}
        Cross-entropy of the softmax of the head's outputs, or the squared error of its
        single output.

    weight : float, default=1.0
        Weight of the term.

    class_weight : sequence of float, default=None
        Weights of the classes in the mean of the cross-entropy; all alike by default.

    labelled_views : tuple of {"augmented", "original"}, default=("original",)
        The views v of labelled rows.

    Notes
    -----
    The mean of the present rows of the batch stands for the unique component of a
    modality that a row lacks. In prediction, what `fill_weight` and `fill_bias` of the
    network predict from the row's other modalities does.
    """

    def __init__(
        self,
        make_contrast,
        loss,
        weight=1.0,
        class_weight=None,
        labelled_views=("original",),
    ):
        super().__init__()
        self.contrast = make_contrast()
        self.terms = (*self.contrast.terms, "supervised")
        self.views = self.contrast.views
        self.labelled_views = labelled_views
        self.loss = loss
        self.weight = weight
        if class_weight is not None:
            class_weight = torch.as_tensor(class_weight, dtype=torch.float32)
        self.register_buffer("class_weight", class_weight)

    def forward(self, network, views, labelled_views=None, targets=None):
        """Return the weighted terms.

        Parameters
        ----------
        network : DualPathNetwork
            A network with a head.

        views : list of (dict of str to tensor or to (tensor, padding mask))
            Views of the rows to contrast.

        labelled_views : list of the same, default=None
            Views of the labelled rows; without any, the term is zero.

        targets : tensor of shape (n_labelled,), default=None
            Codes of their classes, or their values.

        Returns
        -------
        dict of str to tensor of shape ()
            One weighted scalar per name in `terms`.
        """
        # The trainer tells this objective the epoch; schedules are in the other one.
        self.contrast.epoch.copy_(self.epoch)
        self.contrast.max_epochs.copy_(self.max_epochs)
        terms = self.contrast(network, views)
        if labelled_views is None:
            return {**terms, "supervised": 0.0 * sum(terms.values())}
        # Views are not stacked before they are encoded: original images are bytes.
        views = zip(*(_embed(network, view) for view in labelled_views), strict=True)
        outputs = network.head(torch.cat(parts) for parts in views)
        loss = self._measure(outputs, targets.repeat(len(labelled_views)))
        return {**terms, "supervised": self.weight * loss}

    def _measure(self, outputs, targets):
        outputs = outputs.to(targets.dtype)  # bfloat16 in some trainings
        if self.loss == "squared_error":
            return F.mse_loss(outputs[:, 0], targets)
        return F.cross_entropy(outputs, targets.long(), weight=self.class_weight)


def _embed(network, view):
    """Return the components; the mean stands for those of modalities that rows lack."""
    tokens = network.encode(view)
    unique = network.unique(tokens)
    present = list_present(tokens.masks, len(unique[0]))
    filled = (_fill(values, rows) for values, rows in zip(unique, present, strict=True))
    return [network.fuse(tokens), *filled]


def _fill(values, rows):
    """Put the mean of some rows into all others; zeros if there are none."""
    if rows is None:
        return values
    mean = (values * rows[:, None]).sum(dim=0) / rows.sum().clamp(min=1)
    return torch.where(rows[:, None], values, mean)
