"""Weights: the state of modules and optimizers as bytes, in the safetensors format."""

import torch
from safetensors.numpy import load, save


def dump_weights(tensors):
    """Return named tensors as bytes.

    Parameters
    ----------
    tensors : dict of str to tensor
        The tensors, on any device.

    Returns
    -------
    bytes
        Their names, types, shapes and values.
    """
    plain = {k: t.detach().cpu().contiguous().numpy() for k, t in tensors.items()}
    return save(plain)


def read_weights(data):
    """Return the tensors that `dump_weights` wrote.

    Parameters
    ----------
    data : bytes
        The bytes.

    Returns
    -------
    dict of str to tensor
        The tensors by name, on the CPU.
    """
    return {name: torch.tensor(array) for name, array in load(data).items()}


def fill_weights(part, tensors):
    """Set all parameters and buffers of a module, which must fit exactly.

    Parameters
    ----------
    part : torch.nn.Module
        The module; changed in place.

    tensors : dict of str to tensor, or None
        Its state by name; None takes zeros throughout.

    Raises
    ------
    ValueError
        If names, shapes or types differ from those of the module.
    """
    own = part.state_dict()
    if tensors is None:
        tensors = {name: torch.zeros_like(value) for name, value in own.items()}
    wrong = {
        name
        for name in own.keys() | tensors.keys()
        if _describe(own.get(name)) != _describe(tensors.get(name))
    }
    if wrong:
        name = min(wrong)
        raise ValueError(
            f"{len(wrong)} weights of {type(part).__name__} do not fit. {name!r} must "
            f"be {_describe(own.get(name))}. Got {_describe(tensors.get(name))}."
        )
    part.load_state_dict(tensors)


def _describe(tensor):
    """Return type and shape in words."""
    return "absent" if tensor is None else f"{tensor.dtype} {tuple(tensor.shape)}"
