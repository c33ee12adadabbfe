"""Films without columns that leak, and what comes with them."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from skcoral import COrALTransformer
from skcoral.datasets import load_movies

TABLE = "year month runtime mpaa language country n_languages n_countries".split()

COLUMNS = {
    "genre": [*TABLE, "box_office", "n_reviews", "text"],
    "fresh": [*TABLE, "text"],
    "meter": [*TABLE, "text"],
}


@pytest.fixture(scope="module", params=list(COLUMNS))
def movies(request):
    return load_movies(target=request.param)


def test_movies_offer_exactly_the_columns_that_do_not_leak(movies):
    assert list(movies.data.columns) == COLUMNS[movies.target.name]
    assert movies.feature_names == COLUMNS[movies.target.name]


def test_no_movie_is_left_out_as_no_target_is_missing(movies):
    assert len(movies.data) == len(movies.target) == 16_583
    assert movies.target.notna().all()
    assert movies.data["mpaa"].isna().mean() == pytest.approx(0.85, abs=0.005)


def test_frame_of_movies_is_data_and_target(movies):
    name = movies.target.name
    pd.testing.assert_frame_equal(movies.frame.drop(columns=name), movies.data)
    pd.testing.assert_series_equal(movies.frame[name], movies.target)


def test_array_of_movies_equals_the_frame(movies):
    arrays = load_movies(target=movies.target.name, as_frame=False)
    assert isinstance(arrays.data, np.ndarray)
    assert isinstance(arrays.target, np.ndarray)
    assert arrays.data.dtype == object
    missing = movies.data.isna().to_numpy()
    np.testing.assert_array_equal(pd.isna(arrays.data), missing)
    assert all(isinstance(value, float) for value in arrays.data[missing])
    same = arrays.data == movies.data.to_numpy(dtype=object)
    assert same[~missing].all()
    np.testing.assert_array_equal(arrays.target, movies.target)
    assert arrays.feature_names == movies.feature_names
    assert arrays.frame is None


def test_modalities_of_movies_cover_each_column_once(movies):
    (_, tabular, table), (_, text, column) = movies.modalities
    assert (tabular, text) == ("tabular", "text")
    assert [*table, column] == movies.feature_names
    arrays = load_movies(target=movies.target.name, as_frame=False)
    (_, _, positions), (_, _, position) = arrays.modalities
    assert [*positions, position] == list(range(len(movies.feature_names)))


@pytest.mark.parametrize("as_frame", [True, False])
def test_modalities_of_movies_are_ready_for_the_estimator(as_frame):
    movies = load_movies(target="fresh", as_frame=as_frame)
    X = movies.data[:60]
    sizes = {"embed_dim": 8, "head_dim": 8, "head_hidden_dim": 8, "max_epochs": 1}
    coral = COrALTransformer(movies.modalities, random_state=0, **sizes)
    assert len(coral.fit_transform(X)) == 60


def test_return_X_y_gives_data_and_target(movies):
    X, y = load_movies(target=movies.target.name, return_X_y=True)
    pd.testing.assert_frame_equal(X, movies.data)
    pd.testing.assert_series_equal(y, movies.target)
    X, y = load_movies(return_X_y=True, as_frame=False)
    assert X.shape == (16_583, 11)
    assert y.shape == (16_583,)


def test_targets_of_movies():
    genre, fresh, meter = (load_movies(target=name) for name in COLUMNS)
    assert genre.target_names == sorted(genre.target.unique())
    assert len(genre.target_names) == 12
    assert fresh.target_names == ["rotten", "fresh"]
    np.testing.assert_array_equal(fresh.target, meter.target >= 60)
    assert fresh.target.dtype.kind == "i"
    assert "target_names" not in meter
    assert meter.target.dtype == float
    assert meter.target.between(0, 100).all()


def test_movies_state_licence_and_source(movies):
    for words in ("CC0-1.0", "Wikidata", "bokeh-sampledata"):
        assert words in movies.DESCR


def test_each_call_gives_data_of_its_own():
    first = load_movies()
    first.data.loc[:, "year"] = 0
    first.modalities[0][2].clear()
    second = load_movies()
    assert (second.data["year"] > 0).all()
    assert second.modalities[0][2] == COLUMNS["genre"][:-1]


@pytest.mark.parametrize("target", ["oscars", None])
def test_unknown_target_of_movies_is_named(target):
    message = (
        "The 'target' parameter of load_movies must be a str among "
        rf"\{{'genre', 'fresh', 'meter'\}}. Got {target!r} instead."
    )
    with pytest.raises(ValueError, match=message):
        load_movies(target=target)


def test_import_does_without_pandas_and_matplotlib():
    # scikit-learn imports pandas where it is installed, so it is made impossible.
    code = """
import sys
sys.modules["pandas"] = sys.modules["matplotlib"] = None
from skcoral.datasets import load_movies, make_multimodal_interactions
make_multimodal_interactions(5, random_state=0)
try:
    load_movies()
except ImportError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "pip install 'skcoral[frame]'" in done.stdout
