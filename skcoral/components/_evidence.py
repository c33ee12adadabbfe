"""Evidence: how much each component counts, by a linear model of the targets.

The model is ``Y = sum_k Z_k B_k + E`` with standardised columns Z_k of component k,
coefficients B_k of variance ``a_k`` and noise E of variance ``b``. The variances are
those of the largest marginal likelihood, the evidence (MacKay, "Bayesian
interpolation", 1992; Rasmussen and Williams, "Gaussian processes for machine learning",
2006, equations 5.8 and 5.9), times a prior that draws them together.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

Matrix = NDArray[np.float64]

# Half of the variance of standardised targets is noise before any target is seen, give
# or take a factor of 1.6; bounds that no data reach keep the products finite.
PRIOR_NOISE, NOISE_SCALE = 0.5, 0.5
LOG_VARIANCES, LOG_NOISE = (-25.0, 5.0), (-7.0, 3.0)
MAX_ITERATIONS = 100


class Condensed(NamedTuple):
    """Rows with the same likelihood as the original ones, but no more than columns."""

    Z: Matrix
    Y: Matrix
    n_left_out: float  # rows that only tell the noise
    square: float  # sum of squares of their targets


def condense(Z: Matrix, Y: Matrix, n_rows: float) -> Condensed:
    """Rotate rows so that all but as many as there are columns are zero, and drop them.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_features)
        Standardised columns.

    Y : ndarray of shape (n_samples, n_targets)
        Standardised targets.

    n_rows : float
        Number of rows that these stand for: a row of weight w, times its root, is what
        w equal rows condense to.

    Returns
    -------
    Condensed
        The rows and what is left out.
    """
    if len(Z) <= Z.shape[1]:
        return Condensed(Z, Y, max(0.0, n_rows - len(Z)), 0.0)
    squares, axes = np.linalg.eigh(Z.T @ Z)
    kept = squares > squares[-1] * len(Z) * np.finfo(np.float64).eps
    lengths, axes = np.sqrt(squares[kept]), axes[:, kept]
    projected = axes.T @ (Z.T @ Y) / lengths[:, None]
    square = max(0.0, float((Y**2).sum() - (projected**2).sum()))
    n_left_out = max(0.0, n_rows - len(lengths))
    return Condensed(lengths[:, None] * axes.T, projected, n_left_out, square)


def fit_variances(
    Z: Matrix,
    Y: Matrix,
    parts: Sequence[NDArray[np.int64]],
    *,
    n_rows: float,
    n_outputs: int,
    prior_scale: float,
) -> tuple[Matrix, float]:
    """Return the variance of the coefficients of each component, and of the noise.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_features)
        Standardised columns.

    Y : ndarray of shape (n_samples, n_targets)
        Standardised targets.

    parts : sequence of ndarray of int
        Columns of each component.

    n_rows : float
        Number of rows, or sum of their weights if rows are times the roots of these.

    n_outputs : int
        Number of independent targets: less than the columns of Y by one if these are
        the indicators of classes, which add up to one.

    prior_scale : float
        Standard deviation of the logarithm of a variance around their mean.

    Returns
    -------
    variances : ndarray of shape (n_components,)
        Variances of the coefficients.

    noise : float
        Variance of the noise.
    """
    rows = condense(Z, Y, n_rows)
    grams = [rows.Z[:, part] @ rows.Z[:, part].T for part in parts]
    evidence = Evidence(rows, grams, n_outputs, prior_scale)
    start = np.full(len(grams) + 1, np.log((1 - PRIOR_NOISE) / Z.shape[1]))
    start[-1] = np.log(PRIOR_NOISE)
    bounds = [LOG_VARIANCES] * len(grams) + [LOG_NOISE]
    found = minimize(
        evidence.measure,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": MAX_ITERATIONS},
    )
    variances = np.exp(found.x)
    return variances[:-1], float(variances[-1])


class Evidence:
    """Minus the logarithm of the evidence times the prior, and its gradient.

    Parameters
    ----------
    rows : Condensed
        The rows.

    grams : list of ndarray of shape (n_rows, n_rows)
        Products of the rows of each component.

    n_outputs : int
        Number of independent targets.

    prior_scale : float
        Standard deviation of the logarithm of a variance around their mean.
    """

    def __init__(
        self, rows: Condensed, grams: list[Matrix], n_outputs: int, prior_scale: float
    ) -> None:
        self.rows = rows
        self.grams = grams
        self.n_outputs = n_outputs
        self.prior_scale = prior_scale

    def measure(self, logs: Matrix) -> tuple[float, Matrix]:
        """Return the value and the gradient at logarithms of variances and noise."""
        rows, n = self.rows, len(self.rows.Y)
        variances = np.exp(logs)
        covariance = variances[-1] * np.eye(n)
        for variance, gram in zip(variances, self.grams, strict=False):
            covariance += variance * gram
        # Rows of very unequal weights leave eigenvalues within rounding errors of 0.
        covariance[np.diag_indices(n)] += np.finfo(np.float64).eps * covariance.trace()
        factor = cho_factor(covariance, lower=True, overwrite_a=True)
        log_determinant = (
            2 * np.log(np.diag(factor[0])).sum() + rows.n_left_out * logs[-1]
        )
        solved = cho_solve(factor, rows.Y)
        square = (rows.Y * solved).sum() + rows.square / variances[-1]
        share = self.n_outputs / rows.Y.shape[1]
        value = self.n_outputs * log_determinant + share * square
        gradient = self._differentiate(variances, factor, solved, share)
        penalty, slope = self._penalise(logs)
        return value / 2 + penalty, gradient / 2 + slope

    def _differentiate(
        self, variances: Matrix, factor: Any, solved: Matrix, share: float
    ) -> Matrix:
        """Return twice the derivative of the evidence's part by each logarithm."""
        inverse = cho_solve(factor, np.eye(len(solved)))
        slopes = [
            self.n_outputs * (inverse * gram).sum()
            - share * ((gram @ solved) * solved).sum()
            for gram in self.grams
        ]
        noise = variances[-1]
        trace = np.trace(inverse) + self.rows.n_left_out / noise
        squares = (solved**2).sum() + self.rows.square / noise**2
        return variances * [*slopes, self.n_outputs * trace - share * squares]

    def _penalise(self, logs: Matrix) -> tuple[float, Matrix]:
        """Return minus the logarithm of the prior, and its gradient."""
        deviations = np.append(
            (logs[:-1] - logs[:-1].mean()) / self.prior_scale,
            (logs[-1] - np.log(PRIOR_NOISE)) / NOISE_SCALE,
        )
        scales = np.append(np.full(len(self.grams), self.prior_scale), NOISE_SCALE)
        return float((deviations**2).sum() / 2), deviations / scales
