"""Blocks joined into one table."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from skorch.helper import SliceDict

from skcoral.evaluation import (
    JoinBlocks,
)


def test_blocks_are_flattened_in_order_and_named():
    rng = np.random.default_rng(0)
    X = SliceDict(
        a=rng.normal(size=(5, 2, 6)).astype(np.float32),
        b=rng.integers(9, size=5),
        c=rng.random((5, 3)) > 0.5,
    )
    joined = JoinBlocks(["c", "a"]).fit_transform(X)
    assert_array_equal(joined, np.hstack([X["c"], X["a"].reshape(5, 12)]))
    everything = JoinBlocks().fit(X)
    assert everything.output_indices_ == {
        "a": slice(0, 12),
        "b": slice(12, 13),
        "c": slice(13, 16),
    }
    names = everything.get_feature_names_out()
    assert names[[0, 11, 12, 15]].tolist() == ["a_00", "a_11", "b_0", "c_2"]
    assert JoinBlocks(["a"]).fit_transform(X).dtype == np.float32
    assert JoinBlocks().fit_transform(X).dtype == np.float64


def test_data_frames_inside_and_outside_of_blocks_are_joined():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"x": [1.0, None], "y": [True, False]})
    expected = [[1, 1], [np.nan, 0]]
    assert_array_equal(JoinBlocks().fit_transform(frame), expected)
    assert JoinBlocks().fit(frame).get_feature_names_out().tolist() == ["x", "y"]
    blocks = SliceDict(a=frame, b=frame["x"])
    joined = JoinBlocks().set_output(transform="pandas").fit_transform(blocks)
    assert joined.columns.tolist() == ["a_0", "a_1", "b_0"]
    assert_array_equal(joined, np.hstack([expected, [[1], [np.nan]]]))


def test_sparse_blocks_make_a_sparse_table(views):
    thin = SliceDict(a=sparse.csr_array(views["a"]), b=views["b"])
    joined = JoinBlocks().fit_transform(thin)
    assert sparse.issparse(joined)
    assert_array_equal(joined.toarray(), JoinBlocks().fit_transform(views))


def test_join_refuses_what_does_not_fit(views):
    join = JoinBlocks().fit(views)
    with pytest.raises(ValueError, match=r"block 'a' has 4 features, .* with 5"):
        join.transform(SliceDict(a=views["a"][:, :4], b=views["b"]))
    with pytest.raises(ValueError, match="now missing:\n- b"):
        join.transform(SliceDict(a=views["a"]))
    with pytest.raises(ValueError, match="Unknown column 'c'"):
        JoinBlocks(["c"]).fit(views)
    with pytest.raises(ValueError, match="must be distinct names, one at least"):
        JoinBlocks(["a", "a"]).fit(views)
    with pytest.raises(ValueError, match="must be None where X is no SliceDict"):
        JoinBlocks(["a"]).fit(views["a"])
    with pytest.raises(TypeError, match="cannot slice a plain dict"):
        JoinBlocks().fit(dict(views))
    text = SliceDict(text=np.array(["a b", "c"], dtype=object))
    with pytest.raises(ValueError, match="block 'text' must be numeric"):
        JoinBlocks().fit(text)
    dates = SliceDict(day=np.array(["2020-01-01"], dtype="datetime64[D]"))
    with pytest.raises(ValueError, match=r"block 'day' must be numeric.* Got dates"):
        JoinBlocks().fit(dates)
