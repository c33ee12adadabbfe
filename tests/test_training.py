"""The trainer: batches, seeds, history, early stopping, interruption, devices."""

import pickle
import random

import numpy as np
import pytest
import torch
from joblib import Parallel, cpu_count, delayed
from skorch.callbacks import Callback

from skcoral import COrALTransformer
from skcoral._training.batches import BlockDataset
from skcoral._training.net import resolve_device, resolve_precision, seeded
from skcoral.datasets import make_multimodal_interactions

DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA"),
    ),
]


def make_coral(tiny, **params):
    return COrALTransformer(**{**tiny, "random_state": 0, "batch_size": 20, **params})


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


@pytest.mark.parametrize("device", DEVICES)
def test_seeded_restores_the_generators(device):
    before = torch.get_rng_state()
    with seeded(3, device):
        inside = torch.rand(4, device=device)
    assert torch.equal(torch.get_rng_state(), before)
    with seeded(3, device):
        assert torch.equal(torch.rand(4, device=device), inside)


def test_seeded_restores_the_generators_after_an_error():
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError), seeded(3, "cpu"):
        torch.rand(1)
        raise RuntimeError
    assert torch.equal(torch.get_rng_state(), before)


def test_the_same_seed_gives_the_same_features_bit_for_bit(views, tiny):
    first, second = (make_coral(tiny, dropout=0.1).fit(views) for _ in range(2))
    other = make_coral(tiny, dropout=0.1, random_state=1).fit(views)
    assert np.array_equal(first.transform(views), second.transform(views))
    assert first.history_ == second.history_
    assert not np.allclose(first.transform(views), other.transform(views))


def test_features_do_not_depend_on_the_number_of_threads(views, tiny):
    coral = make_coral(tiny).fit(views)
    n_threads = torch.get_num_threads()
    try:
        features = []
        for n in (1, 2):
            torch.set_num_threads(n)
            features.append(coral.transform(views))
    finally:
        torch.set_num_threads(n_threads)
    np.testing.assert_allclose(*features, atol=1e-5)


def read_global_state():
    numpy_state = np.random.get_state()
    return (random.getstate(), numpy_state[1].tolist(), torch.get_rng_state().tolist())


def test_global_generators_are_neither_used_nor_touched(views, tiny):
    features = []
    for seed in (0, 1):
        random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
        before = read_global_state()
        coral = make_coral(tiny, early_stopping=True).fit(views)
        features.append(coral.transform(views))
        coral.score(views)
        assert read_global_state() == before
    assert np.array_equal(*features)


def test_a_random_state_instance_advances(views, tiny):
    state = np.random.RandomState(0)
    coral = make_coral(tiny, random_state=state)
    first = coral.fit_transform(views)
    assert not np.allclose(first, coral.fit_transform(views))


# Optimiser and history


def test_only_matrices_are_decayed(views, tiny):
    net = make_coral(tiny, weight_decay=0.5).fit(views).net_
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
    assert "blocks.0.query.weight" in names


def test_training_lowers_the_loss(views, tiny):
    curve = make_coral(tiny, max_epochs=20).fit(views).loss_curve_
    assert np.mean(curve[-5:]) < 0.9 * curve[0]


def test_score_is_reproducible_and_higher_after_training(tiny):
    # Modalities that know of each other: of others the shared path learns nothing.
    X = make_multimodal_interactions(300, random_state=0).data
    sizes = {"embed_dim": 16, "head_dim": 16, "head_hidden_dim": 32, "batch_size": 100}
    short = make_coral(tiny, max_epochs=1, **sizes).fit(X)
    long = make_coral(tiny, max_epochs=40, **sizes).fit(X)
    assert short.score(X) == short.score(X)
    # Four seeds gained 0.75 to 1.04.
    assert long.score(X) > short.score(X) + 0.3


def test_score_weights_batches_by_their_rows(views, tiny):
    coral = make_coral(tiny, batch_size=50).fit(views)
    net, dataset = coral.net_, BlockDataset(coral._read(views))
    with seeded(net.views_seed, "cpu"), torch.no_grad():
        first, second = (
            float(sum(net._terms((dataset[rows], None)).values()))
            for rows in (torch.arange(50), torch.arange(50, 60))
        )
    assert coral.score(views) == pytest.approx(-(50 * first + 10 * second) / 60)


# Early stopping


def test_validation_fraction_leaves_two_rows_on_both_sides(tiny):
    X = np.random.default_rng(0).normal(size=(5, 3))
    coral = make_coral(tiny, early_stopping=True, validation_fraction=0.1)
    with pytest.raises(
        ValueError, match=r"'validation_fraction' parameter of COrAL.*5"
    ):
        coral.fit(X)


# Interruption


@pytest.mark.parametrize(("epoch", "n_iter"), [(1, 1), (2, 2), (None, 0)])
def test_interruption_keeps_a_usable_estimator_with_a_warning(
    views, tiny, epoch, n_iter
):
    coral = make_coral(tiny, max_epochs=9, callbacks=[Interrupt(epoch)])
    with pytest.warns(UserWarning, match=f"interrupted by user after {n_iter} epochs"):
        coral.fit(views)
    assert coral.n_iter_ == n_iter == len(coral.loss_curve_)
    assert np.isfinite(coral.transform(views)).all()
    assert not coral.net_.module_.training
    pickle.loads(pickle.dumps(coral)).transform(views)


def test_training_can_be_resumed_after_an_interruption(views, tiny):
    coral = make_coral(tiny, warm_start=True, callbacks=[Interrupt(1)])
    with pytest.warns(UserWarning, match="interrupted"):
        coral.fit(views)
    coral.fit(views)
    assert coral.n_iter_ == 1 + 2


# Devices


@pytest.mark.parametrize("device", DEVICES)
def test_fit_on_a_device_and_unpickle(views, tiny, device):
    coral = make_coral(tiny, device=device).fit(views)
    assert coral.device_.startswith(device)
    copied = pickle.loads(pickle.dumps(coral))
    np.testing.assert_allclose(copied.transform(views), coral.transform(views))


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_takes_the_best_device(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert resolve_device("auto") == expected


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_absent_device_is_refused(device):
    with pytest.raises(ValueError, match=r".+"):
        resolve_device(device)


# Precision


@pytest.mark.parametrize(
    ("precision", "native", "width", "expected"),
    [
        ("auto", True, 64, torch.bfloat16),
        ("auto", True, 32, torch.float32),
        ("auto", False, 64, torch.float32),
        ("float32", True, 64, torch.float32),
        ("bfloat16", False, 8, torch.bfloat16),
    ],
)
def test_precision_is_the_faster_one(monkeypatch, precision, native, width, expected):
    known = {"avx512_bf16": native, "amx_bf16": False}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known, raising=False)
    assert resolve_precision(precision, "cpu", width) == expected


def test_old_torch_and_other_devices_stay_with_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert resolve_precision("auto", "cpu", 64) == torch.float32
    assert resolve_precision("auto", "mps", 64) == torch.float32


def test_precision_of_cuda_is_that_of_its_hardware(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    assert resolve_precision("auto", "cuda", 64) == torch.bfloat16


def test_bfloat16_trains_as_float32_does(views, tiny):
    fits = {
        precision: make_coral(tiny, precision=precision, max_epochs=20).fit(views)
        for precision in ("float32", "bfloat16")
    }
    low, high = fits["bfloat16"], fits["float32"]
    assert all(p.dtype == torch.float32 for p in low.net_.module_.parameters())
    assert low.transform(views).dtype == np.float32
    assert low.loss_curve_ != high.loss_curve_
    # bfloat16 has a relative precision of 2 ** -8; training differs by more than that.
    np.testing.assert_allclose(low.loss_curve_[0], high.loss_curve_[0], rtol=0.02)
    np.testing.assert_allclose(low.loss_curve_[-1], high.loss_curve_[-1], rtol=0.1)


class Compiled(torch.nn.Module):
    """What torch.compile returns, without the compiler."""

    def __init__(self, module):
        super().__init__()
        self._orig_mod = module

    def forward(self, *args):
        return self._orig_mod(*args)

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("_orig_mod"), name)


def test_compile_compiles_network_and_objective(views, tiny, monkeypatch):
    compiled = []

    def fake(module, **kwargs):
        compiled.append(type(module).__name__)
        return Compiled(module)

    monkeypatch.setattr(torch, "compile", fake)
    features = make_coral(tiny, compile=True).fit_transform(views)
    # The first compilation tries whether there is a compiler.
    assert compiled == ["ReLU", "DualPathNetwork", "COrALObjective"]
    assert np.array_equal(features, make_coral(tiny).fit_transform(views))


def test_training_without_a_compiler_goes_on_with_one_warning(views, tiny, monkeypatch):
    def fail(module, **kwargs):
        raise RuntimeError("No C++ compiler.\nA long story.")

    monkeypatch.setattr(torch, "compile", fail)
    with pytest.warns(
        RuntimeWarning, match=r"fails here: No C\+\+ compiler\.$"
    ) as seen:
        features = make_coral(tiny, compile=True).fit_transform(views)
    assert len(seen) == 1
    assert np.array_equal(features, make_coral(tiny).fit_transform(views))


def test_workers_of_joblib_share_the_cores():
    counts = Parallel(n_jobs=2)(delayed(torch.get_num_threads)() for _ in range(2))
    assert 2 * max(counts) <= max(2, cpu_count())
