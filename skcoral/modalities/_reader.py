"""From X to blocks: the modalities of an estimator, and its nested parameters."""

import numpy as np
from sklearn.base import clone

from skcoral._input.auto import check_modalities, choose_modalities
from skcoral._input.blocks import (
    count_rows,
    find_empty,
    fit_block,
    naming,
    read_block,
    take_from_blocks,
)
from skcoral._input.containers import slice_rows
from skcoral._input.selection import resolve_columns, select_block
from skcoral._input.validation import check_container, validate_X
from skcoral._sklearn_compat import BaseComposition, VisualBlock
from skcoral.modalities import KINDS


class ModalityReader(BaseComposition):
    """Read the modalities of X, and show them as nested parameters.

    A subclass has the parameters `modalities` and `empty_rows` and, once `fit` runs,
    the attribute `_seed`.
    """

    def get_params(self, deep=True):
        """Return parameters, those of modalities as ``<name>__<parameter>``.

        Parameters
        ----------
        deep : bool, default=True
            Include the parameters of the modalities.

        Returns
        -------
        dict of str to object
            Parameter names and values.
        """
        return self._get_params("_modalities", deep=deep)

    def set_params(self, **params):
        """Set parameters, those of modalities as ``<name>__<parameter>``.

        Parameters
        ----------
        **params : dict
            Parameters; ``<name>=spec`` replaces a modality's spec.

        Returns
        -------
        self : object
            The estimator.
        """
        self._set_params("_modalities", **params)
        return self

    @property
    def _modalities(self):
        """The specs without columns, for scikit-learn's nested parameters."""
        try:
            return [(name, spec) for name, spec, _ in self.modalities]
        except (TypeError, ValueError):  # "auto", or a value that fit will refuse
            return []

    @_modalities.setter
    def _modalities(self, value):
        self.modalities = [
            (*pair, columns)
            for pair, (_, _, columns) in zip(value, self.modalities, strict=True)
        ]

    def _sk_visual_block_(self):
        """Show the modalities side by side, those of "auto" once they are chosen."""
        modalities = getattr(self, "modalities_", self.modalities)
        if not isinstance(modalities, list) or not modalities:
            return VisualBlock("single", self, names=type(self).__name__)
        names, specs, columns = zip(*modalities, strict=True)
        return VisualBlock("parallel", specs, names=names, name_details=columns)

    def _fit_modalities(self, X):
        """Check X, choose and fit the modalities, and return their blocks."""
        X = validate_X(self, X, reset=True, min_samples=2)
        blocks, self.modalities_, self._places_ = {}, self._resolve_modalities(X), {}
        for name, spec, columns in self.modalities_:
            # Positions of fit serve arrays and frames alike: names are compared before.
            lengths = getattr(spec, "takes_lengths", False)
            self._places_[name] = resolve_columns(X, columns, name, lengths=lengths)
            _seed_spec(spec, self._seed)
            with naming(name):
                block = select_block(X, self._places_[name])
                blocks[name] = fit_block(spec, block, name)
        return blocks

    def _resolve_modalities(self, X):
        """Return (name, new spec, columns), with words and "auto" resolved."""
        modalities = self.modalities
        if isinstance(modalities, str):
            reserved = {"shared", *self.get_params(deep=False)}
            modalities = choose_modalities(X, reserved)
        check_modalities(type(self).__name__, modalities, KINDS)
        self._validate_names([name for name, _, _ in modalities])
        return [
            (name, KINDS[spec]() if isinstance(spec, str) else clone(spec), columns)
            for name, spec, columns in modalities
        ]

    def _check(self, X, min_samples=1):
        """Check X against the fit."""
        X = validate_X(self, X, reset=False, min_samples=min_samples)
        check_container(X, self._places_)
        return X

    def _read(self, X, rows=None):
        """Return the blocks of the fitted modalities, of all rows or of a slice."""
        start = 0
        if rows is not None and rows.stop - rows.start < len(X):
            X, start = slice_rows(X, rows), rows.start
        blocks = {}
        for name, spec, _ in self.modalities_:
            with naming(name, start):
                block = select_block(X, self._places_[name])
                blocks[name] = read_block(spec, block, name)
        return blocks

    def _find_filled(self, blocks, start=0):
        """Return which rows have any modality; by default, all must."""
        empty = find_empty(blocks)
        if len(empty) and self.empty_rows == "error":
            raise ValueError(
                f"{len(empty)} rows of X lack every modality, the first of them row "
                f"{start + empty[0]}. Leave them out, or set empty_rows='nan'."
            )
        return np.isin(np.arange(count_rows(blocks)), empty, invert=True)

    def _find_trainable(self, blocks):
        """Return which rows to train on: those that have any modality, two at least."""
        filled = self._find_filled(blocks)
        if filled.sum() < 2:
            raise ValueError(
                f"Found {filled.sum()} row(s) that have any modality while a minimum "
                f"of 2 is required by {type(self).__name__}."
            )
        return filled


def keep_rows(blocks, rows):
    """Return the rows that a mask selects; all of them without a copy."""
    return blocks if rows.all() else take_from_blocks(blocks, rows)


def _seed_spec(spec, seed):
    """Give the seed to every random part of a spec that has none of its own."""
    params = spec.get_params(deep=True) if hasattr(spec, "get_params") else {}
    unset = {
        key: seed
        for key, value in params.items()
        if value is None and key.rpartition("__")[2] == "random_state"
    }
    if unset:
        spec.set_params(**unset)
