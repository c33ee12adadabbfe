"""Interactions of modalities: labels that hold what they claim."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.helper import SliceDict

from skcoral.datasets import make_multimodal_interactions

N_ROWS = 2000

SEEDS = range(5)

# A chance score of a probe, averaged over SEEDS: about 200 rare rows in each test set
# give a deviation of .25 * sqrt(1 / 200 + 1 / 1800) / sqrt(5) = .008; five of them.
CHANCE = pytest.approx(0.5, abs=0.042)


def make(n_samples=N_ROWS, **params):
    return make_multimodal_interactions(n_samples, **{"random_state": 0, **params})


def probe(label, names, **params):
    """Return the balanced accuracy of a linear probe, averaged over worlds."""
    scores = []
    for seed in SEEDS:
        params["world_state"] = seed
        train = make(random_state=2 * seed, **params)
        test = make(random_state=2 * seed + 1, **params)
        X_train, X_test = (
            np.hstack([bunch.data[name] for name in names]) for bunch in (train, test)
        )
        # Balanced, as the rare class of "synergy" would never be predicted otherwise.
        model = LogisticRegression(class_weight="balanced", max_iter=500)
        model = make_pipeline(StandardScaler(), model).fit(X_train, train.target[label])
        predicted = model.predict(X_test)
        scores.append(balanced_accuracy_score(test.target[label], predicted))
    return np.mean(scores)


def assert_same(first, second):
    assert list(first.data) == list(second.data)
    for name in first.data:
        np.testing.assert_array_equal(first.data[name], second.data[name])
    for label in first.target:
        np.testing.assert_array_equal(first.target[label], second.target[label])
    np.testing.assert_array_equal(first.attributes, second.attributes)


# What it returns


@pytest.mark.parametrize("n_modalities", [2, 3, 4])
def test_interactions_have_the_promised_layout(n_modalities):
    bunch = make(50, n_modalities=n_modalities, n_features=20)
    names = [f"m{m}" for m in range(n_modalities)]
    assert isinstance(bunch.data, SliceDict)
    assert list(bunch.data) == names
    for block in bunch.data.values():
        assert block.shape == (50, 20)
        assert block.dtype == np.float32
        assert np.isfinite(block).all()
    uniques = [f"unique_{name}" for name in names]
    assert list(bunch.target) == ["redundant", *uniques, "synergy"]
    for label in bunch.target.values():
        assert label.shape == (50,)
        assert label.dtype.kind == "i"
        assert set(label) <= {0, 1}
    assert bunch.attributes.shape == (50, 2)
    assert "synergy" in bunch.DESCR


def test_slices_of_interactions_keep_rows_together():
    data = make(50).data
    rows = np.array([3, 1, 4])
    assert len(data[rows]) == 3
    for name in data:
        np.testing.assert_array_equal(data[rows][name], data[name][rows])


# The world and the rows


def test_same_seeds_give_the_same_rows():
    assert_same(make(random_state=3), make(random_state=3))


def test_random_state_changes_rows_and_not_the_world():
    first, second = (make(random_state=seed, biased=True) for seed in (0, 1))
    assert not np.array_equal(first.data["m0"], second.data["m0"])
    relations = [dict(bunch.attributes.tolist()) for bunch in (first, second)]
    assert relations[0] == relations[1]


def test_a_probe_of_one_draw_holds_for_another_of_the_same_world():
    train, other = make(random_state=0, biased=True), make(random_state=1)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    model.fit(train.data["m0"], train.target["redundant"])
    assert model.score(other.data["m0"], other.target["redundant"]) > 0.9
    elsewhere = make(random_state=1, world_state=1)
    # One model transferred to another world: anything but good, not chance exactly.
    assert model.score(elsewhere.data["m0"], elsewhere.target["redundant"]) < 0.8


def test_world_state_changes_the_world_and_not_the_hidden_draws():
    first, second = make(world_state=0), make(world_state=1)
    np.testing.assert_array_equal(first.attributes, second.attributes)
    assert not np.array_equal(first.data["m0"], second.data["m0"])
    assert not np.array_equal(first.target["synergy"], second.target["synergy"])


def test_the_global_generator_is_left_alone():
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    make(20, random_state=1)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_a_generator_advances_from_call_to_call():
    rng = np.random.RandomState(0)
    first, second = make(20, random_state=rng), make(20, random_state=rng)
    assert not np.array_equal(first.data["m0"], second.data["m0"])


def test_noise_only_adds_to_the_features():
    clean, noisy = make(noise=0), make(noise=0.5)
    np.testing.assert_array_equal(clean.attributes, noisy.attributes)
    added = noisy.data["m0"] - clean.data["m0"]
    # 64,000 draws: the deviation is known to about .3 %.
    assert added.std() == pytest.approx(0.5, rel=0.02)


# The relation


@pytest.mark.parametrize("n_levels", [2, 5, 10])
def test_biased_rows_obey_a_permutation(n_levels):
    bunch = make(n_levels=n_levels, biased=True)
    relation = dict(bunch.attributes.tolist())
    assert sorted(relation) == sorted(relation.values()) == list(range(n_levels))
    assert all(relation[a] == b for a, b in bunch.attributes.tolist())
    assert (bunch.target["synergy"] == 1).all()


def test_unbiased_rows_are_labelled_by_the_relation_of_biased_ones():
    relation = dict(make(biased=True).attributes.tolist())
    bunch = make(random_state=1)
    expected = [relation[a] == b for a, b in bunch.attributes.tolist()]
    np.testing.assert_array_equal(bunch.target["synergy"], expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_unbiased_attributes_are_uniform_and_independent(seed):
    bunch = make(10_000, random_state=seed)
    counts = np.zeros((10, 10))
    np.add.at(counts, tuple(bunch.attributes.T), 1)
    # Chi-square of 99 degrees of freedom: mean 99, deviation 14; five of them.
    assert ((counts - 100) ** 2 / 100).sum() < 170
    # A rate of .1 over 10,000 rows has a deviation of .003; four of them.
    assert bunch.target["synergy"].mean() == pytest.approx(0.1, abs=0.012)


@pytest.mark.parametrize("seed", SEEDS)
def test_labels_of_factors_are_balanced(seed):
    target = make(n_modalities=3, random_state=seed, world_state=seed).target
    for name in ("redundant", "unique_m0", "unique_m1", "unique_m2"):
        # Half of 2,000 rows has a deviation of .011; four and a half of them.
        assert target[name].mean() == pytest.approx(0.5, abs=0.05)


# Which modality tells what


@pytest.mark.parametrize("name", ["m0", "m1", "m2"])
def test_every_modality_tells_the_redundant_label(name):
    assert probe("redundant", [name], n_modalities=3) > 0.9


@pytest.mark.parametrize("name", ["m0", "m1", "m2"])
def test_the_unique_label_is_told_by_its_modality_only(name):
    others = [other for other in ("m0", "m1", "m2") if other != name]
    assert probe(f"unique_{name}", [name], n_modalities=3) > 0.9
    assert probe(f"unique_{name}", others, n_modalities=3) == CHANCE


@pytest.mark.parametrize("names", [["m0"], ["m1"], ["m2"], ["m0", "m1", "m2"]])
def test_no_linear_probe_tells_the_synergistic_label(names):
    assert probe("synergy", names, n_modalities=3) == CHANCE


@pytest.mark.parametrize("m", [0, 1])
def test_no_level_of_one_attribute_tells_the_synergistic_label(m):
    # Not even a nonlinear probe could: the rate is the same at each level.
    bunch = make(20_000)
    for level in range(10):
        rows = bunch.attributes[:, m] == level
        # A rate of .1 over 2,000 rows has a deviation of .0067; five of them.
        assert bunch.target["synergy"][rows].mean() == pytest.approx(0.1, abs=0.034)


def test_both_modalities_together_tell_the_synergistic_label():
    train, test = make(random_state=0), make(random_state=1)
    levels = []
    for m in (0, 1):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
        model.fit(train.data[f"m{m}"], train.attributes[:, m])
        levels.append(model.predict(test.data[f"m{m}"]).tolist())
    relation = dict(make(biased=True).attributes.tolist())
    told = [relation[a] == b for a, b in zip(*levels, strict=True)]
    assert balanced_accuracy_score(test.target["synergy"], told) > 0.98


# Errors


@pytest.mark.parametrize(
    ("params", "rule"),
    [
        ({"n_samples": 0}, r"an int in the range \[1, inf\). Got 0"),
        ({"n_samples": 2.5}, r"an int in the range \[1, inf\). Got 2.5"),
        ({"n_modalities": 1}, r"an int in the range \[2, inf\). Got 1"),
        ({"n_shared": 0}, r"an int in the range \[1, inf\). Got 0"),
        ({"n_shared": "4"}, r"an int in the range \[1, inf\). Got '4'"),
        ({"n_unique": 0}, r"an int in the range \[1, inf\). Got 0"),
        ({"n_levels": 1}, r"an int in the range \[2, inf\). Got 1"),
        ({"n_features": 17}, r"an int in the range \[18, inf\). Got 17"),
        ({"n_features": 2.5}, r"an int in the range \[1, inf\). Got 2.5"),
        ({"noise": -0.1}, r"a float in the range \[0.0, inf\). Got -0.1"),
        ({"noise": np.nan}, r"a float in the range \[0.0, inf\). Got nan"),
        ({"noise": np.inf}, r"a float in the range \[0.0, inf\). Got inf"),
        ({"random_state": "no"}, ".*None. Got 'no'"),
        ({"world_state": None}, r"an int in the range \[0, inf\). Got None"),
        ({"biased": "no"}, "an instance of 'bool' .*Got 'no'"),
    ],
)
def test_bad_parameters_are_named(params, rule):
    (name,) = params
    message = f"The '{name}' parameter of make_multimodal_interactions must be {rule}"
    with pytest.raises(ValueError, match=message):
        make_multimodal_interactions(**params)
