"""Supervision: what COrAL's predictors add to the transformer."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skcoral._input.blocks import Blocks, count_rows, take_from_blocks
from skcoral._sklearn_compat import check_sample_weight, fit_context
from skcoral._training.batches import BlockDataset
from skcoral._types import Array, Rows
from skcoral.components._columns import place_components
from skcoral.methods._checks import check_init
from skcoral.methods._experts import Experts
from skcoral.methods._parameters import parameter
from skcoral.methods._plain import PlainFeatures
from skcoral.methods._targets import Targets
from skcoral.methods.coral import COrALTransformer

# Rows from which plain features and scales are learnt, with labels or without.
SAMPLE_ROWS = 10_000

INIT = parameter(
    default=None,
    constraint=[COrALTransformer, None],
    text="""
        COrALTransformer or None
        A fitted transformer. `fit` then trains no network and takes seconds: it reads
        the labels from this one's features, and its modalities and columns are those of
        X. Parameters of the training have no effect. Clones share it.""",
)


class Labelled(NamedTuple):
    """The labelled rows among those to learn from."""

    targets: Targets
    rows: NDArray[np.int_]
    labels: Array
    weights: NDArray[np.float64]


class SupervisedMixin:
    """Fitting with labels for some rows, and experts on the features.

    A predictor makes its :class:`~skcoral.methods._targets.Targets` and
    :class:`~skcoral.methods._experts.Experts`, and derives from a transformer.
    """

    # What the mixin needs from the transformer and the predictor.
    warm_start: bool
    init: COrALTransformer | None
    _learn: Callable[..., Any]
    _adopt: Callable[..., Any]
    _forget: Callable[[], None]
    _map_rows: Callable[..., Any]
    _make_targets: Callable[[], Targets]
    _make_experts: Callable[..., Experts]
    _show_targets: Callable[[Any], None]
    predict: Callable[[Rows], Any]
    modalities_: list[tuple[str, Any, Any]]
    net_: Any
    _dims: dict[str, int]
    _seed: int
    _targets_: Any
    _experts_: Any

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Rows, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn features from all rows, then to read the labels of those that have one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            The rows, as in :meth:`COrALTransformer.fit`.

        y : array-like of shape (n_samples,)
            The targets; rows without one carry a marker.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the labels; features are learnt from all rows alike.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            As in :meth:`COrALTransformer.fit`, and if y differs in length from X, is
            not 1-D, contains infinite values, or has too few labels to learn from; if
            weights are negative, all zero or of another length; or if `init` has other
            modalities.

        TypeError
            If X is a plain dict, a list of blocks or sparse as a whole.
        """
        read = partial(self._read_labels, y, sample_weight)
        if self.init is None:
            resume = self.warm_start and hasattr(self, "net_")
            blocks, labelled = self._learn(X, read, resume=resume)
        else:
            check_init(self)
            blocks, labelled = self._adopt(self.init, X, read)
        try:
            self._fit_experts(blocks, labelled)
        except BaseException:
            self._forget()
            raise
        return self

    @property
    def partial_fit(self) -> Any:
        """Not available: the labels of all chunks are read at once, at the end."""
        raise AttributeError(
            f"{type(self).__name__} has no partial_fit. Train a COrALTransformer chunk "
            "by chunk, pass it as init=transformer, and fit on rows with labels."
        )

    @property
    def weights_(self) -> dict[str, float]:
        """dict of str to float: weight of each component in the linear expert."""
        check_is_fitted(self, "_experts_")
        return self._experts_.ridge_.weights_

    @property
    def powers_(self) -> NDArray[np.float64]:
        """ndarray of shape (2,): how much the ridge and the forest count."""
        check_is_fitted(self, "_experts_")
        return self._experts_.powers_

    def __sklearn_clone__(self) -> Self:
        """Return an unfitted copy, which shares the transformer in `init`."""
        copy: Any = super().__sklearn_clone__()  # type: ignore[misc]
        copy.init = self.init
        return copy

    def _read_labels(
        self, y: ArrayLike, sample_weight: Any, filled: NDArray[np.bool_]
    ) -> Labelled:
        """Return the labelled ones of the rows that have a modality."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        targets = self._make_targets()
        labelled, labels = targets.find_labelled(y)
        check_consistent_length(filled, labelled)
        weights = check_sample_weight(
            sample_weight, filled[:, None], ensure_non_negative=True
        )
        used = filled & (weights > 0)
        labels = labels[used[labelled]]
        targets.learn(labels)
        remark = targets.remark(y, labelled)
        if remark is not None:
            warnings.warn(remark, stacklevel=2)
        used &= labelled
        rows = np.flatnonzero(used[filled])
        weights = targets.weigh(labels) * weights[used]
        # Only ratios count: a label weighs 1 on average.
        return Labelled(targets, rows, labels, weights / weights.mean())

    def _fit_experts(self, blocks: Blocks, labelled: Labelled) -> None:
        """Learn plain features, scales and experts."""
        n_rows = count_rows(blocks)
        sampled = np.arange(0, n_rows, -(-n_rows // SAMPLE_ROWS))
        specs = {name: spec for name, spec, _ in self.modalities_}
        self._plain_ = PlainFeatures(specs, self._seed)
        self._plain_.fit(take_from_blocks(blocks, sampled))
        # Rows of the sample that have a label pass the network once.
        used = np.union1d(sampled, labelled.rows)
        features = self._list_features(take_from_blocks(blocks, used))
        widths = {name: part.shape[1] for name, part in features.items()}
        values = np.hstack(list(features.values()))
        scaler = StandardScaler().set_output(transform="default")
        self._scaler_ = scaler.fit(values[np.searchsorted(used, sampled)])
        experts = self._make_experts(place_components(widths), self._seed)
        self._experts_ = experts.fit(
            scaler.transform(values[np.searchsorted(used, labelled.rows)]),
            labelled.targets.encode(labelled.labels),
            labelled.weights,
        )
        self._targets_ = labelled.targets
        self._show_targets(labelled.targets)

    def _list_features(self, blocks: Blocks) -> dict[str, Array]:
        """Return components and plain features by name."""
        components = self.net_.embed(BlockDataset(blocks))
        learnt = dict(zip(self._dims, components, strict=True))
        return learnt | self._plain_.transform(blocks)

    def _run_experts(self, X: Rows) -> NDArray[np.float64]:
        """Return what the experts predict; NaN where a row lacks every modality."""
        check_is_fitted(self, "_experts_")
        n_outputs = self._targets_.n_outputs
        predicted = self._map_rows(self._ask_experts, X, n_outputs)
        return predicted.astype(np.float64)

    def _ask_experts(self, blocks: Blocks) -> Array:
        features = np.hstack(list(self._list_features(blocks).values()))
        return self._experts_.predict(self._scaler_.transform(features))

    def _predict_labelled(
        self, X: Rows, y: ArrayLike, sample_weight: Any
    ) -> tuple[Any, Any, Any]:
        """Return labels, predictions and weights of the rows that have a label."""
        check_is_fitted(self, "_targets_")
        targets = self._make_targets()
        labelled, labels = targets.find_labelled(y)
        if not labelled.any():
            raise ValueError(f"y has no label. {targets.how_to_mark}")
        predicted = self.predict(X)
        check_consistent_length(predicted, labelled)
        weights = check_sample_weight(sample_weight, predicted[:, None])
        return labels, predicted[labelled], weights[labelled]
