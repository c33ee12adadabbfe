"""Specs of an estimator's modalities: choosing, checking and instantiating them."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from sklearn.base import clone

from skcoral._types import Rows
from skcoral.modalities import KINDS
from skcoral.modalities._auto import choose_modalities
from skcoral.modalities.base import Modality

# The `modalities` of an estimator: (name, spec, columns), a spec being a modality or
# the name of its kind.
Specs: TypeAlias = Sequence[tuple[str, Any, Any]]
# What a modality must have, by name.
MEMBERS = [
    name
    for name in {**Modality.__annotations__, **vars(Modality)}
    if not name.startswith("_")
]


def find_modalities(owner: str, modalities: Any, X: Rows, reserved: set[str]) -> Specs:
    """Return an estimator's modalities: checked, or chosen if "auto".

    Parameters
    ----------
    owner : str
        Name of the estimator's class.

    modalities : "auto" or list of (name, spec, columns)
        The value of the parameter.

    X : ndarray, data frame or SliceDict
        Data that passed `validate_X`.

    reserved : set of str
        Names that "auto" must not give to a modality.

    Returns
    -------
    list of (name, spec, columns)
        The modalities.

    Raises
    ------
    ValueError
        If `modalities` is not a non-empty list of (name, spec, columns), a spec is
        unknown, or a name is not a string or is "shared".
    """
    label = f"The 'modalities' parameter of {owner}"
    if isinstance(modalities, str):
        return choose_modalities(X, reserved)
    if not isinstance(modalities, (list, tuple)) or not modalities:
        raise ValueError(
            f"{label} must be 'auto' or a non-empty list of (name, spec, columns). "
            f"Got {modalities!r} instead."
        )
    for item in modalities:
        if not isinstance(item, (list, tuple)) or len(item) != 3:
            raise ValueError(
                f"{label} must be made of (name, spec, columns). Got {item!r} instead."
            )
        _check_modality(item[0], item[1], label)
    return modalities


def _check_modality(name: Any, spec: Any, label: str) -> None:
    if not isinstance(name, str) or not name:
        raise ValueError(f"{label} must have str names. Got {name!r} instead.")
    if name == "shared":
        raise ValueError(
            f"{label} must not name a modality 'shared': it is the component that all "
            "modalities share. Got 'shared' instead."
        )
    if not is_spec(spec):
        raise ValueError(
            f"{label} must have specs that are modality instances or among "
            f"{sorted(KINDS)}. Got {spec!r} for {name!r} instead.{_explain(spec)}"
        )


def _explain(spec: Any) -> str:
    """Return what an object that looks like a modality lacks, in words."""
    absent = _find_absent(spec)
    if isinstance(spec, (str, type)) or len(absent) > len(MEMBERS) // 2:
        return ""
    return f" It lacks {', '.join(absent)}, which skcoral.modalities.BaseModality has."


def _find_absent(spec: Any) -> list[str]:
    """Return the members of the protocol of modalities that an object lacks."""
    return [name for name in MEMBERS if not hasattr(spec, name)]


def is_spec(spec: Any) -> bool:
    """Return whether a value is the name of a kind, or a modality."""
    if isinstance(spec, str):
        return spec in KINDS
    return not isinstance(spec, type) and not _find_absent(spec)


def reads_strings(spec: Any) -> bool:
    """Return whether a spec, instance or name, reads raw strings."""
    kind: Any = KINDS[spec] if isinstance(spec, str) and spec in KINDS else spec
    return is_spec(spec) and kind.reads_strings


def make_instances(
    owner: str, specs: Sequence[tuple[str, Any]], names: Sequence[str]
) -> list[tuple[str, Any]]:
    """Return (name, spec), with instances in the place of the words of some names.

    Only instances have parameters that can be set.

    Raises
    ------
    ValueError
        If the spec of one of the names is unknown.
    """
    return [
        (name, _make_instance(owner, name, spec) if name in names else spec)
        for name, spec in specs
    ]


def _make_instance(owner: str, name: str, spec: Any) -> Any:
    _check_modality(name, spec, f"The 'modalities' parameter of {owner}")
    return KINDS[spec]() if isinstance(spec, str) else spec


def make_spec(spec: Any, seed: int) -> Any:
    """Return a new, unfitted spec, seeded wherever it has no seed of its own."""
    spec = KINDS[spec]() if isinstance(spec, str) else clone(spec)
    unset = {
        key: seed
        for key, value in spec.get_params(deep=True).items()
        if value is None and key.rpartition("__")[2] == "random_state"
    }
    if unset:
        spec.set_params(**unset)
    return spec
