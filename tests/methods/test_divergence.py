"""Numbers that are not finite: divergence is an error, far values are none."""

import numpy as np
import pytest
from helpers import ALL_METHODS, HALVES, learnt, make_of

import skcoral

# These refuse early stopping.
SCHEDULED = [
    skcoral.DisentangledSSLTransformer,
    skcoral.FactorCLTransformer,
    skcoral.IndiSeekTransformer,
]
DIVERGED = (
    r"^Training diverged at epoch [12]: .* (is nan|is -?inf|are not finite)\. Lower lr "
    r"\(now 1e\+30\) or raise temperature, and look for extreme values in X\.$"
)
kinds = pytest.mark.parametrize("kind", ALL_METHODS, ids=lambda kind: kind.__name__)


def make(kind, **params):
    """Return an estimator of one epoch and one update."""
    return make_of(kind, HALVES, **{"batch_size": 256, "max_epochs": 1, **params})


@pytest.fixture
def rows():
    """A table of numbers, and targets of two classes."""
    X = np.random.default_rng(0).normal(size=(24, 4))
    return X, np.arange(24) % 2


@kinds
def test_a_last_update_that_ruins_the_weights_is_a_divergence(rows, kind):
    model = make(kind, lr=1e30)
    with pytest.raises(ValueError, match=DIVERGED):
        model.fit(*rows)
    assert learnt(model) == []


# Predictors read the labels of all rows at once.
CHUNKED = [kind for kind in ALL_METHODS if hasattr(kind(), "partial_fit")]


@pytest.mark.parametrize(
    "kind", [kind for kind in ALL_METHODS if kind not in SCHEDULED]
)
def test_a_ruined_epoch_of_early_stopping_is_a_divergence(rows, kind):
    model = make(kind, lr=1e30, early_stopping=True)
    with pytest.raises(ValueError, match=DIVERGED):
        model.fit(*rows)
    assert learnt(model) == []


@pytest.mark.parametrize("kind", CHUNKED)
def test_a_ruined_first_chunk_is_a_divergence(rows, kind):
    model = make(kind, lr=1e30)
    with pytest.raises(ValueError, match=DIVERGED):
        model.partial_fit(*rows)
    assert learnt(model) == []


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        *((kind, "fit") for kind in ALL_METHODS),
        *((kind, "partial_fit") for kind in CHUNKED),
    ],
)
def test_a_ruined_continuation_forgets_the_model(rows, kind, method):
    model = make(kind, warm_start=True).fit(*rows)
    for group in model.net_.optimizer_.param_groups:
        group["lr"] = 1e30
    model.net_.lr = 1e30
    with pytest.raises(ValueError, match=DIVERGED):
        getattr(model, method)(*rows)
    assert learnt(model) == []


@kinds
def test_any_finite_number_gives_finite_features_and_scores(rows, kind):
    X, y = rows
    model = make(kind)
    model.set_params(modalities=[("a", "embedding", [0, 1]), ("b", "sequence", [2])])
    cells = np.empty((len(X), 3), dtype=object)
    cells[:, :2], cells[:, 2] = X[:, :2], list(X)
    model.fit(cells, y)
    for far in (1e20, 1e38, 1e300):
        beyond = cells.copy()
        beyond[:, :2], beyond[:, 2] = X[:, :2] * far, list(X * far)
        assert np.isfinite(model.transform(beyond)).all()
        assert np.isfinite(model.score(beyond, y))
