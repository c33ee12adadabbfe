"""Forests as arrays: what a fitted random forest knows, in a fraction of its size."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from skcoral._types import Array

# Rows whose leaves in all trees are in memory at once.
ROWS_AT_ONCE = 1000


class Forest:
    """The trees of a random forest, ready to predict.

    Arrays are safe to read from a file, where scikit-learn's trees are not: a wrong
    index in these reaches any memory. They leave out what only training needs.

    Parameters
    ----------
    forest : RandomForestClassifier or RandomForestRegressor
        A fitted forest.

    Attributes
    ----------
    roots : ndarray of shape (n_trees,), int
        The first node of each tree.

    children : ndarray of shape (2, n_nodes), int
        Where a row goes next, if its value is at most the threshold and if it is
        larger; a leaf leads to itself.

    features, thresholds : ndarray of shape (n_nodes,)
        What a node looks at.

    values : ndarray of shape (n_nodes, n_outputs), float32
        Shares of the classes, or means of the targets, at each node.

    depth : int
        Number of steps from a root to the farthest leaf.
    """

    def __init__(self, forest: Any) -> None:
        trees = [estimator.tree_ for estimator in forest.estimators_]
        self.roots = np.cumsum([0, *(tree.node_count for tree in trees[:-1])])
        self.depth = max(tree.max_depth for tree in trees)
        self.n_features = forest.n_features_in_
        pairs = [(t.children_left, t.children_right) for t in trees]
        offsets = np.repeat(self.roots, [tree.node_count for tree in trees])
        children = np.concatenate([np.stack(pair) for pair in pairs], axis=1)
        leaves = children < 0
        own = np.broadcast_to(np.arange(len(offsets)), children.shape)
        self.children = np.where(leaves, own, children + offsets).astype(np.int32)
        features = np.concatenate([tree.feature for tree in trees])
        self.features = np.maximum(features, 0).astype(np.int32)
        self.thresholds = np.concatenate([tree.threshold for tree in trees])
        values = [tree.value.reshape(tree.node_count, -1) for tree in trees]
        self.values = np.concatenate(values).astype(np.float32)

    def predict(self, X: Array) -> NDArray[np.float64]:
        """Return the mean over trees of the values of the leaves of each row.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Rows without missing values.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs)
            Probabilities of classes, or predicted numbers.
        """
        everything = np.ones((len(X), len(self.roots)), dtype=bool)
        return self._average(X, everything)

    def predict_held_out(self, X: Array, drawn: list[Array]) -> NDArray[np.float64]:
        """Return the mean over the trees that have not drawn a row; NaN if all have.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            The rows that the forest was fitted on.

        drawn : list of ndarray of int
            The rows that each tree has drawn: `estimators_samples_` of the forest.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs)
            Probabilities of classes, or predicted numbers.
        """
        judges = np.ones((len(X), len(self.roots)), dtype=bool)
        for tree, rows in enumerate(drawn):
            judges[rows, tree] = False
        return self._average(X, judges)

    def _average(self, X: Array, judges: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the mean over trees that count for a row."""
        out = np.full((len(X), self.values.shape[1]), np.nan)
        X = X.astype(np.float32)  # as in scikit-learn
        for rows in gen_batches(len(X), ROWS_AT_ONCE):
            values = self.values[self._find_leaves(X[rows])]
            counts = judges[rows].sum(axis=1)[:, None]
            sums = (values * judges[rows, :, None]).sum(axis=1, dtype=np.float64)
            np.divide(sums, counts, out=out[rows], where=counts > 0)
        return out

    def _find_leaves(self, X: Array) -> NDArray[np.int32]:
        """Return the leaf of each row in each tree."""
        rows = np.arange(len(X))[:, None]
        nodes = np.repeat(self.roots[None], len(X), axis=0)
        for _ in range(self.depth):
            beyond = X[rows, self.features[nodes]] > self.thresholds[nodes]
            nodes = self.children[beyond.astype(np.int8), nodes]
        return nodes

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the arrays; raise ValueError if they are no trees."""
        self.__dict__.update(state)
        n_nodes = len(self.thresholds)
        shapes = self.children.shape, self.features.shape, self.values.shape[:1]
        if shapes != ((2, n_nodes), (n_nodes,), (n_nodes,)) or self.values.ndim != 2:
            raise ValueError(f"The arrays of a forest differ in length: {shapes}.")
        _check_range("roots", self.roots, n_nodes)
        _check_range("children", self.children, n_nodes)
        _check_range("features", self.features, self.n_features)


def _check_range(name: str, indices: Array, end: int) -> None:
    if indices.dtype.kind != "i" or not ((indices >= 0) & (indices < end)).all():
        raise ValueError(f"The {name} of a forest must be ints from 0 to {end - 1}.")
