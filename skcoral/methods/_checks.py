"""Checks of parameters that depend on each other or on the modalities."""

from numbers import Real


def check_several(estimator, names):
    """Raise unless an estimator that compares modalities has at least two."""
    if len(names) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs two modalities or more. Got "
            f"{list(names)}: name them in 'modalities'."
        )


def refuse_early_stopping(estimator, where):
    """Raise if early stopping is set where it is not supported."""
    if estimator.early_stopping:
        raise ValueError(f"{where} does not support early_stopping=True.")


def check_multiple(estimator, name, divisor):
    """Raise unless one int parameter of an estimator is a multiple of another."""
    value, unit = getattr(estimator, name), getattr(estimator, divisor)
    if value % unit:
        raise ValueError(
            f"The {name!r} parameter of {type(estimator).__name__} must be a multiple "
            f"of {divisor!r} (now {unit}). Got {value} instead."
        )


def check_schedule(estimator, name):
    """Raise unless a parameter is a probability or a non-empty sequence of them."""
    value = getattr(estimator, name)
    stages = [value] if isinstance(value, Real) else list(value)
    if not stages or not all(isinstance(s, Real) and 0 <= s <= 1 for s in stages):
        raise ValueError(
            f"The {name!r} parameter of {type(estimator).__name__} must be a float in "
            f"the range [0.0, 1.0] or a non-empty sequence of them. Got {value!r} "
            "instead."
        )
