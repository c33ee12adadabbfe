"""Data that several tests of the evaluation share."""

from functools import partial

import pytest

from skcoral.datasets import make_multimodal_interactions


@pytest.fixture
def known():
    """Training and test rows of two views with labels of each kind."""
    make = partial(make_multimodal_interactions, n_features=18)
    return make(150, random_state=0), make(120, random_state=1)
