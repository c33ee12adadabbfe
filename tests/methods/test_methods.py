"""All methods but COrAL as their users meet them: columns, gaps, errors, pickles."""

import inspect
import pickle

import numpy as np
import pytest
from helpers import HALVES, make_of
from skorch.helper import SliceDict

import skcoral
from skcoral import (
    CoMMTransformer,
    COrALTransformer,
    CrossSelfTransformer,
    CrossTransformer,
    DisentangledSSLTransformer,
    FactorCLTransformer,
    GMCTransformer,
    IndiSeekTransformer,
    InfMaskingTransformer,
    RePercENTTransformer,
    SimCLRTransformer,
)
from skcoral.methods._base import BaseMultimodalTransformer

# Components of two modalities a and b by their width at the sizes of TINY.
METHODS = {
    CrossTransformer: {"a": 8, "b": 8},
    CrossSelfTransformer: {"a": 4, "b": 4},
    SimCLRTransformer: {"a": 4, "b": 4},
    CoMMTransformer: {"shared": 8},
    InfMaskingTransformer: {"shared": 8},
    FactorCLTransformer: {"a": 20, "b": 20},
    DisentangledSSLTransformer: {"shared": 16, "a": 4, "b": 4},
    GMCTransformer: {"shared": 8},
    IndiSeekTransformer: {"shared": 16, "a": 4, "b": 4},
    RePercENTTransformer: {"shared": 8, "a": 4, "b": 4},
}
NEED_TWO = [
    CrossTransformer,
    CrossSelfTransformer,
    FactorCLTransformer,
    DisentangledSSLTransformer,
    IndiSeekTransformer,
    RePercENTTransformer,
]
# Each of the two steps of these has a loss of its own.
IN_TWO_STEPS = [DisentangledSSLTransformer, IndiSeekTransformer]
kinds = pytest.mark.parametrize("kind", METHODS, ids=lambda k: k.__name__)
WITH_GAPS = [k for k, dims in METHODS.items() if "a" in dims]


def with_gaps(views, names=("a", "b")):
    """Return views in which two rows in five lack one modality."""
    blocks = {name: views[name].copy() for name in views}
    for i, name in enumerate(names):
        blocks[name][i::5] = np.nan
    return SliceDict(**blocks)


@pytest.fixture
def triple(views):
    """Three blocks that share a factor."""
    rng = np.random.default_rng(1)
    third = views["a"][:, :2] @ rng.normal(size=(2, 4))
    return SliceDict(a=views["a"], b=views["b"], c=third)


def test_every_sibling_is_tested():
    exported = [getattr(skcoral, name) for name in skcoral.__all__]
    classes = filter(inspect.isclass, exported)
    methods = {o for o in classes if issubclass(o, BaseMultimodalTransformer)}
    siblings = {o for o in methods if not issubclass(o, COrALTransformer)}
    assert siblings == set(METHODS)
    for kind in siblings:
        assert kind.__bases__ == (BaseMultimodalTransformer,)


@kinds
def test_components_and_their_columns(views, kind):
    model = make_of(kind).fit(views)
    Z = model.transform(views)
    parts = {name: p.stop - p.start for name, p in model.output_indices_.items()}
    assert parts == METHODS[kind]
    assert Z.shape == (60, sum(parts.values()))
    assert Z.dtype == np.float32
    assert np.isfinite(Z).all()
    names = model.get_feature_names_out().tolist()
    assert [name.rsplit("_", 1)[0] for name in names] == [
        part for part, width in parts.items() for _ in range(width)
    ]


@kinds
def test_terms_make_the_loss(views, kind):
    model = make_of(kind).fit(views)
    terms = model.net_.criterion_.terms
    assert list(model.history_) == [f"train_{name}" for name in ("loss", *terms)]
    total = np.sum([model.history_[f"train_{term}"] for term in terms], axis=0)
    np.testing.assert_allclose(total, model.loss_curve_, rtol=1e-4)
    assert np.isfinite(total).all()


@kinds
def test_same_seed_same_features(views, kind):
    first, second = (make_of(kind).fit(views).transform(views) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@kinds
def test_a_row_is_embedded_alike_in_every_batch(views, kind):
    X = with_gaps(views)
    model = make_of(kind).fit(X)
    whole = model.transform(X)
    order = np.random.default_rng(0).permutation(60)
    np.testing.assert_array_equal(model.transform(X[order]), whole[order])
    np.testing.assert_array_equal(model.transform(X[:3]), whole[:3])


@kinds
def test_three_modalities_with_gaps(triple, kind):
    X = with_gaps(triple, ("a", "b", "c"))
    model = make_of(kind).fit(X)
    Z = model.transform(X)
    assert np.isfinite(Z).all()
    assert np.isfinite(model.score(X))
    present = np.isfinite(model.set_params(missing="nan").transform(X))
    for name, columns in model.output_indices_.items():
        lacks = np.isnan(X[name]).all(axis=1) if name != "shared" else np.zeros(60)
        assert (present[:, columns].all(axis=1) == ~lacks.astype(bool)).all()
    np.testing.assert_array_equal(Z[present], model.transform(X)[present])


@pytest.mark.parametrize("kind", WITH_GAPS, ids=lambda k: k.__name__)
def test_missing_components_are_predicted_from_the_rest(kind):
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(120, 2))
    X = SliceDict(
        **{
            name: factors @ rng.normal(size=(2, 4)) + 0.01 * rng.normal(size=(120, 4))
            for name in "abc"
        }
    )
    model = make_of(kind, embed_dim=16, max_epochs=15).fit(X[:90])
    columns = model.output_indices_["b"]
    truth = model.transform(X[90:])[:, columns]
    test = SliceDict(a=X["a"][90:], b=np.full((30, 4), np.nan), c=X["c"][90:])
    filled = model.transform(test)[:, columns]
    error = ((filled - truth) ** 2).sum()
    assert error < 0.7 * ((truth - truth.mean(axis=0)) ** 2).sum()


@kinds
def test_one_modality_is_enough_or_refused(kind):
    X = np.random.default_rng(0).normal(size=(30, 4))
    model = make_of(kind)
    if kind not in NEED_TWO:
        assert np.isfinite(model.fit_transform(X)).all()
        return
    message = rf"{kind.__name__} needs two modalities or more. Got \['table'\]"
    with pytest.raises(ValueError, match=message):
        model.fit(X)
    assert not hasattr(model, "net_")
    assert make_of(kind, modalities=HALVES).fit_transform(X[:, :1]).shape[0] == 30


@kinds
def test_training_further_and_pickling(views, kind):
    model = make_of(kind, warm_start=True).partial_fit(views).partial_fit(views[:30])
    assert model.n_iter_ == 2
    copied = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copied.transform(views), model.transform(views))
    assert copied.score(views) == model.score(views)
    np.testing.assert_array_equal(
        copied.partial_fit(views).transform(views),
        model.partial_fit(views).transform(views),
    )


@kinds
def test_training_lowers_the_loss(views, kind):
    curve = make_of(kind, max_epochs=30).fit(views).loss_curve_
    for part in np.split(np.array(curve), 1 + (kind in IN_TWO_STEPS)):
        assert part[-5:].mean() < part[:2].mean()


@pytest.mark.parametrize(
    ("kind", "absent"),
    [(CrossTransformer, "shared"), (SimCLRTransformer, "shared")]
    + [(CrossSelfTransformer, "shared"), (FactorCLTransformer, "shared")]
    + [(k, "unique") for k in METHODS if set(METHODS[k]) == {"shared"}],
)
def test_output_of_a_component_that_does_not_exist(views, kind, absent):
    message = rf"'output' parameter of {kind.__name__} must be .* Got '{absent}'"
    with pytest.raises(ValueError, match=message):
        make_of(kind, output=absent).fit(views)
    model = make_of(kind).fit(views).set_params(output=absent)
    with pytest.raises(ValueError, match=r"'output' .* must select one of"):
        model.transform(views)


@kinds
def test_training_in_bfloat16(views, kind):
    X = with_gaps(views)
    model = make_of(kind, precision="bfloat16", embed_dim=16).fit(X)
    Z = model.transform(X)
    assert Z.dtype == np.float32
    assert np.isfinite(Z).all()
    assert all(np.isfinite(values).all() for values in model.history_.values())


@kinds
def test_views_of_images_and_series(kind):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, size=(12, 9, 9, 3), dtype=np.uint8)
    series = rng.normal(size=(12, 5, 2))
    series[::3, 3:] = np.nan
    Z = make_of(kind).fit_transform(SliceDict(a=images, b=series))
    assert np.isfinite(Z).all()


@pytest.mark.parametrize(
    "kind",
    [CoMMTransformer, InfMaskingTransformer, IndiSeekTransformer, RePercENTTransformer],
)
def test_width_must_be_a_multiple_of_the_heads(views, kind):
    with pytest.raises(ValueError, match=rf"'embed_dim' parameter of {kind.__name__}"):
        make_of(kind, embed_dim=6).fit(views)
