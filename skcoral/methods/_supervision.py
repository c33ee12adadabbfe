"""Supervision: what COrAL's predictors add to the transformer."""

from collections.abc import Callable
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skcoral._constraints import NON_NEGATIVE_FLOAT
from skcoral._input.blocks import Blocks
from skcoral._sklearn_compat import fit_context
from skcoral._training.batches import BlockDataset
from skcoral._training.trainer import Method
from skcoral._types import Array, Rows
from skcoral.methods._checks import refuse_early_stopping
from skcoral.methods._parameters import parameter
from skcoral.methods._targets import Targets
from skcoral.objectives.supervised import SupervisedObjective

SUPERVISED_WEIGHT = parameter(
    default=1.0,
    constraint=NON_NEGATIVE_FLOAT,
    text="""
        float
        Weight of the loss on rows with a label. All other terms are those of
        :class:`COrALTransformer` and use all rows, with or without a label.""",
)


class SupervisedMixin:
    """Fitting with labels for some rows, and a head on the components.

    A predictor makes its :class:`~skcoral.methods._targets.Targets` and derives from a
    transformer, whose objective it extends by one term.
    """

    # What the mixin needs from the transformer and the predictor.
    warm_start: bool
    supervised_weight: float
    _learn: Callable[..., Self]
    _map_rows: Callable[..., Any]
    _make_targets: Callable[[], Targets]
    _show_targets: Callable[[Any], None]
    predict: Callable[[Rows], Any]
    net_: Any
    _targets_: Any

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Rows, y: ArrayLike) -> Self:
        """Learn from all rows, and from the labels of the rows that have one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            The rows, as in :meth:`COrALTransformer.fit`.

        y : array-like of shape (n_samples,)
            The targets; rows without one carry a marker.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            As in :meth:`COrALTransformer.fit`, and if y differs in length from X, is
            not 1-D, contains infinite values, or has too few labels to learn from.

        TypeError
            If X is a plain dict, a list of blocks or sparse as a whole.
        """
        resume = self.warm_start and hasattr(self, "net_")
        return self._learn(X, partial(self._encode, y), resume=resume)

    def _fit_chunk(
        self, X: Rows, y: ArrayLike, classes: ArrayLike | None = None
    ) -> Self:
        """Train for one more epoch on a chunk of rows."""
        refuse_early_stopping(self, f"partial_fit of {type(self).__name__}")
        encode = partial(self._encode, y, classes=classes)
        return self._learn(X, encode, resume=hasattr(self, "net_"), epochs=1)

    def _encode(
        self, y: ArrayLike, filled: NDArray[np.bool_], classes: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the targets of the rows to train on, NaN where there is no label."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        if hasattr(self, "net_"):
            return self._read_targets().encode_rows(y, filled)
        self._targets_ = self._make_targets()
        encoded = self._targets_.encode_rows(y, filled, learn=True, classes=classes)
        self._show_targets(self._targets_)
        return encoded

    def _make_method(self, names: list[str]) -> Method:
        """Return the transformer's method with one more term and a head."""
        method = super()._make_method(names)  # type: ignore[misc]
        return Method(
            objective=SupervisedObjective,
            objective_params={
                "contrast": method.objective,
                "contrast_params": method.objective_params,
                "weight": self.supervised_weight,
                **self._targets_.loss,
            },
            network_params={
                **method.network_params,
                "head_start": self._targets_.start,
            },
        )

    def _read_targets(self) -> Any:
        """Return the learnt targets, for the fitted attributes of subclasses."""
        check_is_fitted(self, "_targets_")
        return self._targets_

    def _run_head(self, X: Rows) -> NDArray[np.float64]:
        """Return the outputs of the head; NaN where a row lacks every modality."""
        check_is_fitted(self, "net_")
        outputs = self._map_rows(self._apply_head, X, len(self._targets_.start))
        return outputs.astype(np.float64)

    def _apply_head(self, blocks: Blocks) -> Array:
        return self.net_.apply_head(BlockDataset(blocks))

    def _predict_labelled(self, X: Rows, y: ArrayLike) -> tuple[Any, Any]:
        """Return the labels of the rows that have one, and the predictions there."""
        targets = self._read_targets()
        labelled, labels = targets.find_labelled(y)
        if not labelled.any():
            raise ValueError(f"y has no label. {targets.how_to_mark}")
        predicted = self.predict(X)
        check_consistent_length(predicted, labelled)
        return labels, predicted[labelled]
