"""Numbers: integers beyond 2**53 and cells of every type."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers import as_column, exactly

from skcoral import TabularModality
from skcoral._input.columns import read_columns
from skcoral._input.numbers import check_distinct, find_origin, to_floats

LARGE = [2**60, 2**63 + 5, 2**64 - 50, 10**18]


CONTAINERS = {
    "numpy": lambda values: np.array(values)[:, None],
    "objects": as_column,
    "decimals": lambda values: as_column([Decimal(value) for value in values]),
    "pandas": lambda values: pd.DataFrame({"x": values}),
    "nullable": lambda values: pd.DataFrame({"x": pd.array(values, dtype="UInt64")}),
    "pyarrow": lambda v: pd.DataFrame({"x": pd.array(v, dtype="uint64[pyarrow]")}),
    "polars": lambda v: pl.DataFrame({"x": pl.Series(v, dtype=pl.UInt64)}),
    "polars-decimals": lambda v: pl.DataFrame({"x": [Decimal(each) for each in v]}),
}


@pytest.mark.parametrize("make", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("start", LARGE)
def test_differences_of_large_integers_survive_in_every_container(start, make):
    block = make([start + i for i in range(40)])
    small = np.arange(40.0)[:, None]
    spec = TabularModality().fit(block)
    assert list(spec.kinds_.values()) == ["numeric"]
    np.testing.assert_allclose(
        spec.transform(block),
        TabularModality().fit(small).transform(small),
        atol=1e-6,
    )


def test_gaps_among_large_integers_stay_gaps():
    values = [2**60, None, 2**60 + 1, np.nan, pd.NA]
    spec = TabularModality().fit(as_column(values))
    got = np.isnan(spec.transform(as_column(values)))[:, 0]
    assert got.tolist() == [False, True, False, True, True]


def test_an_outlier_does_not_hide_the_differences():
    values = [*(2**60 + i for i in range(100)), -(2**1000), 10**300]
    block = as_column(values)
    assert len(np.unique(TabularModality().fit(block).transform(block))) == 102


def test_floats_and_small_numbers_in_such_a_column_are_read_alike():
    spec = TabularModality().fit(as_column([2**60 + 256 * i for i in range(9)]))
    whole = spec.transform(as_column([2**60 + 512, 1, 2**62]))
    floats = spec.transform(np.array([[2.0**60 + 512], [1.0], [2.0**62]]))
    np.testing.assert_array_equal(whole, floats)


def test_small_integers_are_floats():
    (values,) = read_columns(np.array([[2**53], [-(2**53)]])).values()
    assert values.dtype == np.float64


@pytest.mark.parametrize("value", [10**400, Decimal("1e400"), Fraction(10**400)])
@pytest.mark.parametrize("make", [as_column, lambda v: pd.DataFrame({0: v})])
def test_a_number_beyond_float64_names_its_column(make, value):
    message = "Column 0 holds a number beyond the range of float64."
    with pytest.raises(ValueError, match=exactly(message)):
        TabularModality().fit(make([value, 1, 2]))


def test_a_decimal_of_a_million_digits_is_refused_at_once():
    with pytest.raises(ValueError, match="beyond the range of float64"):
        TabularModality().fit(as_column([Decimal("1e999999999"), 1]))


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("sNaN"), Decimal("-sNaN")])
def test_decimals_that_are_no_number_are_missing(value):
    (values,) = read_columns(as_column([value, Decimal(1)])).values()
    np.testing.assert_array_equal(values, [np.nan, 1.0])


@pytest.mark.parametrize("value", [Decimal("Infinity"), np.longdouble("1e400")])
def test_what_is_infinite_in_float64_is_refused(value):
    if float(value) != np.inf:
        pytest.skip("long doubles are doubles here")
    message = "Input X contains infinity in column 0."
    with pytest.raises(ValueError, match=exactly(message)):
        TabularModality().fit(as_column([value, 1]))


def test_an_origin_is_subtracted_exactly():
    values = np.array([2**60 + 1, None, 2**60 + 3, 0.5], dtype=object)
    origin = find_origin(values)
    assert origin == 2.0**60
    np.testing.assert_array_equal(
        to_floats(values, origin), [1.0, np.nan, 3.0, 0.5 - 2.0**60]
    )


def test_integers_that_float64_merges_are_named():
    message = (
        "Column 'id' holds integers beyond 2**53 that are the same number in float64, "
        "such as 1152921504606846976 and 1152921504606846977. Subtract their minimum "
        "first."
    )
    values = 2**60 + np.arange(3)
    for each in (values, values.astype(object)):
        with pytest.raises(ValueError, match=exactly(message)):
            check_distinct("Column 'id'", each)
    check_distinct("Column 'id'", 2**60 + 1024 * np.arange(3))
