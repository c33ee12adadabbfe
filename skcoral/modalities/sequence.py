"""Sequences: series of one or more features, of equal or different lengths."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from skcoral._constraints import POSITIVE_INT
from skcoral._input.arrays import read_cell
from skcoral._input.columns import read_columns
from skcoral._input.containers import list_cells
from skcoral._input.numbers import check_distinct, holds_numbers, is_exact, to_floats
from skcoral._input.presence import first_present, is_missing
from skcoral._sklearn_compat import Interval, StrOptions
from skcoral._types import Array, RandomState
from skcoral.augmentations import (
    Augmentation,
    Crop,
    Drop,
    DropConsecutive,
    Noise,
    Permute,
)
from skcoral.modalities._scalers import BoundedScaler
from skcoral.modalities.base import BaseModality, example
from skcoral.nn.encoders.sequence import SequenceEncoder

# Kinds of numpy that are real numbers.
NUMBERS = "iufb"
# Number of rows whose steps are copied at once.
ROWS_AT_ONCE = 2**12
SEQUENCE_AUGMENTATIONS = {"drop", "noise", "crop", "drop_consecutive", "permute"}


class SequenceModality(BaseModality):
    """Series of (n_steps, n_features), padded or not, with one token per step.

    Each feature is standardised over the real steps only, in float64, whatever its unit
    and level, at most a million standard deviations from its mean. Then a small
    transformer or recurrent network encodes the steps. Padding is masked everywhere.

    Parameters
    ----------
    encoder : {"transformer", "gru"}, default="transformer"
        Network that encodes the steps.

    n_layers : int, default=1
        Number of layers of the encoder.

    n_heads : int, default=4
        Number of attention heads of the transformer; the width of the tokens must be a
        multiple of it.

    dim_feedforward : int or None, default=None
        Hidden width of the transformer's layers; None takes four times the width of the
        tokens.

    activation : {"gelu", "relu"}, default="gelu"
        Activation in the transformer's layers: QuickGELU, or ReLU as published.

    dropout : float, default=0.0
        Dropout in the transformer's layers, or between the layers of the GRU.

    positional_encoding : bool, default=True
        Add sines and cosines of the step to the input of the transformer, which
        otherwise does not see the order of the steps.

    max_length : int or None, default=None
        Steps beyond this number are cut off; None keeps all.

    augmentation : str, sequence of str or callable, default=("drop", "noise")
        How views are made; several augmentations are applied in order. "drop" blanks
        random steps, "noise" adds Gaussian noise, "crop" blanks all but a window of
        steps, "drop_consecutive" blanks a window, "permute" shuffles the steps. A
        callable takes
        ``(tensor, mask, generator)``.

    random_state : int, RandomState instance or None, default=None
        Not used, present for consistency with the other kinds.

    Attributes
    ----------
    n_features_ : int
        Number of features per step.

    scaler_ : transformer
        Mean and scale of each feature.

    Notes
    -----
    A block is an array of shape (n_samples, n_steps, n_features) or (n_samples,
    n_steps), where a padding step is NaN in all features; or an object array, or a data
    frame's column, of arrays of shape (n_steps, n_features) or (n_steps,). In a
    `SliceDict`, two keys, ``columns=["series", "lengths"]``, select a padded array and
    its lengths. If only some features of a step are missing, they are replaced by their
    mean.

    As in COrAL's code (arXiv 2602.14983), the transformer has one token per step; there
    it has no positional encoding and attends to padding.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoral import SequenceModality
    >>> block = np.array([[1.0, 2.0, np.nan], [3.0, 4.0, 5.0]])
    >>> values, mask = SequenceModality().fit(block).transform(block)
    >>> values.shape, mask.tolist()
    ((2, 3, 1), [[True, True, False], [True, True, True]])
    """

    array_ndim = 3
    takes_lengths = True

    _parameter_constraints = {
        "encoder": [StrOptions({"transformer", "gru"})],
        "n_layers": POSITIVE_INT,
        "n_heads": POSITIVE_INT,
        "dim_feedforward": [*POSITIVE_INT, None],
        "activation": [StrOptions({"gelu", "relu"})],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "positional_encoding": ["boolean"],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "augmentation": [StrOptions(SEQUENCE_AUGMENTATIONS), "array-like", callable],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        encoder: Literal["transformer", "gru"] = "transformer",
        n_layers: int = 1,
        n_heads: int = 4,
        dim_feedforward: int | None = None,
        activation: Literal["gelu", "relu"] = "gelu",
        dropout: float = 0.0,
        positional_encoding: bool = True,
        max_length: int | None = None,
        augmentation: str | Sequence[str] | Augmentation = ("drop", "noise"),
        random_state: RandomState = None,
    ) -> None:
        self.encoder = encoder
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.dim_feedforward = dim_feedforward
        self.activation = activation
        self.dropout = dropout
        self.positional_encoding = positional_encoding
        self.max_length = max_length
        self.augmentation = augmentation
        self.random_state = random_state

    @staticmethod
    def claims(values: Array) -> bool:
        """Return whether a column holds arrays or lists."""
        return isinstance(first_present(values), (np.ndarray, list))

    def fit(self, block: Any, y: None = None) -> Self:
        """Learn the mean and scale of each feature from the real steps.

        Parameters
        ----------
        block : ndarray of 1 to 3 dimensions, or data frame of one column
            The series.

        y : None
            Ignored.

        Returns
        -------
        self : SequenceModality
            The fitted modality.

        Raises
        ------
        ValueError
            If a value is infinite, a series has no steps, or series differ in their
            number of features.

        TypeError
            If a value is not a number.
        """
        self._validate_params()
        self.make_augmentation()
        values, mask = self._read(block)
        self.scaler_ = BoundedScaler().fit(values[mask])
        self.n_features_ = values.shape[2]
        return self

    def transform(self, block: Any) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return padded, standardised series.

        Parameters
        ----------
        block : ndarray of 1 to 3 dimensions, or data frame of one column
            The series.

        Returns
        -------
        tuple of ndarray
            Values of shape (n_samples, n_steps, n_features), float32, and the mask of
            shape (n_samples, n_steps), True at real steps. Real steps come first.

        Raises
        ------
        ValueError
            As in `fit`, and if the number of features differs from that seen in `fit`.
        """
        values, mask = self._read(block, getattr(self, "n_features_", None))
        out = np.zeros(values.shape, dtype=np.float32)
        for start in range(0, len(out), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            steps = self.scaler_.transform(values[rows][mask[rows]])
            out[rows][mask[rows]] = np.nan_to_num(steps, copy=False)
        return out, mask

    def vectorize(self, values: Array, mask: Array | None) -> dict[str, Any]:
        """Return mean, deviation, extremes and mean absolute step of each feature.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_steps, n_features)
            Rows of what `transform` returns.

        mask : ndarray of shape (n_samples, n_steps) or None
            True at real steps.

        Returns
        -------
        dict of str to ndarray of shape (n_samples, 5 * n_features)
            The kind "statistics"; zeros where a series is empty.
        """
        hidden = np.zeros(values.shape, bool)
        if mask is not None:
            hidden[~mask] = True
        series = np.ma.MaskedArray(values, hidden)
        steps = np.abs(np.ma.diff(series, axis=1))
        parts = [series.mean(axis=1), series.std(axis=1)]
        parts += [series.min(axis=1), series.max(axis=1), steps.mean(axis=1)]
        filled = [np.ma.filled(part, 0.0) for part in parts]
        return {"statistics": np.hstack(filled).astype(np.float32)}

    def make_encoder(self, embed_dim: int) -> SequenceEncoder:
        """Return a new encoder of width `embed_dim`.

        Raises
        ------
        ValueError
            If the width is not a multiple of `n_heads`.
        """
        if self.encoder == "transformer" and embed_dim % self.n_heads:
            raise ValueError(
                "The 'n_heads' parameter of SequenceModality must divide the width of "
                f"the tokens (now {embed_dim}). Got {self.n_heads} instead."
            )
        return SequenceEncoder(
            self.n_features_,
            embed_dim,
            kind=self.encoder,
            n_layers=self.n_layers,
            n_heads=self.n_heads,
            dim_feedforward=self.dim_feedforward,
            activation=self.activation,
            dropout=self.dropout,
            positional_encoding=self.positional_encoding,
        )

    def make_augmentation(self) -> Augmentation:
        """Return the callable ``(tensor, mask, generator) -> tensor`` of one view."""
        return self._compose(
            {
                "drop": Drop(),
                "noise": Noise(),
                "crop": Crop(),
                "drop_consecutive": DropConsecutive(),
                "permute": Permute(),
            }
        )

    def _read(self, block: Any, n_features: int | None = None) -> tuple[Array, Array]:
        """Return (values, mask), real steps first, with at most `max_length` steps."""
        block = read_cell(block)
        values = _read_padded(block) if _is_padded(block) else _read_cells(block)
        if n_features not in (None, values.shape[2]):
            raise ValueError(
                f"The sequences have {values.shape[2]} features, but had {n_features} "
                "at fit time."
            )
        values, mask = _move_padding(values)
        longest = max(1, mask.sum(axis=1).max(initial=0))
        n_steps = min(longest, self.max_length or longest)
        return values[:, :n_steps], mask[:, :n_steps]


def _is_padded(block: Any) -> bool:
    return isinstance(block, np.ndarray) and block.dtype.kind != "O"


def _read_padded(block: Array) -> Array:
    """Return an array as (n_samples, n_steps, n_features), finite or NaN."""
    if block.dtype.kind not in NUMBERS:
        raise TypeError(f"Sequences must be real numbers. Got dtype {block.dtype}.")
    if block.ndim not in (2, 3) or block.shape[1] == 0:
        raise ValueError(
            "Expected sequences of shape (n_samples, n_steps, n_features). Got shape "
            f"{block.shape}."
        )
    values = block if block.ndim == 3 else block[..., None]
    if values.dtype.kind in "iu" and not is_exact(values):
        for row, steps in enumerate(values):
            check_distinct(f"The sequence in row {row}", steps)
    with np.errstate(over="ignore"):  # of types with a larger range
        return _refuse_infinity(values.astype(_precision(values), copy=False))


def _read_cells(block: Any) -> Array:
    """Return arrays of different lengths as one array, padded with NaN."""
    cells = [_read_cell(row, cell) for row, cell in enumerate(list_cells(block))]
    present = [cell for cell in cells if cell is not None]
    widths = [cell.shape[1] for cell in present]
    for row, cell in enumerate(cells):
        if cell is not None and cell.shape[1] != widths[0]:
            raise ValueError(
                f"The sequence in row {row} has {cell.shape[1]} features, but an "
                f"earlier one has {widths[0]}."
            )
    n_steps = max((len(cell) for cell in present), default=1)
    shape = (len(cells), n_steps, widths[0] if widths else 1)
    values = np.full(shape, np.nan, dtype=_precision(*present))
    for row, cell in enumerate(cells):
        if cell is not None:
            values[row, : len(cell)] = cell
    return _refuse_infinity(values)


def _read_cell(row: int, cell: Any) -> Array | None:
    """Return a cell as (n_steps, n_features), or None if it is missing."""
    if not isinstance(cell, (np.ndarray, list, tuple)):
        if is_missing(cell):
            return None
        raise TypeError(
            f"A sequence must be an array of numbers. Got {type(cell).__name__!r} in "
            f"row {row}."
        )
    cell = _read_numbers(row, cell)
    cell = cell[:, None] if cell.ndim == 1 else cell
    if cell.ndim != 2 or not cell.size:
        raise ValueError(
            "A sequence must have shape (n_steps, n_features), with one step or more. "
            f"Got shape {cell.shape} in row {row}."
        )
    return cell


def _read_numbers(row: int, cell: Any) -> Array:
    """Return a cell as an array of real numbers."""
    where = f"The sequence in row {row}"
    try:
        cell = np.asarray(read_cell(cell))
        values = cell.ravel()
        if cell.dtype.kind not in NUMBERS:
            (values,) = read_columns(values).values()
    except (TypeError, ValueError) as error:
        raise TypeError(f"{where} is not an array of numbers: {error}") from error
    if not holds_numbers(values):
        raise TypeError(f"{where} is not an array of numbers. Got {example(values)}.")
    check_distinct(where, values)
    return cell if cell.dtype.kind in NUMBERS else to_floats(values).reshape(cell.shape)


def _precision(*arrays: Array) -> Any:
    """Return the smaller of float32 and float64 that has all values of some arrays."""
    kinds = {np.result_type(array, np.float32) for array in arrays}
    return np.float32 if kinds <= {np.dtype(np.float32)} else np.float64


def _refuse_infinity(values: Array) -> Array:
    if np.isinf(values).any():
        row = int(np.isinf(values).any(axis=(1, 2)).argmax())
        raise ValueError(f"Input X contains infinity in the sequence in row {row}.")
    return values


def _move_padding(values: Array) -> tuple[Array, Array]:
    """Return values and mask with the non-empty steps first, in order."""
    mask: Any = ~np.isnan(values).all(axis=2)
    if not (mask[:, 1:] > mask[:, :-1]).any():
        return values, mask
    order = np.argsort(~mask, axis=1, kind="stable")
    mask = np.take_along_axis(mask, order, axis=1)
    return np.take_along_axis(values, order[..., None], axis=1), mask
