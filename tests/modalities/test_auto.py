"""What modalities="auto" chooses, and the names it finds."""

import numpy as np
import pytest
from helpers import N_ROWS, exactly, make_coral, make_frame, make_views
from scipy import sparse
from sklearn.base import clone
from skorch.helper import SliceDict

from skcoral import EmbeddingModality, TabularModality, TextModality


def chosen(X, **params):
    """Return (name, class, columns) of what "auto" chooses."""
    modalities = make_coral(**params).fit(X).modalities_
    return [(name, type(spec), columns) for name, spec, columns in modalities]


def test_auto_puts_free_text_alone_and_the_rest_in_a_table():
    rest = ["year", "runtime", "mpaa", "seen", "released"]
    assert chosen(make_frame()) == [
        ("table", TabularModality, rest),
        ("credits", TextModality, "credits"),
    ]


def test_auto_makes_one_modality_of_each_text():
    X = make_frame()[["credits"]].assign(plot=lambda X: "once " + X["credits"])
    assert chosen(X) == [
        ("credits", TextModality, "credits"),
        ("plot", TextModality, "plot"),
    ]


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(["very long repeated level"] * N_ROWS, id="few-distinct"),
        pytest.param([f"id{i}" for i in range(N_ROWS)], id="one-word"),
        pytest.param([f"first{i} last{i}" for i in range(N_ROWS)], id="two-words"),
    ],
)
def test_auto_takes_levels_for_categories(values):
    X = make_frame()[["year"]].assign(x=values)
    assert chosen(X) == [("table", TabularModality, ["year", "x"])]


def test_auto_sees_text_with_missing_values():
    X = make_frame()
    X.loc[0, "credits"] = None
    assert chosen(X)[1] == ("credits", TextModality, "credits")


def test_auto_makes_one_table_of_a_float_array():
    assert chosen(make_views()["film"]) == [("table", TabularModality, [0, 1, 2])]


def test_auto_reads_an_object_array():
    X = make_frame()[["year", "credits"]].to_numpy(dtype=object)
    assert chosen(X) == [("table", TabularModality, [0]), ("1", TextModality, 1)]


def test_auto_reads_the_blocks_of_a_slice_dict_by_shape():
    frame = make_frame()
    X = SliceDict(
        vectors=make_views()["film"],
        sparse=sparse.csr_matrix(np.eye(N_ROWS)),
        mixed=frame[["year", "mpaa"]].to_numpy(dtype=object),
        texts=frame["credits"].to_numpy(dtype=object),
        numbers=frame["year"].to_numpy(),
    )
    assert chosen(X) == [
        ("vectors", EmbeddingModality, "vectors"),
        ("sparse", EmbeddingModality, "sparse"),
        ("mixed", TabularModality, "mixed"),
        ("texts", TextModality, "texts"),
        ("numbers", TabularModality, "numbers"),
    ]


def test_auto_refuses_blocks_of_more_dimensions():
    X = SliceDict(video=np.zeros((4, 3, 3, 3, 2)))
    message = (
        "No kind of modality fits the block 'video' of shape (4, 3, 3, 3, 2). Name the "
        "modalities to choose one."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        make_coral().fit(X)


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("shared", "shared_text"),
        ("table", "table_text"),
        ("lr", "lr_text"),
        ("random_state", "random_state_text"),
        ("a__b", "a_b"),
        pytest.param("a____b", "a_b"),
        pytest.param("a___b", "a_b"),
        ("__", "text"),
    ],
)
def test_auto_finds_a_free_name_for_a_text(column, name):
    X = make_frame()[["year", "credits"]].rename(columns={"credits": column})
    assert chosen(X)[1] == (name, TextModality, column)


def test_auto_finds_free_names_for_texts_that_collide():
    X = make_frame()[["credits"]].rename(columns={"credits": "a__b"})
    X["a_b"] = X["a__b"]
    assert [name for name, _, _ in chosen(X)] == ["a_b", "a_b_text"]


@pytest.mark.parametrize("key", ["shared", "lr", "a__b"])
def test_auto_takes_any_key_of_a_slice_dict(key):
    X = SliceDict(**{key: make_views()["film"], "audio": make_views()["audio"]})
    names = [name for name, _, _ in chosen(X)]
    assert len(set(names)) == 2
    assert key not in names


@pytest.mark.parametrize("name", ["plot.summary", "keys", "type", "forward", "train"])
def test_names_that_mean_something_to_torch_are_allowed(name):
    X = make_frame()[["year", "credits"]].rename(columns={"credits": name})
    assert chosen(X)[1] == (name, TextModality, name)


def test_auto_output_names_follow_the_chosen_modalities():
    coral = make_coral().fit(make_frame())
    names = coral.get_feature_names_out()
    assert list(coral.output_indices_) == ["shared", "table", "credits"]
    assert names[0] == "shared_0"
    assert names[-1] == "credits_3"


def test_auto_stays_auto_after_fit():
    coral = make_coral().fit(make_frame())
    assert coral.modalities == "auto"
    assert clone(coral).modalities == "auto"
