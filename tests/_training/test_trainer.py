"""The trainer: seeds, history, early stopping, interruption."""

import pickle
import random

import numpy as np
import pytest
import torch
from helpers import make_batched
from skorch.callbacks import Callback

from skcoral._training.batches import BlockDataset
from skcoral.datasets import make_multimodal_interactions


class Interrupt(Callback):
    """Press Ctrl-C at the end of an epoch, or at the first batch."""

    def __init__(self, epoch=None):
        self.epoch = epoch

    def on_batch_begin(self, net, **kwargs):
        if self.epoch is None:
            raise KeyboardInterrupt

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise KeyboardInterrupt


# Seeds


def test_the_same_seed_gives_the_same_features_bit_for_bit(views, tiny):
    first, second = (make_batched(tiny, dropout=0.1).fit(views) for _ in range(2))
    other = make_batched(tiny, dropout=0.1, random_state=1).fit(views)
    assert np.array_equal(first.transform(views), second.transform(views))
    assert first.history_ == second.history_
    assert not np.allclose(first.transform(views), other.transform(views))


def read_global_state():
    numpy_state = np.random.get_state()
    return (random.getstate(), numpy_state[1].tolist(), torch.get_rng_state().tolist())


def test_global_generators_are_neither_used_nor_touched(views, tiny):
    features = []
    for seed in (0, 1):
        random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
        before = read_global_state()
        coral = make_batched(tiny, early_stopping=True).fit(views)
        features.append(coral.transform(views))
        coral.score(views)
        assert read_global_state() == before
    assert np.array_equal(*features)


def test_a_random_state_instance_advances(views, tiny):
    state = np.random.RandomState(0)
    coral = make_batched(tiny, random_state=state)
    first = coral.fit_transform(views)
    assert not np.allclose(first, coral.fit_transform(views))


# Optimiser and history


def test_only_matrices_are_decayed(views, tiny):
    net = make_batched(tiny, weight_decay=0.5).fit(views).net_
    decayed, others = net.optimizer_.param_groups
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.5, 0.0)
    named = dict(net.module_.named_parameters()) | dict(
        net.criterion_.named_parameters()
    )
    ids = {id(p) for p in decayed["params"]}
    names = {name for name, p in named.items() if id(p) in ids}
    vectors = {name for name, p in named.items() if p.ndim < 2}
    assert len(decayed["params"]) + len(others["params"]) == len(named)
    assert not names & vectors
    assert {n for n in named if n.endswith("bias")} & names == set()
    assert "layers.0.query.weight" in names


def test_training_lowers_the_loss(views, tiny):
    curve = make_batched(tiny, max_epochs=20).fit(views).loss_curve_
    assert np.mean(curve[-5:]) < 0.9 * curve[0]


def test_score_is_reproducible_and_higher_after_training(tiny):
    # Modalities that know of each other: of others the shared path learns nothing.
    X = make_multimodal_interactions(300, random_state=0).data
    sizes = {"embed_dim": 16, "head_dim": 16, "head_hidden_dim": 32, "batch_size": 100}
    short = make_batched(tiny, max_epochs=1, **sizes).fit(X)
    long = make_batched(tiny, max_epochs=40, **sizes).fit(X)
    assert short.score(X) == short.score(X)
    # Four seeds gained 0.75 to 1.04.
    assert long.score(X) > short.score(X) + 0.3


def test_score_weights_batches_by_their_rows(views, tiny):
    coral = make_batched(tiny, batch_size=50).fit(views)
    net, dataset = coral.net_, BlockDataset(coral._reader_.read(views))
    generator = torch.Generator().manual_seed(net.views_seed)
    with torch.no_grad():
        first, second = (
            float(sum(net._terms((dataset[rows], None), generator).values()))
            for rows in (torch.arange(50), torch.arange(50, 60))
        )
    assert coral.score(views) == pytest.approx(-(50 * first + 10 * second) / 60)


# Early stopping


def test_validation_fraction_leaves_two_rows_on_both_sides(tiny):
    X = np.random.default_rng(0).normal(size=(5, 3))
    coral = make_batched(tiny, early_stopping=True, validation_fraction=0.1)
    with pytest.raises(
        ValueError, match=r"'validation_fraction' parameter of COrAL.*5"
    ):
        coral.fit(X)


# Interruption


@pytest.mark.parametrize(("epoch", "n_iter"), [(1, 1), (2, 2), (None, 0)])
def test_interruption_keeps_a_usable_estimator_with_a_warning(
    views, tiny, epoch, n_iter
):
    coral = make_batched(tiny, max_epochs=9, callbacks=[Interrupt(epoch)])
    with pytest.warns(UserWarning, match=f"interrupted by user after {n_iter} epochs"):
        coral.fit(views)
    assert coral.n_iter_ == n_iter == len(coral.loss_curve_)
    assert np.isfinite(coral.transform(views)).all()
    assert not coral.net_.module_.training
    pickle.loads(pickle.dumps(coral)).transform(views)


def test_training_can_be_resumed_after_an_interruption(views, tiny):
    coral = make_batched(tiny, warm_start=True, callbacks=[Interrupt(1)])
    with pytest.warns(UserWarning, match="interrupted"):
        coral.fit(views)
    coral.fit(views)
    assert coral.n_iter_ == 1 + 2
