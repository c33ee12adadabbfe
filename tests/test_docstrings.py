"""What all docstrings share is put in, and nothing is left to fill."""

import pytest

import skcoral
from skcoral._docstrings import PARTS, fill
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._parameters import estimator, parameter

ESTIMATORS = [
    value
    for value in (getattr(skcoral, name) for name in skcoral.__all__)
    if isinstance(value, type) and issubclass(value, BaseMultimodalTransformer)
]


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_no_place_is_left_open(estimator):
    assert "%(" not in estimator.__doc__
    assert "early_stopping : bool" in estimator.__doc__
    assert 'modalities : "auto" or list' in estimator.__doc__


def test_every_part_is_used():
    texts = "".join(estimator.__doc__ for estimator in ESTIMATORS)
    assert all(part in texts for part in PARTS.values())


def test_a_class_without_a_docstring_stays_as_it_is():
    # As all do under python -OO.
    @estimator
    class Silent:
        width: int = parameter(default=1, constraint=[int], text="int\nIts width.")

    assert fill(None, {}) is None
    assert Silent.__doc__ is None
    assert Silent(width=2).width == 2
