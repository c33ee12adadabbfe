"""Docstrings of estimators: nothing left to fill, and true to the constructors."""

import ast
import inspect

import pytest
from numpydoc.docscrape import NumpyDocString
from sklearn.base import BaseEstimator

import skcoral
import skcoral.evaluation
from skcoral._docstrings import PARTS, fill
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._parameters import estimator, parameter

PUBLIC = [
    getattr(module, name)
    for module in (skcoral, skcoral.evaluation)
    for name in module.__all__
]
WITH_PARAMETERS = [
    value
    for value in PUBLIC
    if isinstance(value, type) and issubclass(value, BaseEstimator)
]
ESTIMATORS = [
    value for value in WITH_PARAMETERS if issubclass(value, BaseMultimodalTransformer)
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


def read_parameters(cls):
    """Return the type and default of each documented parameter, in words, by name."""
    described = NumpyDocString(inspect.cleandoc(cls.__doc__))["Parameters"]
    return {
        name: entry.type
        for entry in described
        for name in (part.strip() for part in entry.name.split(","))
    }


def test_all_estimators_with_parameters_are_found():
    assert len(ESTIMATORS) >= 13
    assert len(WITH_PARAMETERS) >= 20


@pytest.mark.parametrize("cls", WITH_PARAMETERS)
def test_signature_constraints_and_docstring_name_the_same_parameters(cls):
    signature = list(inspect.signature(cls).parameters)
    assert list(read_parameters(cls)) == signature
    assert set(cls._parameter_constraints) == set(signature)


@pytest.mark.parametrize("cls", WITH_PARAMETERS)
def test_documented_defaults_are_those_of_the_signature(cls):
    for name, words in read_parameters(cls).items():
        default = inspect.signature(cls).parameters[name].default
        if default is inspect.Parameter.empty:
            assert "default" not in words
        else:
            assert ast.literal_eval(words.rpartition("default=")[2]) == default, name


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_every_parameter_of_a_method_is_annotated(cls):
    for found in inspect.signature(cls).parameters.values():
        assert found.annotation is not inspect.Parameter.empty
        assert (found.kind is found.KEYWORD_ONLY) == (found.name != "modalities")
