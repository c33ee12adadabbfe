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
TRANSFORMER = [HasMethods(["fit", "transform"]), None]
UNIQUE_DIM = {"unique_dim": [*POSITIVE_INT, None]}
FUSION = {
    "n_layers": POSITIVE_INT,
    "n_heads": POSITIVE_INT,
    "dropout": [Interval(Real, 0, 1, closed="left")],
}
HEADS = {"head_hidden_dim": POSITIVE_INT, "head_dim": POSITIVE_INT}
