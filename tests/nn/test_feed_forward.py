"""The feed-forward: its plain and its fused form against a formula, and dropout."""

import pytest
import torch
from helpers import gradients

from skcoral.nn import feed_forward
from skcoral.nn import fused_hidden_layer as fused
from skcoral.nn.feed_forward import Dropout, FeedForward

DIM = 8


@pytest.fixture(params=["plain", "fused"])
def form(request, monkeypatch):
    """Make every feed-forward take this form, whatever its width."""
    is_fused = request.param == "fused"
    monkeypatch.setattr(FeedForward, "_is_fused", lambda self, x: is_fused)
    return request.param


@pytest.fixture
def always_fused(monkeypatch):
    monkeypatch.setattr(FeedForward, "_is_fused", lambda self, x: True)


ACTIVATIONS = {"gelu": lambda z: z * torch.sigmoid(1.702 * z), "relu": torch.relu}


def naive_feed_forward(layer, x, mask=1.0):
    activate = ACTIVATIONS[layer.activation]
    return layer.down(activate(layer.up(layer.norm(x))) * mask)


@pytest.mark.parametrize("n_elements", [1, 60, 10**6])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)]
)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_feed_forward_equals_its_formula(
    monkeypatch, activation, dtype, tolerance, n_elements, form
):
    monkeypatch.setattr(fused, "HIDDEN_ELEMENTS", n_elements)
    torch.manual_seed(0)
    layer = FeedForward(DIM, 20, 0.0, activation).to(dtype)
    x = torch.randn(4, 5, DIM, dtype=dtype, requires_grad=True)
    out, expected = layer(x), naive_feed_forward(layer, x)
    close = {"rtol": 0, "atol": tolerance}
    torch.testing.assert_close(out, expected, **close)
    for actual, reference in zip(
        gradients(out, layer, x), gradients(expected, layer, x), strict=True
    ):
        torch.testing.assert_close(actual, reference, rtol=0, atol=50 * tolerance)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_feed_forward_with_dropout_equals_its_formula(
    monkeypatch, activation, always_fused
):
    monkeypatch.setattr(fused, "HIDDEN_ELEMENTS", 400)
    torch.manual_seed(0)
    layer = FeedForward(DIM, 20, 0.4, activation).double()
    x = torch.randn(50, DIM, dtype=torch.float64, requires_grad=True)
    torch.manual_seed(1)
    # Parts of 20 rows, which take so many masks by turns.
    dropped = fused.draw_dropped(layer.up, 0.4, 3)
    n_biases = dropped.shape[1]
    turns = [row // 20 * n_biases + row % n_biases for row in range(50)]
    mask = (~dropped).flatten(0, 1)[turns].double() / 0.6
    torch.manual_seed(1)
    out, expected = layer(x), naive_feed_forward(layer, x, mask)
    torch.testing.assert_close(out, expected)
    for actual, reference in zip(
        gradients(out, layer, x), gradients(expected, layer, x), strict=True
    ):
        torch.testing.assert_close(actual, reference)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_dropped_unit_is_exactly_zero(activation, dtype):
    x = torch.linspace(-100, 100, 41).to(dtype) + fused.DROPPED
    hidden, gradient = torch.ones_like(x), torch.ones_like(x)
    fused._activate(x, activation, out=hidden)
    fused._activate_backward(gradient, x, activation)
    assert (hidden == 0).all() and (gradient == 0).all()


def test_the_masks_of_the_hidden_layer_are_of_the_rate_and_differ():
    torch.manual_seed(0)
    layer = FeedForward(DIM, 500, dropout=0.3)
    dropped = fused.draw_dropped(layer.up, 0.3, 4)
    # 4 x 24 x 500 independent numbers: a deviation of 0.002.
    assert float(dropped.float().mean()) == pytest.approx(0.3, abs=0.01)
    assert len(dropped.flatten(0, 1).unique(dim=0)) == 96
    assert (dropped != fused.draw_dropped(layer.up, 0.3, 4)).any()
    for n_parts, n_biases in ((1, 96), (20, 8)):
        shape = fused.draw_dropped(layer.up, 0.3, n_parts).shape
        assert shape[:2] == (n_parts, n_biases)
    assert fused.draw_dropped(layer.up, 0.0, 4) is None


def test_feed_forward_in_bfloat16_equals_that_in_float32(form):
    torch.manual_seed(0)
    layer = FeedForward(DIM, 20, dropout=0.0)
    x = torch.randn(50, DIM, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = layer(x)
    assert low.dtype == torch.bfloat16
    high = layer(x)
    for actual, reference in zip(
        [low.float(), *gradients(low.float(), layer, x)],
        [high, *gradients(high, layer, x)],
        strict=True,
    ):
        assert actual.dtype == torch.float32
        assert 0 < (actual - reference).norm() < 0.02 * reference.norm()


def test_feed_forward_keeps_nothing_wide(monkeypatch, always_fused):
    monkeypatch.setattr(fused, "HIDDEN_ELEMENTS", 40_000)
    layer = FeedForward(DIM, 100, dropout=0.1)
    sizes = []

    def note(tensor):
        sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        layer(torch.randn(5000, DIM, requires_grad=True))
    assert max(sizes) <= 5000 * (DIM + fused.N_BIASES)


# Dropout


def test_dropout_zeroes_its_share_and_keeps_the_mean():
    torch.manual_seed(0)
    out = Dropout(0.3)(torch.ones(2000, 64))
    assert out.unique().tolist() == pytest.approx([0.0, 1 / 0.7])
    # 128 x 64 independent numbers: a deviation of 0.005.
    assert float((out == 0).float().mean()) == pytest.approx(0.3, abs=0.02)
    assert float(out.mean()) == pytest.approx(1.0, abs=0.03)


def test_dropout_masks_differ_between_rows_columns_and_passes():
    torch.manual_seed(0)
    dropout, x = Dropout(0.5), torch.ones(1000, 32)
    first, second = dropout(x), dropout(x)
    assert len(first.unique(dim=0)) > 100 and len(first.T.unique(dim=0)) == 32
    assert (first != second).any(dim=1).float().mean() > 0.9


@pytest.mark.parametrize("p", [0.0, 0.5])
def test_dropout_is_idle_at_zero_and_in_evaluation(p):
    dropout = Dropout(p).train(p == 0)
    x = torch.randn(5, 4)
    state = torch.get_rng_state()
    assert dropout(x) is x
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_plain_feed_forward_with_dropout_equals_its_formula(activation):
    torch.manual_seed(0)
    layer = FeedForward(DIM, 20, 0.4, activation).double()
    x = torch.randn(50, DIM, dtype=torch.float64, requires_grad=True)
    torch.manual_seed(1)
    mask = layer.dropout(torch.ones(50, 20, dtype=torch.float64))
    torch.manual_seed(1)
    torch.testing.assert_close(layer(x), naive_feed_forward(layer, x, mask))


def test_both_forms_are_one_function_where_the_fused_one_is_taken(monkeypatch):
    torch.manual_seed(0)
    layer = FeedForward(DIM, 20, dropout=0.5).double()
    x = torch.randn(50, DIM, dtype=torch.float64, requires_grad=True)
    taken = []
    apply = feed_forward.fused_hidden_layer
    monkeypatch.setattr(
        feed_forward,
        "fused_hidden_layer",
        lambda *args: taken.append(args) or apply(*args),
    )
    monkeypatch.setattr(feed_forward, "FUSED_WIDTH", 20)
    monkeypatch.setattr(feed_forward, "FUSED_RATIO", 2)
    layer(x)
    assert len(taken) == 1
    with torch.no_grad():
        layer(x)
    torch.testing.assert_close(layer.eval()(x), naive_feed_forward(layer, x))
    monkeypatch.setattr(feed_forward, "FUSED_WIDTH", 21)
    layer.train()(x)
    monkeypatch.setattr(feed_forward, "FUSED_WIDTH", 20)
    monkeypatch.setattr(feed_forward, "FUSED_RATIO", 3)
    layer(x)
    assert len(taken) == 1
