import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.stats import lognorm, multivariate_normal, norm
from sklearn.preprocessing import StandardScaler

from skcoral.components._evidence import (
    NOISE_SCALE,
    PRIOR_NOISE,
    Evidence,
    condense,
    fit_variances,
)

PARTS = [np.arange(0, 3), np.arange(3, 5)]


def make_rows(n_rows, n_targets=2, seed=0):
    rng = np.random.default_rng(seed)
    Z = StandardScaler().fit_transform(rng.normal(size=(n_rows, 5)))
    Y = Z[:, :n_targets] + rng.normal(size=(n_rows, n_targets))
    return Z, StandardScaler().fit_transform(Y)


def make_evidence(Z, Y, n_rows=None, prior_scale=1.0):
    rows = condense(Z, Y, len(Z) if n_rows is None else n_rows)
    grams = [rows.Z[:, part] @ rows.Z[:, part].T for part in PARTS]
    return Evidence(rows, grams, Y.shape[1], prior_scale)


def naive_log_evidence(Z, Y, variances, noise):
    """Sum of the log-densities of the targets, by the definition."""
    covariance = noise * np.eye(len(Z))
    for variance, part in zip(variances, PARTS, strict=True):
        covariance += variance * Z[:, part] @ Z[:, part].T
    density = multivariate_normal(np.zeros(len(Z)), covariance)
    return sum(density.logpdf(column) for column in Y.T)


@pytest.mark.parametrize("n_rows", [3, 5, 6, 40])
def test_differences_of_evidence_are_those_of_the_definition(n_rows):
    Z, Y = make_rows(n_rows)
    points = [np.log([0.3, 0.1, 0.5]), np.log([0.02, 0.4, 0.9])]
    values, naive = [], []
    for logs in points:
        values.append(make_evidence(Z, Y, prior_scale=1e9).measure(logs)[0])
        values[-1] += norm.logpdf(logs[2], np.log(PRIOR_NOISE), NOISE_SCALE)
        naive.append(naive_log_evidence(Z, Y, np.exp(logs[:2]), np.exp(logs[2])))
    assert values[0] - values[1] == pytest.approx(naive[1] - naive[0], rel=1e-8)


def test_the_prior_draws_variances_together():
    Z, Y = make_rows(20)
    logs = np.log([0.3, 0.1, 0.5])
    free, drawn = (make_evidence(Z, Y, prior_scale=s).measure(logs) for s in (1e9, 0.7))
    center = np.exp(logs[:2].mean())
    # Densities of the logarithms, less what does not depend on them.
    density = sum(
        lognorm.logpdf(v, 0.7, scale=center) + np.log(v) for v in np.exp(logs[:2])
    )
    constant = 2 * norm.logpdf(0, scale=0.7)
    assert drawn[0] - free[0] == pytest.approx(constant - density)


@pytest.mark.parametrize("n_rows", [3, 40])
def test_the_gradient_is_that_of_the_value(n_rows):
    evidence = make_evidence(*make_rows(n_rows))
    for seed in range(3):
        logs = np.random.default_rng(seed).normal(-1, 0.5, size=3)
        error = check_grad(
            lambda p: evidence.measure(p)[0], lambda p: evidence.measure(p)[1], logs
        )
        assert error < 1e-4


def test_a_row_of_weight_three_is_three_rows():
    Z, Y = make_rows(12)
    counts = np.tile([1, 3, 2], 4)
    roots = np.sqrt(counts)[:, None]
    once = fit(np.repeat(Z, counts, axis=0), np.repeat(Y, counts, axis=0))
    weighed = fit(Z * roots, Y * roots, n_rows=counts.sum())
    np.testing.assert_allclose(weighed, once, rtol=1e-4)


def fit(Z, Y, n_rows=None, parts=PARTS):
    variances, noise = fit_variances(
        Z,
        Y,
        parts,
        n_rows=len(Z) if n_rows is None else n_rows,
        n_outputs=Y.shape[1],
        prior_scale=1.0,
    )
    return np.append(variances, noise)


def test_order_of_rows_and_components_does_not_matter():
    Z, Y = make_rows(30)
    order = np.random.default_rng(0).permutation(30)
    np.testing.assert_allclose(fit(Z[order], Y[order]), fit(Z, Y), rtol=1e-3)
    swapped = fit(Z, Y, parts=PARTS[::-1])
    np.testing.assert_allclose(swapped[[1, 0, 2]], fit(Z, Y), rtol=1e-3)


def test_columns_that_repeat_others_do_no_harm():
    Z, Y = make_rows(40)
    doubled = np.hstack([Z, Z[:, :3]])
    found = fit(doubled, Y, parts=[*PARTS, np.arange(5, 8)])
    assert np.isfinite(found).all()
    assert found[0] == pytest.approx(found[2], rel=1e-2)


def test_the_variances_of_many_rows_are_those_that_made_them():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(4000, 40))
    parts = [np.arange(20), np.arange(20, 40)]
    coefficients = np.concatenate(
        [rng.normal(0, 0.3, size=(20, 10)), rng.normal(0, 0.05, size=(20, 10))]
    )
    Y = Z @ coefficients + rng.normal(0, 0.6, size=(4000, 10))
    found = fit(Z, Y, parts=parts)
    np.testing.assert_allclose(np.sqrt(found), [0.3, 0.05, 0.6], rtol=0.15)
