"""What X may be: blocks, frames, arrays, numbers of rows, and the wording of errors."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from helpers import (
    MARK,
    N_ROWS,
    exactly,
    is_fitted,
    learnt,
    make_coral,
    make_frame,
    make_views,
)
from scipy import sparse
from skorch.helper import SliceDict

from skcoral import EmbeddingModality, TabularModality, TextModality

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


NAMES = "The modality names should match those that were passed during fit.\n"


def test_renamed_block_is_named():
    coral = make_coral().fit(make_views())
    X = SliceDict(film=make_views()["film"], sound=make_views()["audio"])
    message = (
        NAMES
        + "Modality names unseen at fit time:\n- sound\nModality names seen at fit "
        "time, yet now missing:\n- audio\n" + MARK
    )
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
