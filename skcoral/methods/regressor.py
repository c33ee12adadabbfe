"""COrALRegressor: predicts a number per row, learnt from the rows that have one."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from skcoral._sklearn_compat import fit_context
from skcoral._types import Rows
from skcoral.methods._parameters import estimator
from skcoral.methods._supervision import SUPERVISED_WEIGHT, SupervisedMixin
from skcoral.methods._targets import NumberTargets
from skcoral.methods.coral import COrALTransformer


@estimator
class COrALRegressor(SupervisedMixin, RegressorMixin, COrALTransformer):
    """Predict a number from several modalities, with few labels and many rows.

    The network of :class:`COrALTransformer` with a linear head on its features, trained
    jointly: all rows enter COrAL's contrastive loss [1]_, and rows with a target add
    ``supervised_weight`` times the squared error of their standardised target. NaN
    marks rows without a target.

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

    See Also
    --------
    COrALClassifier : Predicts classes.
    COrALTransformer : Learns features without labels.

    Notes
    -----
    %(supervised_notes)s

    The squared error uses unaltered rows only: when a view takes values from other
    rows, the best prediction shrinks towards the mean.

    With `early_stopping`, the same fraction of the rows with and of those without a
    target is held out.

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

    supervised_weight: float = SUPERVISED_WEIGHT

    @fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Rows, y: ArrayLike) -> Self:
        """Train for one more epoch on a chunk of rows, such as a row group of a file.

        The first call learns modalities, scales, vocabularies and the scale of the
        targets; later calls keep them and need no targets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            A chunk of at least two rows.

        y : array-like of shape (n_samples,)
            Targets, NaN where a row has none.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            As in `fit`, and if `early_stopping` is set.
        """
        return self._fit_chunk(X, y)

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
        outputs = self._run_head(X)[:, 0]
        return self._targets_.decode(outputs)

    def score(self, X: Rows, y: ArrayLike) -> float:
        """Return the coefficient of determination on the rows that have a target.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            Rows with the columns of `fit`.

        y : array-like of shape (n_samples,)
            Their targets. Rows without one are ignored, so they may be part of a
            cross-validated search.

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
        labels, predicted = self._predict_labelled(X, y)
        # Squares of very large or small numbers leave the range of float64.
        _, exponent = np.frexp(np.max(np.abs([labels, predicted])))
        return r2_score(*np.ldexp([labels, predicted], -exponent))

    def _make_targets(self) -> NumberTargets:
        """Return new targets, not fitted yet."""
        return NumberTargets(type(self).__name__)

    def _show_targets(self, targets: NumberTargets) -> None:
        """Set the fitted attributes that describe the targets."""
        self.target_mean_ = targets.mean
        self.target_scale_ = targets.scale
