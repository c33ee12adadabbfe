"""Tasks: the labels, the rows that probes see and the probes, fixed in advance."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import PredefinedSplit
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from skcoral._input.presence import is_missing
from skcoral.evaluation.probes import LinearProbe, RidgeProbe


def draw_labels(y, n_labels, draw, *, per_class=True):
    """Choose the rows whose labels a probe sees.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels of all rows.

    n_labels : int
        Labels per class, or in all.

    draw : int
        Number of the draw, a seed. Draws of one number are nested: the rows for 5
        labels contain those for 1 label.

    per_class : bool, default=True
        Whether `n_labels` counts per class; of a class with fewer rows, all are taken.

    Returns
    -------
    ndarray of shape (n_drawn,), int
        Positions of the rows, class by class.

    Raises
    ------
    ValueError
        If `y` holds continuous numbers, unless `per_class` is False.

    See Also
    --------
    evaluate : Applies the same draws to all transformers.

    Examples
    --------
    >>> from skcoral.evaluation import draw_labels
    >>> y = ["a", "a", "b", "a", "b", "b"]
    >>> draw_labels(y, 1, draw=0).tolist(), draw_labels(y, 2, draw=0).tolist()
    ([3, 5], [3, 0, 5, 4])
    """
    y = column_or_1d(y)
    rng = np.random.default_rng(draw)
    if not per_class:
        return rng.permutation(len(y))[:n_labels]
    check_classification_targets(y)
    members = (np.flatnonzero(y == value) for value in np.unique(y))
    return np.concatenate([rng.permutation(rows)[:n_labels] for rows in members])


@dataclass(frozen=True)
class Task:
    """One kind of labels: what probes are fitted on and scored against."""

    name: str
    y: np.ndarray  # of training rows, then of validation rows
    y_test: np.ndarray
    is_classification: bool
    draws: list  # of (number of labels, draw, rows)
    probes: dict  # by number of labels


def make_task(name, parts, n_labels, n_draws, probe):
    """Fix the rows and the probes of one kind of labels before anything is fitted."""
    y, y_test = parts["train"], parts["test"]
    is_classification = _is_classification(y, probe)
    if is_classification:
        _check_classes(name, y, y_test)
    probes = {
        n: _default_probe(n, is_classification) if probe is None else probe
        for n in n_labels
    }
    if "val" in parts:
        n_train, n_val = len(y), len(parts["val"])
        split = PredefinedSplit(np.repeat([-1, 0], [n_train, n_val]))
        probes = {n: _set_split(probe, split) for n, probe in probes.items()}
        y = np.concatenate([y, parts["val"]])
    draws = []
    for n in n_labels:
        if n == "all":
            draws.append((n, None, np.arange(len(y))))
            continue
        for draw in range(n_draws):
            rows = draw_labels(y, n, draw, per_class=is_classification)
            draws.append((n, draw, rows))
    return Task(name, y, y_test, is_classification, draws, probes)


def _is_classification(y, probe):
    """Tell the task by the probe or, without one, by the labels."""
    if probe is None:
        return not type_of_target(y).startswith("continuous")
    if not is_classifier(probe) and not is_regressor(probe):
        raise ValueError(
            "The 'probe' parameter of evaluate must be a classifier or a regressor. "
            f"Got {probe!r} instead."
        )
    return is_classifier(probe)


def _default_probe(n_labels, is_classification):
    """Return the published probe or, for few labels, one with nothing to choose."""
    if n_labels == "all":
        return LinearProbe() if is_classification else RidgeProbe()
    return LogisticRegression(max_iter=2000) if is_classification else Ridge()


def _set_split(probe, split):
    """Return a probe that chooses on the validation rows."""
    if "cv" not in probe.get_params(deep=False):
        raise ValueError(
            "X_val is for probes with a parameter 'cv', such as LinearProbe. "
            f"{probe!r} chooses nothing; append the rows to X instead."
        )
    return clone(probe).set_params(cv=split)


def read_targets(rows, labels):
    """Return the labels of each part by their name."""
    named = {part: y if isinstance(y, dict) else {"y": y} for part, y in labels.items()}
    names = list(named["train"])
    for part, ys in named.items():
        if set(ys) != set(names) or not names:
            raise ValueError(
                f"The labels of {part} rows must have the names of y, {names}. Got "
                f"{list(ys)} instead."
            )
    return {
        name: {
            part: _read_target(name, part, rows[part], named[part][name])
            for part in named
        }
        for name in names
    }


def _read_target(name, part, X, y):
    """Return one label of one part as an array."""
    y = column_or_1d(y)
    check_consistent_length(X, y)
    if any(map(is_missing, y.tolist())):
        raise ValueError(
            f"The label {name!r} is missing in {part} rows; leave these rows out."
        )
    return y


def _check_classes(name, y, y_test):
    """Raise where a class cannot have been learnt."""
    unseen = sorted(set(y_test.tolist()) - set(y.tolist()), key=str)
    if unseen:
        raise ValueError(
            f"The label {name!r} has classes in test rows that no training row has: "
            f"{unseen}."
        )
