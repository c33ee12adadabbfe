"""Dates, time zones, periods and durations, of every type and container."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers import as_column, exactly

from skcoral import TabularModality
from skcoral._input.columns import read_columns
from skcoral._input.dates import date_features, to_seconds

DAYS = np.array(["2020-01-01", "2021-07-14", "1969-12-31", "2400-02-29"], "M8[D]")
SPANS = np.array([1, -3, 86_400, 0], "m8[s]")


def read(block):
    """Return the only column of a block."""
    (values,) = read_columns(block).values()
    return values


def as_frame(values):
    return pd.DataFrame({"x": pd.Series(list(values), dtype=object)})


CELLS = {
    "datetime64": list(DAYS),
    "Timestamp": [pd.Timestamp(day) for day in DAYS],
    "date": DAYS.tolist(),
    "datetime": DAYS.astype("M8[us]").tolist(),
    "Period": [pd.Period(day, freq="D") for day in DAYS],
    "mixed": [DAYS[0], pd.Timestamp(DAYS[1]), DAYS[2].item(), DAYS.astype("M8[us]")[3]],
}


@pytest.mark.parametrize("make", [as_column, as_frame])
@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_dates_in_object_cells_are_dates(cells, make):
    np.testing.assert_array_equal(read(make(cells)), DAYS.astype("M8[us]"))


def test_periods_of_a_frame_are_their_starts():
    months = pd.period_range("2020-01", periods=3, freq="M")
    values = read(pd.DataFrame({"x": months}))
    assert values.astype("M8[D]").astype(str).tolist()[1] == "2020-02-01"


DURATIONS = {
    "timedelta64": list(SPANS),
    "Timedelta": [pd.Timedelta(span) for span in SPANS],
    "timedelta": SPANS.tolist(),
}


@pytest.mark.parametrize("make", [as_column, as_frame])
@pytest.mark.parametrize("cells", DURATIONS.values(), ids=DURATIONS)
def test_durations_in_object_cells_are_seconds(cells, make):
    np.testing.assert_array_equal(read(make(cells)), [1.0, -3.0, 86_400.0, 0.0])


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize(
    "make",
    [
        lambda spans: spans[:, None],
        lambda spans: pd.DataFrame({"x": spans}),
        lambda spans: pl.from_pandas(pd.DataFrame({"x": spans})),
        lambda spans: pd.DataFrame({"x": spans}).astype("duration[us][pyarrow]"),
    ],
    ids=["numpy", "pandas", "polars", "pyarrow"],
)
def test_durations_are_seconds_in_every_container(make, unit):
    values = read(make(SPANS.astype(f"m8[{unit}]")))
    np.testing.assert_array_equal(values, [1.0, -3.0, 86_400.0, 0.0])


@pytest.mark.parametrize(
    ("unit", "seconds"),
    [("Y", 31_556_952), ("M", 2_629_746), ("W", 604_800), ("as", 1e-18)],
)
def test_units_of_durations_have_their_lengths(unit, seconds):
    spans = np.array([2, "NaT"], dtype=f"m8[{unit}]")
    np.testing.assert_allclose(to_seconds(spans), [2 * seconds, np.nan], rtol=1e-15)


def test_missing_durations_are_missing():
    values = [datetime.timedelta(1), None, pd.NaT, np.timedelta64("NaT")]
    assert np.isnan(read(as_column(values))).tolist() == [False, True, True, True]


# Time zones


@pytest.mark.parametrize("end", [datetime.datetime.max, datetime.datetime.min])
@pytest.mark.parametrize("hours", [-12, 0, 12])
def test_the_first_and_the_last_time_may_have_any_zone(end, hours):
    zone = datetime.timezone(datetime.timedelta(hours=hours))
    expected = np.datetime64(end, "us") - np.timedelta64(hours, "h")
    assert read(as_column([end.replace(tzinfo=zone)])) == expected


def test_a_time_with_a_zone_is_that_of_utc_in_every_container():
    local = pd.Timestamp("2020-01-01 09:00", tz="Asia/Tokyo")
    blocks = [
        as_column([local]),
        as_column([local.to_pydatetime()]),
        pd.DataFrame({"x": [local]}),
        pd.DataFrame({"x": [local]}, dtype="timestamp[us, Asia/Tokyo][pyarrow]"),
        pl.DataFrame({"x": [local]}),
    ]
    for block in blocks:
        assert read(block)[0] == np.datetime64("2020-01-01T00:00")


# Range and precision


def test_times_within_one_second_differ():
    times = np.datetime64("2020-01-01") + np.arange(200).astype("m8[us]")
    assert len(np.unique(date_features(times)[:, 0])) == 200


@pytest.mark.parametrize("year", [300_000, -9_000, 10**9])
def test_distant_dates_are_honoured(year):
    day = np.datetime64(year - 1970, "Y").astype("M8[D]")
    features = date_features(np.array([day, np.datetime64("1970-01-01")]))
    assert np.isfinite(features).all()
    assert np.sign(features[0, 0]) == np.sign(year - 1970)
    assert features[0, 0] == day.astype(np.int64) * 86_400.0


@pytest.mark.parametrize("make", [lambda v: v, lambda v: as_column(list(v[:, 0]))])
def test_dates_beyond_the_range_are_refused_by_name(make):
    block = np.array([[10**12, 1]], dtype="M8[Y]").T
    message = "Column 0 holds 1000000001970, too far away for a date."
    with pytest.raises(ValueError, match=exactly(message)):
        TabularModality().fit(make(block))


@pytest.mark.parametrize(
    "day", [np.datetime64("300000-01-01"), pd.Timestamp(np.datetime64("300000", "s"))]
)
def test_distant_dates_in_object_cells_are_refused_by_name(day):
    with pytest.raises(ValueError, match=r"^Column 0 holds 300000-01-01.*too far away"):
        TabularModality().fit(as_column([day, np.datetime64("2020-01-01")]))


def test_distant_dates_of_a_frame_are_honoured():
    days = np.array(["300000-01-01", "2020-01-01"], "M8[s]")
    np.testing.assert_array_equal(read(pd.DataFrame({"x": days})), days)


@pytest.mark.parametrize("other", [3.0, "a", datetime.timedelta(1)])
def test_dates_beside_other_things_are_refused(other):
    block = as_column([datetime.date(2020, 1, 1), other])
    with pytest.raises(TypeError, match=r"^Column 0: argument must be a string or a"):
        TabularModality().fit(block)
