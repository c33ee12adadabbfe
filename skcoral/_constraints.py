"""Constraints that parameters of several estimators share, as data."""

import sys
from numbers import Integral, Real
from typing import Any

from skcoral._sklearn_compat import HasMethods, Interval


class FloatInterval(Interval):
    """An interval of numbers that float64 can hold."""

    def is_satisfied_by(self, val: Any) -> bool:
        """Return whether a value is in the interval, and not a larger int."""
        return bool(super().is_satisfied_by(val)) and val <= sys.float_info.max


AT_LEAST_TWO = [Interval(Integral, 2, None, closed="left")]
POSITIVE_INT = [Interval(Integral, 1, None, closed="left")]
NON_NEGATIVE_INT = [Interval(Integral, 0, None, closed="left")]
POSITIVE_FLOAT = [FloatInterval(Real, 0, None, closed="neither")]
NON_NEGATIVE_FLOAT = [FloatInterval(Real, 0, None, closed="left")]
PROBABILITY = [Interval(Real, 0, 1, closed="both")]
OPEN_FRACTION = [Interval(Real, 0, 1, closed="neither")]
PROPER_FRACTION = [Interval(Real, 0, 1, closed="left")]
TRANSFORMER = [HasMethods(["fit", "transform"]), None]
