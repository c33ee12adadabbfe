"""The net: skorch's NeuralNet, trained on (augmented) views of each batch.

It knows neither the method, which is its criterion, nor the kinds of modalities, which
it sees only as augmentations.
"""

import math

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import EpochTimer, PassthroughScoring, PrintLog
from skorch.utils import to_device

from skcoral._generators import DrawFrom, Generators
from skcoral._input.blocks import split_block, take_from_blocks
from skcoral._training.batches import BlockDataset
from skcoral._training.callbacks import LossTerms
from skcoral._training.weights import fill_weights
from skcoral.nn.feed_forward import Dropout

# Number of rows per batch at inference, always the same: matrix products of one shape
# round equally, so that a row's embedding does not depend on the other rows, bit for
# bit. It is also among the fastest of 64 .. 4096 on two cores.
INFERENCE_BATCH_SIZE = 256


class ContrastiveNet(NeuralNet):
    """Train a network (module) with an objective (criterion) by skorch.

    Parameters
    ----------
    module : type
        The network class.

    criterion : type
        The objective class.

    augmentations : dict of str to callable
        Augmentation ``(tensor, mask, generator) -> tensor`` per modality.

    views_seed : int, default=0
        Seed of the views in validation and scoring. It is the same in each pass, so
        that the losses of epochs are comparable.

    precision : {"float32", "bfloat16"}, default="float32"
        Format of matrix products in training; losses, weights, validation and inference
        use float32.

    **kwargs : dict
        Parameters of :class:`skorch.NeuralNet`.

    Attributes
    ----------
    interrupted_ : bool
        Whether the last training ended with a KeyboardInterrupt, raised from the
        keyboard or by a callback that stops early.

    epochs_ahead_ : int
        Number of epochs of the current or last training.

    trainings_ : int
        Number of trainings so far.

    trainable : bool
        Whether the net has its projection heads; a net that was saved for its embedding
        only has zeros in their place.
    """

    trainable = True
    # State of the network and of the objective, while a net is made again; None takes
    # zeros for a part.
    weights = None
    trainings_ = 0

    def __init__(
        self,
        module,
        criterion,
        *,
        augmentations=None,
        views_seed=0,
        precision="float32",
        **kwargs,
    ):
        self.augmentations = augmentations
        self.views_seed = views_seed
        self.precision = precision
        super().__init__(module, criterion, **kwargs)

    @property
    def _default_callbacks(self):
        return [
            ("epoch_timer", EpochTimer()),
            ("train_loss", PassthroughScoring("train_loss", on_train=True)),
            ("valid_loss", PassthroughScoring("valid_loss")),
            ("loss_terms", LossTerms()),
            ("print_log", PrintLog()),
        ]

    def initialize_module(self):
        """Make the network, new or with the weights of a state."""
        self.module_ = self._make_part("module")
        return self

    def initialize_criterion(self):
        """Make the objective, new or with the weights of a state."""
        self.criterion_ = self._make_part("criterion")
        return self

    def _make_part(self, name):
        make = getattr(self, name)
        kwargs = self.get_params_for(name)
        if self.weights is None:
            return self.initialized_instance(make, kwargs)
        with DrawFrom(torch.Generator()):
            part = make(**kwargs)
        fill_weights(part, self.weights[name])
        return part

    def check_trainable(self):
        """Raise ValueError if the net was saved for its embedding only."""
        if not self.trainable:
            raise ValueError(
                "This estimator was saved without for_training=True, so it lacks what "
                "the loss and further training need. It can transform and predict. "
                "Save the original by skcoral.save(estimator, path, for_training=True)."
            )

    def get_params_for_optimizer(self, prefix, named_parameters):
        """Apply weight decay to matrices only, not to biases, norms and queries."""
        named = list(named_parameters)
        decayed = [p for name, p in named if _is_decayed(name, p)]
        others = [p for name, p in named if not _is_decayed(name, p)]
        _, kwargs = super().get_params_for_optimizer(prefix, named)
        groups = [{"params": decayed}, {"params": others, "weight_decay": 0.0}]
        return (groups,), kwargs

    def train(self, dataset, generators, epochs=None, checkpoint=None):
        """Train for some epochs, `max_epochs` by default.

        Parameters
        ----------
        dataset : BlockDataset
            The rows.

        generators : Generators
            What this training draws from. They are not part of the trained net.

        epochs : int, default=None
            Number of epochs.

        checkpoint : Checkpoint, default=None
            What to continue from, and where to write states.
        """
        self.epochs_ahead_ = self.max_epochs if epochs is None else epochs
        self.generators = generators
        self._hand_down(generators.device)
        extra = [] if checkpoint is None else [("checkpoint", checkpoint)]
        self.callbacks_ += extra
        try:
            self._run_epochs(dataset, checkpoint)
        finally:
            self.callbacks_ = [c for c in self.callbacks_ if c not in extra]
            self._hand_down(None)
            del self.generators
        self.trainings_ += 1

    def _run_epochs(self, dataset, checkpoint):
        """Run the epochs that a checkpoint does not have yet."""
        if checkpoint is not None and checkpoint.finished:
            checkpoint.restore(self)
            self.interrupted_ = False
            return
        if checkpoint is not None:
            self.epochs_ahead_ -= checkpoint.n_epochs
        self.partial_fit(dataset, epochs=self.epochs_ahead_)

    def _hand_down(self, generator):
        """Let the layers that draw in training draw from a generator."""
        for part in (self.module_, self.criterion_):
            for layer in part.modules():
                if isinstance(layer, Dropout):
                    layer.generator = generator

    def fit_loop(self, X, y=None, epochs=None, **kwargs):
        """Run the epochs and record whether they were interrupted."""
        self.interrupted_ = True
        super().fit_loop(X, y, epochs=epochs, **kwargs)
        self.interrupted_ = False
        return self

    def on_epoch_begin(self, net, **kwargs):
        """Pass the current epoch and the planned number to the objective."""
        super().on_epoch_begin(net, **kwargs)
        self.criterion_.epoch.fill_(len(self.history) - 1)
        self.criterion_.max_epochs.fill_(self.max_epochs)

    def train_step(self, batch, **fit_params):
        """Update once per phase of the objective, on new views of the same rows."""
        loss = 0.0
        for phase in self.criterion_.phases(self.module_):
            step = super().train_step(batch, phase=phase, **fit_params)
            loss = loss + step["loss"].detach()
        return {"loss": loss, "y_pred": None}

    def train_step_single(self, batch, phase, generator, **fit_params):
        """Compute the loss of the views of a batch and its gradients."""
        function, parameters = phase
        self._set_training(True)
        with self._autocast():
            loss = self._compute_loss(batch, "train", generator, function)
        loss.backward(inputs=parameters)
        return {"loss": loss, "y_pred": None}

    def validation_step(self, batch, generator, **fit_params):
        """Compute the loss of the views of a batch in evaluation mode."""
        self._set_training(False)
        with torch.no_grad():
            loss = self._compute_loss(batch, "valid", generator)
        return {"loss": loss, "y_pred": None}

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Run one pass; validation draws the same views in every pass."""
        generators = Generators(self.views_seed, self.device)
        if training:
            generators = self.generators
            iterator.generator = generators.cpu
        fit_params = {**fit_params, "generator": generators.device}
        super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)

    def count_finished(self):
        """Return the number of finished epochs."""
        return sum("train_loss" in row for row in self.history)

    def read_history(self):
        """Return losses and terms by name, with one value per finished epoch."""
        rows = self.history[: self.count_finished()]
        terms = ("loss", *self.criterion_.terms)
        keys = [f"{part}_{term}" for part in ("train", "valid") for term in terms]
        return {
            key: [float(row[key]) for row in rows]
            for key in keys
            if rows and key in rows[0]
        }

    def infer(self, x, **fit_params):
        """Return the components of a batch."""
        return self.criterion_.embed(self.module_, to_device(x, self.device))

    def embed(self, dataset):
        """Return the components of all rows as a list of float32 arrays."""
        return _check_finite(self.map_batches(self.infer, dataset))

    def check_outputs(self, dataset):
        """Raise if what the network makes of some rows is not finite.

        The loss of the last update was computed before it, so that no term tells what
        the update made of the weights.
        """
        step = math.ceil(len(dataset) / INFERENCE_BATCH_SIZE)
        blocks = take_from_blocks(dataset.blocks, slice(None, None, step))
        rows = BlockDataset(blocks)
        outputs = self.map_batches(self.infer, rows)
        weights = [*self.module_.parameters(), *self.criterion_.parameters()]
        finite = [torch.isfinite(weight).all() for weight in weights]
        if not all(finite) or not all(np.isfinite(out).all() for out in outputs):
            fault = "the last update made features that are not finite"
            raise ValueError(self._describe_divergence(fault))

    @torch.no_grad()
    def map_batches(self, function, dataset):
        """Apply a function of a batch to all rows in evaluation mode.

        Parameters
        ----------
        function : callable
            Takes a dict of blocks and returns a list of tensors, first axis = samples.

        dataset : BlockDataset
            The rows.

        Returns
        -------
        list of ndarray
            The outputs of all rows.
        """
        self._set_training(False)
        n_rows = len(dataset)
        n_batches = math.ceil(n_rows / INFERENCE_BATCH_SIZE)
        # Copies of the last row fill up the last batch.
        rows = torch.arange(n_batches * INFERENCE_BATCH_SIZE).clamp(max=n_rows - 1)
        outputs = []
        for start, part in enumerate(rows.split(INFERENCE_BATCH_SIZE)):
            values = function(to_device(dataset[part], self.device))
            values = [value.cpu().numpy() for value in values]
            outputs = outputs or [
                np.empty((n_rows, *value.shape[1:]), value.dtype) for value in values
            ]
            for output, value in zip(outputs, values, strict=True):
                place = output[start * INFERENCE_BATCH_SIZE :][:INFERENCE_BATCH_SIZE]
                place[:] = value[: len(place)]
        return outputs

    def evaluate(self, dataset):
        """Return the mean loss over the batches of a data set, with seeded views."""
        self.check_trainable()
        loader = self.get_iterator(dataset)
        self._set_training(False)
        generator = Generators(self.views_seed, self.device).device
        with torch.no_grad():
            losses = [
                float(sum(self._terms(batch, generator).values())) for batch in loader
            ]
        return float(np.average(losses, weights=loader.batch_sizes))

    def _compute_loss(self, batch, prefix, generator, function=None):
        """Return the sum of the terms and record each in the history."""
        terms = self._terms(batch, generator, function)
        for name, value in terms.items():
            value = value.item()
            if not np.isfinite(value):
                fault = f"the {name!r} term is {value}"
                raise ValueError(self._describe_divergence(fault))
            self.history.record_batch(f"{prefix}_{name}", value)
        return sum(terms.values())

    def _terms(self, batch, generator, function=None):
        """Return the terms that a function of views computes, or the objective."""
        blocks, _ = batch
        function = function or self.criterion_
        views = self._make_views(blocks, self.criterion_.views, generator)
        return function(self.module_, views, generator)

    def _make_views(self, blocks, kinds, generator):
        blocks = to_device(blocks, self.device)
        return [
            self._augment(blocks, generator) if kind == "augmented" else blocks
            for kind in kinds
        ]

    def _autocast(self):
        kind = torch.device(self.device).type
        enabled = self.precision != "float32"
        dtype = getattr(torch, self.precision)
        return torch.autocast(kind, dtype=dtype, enabled=enabled)

    def _augment(self, blocks, generator):
        """Return one random view of a batch."""
        view = {}
        for name, block in blocks.items():
            values, mask = split_block(block)
            values = self.augmentations[name](values, mask, generator)
            view[name] = values if mask is None else (values, mask)
        return view

    def _describe_divergence(self, fault):
        return (
            f"Training diverged at epoch {len(self.history)}: {fault}. Lower lr (now "
            f"{self.lr}) or raise temperature, and look for extreme values in X."
        )


def _check_finite(outputs):
    """Return the outputs of the network; raise if they are not finite."""
    for output in outputs:
        faulty = ~np.isfinite(output).all(axis=tuple(range(1, output.ndim)))
        if faulty.any():
            raise ValueError(
                f"The network's output is not finite for {faulty.sum()} of "
                f"{len(faulty)} rows: a modality gives it numbers that are too large."
            )
    return outputs


def _is_decayed(name, parameter):
    return parameter.ndim >= 2 and not name.endswith("bias")
