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


# Continued training


def test_partial_fit_of_the_regressor_keeps_the_scale(views, make):
    y = make_target(COrALRegressor)
    model = make(COrALRegressor).partial_fit(views[:40], y[:40])
    mean = model.target_mean_
    model.partial_fit(views[40:], y[40:])
    assert (model.n_iter_, model.target_mean_) == (2, mean)
