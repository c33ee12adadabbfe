"""COrALRegressor: the scale of its targets, and few of them."""

import numpy as np
import pytest
from helpers import SMALL, make_target

from skcoral import (
    COrALRegressor,
)
from skcoral.datasets import make_multimodal_interactions

# What is learnt


def test_few_targets_beat_the_mean():
    made = make_multimodal_interactions(700, random_state=0)
    X = made.data
    y = X["m0"] @ np.random.default_rng(1).normal(size=32)
    known = np.where(np.arange(700) < 100, y, np.nan)
    model = COrALRegressor(**SMALL, max_epochs=20, random_state=0)
    model.fit(X[:400], known[:400])
    # The mean of the targets has a score of zero.
    assert model.score(X[400:], y[400:]) > 0.3


# Numbers


def test_the_scale_of_the_target_is_that_of_the_labelled_rows(views, make):
    y = make_target(COrALRegressor)
    model = make(COrALRegressor).fit(views, y)
    assert model.target_mean_ == pytest.approx(np.nanmean(y))
    assert model.target_scale_ == pytest.approx(np.nanstd(y))
    moved = make(COrALRegressor).fit(views, 1e6 + 100 * y)
    np.testing.assert_allclose(
        (moved.predict(views) - 1e6) / 100, model.predict(views), rtol=1e-4
    )


@pytest.mark.parametrize("n_labelled", [1, 30])
def test_a_constant_target_is_predicted(views, make, n_labelled):
    y = np.where(np.arange(60) < n_labelled, 7.0, np.nan)
    model = make(COrALRegressor).fit(views, y)
    np.testing.assert_allclose(model.predict(views), 7.0, atol=0.1)


# Units


@pytest.mark.parametrize("unit", [2.0**-1000, 1e-300, 1e-9, 1e9, 1e160, 1e300])
def test_the_unit_of_the_target_does_not_matter(views, make, unit):
    y = make_target(COrALRegressor) + 0.5
    expected = make(COrALRegressor).fit(views, y)
    model = make(COrALRegressor).fit(views, y * unit)
    predicted = model.predict(views)
    np.testing.assert_allclose(predicted / unit, expected.predict(views), rtol=1e-4)
    assert model.target_scale_ / unit == pytest.approx(expected.target_scale_)
    score = expected.score(views, y)
    assert model.score(views, y * unit) == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize("level", [1e8, -1.7e9])
def test_the_level_of_the_target_does_not_matter(views, make, level):
    y = make_target(COrALRegressor)
    expected = make(COrALRegressor).fit(views, y).predict(views)
    got = make(COrALRegressor).fit(views, y + level).predict(views)
    # A tree may split elsewhere where rounding decides between equals.
    np.testing.assert_allclose(got - level, expected, atol=0.05)


@pytest.mark.parametrize("value", [0.0, 1e160, -1e300, 5e-324])
def test_a_constant_target_of_any_size_is_predicted(views, make, value):
    model = make(COrALRegressor).fit(views, np.full(60, value))
    predicted = model.predict(views)
    np.testing.assert_allclose(predicted, value, rtol=0.1, atol=0.1 * (value == 0))
    assert np.isfinite(model.target_scale_)


def test_the_largest_targets_give_finite_predictions(views, make):
    largest = np.finfo(float).max
    y = np.where(np.arange(60) % 2, largest, -largest)
    model = make(COrALRegressor).fit(views, y)
    assert np.isfinite(model.predict(views)).all()
    assert np.isfinite(model.score(views, y))


# Quantiles


def test_quantiles_cover_new_targets():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2200, 6))
    y = X[:, 0] + rng.exponential(size=2200)
    model = COrALRegressor(**SMALL, max_epochs=1, random_state=0).fit(X[:200], y[:200])
    low, middle, high = model.predict_quantiles(X[200:]).T
    assert (low < middle).all()
    assert (middle < high).all()
    # Errors of 200 rows tell a level to within 0.02, of 2,000 to 0.007.
    assert np.mean(y[200:] < low) == pytest.approx(0.05, abs=0.05)
    assert np.mean(y[200:] < high) == pytest.approx(0.95, abs=0.05)


@pytest.mark.parametrize("levels", [[0.0, 0.5], [0.5, 1.0], [[0.5]], 0.5, [np.nan]])
def test_levels_that_are_none_are_refused(views, make, levels):
    model = make(COrALRegressor).fit(views, make_target(COrALRegressor))
    with pytest.raises(ValueError, match="must be numbers between 0 and 1"):
        model.predict_quantiles(views, levels)
