"""Encoders against loops over rows and columns."""

import numpy as np
import pytest
import torch

from skcoral.nn.encoders.embedding import VectorEncoder
from skcoral.nn.encoders.tabular import TabularEncoder
from skcoral.nn.encoders.text import TokenEncoder

ATOL = {torch.float32: 1e-5, torch.float64: 1e-10}
NAN = float("nan")


def naive_tabular(encoder, x):
    """Return tokens, entry by entry."""
    tokens = torch.empty(*x.shape, encoder.weight.shape[1], dtype=x.dtype)
    for i, row in enumerate(x.tolist()):
        for j, value in enumerate(row):
            if value != value:
                tokens[i, j] = encoder.missing[j]
            elif j < encoder.n_numeric:
                tokens[i, j] = value * encoder.weight[j] + encoder.bias[j]
            else:
                start = int(encoder.starts[j - encoder.n_numeric])
                tokens[i, j] = encoder.levels.weight[start + int(value)]
    return tokens


@pytest.fixture
def table():
    return torch.tensor([[0.5, NAN, 2, 0], [NAN, -1.0, 0, 1], [3.0, 0.0, 1, NAN]])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tabular_encoder_equals_the_loop(table, dtype):
    encoder = TabularEncoder(2, [3, 2], embed_dim=4).to(dtype)
    tokens, mask = encoder(table.to(dtype))
    assert mask is None
    expected = naive_tabular(encoder, table.to(dtype))
    torch.testing.assert_close(tokens, expected, atol=ATOL[dtype], rtol=0)


@pytest.mark.parametrize(("n_numeric", "cardinalities"), [(3, []), (0, [2, 5])])
def test_tabular_encoder_of_one_kind_of_column(n_numeric, cardinalities):
    encoder = TabularEncoder(n_numeric, cardinalities, embed_dim=4)
    x = torch.ones(2, n_numeric + len(cardinalities))
    assert encoder(x)[0].shape == (2, x.shape[1], 4)
    torch.testing.assert_close(encoder(x)[0], naive_tabular(encoder, x))


def test_unknown_level_is_neutral_and_columns_have_levels_of_their_own():
    encoder = TabularEncoder(0, [3, 3], embed_dim=4)
    tokens = encoder(torch.tensor([[0.0, 0.0], [1.0, 1.0]]))[0]
    assert not tokens[0].any()
    assert (tokens[1, 0] != tokens[1, 1]).all()


def test_missing_values_have_finite_gradients(table):
    encoder = TabularEncoder(2, [3, 2], embed_dim=4)
    encoder(table)[0].sum().backward()
    for parameter in encoder.parameters():
        assert parameter.grad.isfinite().all()
    assert encoder.missing.grad.any(dim=1).tolist() == [True, True, False, True]


def test_vector_encoder_equals_its_formula():
    encoder = VectorEncoder(5, embed_dim=8, n_tokens=3).double()
    x = torch.randn(4, 5, dtype=torch.float64)
    first, last = encoder.layers[0], encoder.layers[2]
    hidden = x @ first.weight.T + first.bias
    hidden = hidden * 0.5 * (1 + torch.erf(hidden / np.sqrt(2)))
    expected = (hidden @ last.weight.T + last.bias).reshape(4, 3, 8)
    tokens, mask = encoder(x)
    assert mask is None
    torch.testing.assert_close(tokens, expected, atol=1e-10, rtol=0)


@pytest.mark.parametrize(
    "encoder", [TabularEncoder(2, [3], 8), VectorEncoder(3, 8)], ids=["table", "vector"]
)
def test_rows_are_encoded_one_by_one(encoder):
    x = torch.tensor([[0.5, 1.0, 2.0], [3.0, -1.0, 0.0], [0.0, 0.0, 1.0]])
    whole = encoder(x)[0]
    order = [2, 0, 1]
    torch.testing.assert_close(encoder(x[order])[0], whole[order])
    torch.testing.assert_close(encoder(x[1:2])[0], whole[1:2])


def test_token_encoder_looks_ids_up_and_masks_padding():
    encoder = TokenEncoder(5, embed_dim=4)
    x = torch.tensor([[3, 1, 0], [2, 0, 0]], dtype=torch.int32)
    tokens, mask = encoder(x)
    assert mask.tolist() == [[True, True, False], [True, False, False]]
    assert torch.equal(tokens[0, 0], encoder.embedding.weight[3])
    assert not tokens[~mask].any()
