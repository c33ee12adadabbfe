"""The state of estimators: what pickles hold, and copies in memory."""

import copy
import uuid
from typing import Any, Self

import joblib

from skcoral._training.state import pack, unpack


class StateMixin:
    """Pickling by plain data; copies in memory that are complete.

    A pickle, like a file, holds no optimizer unless `warm_start` asks for it, and the
    net is made again from its settings and weights.
    """

    warm_start: bool
    net_: Any
    _reader_: Any

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes, with the net as plain data."""
        state: Any = super().__getstate__()
        state = dict(state)
        if "net_" in state:
            state["net_"] = pack(self.net_, with_optimizer=self.warm_start)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Set the attributes, and make the net again."""
        super().__setstate__(state)  # type: ignore[misc]
        if "net_" in state:
            specs = {name: spec for name, spec, _ in self._reader_.modalities}
            self.net_ = unpack(state["net_"], specs)

    def __dask_tokenize__(self) -> tuple[str, str]:
        """Return what tells this estimator from others, for dask.

        By its fields alone dask would take a fitted estimator for an unfitted one, and
        the result of one for that of the other.
        """
        try:
            return type(self).__qualname__, joblib.hash(self)
        # Objects of the user decide for themselves how they fail to be pickled.
        except Exception:
            return type(self).__qualname__, uuid.uuid4().hex

    def __copy__(self) -> Self:
        """Return a copy that shares what was learnt."""
        made = type(self).__new__(type(self))
        vars(made).update(vars(self))
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy that goes on as this one, with a copy of the optimizer."""
        made = copy.copy(self)
        memo[id(self)] = made
        vars(made).update(copy.deepcopy(vars(self), memo))
        return made
