"""The transformer layer: one query, initial weights, precision, dropout."""

import pytest
import torch
from helpers import gradients

from skcoral.nn.attention import TransformerLayer
from skcoral.nn.feed_forward import Dropout

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
    block = TransformerLayer(DIM, n_heads=2, n_layers=1, dropout=0.0).double()
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
    block = TransformerLayer(512, n_heads=8, n_layers=3, dropout=0.0)
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
    block = TransformerLayer(DIM, n_heads=2, n_layers=1, dropout=0.0)
    x = torch.randn(N, 4, DIM)
    mask = torch.tensor([[True] * 4, [True, True, False, False], [True] * 4])

    def attend(x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return block(x, mask=mask)

    low, high = attend(x), block(x, mask=mask)
    assert 0 < (low - high).abs().max() < 0.05 * high.abs().max()
    hidden = torch.where(mask[..., None], x, 9.0)
    torch.testing.assert_close(attend(hidden)[mask], low[mask], rtol=0, atol=0)


def test_dropout_acts_in_every_place_of_a_block():
    torch.manual_seed(0)
    block = TransformerLayer(DIM, n_heads=2, n_layers=1, dropout=0.5)
    x = torch.randn(N, 4, DIM)
    torch.testing.assert_close(block.eval()(x), block(x), rtol=0, atol=0)
    block.train()
    assert (block(x) != block(x)).any()
    block.dropout.p = 0.0  # what is left is that of the hidden layer
    assert (block(x) != block(x)).any()
