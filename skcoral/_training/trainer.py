"""From blocks to a trained network: the trainer of an estimator, and its epochs."""

import math
import warnings

import numpy as np
import torch
from skorch.callbacks import EarlyStopping
from skorch.helper import predefined_split

from skcoral._input.blocks import count_rows, drop_idle_mask, take_from_blocks
from skcoral._training.batches import BatchLoader, BlockDataset
from skcoral._training.callbacks import BestEpoch, EpochProgress
from skcoral._training.imputation import learn_fill
from skcoral._training.net import (
    ContrastiveNet,
    resolve_compile,
    resolve_device,
    resolve_precision,
    seeded,
)
from skcoral.nn.network import DualPathNetwork

# max_epochs="auto": enough updates for a small table, few passes over a large one.
MIN_UPDATES = 600
MIN_EPOCHS = 10
MAX_EPOCHS = 200


def train(estimator, blocks, targets, *, resume, epochs):
    """Train a new network, or the present one further, on fitted blocks.

    Parameters
    ----------
    estimator : BaseMultimodalTransformer
        Its parameters, modalities and seed are read, and its net if that is resumed.

    blocks : dict of str to block
        The rows to train on, by modality.

    targets : ndarray of shape (n_samples,) or None
        Targets, NaN where a row has none.

    resume : bool
        Whether the network of the estimator is trained further.

    epochs : int or None
        Number of epochs; None takes that of the estimator.

    Returns
    -------
    ContrastiveNet
        The trained net.
    """
    net = estimator.net_ if resume else _make_net(estimator, count_rows(blocks))
    blocks = {name: drop_idle_mask(block) for name, block in blocks.items()}
    seed = estimator._seed
    if resume:
        # Every continuation draws afresh, and yet the same at the next run.
        n_epochs = len(net.history)
        seed = int(np.random.SeedSequence([seed, n_epochs]).generate_state(1)[0])
    fitted, held_out = _split(estimator, blocks, targets, seed, net.device)
    net.set_params(train_split=held_out and predefined_split(held_out))
    with seeded(seed, net.device):
        if not resume:
            net.initialize()
        net.partial_fit(fitted, epochs=epochs)
    # The held-out rows are not the estimator's to keep.
    net.set_params(train_split=None)
    learn_fill(net, fitted)
    net.module_.eval()
    net.criterion_.eval()
    _warn_if_interrupted(net)
    return net


def count_epochs(estimator, n_samples):
    """Return `max_epochs` of an estimator, or the number that makes enough updates."""
    if estimator.max_epochs != "auto":
        return estimator.max_epochs
    if estimator.early_stopping:
        n_samples -= math.ceil(n_samples * estimator.validation_fraction)
    n_batches = max(1, math.ceil(n_samples / estimator.batch_size))
    return int(np.clip(math.ceil(MIN_UPDATES / n_batches), MIN_EPOCHS, MAX_EPOCHS))


def count_finished(net):
    """Return the number of epochs that a net has finished."""
    return sum("train_loss" in row for row in net.history)


def _make_net(estimator, n_samples):
    """Return the trainer, not initialised yet."""
    specs = {name: spec for name, spec, _ in estimator.modalities_}
    objective, objective_params, network_params = estimator._make_method(list(specs))
    device = _resolve_device(estimator)
    precision = resolve_precision(estimator.precision, device, estimator.embed_dim)
    return ContrastiveNet(
        DualPathNetwork,
        objective,
        module__modalities=specs,
        augmentations={name: s.make_augmentation() for name, s in specs.items()},
        views_seed=estimator._seed,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=estimator.weight_decay,
        optimizer__fused=True,
        lr=estimator.lr,
        max_epochs=count_epochs(estimator, n_samples),
        batch_size=estimator.batch_size,
        iterator_train=BatchLoader,
        iterator_train__shuffle=True,
        iterator_valid=BatchLoader,
        callbacks=_make_callbacks(estimator),
        device=device,
        precision=precision,
        compile=resolve_compile(estimator.compile, device),
        verbose=int(estimator.verbose > 1),
        **{f"criterion__{key}": value for key, value in objective_params.items()},
        **{f"module__{key}": value for key, value in network_params.items()},
    )


def _resolve_device(estimator):
    try:
        return resolve_device(estimator.device)
    except ValueError as error:
        raise ValueError(
            f"The 'device' parameter of {type(estimator).__name__} must be 'auto' or a "
            f"torch device that is present. Got {estimator.device!r} instead: {error}"
        ) from error


def _make_callbacks(estimator):
    """Return the callbacks of the user and those of verbose and early stopping."""
    callbacks = list(estimator.callbacks or [])
    if estimator.verbose:
        callbacks.append(EpochProgress())
    if estimator.early_stopping:
        patience = estimator.n_iter_no_change
        callbacks.append(BestEpoch(patience=patience, load_best=True))
    return callbacks


def _split(estimator, blocks, targets, seed, device):
    """Return training rows and, with early stopping, held-out rows."""
    if not estimator.early_stopping:
        return BlockDataset(blocks, device, targets), None
    n_samples = count_rows(blocks)
    sides = estimator._hold_out(np.arange(n_samples), targets, seed)
    if min(map(len, sides)) < 2:
        raise ValueError(
            f"The 'validation_fraction' parameter of {type(estimator).__name__} must "
            f"leave two rows or more on both sides of {n_samples} rows. "
            f"Got {estimator.validation_fraction} instead."
        )
    return [
        BlockDataset(
            take_from_blocks(blocks, rows),
            device,
            None if targets is None else targets[rows],
        )
        for rows in sides
    ]


def _warn_if_interrupted(net):
    """Warn after Ctrl-C; a callback that stops early is no interruption."""
    stoppers = [c for _, c in net.callbacks_ if isinstance(c, EarlyStopping)]
    stopped_early = any(c.misses_ >= c.patience for c in stoppers)
    if net.interrupted_ and not stopped_early:
        warnings.warn(
            f"Training interrupted by user after {count_finished(net)} epochs; the "
            "estimator is usable as it is.",
            stacklevel=4,
        )
