"""Types that the public signatures share."""

import os
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

# An array, a data frame or a SliceDict: these have no type in common.
Rows: TypeAlias = Any
Array: TypeAlias = NDArray[Any]
RandomState: TypeAlias = int | np.random.RandomState | None
FilePath: TypeAlias = str | os.PathLike[str]
