"""Objectives: what a method minimises, as projection heads and named loss terms.

An objective is the criterion of the trainer. It owns the projection heads, which are
thrown away after training, and asks the network for what it needs.
"""

from itertools import combinations

import torch
from torch import nn

from skcoral.losses import info_nce, orthogonality


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

    epoch, max_epochs : int tensor of shape ()
        The present epoch, from 0, and the number of epochs planned; set by the trainer
        and saved with the state, so that schedules survive a resumed training.
    """

    terms = ()

    def __init__(self):
        super().__init__()
        self.register_buffer("epoch", torch.tensor(0))
        self.register_buffer("max_epochs", torch.tensor(1))

    def forward(self, network, views):
        """Return the dict of weighted scalar terms for a list of views of one batch."""
        raise NotImplementedError

    def embed(self, network, x):
        """Return the components of a batch, (n_samples, dim) each, for `transform`."""
        return network(x)


class COrALObjective(Objective):
    """The objective of COrAL: contrast, contrast per modality, keep apart.

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

    mask_ratio : float or sequence of float, default=0.75
        Probability that a token of a masked modality is hidden from the shared path; a
        sequence is a schedule of stages of equal length over the epochs.

    shared_weight, unique_weight, ortho_weight : float, default=1.0
        Weights of the terms.

    orthogonality : {"squared", "hinge"}, default="squared"
        The penalty phi of a cosine c: ``c ** 2`` or ``max(0, c)``.

    ortho_reduction : {"sum", "mean"}, default="sum"
        Sum over the pairs as published, or mean over the pairs times three, which
        equals the sum at two modalities and keeps its scale with more of them.

    Notes
    -----
    Source: COrAL, arXiv 2602.14983, and its published code for two modalities. With
    more than two modalities, each training batch draws a random partition into two
    non-empty sets; view 1 masks the first, view 2 the second, so that every modality is
    intact in exactly one view. With one modality, view 1 masks it and view 2 does not.
    All unique heads share their initial weights in the published code; ours do not.
    """

    def __init__(
        self,
        names,
        embed_dim,
        unique_dim,
        head_hidden_dim=256,
        head_dim=128,
        temperature=0.1,
        mask_ratio=0.75,
        shared_weight=1.0,
        unique_weight=1.0,
        ortho_weight=1.0,
        orthogonality="squared",
        ortho_reduction="sum",
    ):
        super().__init__()
        self.terms = ("shared", *(f"unique_{name}" for name in names), "orthogonality")
        self.temperature = temperature
        self.mask_ratio = mask_ratio
        self.shared_weight = shared_weight
        self.unique_weight = unique_weight
        self.ortho_weight = ortho_weight
        self.orthogonality = orthogonality
        self.ortho_reduction = ortho_reduction
        self.heads = nn.ModuleList(
            ProjectionHead(in_dim, head_hidden_dim, head_dim)
            for in_dim in (embed_dim, *[unique_dim] * len(names))
        )

    def forward(self, network, views):
        """Return the weighted terms for two views.

        Parameters
        ----------
        network : DualPathNetwork
            Offers `encode`, `fuse` and `private`.

        views : list of two (dict of str to tensor or to (tensor, padding mask))
            The augmented views of one batch.

        Returns
        -------
        dict of str to tensor of shape ()
            One weighted scalar per name in `terms`.
        """
        components = self._components(network, views)
        heads = [self.project(view) for view in components]
        contrasts = [
            info_nce(a, b, temperature=self.temperature)
            for a, b in zip(*heads, strict=True)
        ]
        weights = [self.shared_weight] + [self.unique_weight] * (len(contrasts) - 1)
        values = [w * c for w, c in zip(weights, contrasts, strict=True)]
        values.append(self.ortho_weight * sum(map(self._overlap, heads)))
        return dict(zip(self.terms, values, strict=True))

    def project(self, components):
        """Return the head outputs of (shared, unique_1, ..., unique_M)."""
        return [head(c) for head, c in zip(self.heads, components, strict=True)]

    def _components(self, network, views):
        """Embed both views in one pass and return the components of each."""
        n_samples = len(_values(next(iter(views[0].values()))))
        tokens = network.encode(_stack(views))
        keep = self._draw_keep(tokens.shared, n_samples) if self.training else None
        components = [network.fuse(tokens, keep=keep), *network.private(tokens)]
        return list(zip(*(c.split(n_samples) for c in components), strict=True))

    def _draw_keep(self, shared, n_samples):
        """Draw which tokens each view keeps: one side of the bipartition per view."""
        in_first = _draw_bipartition(len(shared))
        ratio = self._current_ratio()
        keep = []
        for tokens, first in zip(shared, in_first, strict=True):
            kept = torch.rand(tokens.shape[:2], device=tokens.device) > ratio
            masked_view = slice(None, n_samples) if first else slice(n_samples, None)
            intact = torch.ones_like(kept)
            intact[masked_view] = kept[masked_view]
            keep.append(intact)
        return keep

    def _current_ratio(self):
        """Return the mask ratio of the present stage of the schedule."""
        if isinstance(self.mask_ratio, (int, float)):
            return self.mask_ratio
        stage = self.epoch * len(self.mask_ratio) // self.max_epochs
        return self.mask_ratio[min(int(stage), len(self.mask_ratio) - 1)]

    def _overlap(self, heads):
        """Return the penalty of all pairs of components in one view."""
        pairs = list(combinations(heads, 2))
        total = sum(orthogonality(a, b, kind=self.orthogonality) for a, b in pairs)
        # Two modalities have three pairs: the scaled mean equals the sum there.
        return total if self.ortho_reduction == "sum" else 3 * total / len(pairs)


def _draw_bipartition(n_modalities):
    """Return for each modality whether view 1 masks it; both sides are non-empty."""
    if n_modalities <= 2:
        return [True, False][:n_modalities]
    # Numbers 1 .. 2^M - 2 in binary are exactly the partitions with two proper sides.
    code = int(torch.randint(1, 2**n_modalities - 1, ()))
    return [bool(code >> m & 1) for m in range(n_modalities)]


def _stack(views):
    """Join the views along the samples, so that the network runs once for all."""
    return {name: _concatenate([view[name] for view in views]) for name in views[0]}


def _concatenate(blocks):
    if isinstance(blocks[0], tuple):
        return tuple(torch.cat(parts) for parts in zip(*blocks, strict=True))
    return torch.cat(blocks)


def _values(block):
    return block[0] if isinstance(block, tuple) else block
