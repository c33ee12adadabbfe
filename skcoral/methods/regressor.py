"""COrALRegressor: a number per row, learnt from the rows that have one."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import column_or_1d

from skcoral._docstrings import document
from skcoral._sklearn_compat import fit_context
from skcoral.methods._predictor import BaseCOrALPredictor


@document
class COrALRegressor(RegressorMixin, BaseCOrALPredictor):
    """Predict a number from several modalities, with few labels and many rows.

    The network of :class:`COrALTransformer` with a linear head on its features, trained
    as a whole: all rows are contrasted as COrAL does [1]_, and rows with a target add
    ``supervised_weight`` times the squared error of their standardised target. A row
    whose target is NaN has none.

    Parameters
    ----------
    %(modalities)s

    %(coral)s

    %(supervised_weight)s

    %(training)s

    Attributes
    ----------
    %(attributes)s

    target_mean_ : float
        Mean of the targets of `fit`.

    target_scale_ : float
        Their standard deviation, or 1 if they are all the same.

    See Also
    --------
    COrALClassifier : Predicts classes.
    COrALTransformer : Learns features without any label.

    Notes
    -----
    %(supervised_notes)s

    The squared error is that of unaltered rows: where a view takes values from other
    rows, the best prediction of a target lies closer to the mean.

    With `early_stopping`, the same share of rows with and without a target is held out.

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

    _how_to_mark = "NaN marks rows without one."

    @fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X, y):
        """Train one more epoch on a chunk of rows, such as a row group of a file.

        The first call learns modalities, scales and vocabularies, and the scale of the
        targets; later calls keep them, and may come without any target.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            A chunk of at least two rows.

        y : array-like of shape (n_samples,)
            Targets; NaN where there is none.

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

    def predict(self, X):
        """Predict the targets of rows, one by one, whatever the batch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            Rows with the columns of `fit`.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            Predictions; NaN where a row lacks every modality and `empty_rows` is "nan".
        """
        outputs = self._run_head(X)[:, 0].astype(np.float64)
        return outputs * self.target_scale_ + self.target_mean_

    def score(self, X, y):
        """Return the coefficient of determination on the rows that have a target.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame or SliceDict
            Rows with the columns of `fit`.

        y : array-like of shape (n_samples,)
            Their targets. Rows without one are left out, so that a search by
            cross-validation can have them.

        Returns
        -------
        float
            R squared; 1 is perfect, 0 is the mean of these targets.

        Raises
        ------
        ValueError
            As in `predict`, and if there is no target.
        """
        return r2_score(*self._predict_labelled(X, y))

    def _find_labelled(self, y):
        y = column_or_1d(y, dtype=np.float64, warn=True)
        assert_all_finite(y, allow_nan=True, input_name="y")
        labelled = ~np.isnan(y)
        return labelled, y[labelled]

    def _learn_targets(self, labels, classes):
        if not len(labels):
            raise ValueError(
                f"COrALRegressor needs one target or more. Got {labels}. "
                f"{self._how_to_mark}"
            )
        self.target_mean_ = float(labels.mean())
        self.target_scale_ = float(labels.std()) or 1.0

    def _to_targets(self, labels):
        return (labels - self.target_mean_) / self.target_scale_

    def _make_loss(self):
        return {"loss": "squared_error", "labelled_views": ("original",)}

    def _find_start(self):
        return [0.0]  # the mean of the standardised targets
