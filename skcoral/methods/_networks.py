"""Network paths and sizes that methods have in common."""

from collections.abc import Sequence
from typing import Any

from skcoral._training.trainer import Method
from skcoral.methods._checks import check_multiple
from skcoral.objectives.base import Objective


def find_unique_dim(estimator: Any) -> int:
    """Return the width of each unique embedding; by default half of `embed_dim`."""
    return estimator.unique_dim or max(1, estimator.embed_dim // 2)


def without_shared(
    estimator: Any,
    objective: type[Objective],
    names: Sequence[str],
    params: dict[str, Any],
    **network: Any,
) -> Method:
    """Return a method whose network has unique paths only; `network` adds to it."""
    sizes = {"unique_dim": find_unique_dim(estimator)}
    return Method(
        objective=objective,
        objective_params={"names": names, **sizes, **params},
        network_params={
            "embed_dim": estimator.embed_dim,
            "paths": ("unique",),
            **sizes,
            **network,
        },
    )


def of_fusions(
    estimator: Any,
    objective: type[Objective],
    names: Sequence[str],
    params: dict[str, Any],
    **network: Any,
) -> Method:
    """Return a method whose network has a shared path; `network` adds parameters."""
    check_multiple(estimator, "embed_dim", "n_heads")
    sizes = {"embed_dim": estimator.embed_dim}
    fusion = pick(estimator, "n_layers", "n_heads", "dropout")
    return Method(
        objective=objective,
        objective_params={"names": names, **sizes, **params},
        network_params=sizes | fusion | network,
    )


def pick(estimator: Any, *names: str) -> dict[str, Any]:
    """Return the named parameters of an estimator as a dict."""
    return {name: getattr(estimator, name) for name in names}
