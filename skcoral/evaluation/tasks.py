"""Tasks: the labels, the rows that probes see and the probes, fixed in advance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import PredefinedSplit
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from skcoral._input.presence import is_missing
from skcoral._types import Array, Rows
from skcoral.evaluation.probes import LinearProbe, RidgeProbe

NLabels: TypeAlias = int | Literal["all"]


def draw_labels(
    y: ArrayLike, n_labels: int, draw: int, *, per_class: bool = True
) -> Array:
    """Choose the rows whose labels a probe sees.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels of all rows.

    n_labels : int
        Number of labels per class, or in total.

    draw : int
        Number of the draw, which serves as a seed. Draws with the same number are
        nested: the rows for 5 labels contain those for 1 label.

    per_class : bool, default=True
        Whether `n_labels` counts per class; a class with fewer rows gives all of them.

    Returns
    -------
    ndarray of shape (n_drawn,), int
        Positions of the rows, class by class.

    Raises
    ------
    ValueError
        If `y` is continuous and `per_class` is True.

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
    labels = column_or_1d(y)
    rng = np.random.default_rng(draw)
    if not per_class:
        return rng.permutation(len(labels))[:n_labels]
    check_classification_targets(labels)
    members = (np.flatnonzero(labels == value) for value in np.unique(labels))
    return np.concatenate([rng.permutation(rows)[:n_labels] for rows in members])


@dataclass(frozen=True)
class Task:
    """One kind of labels: what probes are fitted on and scored against."""

    name: str
    y: Array  # of training rows, then of validation rows
    y_test: Array
    is_classification: bool
    draws: list[tuple[NLabels, int | None, Array]]  # number of labels, draw, rows
    probes: dict[NLabels, Any]


def make_task(
    name: str,
    parts: Mapping[str, Array],
    n_labels: Sequence[NLabels],
    n_draws: int,
    probe: Any,
) -> Task:
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
    draws: list[tuple[NLabels, int | None, Array]] = []
    for n in n_labels:
        if n == "all":
            draws.append((n, None, np.arange(len(y))))
            continue
        for draw in range(n_draws):
            rows = draw_labels(y, n, draw, per_class=is_classification)
            draws.append((n, draw, rows))
    return Task(name, y, y_test, is_classification, draws, probes)


def _is_classification(y: Array, probe: Any) -> bool:
    """Return whether the probe is a classifier or, without one, labels are classes."""
    if probe is None:
        return not type_of_target(y).startswith("continuous")
    if not is_classifier(probe) and not is_regressor(probe):
        raise ValueError(
            "The 'probe' parameter of evaluate must be a classifier or a regressor. "
            f"Got {probe!r} instead."
        )
    return is_classifier(probe)


def _default_probe(n_labels: NLabels, is_classification: bool) -> Any:
    """Return the published probe or, for few labels, one without a parameter search."""
    if n_labels == "all":
        return LinearProbe() if is_classification else RidgeProbe()
    return LogisticRegression(max_iter=2000) if is_classification else Ridge()


def _set_split(probe: Any, split: PredefinedSplit) -> Any:
    """Return a probe that chooses its parameters on the validation rows."""
    if "cv" not in probe.get_params(deep=False):
        raise ValueError(
            "X_val is for probes with a parameter 'cv', such as LinearProbe. "
            f"{probe!r} chooses nothing; append the rows to X instead."
        )
    return clone(probe).set_params(cv=split)


def read_targets(
    rows: Mapping[str, Rows], labels: Mapping[str, Any]
) -> dict[str, dict[str, Array]]:
    """Return the labels by their name and, within it, by part of the rows."""
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


def _read_target(name: str, part: str, X: Rows, y: Any) -> Array:
    """Return one label of one part as an array."""
    y = column_or_1d(y)
    check_consistent_length(X, y)
    if any(map(is_missing, y.tolist())):
        raise ValueError(
            f"The label {name!r} is missing in {part} rows; leave these rows out."
        )
    return y


def _check_classes(name: str, y: Array, y_test: Array) -> None:
    """Raise if test rows have a class that no training row has."""
    unseen = sorted(set(y_test.tolist()) - set(y.tolist()), key=str)
    if unseen:
        raise ValueError(
            f"The label {name!r} has classes in test rows that no training row has: "
            f"{unseen}."
        )
