"""Fixtures that several tests of methods share."""

import pytest

from skcoral import COrALClassifier


@pytest.fixture
def make(tiny):
    """Return a function that makes a tiny predictor."""
    return lambda cls=COrALClassifier, *args, **params: cls(
        *args, **{**tiny, "random_state": 0, **params}
    )
