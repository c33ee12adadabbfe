"""Loops that objectives are compared with, and the small networks they run on."""

import math

import torch
from torch import nn

from skcoral.nn.network import DualPathNetwork

ATOL = {torch.float32: 1e-5, torch.float64: 1e-10}
N, DIM, UNIQUE = 6, 8, 4
# Rows that lack a modality, none of them all.
MISSING = {"m0": [0, 1], "m1": [4], "m2": [1, 4, 5]}


class Identity(nn.Module):
    """Encoder whose tokens are the block itself."""

    def forward(self, x, mask=None):
        return x, mask


class Spec:
    """A fitted modality reduced to what the network needs."""

    def make_encoder(self, embed_dim):
        return Identity()


def name_modalities(n_modalities):
    return [f"m{i}" for i in range(n_modalities)]


def make_network(n_modalities, dtype=torch.float64, **params):
    """Return a network whose weights count, biases and norms included."""
    torch.manual_seed(0)
    specs = dict.fromkeys(name_modalities(n_modalities), Spec())
    sizes = {"embed_dim": DIM, "unique_dim": UNIQUE, "n_heads": 2}
    network = DualPathNetwork(specs, **{**sizes, **params}).to(dtype)
    return shake(network)


@torch.no_grad()
def shake(module):
    """Move biases and norms away from where they start."""
    for parameter in module.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    return module


def make_views(n_modalities, n_views=2, dtype=torch.float64):
    """Return views with 2, 3, ... tokens per modality."""
    generator = torch.Generator().manual_seed(1)
    draw = {"generator": generator, "dtype": torch.float64}
    return [
        {
            name: torch.randn(N, 2 + i, DIM, **draw).to(dtype)
            for i, name in enumerate(name_modalities(n_modalities))
        }
        for _ in range(n_views)
    ]


def lacking(views, **missing):
    """Return the views with masks: True but at the rows named for a modality."""
    masked = []
    for view in views:
        blocks = {}
        for name, values in view.items():
            mask = torch.ones(values.shape[:2], dtype=torch.bool)
            mask[missing.get(name, [])] = False
            blocks[name] = (values, mask)
        masked.append(blocks)
    return masked


def make_gaps(views):
    """Return views in which rows lack modalities, and who has what."""
    names = list(views[0])
    missing = {name: MISSING[name] for name in names}
    rows = [[i for i in range(N) if i not in missing[name]] for name in names]
    return lacking(views, **missing), rows


def permute(views, order):
    """Return the views with their rows in another order."""
    return [{name: block[order] for name, block in view.items()} for view in views]


def cosine(a, b):
    return (a @ b) / (a.norm() * b.norm())


def naive_info_nce(a, b, temperature, intra=True):
    """Return the mean over both views of -log of the softmax of the positive."""
    rows = [*a, *b]
    n_samples = len(a)
    losses = []
    for i, anchor in enumerate(rows):
        positive = (i + n_samples) % len(rows)
        scores = {
            j: math.exp(cosine(anchor, other) / temperature)
            for j, other in enumerate(rows)
            if j != i and (intra or (i < n_samples) != (j < n_samples))
        }
        losses.append(-math.log(scores[positive] / sum(scores.values())))
    return sum(losses) / len(losses)


def both(rows_a, rows_b):
    """Return the rows that have two modalities."""
    return [i for i in rows_a if i in rows_b]
