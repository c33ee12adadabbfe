"""Units and levels of numbers, and numbers far beyond those of fit, in every kind."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers import TINY, exactly
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import FunctionTransformer
from skorch.helper import SliceDict

from skcoral import (
    COrALClassifier,
    COrALTransformer,
    EmbeddingModality,
    SequenceModality,
    TabularModality,
    TextModality,
)
from skcoral.augmentations import Noise
from skcoral.modalities import _scalers

UNITS = [2.0**-990, 1e-300, 1e-9, 1e9, 1e300, 2.0**990]
LEVELS = [1e8, 1.7e9]
IDENTITY = FunctionTransformer()
RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(200, 4))
SERIES = np.sin(np.linspace(0, 6, 20) * RNG.uniform(1, 3, size=(40, 1)))


def as_cells(series):
    cells = np.empty(len(series), dtype=object)
    for row, steps in enumerate(series):
        cells[row] = steps[: 5 + row % 10]
    return cells


def values_of(spec, block):
    """Return what a modality makes of a block, without the mask."""
    out = spec.fit(block).transform(block)
    return out[0] if isinstance(out, tuple) else out


# Kind of modality, block of unit 1, rounding errors of float32
KINDS = {
    "table": (TabularModality, TABLE),
    "preprocessed-table": (lambda: TabularModality(preprocessor=IDENTITY), TABLE),
    "vectors": (EmbeddingModality, TABLE),
    "preprocessed-vectors": (lambda: EmbeddingModality(preprocessor=IDENTITY), TABLE),
    "series": (SequenceModality, SERIES),
    "series-of-features": (SequenceModality, TABLE.reshape(40, 5, 4)),
    "cells": (SequenceModality, None),
}
kinds = pytest.mark.parametrize("kind", KINDS)


def make(kind, change):
    """Return a spec and its block, whose numbers are changed first."""
    spec, block = KINDS[kind]
    return spec(), as_cells(change(SERIES)) if block is None else change(block)


# Units and levels


@kinds
@pytest.mark.parametrize("unit", UNITS)
def test_the_unit_does_not_matter(kind, unit):
    expected = values_of(*make(kind, lambda x: x))
    got = values_of(*make(kind, lambda x: x * unit))
    np.testing.assert_allclose(got, expected, atol=2e-6)


@kinds
@pytest.mark.parametrize("level", LEVELS)
def test_the_level_does_not_matter(kind, level):
    expected = values_of(*make(kind, lambda x: x))
    got = values_of(*make(kind, lambda x: x + level))
    np.testing.assert_allclose(got, expected, atol=2e-5)


@pytest.mark.parametrize("unit", [1e-200, 1e-9, 1e9, 1e200])
def test_the_unit_of_sparse_vectors_does_not_matter(unit):
    block = sparse.random(40, 8, density=0.4, random_state=0, format="csr")
    expected = values_of(EmbeddingModality(svd_dim=3, random_state=0), block)
    got = values_of(EmbeddingModality(svd_dim=3, random_state=0), block * unit)
    np.testing.assert_allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("n_rows", [200, 3000])
def test_all_values_of_a_column_stay_distinct(unit, n_rows):
    X = np.random.default_rng(1).normal(size=(n_rows, 1)) * unit
    assert len(np.unique(TabularModality().fit(X).transform(X))) == n_rows


@pytest.mark.parametrize("outlier", [1e10, 1e20, 1e100, 1e300])
@pytest.mark.parametrize("n_rows", [103, 200, 222, 236, 5000])
def test_an_outlier_does_not_squash_the_others(n_rows, outlier):
    X = np.r_[np.arange(1.0, n_rows), outlier][:, None]
    out = TabularModality().fit(X).transform(X)[:, 0]
    assert len(np.unique(out)) == n_rows
    assert np.abs(out).max() < 6


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_units_of_the_columns_of_a_frame_do_not_matter(frame):
    columns = {f"x{i}": column for i, column in enumerate(TABLE.T)}
    scaled = {name: column * 1e-12 for name, column in columns.items()}
    for spec in (TabularModality(), EmbeddingModality()):
        expected = values_of(spec, frame(columns))
        np.testing.assert_allclose(values_of(spec, frame(scaled)), expected, atol=2e-6)


def test_the_unit_does_not_matter_to_the_features():
    features = []
    for unit in (1.0, 2.0**-900, 2.0**900):
        coral = COrALTransformer(**TINY, random_state=0)
        X = SliceDict(v=TABLE[:40] * unit, s=SERIES * unit, t=TABLE[:40, :1] * unit)
        modalities = [("a", "embedding", "v"), ("b", "sequence", "s")]
        modalities += [("c", "tabular", "t")]
        features.append(coral.set_params(modalities=modalities).fit_transform(X))
    np.testing.assert_array_equal(features[0], features[1])
    np.testing.assert_array_equal(features[0], features[2])


# Memory


def test_large_blocks_are_scaled_in_parts(monkeypatch):
    monkeypatch.setattr(_scalers, "VALUES_AT_ONCE", 64)
    seen = []
    divide = _scalers._multiply

    def spy(values, exponent):
        seen.append(values.size)
        return divide(values, exponent)

    monkeypatch.setattr(_scalers, "_multiply", spy)
    values_of(EmbeddingModality(), TABLE.astype(np.float32))
    assert max(seen) == 64


@pytest.mark.parametrize("dtype", ["float32", "int16", "uint8", "bool"])
def test_series_of_small_types_are_not_widened(dtype):
    values, _ = SequenceModality()._read(np.ones((3, 4), dtype=dtype))
    assert values.dtype == np.float32
    values, _ = SequenceModality()._read(as_cells(np.ones((3, 9), dtype=dtype)))
    assert values.dtype == np.float32


# Far beyond the values of fit

FAR = [1e6, 1e20, 1e38, 1e100, 1e300, np.finfo(float).max]
SPECS = {
    "tabular": TabularModality(),
    "preprocessed": TabularModality(preprocessor=IDENTITY),
    "embedding": EmbeddingModality(),
    "transformer": SequenceModality(),
    "gru": SequenceModality(encoder="gru"),
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_features_of_any_finite_number_are_finite(spec):
    modalities = [("a", spec, "x"), ("b", "embedding", "e")]
    X = SliceDict(x=TABLE[:40], e=TABLE[40:80])
    model = COrALClassifier(modalities, **TINY, random_state=0)
    model.fit(X, np.arange(40) % 2)
    for far in FAR:
        block = X["x"].copy()
        block[:3] = [[far] * 4, [-far] * 4, [far, -far, 0.0, far]]
        near = SliceDict(x=block, e=X["e"])
        assert np.isfinite(model.transform(near)).all()
        assert np.isfinite(model.predict_proba(near)).all()
        assert set(model.predict(near)) <= {0, 1}
        assert np.isfinite(model.score(near, np.arange(40) % 2))


def test_sparse_vectors_far_beyond_those_of_fit_are_finite():
    X = sparse.random(40, 8, density=0.4, random_state=0, format="csr")
    spec = EmbeddingModality(svd_dim=3).fit(X)
    for far in FAR:
        assert np.isfinite(spec.transform(X * far)).all()


def test_vectors_of_texts_far_beyond_those_of_fit_are_finite():
    texts = np.array(["red car", "blue car", "red bus", "green"], dtype=object)
    spec = TextModality(preprocessor=TfidfVectorizer(norm=None), svd_dim=2).fit(texts)
    assert np.isfinite(spec.transform(np.array(["red " * 9999], dtype=object))).all()


def test_output_that_is_not_finite_is_an_error():
    class Overflow(EmbeddingModality):
        def transform(self, block):
            return super().transform(block) * np.float32(1e38)

    modalities = [("a", Overflow(augmentation=Noise()), [0, 1]), ("b", "tabular", [2])]
    coral = COrALTransformer(modalities, **TINY, random_state=0).fit(TABLE[:2] * 0)
    message = r"^The network's output is not finite for 40 of 40 rows: a modality gives"
    with pytest.raises(ValueError, match=message):
        coral.transform(TABLE[:40])


# Integers beyond 2**53, and what is no real number


def test_integers_of_vectors_that_float64_merges_are_refused():
    for block in (
        2**60 + np.arange(9)[:, None],
        pd.DataFrame({0: 2**60 + np.arange(9)}),
    ):
        message = r"^Column 0 holds integers beyond 2\*\*53 that are the same"
        with pytest.raises(ValueError, match=message):
            EmbeddingModality().fit(block)
        with pytest.raises(ValueError, match=message):
            TabularModality(preprocessor=IDENTITY).fit(block)


def test_large_integers_of_vectors_that_stay_apart_are_read():
    block = 2**60 + 10_000 * np.arange(9)[:, None]
    small = np.arange(9.0)[:, None]
    np.testing.assert_allclose(
        values_of(EmbeddingModality(), block),
        values_of(EmbeddingModality(), small),
        atol=1e-6,
    )


@pytest.mark.parametrize(
    "wrap", [lambda x: x, as_cells, lambda x: as_cells(x.tolist())]
)
def test_integers_of_series_that_float64_merges_are_refused(wrap):
    block = 2**60 + np.arange(40).reshape(4, 10)
    message = r"^The sequence in row 0 holds integers beyond 2\*\*53 that are the same"
    with pytest.raises(ValueError, match=message):
        SequenceModality().fit(wrap(block))


def test_time_stamps_in_nanoseconds_are_series():
    block = 1_700_000_000_000_000_000 + 1_000_000 * np.arange(40).reshape(4, 10)
    assert len(np.unique(values_of(SequenceModality(), block))) == 40


@pytest.mark.parametrize(
    "values",
    [SERIES[0] * 1j, np.arange(3).astype("M8[D]"), np.array(["1", "2"])],
    ids=["complex", "dates", "strings"],
)
def test_series_of_other_things_are_refused(values):
    cells = np.empty(2, dtype=object)
    cells[:] = [SERIES[0], values]
    message = r"^The sequence in row 1 is not an array of numbers\. Got "
    with pytest.raises(TypeError, match=message):
        SequenceModality().fit(cells)
    message = f"Sequences must be real numbers. Got dtype {values.dtype}."
    with pytest.raises(TypeError, match=exactly(message)):
        SequenceModality().fit(np.array([values, values]))


def test_sparse_complex_vectors_are_refused():
    message = "Sparse vectors must be real. Got dtype complex128."
    with pytest.raises(TypeError, match=exactly(message)):
        EmbeddingModality().fit(sparse.csr_matrix(np.eye(3) * 1j))


def test_durations_are_series_and_vectors_too():
    spans = np.arange(6).reshape(3, 2).astype("m8[s]")
    expected = values_of(EmbeddingModality(), np.arange(6.0).reshape(3, 2))
    np.testing.assert_array_equal(values_of(EmbeddingModality(), spans), expected)


# Masks


def as_masked(block):
    """Return a block with gaps as an array of NaN, and as a masked array of numbers."""
    gaps = np.zeros(block.shape, dtype=bool)
    gaps[::3, -1] = True
    return np.where(gaps, np.nan, block), np.ma.array(block, mask=gaps)


@pytest.mark.parametrize("kind", ["table", "preprocessed-table", "series", "cells"])
def test_masked_values_are_missing(kind):
    spec, block = KINDS[kind]
    gaps, masked = as_masked(SERIES if block is None else block)
    if block is None:
        cells = [np.empty(len(gaps), dtype=object) for _ in range(2)]
        for row in range(len(gaps)):
            cells[0][row], cells[1][row] = gaps[row], masked[row]
        gaps, masked = cells
    np.testing.assert_array_equal(values_of(spec(), masked), values_of(spec(), gaps))


def test_masked_vectors_are_incomplete():
    gaps, masked = as_masked(TABLE)
    for block in (gaps, masked):
        with pytest.raises(ValueError, match="contains NaN; vectors must be complete"):
            EmbeddingModality().fit(block)


def test_masked_integers_beyond_float64_keep_their_differences():
    values = 2**60 + np.arange(40)[:, None]
    masked = np.ma.array(values, mask=np.arange(40)[:, None] % 4 == 0)
    out = TabularModality().fit(masked).transform(masked)
    assert np.isnan(out).sum() == 10
    assert len(np.unique(out[~np.isnan(out)])) == 30
