"""Callbacks: terms in the history, early stopping, progress; those of users too."""

import copy
import pickle

import numpy as np
import torch
from helpers import make_batched
from skorch.callbacks import Callback, EarlyStopping
from skorch.helper import SliceDict


class Recorder(Callback):
    """Keep the weights of every epoch."""

    seen = []

    def on_train_begin(self, net, **kwargs):
        type(self).seen = []

    def on_epoch_end(self, net, **kwargs):
        states = (net.module_.state_dict(), net.criterion_.state_dict())
        self.seen.append(copy.deepcopy(states))


def test_terms_are_columns_of_the_history_and_sum_to_the_loss(views, tiny):
    coral = make_batched(tiny, early_stopping=True).fit(views)
    terms = ["shared", "unique_a", "unique_b", "orthogonality"]
    assert list(coral.history_) == [
        f"{part}_{name}" for part in ("train", "valid") for name in ("loss", *terms)
    ]
    for part in ("train", "valid"):
        sums = np.sum([coral.history_[f"{part}_{term}"] for term in terms], axis=0)
        np.testing.assert_allclose(sums, coral.history_[f"{part}_loss"], rtol=1e-5)
    assert coral.loss_curve_ == coral.history_["train_loss"]
    assert coral.validation_loss_curve_ == coral.history_["valid_loss"]


# Early stopping


def test_early_stopping_restores_network_and_heads_of_the_best_epoch(views, tiny):
    params = {"max_epochs": 60, "lr": 0.03, "n_iter_no_change": 3}
    coral = make_batched(
        tiny, early_stopping=True, callbacks=[Recorder()], **params
    ).fit(views)
    best = int(np.argmin(coral.validation_loss_curve_))
    assert coral.n_iter_ == best + 1 + 3 < 60
    for module, state in zip(
        (coral.net_.module_, coral.net_.criterion_), Recorder.seen[best], strict=True
    ):
        # What stands for a missing modality is learnt after the training.
        for name in state.keys() - {"fill_weight", "fill_bias"}:
            assert torch.equal(module.state_dict()[name], state[name]), name


def test_early_stopping_is_no_interruption_and_keeps_no_rows(views, tiny):
    coral = make_batched(tiny, early_stopping=True, max_epochs=3, n_iter_no_change=1)
    coral.fit(views)
    assert coral.net_.train_split is None
    big = SliceDict(**{k: np.tile(v, (20, 1)) for k, v in views.items()})
    sizes = [
        len(pickle.dumps(coral.set_params(validation_fraction=f).fit(big)))
        for f in (0.1, 0.8)
    ]
    assert sizes[1] - sizes[0] < 1000


def test_early_stopping_of_skorch_is_no_interruption(views, tiny):
    stop = EarlyStopping(monitor="train_loss", patience=1, threshold=10.0, sink=print)
    coral = make_batched(tiny, max_epochs=20, callbacks=[stop]).fit(views)
    assert coral.n_iter_ < 20


# Progress


def test_progress_bar_counts_the_epochs(views, tiny, capsys):
    make_batched(tiny, verbose=1).fit(views)
    captured = capsys.readouterr()
    assert "2/2" in captured.err and "loss=" in captured.err
    assert captured.out == ""


def test_more_verbosity_prints_the_terms(views, tiny, capsys):
    make_batched(tiny, verbose=2).fit(views)
    captured = capsys.readouterr()
    assert "2/2" in captured.err
    for column in ("train_shared", "train_unique_a", "train_orthogonality"):
        assert column in captured.out


def test_silent_by_default(views, tiny, capsys):
    make_batched(tiny).fit(views)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_callbacks_of_skorch_are_called(views, tiny):
    coral = make_batched(tiny, callbacks=[Recorder()]).fit(views)
    assert len(Recorder.seen) == 2
    assert isinstance(coral.callbacks[0], Recorder)
