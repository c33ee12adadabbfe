"""Tensors, matrices, masks and lists in the place of arrays, in every kind of block."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from helpers import as_cells, exactly, make_coral
from scipy import sparse
from skorch.helper import SliceDict

from skcoral._input.containers import read_block
from skcoral._input.presence import is_missing

N_ROWS = 8
RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(N_ROWS, 3))
SERIES = RNG.normal(size=(N_ROWS, 4, 2))
PIXELS = RNG.integers(0, 256, (N_ROWS, 4, 4, 3)).astype(np.uint8)


def embed(block, kind="embedding"):
    """Return the features of a block beside vectors."""
    X = SliceDict(a=block, b=TABLE)
    modalities = [("a", kind, "a"), ("b", "embedding", "b")]
    return make_coral(modalities).fit_transform(X)


# Blocks


@pytest.mark.parametrize(
    ("kind", "block"),
    [
        ("embedding", TABLE),
        ("tabular", TABLE),
        ("sequence", SERIES),
        ("image", PIXELS),
    ],
)
def test_a_tensor_is_read_like_its_array(kind, block):
    tensor = torch.from_numpy(block)
    if tensor.is_floating_point():
        tensor.requires_grad_()
    np.testing.assert_array_equal(embed(tensor, kind), embed(block, kind))


@pytest.mark.parametrize(("kind", "block"), [("sequence", SERIES), ("image", PIXELS)])
@pytest.mark.parametrize("make", [as_cells, lambda cells: pd.Series(list(cells))])
def test_cells_that_are_tensors_are_read_like_arrays(kind, block, make):
    tensors = make([torch.from_numpy(cell) for cell in block])
    expected = embed(as_cells(block), kind)
    np.testing.assert_array_equal(embed(tensors, kind), expected)


def test_auto_reads_cells_that_are_tensors():
    cells = as_cells([torch.from_numpy(cell) for cell in SERIES])
    frame = pd.DataFrame({"a": cells, "b": TABLE[:, 0]})
    kinds = [type(spec).__name__ for _, spec, _ in make_coral().fit(frame).modalities_]
    assert kinds == ["TabularModality", "SequenceModality"]


def test_tensors_without_axes_are_numbers():
    cells = as_cells([torch.tensor(value) for value in TABLE[:, 0]])
    expected = embed(TABLE[:, :1], "tabular")
    np.testing.assert_array_equal(embed(cells, "tabular"), expected)


def test_a_tensor_of_bfloat16_is_read_as_float32():
    tensor = torch.from_numpy(TABLE).bfloat16()
    np.testing.assert_array_equal(embed(tensor), embed(tensor.float().numpy()))


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.ones(N_ROWS, 3).to_sparse(),
        lambda: torch.ones(N_ROWS, 3, device="meta"),
        lambda: as_cells([torch.ones(3).to_sparse()] * N_ROWS),
    ],
)
def test_tensors_without_dense_data_are_refused(make):
    message = (
        r"^Block 'a': A tensor must be dense, neither nested nor quantized, on a "
        r"device that holds data\. Got layout torch\.\w+ on device '(cpu|meta)'\.$"
    )
    with pytest.raises(TypeError, match=message):
        embed(make())


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("kind", ["embedding", "tabular"])
def test_a_matrix_is_read_like_its_array(kind):
    np.testing.assert_array_equal(embed(np.asmatrix(TABLE), kind), embed(TABLE, kind))
    coral = make_coral()
    np.testing.assert_array_equal(
        coral.fit_transform(np.asmatrix(TABLE)), coral.fit_transform(TABLE)
    )


@pytest.mark.parametrize("kind", ["tabular", "sequence"])
def test_masked_numbers_are_missing(kind):
    block = {"tabular": TABLE, "sequence": SERIES}[kind]
    mask = block < -0.5
    expected = embed(np.where(mask, np.nan, block), kind)
    np.testing.assert_array_equal(embed(np.ma.array(block, mask=mask), kind), expected)


def test_masked_cells_of_a_table_are_missing():
    mask = TABLE < -0.5
    coral = make_coral()
    np.testing.assert_array_equal(
        coral.fit_transform(np.ma.array(TABLE, mask=mask)),
        coral.fit_transform(np.where(mask, np.nan, TABLE)),
    )


def test_masked_vectors_are_refused_like_nan():
    block = np.ma.array(TABLE, mask=np.eye(N_ROWS, 3, dtype=bool))
    with pytest.raises(ValueError, match="Modality 'a': Input X contains NaN"):
        embed(block)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array(["2020", "2021"], dtype="M8[D]"), "NaT"),
        (np.array(["a", "b"]), "None"),
        (np.array([1, 2]), "nan"),
    ],
)
def test_masked_values_of_any_dtype_are_missing(values, expected):
    column = np.ma.array(values, mask=[True, False])
    read = read_block(column[:, None])
    assert str(read[0, 0]) == expected
    assert is_missing(read[0, 0]) and not is_missing(read[1, 0])


@pytest.mark.parametrize("form", ["csc", "coo", "dok", "lil", "bsr", "dia"])
def test_every_sparse_format_is_read_like_rows(form):
    dense = (np.eye(N_ROWS, 5) + np.eye(N_ROWS, 5, k=1)) * 2
    block = sparse.csr_array(dense)
    np.testing.assert_array_equal(embed(block.asformat(form)), embed(block))


@pytest.mark.parametrize("kind", ["tabular", "text", "sequence", "image"])
@pytest.mark.parametrize("form", ["csr", "coo"])
def test_sparse_blocks_of_other_kinds_are_refused(kind, form):
    message = (
        "Modality 'a': sparse blocks are for the 'embedding' modality; make it dense "
        "for another."
    )
    block = sparse.eye_array(N_ROWS, 1, format=form)
    with pytest.raises(TypeError, match=exactly(message)):
        embed(block, kind)


@pytest.mark.parametrize(
    ("block", "error", "message"),
    [
        (np.ones((N_ROWS, 2)) * 1j, ValueError, "Complex data not supported"),
        (torch.ones(N_ROWS, 2) * 1j, ValueError, "Complex data not supported"),
        (sparse.csr_array(np.eye(N_ROWS) * 1j), ValueError, "Complex data not"),
        (np.zeros(N_ROWS, dtype=[("a", "f8")]), TypeError, "Arrays with fields or of"),
        (np.zeros((N_ROWS, 2), dtype="V4"), TypeError, "Arrays with fields or of raw"),
        (sparse.coo_array(np.ones(N_ROWS)), ValueError, "A sparse block has two axes"),
    ],
)
@pytest.mark.parametrize("kind", ["embedding", "sequence", "tabular", "text", "image"])
def test_blocks_that_no_kind_reads_are_refused(block, error, message, kind):
    with pytest.raises(error, match=f"^Block 'a': {message}"):
        embed(block, kind)


def test_a_block_that_is_no_array_is_refused():
    class Shaped:
        shape = (N_ROWS, 2)

    message = (
        "Block 'a': Expected an array, a sparse matrix, a tensor or a data frame. Got "
        "'Shaped'."
    )
    with pytest.raises(TypeError, match=exactly(message)):
        embed(Shaped())


def test_longdouble_beyond_float64_is_infinite():
    block = np.ones((N_ROWS, 2), dtype=np.longdouble)
    block[0] = np.longdouble(2) ** 5000
    if np.isinf(block[0, 0]):
        pytest.skip("longdouble is float64 here")
    with pytest.raises(ValueError, match=r"^Modality 'a': Input X contains infinity"):
        embed(block)


# Tables


def test_rows_of_unequal_lengths_are_refused():
    message = (
        "The rows of X must have equal numbers of values. Got 2 in row 0 and 1 in row "
        "2."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        make_coral().fit([[1, 2], [3, 4], [5], [6, 7]])


def test_rows_of_lists_may_hold_series():
    rows = [
        [a, list(series[:, 0])] for a, series in zip(TABLE[:, 0], SERIES, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["a", "b"])
    modalities = [("a", "tabular", [0]), ("b", "sequence", [1])]
    coral = make_coral(modalities)
    np.testing.assert_array_equal(coral.fit_transform(rows), coral.fit_transform(frame))


def test_lists_of_tensors_are_a_table():
    coral = make_coral()
    np.testing.assert_array_equal(
        coral.fit_transform([torch.from_numpy(row) for row in TABLE]),
        coral.fit_transform(TABLE),
    )


@pytest.mark.parametrize("place", ["X", "block"])
@pytest.mark.parametrize("library", ["pandas", "pyarrow"])
def test_equal_names_of_columns_are_refused(place, library):
    frame = pd.DataFrame(TABLE, columns=["year", "runtime", "year"])
    if library == "pyarrow":
        pa = pytest.importorskip("pyarrow")
        frame = pa.table([*TABLE.T], names=list(frame.columns))
    X = frame if place == "X" else SliceDict(a=frame, b=TABLE)
    message = r"Column names must be unique\. Got 'year' 2 times\.$"
    with pytest.raises(ValueError, match=message):
        make_coral().fit(X)


def test_a_callable_that_fails_names_the_modality():
    message = "^The columns of modality 'a' cannot be selected: "
    with pytest.raises(ValueError, match=message):
        make_coral([("a", "tabular", lambda X: X.columns)]).fit(TABLE)


# Objects


class Raising:
    """An object whose comparison raises an error."""

    def __ne__(self, other):
        raise RuntimeError("no comparison")

    __eq__ = __ne__
    __hash__ = None


@pytest.mark.parametrize("kind", ["tabular", "text", "sequence", "image", "embedding"])
@pytest.mark.parametrize(
    "make",
    [
        lambda cells: as_cells(cells)[:, None],
        lambda cells: pd.DataFrame({"x": as_cells(cells)}),
    ],
)
def test_objects_that_cannot_be_compared_are_refused_by_their_type(kind, make):
    with pytest.raises(TypeError, match=r"^Modality 'a': .*Raising"):
        embed(make([Raising()] * N_ROWS), kind)


def test_nothing_but_what_marks_gaps_is_missing():
    present = [Raising(), torch.ones(2), np.ones(2), [np.nan], "", pl.Series([None])]
    assert not any(map(is_missing, present))
    gaps = [None, np.nan, pd.NA, pd.NaT, np.datetime64("NaT"), torch.tensor(np.nan)]
    assert all(map(is_missing, gaps))


class Nameless:
    """An object that has no string."""

    def __repr__(self):
        raise RuntimeError("no string")


def test_levels_without_a_string_are_refused():
    frame = pd.DataFrame({"x": as_cells([Nameless()] * N_ROWS)}).astype("category")
    with pytest.raises(TypeError, match=r"must be a string or a .*'Nameless'"):
        embed(frame, "tabular")


def test_a_duration_among_numbers_is_refused():
    cells = as_cells([*TABLE[1:, 0], np.timedelta64(1, "s")])[:, None]
    for kind in ("tabular", "embedding"):
        with pytest.raises(TypeError, match=r"^Modality 'a': Column 0"):
            embed(cells, kind)


def test_masked_cells_of_a_frame_are_missing():
    frame = pd.DataFrame({"x": as_cells([np.ma.masked] * N_ROWS)})
    for kind in ("tabular", "image", "text"):
        with pytest.raises(ValueError, match="The modality is missing in every row"):
            embed(frame, kind)


def test_names_of_several_types_are_compared():
    frame = pd.DataFrame(TABLE, columns=["a", "b", "c"])
    coral = make_coral().fit(frame)
    with pytest.raises((TypeError, ValueError), match=r"(?i)feature names"):
        coral.transform(frame.set_axis([None, "", "c"], axis=1))
