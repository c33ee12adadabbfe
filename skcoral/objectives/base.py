"""What all objectives share: the contract, projection heads, rows that lack a modality.

An objective is the criterion of the trainer. It owns the projection heads, which are
thrown away after training, and asks the network for what it needs.
"""

from itertools import combinations

import torch
from torch import nn

from skcoral._input.presence import find_present
from skcoral.losses import info_nce


class ProjectionHead(nn.Sequential):
    """Three linear layers with batch normalisation, used by losses only.

    Parameters
    ----------
    in_dim, hidden_dim, out_dim : int
        Widths of the input, of both hidden layers and of the output.
    """

    def __init__(self, in_dim, hidden_dim, out_dim):
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
    """Base of all objectives: named, weighted terms whose sum is minimised.

    A subclass sets `terms` and implements `forward`. Anything random in `forward` is
    drawn from torch's default generator, which the trainer seeds.

    Attributes
    ----------
    terms : tuple of str
        Names of the loss terms, in order; they become columns of the history.

    views : tuple of {"augmented", "original"}
        The views of a batch that `forward` gets, in order.

    labelled_views : tuple of {"augmented", "original"}
        The views of labelled rows that `forward` gets, before their targets, where a
        training has labels.

    epoch, max_epochs : int tensor of shape ()
        The present epoch, from 0, and the number of epochs planned; set by the trainer
        and saved with the state, so that schedules survive a resumed training.
    """

    terms = ()
    views = ("augmented", "augmented")
    labelled_views = ("original",)

    def __init__(self):
        super().__init__()
        self.register_buffer("epoch", torch.tensor(0))
        self.register_buffer("max_epochs", torch.tensor(1))

    def forward(self, network, views):
        """Return the dict of weighted scalar terms for the views of one batch."""
        raise NotImplementedError

    def phases(self, network):
        """Return the updates that are made of each batch, one after the other.

        Parameters
        ----------
        network : DualPathNetwork
            The network that is trained.

        Returns
        -------
        list of (callable or None, list of parameters or None)
            Each is a forward pass, a backward pass and a step of its own. The callable
            takes network and views and returns some of the terms; None is the objective
            itself. The step moves the parameters; None is all of them.
        """
        return [(None, None)]

    def dims(self, network):
        """Return the width of each component of `embed` by name, in order."""
        return network.dims

    def embed(self, network, x):
        """Return the components of a batch, (n_samples, dim) each, for `transform`."""
        return network(x)


def stack_views(views):
    """Join the views along the samples, so that the network runs once for all."""
    return {name: _concatenate([view[name] for view in views]) for name in views[0]}


def _concatenate(blocks):
    if isinstance(blocks[0], tuple):
        return tuple(torch.cat(parts) for parts in zip(*blocks, strict=True))
    return torch.cat(blocks)


def list_present(masks, n_samples):
    """Return per modality which of the first rows have it; None where all do."""
    return [find_present(None if mask is None else mask[:n_samples]) for mask in masks]


def intersect_rows(*rows):
    """Return which rows have all of several modalities, or None if all rows do."""
    rows = [r for r in rows if r is not None]
    return torch.stack(rows).all(dim=0) if rows else None


def select_present(rows, *tensors):
    """Return the rows of each tensor that have the modality; all if rows is None."""
    return tensors if rows is None else tuple(tensor[rows] for tensor in tensors)


def project(head, component, rows):
    """Apply a head to the rows that have the component; zeros stand for the others."""
    if rows is None:
        return head(component)
    out = component.new_zeros(len(component), head[-1].out_features)
    # A single row cannot be normalised over the batch, and has nothing to be told from.
    if rows.sum() > 1:
        out[rows] = head(component[rows]).to(out.dtype)
    return out


def contrast(a, b, rows, temperature, **options):
    """Contrast the rows that have the component; a single one has no negatives."""
    a, b = select_present(rows, a, b)
    if len(a) > 1:
        return info_nce(a, b, temperature, **options)
    return (a + b).sum() * 0.0


def contrast_pairs(parts, present, temperature, **options):
    """Return the mean contrast over all pairs of modalities.

    A pair is contrasted on the rows that have both.
    """
    pairs = combinations(zip(parts, present, strict=True), 2)
    losses = [
        contrast(a, b, intersect_rows(rows_a, rows_b), temperature, **options)
        for (a, rows_a), (b, rows_b) in pairs
    ]
    return sum(losses) / len(losses)


def project_views(head, component, rows):
    """Apply a head to each of two stacked views, normalised by itself."""
    return [project(head, view, rows) for view in component.chunk(2)]
