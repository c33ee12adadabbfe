"""Fits that fail: nothing half-fitted is left, a former fit is kept or forgotten."""

import numpy as np
import pytest
import torch
from helpers import FILM, N_ROWS, exactly, is_fitted, learnt, make_coral, make_frame
from sklearn.exceptions import NotFittedError

from skcoral import TabularModality


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
