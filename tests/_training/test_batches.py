"""Batches: every row once, values beside masks, no batch of one row."""

import itertools

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


def label(n_rows, labelled):
    """Return a data set of row numbers, some of which are their own label."""
    targets = np.full(n_rows, np.nan)
    targets[labelled] = labelled
    return BlockDataset({"a": np.arange(float(n_rows))[:, None]}, targets=targets)


def read_labels(loader):
    """Return the labels of each batch, after comparing them with the rows."""
    batches = [labelled for _, labelled in loader]
    for blocks, targets in batches:
        assert blocks["a"][:, 0].tolist() == targets.tolist()
    return [targets.tolist() for _, targets in batches]


@pytest.mark.parametrize("shuffle", [False, True])
def test_few_labelled_rows_come_with_every_batch(shuffle):
    loader = BatchLoader(label(12, [3, 7, 8]), 5, shuffle)
    assert read_labels(loader) == [[3, 7, 8]] * 3


@pytest.mark.parametrize("shuffle", [False, True])
def test_many_labelled_rows_are_passed_once_an_epoch(shuffle):
    loader = BatchLoader(label(20, list(range(1, 20))), 5, shuffle)
    torch.manual_seed(0)
    first, second = read_labels(loader), read_labels(loader)
    assert [len(targets) for targets in first] == [5, 5, 5, 4]
    passed = list(itertools.chain(*first))
    assert sorted(passed) == list(range(1, 20))
    assert (passed == sorted(passed)) is not shuffle
    assert (first == second) is not shuffle


def test_labelled_rows_start_again_where_there_are_more_batches():
    loader = BatchLoader(label(20, list(range(7))), 5)
    assert read_labels(loader) == [[0, 1, 2, 3, 4], [5, 6]] * 2


def test_a_last_labelled_row_joins_the_rows_before():
    loader = BatchLoader(label(20, list(range(6))), 5)
    assert read_labels(loader) == [[0, 1, 2, 3, 4, 5]] * 4


def test_labels_do_not_change_the_batches_of_rows():
    orders = []
    for labelled in ([], [2, 4]):
        torch.manual_seed(0)
        loader = BatchLoader(label(12, labelled), 5, shuffle=True)
        orders.append([blocks["a"][:, 0].tolist() for blocks, _ in loader])
    assert orders[0] == orders[1]


def test_without_a_label_there_are_no_labelled_rows():
    assert [labelled for _, labelled in BatchLoader(label(7, []), 5)] == [None, None]
