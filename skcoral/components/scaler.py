"""ComponentScaler: components scaled by how much they tell of the labels."""

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skcoral._constraints import POSITIVE_FLOAT
from skcoral._sklearn_compat import (
    StrOptions,
    check_sample_weight,
    fit_context,
)
from skcoral._types import Array, Rows
from skcoral.components._columns import find_components
from skcoral.components._evidence import fit_variances
from skcoral.components._targets import Kind, read_column, standardize_targets

CONSTRAINTS: dict[str, Any] = {
    "components": [StrOptions({"auto"}), dict],
    "with_std": ["boolean"],
    "prior_scale": POSITIVE_FLOAT,
}


class ComponentScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Standardise columns and weigh each component by what it tells of the labels.

    A classifier or regressor that follows sees the parts that matter at full size and
    the others faintly. As a component is one choice among few, a handful of labels
    suffices to weigh it, where no number of them suffices to choose among hundreds of
    columns. With fewer labels weights draw together; with one per class they are nearly
    equal. The step after any transformer with named components, such as
    :class:`~skcoral.COrALTransformer`, or on any data frame with groups of columns.

    Parameters
    ----------
    components : "auto" or dict, default="auto"
        Columns of each component, by name: a slice, positions or names, where each
        column belongs to one component. "auto" groups the columns of a data frame by
        their names up to a final number: "film_00" and "film_01" belong to "film".

    target : {"auto", "classes", "numbers"}, default="auto"
        What the labels are. "auto" takes floats with fractions as numbers, and all
        others as classes; set "numbers" if y holds whole numbers to predict.

    with_std : bool, default=True
        Whether to divide columns by their standard deviation. If False, they should be
        alike already, such as those standardised on more rows than have labels.

    prior_scale : float, default=1.0
        How far weights may lie apart before labels say so: the standard deviation of
        the logarithm of a component's variance. Small values keep weights equal.

    Attributes
    ----------
    weights_ : dict of str to float
        Weight of each component; their squares have the mean 1 over columns.

    penalty_ : float
        Penalty of a ridge regression on the output, such as `alpha` of
        :class:`~sklearn.linear_model.Ridge`, that the same labels imply.

    output_indices_ : dict of str to ndarray
        Columns of each component.

    scale_ : ndarray of shape (n_features,)
        What each column is divided by: its standard deviation over its weight.

    mean_ : ndarray of shape (n_features,)
        Mean of each column.

    n_features_in_ : int
        Number of columns.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if X is a data frame.

    See Also
    --------
    ComponentRidgeClassifier : Predicts classes from components weighed like this.
    ComponentRidge : Predicts numbers.

    Notes
    -----
    In a linear model of the standardised targets, the coefficients of component k have
    a normal prior of variance a_k, and the noise has variance b. Variances maximise the
    marginal likelihood, which has a closed form [1]_, times log-normal priors that draw
    the a_k together. Columns times the square roots of a_k are those for which one
    penalty for all is right. Classes are regressed as indicators, which is linear
    discriminant analysis by regression [2]_.

    Missing values are kept. They count as the mean when weights are learnt.

    References
    ----------
    .. [1] D. MacKay, "Bayesian interpolation", Neural Computation 4 (1992).

    .. [2] T. Hastie, A. Buja, R. Tibshirani, "Penalized discriminant analysis", Annals
       of Statistics 23 (1995).

    Examples
    --------
    >>> import numpy as np
    >>> from skcoral import ComponentScaler
    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> y = X[:, 0] + X[:, 1]
    >>> parts = {"told": slice(0, 3), "silent": slice(3, 6)}
    >>> scaler = ComponentScaler(parts).fit(X, y)
    >>> scaler.weights_["told"] > 2 * scaler.weights_["silent"]
    True
    """

    _parameter_constraints = {
        **CONSTRAINTS,
        "target": [StrOptions({"auto", "classes", "numbers"})],
    }

    def __init__(
        self,
        components: Literal["auto"] | Mapping[str, Any] = "auto",
        *,
        target: Kind = "auto",
        with_std: bool = True,
        prior_scale: float = 1.0,
    ) -> None:
        self.components = components
        self.target = target
        self.with_std = with_std
        self.prior_scale = prior_scale

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Rows, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn the weights of the components.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Features, NaN where missing.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels of all rows.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows; those of weight 0 do not count.

        Returns
        -------
        self : ComponentScaler
            The fitted scaler.

        Raises
        ------
        ValueError
            If labels are missing, weights are negative or all zero, or `components`
            does not give each column to one component.
        """
        X, labels = validate_data(
            self,
            X,
            y,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            multi_output=True,
        )
        self.output_indices_ = find_components(
            type(self).__name__,
            self.components,
            getattr(self, "feature_names_in_", None),
            X.shape[1],
        )
        weights = check_sample_weight(sample_weight, X, ensure_non_negative=True)
        used = weights > 0
        self._fit_used(X[used], read_column(labels)[used], weights[used])
        return self

    def _fit_used(self, X: Array, y: Array, weights: Array) -> None:
        """Learn from the rows that have a weight."""
        with np.errstate(invalid="ignore"):  # columns without values
            scaler = StandardScaler(with_std=self.with_std).fit(X, None, weights)
        targets, n_outputs = standardize_targets(y, self.target, weights)
        roots = np.sqrt(weights)[:, None]
        variances, noise = fit_variances(
            np.nan_to_num(scaler.transform(X)) * roots,
            targets * roots,
            list(self.output_indices_.values()),
            n_rows=weights.sum(),
            n_outputs=n_outputs,
            prior_scale=self.prior_scale,
        )
        self._set_weights(variances, noise)
        by_column = np.empty(X.shape[1])
        for name, columns in self.output_indices_.items():
            by_column[columns] = self.weights_[name]
        self.mean_ = np.nan_to_num(scaler.mean_)
        deviation = np.nan_to_num(scaler.scale_, nan=1.0) if self.with_std else 1.0
        self.scale_ = deviation / by_column

    def transform(self, X: Rows) -> Array:
        """Return standardised columns times the weights of their components.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Scaled features; NaN stays NaN.
        """
        check_is_fitted(self)
        X = validate_data(
            self,
            X,
            reset=False,
            dtype=[np.float64, np.float32],
            ensure_all_finite="allow-nan",
        )
        return ((X - self.mean_) / self.scale_).astype(X.dtype)

    def _set_weights(self, variances: NDArray[np.float64], noise: float) -> None:
        """Set weights whose squares have the mean 1, and the penalty that remains."""
        widths = [len(columns) for columns in self.output_indices_.values()]
        mean = float(np.average(variances, weights=widths))
        weights = np.sqrt(variances / mean).tolist()
        self.weights_ = dict(zip(self.output_indices_, weights, strict=True))
        self.penalty_ = noise / mean

    def __sklearn_tags__(self) -> Tags:
        """Return the tags: missing values are kept, and labels are needed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
