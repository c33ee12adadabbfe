"""Nested parameters: those of an estimator's modalities, by their names."""

from typing import Any, Self

from skcoral._sklearn_compat import BaseComposition
from skcoral.modalities._specs import make_instances


class NestedParameters(BaseComposition):
    """Get and set ``<name>__<parameter>``, as estimators of scikit-learn do."""

    modalities: Any

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return parameters, including ``<name>__<parameter>`` for the modalities.

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

    def set_params(self, **params: Any) -> Self:
        """Set parameters, including ``<name>__<parameter>`` for the modalities.

        Parameters
        ----------
        **params : dict
            Parameters; ``<name>=spec`` replaces a modality's spec. A spec that is a
            word becomes an instance when one of its parameters is set.

        Returns
        -------
        self : object
            The estimator.
        """
        nested = {key: value for key, value in params.items() if "__" in key}
        others = {key: value for key, value in params.items() if "__" not in key}
        self._set_params("_modalities", **others)
        names = [key.partition("__")[0] for key in nested]
        if any(name in names for name, _ in self._modalities):
            owner = type(self).__name__
            self._modalities = make_instances(owner, self._modalities, names)
        self._set_params("_modalities", **nested)
        return self

    @property
    def _modalities(self):
        """Names and specs without columns, for scikit-learn's nested parameters."""
        try:
            specs = [(name, spec) for name, spec, _ in self.modalities]
        except (TypeError, ValueError):  # "auto", or a value that fit will refuse
            return []
        return [] if any(isinstance(spec, type) for _, spec in specs) else specs

    @_modalities.setter
    def _modalities(self, value):
        self.modalities = [
            (*pair, columns)
            for pair, (_, _, columns) in zip(value, self.modalities, strict=True)
        ]
