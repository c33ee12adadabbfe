"""Fixtures that several test modules share."""

import os

import numpy as np
import pytest
import torch
from helpers import TINY
from skorch.helper import SliceDict

from skcoral.modalities import _static_vectors

if "PYTEST_XDIST_WORKER" in os.environ:
    # The workers share the cores, and so do the scripts that they run.
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_wheel(monkeypatch):
    """Tests are the same whether or not the static vectors of a wheel are there."""
    monkeypatch.setattr(_static_vectors, "_locate", lambda: None)


@pytest.fixture
def tiny():
    """Parameters of a tiny estimator."""
    return dict(TINY)


@pytest.fixture
def float64():
    """Torch's default type is float64 within the test."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def views():
    """Two dense blocks that share a factor."""
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(60, 2))
    blocks = (np.hstack([factor, rng.normal(size=(60, d))]) for d in (3, 2))
    return SliceDict(**dict(zip(("a", "b"), blocks, strict=True)))


@pytest.fixture
def films():
    """A data frame with a number, a category, a flag, a date and a free text."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    n_rows = 60
    words = np.array("a the red blue film of war love city night".split())
    return pd.DataFrame(
        {
            "year": np.where(
                np.arange(n_rows) % 7, rng.normal(1990, 9, n_rows), np.nan
            ),
            "rating": rng.choice(["G", "PG", "R", None], n_rows),
            "seen": rng.random(n_rows) > 0.5,
            "released": pd.date_range("2020-01-01", periods=n_rows),
            "plot": [" ".join(rng.choice(words, 5)) + f" n{i}" for i in range(n_rows)],
        }
    )
