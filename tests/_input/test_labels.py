"""Labels of every container, of both predictors, and those that are refused."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from helpers import TINY, exactly, learnt

from skcoral import COrALClassifier, COrALRegressor

X = np.random.default_rng(0).normal(size=(8, 3))


def fit(cls, y, **params):
    return cls(random_state=0, **{**TINY, "max_epochs": 1, **params}).fit(X, y)


def as_cells(values):
    return np.fromiter(values, dtype=object, count=len(values))


CLASSES = [0, 1, None, 0, 1, 0, 1, None]


@pytest.mark.parametrize(
    "make",
    [
        list,
        as_cells,
        lambda y: pd.Series(y, dtype="Int64"),
        lambda y: pd.Series([pd.NA if v is None else v for v in y], dtype=object),
        pl.Series,
        lambda y: np.ma.array([v or 0 for v in y], mask=[v is None for v in y]),
        lambda y: torch.tensor([np.nan if v is None else v for v in y]),
        lambda y: pl.DataFrame({"y": y}),
    ],
)
@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
def test_labels_of_every_container_are_the_same(make):
    expected = np.array([np.nan if v is None else v for v in CLASSES])
    y = make(CLASSES)
    for cls in (COrALClassifier, COrALRegressor):
        np.testing.assert_array_equal(
            fit(cls, y).predict(X), fit(cls, expected).predict(X)
        )


@pytest.mark.parametrize("first", [1, "a"])
@pytest.mark.parametrize("make", [list, as_cells])
def test_strings_beside_numbers_are_refused_in_any_order(first, make):
    y = make([first, "a", 1, "a", 1, 1, "a", None])
    kinds = {0: type(first).__name__, 1: "str", 2: "int"}
    other = 2 if first == "a" else 1
    message = (
        "y must hold strings only or numbers only. Got "
        f"{kinds[0]!r} in row 0 and {kinds[other]!r} in row {other}."
    )
    with pytest.raises(TypeError, match=exactly(message)):
        fit(COrALClassifier, y)


@pytest.mark.parametrize("value", [{}, (1, 2), datetime.date(2020, 1, 1), object()])
@pytest.mark.parametrize("cls", [COrALClassifier, COrALRegressor])
def test_labels_of_other_types_are_refused_with_their_row(cls, value):
    y = as_cells([0, 1, 0, value, 1, 0, 1, 0])
    message = rf"^y must hold .*numbers\. Got '{type(value).__name__}' in row 3\."
    with pytest.raises(TypeError, match=message):
        fit(cls, y)


@pytest.mark.parametrize("y", [["1", "2.5"] * 4, np.array(["1", "2"] * 4)])
def test_strings_are_no_targets_of_a_regressor(y):
    message = r"^y must hold numbers\. Got ('str' in row 0|dtype <U1)\. NaN marks rows"
    with pytest.raises(TypeError, match=message):
        fit(COrALRegressor, y)


@pytest.mark.parametrize("value", [10**400, Decimal("1e400"), np.inf])
def test_numbers_beyond_float64_are_refused_with_their_row(value):
    message = "y must hold numbers in the range of float64. Got another in row 2."
    y = np.array([1, 2, value, 3, 1, 2, 1, None], dtype=object)
    with pytest.raises(ValueError, match=exactly(message)):
        fit(COrALRegressor, y)


@pytest.mark.parametrize("dtype", [np.int64, object])
def test_targets_that_float64_merges_are_refused(dtype):
    message = r"^y holds integers beyond 2\*\*53 that are the same number in float64"
    with pytest.raises(ValueError, match=message):
        fit(COrALRegressor, (2**60 + np.arange(8)).astype(dtype))


def test_integers_beyond_64_bits_are_targets_of_a_regressor():
    y = [2**70, 2**70, 2**71, 0, 1, 2, 3, 4]
    expected = fit(COrALRegressor, np.array(y, dtype=float)).predict(X)
    np.testing.assert_array_equal(fit(COrALRegressor, y).predict(X), expected)


@pytest.mark.parametrize("y", [[[1], [1, 2]] * 4, [[0, 1]] * 8])
@pytest.mark.parametrize("cls", [COrALClassifier, COrALRegressor])
def test_lists_are_no_labels(cls, y):
    model = cls(random_state=0, **TINY)
    with pytest.raises((TypeError, ValueError), match=r"^y (must hold|should be a 1d)"):
        model.fit(X, y)
    assert learnt(model) == []


@pytest.mark.parametrize("dtype", ["M8[D]", "m8[D]", [("a", "f8")]])
def test_dtypes_without_numbers_are_refused_by_the_regressor(dtype):
    with pytest.raises(TypeError, match=r"^(y must hold numbers\. Got dtype|Arrays)"):
        fit(COrALRegressor, np.zeros(8, dtype=dtype))


@pytest.mark.parametrize("dtype", ["M8[D]", "m8[D]"])
def test_dates_are_no_classes(dtype):
    message = "y must hold strings or numbers. Got "
    with pytest.raises(TypeError, match=message):
        fit(COrALClassifier, np.arange(8).astype(dtype))


def test_a_duration_is_no_number():
    with pytest.raises(TypeError, match="Got 'timedelta64' in row 1"):
        fit(COrALRegressor, as_cells([0.5, np.timedelta64(1, "s")] * 4))


class Raising:
    def __eq__(self, other):
        raise RuntimeError("no comparison")

    __hash__ = None


@pytest.mark.parametrize("cls", [COrALClassifier, COrALRegressor])
def test_labels_that_cannot_be_compared_are_refused(cls):
    with pytest.raises(TypeError, match=r"^y must hold .*Got 'Raising' in row 1\."):
        fit(cls, as_cells([0, Raising()] * 4))


# Weights of classes and held-out classes


@pytest.mark.parametrize(
    "weight", [0, -1.0, np.nan, np.inf, 1e300, 1e-300, 10**400, "a", None]
)
def test_weights_without_a_finite_mean_are_refused(weight):
    model = COrALClassifier(class_weight={0: weight, 1: 1.0}, **TINY)
    message = (
        "The 'class_weight' parameter of COrALClassifier must have weights between "
        f"1e-30 and 1e+30. Got {weight!r} for class 0. To leave a class out, mark its "
        "rows as unlabelled."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        model.fit(X, np.arange(8) % 2)
    assert learnt(model) == []


@pytest.mark.parametrize("weight", [1e-30, 1e30])
def test_weights_at_the_bounds_train(weight):
    model = fit(COrALClassifier, np.arange(8) % 2, class_weight={0: weight})
    assert np.isfinite(model.predict_proba(X)).all()
