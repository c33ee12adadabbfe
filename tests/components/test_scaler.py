import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers import TINY
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcoral import ComponentScaler, COrALTransformer

PARTS = {"told": slice(0, 4), "silent": slice(4, 12)}


def make_rows(n_rows=120, seed=0, n_classes=3):
    """Return rows whose first four columns tell the class, and eight of noise."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_rows) % n_classes
    X = rng.normal(size=(n_rows, 12))
    X[:, :4] += rng.normal(size=(n_classes, 4))[y]
    return X, y


def test_the_component_that_tells_the_label_weighs_more():
    ratios = []
    for seed in range(5):
        weights = ComponentScaler(PARTS).fit(*make_rows(seed=seed)).weights_
        ratios.append(weights["told"] / weights["silent"])
    assert min(ratios) > 1.5


def test_numbers_are_told_too():
    X, _ = make_rows()
    y = X[:, 0] - 2 * X[:, 1] + np.random.default_rng(1).normal(size=len(X))
    weights = ComponentScaler(PARTS).fit(X, y).weights_
    assert weights["told"] > 2 * weights["silent"]
    whole = ComponentScaler(PARTS, target="numbers").fit(X, np.round(y).astype(int))
    assert whole.weights_["told"] > 2 * whole.weights_["silent"]


def test_output_is_standardised_columns_times_the_weight_of_their_component():
    X, y = make_rows()
    scaler = ComponentScaler(PARTS)
    out = scaler.fit_transform(X, y)
    weights = np.repeat(list(scaler.weights_.values()), [4, 8])
    np.testing.assert_allclose(out, StandardScaler().fit_transform(X) * weights)
    assert np.mean(weights**2) == pytest.approx(1)


def test_without_deviations_columns_keep_their_scale():
    X, y = make_rows()
    scaler = ComponentScaler(PARTS, with_std=False)
    out = scaler.fit_transform(X, y)
    weights = np.repeat(list(scaler.weights_.values()), [4, 8])
    np.testing.assert_allclose(out, (X - X.mean(axis=0)) * weights)


def test_units_do_not_matter():
    X, y = make_rows()
    other = X * 10.0 ** np.arange(-6, 6) + 7
    expected = ComponentScaler(PARTS).fit_transform(X, y)
    out = ComponentScaler(PARTS).fit_transform(other, y)
    np.testing.assert_allclose(out, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("n_labels", [1, 2])
def test_a_label_or_two_per_class_are_enough_to_fit(n_labels):
    X, y = make_rows(n_rows=3 * n_labels)
    out = ComponentScaler(PARTS).fit_transform(X, y)
    assert np.isfinite(out).all()


def test_weights_draw_together_as_labels_vanish():
    spreads = []
    for n_rows in (3, 300):
        weights = [
            ComponentScaler(PARTS).fit(*make_rows(n_rows, seed)).weights_
            for seed in range(10)
        ]
        spreads.append(np.mean([abs(np.log(w["told"] / w["silent"])) for w in weights]))
    assert spreads[0] < spreads[1] / 2
    X, _ = make_rows()
    weights = list(ComponentScaler(PARTS).fit(X, np.ones(120)).weights_.values())
    np.testing.assert_allclose(weights, 1, rtol=1e-4)


def test_names_give_components_in_pandas_and_polars():
    X, y = make_rows()
    names = [*(f"film_{i}" for i in range(4)), *(f"credits_{i:02d}" for i in range(7))]
    names.append("runtime")
    for frame in (pd.DataFrame(X, columns=names), pl.DataFrame(X, schema=names)):
        scaler = ComponentScaler().fit(frame, y)
        assert list(scaler.weights_) == ["film", "credits", "runtime"]
        assert scaler.output_indices_["credits"].tolist() == list(range(4, 11))
        by_name = {"a": names[:4], "b": slice(4, 11), "c": ["runtime"]}
        given = ComponentScaler(by_name).fit(frame, y)
        assert list(given.weights_.values()) == list(scaler.weights_.values())


def test_it_follows_a_transformer_in_a_pipeline():
    X, y = make_rows()
    coral = COrALTransformer(
        [("a", "embedding", slice(0, 4)), ("b", "embedding", slice(4, 12))],
        random_state=0,
        **TINY,
    )
    model = make_pipeline(coral, ComponentScaler(), LogisticRegression())
    model.set_output(transform="pandas").fit(X, y)
    assert list(model[1].weights_) == ["shared", "a", "b"]
    assert (
        list(model[:2].transform(X).columns) == coral.get_feature_names_out().tolist()
    )


def test_an_array_without_names_is_one_component_and_says_so():
    X, y = make_rows()
    with pytest.warns(UserWarning, match="X has none, so that all columns are one"):
        scaler = ComponentScaler().fit(X, y)
    assert scaler.weights_ == {"all": pytest.approx(1)}


def test_missing_values_are_kept_and_count_as_the_mean():
    X, y = make_rows()
    holes = X.copy()
    holes[::7, 5] = np.nan
    out = ComponentScaler(PARTS).fit_transform(holes, y)
    np.testing.assert_array_equal(np.isnan(out), np.isnan(holes))
    absent = X.copy()
    absent[:, 4:] = np.nan
    # Nothing is known of a component without values: it keeps the common weight.
    weights = list(ComponentScaler(PARTS).fit(absent, y).weights_.values())
    np.testing.assert_allclose(weights, 1, rtol=1e-4)


def test_constant_columns_become_zero():
    X, y = make_rows()
    X[:, 5] = 3.0
    assert (ComponentScaler(PARTS).fit_transform(X, y)[:, 5] == 0).all()


def test_several_outputs_count_together():
    X, y = make_rows()
    one, other = X[:, 0] + 0.1, X[:, 5] + 0.1
    parts = {"one": slice(0, 4), "other": slice(4, 8), "none": slice(8, 12)}
    weights = ComponentScaler(parts).fit(X, np.column_stack([one, other])).weights_
    assert min(weights["one"], weights["other"]) > 1.5 * weights["none"]
    twice = ComponentScaler(PARTS, target="classes").fit(X, np.column_stack([y, y]))
    assert twice.weights_["told"] > 1.5 * twice.weights_["silent"]


def test_rows_of_weight_zero_do_not_count():
    X, y = make_rows()
    half = np.repeat([1.0, 0.0], 60)
    weighed = ComponentScaler(PARTS).fit(X, y, sample_weight=half)
    alone = ComponentScaler(PARTS).fit(X[:60], y[:60])
    np.testing.assert_allclose(weighed.transform(X), alone.transform(X))


def test_float32_stays_float32():
    X, y = make_rows()
    out = ComponentScaler(PARTS).fit_transform(X.astype(np.float32), y)
    assert out.dtype == np.float32


def test_a_clone_learns_the_same():
    X, y = make_rows()
    scaler = ComponentScaler(PARTS).fit(X, y)
    assert clone(scaler).fit(X, y).weights_ == scaler.weights_


@pytest.mark.parametrize(
    ("components", "message"),
    [
        ({"a": slice(0, 4)}, "Column 4 belongs to 0 of them"),
        ({"a": slice(0, 5), "b": slice(4, 12)}, "Column 4 belongs to 2 of them"),
        ({"a": [0, 99], "b": slice(1, 12)}, r"Got \[0, 99\] for 'a', and X has 12"),
        ({"a": ["film"], "b": slice(1, 12)}, r"Got \['film'\] for 'a'"),
        ({"a": 0, "b": slice(1, 12)}, "Got 0 for 'a'"),
        ({}, "Column 0 belongs to 0 of them"),
        ("named", "The 'components' parameter of ComponentScaler must be"),
    ],
)
def test_components_that_do_not_fit_are_refused(components, message):
    with pytest.raises(ValueError, match=message):
        ComponentScaler(components).fit(*make_rows())


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(120), "(?i)zero"),
        (
            np.r_[-1.0, np.ones(119)],
            "Negative values in data passed to `sample_weight`",
        ),
        (np.ones(7), "sample_weight.shape == "),
    ],
)
def test_weights_that_do_not_fit_are_refused(weight, message):
    X, y = make_rows()
    with pytest.raises(ValueError, match=message):
        ComponentScaler(PARTS).fit(X, y, sample_weight=weight)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed"),
        (np.r_[np.nan, np.ones(119)], "y contains NaN|Input y contains NaN"),
        (np.r_[np.inf, np.ones(119)], "contains infinity"),
        (np.arange(60), "inconsistent numbers of samples"),
    ],
)
def test_labels_that_do_not_fit_are_refused(y, message):
    X, _ = make_rows()
    with pytest.raises(ValueError, match=message):
        ComponentScaler(PARTS).fit(X, y)


def test_a_column_of_labels_warns():
    X, y = make_rows()
    with pytest.warns(Warning, match="A column-vector y was passed"):
        scaler = ComponentScaler(PARTS).fit(X, y[:, None])
    assert scaler.weights_ == ComponentScaler(PARTS).fit(X, y).weights_
