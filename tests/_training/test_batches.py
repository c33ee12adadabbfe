"""Batches: every row once, values beside masks, no batch of one row."""

import numpy as np
import pytest
import torch

from skcoral._training.batches import BatchLoader, BlockDataset


def test_loader_visits_every_row_once():
    dataset = BlockDataset({"a": np.arange(23.0)[:, None]})
    for shuffle in (False, True):
        batches = [blocks["a"][:, 0] for blocks, _ in BatchLoader(dataset, 5, shuffle)]
        assert sorted(torch.cat(batches).tolist()) == list(range(23))
        assert [len(b) for b in batches] == [5, 5, 5, 5, 3]


@pytest.mark.parametrize(
    ("n_rows", "sizes"), [(1, [1]), (5, [5]), (6, [6]), (7, [5, 2]), (11, [5, 6])]
)
def test_a_last_batch_of_one_joins_the_batch_before(n_rows, sizes):
    loader = BatchLoader(BlockDataset({"a": np.zeros((n_rows, 1))}), 5)
    assert [len(blocks["a"]) for blocks, _ in loader] == sizes == loader.batch_sizes
    assert len(loader) == len(sizes)


def test_dataset_gathers_values_and_padding_masks_together():
    values, mask = np.arange(6.0).reshape(3, 2), np.eye(3, 2, dtype=bool)
    batch = BlockDataset({"a": (values, mask)})[torch.tensor([2, 0])]["a"]
    assert batch[0].tolist() == values[[2, 0]].tolist()
    assert batch[1].tolist() == mask[[2, 0]].tolist()
