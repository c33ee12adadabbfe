"""The net: generators, threads, devices, precision and compilation."""

import pickle

import numpy as np
import pytest
import torch
from helpers import make_batched
from joblib import Parallel, cpu_count, delayed

from skcoral._training.devices import resolve_device, resolve_precision

DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA"),
    ),
]


# Threads of torch


def test_features_do_not_depend_on_the_number_of_threads(views, tiny):
    coral = make_batched(tiny).fit(views)
    n_threads = torch.get_num_threads()
    try:
        features = []
        for n in (1, 2):
            torch.set_num_threads(n)
            features.append(coral.transform(views))
    finally:
        torch.set_num_threads(n_threads)
    np.testing.assert_allclose(*features, atol=1e-5)


# Devices


@pytest.mark.parametrize("device", DEVICES)
def test_fit_on_a_device_and_unpickle(views, tiny, device):
    coral = make_batched(tiny, device=device).fit(views)
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
        ("auto", True, 64, "bfloat16"),
        ("auto", True, 32, "float32"),
        ("auto", False, 64, "float32"),
        ("float32", True, 64, "float32"),
        ("bfloat16", False, 8, "bfloat16"),
    ],
)
def test_precision_is_the_faster_one(monkeypatch, precision, native, width, expected):
    known = {"avx512_bf16": native, "amx_bf16": False}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known, raising=False)
    assert resolve_precision(precision, "cpu", width) == expected


def test_old_torch_and_other_devices_stay_with_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert resolve_precision("auto", "cpu", 64) == "float32"
    assert resolve_precision("auto", "mps", 64) == "float32"


def test_precision_of_cuda_is_that_of_its_hardware(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    assert resolve_precision("auto", "cuda", 64) == "bfloat16"


def test_bfloat16_trains_as_float32_does(views, tiny):
    fits = {
        precision: make_batched(tiny, precision=precision, max_epochs=20).fit(views)
        for precision in ("float32", "bfloat16")
    }
    low, high = fits["bfloat16"], fits["float32"]
    assert all(p.dtype == torch.float32 for p in low.net_.module_.parameters())
    assert low.transform(views).dtype == np.float32
    assert low.loss_curve_ != high.loss_curve_
    # bfloat16 has a relative precision of 2 ** -8; training differs by more than that.
    np.testing.assert_allclose(low.loss_curve_[0], high.loss_curve_[0], rtol=0.02)
    np.testing.assert_allclose(low.loss_curve_[-1], high.loss_curve_[-1], rtol=0.1)


# Compilation


class Compiled(torch.nn.Module):
    """What torch.compile returns, without the compiler."""

    def __init__(self, module):
        super().__init__()
        self._orig_mod = module

    def forward(self, *args, **kwargs):
        return self._orig_mod(*args, **kwargs)

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
    features = make_batched(tiny, compile=True).fit_transform(views)
    # The first compilation tries whether there is a compiler.
    assert compiled == ["ReLU", "DualPathNetwork", "COrALObjective"]
    assert np.array_equal(features, make_batched(tiny).fit_transform(views))


def test_training_without_a_compiler_goes_on_with_one_warning(views, tiny, monkeypatch):
    def fail(module, **kwargs):
        raise RuntimeError("No C++ compiler.\nA long story.")

    monkeypatch.setattr(torch, "compile", fail)
    with pytest.warns(
        RuntimeWarning, match=r"fails here: No C\+\+ compiler\.$"
    ) as seen:
        features = make_batched(tiny, compile=True).fit_transform(views)
    assert len(seen) == 1
    assert np.array_equal(features, make_batched(tiny).fit_transform(views))


# Workers


def test_workers_of_joblib_share_the_cores():
    counts = Parallel(n_jobs=2)(delayed(torch.get_num_threads)() for _ in range(2))
    assert 2 * max(counts) <= max(2, cpu_count())
