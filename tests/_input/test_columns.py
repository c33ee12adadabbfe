"""Columns: how they are selected, checked again, and read as values of one type."""

import datetime
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from helpers import (
    FILM,
    MARK,
    N_ROWS,
    exactly,
    is_fitted,
    make_coral,
    make_frame,
    make_views,
)
from sklearn.compose import make_column_selector

from skcoral._input.columns import read_columns
from skcoral._input.selection import resolve_columns, select_block

# Selection


def test_unknown_column_suggests_a_close_one():
    coral = make_coral([("film", "tabular", ["year", "runtme"])])
    message = "Unknown column 'runtme' in modality 'film'. Did you mean 'runtime'?"
    with pytest.raises(ValueError, match=exactly(message)):
        coral.fit(make_frame())
    assert not is_fitted(coral)


def test_unknown_column_without_a_close_one_has_no_suggestion():
    message = "Unknown column 'zzz' in modality 'film'."
    with pytest.raises(ValueError, match=exactly(message)):
        make_coral([("film", "tabular", "zzz")]).fit(make_frame())


@pytest.mark.parametrize(
    "convert", [pl.from_pandas, pytest.param(pa.Table.from_pandas)]
)
def test_unknown_column_of_other_frames_suggests_a_close_one(convert):
    message = "Unknown column 'runtme' in modality 'film'. Did you mean 'runtime'?"
    with pytest.raises(ValueError, match=exactly(message)):
        make_coral([("film", "tabular", ["runtme"])]).fit(convert(make_frame()))


def test_unknown_end_of_a_slice_suggests_a_close_one():
    message = "Unknown column 'yeer' in modality 'film'. Did you mean 'year'?"
    with pytest.raises(ValueError, match=exactly(message)):
        make_coral([("film", "tabular", slice("yeer", "mpaa"))]).fit(make_frame())


def test_unknown_key_of_a_slice_dict_suggests_a_close_one():
    message = "Unknown column 'flim' in modality 'a'. Did you mean 'film'?"
    with pytest.raises(ValueError, match=exactly(message)):
        make_coral([("a", "embedding", "flim")]).fit(make_views())


@pytest.mark.parametrize("columns", [["film", "audio"], []])
def test_modality_of_a_slice_dict_has_one_key(columns):
    message = f"Modality 'a' of a SliceDict must name exactly one key. Got {columns!r}."
    with pytest.raises(ValueError, match=exactly(message)):
        make_coral([("a", "embedding", columns)]).fit(make_views())


@pytest.mark.parametrize("columns", [0, slice(0, 1), lambda X: "film", [0]])
def test_key_of_a_slice_dict_must_be_a_name(columns):
    with pytest.raises(ValueError, match=r"^Modality 'a' of a SliceDict must name"):
        make_coral([("a", "embedding", columns)]).fit(make_views())


def test_key_of_a_slice_dict_may_stand_in_a_list():
    X = make_views()
    assert make_coral([("a", "embedding", ["film"])]).fit_transform(X).size


@pytest.mark.parametrize(
    "columns", [[], slice(0, 0), [False] * 6, make_column_selector("nothing")]
)
def test_modality_without_columns_is_refused(columns):
    coral = make_coral([*FILM, ("other", "tabular", columns)])
    message = "Modality 'other' must have at least one column. Got 0."
    with pytest.raises(ValueError, match=exactly(message)):
        coral.fit(make_frame())
    assert not is_fitted(coral)


@pytest.mark.parametrize("columns", [17, [0, 17], 1.5, [True], None])
def test_impossible_selection_names_the_modality(columns):
    message = r"^The columns of modality 'film' cannot be selected: "
    with pytest.raises(ValueError, match=message):
        make_coral([("film", "tabular", columns)]).fit(make_frame())


@pytest.mark.parametrize(
    "columns",
    [
        ["year", "runtime"],
        ("year", "runtime"),
        np.array(["year", "runtime"]),
        pd.Index(["year", "runtime"]),
        [0, 1],
        np.array([0, 1]),
        [-6, -5],
        slice(0, 2),
        slice("year", "runtime"),
        slice(None, 2),
        [True, True, False, False, False, False],
        np.array([True, True, False, False, False, False]),
        make_column_selector(dtype_include="number"),
        make_column_selector("^year$|^runtime$"),
        lambda X: ["year", "runtime"],
        lambda X: [0, 1],
    ],
)
def test_all_ways_to_select_columns_agree(columns):
    X = make_frame()
    expected = make_coral(FILM).fit_transform(X)
    got = make_coral([("film", "tabular", columns)]).fit_transform(X)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("columns", [["runtime", "year"], [1, 0]])
def test_columns_keep_the_order_of_the_selection(columns):
    X = make_frame()
    coral = make_coral([("film", "tabular", columns)]).fit(X)
    assert list(coral.modalities_[0][1].kinds_) == ["runtime", "year"]


def test_scalar_selection_is_one_column():
    X = make_frame()
    by_name = make_coral([("film", "tabular", "runtime")]).fit_transform(X)
    by_place = make_coral([("film", "tabular", 1)]).fit_transform(X)
    np.testing.assert_array_equal(by_name, by_place)


@pytest.mark.parametrize("columns", [[0, 1], slice(0, 2), [True, True, False], [-3, 1]])
def test_columns_of_an_array_are_selected_by_place(columns):
    X = make_views()["film"]
    expected = make_coral().fit_transform(X[:, :2])
    got = make_coral([("table", "tabular", columns)]).fit_transform(X)
    np.testing.assert_array_equal(got, expected)


def test_names_of_columns_need_a_frame():
    message = r"^The columns of modality 'film' cannot be selected: .*dataframe"
    with pytest.raises(ValueError, match=message):
        make_coral([("film", "tabular", ["year"])]).fit(make_views()["film"])


def test_a_column_may_belong_to_two_modalities():
    X = make_frame()
    modalities = [*FILM, ("again", "embedding", ["year"])]
    assert make_coral(modalities).fit_transform(X).shape == (N_ROWS, 16)


def test_integers_are_positions_even_where_names_are_integers():
    X = pd.DataFrame({5: [1.0, 2, 3, 4], 0: ["a", "b", "c", "d"]})
    where = resolve_columns(X, [0], "film")
    assert where == [0]
    columns = read_columns(select_block(X, where))
    np.testing.assert_array_equal(columns[5], [1.0, 2, 3, 4])


@pytest.mark.parametrize("names", [[0, 1, 2], [5, 0, 1], [2, 1, 0], [10, 20, 30]])
def test_auto_reads_every_column_of_integer_names(names):
    X = make_views()["film"]
    got = make_coral().fit_transform(pd.DataFrame(X, columns=names))
    np.testing.assert_array_equal(got, make_coral().fit_transform(X))


def test_frame_of_mixed_name_types_is_refused():
    X = pd.DataFrame({"a": [1.0, 2], 1: [1.0, 2]})
    with pytest.raises(TypeError, match="Feature names are only supported if all"):
        make_coral().fit(X)


def test_frame_with_duplicate_names_is_an_error_that_says_so():
    X = pd.DataFrame(make_views()["film"], columns=["a", "a", "b"])
    with pytest.raises(ValueError, match=r"(?i)(unique|duplicate)"):
        make_coral().fit(X)


# Columns that change after fit


def test_column_that_disappears_is_named():
    coral = make_coral(FILM).fit(make_frame())
    message = "Feature names seen at fit time, yet now missing:\n- year\n" + MARK
    with pytest.raises(ValueError, match=re.escape(message)):
        coral.transform(make_frame().drop(columns="year"))


def test_renamed_columns_are_named():
    coral = make_coral(FILM).fit(make_frame())
    message = (
        "The feature names should match those that were passed during fit.\n"
        "Feature names unseen at fit time:\n- jahr\n"
        "Feature names seen at fit time, yet now missing:\n- year\n" + MARK
    )
    with pytest.raises(ValueError, match=exactly(message)):
        coral.transform(make_frame().rename(columns={"year": "jahr"}))


def test_reordered_columns_are_refused():
    coral = make_coral(FILM).fit(make_frame())
    message = "Feature names must be in the same order as they were in fit."
    with pytest.raises(ValueError, match=message):
        coral.transform(
            make_frame()[["runtime", *make_frame().columns.drop("runtime")]]
        )


def test_array_of_another_width_is_refused():
    coral = make_coral().fit(make_views()["film"])
    message = "X has 2 features, but COrALTransformer is expecting 3 features as input."
    with pytest.raises(ValueError, match=exactly(message)):
        coral.transform(make_views()["audio"])


def test_array_where_a_frame_was_warns_as_in_sklearn():
    X = make_frame()[["year", "runtime"]]
    coral = make_coral().fit(X)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        got = coral.transform(X.to_numpy())
    np.testing.assert_array_equal(got, coral.transform(X))


def test_text_where_numbers_were_names_column_and_value():
    coral = make_coral(FILM).fit(make_frame())
    message = (
        "Modality 'film': Column 'year' was numeric at fit time and is categorical "
        "now, for example 'many'."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        coral.transform(make_frame().assign(year="many"))


def test_dates_where_categories_were_name_the_column():
    coral = make_coral([("film", "tabular", "mpaa")]).fit(make_frame())
    message = r"^Modality 'film': Column 'mpaa' was categorical at fit time and is date"
    with pytest.raises(ValueError, match=message):
        coral.transform(make_frame().assign(mpaa=pd.Timestamp("2020")))


def test_dates_where_numbers_were_name_the_column():
    coral = make_coral(FILM).fit(make_frame())
    message = r"^Modality 'film': Column 'year' was numeric at fit time and is datetime"
    with pytest.raises(ValueError, match=message):
        coral.transform(make_frame().assign(year=pd.Timestamp("2020")))


def test_numbers_where_dates_were_name_the_column():
    coral = make_coral([("film", "tabular", ["released"])]).fit(make_frame())
    message = (
        "Modality 'film': Column 'released' was datetime at fit time and is numeric "
        "now, for example 3.0."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        coral.transform(make_frame().assign(released=3.0))


def test_numbers_where_text_was_name_column_value_and_row():
    coral = make_coral([("credits", "text", "credits")]).fit(make_frame())
    message = (
        "Modality 'credits': Column 'credits' must hold strings, lists of strings or "
        "missing values. Got 3.0 of type 'float' in row 0."
    )
    with pytest.raises(TypeError, match=exactly(message)):
        coral.transform(make_frame().assign(credits=3.0))


def test_a_number_among_texts_is_refused_with_its_row():
    X = make_frame()
    X["credits"] = X["credits"].astype(object)
    X.loc[4, "credits"] = 7
    message = (
        "Modality 'credits': Column 'credits' must hold strings, lists of strings or "
        "missing values. Got 7 of type 'int' in row 4."
    )
    with pytest.raises(TypeError, match=exactly(message)):
        make_coral([("credits", "text", "credits")]).fit(X)


@pytest.mark.parametrize(
    "name",
    [
        "year",
        "mpaa",
        "seen",
        pytest.param("released"),
    ],
)
def test_column_that_is_all_missing_at_transform_is_allowed(name):
    coral = make_coral([("film", "tabular", ["year", "mpaa", "seen", "released"])])
    coral.fit(make_frame())
    X = make_frame().assign(**{name: None})
    assert np.isfinite(coral.transform(X)).all()


def test_text_that_is_all_missing_at_transform_is_allowed():
    modalities = [("credits", "text", "credits"), ("film", "tabular", "year")]
    coral = make_coral(modalities).fit(make_frame())
    assert np.isfinite(coral.transform(make_frame().assign(credits=None))).all()


# Types of values


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pd.Series([1, 2, None], dtype="Int64"), "f"),
        (pd.Series([1.5, None, 2], dtype="Float64"), "f"),
        (pd.Series([1, 2, 3], dtype="uint8"), "f"),
        (pd.Series(["a", None, "b"], dtype="string"), "O"),
        (pd.Series(["a", None, "b"], dtype="category"), "O"),
        (pd.Series([True, None, False], dtype="boolean"), "f"),
        (pd.Series([True, False, True]), "b"),
        (pd.Series([True, None, False], dtype=object), "f"),
        (pd.to_datetime(pd.Series(["2020-01-01", None, "2020-01-02"])), "M"),
        (
            pd.Series(pd.to_datetime(["2020-01-01"] * 3)).dt.tz_localize("Asia/Tokyo"),
            "M",
        ),
        (pd.Series([datetime.date(2020, 1, 1), None, pd.NaT], dtype=object), "M"),
        (pd.Series([datetime.datetime(2020, 1, 1), None, None], dtype=object), "M"),
        (pd.Series([None, None, None], dtype=object), "f"),
        pytest.param(
            pd.Series([Decimal("1.5"), None, Decimal("2")], dtype=object),
            "f",
        ),
        (pl.Series(["a", None, "b"], dtype=pl.Categorical), "O"),
        (pl.Series(["a", None, "b"], dtype=pl.Enum(["a", "b"])), "O"),
        (pl.Series([1, None, 3]), "f"),
        (pl.Series([True, None, False]), "f"),
        (pl.Series([datetime.date(2020, 1, 1), None, None]), "M"),
        (pl.Series([datetime.datetime(2020, 1, 1), None, None]), "M"),
        (pl.Series([None, None, None]), "f"),
        (pl.Series([Decimal("1.5"), None, Decimal("2.0")]), "f"),
    ],
)
def test_values_get_their_natural_type(values, kind):
    library = pd if isinstance(values, pd.Series) else pl
    (read,) = read_columns(library.DataFrame({"x": values})).values()
    assert read.dtype.kind == kind
    missing = [pd.isna(value) for value in values.to_list()]
    assert pd.isna(read).tolist() == missing


def test_category_of_numbers_is_a_category():
    X = pd.DataFrame({"x": pd.Series([10, None, 30], dtype="category"), "y": 1.0})
    coral = make_coral([("film", "tabular", ["x", "y"])]).fit(X)
    assert coral.modalities_[0][1].kinds_["x"] == "categorical"


def test_numbers_beside_strings_in_a_list_stay_numbers():
    coral = make_coral().fit([[1.5, "a"], [2, "b"], [3, "a"]])
    kinds = coral.modalities_[0][1].kinds_
    assert list(kinds.values()) == ["numeric", "categorical"]


def test_time_zones_are_converted_to_utc():
    zoned = pd.Series(pd.to_datetime(["2020-01-01 09:00"])).dt.tz_localize("Asia/Tokyo")
    (read,) = read_columns(pd.DataFrame({"x": zoned})).values()
    assert read[0] == np.datetime64("2020-01-01T00:00")


def test_zoned_object_dates_are_converted_to_utc():
    zone = datetime.timezone(datetime.timedelta(hours=9))
    values = [datetime.datetime(2020, 1, 1, 9, tzinfo=zone), None]
    X = pd.DataFrame({"x": pd.Series(values, dtype=object)})
    (read,) = read_columns(X).values()
    assert read[0] == np.datetime64("2020-01-01T00:00")
    assert np.isnat(read[1])


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT, float("nan")])
def test_every_mark_of_a_missing_value_becomes_none(missing):
    block = np.array([["a"], [missing], ["b"]], dtype=object)
    assert read_columns(block)[0].tolist() == ["a", None, "b"]


def test_nan_inside_a_nullable_column_is_missing():
    X = pl.DataFrame({"x": [1.0, float("nan"), None]})
    np.testing.assert_array_equal(read_columns(X)["x"], [1.0, np.nan, np.nan])
