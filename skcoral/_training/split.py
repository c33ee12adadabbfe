"""Splitting of rows into those to train on and those to hold out."""

import math

import numpy as np
from sklearn.model_selection import train_test_split


def hold_out(n_samples, fraction, seed, targets, stratify, *, owner):
    """Return the rows to train on and those to hold out.

    Parameters
    ----------
    n_samples : int
        Number of rows.

    fraction : float
        Fraction of the rows to hold out.

    seed : int
        Seed of the draw.

    targets : ndarray of shape (n_samples,) or None
        Targets, NaN where a row has none. The same fraction is held out of the rows
        with and of those without a target.

    stratify : bool
        Whether to hold out the same fraction of each target, for class codes.

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
    draw = {"test_size": fraction, "random_state": seed}
    rows = np.arange(n_samples)
    if targets is None:
        sides = tuple(train_test_split(rows, **draw))
    else:
        sides = _split_labelled(rows, targets, stratify, draw, owner)
    if min(map(len, sides)) < 2:
        raise ValueError(
            f"The 'validation_fraction' parameter of {owner} must leave two rows or "
            f"more on both sides of {n_samples} rows. Got {fraction} instead."
        )
    return sides


def _split_labelled(rows, targets, stratify, draw, owner):
    """Split the rows with a target and those without one in the same proportion."""
    labelled = ~np.isnan(targets)
    if stratify:
        _check_classes(targets[labelled], draw["test_size"], owner)
    groups = [
        (rows[labelled], targets[labelled] if stratify else None),
        (rows[~labelled], None),
    ]
    parts = [
        train_test_split(group, stratify=strata, **draw)
        if len(group) > 1
        else (group, group[:0])
        for group, strata in groups
    ]
    return tuple(np.concatenate(side) for side in zip(*parts, strict=True))


def _check_classes(codes, fraction, owner):
    """Raise unless either part can have a label of each class."""
    counts = np.unique(codes, return_counts=True)[1]
    n_held_out = math.ceil(fraction * len(codes))
    rarest, smaller = min(counts, default=0), min(n_held_out, len(codes) - n_held_out)
    if len(counts) and (rarest < 2 or smaller < len(counts)):
        raise ValueError(
            f"early_stopping of {owner} holds out labels of each class and trains on "
            f"others. Got {len(codes)} labels of {len(counts)} classes, {rarest} of "
            f"the rarest; validation_fraction={fraction} holds out {n_held_out}."
        )
