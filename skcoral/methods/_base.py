"""The base of all estimators: X in, named features out, whatever the method."""

import contextlib
from abc import abstractmethod

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils.validation import check_is_fitted

from skcoral._components import name_components, place_components
from skcoral._constraints import (
    AT_LEAST_TWO,
    NON_NEGATIVE_FLOAT,
    OPEN_FRACTION,
    POSITIVE_FLOAT,
    POSITIVE_INT,
)
from skcoral._input.blocks import find_rows
from skcoral._sklearn_compat import StrOptions, check_feature_names_in, fit_context
from skcoral._training.batches import BlockDataset
from skcoral._training.trainer import count_finished, train
from skcoral.methods._checks import refuse_early_stopping
from skcoral.modalities import TextModality
from skcoral.modalities._reader import ModalityReader, keep_rows

# Rows that `transform` prepares at once, so that its memory does not grow with them.
TRANSFORM_ROWS = 2**15


class BaseMultimodalTransformer(TransformerMixin, ModalityReader):
    """Fit, transform, names and tags that all methods share.

    A method is a subclass with an explicit constructor, the constraints of its own
    parameters, and `_make_method`. It hands the parameters below to this constructor.
    """

    _parameter_constraints = {
        "modalities": [StrOptions({"auto"}), list, tuple],
        "embed_dim": POSITIVE_INT,
        "max_epochs": [StrOptions({"auto"}), *POSITIVE_INT],
        "batch_size": AT_LEAST_TWO,
        "lr": POSITIVE_FLOAT,
        "weight_decay": NON_NEGATIVE_FLOAT,
        "early_stopping": ["boolean"],
        "validation_fraction": OPEN_FRACTION,
        "n_iter_no_change": POSITIVE_INT,
        "warm_start": ["boolean"],
        "output": [StrOptions({"all", "shared", "unique"})],
        "missing": [StrOptions({"learned", "zero", "nan"})],
        "empty_rows": [StrOptions({"error", "nan"})],
        "device": [str],
        "precision": [StrOptions({"auto", "float32", "bfloat16"})],
        "compile": ["boolean"],
        "callbacks": [list, None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        modalities="auto",
        *,
        embed_dim=64,
        max_epochs="auto",
        batch_size=256,
        lr=1e-3,
        weight_decay=1e-3,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        warm_start=False,
        output="all",
        missing="learned",
        empty_rows="error",
        device="auto",
        precision="auto",
        compile=False,
        callbacks=None,
        verbose=0,
        random_state=None,
    ):
        self.modalities = modalities
        self.embed_dim = embed_dim
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.weight_decay = weight_decay
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.output = output
        self.missing = missing
        self.empty_rows = empty_rows
        self.device = device
        self.precision = precision
        self.compile = compile
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state

    @abstractmethod
    def _make_method(self, names):
        """Return (objective class, its parameters, the network's parameters)."""

    def _pick(self, *names):
        """Return some parameters by name."""
        return {name: getattr(self, name) for name in names}

    @property
    def _unique_dim(self):
        """Width of a unique embedding."""
        return self.unique_dim or max(1, self.embed_dim // 2)

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Learn the representation from unlabelled rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            The rows. A plain dict or a list of views cannot be sliced by scikit-learn:
            wrap it in :class:`skorch.helper.SliceDict`. Memory-mapped arrays are read
            batch by batch; scales are learnt from 50,000 of their rows at most.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X has fewer than two rows, holds infinite values, lacks a column, or if
            the training diverges. The estimator is not fitted then.

        TypeError
            If X is a plain dict, a list of views or sparse as a whole.
        """
        return self._learn(X, resume=self.warm_start and hasattr(self, "net_"))

    @fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X, y=None):
        """Train one more epoch on a chunk of rows, such as a row group of a file.

        The first call learns modalities, scales and vocabularies from its chunk, which
        should be a fair sample; later calls keep them. `max_epochs` then only tells
        schedules how long the training will be.

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
        return self._learn(X, resume=hasattr(self, "net_"), epochs=1)

    def transform(self, X):
        """Embed rows: unmasked, unaugmented and one by one, whatever the batch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            Rows with the columns of `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out), float32
            The components that `output` selects, at the columns of `output_indices_`.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.

        ValueError
            If columns are missing or of another kind than in `fit`.
        """
        check_is_fitted(self, "net_")
        n_features = max(part.stop for part in self.output_indices_.values())
        return self._map_rows(self._embed, X, n_features)

    def _map_rows(self, function, X, n_columns):
        """Apply a function of blocks to all rows; NaN where a row lacks everything."""
        X = self._check(X)
        out = np.full((len(X), n_columns), np.nan, dtype=np.float32)
        for rows in gen_batches(len(out), TRANSFORM_ROWS):
            blocks = self._read(X, rows)
            filled = self._find_filled(blocks, rows.start)
            if filled.any():
                out[rows][filled] = function(keep_rows(blocks, filled))
        return out

    def _embed(self, blocks):
        """Return the components that `output` selects, side by side."""
        parts = self.net_.embed(BlockDataset(blocks))
        components = dict(zip(self._dims, parts, strict=True))
        self._mark_missing(components, blocks)
        return np.hstack([components[name] for name in self.output_indices_])

    def score(self, X, y=None):
        """Return minus the loss on X, with seeded views; higher is better.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            Rows with the columns of `fit`.

        y : None
            Ignored.

        Returns
        -------
        float
            Minus the mean over batches of `batch_size` rows. It falls with the number
            of rows in a batch, so compare scores of samples of similar size.
        """
        check_is_fitted(self, "net_")
        blocks = self._read(self._check(X))
        blocks = keep_rows(blocks, self._find_filled(blocks))
        return -self.net_.evaluate(BlockDataset(blocks))

    def get_feature_names_out(self, input_features=None):
        """Return the names of the output columns, such as "shared_00" or "film_31".

        Parameters
        ----------
        input_features : array-like of str, default=None
            Only compared with the names seen in `fit`.

        Returns
        -------
        ndarray of shape (n_features_out,), object
            Names, component by component.
        """
        check_is_fitted(self, "net_")
        check_feature_names_in(self, input_features)
        return name_components(self.output_indices_)

    @property
    def output_indices_(self):
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
    def _dims(self):
        """Width of each component by name, in order."""
        return self.net_.criterion_.dims(self.net_.module_)

    @property
    def history_(self):
        """dict of str to list: losses and terms, one value per finished epoch."""
        check_is_fitted(self, "net_")
        rows = self.net_.history[: self.n_iter_]
        terms = ("loss", *self.net_.criterion_.terms)
        keys = [f"{part}_{term}" for part in ("train", "valid") for term in terms]
        return {
            key: [float(row[key]) for row in rows]
            for key in keys
            if rows and key in rows[0]
        }

    @property
    def n_iter_(self):
        """int: number of finished epochs."""
        check_is_fitted(self, "net_")
        return count_finished(self.net_)

    @property
    def loss_curve_(self):
        """list of float: training loss per epoch."""
        return self.history_.get("train_loss", [])

    @property
    def validation_loss_curve_(self):
        """list of float: held-out loss per epoch, with `early_stopping`."""
        return self.history_["valid_loss"] if self.early_stopping else None

    @property
    def device_(self):
        """str: the device of the network."""
        check_is_fitted(self, "net_")
        return self.net_.device

    def __sklearn_tags__(self):
        """Return the tags: float32 out, missing values in, strings where text is."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = any(
            spec == "text" or isinstance(spec, TextModality)
            for _, spec in self._modalities
        )
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _learn(self, X, encode=None, *, resume, epochs=None):
        """Read X and train; a training that fails leaves nothing half-fitted.

        A predictor passes `encode`: which rows of X are trained on -> their targets.
        """
        if resume:
            # A chunk that cannot be read leaves the training so far intact.
            data = self._gather(self._read(self._check(X, min_samples=2)), encode)
        with self._fitted_or_forgotten():
            if not resume:
                self._forget()
                self._seed = check_random_state(self.random_state).randint(2**31 - 1)
                data = self._gather(self._fit_modalities(X), encode)
            self.net_ = train(self, *data, resume=resume, epochs=epochs)
        return self

    def _gather(self, blocks, encode):
        """Return blocks and targets, if there are any, of the rows to train on."""
        filled = self._find_trainable(blocks)
        return keep_rows(blocks, filled), encode and encode(filled)

    @contextlib.contextmanager
    def _fitted_or_forgotten(self):
        try:
            yield
        except BaseException:
            self._forget()
            raise

    def _forget(self):
        """Delete what was learnt."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)

    def _mark_missing(self, components, blocks):
        """Fill the unique components of missing modalities as `missing` says."""
        if self.missing == "learned":
            return
        for name, block in blocks.items():
            rows = find_rows(block)
            if rows is not None and name in components:
                components[name][~rows] = {"zero": 0.0, "nan": np.nan}[self.missing]

    def _hold_out(self, rows, targets, seed):
        """Return the rows to train on and those to hold out."""
        options = {"test_size": self.validation_fraction, "random_state": seed}
        return train_test_split(rows, **options)
