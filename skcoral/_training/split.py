"""The split of rows into those to train on and those to hold out."""

import numpy as np
from sklearn.model_selection import train_test_split


def hold_out(n_samples, fraction, seed, targets, stratify, *, owner):
    """Return the rows to train on and those to hold out.

    Parameters
    ----------
    n_samples : int
        Number of rows.

    fraction : float
        Share of rows to hold out.

    seed : int
        Seed of the draw.

    targets : ndarray of shape (n_samples,) or None
        Targets, NaN where a row has none. The same share is held out of the rows with
        and of those without a target.

    stratify : bool
        Whether the same share of each target is held out, for codes of classes.

    owner : str
        Name of the estimator, for the message.

    Returns
    -------
    tuple of two ndarrays of int
        Positions of rows.

    Raises
    ------
    ValueError
        If fewer than two rows are left on a side.
    """
    draw = {"test_size": fraction, "random_state": seed}
    rows = np.arange(n_samples)
    if targets is None:
        sides = tuple(train_test_split(rows, **draw))
    else:
        sides = _split_labelled(rows, targets, stratify, draw)
    if min(map(len, sides)) < 2:
        raise ValueError(
            f"The 'validation_fraction' parameter of {owner} must leave two rows or "
            f"more on both sides of {n_samples} rows. Got {fraction} instead."
        )
    return sides


def _split_labelled(rows, targets, stratify, draw):
    """Split the rows with a target and those without one alike."""
    labelled = ~np.isnan(targets)
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
