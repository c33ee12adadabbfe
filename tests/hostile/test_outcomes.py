"""Outcomes: raw errors are told from errors that are raised on purpose."""

import numpy as np
import pytest
import torch
from hostile.outcomes import RAW, WORDS, classify_error
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array

from skcoral import COrALTransformer
from skcoral._input.blocks import count_rows
from skcoral._input.errors import naming, naming_preprocessor
from skcoral._input.labels import read_numbers


def catch(function, *args):
    with pytest.raises(Exception) as caught:
        function(*args)
    return caught.value


def name(function):
    """Return a function whose errors name a modality."""

    def named(*args):
        with naming("film"):
            function(*args)

    return named


def fail_in_words():
    COrALTransformer(lr=-1).fit([[1.0], [2.0]])


def fail_in_a_check():
    check_array([1.0])


def fail_in_compiled_code():
    count_rows({"film": 3})


def fail_in_an_inner_estimator():
    StandardScaler().fit(np.empty((0, 2)))


def fail_in_torch():
    torch.ones(2) @ torch.ones(3)


def fail_in_a_preprocessor():
    with naming_preprocessor(StandardScaler()):
        float("a")


@pytest.mark.parametrize(
    "function", [fail_in_words, fail_in_a_check, fail_in_a_preprocessor]
)
@pytest.mark.parametrize("wrap", [name, lambda function: function])
def test_errors_that_are_raised_on_purpose_are_words(function, wrap):
    assert classify_error(catch(wrap(function))) == WORDS


@pytest.mark.parametrize(
    "function",
    [fail_in_compiled_code, fail_in_an_inner_estimator, fail_in_torch],
)
@pytest.mark.parametrize("wrap", [name, lambda function: function])
def test_errors_of_other_libraries_are_raw(function, wrap):
    assert classify_error(catch(wrap(function))) == RAW


def test_a_class_that_we_do_not_promise_is_raw():
    def fail():
        raise OverflowError("too large")

    assert classify_error(catch(fail)) == RAW


def test_an_error_of_a_number_is_words_where_we_say_which():
    assert classify_error(catch(read_numbers, [10**400], "")) == WORDS
    assert classify_error(catch(float, 10**400)) == RAW
