"""Strings that stand for numbers or dates."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skcoral import TabularModality
from skcoral._input.strings import find_form

NUMBERS = [f"{i / 7:.3f}" for i in range(30)]
DATES = [f"2020-01-{day:02d}" for day in range(1, 31)]


@pytest.mark.parametrize(
    ("levels", "form"),
    [
        (NUMBERS, "numbers"),
        ([f"-{i}e5" for i in range(1, 30)], "numbers"),
        ([*NUMBERS, "n/a"], "numbers"),
        (DATES, "dates"),
        ([f"{day}/12/2021 10:30" for day in range(1, 30)], "dates"),
        ([f"{day} 08:00:00+01:00" for day in DATES], "dates"),
        # Few levels, codes, words, addresses.
        (NUMBERS[:20], None),
        ([f"{i:05d}" for i in range(1, 30)], None),
        ([f"id{i}" for i in range(30)], None),
        ([f"192.168.0.{i}" for i in range(30)], None),
        ([*NUMBERS, *"abc"], None),
        (["."] * 30, None),
    ],
)
def test_the_form_of_levels_is_found(levels, form):
    assert find_form(levels) == form


@pytest.mark.parametrize(
    "make",
    [
        lambda v: pd.DataFrame({"price": v}),
        lambda v: pl.DataFrame({"price": v}),
        lambda v: pd.DataFrame({"price": pd.Series(v, dtype=object)}),
    ],
)
@pytest.mark.parametrize(
    ("values", "form", "function"),
    [(NUMBERS, "numbers", "to_numeric"), (DATES, "dates", "to_datetime")],
)
def test_such_a_column_is_named_in_a_warning(make, values, form, function):
    message = (
        rf"^Column 'price' holds {form} as strings, for example '{values[0]}', and is "
        rf"read as categories.* pandas\.{function} for example"
    )
    with pytest.warns(UserWarning, match=message):
        TabularModality().fit(make([*values, None]))


@pytest.mark.parametrize(
    "block",
    [
        pd.DataFrame({"price": pd.Series(NUMBERS, dtype="category")}),
        pl.DataFrame({"price": pl.Series(NUMBERS, dtype=pl.Categorical)}),
        pd.DataFrame({"grade": [str(i % 10) for i in range(100)]}),
        np.array([[f"id{i}"] for i in range(50)], dtype=object),
    ],
)
def test_categories_are_left_in_peace(block):
    assert list(TabularModality().fit(block).kinds_.values()) == ["categorical"]
