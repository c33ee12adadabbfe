"""Calibration: scores of classes as probabilities, by their held-out values."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

Matrix = NDArray[np.float64]

# Before any label is seen: a score that is higher by one, the distance of indicators,
# makes a class e^4 = 55 times as likely, and frequencies count in full. Deviations are
# those of the logarithm of the first and of the second.
SLOPE, SLOPE_SCALE = 4.0, 0.5
PRIOR_POWER, POWER_SCALE = 1.0, 0.5


def calibrate(
    scores: Matrix, codes: NDArray[np.int64], prior: Matrix, weights: Matrix
) -> tuple[float, float]:
    """Return how scores and frequencies of classes become log-probabilities.

    Probabilities are the softmax of ``slope * scores + power * log(prior)``.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_classes)
        Held-out scores, 0 on average.

    codes : ndarray of shape (n_samples,), int
        The class of each row.

    prior : ndarray of shape (n_classes,)
        Frequencies of the classes.

    weights : ndarray of shape (n_samples,)
        Weights of the rows.

    Returns
    -------
    slope, power : float
        The two that make the labels most likely, given the priors above.
    """

    def measure(values: Matrix) -> tuple[float, Matrix]:
        slope = np.exp(values[0])
        logits = slope * scores + values[1] * np.log(prior)
        loss, errors = measure_classes(logits, codes, weights)
        deviations = (values - start) / scales
        slopes = [slope * (errors * scores).sum(), (errors @ np.log(prior)).sum()]
        return loss + (deviations**2).sum() / 2, slopes + deviations / scales

    scales = np.array([SLOPE_SCALE, POWER_SCALE])
    start = np.array([np.log(SLOPE), PRIOR_POWER])
    log_slope, power = minimize(measure, start, jac=True, method="L-BFGS-B").x
    return float(np.exp(log_slope)), float(power)


def measure_classes(
    logits: Matrix, codes: NDArray[np.int64], weights: Matrix
) -> tuple[float, Matrix]:
    """Return the weighted cross-entropy of classes, and its gradient by the logits.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)
        Log-probabilities up to a constant per row.

    codes : ndarray of shape (n_samples,), int
        The class of each row.

    weights : ndarray of shape (n_samples,)
        Weights of the rows.

    Returns
    -------
    loss : float
        Weighted sum over rows.

    gradient : ndarray of shape (n_samples, n_classes)
        Its derivatives.
    """
    rows = np.arange(len(codes))
    logs = log_softmax(logits, axis=1)
    gradient = np.exp(logs) * weights[:, None]
    gradient[rows, codes] -= weights
    return -float((weights * logs[rows, codes]).sum()), gradient
