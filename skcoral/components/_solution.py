"""Solution: the coefficients of a ridge regression, and its held-out predictions."""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def solve(Z: Matrix, Y: Matrix, penalty: float, weights: Matrix) -> tuple[Matrix, ...]:
    """Fit a ridge regression with intercept.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_features)
        Columns with the weighted mean 0.

    Y : ndarray of shape (n_samples, n_targets)
        Targets.

    penalty : float
        Penalty of the squared coefficients.

    weights : ndarray of shape (n_samples,)
        Weights of the rows.

    Returns
    -------
    coefficients : ndarray of shape (n_features, n_targets)
        Coefficients.

    intercept : ndarray of shape (n_targets,)
        Weighted mean of the targets.

    held_out : ndarray of shape (n_samples, n_targets)
        What a fit without each row predicts for it, in closed form: the error in the
        row divided by one minus its leverage.
    """
    intercept = np.average(Y, axis=0, weights=weights)
    roots = np.sqrt(weights)[:, None]
    rows, targets = Z * roots, (Y - intercept) * roots
    if len(rows) > rows.shape[1]:
        inverse = np.linalg.inv(rows.T @ rows + penalty * np.eye(rows.shape[1]))
        coefficients = inverse @ (rows.T @ targets)
        leverages = ((rows @ inverse) * rows).sum(axis=1)
    else:
        inverse = np.linalg.inv(rows @ rows.T + penalty * np.eye(len(rows)))
        coefficients = rows.T @ (inverse @ targets)
        leverages = 1 - penalty * np.diag(inverse)
    leverages = leverages + weights / weights.sum()  # of the intercept
    errors = Y - intercept - Z @ coefficients
    held_out = Y - errors / np.maximum(1 - leverages, np.finfo(float).eps)[:, None]
    return coefficients, intercept, held_out
