"""Constraints that parameters of several estimators share, as data."""

from numbers import Integral, Real

from skcoral._sklearn_compat import HasMethods, Interval

AT_LEAST_TWO = [Interval(Integral, 2, None, closed="left")]
POSITIVE_INT = [Interval(Integral, 1, None, closed="left")]
NON_NEGATIVE_INT = [Interval(Integral, 0, None, closed="left")]
POSITIVE_FLOAT = [Interval(Real, 0, None, closed="neither")]
NON_NEGATIVE_FLOAT = [Interval(Real, 0, None, closed="left")]
PROBABILITY = [Interval(Real, 0, 1, closed="both")]
OPEN_FRACTION = [Interval(Real, 0, 1, closed="neither")]
PROPER_FRACTION = [Interval(Real, 0, 1, closed="left")]
TRANSFORMER = [HasMethods(["fit", "transform"]), None]
