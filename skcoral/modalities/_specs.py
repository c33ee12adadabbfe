"""The specs of an estimator: chosen or checked, and made of words and instances."""

from sklearn.base import clone

from skcoral.modalities import KINDS
from skcoral.modalities._auto import choose_modalities
from skcoral.modalities.base import Modality


def find_modalities(owner, modalities, X, reserved):
    """Return the `modalities` parameter of an estimator, checked, or chosen for "auto".

    Parameters
    ----------
    owner : str
        Name of the estimator's class.

    modalities : "auto" or list of (name, spec, columns)
        The value of the parameter.

    X : ndarray, data frame or SliceDict
        Data that passed `validate_X`.

    reserved : set of str
        Names that a chosen modality must not have.

    Returns
    -------
    list of (name, spec, columns)
        The modalities.

    Raises
    ------
    ValueError
        If it is no list of (name, spec, columns), is empty, a spec is unknown, or a
        name is no string or reserved.
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


def _check_modality(name, spec, label):
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
            f"{sorted(KINDS)}. Got {spec!r} for {name!r} instead."
        )


def is_spec(spec):
    """Return whether a value is the word of a kind, or a modality."""
    if isinstance(spec, str):
        return spec in KINDS
    return isinstance(spec, Modality) and not isinstance(spec, type)


def reads_strings(spec):
    """Return whether a spec, or its word, reads raw strings."""
    kind = KINDS[spec] if isinstance(spec, str) and spec in KINDS else spec
    return is_spec(spec) and kind.reads_strings


def make_spec(spec, seed):
    """Return a new spec, unfitted and seeded wherever it has no seed of its own."""
    spec = KINDS[spec]() if isinstance(spec, str) else clone(spec)
    unset = {
        key: seed
        for key, value in spec.get_params(deep=True).items()
        if value is None and key.rpartition("__")[2] == "random_state"
    }
    return spec.set_params(**unset)
