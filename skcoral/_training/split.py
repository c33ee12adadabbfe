"""Splitting of rows into those to train on and those to hold out."""

import numpy as np
from sklearn.model_selection import train_test_split


def hold_out(n_samples, fraction, seed, *, owner):
    """Return the rows to train on and those to hold out.

    Parameters
    ----------
    n_samples : int
        Number of rows.

    fraction : float
        Fraction of the rows to hold out.

    seed : int
        Seed of the draw.

    owner : str
        Name of the estimator, for the error message.

    Returns
    -------
    tuple of two ndarrays of int
        Indices of the rows to train on and of those to hold out.

    Raises
    ------
    ValueError
        If either part has fewer than two rows.
    """
    rows = np.arange(n_samples)
    sides = tuple(train_test_split(rows, test_size=fraction, random_state=seed))
    if min(map(len, sides)) < 2:
        raise ValueError(
            f"The 'validation_fraction' parameter of {owner} must leave two rows or "
            f"more on both sides of {n_samples} rows. Got {fraction} instead."
        )
    return sides
