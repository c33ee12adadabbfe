"""Training in two steps of half the epochs each: what each of them moves."""

import copy

import torch
from skorch.callbacks import Callback


class Snapshots(Callback):
    """Keep the parameters after each epoch."""

    seen = []

    def on_train_begin(self, net, **kwargs):
        type(self).seen = []

    def on_epoch_end(self, net, **kwargs):
        named = (*net.module_.named_parameters(), *net.criterion_.named_parameters())
        self.seen.append(copy.deepcopy({n: p.detach() for n, p in named}))


def fit_in_steps(kind, views, of_second):
    """Fit six epochs; parameters of the second step, by how they start, move in it.

    All others move in the first step alone.
    """
    model = kind(
        embed_dim=8,
        max_epochs=6,
        batch_size=20,
        weight_decay=0.5,
        callbacks=[Snapshots()],
        random_state=0,
    ).fit(views)
    states = Snapshots.seen
    for name, last in states[-1].items():
        own = name.startswith(of_second)
        first, half = states[0][name], states[2][name]
        assert torch.equal(first, half) == own, name
        assert torch.equal(half, last) != own, name
    return model
