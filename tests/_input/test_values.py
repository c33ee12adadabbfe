"""Infinite, constant and missing values, as fit and transform of COrAL meet them."""

import numpy as np
import pandas as pd
import pytest
from helpers import (
    FILM,
    N_ROWS,
    exactly,
    is_fitted,
    make_coral,
    make_frame,
    make_views,
)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["tabular", "embedding"])
def test_infinite_value_in_a_frame_names_its_column(kind, value):
    X = make_frame()
    X.loc[3, "year"] = value
    coral = make_coral([("film", kind, ["runtime", "year"])])
    message = "Modality 'film': Input X contains infinity in column 'year'."
    with pytest.raises(ValueError, match=exactly(message)):
        coral.fit(X)
    assert not is_fitted(coral)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_value_at_transform_names_its_column(value):
    coral = make_coral(FILM).fit(make_frame())
    X = make_frame()
    X.loc[3, "year"] = value
    message = "Modality 'film': Input X contains infinity in column 'year'."
    with pytest.raises(ValueError, match=exactly(message)):
        coral.transform(X)
    assert is_fitted(coral)


@pytest.mark.parametrize(
    "kind",
    [
        "tabular",
        pytest.param("embedding"),
    ],
)
def test_infinite_value_in_an_array_names_its_column(kind):
    X = make_views()["film"]
    X[3, 1] = np.inf
    message = "Modality 'film': Input X contains infinity in column 1."
    with pytest.raises(ValueError, match=exactly(message)):
        make_coral([("film", kind, [0, 1, 2])]).fit(X)


def test_infinite_value_names_the_column_of_x_not_of_the_block():
    X = make_views()["film"]
    X[3, 2] = np.inf
    message = "Modality 'film': Input X contains infinity in column 2."
    with pytest.raises(ValueError, match=exactly(message)):
        make_coral([("film", "tabular", [1, 2])]).fit(X)


@pytest.mark.parametrize("value", [1.0, "a", True, None, np.nan, pd.NaT])
def test_constant_or_missing_column_is_allowed(value):
    X = make_frame().assign(flat=[value] * N_ROWS)
    coral = make_coral([("film", "tabular", ["year", "flat"])]).fit(X)
    assert np.isfinite(coral.transform(X)).all()
    assert np.isfinite(coral.score(X))


def test_table_of_nothing_but_missing_values_is_refused():
    X = pd.DataFrame({"a": [np.nan] * 4, "b": [None] * 4})
    with pytest.raises(ValueError, match=r"^Modality 'table': .* in every row"):
        make_coral().fit(X)


def test_empty_text_is_refused_with_the_name_of_its_modality():
    X = make_frame().assign(credits=[None, ""] * (N_ROWS // 2))
    coral = make_coral([("credits", "text", "credits")])
    message = "Modality 'credits': The text columns hold no text at all."
    with pytest.raises(ValueError, match=exactly(message)):
        coral.fit(X)
    assert not is_fitted(coral)


def test_strange_object_in_a_cell_is_refused():
    X = make_frame().assign(odd=[{"a": 1}] + ["x"] * (N_ROWS - 1))
    message = (
        "Modality 'table': Column 'odd': argument must be a string or a real number, "
        "not 'dict'."
    )
    with pytest.raises(TypeError, match=exactly(message)):
        make_coral().fit(X)


@pytest.mark.parametrize("value", [[1, 2], np.zeros(2), 1j, b"bytes"])
def test_objects_that_are_no_values_are_refused(value):
    X = pd.DataFrame({"a": [1.0] * 4, "odd": pd.Series([value] * 4, dtype=object)})
    with pytest.raises(TypeError, match=r"^Modality 'film': Column 'odd': argument"):
        make_coral([("film", "tabular", ["a", "odd"])]).fit(X)
