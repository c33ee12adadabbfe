"""What stands for a missing modality: a prediction from the others."""

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV
from skorch.helper import SliceDict

from skcoral import COrALTransformer, GMCTransformer, SimCLRTransformer
from skcoral._training.imputation import PENALTIES


def hide(X, name, rows=slice(None)):
    """Return X with a modality that rows lack."""
    blocks = {key: X[key].copy() for key in X}
    blocks[name][rows] = np.nan
    return SliceDict(**blocks)


@pytest.fixture
def related():
    """Three blocks that nearly tell one another."""
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(90, 3))
    return SliceDict(
        **{
            name: factors @ rng.normal(size=(3, 4)) + 0.01 * rng.normal(size=(90, 4))
            for name in "abc"
        }
    )


def part(coral, X, name):
    return coral.transform(X)[:, coral.output_indices_[name]]


def test_fill_is_a_ridge_regression_on_the_shared_embedding(related, tiny):
    coral = COrALTransformer(**tiny).fit(related)
    for name in related:
        shared = part(coral, hide(related, name), "shared")
        model = RidgeCV(PENALTIES).fit(shared, part(coral, related, name))
        expected = model.predict(shared)
        filled = part(coral, hide(related, name), name)
        np.testing.assert_allclose(filled, expected, atol=1e-4)


def test_fill_is_learnt_on_rows_that_have_the_modality_and_another(related, tiny):
    X = hide(
        hide(hide(related, "a", slice(0, 30)), "b", slice(20, 40)), "c", slice(30, None)
    )
    coral = COrALTransformer(**tiny).fit(X)
    # Rows 30 to 39 have a alone, rows before lack it.
    rows = np.arange(40, 90)
    shared = part(coral, hide(X[rows], "a"), "shared")
    model = RidgeCV(PENALTIES).fit(shared, part(coral, X[rows], "a"))
    filled = part(coral, hide(X[rows], "a"), "a")
    np.testing.assert_allclose(filled, model.predict(shared), atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_fill_is_nearer_than_the_mean(related, tiny, seed):
    params = {"max_epochs": 60, "embed_dim": 16, "random_state": seed}
    coral = COrALTransformer(**tiny | params).fit(related[:60])
    truth = part(coral, related[60:], "b")
    filled = part(coral, hide(related[60:], "b"), "b")
    assert ((filled - truth) ** 2).sum() < 0.5 * ((truth - truth.mean(0)) ** 2).sum()


def test_modalities_that_never_meet_are_filled_by_their_mean(related, tiny):
    X = SliceDict(a=related["a"], b=related["b"])
    X = hide(hide(X, "a", slice(0, 45)), "b", slice(45, 90))
    coral = COrALTransformer(**tiny).fit(X)
    mean = part(coral, X[45:], "a").mean(axis=0)
    np.testing.assert_allclose(
        part(coral, X[:45], "a"), np.tile(mean, (45, 1)), atol=1e-5
    )


def test_a_chunk_in_which_modalities_never_meet_leaves_no_older_prediction(
    related, tiny
):
    X = SliceDict(a=related["a"], b=related["b"])
    apart = hide(hide(X, "a", slice(0, 45)), "b", slice(45, 90))
    coral = COrALTransformer(**tiny, random_state=0).partial_fit(X)
    coral.partial_fit(apart)
    mean = part(coral, apart[45:], "a").mean(axis=0)
    np.testing.assert_allclose(
        part(coral, apart[:45], "a"), np.tile(mean, (45, 1)), atol=1e-5
    )


def test_without_a_shared_path_the_other_components_predict(related, tiny):
    X = hide(related, "c", slice(0, 20))
    model = SimCLRTransformer(**tiny, random_state=0).fit(X)
    has_c = np.arange(90) >= 20
    others = {name: part(model, X, name) for name in "bc"}
    means = {"b": others["b"].mean(axis=0), "c": others["c"][has_c].mean(axis=0)}
    centred = {name: others[name] - means[name] for name in "bc"}
    centred["c"][~has_c] = 0.0
    known = np.hstack([centred["b"], centred["c"]])
    ridge = RidgeCV(PENALTIES).fit(known, part(model, X, "a"))
    filled = part(model, hide(X, "a"), "a")
    np.testing.assert_allclose(filled, ridge.predict(known), atol=1e-4)


def test_components_that_are_not_of_one_modality_are_not_predicted(related, tiny):
    model = GMCTransformer(**tiny).fit(related)
    assert not model.net_.module_.fill_bias.any()
