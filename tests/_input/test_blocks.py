"""Rows that lack a modality: found in every container, marked, left out."""

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from scipy import sparse

from skcoral._input.blocks import find_empty, find_rows
from skcoral._input.containers import filter_rows
from skcoral._input.presence import find_nonempty_rows
from skcoral.modalities._reader import transform_block

GAPS = {"x": [1.0, None, 3.0, None], "t": ["a", None, None, ""]}


class Spec:
    """A fitted modality that doubles its numbers."""

    def transform(self, block):
        return np.nan_to_num(2 * np.asarray(block, dtype=np.float32), nan=7.0)


@pytest.mark.parametrize(
    "make",
    [
        pd.DataFrame,
        lambda d: pd.DataFrame(d).convert_dtypes(),
        lambda d: pd.DataFrame(d).astype({"t": "category"}),
        pl.DataFrame,
        pa.table,
        lambda d: np.array([d["x"], d["t"]], dtype=object).T,
    ],
)
def test_present_rows_of_every_container(make):
    block = make(GAPS)
    assert find_nonempty_rows(block).tolist() == [True, False, True, True]
    taken = filter_rows(block, find_nonempty_rows(block))
    assert find_nonempty_rows(taken).tolist() == [True] * 3


@pytest.mark.parametrize(
    ("block", "present"),
    [
        (np.array([[np.nan, 1.0], [np.nan, np.nan]]), [True, False]),
        (np.full((2, 3, 2), np.nan), [False, False]),
        (np.array(["2020-01-01", "NaT"], dtype="datetime64[D]"), [True, False]),
        (np.array([1, 2]), [True, True]),
        (np.array(["", "a"]), [True, True]),
        (sparse.csr_array(np.zeros((2, 3))), [True, True]),
        (np.array([[True], [False]]), [True, True]),
        (pl.DataFrame({"x": [float("nan"), 0.0]}), [False, True]),
        (pd.DataFrame({"x": [pd.NA, 1]}, dtype="Int64"), [False, True]),
        (
            pd.DataFrame({"x": [np.full(2, np.nan), [1], Decimal("sNaN"), None]}),
            [False, True, False, False],
        ),
    ],
)
def test_present_rows_of_other_blocks(block, present):
    assert find_nonempty_rows(block).tolist() == present


def test_cells_that_are_arrays_are_missing_if_all_their_values_are():
    cells = [np.array([1.0, np.nan]), np.full(2, np.nan), None, np.array([], dtype=int)]
    block = np.empty(4, dtype=object)
    block[:] = cells
    assert find_nonempty_rows(block).tolist() == [True, False, False, True]


def test_complete_blocks_have_no_mask():
    out = transform_block(Spec(), np.ones((3, 2)))
    assert isinstance(out, np.ndarray)
    assert find_rows(out) is None


def test_missing_rows_are_marked_and_zero():
    values, mask = transform_block(Spec(), np.array([[1.0], [np.nan], [2.0]]))
    assert values.tolist() == [[2.0], [0.0], [4.0]]
    assert mask.tolist() == [[True], [False], [True]]
    assert find_rows((values, mask)).tolist() == [True, False, True]


@pytest.mark.parametrize("as_array", [np.asarray, torch.tensor])
def test_rows_without_any_modality_are_empty(as_array):
    def block(*present):
        return as_array([[0.0]] * 3), as_array([[p] for p in present])

    first, second = block(True, False, False), block(False, False, True)
    assert find_empty({"a": first, "b": second}).tolist() == [1]
    assert find_empty({"a": first, "b": as_array([[0.0]] * 3)}).tolist() == []
