"""Threads and processes: the same seed gives the same bits wherever it runs."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import torch
from helpers import ALL_METHODS, TINY, is_fitted, make_of
from joblib import Parallel, delayed
from sklearn.base import clone
from skorch.callbacks import Callback
from skorch.helper import SliceDict

from skcoral import COrALTransformer, ImageModality, SequenceModality, TextModality

N_ROWS = 16
ALL_KINDS = [
    ("table", "tabular", "table"),
    ("words", TextModality(augmentation=["corrupt", "drop"]), "words"),
    ("recurrent", SequenceModality(encoder="gru", n_layers=2, dropout=0.3), "series"),
    ("series", SequenceModality(n_heads=2, dropout=0.3), "series"),
    ("image", ImageModality(conv_width=4), "image"),
    ("vector", "embedding", "vector"),
]
# Whatever draws in a network and its views, without the slower kinds.
KINDS = [ALL_KINDS[0], ALL_KINDS[2]]


@pytest.fixture(autouse=True)
def one_thread():
    """Torch adds up in one order in every thread and process."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def make_blocks():
    """Return a block of every kind, with gaps, for estimators of any method."""
    rng = np.random.default_rng(0)
    table = rng.normal(size=(N_ROWS, 3)).astype(object)
    table[:, 2] = rng.choice(["a", "b"], N_ROWS)
    vector = rng.normal(size=(N_ROWS, 4))
    vector[::5] = np.nan
    return SliceDict(
        table=table,
        words=np.array([f"a {w} car" for w in rng.choice(["red", "blue"], N_ROWS)]),
        series=rng.normal(size=(N_ROWS, 5, 2)),
        image=rng.integers(0, 255, (N_ROWS, 8, 8, 3), dtype=np.uint8),
        vector=vector,
    )


def make(kind, modalities=KINDS, **params):
    estimator = make_of(kind, modalities, batch_size=8)
    random = {"n_heads": 2, "dropout": 0.2, "modality_dropout": 0.2, "mask_ratio": 0.5}
    sizes = {**random, "n_masks": 2, "critic_hidden_dim": 8}
    own = {k: v for k, v in sizes.items() if hasattr(estimator, k)}
    return estimator.set_params(**own, **params)


def fit_and_read(kind, seed=0, modalities=KINDS):
    """Return all numbers that a seeded fit leads to."""
    X, y = make_blocks(), np.arange(N_ROWS) % 2
    model = make(kind, modalities, random_state=seed).fit(X, y)
    return [model.transform(X), model.loss_curve_, model.score(X, y)]


def are_equal(first, second):
    return all(np.array_equal(*pair) for pair in zip(first, second, strict=True))


class Watch(Callback):
    """Record the global generator of torch whenever training reports."""

    def __init__(self):
        self.states = []

    def notify(self, *args, **kwargs):
        self.states.append(torch.get_rng_state())

    on_train_begin = on_batch_begin = on_batch_end = on_epoch_end = notify


@pytest.mark.parametrize("kind", ALL_METHODS, ids=lambda k: k.__name__)
def test_fits_in_threads_equal_fits_one_by_one(kind):
    modalities = ALL_KINDS if kind is COrALTransformer else KINDS
    fit = partial(fit_and_read, kind, modalities=modalities)
    alone = [fit(seed) for seed in range(2)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(fit, [0, 1, 0, 1]))
    assert all(map(are_equal, together, [*alone, *alone]))
    assert not are_equal(*alone)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_global_generator_rests_during_a_fit(early_stopping):
    torch.manual_seed(3)
    before, watch = torch.get_rng_state(), Watch()
    model = make(COrALTransformer, early_stopping=early_stopping, callbacks=[watch])
    model.fit(make_blocks())
    assert len(watch.states) > 10
    assert all(torch.equal(state, before) for state in watch.states)


def test_fits_in_threads_leave_the_callers_stream_alone():
    torch.manual_seed(3)
    expected = torch.rand(50)
    torch.manual_seed(3)
    with ThreadPoolExecutor(2) as pool:
        fits = [pool.submit(fit_and_read, COrALTransformer, s) for s in range(2)]
        drawn = torch.cat([torch.rand(10) for _ in range(5)])
        [fit.result() for fit in fits]
    assert torch.equal(drawn, expected)


@pytest.mark.parametrize("kind", ALL_METHODS, ids=lambda k: k.__name__)
def test_one_fitted_estimator_serves_eight_threads(kind):
    X, y = make_blocks(), np.arange(N_ROWS) % 2
    model = make(kind).fit(X, y)

    def read(_):
        return [model.transform(X), model.score(X, y)]

    expected = read(0)
    with ThreadPoolExecutor(8) as pool:
        assert all(are_equal(found, expected) for found in pool.map(read, range(8)))


def test_worker_processes_give_the_same_bits():
    X = make_blocks()
    models = [make(COrALTransformer, random_state=seed) for seed in range(2)]
    alone = [clone(model).fit_transform(X) for model in models]
    found = Parallel(n_jobs=2)(delayed(model.fit_transform)(X) for model in models)
    assert are_equal(found, alone)


# Modes and defaults of the caller


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_a_fit_ignores_the_gradient_mode_of_the_caller(mode):
    expected = fit_and_read(COrALTransformer)
    with mode():
        assert are_equal(fit_and_read(COrALTransformer), expected)


@pytest.mark.parametrize("kind", ALL_METHODS, ids=lambda k: k.__name__)
def test_the_default_type_of_torch_changes_nothing(kind, float64):
    modalities = ALL_KINDS if kind is COrALTransformer else KINDS
    found = fit_and_read(kind, modalities=modalities)
    torch.set_default_dtype(torch.float32)
    assert are_equal(found, fit_and_read(kind, modalities=modalities))


def test_an_estimator_fitted_in_inference_mode_trains_on_outside_of_it():
    X = make_blocks()
    model = make(COrALTransformer, warm_start=True)
    with torch.inference_mode():
        model.fit(X)
    assert is_fitted(model.fit(X))
    assert model.n_iter_ == 2 * TINY["max_epochs"]
