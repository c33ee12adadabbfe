"""Vectors of earlier papers: mixtures and labels against their definitions."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.helper import SliceDict

from skcoral.datasets import (
    make_disentangled_vectors,
    make_factorcl_vectors,
    make_pid_vectors,
)

N_ROWS = 2000
SEEDS = range(5)
KINDS = ("m0", "m1", "shared")
# A chance score of 1,000 rows has a deviation of .016; averaged over SEEDS .007; five
# of them.
CHANCE = pytest.approx(0.5, abs=0.035)

# The width of a modality, the variance of a factor, the range of a mixture and the name
# of the label that is not told by one kind of factors.
LAYOUTS = {
    make_factorcl_vectors: (100, 0.5, (0, 1), ["joint"]),
    make_pid_vectors: (64, 1.5, (0, 1), ["additive"]),
    make_disentangled_vectors: (100, 0.5, (-1, 1), []),
}
every_generator = pytest.mark.parametrize("make", LAYOUTS)


def find_mixture(bunch, name):
    """Return the linear map from factors to a modality, and the largest error."""
    factors = np.hstack([bunch.factors[name], bunch.factors["shared"]])
    mixture = np.linalg.lstsq(factors, bunch.data[name])[0]
    return mixture, np.abs(factors @ mixture - bunch.data[name]).max()


def probe(make, label, names):
    """Return the accuracy of a linear probe, averaged over worlds."""
    scores = []
    for seed in SEEDS:
        bunch = make(N_ROWS, random_state=seed, world_state=seed)
        X, y = np.hstack([bunch.data[name] for name in names]), bunch.target[label]
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
        model.fit(X[: N_ROWS // 2], y[: N_ROWS // 2])
        scores.append(model.score(X[N_ROWS // 2 :], y[N_ROWS // 2 :]))
    return np.mean(scores)


# All generators: data


@every_generator
def test_vectors_have_the_promised_layout(make):
    width, _, _, others = LAYOUTS[make]
    bunch = make(50, random_state=0)
    assert isinstance(bunch.data, SliceDict)
    assert list(bunch.data) == ["m0", "m1"]
    for block in bunch.data.values():
        assert block.shape == (50, width)
        assert block.dtype == np.float32
    assert list(bunch.target) == ["redundant", "unique_m0", "unique_m1", *others]
    for label in bunch.target.values():
        assert label.shape == (50,)
        assert label.dtype.kind == "i"
        assert set(label) == {0, 1}
    assert tuple(bunch.factors) == KINDS
    assert all(name in bunch.DESCR for name in ("redundant", "unique_m0", *others))


@every_generator
def test_factors_are_independent_and_of_the_variance_of_the_paper(make):
    _, variance, _, _ = LAYOUTS[make]
    bunch = make(20_000, random_state=0)
    factors = np.hstack([bunch.factors[kind][:, :5] for kind in KINDS])
    # A covariance of 20,000 rows has a deviation of at most .01 times the variance,
    # twice that for a factor with itself (sqrt(2 / 20,000)); five of them.
    covariance = factors.T @ factors / len(factors)
    np.testing.assert_allclose(covariance, variance * np.eye(15), atol=0.05 * variance)


@every_generator
def test_modalities_are_linear_mixtures_of_the_world(make):
    _, _, (low, high), _ = LAYOUTS[make]
    first, second = (make(300, random_state=seed) for seed in (0, 1))
    for name in first.data:
        mixture, error = find_mixture(first, name)
        assert error < 1e-4
        np.testing.assert_allclose(mixture, find_mixture(second, name)[0], atol=1e-4)
        entries = mixture[np.abs(mixture) > 1e-4]
        assert low - 1e-4 <= entries.min() < low + 0.05 * (high - low)
        assert high + 1e-4 >= entries.max() > high - 0.05 * (high - low)
        # Several hundred uniform entries: .29 of the range over 15.
        assert entries.mean() == pytest.approx((low + high) / 2, abs=0.1 * (high - low))


@every_generator
def test_world_state_changes_mixtures_and_not_factors(make):
    first, second = (make(300, random_state=0, world_state=w) for w in (0, 1))
    for kind in KINDS:
        np.testing.assert_array_equal(first.factors[kind], second.factors[kind])
    for name in first.data:
        mixtures = [find_mixture(bunch, name)[0] for bunch in (first, second)]
        # Almost all: zeros of the mixtures of PID are the same in each world.
        assert (mixtures[0].round(4) != mixtures[1].round(4)).mean() > 0.45


def test_modalities_have_mixtures_of_their_own():
    for make in (make_factorcl_vectors, make_disentangled_vectors):
        bunch = make(300, random_state=0)
        first, second = (find_mixture(bunch, name)[0] for name in bunch.data)
        assert not np.allclose(first, second, atol=0.1)


def test_shared_factors_of_pid_have_one_mixture():
    bunch = make_pid_vectors(200, n_outputs=7, n_factors=3, random_state=0)
    np.testing.assert_array_equal(bunch.data["m0"][:, 7:], bunch.data["m1"][:, 7:])
    mixture, _ = find_mixture(bunch, "m0")
    # Own factors mix into the first half, shared ones into the second, none across.
    np.testing.assert_allclose(mixture[3:, :7], 0, atol=1e-5)
    np.testing.assert_allclose(mixture[:3, 7:], 0, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "params", "shape"),
    [
        (make_factorcl_vectors, {"n_unique": 2, "n_shared": 3, "n_features": 4}, 4),
        (make_pid_vectors, {"n_factors": 2, "n_outputs": 3}, 6),
        (make_disentangled_vectors, {"n_factors": 2}, 4),
    ],
)
def test_sizes_are_honoured(make, params, shape):
    bunch = make(9, random_state=0, **params)
    n_shared = params.get("n_shared", params.get("n_factors"))
    assert [bunch.factors[k].shape for k in KINDS] == [(9, 2), (9, 2), (9, n_shared)]
    assert all(block.shape == (9, shape) for block in bunch.data.values())


# Labels


@pytest.mark.parametrize("n_label", [None, [2, 0, 5], (0, 6, 0), [1, 1, 1]])
def test_labels_of_factorcl_equal_their_definition(n_label):
    bunch = make_factorcl_vectors(200, n_label=n_label, random_state=0)
    counts = (6, 6, 10) if n_label is None else n_label
    for row in range(200):
        own, other, shared = (bunch.factors[kind][row] for kind in KINDS)
        expected = {"redundant": shared, "unique_m0": own, "unique_m1": other}
        chosen = zip((own, other, shared), counts, strict=True)
        expected["joint"] = [value for values, k in chosen for value in values[:k]]
        for name, values in expected.items():
            assert bunch.target[name][row] == int(sum(values) / len(values) >= 0)


@pytest.mark.parametrize(("n_classes", "dropout"), [(2, 0.2), (3, 0.5), (7, 0)])
def test_labels_of_pid_equal_their_definition(n_classes, dropout):
    bunch = make_pid_vectors(
        101, n_classes=n_classes, dropout=dropout, random_state=4, n_factors=3
    )
    rng = np.random.RandomState(4)
    own, other, shared = (np.sqrt(1.5) * rng.randn(101, 3) for _ in KINDS)
    both = np.hstack([own, other])
    names = ("redundant", "unique_m0", "unique_m1", "additive")
    for name, latent in zip(names, (shared, own, other, both), strict=True):
        kept = rng.uniform(size=latent.shape) >= dropout
        probability = 1 / (1 + np.exp(-(latent * kept / (1 - dropout)).mean(axis=1)))
        order = np.argsort(probability, kind="stable")
        label = bunch.target[name]
        assert (np.diff(label[order]) >= 0).all()
        counts = np.bincount(label, minlength=n_classes)
        assert len(counts) == n_classes
        assert np.ptp(counts) <= 1


def test_dropout_of_pid_blurs_labels_only():
    clean, blurred = (
        make_pid_vectors(N_ROWS, dropout=rate, random_state=0) for rate in (0, 0.2)
    )
    np.testing.assert_array_equal(clean.data["m0"], blurred.data["m0"])
    for name, label in clean.target.items():
        assert 0.05 < (label != blurred.target[name]).mean() < 0.3


def run_naively(hidden, output, inputs):
    """Return what a network of rectified units makes of one row."""
    units = [max(0, sum(weights * inputs)) for weights in hidden.T]
    return sum(w * unit for w, unit in zip(output, units, strict=True))


def test_labels_of_disentangledssl_equal_their_definition():
    n = 4
    bunch = make_disentangled_vectors(
        31, n_factors=n, noise=0.1, random_state=0, world_state=5
    )
    world, rows = np.random.default_rng(5), np.random.RandomState(0)
    for _ in range(2):
        world.uniform(-1, 1, (2 * n, 2 * n))
    factors = [np.sqrt(0.5) * rows.randn(31, n) for _ in KINDS]
    names = ("unique_m0", "unique_m1", "redundant")
    for name, latent in zip(names, factors, strict=True):
        hidden = np.sqrt(2 / n) * world.standard_normal((n, n))
        output = np.sqrt(2 / n) * world.standard_normal(n)
        clean = np.array([run_naively(hidden, output, row) for row in latent])
        noisy = clean + 0.1 * rows.randn(31)
        expected = noisy >= sorted(noisy)[15]
        np.testing.assert_array_equal(bunch.target[name], expected)


def test_networks_of_disentangledssl_bend():
    # A label that is linear in the factors would be told by a linear probe of them.
    bunch = make_disentangled_vectors(4000, n_factors=10, noise=0, random_state=0)
    for name, kind in (("redundant", "shared"), ("unique_m0", "m0")):
        model = LogisticRegression(C=1e6).fit(bunch.factors[kind], bunch.target[name])
        assert model.score(bunch.factors[kind], bunch.target[name]) < 0.97


def test_noise_of_disentangledssl_blurs_labels_only():
    clean, noisy = (
        make_disentangled_vectors(N_ROWS, noise=noise, random_state=0)
        for noise in (0, 0.5)
    )
    np.testing.assert_array_equal(clean.data["m0"], noisy.data["m0"])
    for name, label in clean.target.items():
        assert 0.02 < (label != noisy.target[name]).mean() < 0.4


@every_generator
@pytest.mark.parametrize("seed", SEEDS)
def test_labels_are_balanced(make, seed):
    bunch = make(N_ROWS, random_state=seed, world_state=seed)
    # Half of 2,000 rows has a deviation of .011; four and a half of them.
    for label in bunch.target.values():
        assert label.mean() == pytest.approx(0.5, abs=0.05)


# Which modality tells what


@every_generator
@pytest.mark.parametrize("name", ["m0", "m1"])
def test_every_modality_tells_the_redundant_label(make, name):
    assert probe(make, "redundant", [name]) > 0.7


@every_generator
@pytest.mark.parametrize(("name", "other"), [("m0", "m1"), ("m1", "m0")])
def test_the_unique_label_is_told_by_its_modality_only(make, name, other):
    assert probe(make, f"unique_{name}", [name]) > 0.7
    assert probe(make, f"unique_{name}", [other]) == CHANCE


@pytest.mark.parametrize(
    ("make", "label"),
    [(make_factorcl_vectors, "joint"), (make_pid_vectors, "additive")],
)
def test_the_additive_label_is_told_in_part_by_each_modality(make, label):
    # A synergistic label would leave both at chance.
    single = [probe(make, label, [name]) for name in ("m0", "m1")]
    assert min(single) > 0.6
    assert probe(make, label, ["m0", "m1"]) > max(single) + 0.05


# Seeds


@every_generator
def test_same_seeds_give_the_same_rows(make):
    first, second = make(20, random_state=3), make(20, random_state=3)
    for part in ("data", "target", "factors"):
        for name in first[part]:
            np.testing.assert_array_equal(first[part][name], second[part][name])


@every_generator
def test_a_generator_advances_from_call_to_call(make):
    rng = np.random.RandomState(0)
    first, second = make(20, random_state=rng), make(20, random_state=rng)
    assert not np.array_equal(first.data["m0"], second.data["m0"])


@every_generator
def test_the_global_generator_is_left_alone(make):
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    make(20, random_state=1)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


# Errors


POSITIVE = r"an int in the range \[1, inf\). Got "
COUNTS = r"None or 3 int from 0 to \(6, 6, 10\), not all of them 0. Got "


@pytest.mark.parametrize(
    ("make", "params", "rule"),
    [
        *((make, {"n_samples": 0}, f"{POSITIVE}0") for make in LAYOUTS),
        *((make, {"random_state": "no"}, ".*Got 'no'") for make in LAYOUTS),
        *((make, {"world_state": -1}, r".*\[0, inf\). Got -1") for make in LAYOUTS),
        (make_factorcl_vectors, {"n_features": 0}, f"{POSITIVE}0"),
        (make_factorcl_vectors, {"n_unique": 2.5}, f"{POSITIVE}2.5"),
        (make_factorcl_vectors, {"n_shared": 0}, f"{POSITIVE}0"),
        (make_factorcl_vectors, {"n_label": 3}, ".*Got 3"),
        (make_factorcl_vectors, {"n_label": [1, 2]}, rf"{COUNTS}\[1, 2\]"),
        (make_factorcl_vectors, {"n_label": [0, 0, 0]}, rf"{COUNTS}\[0, 0, 0\]"),
        (make_factorcl_vectors, {"n_label": [7, 0, 0]}, rf"{COUNTS}\[7, 0, 0\]"),
        (make_factorcl_vectors, {"n_label": [-1, 2, 0]}, rf"{COUNTS}\[-1, 2, 0\]"),
        (make_factorcl_vectors, {"n_label": [0.5, 2, 0]}, rf"{COUNTS}\[0.5, 2, 0\]"),
        (make_pid_vectors, {"n_factors": 0}, f"{POSITIVE}0"),
        (make_pid_vectors, {"n_outputs": 0}, f"{POSITIVE}0"),
        (make_pid_vectors, {"n_classes": 1}, r"an int in the range \[2, inf\). Got 1"),
        (make_pid_vectors, {"dropout": 1.0}, r"a float .*\[0.0, 1.0\). Got 1.0"),
        (make_pid_vectors, {"dropout": -0.1}, r"a float .*\[0.0, 1.0\). Got -0.1"),
        (make_disentangled_vectors, {"n_factors": 0}, f"{POSITIVE}0"),
        (make_disentangled_vectors, {"noise": np.nan}, r".*\[0.0, inf\). Got nan"),
    ],
)
def test_bad_parameters_are_named(make, params, rule):
    (name,) = params
    message = f"The '{name}' parameter of {make.__name__} must be {rule}"
    with pytest.raises(ValueError, match=message):
        make(**params)
