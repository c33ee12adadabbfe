"""The second sweep of a probe's parameter against the published one."""

import numpy as np
import pytest
from helpers import GRID

from skcoral.evaluation.search import search_around


def published_second_sweep(score, centre):
    """The search as published, with indices written out: all values it visits."""
    steps = [centre * 10 ** (-2 + 4 * i / 28) for i in range(29)]
    values = [C for C in steps if 1e-6 * (1 - 1e-9) <= C <= 1e6 * (1 + 1e-9)]
    visited = []
    while len(values) > 1:
        n = len(values)
        low, middle = n // 4, n // 2
        high = n + (-n // 4)
        a, b, c = (score(values[i]) for i in (low, middle, high))
        visited += [values[i] for i in (low, middle, high)]
        if a >= b and a >= c:
            values = values[:middle]
        elif c >= b:
            values = values[middle:]
        else:
            values = values[low:high]
    return visited


@pytest.mark.parametrize("seed", range(20))
def test_second_sweep_visits_what_the_published_one_does(seed):
    bumps = np.random.default_rng(seed).normal(size=(4, 3))

    def score(C):
        """Several maxima, and ties by rounding."""
        return round(sum(c * np.sin(3 * a * np.log10(C) + b) for a, b, c in bumps), 1)

    scores = {C: score(C) for C in GRID}
    centre = max(GRID, key=score)
    search_around(score, scores)
    visited = dict.fromkeys(np.round(np.log10([*GRID, *scores]), 6))
    expected = np.log10(GRID + published_second_sweep(score, centre))
    assert list(visited) == list(dict.fromkeys(np.round(expected, 6)))
