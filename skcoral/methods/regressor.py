"""COrALRegressor: predicts a number per row, learnt from the rows that have one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from skcoral._types import Rows
from skcoral.methods._experts import NumberExperts
from skcoral.methods._parameters import estimator
from skcoral.methods._supervision import INIT, SupervisedMixin
from skcoral.methods._targets import NumberTargets
from skcoral.methods.coral import COrALTransformer


@estimator
class COrALRegressor(SupervisedMixin, RegressorMixin, COrALTransformer):
    """Predict a number from several modalities, with few labels and many rows.

    All rows, with or without a target, train the network of :class:`COrALTransformer`
    [1]_. Then two experts read the targets: a ridge regression that weighs each
    component, shared, unique or of the plain features of a modality, by what it tells
    of them, and a random forest. Predictions on rows that an expert has not seen say
    how much it counts. NaN marks rows without a target.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    target_mean_ : float
        Mean of the targets seen in `fit`.

    target_scale_ : float
        Their standard deviation; of equal targets, the power of two above their size.

    weights_ : dict of str to float
        Weight of each component in the ridge regression; "film values" are the plain
        features of the modality "film".

    powers_ : ndarray of shape (2,)
        How much the ridge regression and the forest count.

    See Also
    --------
    COrALClassifier : Predicts classes.
    COrALTransformer : Learns features without labels.

    Notes
    -----
    %(supervised_notes)s

    References
    ----------
    .. [1] "Orthogonalized Multimodal Contrastive Learning with Asymmetric Masking for
       Structured Representations", 2026, arXiv 2602.14983.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoral import COrALRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 4))
    >>> y = X[:, 0] + X[:, 1]
    >>> y[20:] = np.nan
    >>> model = COrALRegressor(embed_dim=8, max_epochs=2, random_state=0).fit(X, y)
    >>> model.predict(X).shape
    (200,)
    """

    init: COrALTransformer | None = INIT

    def predict(self, X: Rows) -> NDArray[np.float64]:
        """Predict the target of each row, independently of the other rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            Rows with the columns of `fit`.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            Predictions; NaN where a row lacks every modality and `empty_rows` is "nan".
        """
        outputs = self._run_experts(X)[:, 0]
        return self._targets_.decode(outputs)

    def predict_quantiles(
        self, X: Rows, quantiles: Sequence[float] = (0.05, 0.5, 0.95)
    ) -> NDArray[np.float64]:
        """Predict quantiles of the target of each row.

        They are the prediction plus quantiles of the errors on held-out labels, equal
        for all rows; with n labels they tell levels from 1 / (n + 1) on.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            Rows with the columns of `fit`.

        quantiles : sequence of float, default=(0.05, 0.5, 0.95)
            Levels between 0 and 1.

        Returns
        -------
        ndarray of shape (n_samples, n_quantiles), float64
            The quantiles in the order of the levels.

        Raises
        ------
        ValueError
            As in `predict`, and if a level is not between 0 and 1.
        """
        levels = np.asarray(quantiles, dtype=np.float64)
        if levels.ndim != 1 or not ((levels > 0) & (levels < 1)).all():
            raise ValueError(
                "The 'quantiles' of predict_quantiles must be numbers between 0 and 1. "
                f"Got {quantiles!r} instead."
            )
        outputs = self._run_experts(X)
        values = outputs + self._experts_.read_errors(levels)
        return self._targets_.decode(values.ravel()).reshape(values.shape)

    def score(
        self, X: Rows, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the coefficient of determination on the rows that have a target.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            Rows with the columns of `fit`.

        y : array-like of shape (n_samples,)
            Their targets. Rows without one are ignored, so they may be part of a
            cross-validated search.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        float
            R squared: 1 is perfect, 0 is as good as predicting the mean of these
            targets.

        Raises
        ------
        ValueError
            As in `predict`, and if no row has a target.
        """
        labels, predicted, weights = self._predict_labelled(X, y, sample_weight)
        # Squares of very large or small numbers leave the range of float64.
        _, exponent = np.frexp(np.max(np.abs([labels, predicted])))
        scaled = np.ldexp([labels, predicted], -exponent)
        return r2_score(*scaled, sample_weight=weights)

    def _make_targets(self) -> NumberTargets:
        """Return new targets, not fitted yet."""
        return NumberTargets(type(self).__name__)

    def _make_experts(self, components: dict[str, slice], seed: int) -> NumberExperts:
        """Return new experts, not fitted yet."""
        return NumberExperts(components, seed)

    def _show_targets(self, targets: NumberTargets) -> None:
        """Set the fitted attributes that describe the targets."""
        self.target_mean_ = targets.mean
        self.target_scale_ = targets.scale
