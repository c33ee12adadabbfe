"""The base class of all methods: X in, named features out."""

from abc import abstractmethod
from os import PathLike
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skcoral._generators import derive_seed
from skcoral._input.blocks import find_filled, keep_rows
from skcoral._input.validation import validate_X
from skcoral._sklearn_compat import (
    VisualBlock,
    check_feature_names_in,
    fit_context,
)
from skcoral._training.batches import BlockDataset
from skcoral._training.checkpoints import draw_seed
from skcoral._training.imputation import overwrite_missing
from skcoral._training.trainer import (
    Method,
    Plan,
    train,
)
from skcoral._types import RandomState, Rows
from skcoral.components._columns import name_components, place_components
from skcoral.methods import _parameters as shared
from skcoral.methods._checks import check_callbacks, check_names, refuse_early_stopping
from skcoral.methods._nested import NestedParameters
from skcoral.methods._networks import pick
from skcoral.methods._parameters import estimator
from skcoral.methods._state import StateMixin
from skcoral.modalities._reader import ModalityReader
from skcoral.modalities._specs import find_modalities, reads_strings


@estimator
class BaseMultimodalTransformer(StateMixin, TransformerMixin, NestedParameters):
    """Fitting, transforming, feature names and tags, shared by all methods.

    A method is a subclass that implements `_make_method` and, if it adds parameters,
    has the decorator :func:`~skcoral.methods._parameters.estimator`.

    Parameters
    ----------
    %(parameters)s
    """

    modalities: Literal["auto"] | list[tuple[str, Any, Any]] = shared.MODALITIES
    embed_dim: int = shared.EMBED_DIM
    max_epochs: int | Literal["auto"] = shared.MAX_EPOCHS
    batch_size: int = shared.BATCH_SIZE
    lr: float = shared.LR
    weight_decay: float = shared.WEIGHT_DECAY
    early_stopping: bool = shared.EARLY_STOPPING
    validation_fraction: float = shared.VALIDATION_FRACTION
    n_iter_no_change: int = shared.N_ITER_NO_CHANGE
    warm_start: bool = shared.WARM_START
    output: Literal["all", "shared", "unique"] = shared.OUTPUT
    missing: Literal["learned", "zero", "nan"] = shared.MISSING
    empty_rows: Literal["error", "nan"] = shared.EMPTY_ROWS
    device: str = shared.DEVICE
    precision: Literal["auto", "float32", "bfloat16"] = shared.PRECISION
    compile: bool = shared.COMPILE
    checkpoint: str | PathLike[str] | None = shared.CHECKPOINT
    callbacks: list[Any] | None = shared.CALLBACKS
    verbose: int = shared.VERBOSE
    random_state: RandomState = shared.RANDOM_STATE

    @abstractmethod
    def _make_method(self, names: list[str]) -> Method:
        """Return the objective and the network sizes for these modalities."""

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Rows, y: None = None) -> Self:
        """Learn the representation from unlabelled rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            The rows. A plain dict or a list of blocks cannot be sliced by scikit-learn:
            wrap it in :class:`skorch.helper.SliceDict`. Memory-mapped arrays are read
            in batches, and scales are learnt from at most 50,000 of their rows.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X has fewer than two rows, contains infinite values or lacks a column, or
            if training diverges. The estimator is then left unfitted.

        TypeError
            If X is a plain dict, a list of blocks or sparse as a whole.
        """
        self._learn(X, resume=self.warm_start and hasattr(self, "net_"))
        return self

    @fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Rows, y: None = None) -> Self:
        """Train for one more epoch on a chunk of rows, such as a row group of a file.

        The first call learns modalities, scales and vocabularies from its chunk, which
        should be a representative sample; later calls keep them. `max_epochs` then only
        sets the number of epochs that schedules expect.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            A chunk of at least two rows.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            As in `fit`, and if `early_stopping` is set.
        """
        refuse_early_stopping(self, f"partial_fit of {type(self).__name__}")
        self._learn(X, resume=hasattr(self, "net_"), epochs=1)
        return self

    def transform(self, X: Rows) -> NDArray[np.float32]:
        """Embed rows, unmasked and unaugmented, each independently of the others.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            Rows with the columns of `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out), float32
            The components that `output` selects; `output_indices_` has their columns.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.

        ValueError
            If columns are missing or differ in kind from those of `fit`.
        """
        check_is_fitted(self, "net_")
        n_features = max(part.stop for part in self.output_indices_.values())
        return self._map_rows(self._embed, X, n_features)

    def score(self, X: Rows, y: None = None) -> float:
        """Return the negative loss on X, with seeded views; higher is better.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            Rows with the columns of `fit`.

        y : None
            Ignored.

        Returns
        -------
        float
            Negative mean loss over batches of `batch_size` rows. As larger batches have
            a larger loss, compare only samples of similar size.
        """
        check_is_fitted(self, "net_")
        blocks = self._reader_.read(self._validate_rows(X))
        blocks = keep_rows(blocks, find_filled(blocks, self.empty_rows))
        return -self.net_.evaluate(BlockDataset(blocks))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the output columns, such as "shared_00" or "film_31".

        Parameters
        ----------
        input_features : array-like of str, default=None
            Checked against the names seen in `fit`, otherwise ignored.

        Returns
        -------
        ndarray of shape (n_features_out,), object
            The names, component by component.
        """
        check_is_fitted(self, "net_")
        check_names(input_features)
        check_feature_names_in(self, input_features)
        return name_components(self.output_indices_)

    @property
    def modalities_(self) -> list[tuple[str, Any, Any]]:
        """list of (name, fitted spec, columns): the modalities in use."""
        check_is_fitted(self, "_reader_")
        return self._reader_.modalities

    @property
    def output_indices_(self) -> dict[str, slice]:
        """dict of str to slice: columns of each component in the output."""
        check_is_fitted(self, "net_")
        dims = {
            name: dim
            for name, dim in self._dims.items()
            if self.output in ("all", "shared" if name == "shared" else "unique")
        }
        if not dims:
            raise ValueError(
                f"The 'output' parameter of {type(self).__name__} must select one of "
                f"its components, {list(self._dims)}. Got {self.output!r} instead."
            )
        return place_components(dims)

    @property
    def history_(self) -> dict[str, list[float]]:
        """dict of str to list: losses and terms, one value per finished epoch."""
        check_is_fitted(self, "net_")
        return self.net_.read_history()

    @property
    def n_iter_(self) -> int:
        """int: number of finished epochs."""
        check_is_fitted(self, "net_")
        return self.net_.count_finished()

    @property
    def loss_curve_(self) -> list[float]:
        """list of float: training loss per epoch."""
        return self.history_.get("train_loss", [])

    @property
    def validation_loss_curve_(self) -> list[float] | None:
        """list of float: held-out loss per epoch; None without `early_stopping`."""
        return self.history_["valid_loss"] if self.early_stopping else None

    @property
    def device_(self) -> str:
        """str: the device of the network."""
        check_is_fitted(self, "net_")
        return self.net_.device

    def __sklearn_tags__(self):
        """Return the tags: float32 output, missing values and, with text, strings."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = any(reads_strings(s) for _, s in self._modalities)
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _sk_visual_block_(self):
        """Show the modalities side by side, those of "auto" once chosen."""
        modalities = getattr(self, "modalities_", self.modalities)
        if not isinstance(modalities, list) or not modalities:
            return VisualBlock("single", self, names=type(self).__name__)
        names, specs, columns = zip(*modalities, strict=True)
        return VisualBlock("parallel", specs, names=names, name_details=columns)

    def _learn(self, X, read_labels=None, *, resume, epochs=None):
        """Read X and train; a failure leaves nothing half-fitted.

        Return the blocks trained on, and what predictors read before it: `read_labels`
        takes a mask of the rows that have a modality.
        """
        net = self.net_ if resume else None
        if resume:
            net.check_trainable()
            # An unreadable chunk leaves the estimator as trained so far.
            X = self._validate_rows(X, min_samples=2)
            blocks, labels = self._gather(self._reader_.read(X), read_labels)
            plan = self._make_plan(net, epochs)
        try:
            if not resume:
                self._forget()
                self._seed = draw_seed(self.random_state, self.checkpoint)
                blocks, labels = self._gather(self._fit_reader(X), read_labels)
                plan = self._make_plan(net, epochs)
            self.net_ = train(plan, blocks, net)
        except BaseException:
            self._forget()
            raise
        return blocks, labels

    def _adopt(self, transformer, X, read_labels):
        """Take over what a transformer has learnt; return X as in `_learn`."""
        self._forget()
        learnt = {name for name in vars(transformer) if name.endswith("_")}
        try:
            for name in (*learnt, "_seed"):
                setattr(self, name, getattr(transformer, name))
            return self._gather(self._reader_.read(self._validate_rows(X)), read_labels)
        except BaseException:
            self._forget()
            raise

    def _fit_reader(self, X):
        """Choose and fit the modalities, and return their blocks."""
        X = validate_X(self, X, reset=True, min_samples=2)
        reserved = {"shared", *self.get_params(deep=False)}
        modalities = find_modalities(type(self).__name__, self.modalities, X, reserved)
        self._validate_names([name for name, _, _ in modalities])
        self._reader_ = ModalityReader(modalities, self._seed)
        return self._reader_.fit_read(X)

    def _gather(self, blocks, read_labels):
        """Return the blocks of the rows to train on, and any labels."""
        owner = type(self).__name__
        filled = find_filled(blocks, self.empty_rows, min_samples=2, owner=owner)
        return keep_rows(blocks, filled), read_labels and read_labels(filled)

    def _make_plan(self, net, epochs):
        """Return the trainer's instructions as plain data."""
        check_callbacks(self)
        specs = {name: spec for name, spec, _ in self.modalities_}
        seed = self._seed if net is None else derive_seed(self._seed, len(net.history))
        return Plan(
            owner=type(self).__name__,
            method=self._make_method(list(specs)) if net is None else None,
            modalities=specs,
            seed=seed,
            epochs=epochs,
            **pick(self, *shared.OF_TRAINING),
        )

    def _forget(self):
        """Delete everything learnt."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)

    def _validate_rows(self, X, min_samples=1):
        """Check X against that of `fit`; columns that no modality uses do not count."""
        used = self._reader_.raw_reader.used_
        return validate_X(self, X, reset=False, min_samples=min_samples, used=used)

    def _map_rows(self, function, X, n_columns):
        """Apply a function of blocks to all rows; NaN for rows without modalities."""
        X = self._validate_rows(X)
        return self._reader_.map_rows(function, X, n_columns, self.empty_rows)

    def _embed(self, blocks):
        """Return the components that `output` selects, side by side."""
        parts = self.net_.embed(BlockDataset(blocks))
        components = dict(zip(self._dims, parts, strict=True))
        if self.missing != "learned":
            value = {"zero": 0.0, "nan": np.nan}[self.missing]
            overwrite_missing(components, blocks, value)
        return np.hstack([components[name] for name in self.output_indices_])

    @property
    def _dims(self):
        """Width of each component, by name and in order."""
        return self.net_.criterion_.dims(self.net_.module_)
