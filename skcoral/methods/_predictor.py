"""What both predictors share: targets beside rows, a head, scores of labelled rows."""

from abc import abstractmethod
from functools import partial

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from skcoral._constraints import NON_NEGATIVE_FLOAT
from skcoral._sklearn_compat import fit_context
from skcoral._training.batches import BlockDataset
from skcoral.methods._checks import refuse_early_stopping
from skcoral.methods.coral import COrALTransformer
from skcoral.objectives import SupervisedObjective


class BaseCOrALPredictor(COrALTransformer):
    """A COrALTransformer whose network has a head that is trained on labelled rows.

    A predictor is a subclass with `_find_labelled`, `_learn_targets`, `_to_targets`,
    `_make_loss`, `_find_start`, `predict` and `score`.
    """

    _parameter_constraints = {
        **COrALTransformer._parameter_constraints,
        "supervised_weight": NON_NEGATIVE_FLOAT,
    }

    def __init__(
        self,
        modalities="auto",
        *,
        embed_dim=64,
        unique_dim=None,
        n_layers=1,
        n_heads=4,
        dropout=0.0,
        head_hidden_dim=256,
        head_dim=128,
        temperature=0.1,
        mask_ratio=1.0,
        mask_mode="zero",
        shared_weight=1.0,
        unique_weight=1.0,
        ortho_weight=1.0,
        orthogonality="squared",
        ortho_reduction="sum",
        modality_dropout=0.0,
        supervised_weight=1.0,
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
        super().__init__(
            modalities,
            embed_dim=embed_dim,
            unique_dim=unique_dim,
            n_layers=n_layers,
            n_heads=n_heads,
            dropout=dropout,
            head_hidden_dim=head_hidden_dim,
            head_dim=head_dim,
            temperature=temperature,
            mask_ratio=mask_ratio,
            mask_mode=mask_mode,
            shared_weight=shared_weight,
            unique_weight=unique_weight,
            ortho_weight=ortho_weight,
            orthogonality=orthogonality,
            ortho_reduction=ortho_reduction,
            modality_dropout=modality_dropout,
            max_epochs=max_epochs,
            batch_size=batch_size,
            lr=lr,
            weight_decay=weight_decay,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            warm_start=warm_start,
            output=output,
            missing=missing,
            empty_rows=empty_rows,
            device=device,
            precision=precision,
            compile=compile,
            callbacks=callbacks,
            verbose=verbose,
            random_state=random_state,
        )
        self.supervised_weight = supervised_weight

    @abstractmethod
    def _find_labelled(self, y):
        """Return which rows have a label, and the checked labels of these."""

    @abstractmethod
    def _learn_targets(self, labels, classes):
        """Learn how labels become targets; `classes` are those of `partial_fit`."""

    @abstractmethod
    def _to_targets(self, labels):
        """Return the numbers that the network is trained on."""

    @abstractmethod
    def _make_loss(self):
        """Return the parameters of the supervised term."""

    @abstractmethod
    def _find_start(self):
        """Return the outputs with which the head starts."""

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        """Learn from all rows, and from the labels of those that have one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            The rows, as in :meth:`COrALTransformer.fit`.

        y : array-like of shape (n_samples,)
            The targets, with rows marked that have none.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            As in :meth:`COrALTransformer.fit`, and if y has another length than X, is
            not 1-D, holds infinite values or no label to learn from.

        TypeError
            If X is a plain dict, a list of views or sparse as a whole.
        """
        resume = self.warm_start and hasattr(self, "net_")
        return self._learn(X, partial(self._encode, y), resume=resume)

    def _fit_chunk(self, X, y, classes=None):
        """Train one more epoch, on a chunk of rows."""
        refuse_early_stopping(self, f"partial_fit of {type(self).__name__}")
        encode = partial(self._encode, y, classes=classes)
        return self._learn(X, encode, resume=hasattr(self, "net_"), epochs=1)

    def _predict_labelled(self, X, y):
        """Return the labels of the rows that have one, and what is predicted there."""
        labelled, labels = self._find_labelled(y)
        if not labelled.any():
            raise ValueError(f"y has no label. {self._how_to_mark}")
        predicted = self.predict(X)
        check_consistent_length(predicted, labelled)
        return labels, predicted[labelled]

    def _encode(self, y, filled, classes=None):
        """Return the targets of the rows to train on, NaN where there is no label."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        labelled, labels = self._find_labelled(y)
        check_consistent_length(filled, labelled)
        labels = labels[filled[labelled]]
        if not hasattr(self, "net_"):
            self._learn_targets(labels, classes)
        targets = np.full(len(filled), np.nan)
        targets[labelled & filled] = self._to_targets(labels)
        return targets[filled]

    def _hold_out(self, rows, targets, seed):
        """Return the rows to train on and those to hold out, each with labels."""
        labelled = ~np.isnan(targets)
        groups = [
            (rows[labelled], self._find_strata(targets[labelled])),
            (rows[~labelled], None),
        ]
        options = {"test_size": self.validation_fraction, "random_state": seed}
        parts = [
            train_test_split(group, stratify=strata, **options)
            if len(group) > 1
            else (group, group[:0])
            for group, strata in groups
        ]
        return [np.concatenate(side) for side in zip(*parts, strict=True)]

    def _find_strata(self, targets):
        """Return what the held-out labelled rows are to have in equal shares."""
        return None

    def _make_method(self, names):
        """Return COrAL's objective with one more term, and a network with a head."""
        contrast, contrast_params, network = super()._make_method(names)
        objective = {
            "make_contrast": partial(contrast, **contrast_params),
            "weight": self.supervised_weight,
            **self._make_loss(),
        }
        network = network | {"head_start": self._find_start()}
        return SupervisedObjective, objective, network

    def _run_head(self, X):
        """Return the outputs of the head; NaN where a row lacks every modality."""
        check_is_fitted(self, "net_")
        return self._map_rows(self._apply_head, X, len(self._find_start()))

    def _apply_head(self, blocks):
        network = self.net_.module_
        (outputs,) = self.net_.map_batches(
            lambda x: [network.head(network(x))], BlockDataset(blocks)
        )
        return outputs
