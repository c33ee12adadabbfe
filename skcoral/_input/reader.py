"""The reader: the place of each modality in X, and its raw block."""

from skcoral._input.selection import resolve_columns, select_block
from skcoral._input.validation import check_container


class BlockReader:
    """Find the columns of each modality in X once, then read its raw blocks.

    Parameters
    ----------
    columns : dict of str to (str, int, list, slice, mask or callable)
        The columns of each modality, or its key in a SliceDict.

    with_lengths : collection of str, default=()
        Modalities that may name a second key of a SliceDict, with the lengths.

    Attributes
    ----------
    places_ : dict of str to (str, tuple of str or list of int)
        Keys, or positions of columns. Positions work for arrays and data frames; names
        have been checked before.
    """

    def __init__(self, columns, with_lengths=()):
        self.columns = columns
        self.with_lengths = with_lengths

    def fit(self, X):
        """Find the columns in X, which has passed `validate_X`."""
        self.places_ = {
            name: resolve_columns(X, columns, name, lengths=name in self.with_lengths)
            for name, columns in self.columns.items()
        }
        return self

    def check(self, X):
        """Raise ValueError if X is a SliceDict but was not in `fit`, or vice versa."""
        check_container(X, self.places_)

    def read(self, X, name):
        """Return the raw block of a modality in X, which has passed `check`."""
        return select_block(X, self.places_[name])
