"""Checkpoints: the state of a training in a file, so that it goes on where it ended."""

import io
import json
import os
import threading
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.utils import check_random_state
from skorch.callbacks import Callback

from skcoral._training.callbacks import has_stopped
from skcoral._training.configuration import find_differences
from skcoral._training.state import dump_history, unwrap

# Number of the format of the files.
FORMAT = 1
# Number of differences between two trainings that an error lists.
MAX_DIFFERENCES = 5


class Checkpoint(Callback):
    """Write the state of a training after every epoch, and continue from it.

    The file is written beside its place and then moved there, so that a training that
    is killed leaves the state of an epoch, never half of it. It holds tensors and plain
    data; reading it runs no code.

    Parameters
    ----------
    folder : path-like
        The folder, which is made if it is not there.

    index : int
        Number of trainings of the estimator before this one, each of which has a file.

    configuration : dict of str to str
        What the result of the training depends on.

    Attributes
    ----------
    state : dict or None
        The state to continue from.
    """

    def __init__(self, folder, index, configuration):
        self.path = find_path(folder, index)
        self.configuration = configuration
        self._make_folder()
        self.state = self._find_state()
        self.left_out = None

    def _make_folder(self):
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(
                f"The 'checkpoint' parameter of {self.configuration['owner']} must be "
                f"a folder that can be made. Got '{self.path.parent}' instead: {error}"
            ) from error

    def _find_state(self):
        state = read_state(self.path)
        if state is None:
            return None
        found = find_differences(state["configuration"], self.configuration)
        if found:
            more = f" and {len(found) - MAX_DIFFERENCES} more"
            more *= len(found) > MAX_DIFFERENCES
            raise ValueError(
                f"The checkpoint '{self.path}' is of another training: "
                f"{'; '.join(found[:MAX_DIFFERENCES])}{more}. Choose another folder, "
                "or delete the file to train anew."
            )
        return state

    @property
    def n_epochs(self):
        """Number of epochs of this training that are done."""
        return 0 if self.state is None else self.state["n_epochs"]

    @property
    def finished(self):
        """Whether the training is done."""
        return self.state is not None and self.state["finished"]

    def on_train_begin(self, net, **kwargs):
        """Continue from the state, after the other callbacks have begun."""
        self.start = net.count_finished()
        self.epochs_ahead = self.n_epochs + net.epochs_ahead_
        if self.state is not None:
            self.restore(net)
            callbacks = self.state["callbacks"]
            for name, callback in _find_stateful(net, self):
                _fill(callback, callbacks.get(name, {}))
        self.state = None

    def restore(self, net):
        """Set weights, optimizer, generators and history of a net."""
        unwrap(net.module_).load_state_dict(self.state["module"])
        unwrap(net.criterion_).load_state_dict(self.state["criterion"])
        net.optimizer_.load_state_dict(self.state["optimizer"])
        net.generators.set_state(self.state["generators"])
        net.history.clear()
        net.history.extend(json.loads(self.state["history"]))

    def on_epoch_end(self, net, **kwargs):
        """Write the state of an epoch, after the other callbacks have ended it."""
        self._write(net, finished=False)

    def on_train_end(self, net, **kwargs):
        """Write the result, unless the user interrupted the training."""
        n_epochs = net.count_finished() - self.start
        if n_epochs == self.epochs_ahead or has_stopped(net):
            self._write(net, finished=True)

    def _write(self, net, *, finished):
        state = {
            "format": FORMAT,
            "configuration": self.configuration,
            "finished": finished,
            "n_epochs": net.count_finished() - self.start,
            "module": unwrap(net.module_).state_dict(),
            "criterion": unwrap(net.criterion_).state_dict(),
            "optimizer": net.optimizer_.state_dict(),
            "generators": net.generators.get_state(),
            "history": dump_history(net.history, with_batches=True),
            "callbacks": self._read_callbacks(net),
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_atomically(self.path, buffer.getbuffer())

    def _read_callbacks(self, net):
        """Return what the other callbacks have learnt, as far as it is plain."""
        states = {name: _learnt(c) for name, c in _find_stateful(net, self)}
        if self.left_out is None:
            self.left_out = [
                (name, key)
                for name, state in states.items()
                for key, value in state.items()
                if not _is_plain(value)
            ]
            self._warn_of_the_rest()
        for name, key in self.left_out:
            states[name].pop(key, None)
        return states

    def _warn_of_the_rest(self):
        if self.left_out:
            listed = ", ".join(f"{name}.{key}" for name, key in self.left_out)
            warnings.warn(
                f"The checkpoint lacks {listed}, which is neither plain data nor has a "
                "state_dict. A continued training starts it anew.",
                stacklevel=2,
            )


def find_path(folder, index):
    """Return the file of a training, the first having index 0."""
    return Path(folder) / f"training-{index:04d}.pt"


def read_state(path):
    """Return the state in a file, or None if there is none.

    Raises
    ------
    ValueError
        If the file is damaged, or of a newer format.
    """
    if not path.exists():
        return None
    try:
        # Only tensors and plain data are read; whatever else is refused.
        state = torch.load(path, map_location="cpu", weights_only=True)
        known = state["format"] <= FORMAT
    # Damaged files raise errors of any type.
    except Exception as error:
        raise ValueError(
            f"The checkpoint '{path}' cannot be read. Delete it to train anew."
        ) from error
    if not known:
        raise ValueError(f"The checkpoint '{path}' is of a newer version of skcoral.")
    return state


def draw_seed(random_state, folder):
    """Return a seed from a random state.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        The random state. None takes the seed of the training that the folder holds.

    folder : path-like or None
        The folder of checkpoints.

    Returns
    -------
    int
        The seed.
    """
    begun = None
    if random_state is None and folder is not None:
        begun = read_state(find_path(folder, 0))
    if begun is not None:
        return int(begun["configuration"]["seed"])
    return check_random_state(random_state).randint(2**31 - 1)


def write_atomically(path, data):
    """Write bytes to a file that is complete whenever it is there."""
    writer = f"{os.getpid()}-{threading.get_ident()}"
    beside = path.with_name(f"{path.name}.{writer}.part")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _find_stateful(net, checkpoint):
    """Return the callbacks that may have learnt something, by name."""
    default = {name for name, _ in net._default_callbacks}
    return [
        (name, callback)
        for name, callback in net.callbacks_
        if name not in default and callback is not checkpoint
    ]


def _learnt(callback):
    """Return the attributes that a callback has learnt."""
    return {
        key: value.state_dict() if hasattr(value, "state_dict") else _to_plain(value)
        for key, value in vars(callback).items()
        # A class is what a callback was told to use.
        if key.endswith("_") and not isinstance(value, type)
    }


def _fill(callback, learnt):
    """Set the attributes that a callback had learnt."""
    for key, value in learnt.items():
        own = getattr(callback, key, None)
        if hasattr(own, "load_state_dict"):
            own.load_state_dict(value)
        else:
            setattr(callback, key, value)


def _to_plain(value):
    """Return numbers of numpy as those of Python."""
    return value.item() if isinstance(value, np.generic) else value


def _is_plain(value):
    """Return whether torch reads a value without running code."""
    buffer = io.BytesIO()
    try:
        torch.save(value, buffer)
        torch.load(io.BytesIO(buffer.getbuffer()), weights_only=True)
    # Objects decide for themselves how they fail to be pickled.
    except Exception:
        return False
    return True
