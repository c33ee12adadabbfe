"""The trainer: from a plan and blocks to a trained net, without any estimator."""

import math
import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from skorch.callbacks import LRScheduler
from skorch.helper import predefined_split

from skcoral._generators import DrawFrom, Generators
from skcoral._input.blocks import count_rows, drop_idle_mask, take_from_blocks
from skcoral._training.batches import BlockDataset
from skcoral._training.callbacks import BestEpoch, EpochProgress, has_stopped
from skcoral._training.checkpoints import Checkpoint
from skcoral._training.configuration import describe_training
from skcoral._training.devices import (
    resolve_compile,
    resolve_device,
    resolve_precision,
)
from skcoral._training.imputation import learn_imputation
from skcoral._training.linear_starts import start_linear_paths
from skcoral._training.split import hold_out
from skcoral._training.state import make_net

# max_epochs="auto": enough updates for a small table, few passes over a large one.
MIN_UPDATES = 600
MIN_EPOCHS = 10
MAX_EPOCHS = 200


@dataclass(frozen=True, kw_only=True)
class Method:
    """The objective and the network that a method trains.

    Parameters
    ----------
    objective : type
        Class of the objective.

    objective_params : dict of str to object
        Parameters of the objective.

    network_params : dict of str to object
        Parameters of the network, except the modalities.
    """

    objective: type
    objective_params: dict[str, Any]
    network_params: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to train, and how: made by an estimator, read by the trainer.

    Parameters
    ----------
    owner : str
        Name of the estimator, for messages.

    method : Method or None
        Objective and network; None to train a present net further.

    modalities : dict of str to modality
        Fitted specs by name, in the order of the embeddings.

    seed : int
        Seed of this training: weights, batches, views and masks.

    epochs : int or None
        Number of epochs of this training; None takes `max_epochs`.

    max_epochs, early_stopping, validation_fraction, n_iter_no_change : object
        As in the estimators.

    batch_size, lr, weight_decay, device : object
        As in the estimators.

    precision, compile, checkpoint, callbacks, verbose : object
        As in the estimators.
    """

    owner: str
    method: Method | None
    modalities: dict[str, Any]
    seed: int
    epochs: int | None = None
    max_epochs: int | Literal["auto"]
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    batch_size: int
    lr: float
    weight_decay: float
    device: str
    precision: str
    compile: bool
    checkpoint: Any = None
    callbacks: list[Any] | None = None
    verbose: int = 0


# Whatever mode the caller is in.
@torch.inference_mode(False)
@torch.enable_grad()
def train(plan, blocks, net=None):
    """Train a new net, or continue training a given one, on transformed blocks.

    Parameters
    ----------
    plan : Plan
        What to train, and how. For a given net only the seed, the number of epochs and
        the split of the rows are read; everything else stays as first planned.

    blocks : dict of str to block
        The rows, one block per modality.

    net : ContrastiveNet, default=None
        The net to continue training; a new one by default.

    Returns
    -------
    ContrastiveNet
        The trained net.
    """
    blocks = {name: drop_idle_mask(block) for name, block in blocks.items()}
    fitted_rows, held_out_rows = _split(plan, count_rows(blocks))
    is_new = net is None
    net = _make_net(plan, count_rows(blocks)) if is_new else net
    fitted = _make_dataset(blocks, fitted_rows, net.device)
    held_out = None
    if len(held_out_rows):
        held_out = _make_dataset(blocks, held_out_rows, net.device)
    net.set_params(train_split=held_out and predefined_split(held_out))
    generators = Generators(plan.seed, net.device)
    if is_new:
        with DrawFrom(generators.cpu):
            net.initialize()
        start_linear_paths(net, fitted)
    checkpoint = _open_checkpoint(plan, net, blocks)
    net.train(fitted, generators, plan.epochs, checkpoint)
    net.check_outputs(fitted)
    _clear(net)
    learn_imputation(net, fitted)
    net.module_.eval()
    net.criterion_.eval()
    _warn_if_interrupted(net)
    return net


def count_epochs(n_samples, batch_size):
    """Return the number of epochs for ``max_epochs="auto"``."""
    n_batches = max(1, math.ceil(n_samples / batch_size))
    return int(np.clip(math.ceil(MIN_UPDATES / n_batches), MIN_EPOCHS, MAX_EPOCHS))


def _make_net(plan, n_samples):
    """Return the net of a plan for so many rows, not initialised yet."""
    device = _find_device(plan)
    width = plan.method.network_params["embed_dim"]
    objective = plan.method.objective_params.items()
    network = plan.method.network_params.items()
    return make_net(
        plan.modalities,
        criterion=plan.method.objective,
        views_seed=plan.seed,
        optimizer__weight_decay=plan.weight_decay,
        lr=plan.lr,
        max_epochs=_find_max_epochs(plan, n_samples),
        batch_size=plan.batch_size,
        callbacks=_make_callbacks(plan),
        device=device,
        precision=resolve_precision(plan.precision, device, width),
        compile=resolve_compile(plan.compile, device),
        verbose=int(plan.verbose > 1),
        **{f"criterion__{key}": value for key, value in objective},
        **{f"module__{key}": value for key, value in network},
    )


def _find_max_epochs(plan, n_samples):
    """Return the number of epochs, for "auto" by the rows that are not held out."""
    if plan.max_epochs != "auto":
        return plan.max_epochs
    if plan.early_stopping:
        n_samples -= math.ceil(n_samples * plan.validation_fraction)
    return count_epochs(n_samples, plan.batch_size)


def _find_device(plan):
    try:
        return resolve_device(plan.device)
    except ValueError as error:
        raise ValueError(
            f"The 'device' parameter of {plan.owner} must be 'auto' or a torch device "
            f"that is present. Got {plan.device!r} instead: {error}"
        ) from error


def _make_callbacks(plan):
    """Return the user's callbacks and those for `verbose` and early stopping."""
    callbacks = list(plan.callbacks or [])
    if plan.verbose:
        callbacks.append(EpochProgress())
    if plan.early_stopping:
        callbacks.append(BestEpoch(plan.n_iter_no_change))
    return callbacks


def _split(plan, n_samples):
    """Return the rows to train on, and those that early stopping holds out."""
    if not plan.early_stopping:
        return np.arange(n_samples), np.arange(0)
    return hold_out(n_samples, plan.validation_fraction, plan.seed, owner=plan.owner)


def _open_checkpoint(plan, net, blocks):
    """Return the checkpoint of this training, or None."""
    if plan.checkpoint is None:
        return None
    configuration = describe_training(plan, net, blocks)
    return Checkpoint(plan.checkpoint, net.trainings_, configuration)


def _make_dataset(blocks, rows, device):
    """Return some rows as a data set; all of them without a copy."""
    if len(rows) < count_rows(blocks):
        blocks = take_from_blocks(blocks, rows)
    return BlockDataset(blocks, device)


def _clear(net):
    """Let go of what the estimator must not keep: held-out rows, copies of weights."""
    net.set_params(train_split=None)
    for _, callback in net.callbacks_:
        if isinstance(callback, LRScheduler):
            callback.lr_scheduler_ = None  # made anew when training goes on


def _warn_if_interrupted(net):
    """Warn after Ctrl-C, but not after a callback that stops early."""
    if net.interrupted_ and not has_stopped(net):
        warnings.warn(
            f"Training interrupted by user after {net.count_finished()} epochs; the "
            "estimator is usable as it is.",
            stacklevel=4,
        )
