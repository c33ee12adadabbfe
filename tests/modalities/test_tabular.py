"""Tables turned into numbers: values, levels, dates, of every kind of frame."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from helpers import exactly, make_coral_of

from skcoral import TabularModality


def tabular(values, **params):
    """Return one column as TabularModality fits and transforms it."""
    block = pd.DataFrame({"x": values})
    return TabularModality(**params).fit(block).transform(block)[:, 0]


def test_numbers_come_first_and_levels_after():
    block = pd.DataFrame({"c": ["a", "b", "a"], "x": [1.0, 2.0, 3.0]})
    spec = TabularModality().fit(block)
    assert spec.kinds_ == {"c": "categorical", "x": "numeric"}
    assert spec.transform(block)[:, 1].tolist() == [1, 2, 1]


def test_numbers_are_scaled_in_order():
    out = tabular([1.0, 1e9, 2.0, -5.0])
    assert np.argsort(out).tolist() == [3, 0, 2, 1]
    np.testing.assert_allclose([out.mean(), out.std()], [0, 1], atol=1e-5)


def test_missing_numbers_stay_missing():
    assert np.isnan(tabular([1.0, np.nan, 3.0])).tolist() == [False, True, False]


@pytest.mark.parametrize("value", [0.0, 5.0, True])
def test_constant_column_is_zero_and_not_missing(value):
    assert np.ptp(tabular([value] * 5)) == 0
    assert np.isfinite(tabular([value] * 5)).all()


@pytest.mark.parametrize("values", [[np.nan] * 3, [None] * 3, [pd.NaT] * 3])
def test_column_without_a_value_is_missing(values):
    assert np.isnan(tabular(values)).all()


def test_value_in_a_column_that_was_empty_in_fit_is_finite():
    spec = TabularModality().fit(pd.DataFrame({"x": [None, None]}))
    assert np.isfinite(spec.transform(pd.DataFrame({"x": [3.0, -3.0]}))).all()


def test_text_in_a_column_that_was_empty_in_fit_names_the_column():
    spec = TabularModality().fit(pd.DataFrame({"x": [None, None]}))
    message = (
        "Column 'x' was numeric at fit time and is categorical now, for example 'a'."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        spec.transform(pd.DataFrame({"x": ["a", "b"]}))


def test_numbers_beyond_those_of_fit_are_clipped():
    spec = TabularModality().fit(pd.DataFrame({"x": [0.0, 1.0, 2.0]}))
    out = spec.transform(pd.DataFrame({"x": [2.0, 1e30, -1e30, 0.0]}))[:, 0]
    assert out[0] == out[1]
    assert out[2] == out[3]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_booleans_with_gaps_are_numbers(missing):
    out = tabular(pd.Series([True, missing, False, True], dtype="boolean"))
    assert out[0] == out[3] > out[2]
    assert np.isnan(out[1])


def test_unseen_level_has_code_zero():
    spec = TabularModality().fit(pd.DataFrame({"x": ["a", "b"]}))
    out = spec.transform(pd.DataFrame({"x": ["b", "new", None]}))[:, 0]
    assert out[:2].tolist() == [2, 0]


def test_missing_level_is_missing_whether_fit_saw_it_or_not():
    for values in (["a", "b"], ["a", None]):
        spec = TabularModality().fit(pd.DataFrame({"x": values}))
        out = spec.transform(pd.DataFrame({"x": ["a", None]}))[:, 0]
        assert np.isnan(out).tolist() == [False, True]


def test_rare_levels_share_one_code():
    values = ["a"] * 5 + ["b"] * 4 + ["c", "d", "e"]
    spec = TabularModality(max_categories=3).fit(pd.DataFrame({"x": values}))
    out = spec.transform(pd.DataFrame({"x": ["a", "b", "c", "d", "e", "new"]}))[:, 0]
    assert len(set(out[:3].tolist())) == 3
    assert out[2] == out[3] == out[4]
    assert out[5] == 0


def test_codes_stay_below_the_cardinality_at_high_cardinality():
    values = [f"id{i}" for i in range(300)]
    block = pd.DataFrame({"x": values})
    spec = TabularModality().fit(block)
    codes = spec.transform(pd.DataFrame({"x": [*values, "new"]}))
    assert spec.cardinalities_ == [101]
    assert codes.max() == 100
    assert codes.min() == 0


def test_estimator_embeds_unseen_levels_of_high_cardinality():
    block = pd.DataFrame({"x": [f"id{i}" for i in range(300)]})
    coral = make_coral_of("tabular", ["x"]).fit(block)
    assert np.isfinite(coral.transform(block + "new")).all()


@pytest.mark.parametrize("values", [[1, "a", 2.5], [True, "a", 3], [0, "0.5", False]])
def test_level_does_not_depend_on_the_other_rows(values):
    block = pd.DataFrame({"x": pd.Series(values, dtype=object)})
    spec = TabularModality().fit(block)
    alone = [spec.transform(block[i : i + 1])[0, 0] for i in range(len(values))]
    assert alone == spec.transform(block)[:, 0].tolist()


def test_numbers_in_a_categorical_column_are_levels():
    spec = TabularModality().fit(pd.DataFrame({"x": ["1", "2", "x"]}))
    out = spec.transform(pd.DataFrame({"x": [1, 2]}))[:, 0]
    assert out.tolist() == [1, 2]


def test_mixed_numbers_and_strings_are_levels():
    spec = TabularModality().fit(pd.DataFrame({"x": [1, "a", 2.5, None]}, dtype=object))
    assert spec.kinds_ == {"x": "categorical"}


def test_dates_become_time_and_seasons():
    block = pd.DataFrame({"x": pd.date_range("2020-01-01", periods=6, freq="D")})
    spec = TabularModality().fit(block)
    out = spec.transform(block)
    assert spec.kinds_ == {"x": "datetime"}
    assert out.shape == (6, spec.n_numeric_) == (6, 7)
    assert (np.diff(out[:, 0]) > 0).all()


def test_missing_dates_stay_missing():
    block = pd.DataFrame({"x": pd.to_datetime(["2020-01-01", None, "2021-05-01"])})
    out = TabularModality().fit(block).transform(block)
    assert np.isnan(out).all(axis=1).tolist() == [False, True, False]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_resolution_of_dates_does_not_matter(unit):
    days = pd.date_range("2020-01-01", periods=5, freq="36h")
    spec = TabularModality().fit(pd.DataFrame({"x": days}))
    expected = spec.transform(pd.DataFrame({"x": days}))
    got = spec.transform(pd.DataFrame({"x": days.as_unit(unit)}))
    np.testing.assert_array_equal(got, expected)


def test_dates_of_all_kinds_agree():
    days = pd.Series(pd.date_range("2020-01-01", periods=5, freq="D"))
    times = [day.to_pydatetime() for day in days]
    frames = [
        pd.DataFrame({"x": days}),
        pd.DataFrame({"x": days.dt.tz_localize("UTC")}),
        pd.DataFrame({"x": pd.Series(list(days.dt.date), dtype=object)}),
        pd.DataFrame({"x": pd.Series(times, dtype=object)}),
        pl.DataFrame({"x": list(days.dt.date)}),
        pl.DataFrame({"x": times}),
        pl.DataFrame({"x": days.dt.tz_localize("UTC").to_list()}),
        pa.table({"x": list(days.dt.date)}),
        days.to_numpy()[:, None],
        np.array(list(days.dt.date), dtype=object)[:, None],
    ]
    spec = TabularModality().fit(frames[0])
    for frame in frames[1:]:
        np.testing.assert_array_equal(spec.transform(frame), spec.transform(frames[0]))


FRAMES = {
    "x": [1.5, None, 3.0, 4.0],
    "n": [1, 2, None, 4],
    "c": ["a", "b", None, "a"],
    "b": [True, None, False, True],
}


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(pl.DataFrame, id="polars"),
        pytest.param(pa.table, id="pyarrow"),
        pytest.param(lambda d: pd.DataFrame(d, dtype=object), id="object"),
        pytest.param(lambda d: pd.DataFrame(d).convert_dtypes(), id="nullable"),
        pytest.param(
            lambda d: pd.DataFrame(d).convert_dtypes(dtype_backend="pyarrow"),
            id="pandas-pyarrow",
        ),
        pytest.param(
            lambda d: pd.DataFrame(d).astype({"c": "category"}), id="category"
        ),
        pytest.param(
            lambda d: pl.DataFrame(d).cast({"c": pl.Categorical}), id="Categorical"
        ),
        pytest.param(
            lambda d: pl.DataFrame(d).cast({"c": pl.Enum(["b", "a"])}), id="Enum"
        ),
        pytest.param(
            lambda d: pd.DataFrame(d, dtype=object).to_numpy(), id="numpy-object"
        ),
    ],
)
def test_frame_libraries_give_the_same_arrays(make):
    expected = (
        TabularModality().fit(pd.DataFrame(FRAMES)).transform(pd.DataFrame(FRAMES))
    )
    block = make(FRAMES)
    np.testing.assert_array_equal(
        TabularModality().fit(block).transform(block), expected
    )


def test_strings_of_numpy_are_levels():
    out = TabularModality().fit(np.array([["a"], ["b"]])).transform(np.array([["b"]]))
    assert out.tolist() == [[2]]


def test_numbers_written_as_strings_are_levels():
    spec = TabularModality().fit(pd.DataFrame({"x": ["1.0", "2.0"]}))
    assert spec.kinds_ == {"x": "categorical"}


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_number_names_its_column(value):
    message = "Input X contains infinity in column 'x'."
    with pytest.raises(ValueError, match=exactly(message)):
        tabular([1.0, value])
