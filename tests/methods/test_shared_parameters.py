"""Parameters that stand in one place become constructor, constraints and docstring."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone

from skcoral._constraints import POSITIVE_INT
from skcoral.methods import _parameters as shared
from skcoral.methods._parameters import estimator, parameter
from skcoral.methods.gmc import GMCTransformer


@estimator
class Wider(GMCTransformer):
    """A method with one parameter of its own, and another default of a shared one.

    Parameters
    ----------
    %(parameters)s
    """

    head_dim: int = replace(shared.HEAD_DIM, default=6)
    n_tries: int = parameter(
        default=3,
        constraint=POSITIVE_INT,
        text="""
        int
        How often it tries.""",
    )


class Plain(GMCTransformer):
    """A subclass without the decorator."""


def test_a_parameter_has_its_default_and_can_be_set():
    model = Wider(n_tries=5, embed_dim=8)
    assert (model.n_tries, model.head_dim, model.embed_dim) == (5, 6, 8)
    assert clone(model).get_params() == model.get_params()
    assert "n_tries=5" in repr(model)


def test_only_modalities_may_be_passed_by_position():
    assert Wider([]).modalities == []
    with pytest.raises(TypeError, match="positional argument"):
        Wider([], 8)


def test_other_classes_keep_their_parameters():
    assert GMCTransformer().head_dim == 64
    assert "n_tries" not in GMCTransformer().get_params()
    assert "n_tries" not in GMCTransformer._parameter_constraints


def test_the_constraint_is_checked_in_fit():
    X = np.zeros((5, 2))
    message = "'n_tries' parameter of Wider must be an int in the range .* Got 0"
    with pytest.raises(ValueError, match=message):
        Wider(n_tries=0).fit(X)


def test_the_description_follows_the_type_and_the_default():
    assert "n_tries : int, default=3\n    How often it tries." in Wider.__doc__
    assert "head_dim : int, default=6\n" in Wider.__doc__
    assert 'output : {"all", "shared"}, default="all"\n' in Wider.__doc__


def test_a_subclass_without_parameters_inherits_all():
    assert Plain(head_dim=3).get_params() == GMCTransformer(head_dim=3).get_params()


def test_attributes_of_an_instance_are_its_parameters_alone():
    assert set(vars(Wider())) == set(Wider().get_params(deep=False))


def test_what_is_no_parameter_is_refused():
    with pytest.raises(TypeError, match="must be made by `parameter`"):

        @estimator
        class Wrong(GMCTransformer):
            width: int = 3
