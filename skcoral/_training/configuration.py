"""The configuration of a training in words: what must be equal for it to go on."""

import functools
import inspect
import math
from importlib.metadata import version

import joblib
import numpy as np
import torch

from skcoral._input.blocks import LazyBlock
from skcoral._training.state import read_settings

# Fields of a plan that do not change what is learnt, or that the net's settings repeat.
NOT_OF_A_TRAINING = {"modalities", "method", "checkpoint", "callbacks", "verbose"}
# Number of rows of a block on disk by which it is recognised.
SAMPLE_ROWS = 1000
# What starts the names of hashes, whose values say nothing to a reader.
HASHED = ("the rows of", "the state before")


def describe_training(plan, net, blocks):
    """Describe a training by all that its result depends on.

    Parameters
    ----------
    plan : Plan
        The plan.

    net : ContrastiveNet
        The net, initialised or trained before.

    blocks : dict of str to block
        The rows.

    Returns
    -------
    dict of str to str
        Settings in words and data as hashes, by name.
    """
    settings = {**vars(plan), **read_settings(net)}
    specs = {f"modality {name!r}": spec for name, spec in plan.modalities.items()}
    described = {
        name: str(_describe(value))
        for name, value in {**settings, **specs}.items()
        if name not in NOT_OF_A_TRAINING
    }
    data = {f"the rows of {name!r}": _hash(block) for name, block in blocks.items()}
    return {
        **described,
        **data,
        "the state before": _hash_state(net) if net.history else "none",
        **{f"version of {name}": version(name) for name in ("skcoral", "torch")},
    }


def find_differences(before, now):
    """Return, in words, how two configurations differ."""
    names = (name for name in {**before, **now} if before.get(name) != now.get(name))
    return [
        f"{name} differ"
        if name.startswith(HASHED)
        else f"{name} was {before.get(name)} and is {now.get(name)} now"
        for name in names
    ]


def _describe(value):
    """Return a value as plain data that is the same in every process."""
    if isinstance(value, dict):
        return {str(key): _describe(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_describe(each) for each in value]
    if isinstance(value, type) or inspect.isroutine(value):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, functools.partial):
        return _describe([value.func, value.args, value.keywords])
    if hasattr(value, "get_params"):
        return _describe([type(value), value.get_params(deep=False)])
    if isinstance(value, (np.ndarray, np.random.RandomState)):
        return joblib.hash(value)
    if hasattr(value, "__dict__"):
        return _describe([type(value), vars(value)])
    return value


def _hash(block):
    """Return the hash of a block, or of some of its rows if they are read lazily."""
    if not isinstance(block, LazyBlock):
        return joblib.hash(block)
    step = math.ceil(len(block) / SAMPLE_ROWS)
    cells = np.asarray(block.source[block.rows[::step]])
    return joblib.hash([len(block), block.source.shape, block.present, cells])


def _hash_state(net):
    """Return the hash of the weights and of the optimizer."""
    parts = (net.module_, net.criterion_, net.optimizer_)
    return joblib.hash([_to_arrays(part.state_dict()) for part in parts])


def _to_arrays(value):
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy()
    if isinstance(value, dict):
        return {key: _to_arrays(each) for key, each in value.items()}
    return value
