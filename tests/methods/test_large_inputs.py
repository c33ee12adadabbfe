"""Inputs in memory-mapped files, in chunks, and in parts of their rows."""

import pickle

import numpy as np
import polars as pl
import pytest
from helpers import film_modalities, make_tiny, with_gaps
from sklearn.base import clone
from skorch.helper import SliceDict

from skcoral import (
    COrALTransformer,
    EmbeddingModality,
)
from skcoral.modalities import _reader

# Large inputs


def as_mapped(blocks, folder):
    """Return a SliceDict of the same blocks in memory-mapped files."""
    mapped = {}
    for name in blocks:
        np.save(folder / f"{name}.npy", blocks[name])
        mapped[name] = np.load(folder / f"{name}.npy", mmap_mode="r")
    return SliceDict(**mapped)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_mapped_files_give_the_same_features(views, tiny, tmp_path, early_stopping):
    mapped = as_mapped(views, tmp_path)
    coral = make_tiny(tiny, early_stopping=early_stopping)
    Z = clone(coral).fit_transform(views)
    lazy = clone(coral).fit(mapped)
    np.testing.assert_array_equal(lazy.transform(mapped), Z)
    np.testing.assert_array_equal(lazy.transform(mapped[10:20]), Z[10:20])
    assert lazy.score(mapped) == clone(coral).fit(views).score(views)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(lazy)).transform(views), Z)


def test_mapped_table_gives_the_same_features(tiny, tmp_path):
    X = np.random.default_rng(0).normal(size=(40, 5))
    mapped = as_mapped({"x": X}, tmp_path)["x"]
    modalities = [("a", "tabular", [0, 1]), ("b", "embedding", [2, 4])]
    for coral in (make_tiny(tiny), make_tiny(tiny, modalities)):
        Z = clone(coral).fit_transform(X)
        np.testing.assert_array_equal(clone(coral).fit_transform(mapped), Z)


def test_mapped_files_may_lack_modalities(views, tiny, tmp_path):
    X = with_gaps(views)
    mapped = as_mapped(X, tmp_path)
    coral = make_tiny(tiny, missing="nan").fit(mapped)
    Z = make_tiny(tiny, missing="nan").fit_transform(X)
    np.testing.assert_allclose(coral.transform(mapped), Z, atol=1e-5)


def test_mapped_rows_are_read_batch_by_batch(views, tiny, tmp_path, monkeypatch):
    read = []
    transform = EmbeddingModality.transform

    def spy(self, block):
        read.append(len(block))
        return transform(self, block)

    monkeypatch.setattr(EmbeddingModality, "transform", spy)
    X = SliceDict(**{name: np.tile(views[name], (20, 1)) for name in views})
    mapped = as_mapped(X, tmp_path)
    make_tiny(tiny, batch_size=100).fit(mapped).transform(mapped)
    assert max(read) <= 256


def test_an_error_in_a_mapped_row_names_the_modality(views, tiny, tmp_path):
    X = SliceDict(**{name: views[name].copy() for name in views})
    coral = make_tiny(tiny).fit(as_mapped(X, tmp_path))
    X["b"][50, 0] = np.inf
    mapped = as_mapped(X, tmp_path)
    with pytest.raises(ValueError, match=r"^Modality 'b': Input X contains infinity"):
        coral.transform(mapped)


def test_chunks_of_a_parquet_file_stream_through_partial_fit(films, tiny, tmp_path):
    import pyarrow.parquet as pq

    films.to_parquet(tmp_path / "films.parquet", row_group_size=20)
    file = pq.ParquetFile(tmp_path / "films.parquet")
    coral = make_tiny(tiny, film_modalities())
    for group in range(file.num_row_groups):
        coral.partial_fit(file.read_row_group(group).to_pandas())
    assert coral.n_iter_ == 3
    assert np.isfinite(coral.transform(films)).all()


# Rows in parts


@pytest.mark.parametrize("container", ["array", "frame", "polars", "views"])
def test_transform_in_parts_gives_the_same_bits(
    container, films, views, tiny, monkeypatch
):
    X = films if container in ("frame", "polars") else views
    X = np.hstack(list(views.values())) if container == "array" else X
    X = pl.from_pandas(X) if container == "polars" else X
    coral = COrALTransformer(**tiny, random_state=0).fit(X)
    whole = coral.transform(X)
    monkeypatch.setattr(_reader, "ROWS_AT_ONCE", 17)
    assert np.array_equal(coral.transform(X), whole)


def test_errors_of_a_part_say_where_its_rows_are(views, tiny, monkeypatch):
    coral = COrALTransformer(**tiny, random_state=0).fit(views)
    monkeypatch.setattr(_reader, "ROWS_AT_ONCE", 17)
    X = SliceDict(**{name: block.copy() for name, block in views.items()})
    X["b"][40] = np.inf
    with pytest.raises(ValueError, match=r"Modality 'b', rows from 34 on: .*infinity"):
        coral.transform(X)
    for block in X.values():
        block[40] = np.nan
    with pytest.raises(ValueError, match=r"1 rows of X lack every modality.* row 40"):
        coral.transform(X)
