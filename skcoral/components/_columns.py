"""Columns of components: their positions and names."""

import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

NUMBERED = re.compile(r"(.+)_\d+")


def place_components(widths: Mapping[str, int]) -> dict[str, slice]:
    """Return the columns of each component as a slice, with components side by side."""
    ends = np.cumsum([0, *widths.values()]).tolist()
    return {name: slice(*ends[i : i + 2]) for i, name in enumerate(widths)}


def name_components(indices: Mapping[str, slice]) -> NDArray[np.object_]:
    """Return a name per column, made of component and position, such as "film_07"."""
    names = [
        f"{component}_{i:0{len(str(part.stop - part.start - 1))}d}"
        for component, part in indices.items()
        for i in range(part.stop - part.start)
    ]
    return np.asarray(names, dtype=object)


def find_components(
    owner: str, components: Any, names: Sequence[str] | None, n_features: int
) -> dict[str, NDArray[np.int64]]:
    """Return the positions of the columns of each component.

    Parameters
    ----------
    owner : str
        Name of the estimator, for messages.

    components : "auto" or dict of str to slice, list of int or list of str
        What the user says.

    names : sequence of str or None
        Names of the columns, if they have any.

    n_features : int
        Number of columns.

    Returns
    -------
    dict of str to ndarray of int
        Positions by component; every column belongs to one.

    Raises
    ------
    ValueError
        If a column is unknown, or belongs to no component or to two.
    """
    if not isinstance(components, str):
        return _read_components(owner, components, names, n_features)
    if names is None:
        warnings.warn(
            f"{owner} finds components by the names of columns, and X has none, so "
            'that all columns are one component. Call set_output(transform="pandas") '
            "on the transformer before it, or pass `components`.",
            stacklevel=2,
        )
        return {"all": np.arange(n_features)}
    return _group_names(names)


def _group_names(names: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """Group columns by their names up to a final number, as in "film_07"."""
    groups: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        numbered = NUMBERED.fullmatch(name)
        groups.setdefault(numbered[1] if numbered else name, []).append(position)
    return {name: np.array(positions) for name, positions in groups.items()}


def _read_components(
    owner: str,
    components: Mapping[str, Any],
    names: Sequence[str] | None,
    n_features: int,
) -> dict[str, NDArray[np.int64]]:
    """Return the positions that a user gives, each column once."""
    positions = list(range(n_features))
    by_name = dict(zip(names, positions, strict=True)) if names is not None else {}
    found = {}
    for component, columns in components.items():
        try:
            found[component] = np.array(
                positions[columns]
                if isinstance(columns, slice)
                else [
                    by_name[c] if isinstance(c, str) else positions[c] for c in columns
                ],
                dtype=np.int64,
            )
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError(
                f"The 'components' parameter of {owner} must map names to columns of "
                f"X. Got {columns!r} for {component!r}, and X has {n_features} columns."
            ) from error
    used = np.concatenate([*found.values(), np.empty(0, np.int64)])
    times = np.bincount(used, minlength=n_features)
    if (times != 1).any():
        column = int(np.argmax(times != 1))
        raise ValueError(
            f"The 'components' parameter of {owner} must give each column to one "
            f"component. Column {column} belongs to {times[column]} of them."
        )
    return {name: columns for name, columns in found.items() if len(columns)}
