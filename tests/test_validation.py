"""What X may be, which columns a modality gets, and the wording of errors."""

import datetime
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_selector
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted
from skorch.helper import SliceDict

from skcoral import COrALTransformer, EmbeddingModality, TabularModality, TextModality
from skcoral._input.columns import read_columns
from skcoral._input.containers import resolve_columns, select_block

N_ROWS = 12


def make_coral(modalities="auto", **params):
    """Return an estimator that trains in milliseconds."""
    sizes = {"embed_dim": 8, "head_dim": 8, "head_hidden_dim": 8, "max_epochs": 1}
    return COrALTransformer(modalities, **{**sizes, "random_state": 0, **params})


def make_frame(n_rows=N_ROWS):
    """Return a frame with numbers, categories, booleans, dates and free text."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "year": rng.normal(size=n_rows),
            "runtime": rng.integers(60, 200, size=n_rows),
            "mpaa": np.resize(["PG", "R", "G"], n_rows),
            "seen": np.resize([True, False], n_rows),
            "released": pd.date_range("2020-01-01", periods=n_rows, freq="D"),
            "credits": [f"directed by person{i} and others" for i in range(n_rows)],
        }
    )


def make_views(n_rows=N_ROWS):
    """Return two dense blocks."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(n_rows, 3)), rng.normal(size=(n_rows, 2))
    return SliceDict(film=a, audio=b)


def is_fitted(estimator):
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def learnt(estimator):
    """Return the names of what a fit left behind."""
    return [name for name in vars(estimator) if name.endswith("_")]


def exactly(message):
    """Return a pattern for the whole of a message."""
    return f"^{re.escape(message)}$"


FILM = [("film", "tabular", ["year", "runtime"])]


# Parameters


@pytest.mark.parametrize(
    ("params", "rule"),
    [
        ({"temperature": 0}, "'temperature' {} a float in the range (0.0, inf). Got 0"),
        ({"lr": -1.0}, "'lr' {} a float in the range (0.0, inf). Got -1.0"),
        ({"embed_dim": 0}, "'embed_dim' {} an int in the range [1, inf). Got 0"),
        ({"embed_dim": 8.0}, "'embed_dim' {} an int in the range [1, inf). Got 8.0"),
        ({"dropout": 1}, "'dropout' {} a float in the range [0.0, 1.0). Got 1"),
        ({"batch_size": 0}, "'batch_size' {} an int in the range [2, inf). Got 0"),
        ({"n_layers": 0}, "'n_layers' {} an int in the range [1, inf). Got 0"),
        (
            {"ortho_weight": -1},
            "'ortho_weight' {} a float in the range [0.0, inf). Got -1",
        ),
        (
            {"validation_fraction": 1.0},
            "'validation_fraction' {} a float in the range (0.0, 1.0). Got 1.0",
        ),
        ({"embed_dim": 10}, "'embed_dim' {} a multiple of 'n_heads' (now 4). Got 10"),
        ({"device": 0}, "'device' {} an instance of 'str'. Got 0"),
        (
            {"mask_ratio": [0.5, 2]},
            "'mask_ratio' {} a float in the range [0.0, 1.0] or a non-empty sequence "
            "of them. Got [0.5, 2]",
        ),
        (
            {"mask_ratio": []},
            "'mask_ratio' {} a float in the range [0.0, 1.0] or a non-empty sequence "
            "of them. Got []",
        ),
    ],
)
def test_bad_parameter_is_named_with_rule_and_value(params, rule):
    rule = rule.replace(" {}", " parameter of COrALTransformer must be")
    coral = make_coral(**params)
    with pytest.raises(ValueError, match=exactly(f"The {rule} instead.")):
        coral.fit(make_frame())
    assert not is_fitted(coral)


@pytest.mark.parametrize("name", ["output", "mask_mode", "orthogonality"])
def test_unknown_word_lists_the_known_ones(name):
    message = (
        rf"^The '{name}' parameter of COrALTransformer must be a str among \{{'.*'\}}. "
        r"Got 'nonsense' instead\.$"
    )
    with pytest.raises(ValueError, match=message):
        make_coral(**{name: "nonsense"}).fit(make_frame())


def test_unknown_device_names_the_parameter():
    with pytest.raises(ValueError, match="The 'device' parameter of COrALTransformer"):
        make_coral(device="nonsense").fit(make_frame())


MODALITIES = "The 'modalities' parameter of COrALTransformer must "


@pytest.mark.parametrize(
    ("modalities", "rule"),
    [
        (
            [],
            "be 'auto' or a non-empty list of (name, spec, columns). Got [] instead.",
        ),
        (
            [("film", "tabular")],
            "be made of (name, spec, columns). Got ('film', 'tabular') instead.",
        ),
        (["film"], "be made of (name, spec, columns). Got 'film' instead."),
        ([(1, "tabular", [0])], "have str names. Got 1 instead."),
        ([("", "tabular", [0])], "have str names. Got '' instead."),
        (
            [("shared", "tabular", ["year"])],
            "not name a modality 'shared': it is the component that all modalities "
            "share. Got 'shared' instead.",
        ),
        (
            [("film", "tabluar", ["year"])],
            "have specs that are modality instances or among ['embedding', 'image', "
            "'sequence', 'tabular', 'text']. Got 'tabluar' for 'film' instead.",
        ),
        (
            [("film", None, ["year"])],
            "have specs that are modality instances or among ['embedding', 'image', "
            "'sequence', 'tabular', 'text']. Got None for 'film' instead.",
        ),
    ],
)
def test_bad_modalities_are_named_with_rule_and_value(modalities, rule):
    coral = make_coral(modalities)
    with pytest.raises(ValueError, match=exactly(MODALITIES + rule)):
        coral.fit(make_frame())
    assert not is_fitted(coral)


def test_class_as_spec_is_refused_by_the_parameter_name():
    message = (
        "have specs that are modality instances or among ['embedding', 'image', "
        "'sequence', 'tabular', 'text']. Got <class "
        "'skcoral.modalities.tabular.TabularModality'> for 'film' instead."
    )
    with pytest.raises((TypeError, ValueError), match=exactly(MODALITIES + message)):
        make_coral([("film", TabularModality, ["year"])]).fit(make_frame())


def test_modalities_of_another_type_are_refused():
    message = (
        r"^The 'modalities' parameter of COrALTransformer must be a str among "
        r"\{'auto'\}, an instance of 'list' or an instance of 'tuple'\. Got 3 "
        r"instead\.$"
    )
    with pytest.raises(ValueError, match=message):
        make_coral(3).fit(make_frame())


def test_duplicate_names_are_refused():
    modalities = [("film", "tabular", ["year"]), ("film", "tabular", ["runtime"])]
    with pytest.raises(
        ValueError, match=exactly("Names provided are not unique: ['film', 'film']")
    ):
        make_coral(modalities).fit(make_frame())


@pytest.mark.parametrize("name", ["lr", "modalities", "random_state"])
def test_names_of_parameters_are_refused(name):
    message = f"Estimator names conflict with constructor arguments: ['{name}']"
    with pytest.raises(ValueError, match=exactly(message)):
        make_coral([(name, "tabular", ["year"])]).fit(make_frame())


def test_double_underscore_in_a_name_is_refused():
    message = "Estimator names must not contain __: got ['film__x']"
    with pytest.raises(ValueError, match=exactly(message)):
        make_coral([("film__x", "tabular", ["year"])]).fit(make_frame())


def test_tuple_of_modalities_is_allowed():
    assert make_coral(tuple(FILM)).fit(make_frame()).transform(make_frame()).size


def test_nested_parameters_reach_the_spec():
    coral = make_coral([*FILM, ("credits", TextModality(), "credits")])
    coral.set_params(credits__n_tokens=3)
    assert coral.get_params()["credits__n_tokens"] == 3
    assert coral.fit(make_frame()).modalities_[1][1].n_tokens == 3


def test_nested_parameters_of_a_spec_are_cloned_with_the_estimator():
    coral = make_coral([("credits", TextModality(), "credits")])
    twin = clone(coral).set_params(credits__n_tokens=3)
    assert coral.get_params()["credits__n_tokens"] is None
    assert twin.get_params()["credits__n_tokens"] == 3


def test_spec_can_be_replaced_by_name():
    coral = make_coral([("credits", TextModality(), "credits")])
    coral.set_params(credits=TextModality(n_tokens=2))
    assert coral.modalities[0][1].n_tokens == 2
    assert coral.modalities[0][2] == "credits"


def test_fit_leaves_the_given_specs_alone():
    spec = TabularModality()
    coral = make_coral([("film", spec, ["year"])]).fit(make_frame())
    assert not is_fitted(spec)
    assert spec.random_state is None
    assert coral.modalities_[0][1] is not spec


@pytest.mark.parametrize("fitted", [False, True])
def test_html_shows_the_modalities(fitted):
    coral = make_coral([*FILM, ("credits", TextModality(n_tokens=5), "credits")])
    html = (coral.fit(make_frame()) if fitted else coral)._repr_html_()
    assert "film" in html
    assert "credits" in html
    assert "TextModality" in html


def test_html_shows_what_auto_chose():
    coral = make_coral()
    assert "TextModality" not in coral._repr_html_()
    assert "TextModality" in coral.fit(make_frame())._repr_html_()


# X as a whole


def test_plain_dict_is_refused():
    message = (
        "COrALTransformer cannot slice a plain dict. Wrap it: "
        "skorch.helper.SliceDict(**X)."
    )
    coral = make_coral()
    with pytest.raises(TypeError, match=exactly(message)):
        coral.fit(dict(make_views()))
    assert not is_fitted(coral)


@pytest.mark.parametrize("container", [list, tuple])
def test_list_of_views_is_refused(container):
    message = (
        "COrALTransformer cannot slice a list of views. Name and wrap them: "
        "skorch.helper.SliceDict(name=view, ...)."
    )
    with pytest.raises(TypeError, match=exactly(message)):
        make_coral().fit(container(make_views().values()))


@pytest.mark.parametrize("form", ["csr_matrix", "dok_matrix", "coo_array"])
def test_sparse_data_as_a_whole_is_refused(form):
    message = (
        "COrALTransformer does not take sparse data as a whole. Put the sparse block "
        "beside the others in skorch.helper.SliceDict(name=X, ...), where the "
        "'embedding' modality accepts it."
    )
    X = getattr(sparse, form)(np.eye(5))
    with pytest.raises(TypeError, match=exactly(message)):
        make_coral().fit(X)


def test_transform_refuses_a_plain_dict_too():
    coral = make_coral().fit(make_views())
    with pytest.raises(TypeError, match="cannot slice a plain dict"):
        coral.transform(dict(make_views()))


def test_unequal_lengths_are_refused():
    X = make_views()
    # SliceDict itself refuses unequal lengths at construction.
    dict.__setitem__(X, "audio", X["audio"][:-1])
    message = (
        "Modalities have inconsistent numbers of samples: {'film': 12, 'audio': 11}."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        make_coral().fit(X)


def test_empty_slice_dict_is_refused():
    message = "Found SliceDict with 0 blocks while a minimum of 1 is required by "
    with pytest.raises(ValueError, match=exactly(message + "COrALTransformer.")):
        make_coral().fit(SliceDict())


MARK = (
    "Where rows lack them, pass them all the same: None or NaN in a column of objects "
    "or strings, NaN throughout a block of numbers."
)
NAMES = "The modality names should match those that were passed during fit.\n"


def test_extra_block_is_named():
    coral = make_coral().fit(make_views())
    X = SliceDict(**make_views(), text=np.zeros((N_ROWS, 1)))
    message = NAMES + "Modality names unseen at fit time:\n- text"
    with pytest.raises(ValueError, match=exactly(message)):
        coral.transform(X)


def test_missing_block_is_named():
    coral = make_coral().fit(make_views())
    message = (
        NAMES + "Modality names seen at fit time, yet now missing:\n- audio\n" + MARK
    )
    with pytest.raises(ValueError, match=exactly(message)):
        coral.transform(SliceDict(film=make_views()["film"]))


def test_order_of_blocks_does_not_matter():
    X = make_views()
    coral = make_coral().fit(X)
    swapped = SliceDict(audio=X["audio"], film=X["film"])
    np.testing.assert_array_equal(coral.transform(X), coral.transform(swapped))


def test_block_of_another_width_is_refused():
    X = make_views()
    coral = make_coral().fit(X)
    message = "Modality 'audio': The block has 1 columns, but had 2 at fit time."
    with pytest.raises(ValueError, match=exactly(message)):
        coral.transform(SliceDict(film=X["film"], audio=X["audio"][:, :1]))


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize(
    "X",
    [
        pytest.param(np.zeros((3, 2)), id="array"),
        pytest.param(
            pd.DataFrame(np.zeros((3, 2)), columns=["film", "audio"]), id="df"
        ),
    ],
)
def test_table_after_slice_dict_is_refused(X):
    coral = make_coral().fit(make_views())
    with pytest.raises((TypeError, ValueError), match="SliceDict"):
        coral.transform(X)


def test_slice_dict_after_array_is_refused():
    coral = make_coral().fit(make_views()["film"])
    message = NAMES + "Modality names unseen at fit time:\n- audio\n- film"
    with pytest.raises(ValueError, match=exactly(message)):
        coral.transform(make_views())


def test_series_is_a_block_of_one_column():
    X = SliceDict(text=make_frame()["credits"], film=make_views()["film"])
    assert [type(spec) for _, spec, _ in make_coral().fit(X).modalities_] == [
        TextModality,
        EmbeddingModality,
    ]


def test_data_frames_as_blocks_are_read():
    X = SliceDict(film=make_views()["film"], meta=make_frame()[["year", "mpaa"]])
    coral = make_coral([("film", "embedding", "film"), ("meta", "tabular", "meta")])
    assert coral.fit(X).transform(X).shape == (N_ROWS, 16)


def test_auto_reads_data_frames_as_blocks():
    X = SliceDict(film=make_views()["film"], meta=make_frame()[["year", "mpaa"]])
    coral = make_coral().fit(X)
    assert [type(spec) for _, spec, _ in coral.modalities_] == [
        EmbeddingModality,
        TabularModality,
    ]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda n: make_views(n), id="SliceDict"),
        pytest.param(lambda n: make_frame(n)[["year", "seen"]], id="pandas"),
        pytest.param(lambda n: pl.from_pandas(make_frame(n)), id="polars"),
        pytest.param(lambda n: make_views(n)["film"], id="numpy"),
    ],
)
@pytest.mark.parametrize("n_rows", [0, 1])
def test_too_few_rows_are_refused(make, n_rows):
    coral = make_coral()
    message = (
        rf"^Found array with {n_rows} sample\(s\) .*while a minimum of 2 is required "
        r"by COrALTransformer\.$"
    )
    with pytest.raises(ValueError, match=message):
        coral.fit(make(n_rows))
    assert not is_fitted(coral)
    assert learnt(coral) == []


@pytest.mark.parametrize("make", [make_views, make_frame])
def test_transform_of_no_rows_is_refused(make):
    coral = make_coral().fit(make())
    message = (
        "Found array with 0 sample(s) while a minimum of 1 is required by "
        "COrALTransformer."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        coral.transform(make(0))


@pytest.mark.parametrize("make", [make_views, make_frame])
def test_transform_of_one_row_is_that_row_of_the_whole(make):
    X = make()
    coral = make_coral().fit(X)
    np.testing.assert_allclose(
        coral.transform(X[:1]), coral.transform(X)[:1], atol=1e-5
    )


@pytest.mark.parametrize("n_rows", [2, 3])
def test_fewer_rows_than_a_batch_are_enough(n_rows):
    X = make_frame(n_rows)
    assert np.isfinite(make_coral().fit(X).transform(X)).all()


@pytest.mark.parametrize("batch_size", [4, 5, 8])
def test_last_batch_of_one_joins_the_batch_before(batch_size):
    X = make_frame(batch_size + 1)
    coral = make_coral(batch_size=batch_size).fit(X)
    assert len(coral.net_.history[-1, "batches"]) == 1
    assert np.isfinite(coral.loss_curve_).all()


def test_batch_size_of_one_is_refused():
    message = "^The 'batch_size' parameter of COrALTransformer must be "
    with pytest.raises(ValueError, match=message):
        make_coral(batch_size=1).fit(make_frame())


def test_batch_size_of_two_is_enough():
    coral = make_coral(batch_size=2).fit(make_frame())
    assert np.isfinite(coral.transform(make_frame())).all()


# Infinite, constant and missing values through the estimator


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


# Failed fits


def test_diverged_training_names_epoch_term_and_lr():
    coral = make_coral(FILM, lr=1e30, max_epochs=5)
    message = (
        r"^Training diverged at epoch [1-5]: the '(shared|unique_film|orthogonality)' "
        r"term is (nan|inf)\. Lower lr \(now 1e\+30\) or raise temperature, and look "
        r"for extreme values in X\.$"
    )
    with pytest.raises(ValueError, match=message):
        coral.fit(make_frame())
    assert not is_fitted(coral)
    assert learnt(coral) == []


def test_augmentation_that_returns_infinity_is_a_divergence_at_epoch_one():
    spec = TabularModality(augmentation=lambda x, mask, generator: x / 0)
    coral = make_coral([("film", spec, ["year", "runtime"])])
    message = (
        r"^Training diverged at epoch 1: the 'shared' term is nan\. Lower lr "
        r"\(now 0\.001\) or raise temperature, and look for extreme values in X\.$"
    )
    with pytest.raises(ValueError, match=message):
        coral.fit(make_frame())
    assert not is_fitted(coral)


def bad_frames():
    X = make_frame()
    X.loc[0, "year"] = np.inf
    return [
        pytest.param(X, "infinity in column 'year'", id="infinite"),
        pytest.param(make_frame(1), "while a minimum of 2 is required", id="one-row"),
        pytest.param(make_frame().drop(columns="year"), "year", id="missing-column"),
        pytest.param(dict(make_frame()), "cannot slice a plain dict", id="dict"),
        pytest.param(
            make_frame().assign(year=[{}] * N_ROWS),
            "Column 'year': argument must be a string or a real number, not 'dict'",
            id="dict-in-cell",
        ),
    ]


@pytest.mark.parametrize(("X", "message"), bad_frames())
@pytest.mark.parametrize("fitted_before", [False, True])
def test_failed_fit_leaves_nothing_fitted(X, message, fitted_before):
    coral = make_coral(FILM)
    if fitted_before:
        coral.fit(make_frame())
    with pytest.raises((ValueError, TypeError), match=message):
        coral.fit(X)
    assert not is_fitted(coral)
    assert learnt(coral) == []
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        coral.transform(make_frame())


def test_diverged_refit_forgets_the_former_fit():
    coral = make_coral(FILM, max_epochs=5).fit(make_frame())
    with pytest.raises(ValueError, match="Training diverged"):
        coral.set_params(lr=1e30).fit(make_frame())
    assert learnt(coral) == []


ONE_ROW = "Found array with 1 sample(s) while a minimum of 2 is required by "
ONE_ROW += "COrALTransformer."


@pytest.mark.parametrize(
    ("X", "message"), [p for p in bad_frames() if p.id != "one-row"]
)
def test_bad_chunk_leaves_partial_fit_as_it_was(X, message):
    coral = make_coral(FILM).partial_fit(make_frame())
    before = coral.transform(make_frame())
    with pytest.raises((ValueError, TypeError), match=message):
        coral.partial_fit(X)
    np.testing.assert_array_equal(coral.transform(make_frame()), before)
    assert coral.n_iter_ == 1


def test_first_chunk_of_one_row_is_refused():
    coral = make_coral(FILM)
    with pytest.raises(ValueError, match=exactly(ONE_ROW)):
        coral.partial_fit(make_frame(1))
    assert not is_fitted(coral)


@pytest.mark.parametrize("method", ["partial_fit", "fit"])
def test_later_chunk_of_one_row_is_refused_and_keeps_the_model(method):
    coral = make_coral(FILM, warm_start=True).fit(make_frame())
    with pytest.raises(ValueError, match=exactly(ONE_ROW)):
        getattr(coral, method)(make_frame(1))
    assert is_fitted(coral)


def test_diverged_partial_fit_forgets_the_ruined_model():
    coral = make_coral(FILM).partial_fit(make_frame())
    with torch.no_grad():
        for parameter in coral.net_.module_.parameters():
            parameter.fill_(float("nan"))
    with pytest.raises(ValueError, match=r"^Training diverged at epoch 2: "):
        coral.partial_fit(make_frame())
    assert learnt(coral) == []


def test_failed_first_partial_fit_leaves_nothing_fitted():
    coral = make_coral(FILM)
    with pytest.raises(ValueError, match="infinity in column 'year'"):
        coral.partial_fit(make_frame().assign(year=np.inf))
    assert learnt(coral) == []


def test_bad_data_leaves_a_warm_start_as_it_was():
    coral = make_coral(FILM, warm_start=True).fit(make_frame())
    before = coral.transform(make_frame())
    with pytest.raises(ValueError, match="infinity in column 'year'"):
        coral.fit(make_frame().assign(year=np.inf))
    np.testing.assert_array_equal(coral.transform(make_frame()), before)


# Columns


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
        "Modality 'credits': Column 'credits' must hold strings or missing values. Got "
        "3.0 of type 'float' in row 0."
    )
    with pytest.raises(TypeError, match=exactly(message)):
        coral.transform(make_frame().assign(credits=3.0))


def test_a_number_among_texts_is_refused_with_its_row():
    X = make_frame()
    X["credits"] = X["credits"].astype(object)
    X.loc[4, "credits"] = 7
    message = (
        "Modality 'credits': Column 'credits' must hold strings or missing values. Got "
        "7 of type 'int' in row 4."
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


# Kinds of frames


@pytest.mark.parametrize(
    "convert",
    [
        pytest.param(pl.from_pandas, id="polars"),
        pytest.param(pa.Table.from_pandas, id="pyarrow"),
        pytest.param(lambda X: X.convert_dtypes(), id="nullable"),
        pytest.param(
            lambda X: X.convert_dtypes(dtype_backend="pyarrow"), id="pandas-pyarrow"
        ),
        pytest.param(lambda X: X.astype(object), id="object"),
    ],
)
@pytest.mark.parametrize("gaps", [False, True])
def test_frame_libraries_give_the_same_features(convert, gaps):
    X = make_frame()
    if gaps:
        X["seen"] = X["seen"].astype(object)
        X.loc[1] = [np.nan, X.loc[1, "runtime"], None, None, pd.NaT, None]
        X["seen"] = X["seen"].astype("boolean")
    expected = make_coral().fit_transform(X)
    np.testing.assert_array_equal(make_coral().fit_transform(convert(X)), expected)


def test_numpy_objects_give_the_same_features_as_the_frame():
    X = make_frame()
    modalities = [("film", "tabular", [0, 1, 2, 3, 4]), ("credits", "text", 5)]
    np.testing.assert_array_equal(
        make_coral(modalities).fit_transform(X.to_numpy(dtype=object)),
        make_coral(modalities).fit_transform(X),
    )


def test_lazy_frames_are_refused_with_advice():
    X = pl.from_pandas(make_frame()).lazy()
    with pytest.raises(TypeError, match=r"(?i)(lazy|collect)"):
        make_coral().fit(X)


def test_a_series_is_refused():
    with pytest.raises(ValueError, match="Expected a 2-dimensional container"):
        make_coral().fit(make_frame()["year"])


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


# modalities="auto"


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
