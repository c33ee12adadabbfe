"""Scalers: standardised in any unit, at any level, and bounded."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from skcoral.modalities import _scalers
from skcoral.modalities._scalers import (
    BOUND,
    BoundedScaler,
    NormalScores,
    RankScaler,
    SparseScaler,
)

BINARY = [2.0**-1000, 2.0**-30, 2.0**30, 2.0**1000]
DECIMAL = [1e-300, 1e-9, 1e9, 1e300]
# Largest rounding errors of values between -5 and 5 in float32.
EPS = 1e-6


def draw(n_rows=200):
    """Return columns of several scales, with gaps."""
    X = np.random.default_rng(0).normal(size=(n_rows, 3)) * [1.0, 10.0, 0.1]
    X[::7, 1] = np.nan
    return X


# Standardised values


def test_ordinary_columns_are_standardised_as_by_scikit_learn():
    X = draw() + np.array([0.0, 5.0, 100.0])
    expected = StandardScaler().fit_transform(X)
    np.testing.assert_allclose(BoundedScaler().fit_transform(X), expected, atol=EPS)


@pytest.mark.parametrize("unit", BINARY)
def test_powers_of_two_as_units_change_no_bit(unit):
    expected = BoundedScaler().fit_transform(draw())
    np.testing.assert_array_equal(
        BoundedScaler().fit_transform(draw() * unit), expected
    )


@pytest.mark.parametrize("unit", DECIMAL)
def test_other_units_change_nothing_but_rounding(unit):
    expected = BoundedScaler().fit_transform(draw())
    got = BoundedScaler().fit_transform(draw() * unit)
    np.testing.assert_allclose(got, expected, atol=EPS)


@pytest.mark.parametrize("level", [1e8, 1.7e9, -1e8])
def test_the_level_is_taken_away_before_precision_is(level):
    wave = np.sin(np.linspace(0, 30, 500))[:, None]
    expected = BoundedScaler().fit_transform(wave)
    got = BoundedScaler().fit_transform(wave + level)
    np.testing.assert_allclose(got, expected, atol=EPS)
    assert len(np.unique(got)) == 500


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "uint64", "bool"])
def test_types_of_numbers_agree(dtype):
    X = np.random.default_rng(0).integers(0, 2, size=(50, 2))
    expected = BoundedScaler().fit_transform(X.astype(float))
    got = BoundedScaler().fit_transform(X.astype(dtype))
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("value", [0.0, 0.1, 3, -1e300, 5e-324])
def test_a_constant_column_is_zero(value):
    got = BoundedScaler().fit_transform(np.full((7, 1), value))
    np.testing.assert_allclose(got, 0, atol=1e-15)


def test_rounding_errors_of_a_level_are_no_differences():
    X = np.array([[0.1 + 0.2], [0.3], [0.3]])
    np.testing.assert_allclose(BoundedScaler().fit_transform(X), 0, atol=1e-15)


def test_the_largest_numbers_are_standardised():
    X = np.array([[1.7e308], [-1.7e308], [0.0]])
    expected = StandardScaler().fit_transform(X / 1.7e308)
    np.testing.assert_allclose(BoundedScaler().fit_transform(X), expected, atol=EPS)


def test_a_column_without_values_stays_missing_and_takes_any():
    scaler = BoundedScaler().fit(np.full((3, 1), np.nan))
    assert np.isnan(scaler.transform(np.full((2, 1), np.nan))).all()
    assert np.isfinite(scaler.transform([[3.0]] * np.ones((1, 1)))).all()


def test_values_are_bounded_on_both_sides():
    scaler = BoundedScaler().fit(draw()[:, :1])
    far = np.array([[1e20], [-1e300], [np.finfo(float).max], [np.nan]])
    np.testing.assert_array_equal(
        scaler.transform(far)[:, 0], [BOUND, -BOUND, BOUND, np.nan]
    )


def test_no_fitted_value_meets_the_bound():
    X = np.zeros((10_000, 1))
    X[0] = 1e300
    got = BoundedScaler().fit_transform(X)
    assert got.max() == pytest.approx(np.sqrt(9_999))


def test_parts_give_the_same_as_the_whole(monkeypatch):
    expected = BoundedScaler().fit_transform(draw())
    monkeypatch.setattr(_scalers, "VALUES_AT_ONCE", 32)
    got = BoundedScaler().fit_transform(draw())
    np.testing.assert_allclose(got, expected, atol=EPS)


@pytest.mark.parametrize("unit", [1.0, *DECIMAL])
def test_standardised_values_can_be_turned_back(unit):
    X = (draw()[:, :1] + 50.0) * unit
    scaler = BoundedScaler().fit(X)
    got = scaler.inverse_transform(scaler.transform(X))
    np.testing.assert_allclose(got, X, rtol=1e-6)


def test_what_would_overflow_is_turned_into_the_largest_number():
    scaler = BoundedScaler().fit([[1.7e308], [-1.7e308]] * np.ones((2, 1)))
    largest = np.finfo(float).max
    got = scaler.inverse_transform(np.array([[5.0], [-5.0]]))
    np.testing.assert_array_equal(got, [[largest], [-largest]])


def test_no_rows_are_no_error():
    scaler = BoundedScaler().fit(draw())
    assert scaler.transform(np.empty((0, 3))).shape == (0, 3)


# Ranks of the columns of tables


@pytest.mark.parametrize("unit", [1.0, *BINARY, *DECIMAL])
def test_ranks_do_not_depend_on_the_unit(unit):
    got = RankScaler().fit_transform(draw() * unit)
    np.testing.assert_array_equal(got, RankScaler().fit_transform(draw()))


def test_ranks_of_fitted_values_are_their_places():
    X = np.array([[3.0], [np.nan], [1e300], [-5.0], [3.0], [5e-324]])
    got = RankScaler().fit_transform(X)[:, 0]
    np.testing.assert_array_equal(got, [2, np.nan, 3, 0, 2, 1])


@pytest.mark.parametrize("unit", [2.0**-1060, 1.0, 2.0**1020])
def test_ranks_are_interpolated_and_end_with_the_values(unit):
    scaler = RankScaler().fit(np.array([[1.0], [5.0], [-9.0]]) * unit)
    new = np.array([[2.0], [-4.0], [5.5], [-9.5], [np.nan]])
    got = scaler.transform(new * unit)[:, 0]
    np.testing.assert_array_equal(got, [1.25, 0.5, 2, 0, np.nan])


def test_ranks_take_the_largest_numbers():
    largest = np.finfo(float).max
    X = np.array([[largest], [-largest], [0.0]])
    np.testing.assert_array_equal(RankScaler().fit_transform(X)[:, 0], [2, 0, 1])
    scaler = RankScaler().fit(X[:2])
    np.testing.assert_array_equal(scaler.transform(X)[:, 0], [1, 0, 0.5])


def test_ranks_of_all_magnitudes_at_once_differ():
    X = np.r_[np.logspace(-320, 308, 300), -np.logspace(-320, 308, 300), 0.0]
    got = RankScaler().fit_transform(X[:, None])[:, 0]
    np.testing.assert_array_equal(np.sort(got), np.arange(601))


@pytest.mark.parametrize("value", [np.nan, 7.0])
def test_a_column_of_one_value_or_none_has_one_rank(value):
    scaler = RankScaler().fit(np.full((3, 1), value))
    got = scaler.transform(np.array([[7.0], [1e300], [-1e300], [np.nan]]))
    np.testing.assert_array_equal(got[:, 0], [0, 0, 0, np.nan])


def test_a_long_column_keeps_some_values_and_those_near_its_ends():
    X = np.arange(50_000.0)[::-1, None]
    scaler = RankScaler().fit(X)
    (knots,) = scaler.knots_
    assert len(knots) <= _scalers.N_KNOTS + 2 * _scalers.N_ENDS
    assert np.diff(knots[: _scalers.N_ENDS]).tolist() == [5.0] * (_scalers.N_ENDS - 1)
    assert (np.diff(scaler.transform(X)[:, 0]) <= 0).all()


def test_normal_scores_are_quantiles_of_the_normal_distribution():
    got = NormalScores().transform(np.array([[0.0, 0.5, 1.0, np.nan, 0.975]]))
    np.testing.assert_allclose(got, [[-5.2, 0.0, 5.2, np.nan, 1.96]], atol=2e-3)


# Sparse matrices


@pytest.mark.parametrize("unit", [*BINARY, *DECIMAL])
def test_sparse_scaler_divides_all_by_one_power(unit):
    X = sparse.random(30, 5, density=0.4, random_state=0, format="csr")
    expected = SparseScaler().fit_transform(X)
    got = SparseScaler().fit_transform(X * unit)
    ratio = got.data / expected.data
    np.testing.assert_allclose(ratio, ratio[0])
    assert 0.5 <= abs(got).max() < 1


def test_sparse_scaler_bounds_new_values_and_copies():
    X = sparse.csr_matrix(np.eye(3, dtype=np.float32))
    far = X * np.float32(1e30)
    got = SparseScaler().fit(X).transform(far)
    assert got.dtype == np.float32
    assert got.max() == BOUND
    assert far.max() == np.float32(1e30)


@pytest.mark.parametrize(
    "scaler", [BoundedScaler(), RankScaler(), NormalScores(), SparseScaler()]
)
def test_scalers_can_be_cloned(scaler):
    assert type(clone(scaler)) is type(scaler)
