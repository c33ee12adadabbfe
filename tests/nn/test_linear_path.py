"""The linear path: numbers and levels, mapped linearly beside the unique path."""

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from skcoral import (
    EmbeddingModality,
    ImageModality,
    SequenceModality,
    TabularModality,
    TextModality,
)
from skcoral._input.blocks import map_block
from skcoral.nn.linear_path import ColumnPath, TokenPath
from skcoral.nn.network import DualPathNetwork

NAN = float("nan")
ROWS = torch.tensor([[0.5, NAN, 1.0, 0.0], [NAN, -2.0, 0.0, 3.0], [1.0, 2.0, NAN, 1.0]])


def fill(path):
    """Give a path weights that all differ."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in path.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return path


def test_values_are_numbers_and_indicators_of_known_levels():
    values = ColumnPath(2, [2, 4], 5).read(ROWS)
    expected = [[0.5, 0, 1, 0, 0, 0], [0, -2, 0, 0, 0, 1], [1, 2, 0, 1, 0, 0]]
    torch.testing.assert_close(values, torch.tensor(expected))


def test_the_map_is_a_sum_over_columns():
    path = fill(ColumnPath(2, [2, 4], 5))
    weight, bias = path.weight, path.bias
    expected = [
        bias + 0.5 * weight[:, 0] + weight[:, 2],
        bias - 2.0 * weight[:, 1] + weight[:, 5],
        bias + weight[:, 0] + 2 * weight[:, 1] + weight[:, 3],
    ]
    torch.testing.assert_close(path(ROWS, None, None), torch.stack(expected))


def test_a_new_path_adds_nothing():
    assert not ColumnPath(2, [2, 4], 5)(ROWS, None, None).any()


def test_a_text_has_the_mean_of_its_words():
    tokens = torch.arange(24.0).reshape(3, 4, 2)
    mask = torch.tensor([[True] * 4, [True, False, True, False], [False] * 4])
    path = TokenPath(2, 5)
    rows = [tokens[0].mean(dim=0), (tokens[1, 0] + tokens[1, 2]) / 2, torch.zeros(2)]
    torch.testing.assert_close(path.read(None, tokens, mask), torch.stack(rows))
    torch.testing.assert_close(path.read(None, tokens, None), tokens.mean(dim=1))


def test_kinds_choose_their_path():
    texts = np.array(["a red car", "a blue car"], dtype=object)
    vectors = TextModality(preprocessor=TfidfVectorizer())
    assert isinstance(TextModality().fit(texts).make_linear_path(8, 4), TokenPath)
    path = vectors.fit(texts).make_linear_path(8, 4)
    assert isinstance(path, ColumnPath)
    assert path.weight.shape == (4, 1)
    assert ImageModality().make_linear_path(8, 4) is None
    assert SequenceModality().make_linear_path(8, 4) is None


def make_specs():
    rng = np.random.default_rng(0)
    vectors, series = rng.normal(size=(9, 3)), rng.normal(size=(9, 4, 2))
    return {
        "vectors": EmbeddingModality().fit(vectors),
        "series": SequenceModality().fit(series),
        "table": TabularModality().fit(np.hstack([vectors, vectors > 0])),
    }, {"vectors": vectors, "series": series, "table": np.hstack([vectors] * 2)}


def make_pair():
    """Return a network with linear paths, one without, and a batch."""
    specs, blocks = make_specs()
    networks = []
    for with_linear in (True, False):
        torch.manual_seed(0)
        params = {"embed_dim": 8, "unique_dim": 5, "n_heads": 2}
        networks.append(DualPathNetwork(specs, **params, with_linear=with_linear))
    values = {name: specs[name].transform(block) for name, block in blocks.items()}
    return *networks, {n: map_block(torch.as_tensor, v) for n, v in values.items()}


def test_a_linear_path_adds_to_the_unique_embedding_alone():
    network, plain, batch = make_pair()
    vectors, series, table = network.linear_paths
    assert series is None
    before = plain(batch)
    for actual, expected in zip(network(batch), before, strict=True):
        torch.testing.assert_close(actual, expected)  # zero, and the same start
    fill(vectors), fill(table)
    shared, *unique = network(batch)
    added = [
        vectors(batch["vectors"], None, None),
        torch.zeros(9, 5),
        table(batch["table"], None, None),
    ]
    torch.testing.assert_close(shared, before[0])
    for actual, old, new in zip(unique, before[1:], added, strict=True):
        torch.testing.assert_close(actual, old + new)


def test_values_that_are_read_are_those_of_linear_paths():
    network, plain, batch = make_pair()
    vectors, _, table = network.linear_paths
    values = network.read_linear(batch)
    expected = [vectors.read(batch["vectors"]), table.read(batch["table"])]
    torch.testing.assert_close(values, expected)
    assert plain.read_linear(batch) == []


@pytest.mark.parametrize("paths", [("shared",), ("shared", "unique")])
def test_a_network_has_linear_paths_beside_unique_ones_only(paths):
    specs, _ = make_specs()
    network = DualPathNetwork(specs, 8, 5, n_heads=2, paths=paths, with_linear=True)
    found = [path is not None for path in network.linear_paths]
    assert found == [len(paths) == 2, False, len(paths) == 2]
