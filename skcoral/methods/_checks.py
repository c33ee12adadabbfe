"""Checks of parameters that depend on each other or on the modalities."""

import warnings
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback


def check_several(estimator: Any, names: Sequence[str]) -> None:
    """Raise unless an estimator that compares modalities has at least two."""
    if len(names) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs two modalities or more. Got "
            f"{list(names)}: name them in 'modalities'."
        )


def warn_of_one(estimator: Any, names: Sequence[str]) -> None:
    """Warn if an estimator that tells shared from unique has a single modality."""
    if len(names) == 1:
        warnings.warn(
            f"{type(estimator).__name__} has one modality, {names[0]!r}, so that its "
            "shared and unique components lose their meaning: there is none to share "
            "anything with. Name two modalities or more in 'modalities'.",
            stacklevel=2,
        )


def refuse_early_stopping(estimator: Any, where: str) -> None:
    """Raise if early stopping is set where it is not supported."""
    if estimator.early_stopping:
        raise ValueError(f"{where} does not support early_stopping=True.")


def check_callbacks(estimator: Any) -> None:
    """Raise unless each of an estimator's callbacks is one of skorch."""
    for item in estimator.callbacks or []:
        named = isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str)
        callback = item[1] if named else item
        kind = callback if isinstance(callback, type) else type(callback)
        if not issubclass(kind, Callback):
            raise ValueError(
                f"The 'callbacks' parameter of {type(estimator).__name__} must be a "
                "list of skorch callbacks, alone or as (name, callback). Got "
                f"{item!r} instead."
            )


def check_names(input_features: Any) -> None:
    """Raise unless names of input features are a list, or None."""
    if input_features is None:
        return
    try:
        n_axes = np.asarray(input_features, dtype=object).ndim
    except Exception:  # a stranger's object raises what it wants
        n_axes = 0
    if n_axes != 1:
        raise ValueError(
            "input_features must be a list of names. Got "
            f"{type(input_features).__name__!r}."
        )


def check_init(predictor: Any) -> None:
    """Raise unless the transformer in `init` is fitted, and has the modalities."""
    owner, transformer = type(predictor).__name__, predictor.init
    try:
        check_is_fitted(transformer, "net_")
    except NotFittedError as error:
        raise ValueError(
            f"The 'init' parameter of {owner} must be a fitted transformer. Call its "
            "fit first, or load one."
        ) from error
    if isinstance(predictor.modalities, str):
        return
    own = [name for name, _, _ in predictor.modalities]
    there = [name for name, _, _ in transformer.modalities_]
    if own != there:
        raise ValueError(
            f"The 'modalities' parameter of {owner} must have the names of those in "
            f"'init', {there}, or be 'auto'. Got {own} instead."
        )


def check_multiple(estimator: Any, name: str, divisor: str) -> None:
    """Raise unless one int parameter of an estimator is a multiple of another."""
    value, unit = getattr(estimator, name), getattr(estimator, divisor)
    if value % unit:
        raise ValueError(
            f"The {name!r} parameter of {type(estimator).__name__} must be a multiple "
            f"of {divisor!r} (now {unit}). Got {value} instead."
        )


def check_schedule(estimator: Any, name: str) -> None:
    """Raise unless a parameter is a probability or a non-empty sequence of them."""
    value = getattr(estimator, name)
    stages: list[Any] = [value] if isinstance(value, Real) else list(value)
    valid = (isinstance(s, Real) and 0 <= float(s) <= 1 for s in stages)
    if not stages or not all(valid):
        raise ValueError(
            f"The {name!r} parameter of {type(estimator).__name__} must be a float in "
            f"the range [0.0, 1.0] or a non-empty sequence of them. Got {value!r} "
            "instead."
        )
