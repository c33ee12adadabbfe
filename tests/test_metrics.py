"""Metrics against loops, known geometry and invariances."""

import numpy as np
import pytest

from skcoral.metrics import (
    alignment,
    grassmann_distance,
    mean_abs_cosine,
    retrieval_accuracy,
    uniformity,
)

PAIRWISE = [mean_abs_cosine, grassmann_distance, alignment, retrieval_accuracy]


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    return rng.normal(size=(2, 30, 6))


def unit(row):
    return row / np.linalg.norm(row)


def test_mean_abs_cosine_equals_the_loop(pair):
    a, b = pair
    expected = np.mean([abs(unit(p) @ unit(q)) for p, q in zip(a, b, strict=True)])
    assert mean_abs_cosine(a, b) == pytest.approx(expected, abs=1e-12)


def test_alignment_equals_the_loop(pair):
    a, b = pair
    gaps = [np.linalg.norm(unit(p) - unit(q)) for p, q in zip(a, b, strict=True)]
    assert alignment(a, b) == pytest.approx(np.mean(np.square(gaps)), abs=1e-12)
    assert alignment(a, b, alpha=1.0) == pytest.approx(np.mean(gaps), abs=1e-12)


def test_uniformity_equals_the_loop(pair):
    rows = [unit(row) for row in pair[0]]
    potentials = [
        np.exp(-2.0 * np.sum((p - q) ** 2))
        for i, p in enumerate(rows)
        for q in rows[:i]
    ]
    assert uniformity(pair[0]) == pytest.approx(np.log(np.mean(potentials)), abs=1e-12)


@pytest.mark.parametrize("k", [1, 3])
def test_retrieval_equals_the_loop(pair, k):
    a, b = pair
    hits = 0
    for i, query in enumerate(a):
        cosines = [unit(query) @ unit(row) for row in b]
        hits += i in np.argsort(cosines)[::-1][:k]
    assert retrieval_accuracy(a, b, k=k) == pytest.approx(hits / len(a))


def test_retrieval_counts_ties_against_the_query():
    assert retrieval_accuracy(np.ones((3, 2)), np.ones((3, 2))) == 0.0


def test_grassmann_distance_knows_equal_and_orthogonal_subspaces(pair):
    a, b = pair
    left = np.hstack([a[:, :3], np.zeros((30, 3))])
    right = np.hstack([np.zeros((30, 3)), b[:, :3]])
    assert grassmann_distance(left, right) == pytest.approx(1.0)
    assert grassmann_distance(left, left @ np.diag([1, 2, 3, 1, 1, 1])) < 1e-6


def test_grassmann_distance_of_a_known_angle():
    angle = 0.3
    steps = np.arange(5.0)[:, None]
    a, b = steps * [1.0, 0.0], steps * [np.cos(angle), np.sin(angle)]
    assert grassmann_distance(a, b) == pytest.approx(np.sin(angle))


def test_grassmann_distance_compares_leading_directions_only():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(500, 4)) * [9, 1, 1, 1]
    assert grassmann_distance(a, a[:, [0, 2, 1, 3]], n_directions=1) < 0.1


def test_a_constant_component_has_no_directions():
    with pytest.raises(ValueError, match="A constant component has no directions"):
        grassmann_distance(np.ones((4, 2)), np.eye(4)[:, :2])


@pytest.mark.parametrize("metric", PAIRWISE)
def test_common_order_of_samples_does_not_matter(metric, pair):
    order = np.random.default_rng(1).permutation(30)
    assert metric(*pair[:, order]) == pytest.approx(metric(*pair))


@pytest.mark.parametrize("metric", PAIRWISE)
def test_common_rotation_does_not_matter(metric, pair):
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    assert metric(*(pair @ rotation)) == pytest.approx(metric(*pair))


@pytest.mark.parametrize("metric", PAIRWISE)
def test_unequal_shapes_are_refused(metric, pair):
    with pytest.raises(ValueError, match=r"equal shape .* Got \(30, 6\) and \(30, 5\)"):
        metric(pair[0], pair[1][:, :5])


def test_uniformity_is_lower_for_spread_rows(pair):
    assert uniformity(pair[0]) < uniformity(np.abs(pair[0])) < 0.0
    assert uniformity(np.ones((3, 2))) == 0.0
