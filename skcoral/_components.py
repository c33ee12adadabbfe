"""Components: the positions and names of their output columns."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


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
