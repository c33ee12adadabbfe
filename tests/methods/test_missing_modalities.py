"""Rows that lack modalities, through fit and transform of COrALTransformer."""

import pickle

import numpy as np
import pytest
from helpers import FILM_TABLE, film_modalities, make_tiny, with_gaps
from sklearn.base import clone
from skorch.helper import SliceDict


@pytest.mark.parametrize("mask_mode", ["zero", "token", "drop"])
def test_rows_may_lack_a_modality_in_fit_and_transform(views, tiny, mask_mode):
    X = with_gaps(views)
    coral = make_tiny(tiny, mask_mode=mask_mode).fit(X)
    assert np.isfinite(coral.loss_curve_).all()
    assert np.isfinite(coral.transform(X)).all()
    assert np.isfinite(coral.score(X))


def test_complete_rows_are_embedded_alike_beside_incomplete_ones(views, tiny):
    coral = make_tiny(tiny).fit(with_gaps(views))
    alone, mixed = coral.transform(views[:20]), coral.transform(with_gaps(views)[:20])
    complete = [np.isfinite(with_gaps(views)[k][:20]).all(axis=1) for k in views]
    rows = np.logical_and(*complete)
    assert 0 < rows.sum() < 20
    np.testing.assert_allclose(mixed[rows], alone[rows], atol=1e-5)


@pytest.mark.parametrize("missing", ["zero", "nan"])
def test_missing_unique_components_are_filled(views, tiny, missing):
    coral = make_tiny(tiny, missing=missing).fit(views)
    X = SliceDict(a=views["a"], b=views["b"].copy())
    X["b"][:9] = np.nan
    Z, parts = coral.transform(X), coral.output_indices_
    whole = coral.transform(views)
    fill = {"zero": 0.0, "nan": np.nan}[missing]
    np.testing.assert_array_equal(Z[:9, parts["b"]], np.full((9, 4), fill))
    np.testing.assert_allclose(Z[9:], whole[9:], atol=1e-5)
    np.testing.assert_allclose(Z[:9, parts["a"]], whole[:9, parts["a"]], atol=1e-5)
    assert np.isfinite(Z[:, parts["shared"]]).all()


def test_a_modality_may_be_missing_in_all_rows_of_transform(views, tiny):
    coral = make_tiny(tiny).fit(views)
    X = SliceDict(a=views["a"], b=np.full_like(views["b"], np.nan))
    assert np.isfinite(coral.transform(X)).all()


def test_a_modality_that_is_missing_in_every_row_of_fit_is_refused(views, tiny):
    X = SliceDict(a=views["a"], b=np.full_like(views["b"], np.nan))
    with pytest.raises(ValueError, match=r"^Modality 'b': .*missing in every row"):
        make_tiny(tiny).fit(X)


def test_rows_that_lack_everything_are_refused_by_default(views, tiny):
    coral = make_tiny(tiny).fit(views)
    X = SliceDict(**{name: views[name].copy() for name in views})
    for name in X:
        X[name][[4, 7]] = np.nan
    message = (
        r"^2 rows of X lack every modality, the first of them row 4\. Leave them out, "
        r"or set empty_rows='nan'\.$"
    )
    for method in (coral.transform, coral.score, clone(coral).fit):
        with pytest.raises(ValueError, match=message):
            method(X)


def test_rows_that_lack_everything_are_nan_on_request(views, tiny):
    X = SliceDict(**{name: views[name].copy() for name in views})
    for name in X:
        X[name][[4, 7]] = np.nan
    coral = make_tiny(tiny, empty_rows="nan").fit(X)
    Z = coral.transform(X)
    assert np.isnan(Z[[4, 7]]).all()
    rest = np.delete(np.arange(60), [4, 7])
    np.testing.assert_array_equal(Z[rest], coral.transform(X[rest]))
    np.testing.assert_array_equal(
        Z[rest], make_tiny(tiny).fit(X[rest]).transform(X[rest])
    )
    assert coral.score(X) == coral.score(X[rest])


def test_few_rows_that_have_anything(views, tiny):
    X = SliceDict(**{name: np.full_like(views[name], np.nan) for name in views})
    coral = make_tiny(tiny, empty_rows="nan")
    with pytest.raises(ValueError, match="missing in every row"):
        coral.fit(X)
    fitted = clone(coral).fit(views)
    Z = fitted.transform(X)
    assert Z.shape == (60, 16) and np.isnan(Z).all()
    for name in X:
        X[name][0] = 0.0
    with pytest.raises(ValueError, match=r"^Found 1 row\(s\) that have any modality"):
        coral.fit(X)
    n_iter = fitted.n_iter_
    with pytest.raises(ValueError, match=r"^Found 1 row\(s\) that have any modality"):
        fitted.partial_fit(X)
    assert fitted.n_iter_ == n_iter


def test_text_and_table_may_be_missing(films, tiny):
    films["seen"] = films["seen"].astype("boolean")
    films.loc[:9, "plot"] = None
    films.loc[30:34, FILM_TABLE] = None
    coral = make_tiny(tiny, film_modalities(), missing="nan").fit(films)
    Z, parts = coral.transform(films), coral.output_indices_
    assert np.isnan(Z[:10, parts["words"]]).all()
    assert np.isnan(Z[30:35, parts["film"]]).all()
    assert np.isfinite(Z[10:30]).all() and np.isfinite(Z[35:]).all()


def test_an_empty_text_is_not_missing(films, tiny):
    films.loc[:9, "plot"] = ""
    coral = make_tiny(tiny, film_modalities(), missing="nan").fit(films)
    assert np.isfinite(coral.transform(films)).all()


def test_modality_dropout_is_reproducible_and_matters(views, tiny):
    plain = make_tiny(tiny).fit_transform(views)
    first, second = (
        make_tiny(tiny, modality_dropout=0.5).fit_transform(views) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, plain)


def test_gaps_survive_pickle_and_partial_fit(views, tiny):
    X = with_gaps(views)
    coral = make_tiny(tiny).partial_fit(X[:30]).partial_fit(views).partial_fit(X)
    copied = pickle.loads(pickle.dumps(coral))
    np.testing.assert_array_equal(copied.transform(X), coral.transform(X))
