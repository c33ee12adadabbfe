"""Columns that no modality uses: they may be absent or new after fit."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers import FILM, PREDICTORS, exactly, make_coral, make_frame, make_views
from skorch.helper import SliceDict

from skcoral.evaluation import JoinBlocks

# Changes of columns other than year and runtime, which are used, in their order.
CHANGES = {
    "one absent": lambda X: X.drop(columns="seen"),
    "all absent": lambda X: X[["year", "runtime"]],
    "first of all new": lambda X: X.assign(zero=0)[["zero", *X.columns]],
    "new and absent": lambda X: X.drop(columns="mpaa").assign(one=1),
    "in another order": lambda X: X[["seen", "year", "mpaa", "runtime"]],
    "of another kind": lambda X: X.assign(seen="yes", mpaa=1.5),
}
CONTAINERS = {"pandas": lambda X: X, "polars": pl.from_pandas}
COLUMNS = {
    "names": ["year", "runtime"],
    "positions": [0, 1],
    "slice": slice("year", "runtime"),
    "mask": [True, True, False, False, False, False],
    "callable": lambda X: ["year", "runtime"],
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("change", CHANGES)
def test_columns_that_no_modality_uses_do_not_count(container, change):
    X, changed = make_frame(), CHANGES[change](make_frame())
    coral = make_coral(FILM).fit(CONTAINERS[container](X))
    expected = coral.transform(CONTAINERS[container](X))
    np.testing.assert_array_equal(
        coral.transform(CONTAINERS[container](changed)), expected
    )
    assert coral.score(CONTAINERS[container](changed)) == coral.score(
        CONTAINERS[container](X)
    )
    assert coral.feature_names_in_.tolist() == list(X.columns)
    assert coral.n_features_in_ == X.shape[1]


@pytest.mark.parametrize("how", COLUMNS)
def test_it_does_not_matter_how_columns_are_selected(how):
    X = make_frame()
    coral = make_coral([("film", "tabular", COLUMNS[how])]).fit(X)
    fewer = X[["runtime"]].assign(before=0, year=X["year"])[
        ["before", "year", "runtime"]
    ]
    np.testing.assert_array_equal(coral.transform(fewer), coral.transform(X))


@pytest.mark.parametrize("cls", PREDICTORS)
def test_predictors_and_later_trainings_do_without_unused_columns(cls):
    X, y = make_frame(), np.arange(12) % 2
    sizes = {"embed_dim": 8, "max_epochs": 1}
    model = cls(FILM, **sizes, warm_start=True, random_state=0).fit(X, y)
    fewer = X[["year", "runtime"]]
    np.testing.assert_array_equal(model.predict(fewer), model.predict(X))
    assert model.fit(fewer, y).n_iter_ == 2


def test_blocks_that_no_modality_uses_do_not_count():
    X = make_views()
    coral = make_coral([("a", "embedding", "film")]).fit(X)
    expected = coral.transform(X)
    for changed in (
        SliceDict(film=X["film"]),
        SliceDict(audio=X["audio"][:, :1], film=X["film"], new=X["film"]),
    ):
        np.testing.assert_array_equal(coral.transform(changed), expected)
    join = JoinBlocks(["film"]).fit(X)
    np.testing.assert_array_equal(join.transform(SliceDict(film=X["film"])), X["film"])


def test_lengths_are_used():
    X = SliceDict(t=np.zeros((9, 4)), n=np.full(9, 3), other=np.zeros((9, 1)))
    coral = make_coral([("a", "sequence", ["t", "n"])]).fit(X)
    coral.transform(SliceDict(t=X["t"], n=X["n"]))
    with pytest.raises(ValueError, match="yet now missing:\n- n\n"):
        coral.transform(SliceDict(t=X["t"], other=X["other"]))


def test_used_columns_keep_their_order():
    coral = make_coral(FILM).fit(make_frame())
    message = (
        "The feature names should match those that were passed during fit.\n"
        "Feature names must be in the same order as they were in fit.\n"
    )
    with pytest.raises(ValueError, match=exactly(message)):
        coral.transform(make_frame()[["runtime", "year"]])


def test_arrays_keep_their_width():
    X = make_views()["film"]
    coral = make_coral([("a", "tabular", [0, 1])]).fit(X)
    with pytest.raises(ValueError, match="X has 2 features, but COrALTransformer is"):
        coral.transform(X[:, :2])


def test_names_that_are_no_strings_are_counted():
    X = pd.DataFrame(make_views()["film"])
    coral = make_coral([("a", "tabular", [0, 1])]).fit(X)
    with pytest.raises(ValueError, match="X has 2 features, but COrALTransformer is"):
        coral.transform(X[[0, 1]])
