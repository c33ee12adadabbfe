"""The state of a trained net as plain data, from which the net can be made again.

Plain data are numbers, words, bytes, and containers and arrays of these, besides the
class of the objective and the callbacks of users. No part of it is code.
"""

import json
import warnings
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from skorch.exceptions import DeviceWarning

from skcoral._training.batches import BatchLoader
from skcoral._training.devices import resolve_compile, resolve_device
from skcoral._training.net import ContrastiveNet
from skcoral._training.weights import dump_weights, read_weights
from skcoral.nn.network import DualPathNetwork
from skcoral.objectives.base import Objective

# Settings of a net that differ between plans, besides the parameters of network and
# objective, whose names start with their part.
SETTINGS = {
    "criterion",
    "views_seed",
    "optimizer__weight_decay",
    "lr",
    "max_epochs",
    "batch_size",
    "callbacks",
    "device",
    "precision",
    "compile",
    "verbose",
}
PREFIXES = ("module__", "criterion__")
# What the last training left, besides weights and history.
TRACES = ("epochs_ahead_", "interrupted_", "trainings_")

# Whether states are for further training; None leaves that to whoever packs.
_for_training: ContextVar[bool | None] = ContextVar("for_training", default=None)
# The device of nets that are made again; None keeps theirs.
_device: ContextVar[str | None] = ContextVar("device", default=None)


@contextmanager
def packing(for_training):
    """Say, for this thread and context, whether states are for further training.

    Parameters
    ----------
    for_training : bool
        Whether they are.

    Yields
    ------
    None
        Nothing.
    """
    token = _for_training.set(for_training)
    try:
        yield
    finally:
        _for_training.reset(token)


@contextmanager
def unpacking(device):
    """Set, for this thread and context, the device of nets that are made again.

    Parameters
    ----------
    device : str or None
        A torch device, or "auto"; None keeps that of each state.

    Yields
    ------
    None
        Nothing.
    """
    token = _device.set(device)
    try:
        yield
    finally:
        _device.reset(token)


def make_net(modalities, **settings):
    """Return a net, not initialised yet.

    Parameters
    ----------
    modalities : dict of str to modality
        Fitted specs by name, in the order of the embeddings.

    **settings : dict
        Values of `SETTINGS`, and parameters of the network and the objective.

    Returns
    -------
    ContrastiveNet
        The net.
    """
    return ContrastiveNet(
        DualPathNetwork,
        module__modalities=modalities,
        augmentations={
            name: spec.make_augmentation() for name, spec in modalities.items()
        },
        optimizer=torch.optim.AdamW,
        optimizer__fused=True,
        iterator_train=BatchLoader,
        iterator_train__shuffle=True,
        iterator_valid=BatchLoader,
        **settings,
    )


def pack(net, *, with_optimizer):
    """Return the state of a trained net as plain data, without its modalities.

    Parameters
    ----------
    net : ContrastiveNet
        The net; it is not changed.

    with_optimizer : bool
        Whether to keep the state of the optimizer. `packing` overrides it, and without
        training the heads are left out too, unless the embedding is made by them.

    Returns
    -------
    dict of str to object
        The state.
    """
    for_training = _for_training.get()
    trainable = net.trainable and for_training is not False
    with_optimizer = trainable and (with_optimizer if for_training is None else True)
    state = {
        "settings": read_settings(net),
        "traces": {name: getattr(net, name) for name in TRACES},
        "trainable": trainable,
        "history": dump_history(net.history, with_optimizer),
        "optimizer": _list_groups(net) if with_optimizer else None,
    }
    state["weights"] = dump_weights(_collect(net, trainable, with_optimizer))
    return state


def unpack(state, modalities):
    """Return the net of a state that `pack` returned.

    Parameters
    ----------
    state : dict of str to object
        The state; it is not changed.

    modalities : dict of str to modality
        The fitted specs of the net.

    Returns
    -------
    ContrastiveNet
        The net, on the device of the state or, if there is none, on the CPU.

    Raises
    ------
    ValueError
        If the state is damaged.
    """
    settings = _check_settings(state["settings"])
    settings["device"] = _find_device(_device.get() or settings["device"])
    settings["compile"] = resolve_compile(settings["compile"], settings["device"])
    net = make_net(modalities, **settings)
    weights = _split(read_weights(state["weights"]))
    net.trainable = bool(state["trainable"])
    has_heads = _keeps_heads(settings["criterion"], net.trainable)
    net.weights = {
        "module": weights.get("module", {}),
        "criterion": weights.get("criterion", {}) if has_heads else None,
    }
    net.initialize()
    del net.weights
    vars(net).update({name: state["traces"][name] for name in TRACES})
    net.history.extend(json.loads(state["history"]))
    if state["optimizer"] is not None:
        _fill_optimizer(net, state["optimizer"], weights["optimizer"])
    net.module_.eval()
    net.criterion_.eval()
    return net


def read_settings(net):
    """Return what `make_net` needs, besides the modalities."""
    return {name: value for name, value in vars(net).items() if _is_setting(name)}


def _check_settings(settings):
    """Return a copy of settings, after a look at what is called with them."""
    objective = settings["criterion"]
    if not isinstance(objective, type) or not issubclass(objective, Objective):
        raise ValueError(f"The criterion must be an objective. Got {objective!r}.")
    unknown = [name for name in settings if not _is_setting(name)]
    if unknown:
        raise ValueError(f"Unknown settings of a net: {unknown}.")
    return dict(settings)


def _is_setting(name):
    if name == "module__modalities":
        return False
    return name in SETTINGS or name.startswith(PREFIXES)


def _collect(net, trainable, with_optimizer):
    """Return the tensors to keep, with their part before their name."""
    parts = {"module": unwrap(net.module_).state_dict()}
    objective = unwrap(net.criterion_)
    if _keeps_heads(type(objective), trainable):
        parts["criterion"] = objective.state_dict()
    if with_optimizer:
        parts["optimizer"] = _name_states(net.optimizer_.state_dict()["state"])
    return {
        f"{part}.{name}": tensor
        for part, tensors in parts.items()
        for name, tensor in tensors.items()
    }


def _keeps_heads(objective, trainable):
    """Return whether a state has the weights of an objective, given its class."""
    return trainable or objective.embed is not Objective.embed


def _split(tensors):
    """Return the tensors of each part by name."""
    parts = {}
    for name, tensor in tensors.items():
        part, _, name = name.partition(".")
        parts.setdefault(part, {})[name] = tensor
    return parts


def unwrap(module):
    """Return the module that a compiled one wraps."""
    return getattr(module, "_orig_mod", module)


def _list_groups(net):
    """Return the parameter groups of the optimizer, as plain data."""
    return net.optimizer_.state_dict()["param_groups"]


def _name_states(states):
    """Return the tensors of an optimizer by the number of its parameter and a word."""
    return {
        f"{number}.{word}": tensor
        for number, words in states.items()
        for word, tensor in words.items()
    }


def _fill_optimizer(net, groups, tensors):
    states = {}
    for name, tensor in tensors.items():
        number, _, word = name.partition(".")
        states.setdefault(int(number), {})[word] = tensor
    net.optimizer_.load_state_dict({"state": states, "param_groups": groups})
    # The fused optimizer takes its tensors to lie in memory as the parameters do.
    for parameter, words in net.optimizer_.state.items():
        for word, value in words.items():
            if value.shape == parameter.shape:
                words[word] = torch.empty_like(parameter).copy_(value)


def dump_history(history, with_batches):
    """Return the history as JSON; losses of batches are for further training only."""
    rows = [
        {key: value for key, value in row.items() if with_batches or key != "batches"}
        for row in history
    ]
    return json.dumps(rows, default=_to_plain)


def _to_plain(value):
    """Return a number, array or tensor as JSON has it, and anything else in words."""
    return value.tolist() if hasattr(value, "tolist") else repr(value)


def _find_device(device):
    """Return a device if it is present, else the CPU, with a warning."""
    try:
        return resolve_device(device)
    except ValueError as error:
        warnings.warn(
            f"The estimator was fitted on {device!r}, which is not available here, and "
            f"goes on with the CPU: {error}",
            DeviceWarning,
            stacklevel=2,
        )
        return "cpu"
