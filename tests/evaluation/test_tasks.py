"""Draws of labelled rows: nested, balanced, told by their number."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skcoral.evaluation import (
    draw_labels,
)


def test_draws_are_nested_balanced_and_told_by_their_number():
    y = np.random.default_rng(0).choice(list("aab"), 90)
    for draw in range(3):
        rows = {n: draw_labels(y, n, draw) for n in (1, 5, 20)}
        assert set(rows[1]) < set(rows[5]) < set(rows[20])
        assert all((y[rows[5]] == c).sum() == 5 for c in "ab")
        assert_array_equal(rows[5], draw_labels(list(y), 5, draw))
    assert set(draw_labels(y, 5, 0)) != set(draw_labels(y, 5, 1))


def test_a_class_with_fewer_rows_gives_all_of_them():
    rows = draw_labels([0, 0, 0, 0, 1, 1], 3, draw=0)
    assert len(rows) == 5
    assert {4, 5} < set(rows)


def test_numbers_are_drawn_without_classes():
    y = np.linspace(0, 1, 30)
    few, more = (draw_labels(y, n, 2, per_class=False) for n in (4, 9))
    assert_array_equal(few, more[:4])
    assert len(set(more)) == 9
    with pytest.raises(ValueError, match="continuous"):
        draw_labels(y, 4, 2)
