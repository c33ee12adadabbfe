"""The transformer block: parts at a time, precision, masks of dropout."""

import pytest
import torch

from skcoral.nn import attention
from skcoral.nn.attention import Dropout, FeedForward, TransformerBlock

N, DIM = 3, 8


class Uneven(torch.nn.Module):
    """Stands for a dropout whose random numbers are known."""

    p = 0.5

    def forward(self, x):
        return x * torch.linspace(0, 2, x.shape[-1], dtype=x.dtype)


@pytest.mark.parametrize("dropout", [Dropout(0.0), Uneven()])
@pytest.mark.parametrize("padded", [False, True])
def test_reading_one_query_equals_the_whole_block(padded, dropout):
    torch.manual_seed(0)
    block = TransformerBlock(DIM, n_heads=2, n_layers=1, dropout=0.0).double()
    block.dropout = dropout
    x = torch.randn(N, 5, DIM, dtype=torch.float64, requires_grad=True)
    mask = torch.arange(5) < torch.tensor([[5], [3], [1]]) if padded else None
    one, whole = block(x[:, :1], x, mask), block(x, mask=mask)[:, :1]
    torch.testing.assert_close(one, whole)
    for actual, expected in zip(
        gradients(one, block, x), gradients(whole, block, x), strict=True
    ):
        torch.testing.assert_close(actual, expected)


def test_initial_weights_have_the_scales_of_the_method():
    torch.manual_seed(0)
    block = TransformerBlock(512, n_heads=8, n_layers=3, dropout=0.0)
    scales = {
        block.query: 512**-0.5,
        block.key_value: 512**-0.5,
        block.out: 512**-0.5 * 6**-0.5,
        block.feed_forward.up: 1024**-0.5,
        block.feed_forward.down: 512**-0.5 * 6**-0.5,
    }
    for layer, scale in scales.items():
        assert layer.weight.detach().std().item() == pytest.approx(scale, rel=0.02)


def test_attention_in_bfloat16_equals_that_in_float32():
    torch.manual_seed(0)
    block = TransformerBlock(DIM, n_heads=2, n_layers=1, dropout=0.0)
    x = torch.randn(N, 4, DIM)
    mask = torch.tensor([[True] * 4, [True, True, False, False], [True] * 4])

    def attend(x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return block(x, mask=mask)

    low, high = attend(x), block(x, mask=mask)
    assert 0 < (low - high).abs().max() < 0.05 * high.abs().max()
    hidden = torch.where(mask[..., None], x, 9.0)
    torch.testing.assert_close(attend(hidden)[mask], low[mask], rtol=0, atol=0)


# The hidden layer


ACTIVATIONS = {"gelu": lambda z: z * torch.sigmoid(1.702 * z), "relu": torch.relu}


def naive_feed_forward(layer, x, mask=1.0):
    activate = ACTIVATIONS[layer.activation]
    return layer.down(activate(layer.up(layer.norm(x))) * mask)


def gradients(out, layer, x):
    return torch.autograd.grad(out.square().sum(), [x, *layer.parameters()])


@pytest.mark.parametrize("n_elements", [1, 60, 10**6])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)]
)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_feed_forward_equals_its_formula(
    monkeypatch, activation, dtype, tolerance, n_elements
):
    monkeypatch.setattr(attention, "HIDDEN_ELEMENTS", n_elements)
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
def test_feed_forward_with_dropout_equals_its_formula(monkeypatch, activation):
    monkeypatch.setattr(attention, "HIDDEN_ELEMENTS", 400)
    torch.manual_seed(0)
    layer = FeedForward(DIM, 20, 0.4, activation).double()
    x = torch.randn(50, DIM, dtype=torch.float64, requires_grad=True)
    torch.manual_seed(1)
    # Parts of 20 rows, which take so many masks by turns.
    dropped = layer.draw(3)
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
    x = torch.linspace(-100, 100, 41).to(dtype) + attention.DROPPED
    hidden, gradient = torch.ones_like(x), torch.ones_like(x)
    attention._activate(x, activation, out=hidden)
    attention._activate_backward(gradient, x, activation)
    assert (hidden == 0).all() and (gradient == 0).all()


def test_the_masks_of_the_hidden_layer_are_of_the_rate_and_differ():
    torch.manual_seed(0)
    layer = FeedForward(DIM, 500, dropout=0.3)
    dropped = layer.draw(4)
    # 4 x 24 x 500 independent numbers: a deviation of 0.002.
    assert float(dropped.float().mean()) == pytest.approx(0.3, abs=0.01)
    assert len(dropped.flatten(0, 1).unique(dim=0)) == 96
    assert (dropped != layer.draw(4)).any()
    assert layer.draw(1).shape[:2] == (1, 96) and layer.draw(20).shape[:2] == (20, 8)
    assert layer.eval().draw(4) is None


def test_feed_forward_in_bfloat16_equals_that_in_float32():
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


def test_feed_forward_keeps_nothing_wide(monkeypatch):
    monkeypatch.setattr(attention, "HIDDEN_ELEMENTS", 40_000)
    layer = FeedForward(DIM, 100, dropout=0.1)
    sizes = []

    def note(tensor):
        sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        layer(torch.randn(5000, DIM, requires_grad=True))
    assert max(sizes) <= 5000 * (DIM + attention.N_BIASES)


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


def test_dropout_acts_in_every_place_of_a_block():
    torch.manual_seed(0)
    block = TransformerBlock(DIM, n_heads=2, n_layers=1, dropout=0.5)
    x = torch.randn(N, 4, DIM)
    torch.testing.assert_close(block.eval()(x), block(x), rtol=0, atol=0)
    block.train()
    assert (block(x) != block(x)).any()
    block.dropout.p = 0.0  # what is left is that of the hidden layer
    assert (block(x) != block(x)).any()
