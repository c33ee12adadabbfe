"""Stays in intensive care (MIMIC-III): the file `im.pk` of MultiBench."""

import random
from collections.abc import Mapping
from numbers import Integral
from pathlib import Path
from typing import Any, Literal

import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch
from skorch.helper import SliceDict

from skcoral._types import Array, FilePath
from skcoral.datasets._files import (
    check_choice,
    check_flag,
    check_lengths,
    clear_gaps,
    find_source,
    read_numbers,
    refuse,
)
from skcoral.datasets._pickles import read_pickle

SPLIT_SEED = 10
N_GROUPS = 20
N_TERMS = 5  # columns of mortality, from the shortest term to the longest
TERMS = slice(1, 1 + N_TERMS)
ADVICE = (
    "Obtain 'im.pk': get credentialed access to MIMIC-III on PhysioNet, then ask the "
    "authors of MultiBench (pliang279/MultiBench on GitHub) for the file, and pass its "
    "path."
)

DESCR = """MIMIC-III: stays in intensive care as a table and hourly series.

Read from the file of MultiBench (Liang et al., NeurIPS 2021): 5 features of the
admission, and 12 measurements in each of its first 24 hours. Access to MIMIC-III
requires credentials of PhysioNet, whose terms also apply to what is derived from it.
Classes are imbalanced: compare with the share of the largest class, and use balanced
accuracy.
"""


def load_mimic(
    path: FilePath,
    *,
    subset: Literal["train", "valid", "test"] = "train",
    task: int | Literal["mort"] = 7,
    standardize: Literal["train", "all"] = "train",
    return_X_y: bool = False,
) -> Bunch | tuple[SliceDict, Array]:
    """Load stays in intensive care from a file of yours.

    The file is a pickle. The reader admits arrays in builtin containers and refuses
    anything else, so that no code in the file runs.

    Parameters
    ----------
    path : str or path
        The file ``im.pk``.

    subset : {"train", "valid", "test"}, default="train"
        The part to load: four fifths, a tenth or a tenth of the rows, drawn as
        published.

    task : int from -1 to 19, or "mort", default=7
        From 0 on, whether a diagnosis belongs to that group of ICD-9, 0 or 1 (7 is
        460-519, respiratory; 1 is 140-239, neoplasms). -1 is the term of mortality, in
        6 classes, as in MultiBench. "mort" selects the labels that the code of COrAL
        uses for its task -1.

    standardize : {"train", "all"}, default="train"
        Rows that determine the mean and standard deviation of each feature. "all" is
        the published choice, which includes the features of the test rows.

    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch, or tuple of data and target if `return_X_y`
        With the entries

        data : SliceDict
            "tabular" of shape (n_samples, 5) and "timeseries" of shape (n_samples, 24,
            12), float32, standardised.
        target : ndarray of shape (n_samples,), int
            The labels of the task.
        rows : ndarray of shape (n_samples,), int
            Positions in the file.
        modalities : list of (name, spec, columns)
            Ready for :class:`~skcoral.COrALTransformer`.
        DESCR : str
            Origin and content.

    Raises
    ------
    ValueError
        If a parameter is of a wrong type or out of range, if the file is damaged or
        holds anything but arrays, or if keys, shapes or labels are not of the format.

    FileNotFoundError
        If there is no such file.

    Notes
    -----
    The steps are those of the loader of MultiBench (Liang et al., NeurIPS 2021), which
    FactorCL, CoMM and COrAL (arXiv 2602.14983) share: NaN and infinity become 0; each
    feature is standardised, in the series over samples and hours; and Python's
    ``random.Random(10)`` shuffles the rows. The term of mortality is the first of
    columns 1 to 5 of "adm_labels_all" that is above 0, and 0 if none is. Two things
    differ: by default, the mean and the standard deviation are those of the training
    rows, and a constant feature becomes 0 instead of NaN.

    Examples
    --------
    >>> import pickle, tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skcoral.datasets import load_mimic
    >>> stays = {"ep_tdata": np.ones((10, 24, 12))}
    >>> stays |= {"adm_features_all": np.ones((10, 5)), "y_icd9": np.ones((10, 20))}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "im.pk"
    ...     path.write_bytes(pickle.dumps(stays)) > 0
    ...     mimic = load_mimic(path)
    True
    >>> mimic.data["timeseries"].shape, mimic.rows.tolist()
    ((8, 24, 12), [7, 1, 8, 4, 3, 6, 0, 9])
    """
    _check_parameters(subset, task, standardize, return_X_y)
    path = find_source("load_mimic", path, folder=False, advice=ADVICE)
    stays = read_pickle(path)
    blocks = {
        "tabular": clear_gaps(read_numbers(path, stays, "adm_features_all", ndim=2)),
        "timeseries": clear_gaps(read_numbers(path, stays, "ep_tdata", ndim=3)),
    }
    target = _read_target(path, stays, task)
    check_lengths(path, {**blocks, "labels": target})
    parts = _split(path, len(target))
    fitted = parts["train"] if standardize == "train" else slice(None)
    rows = parts[subset]
    data = SliceDict(
        **{name: _standardise(block, fitted, rows) for name, block in blocks.items()}
    )
    if return_X_y:
        return data, target[rows]
    return Bunch(
        data=data,
        target=target[rows],
        rows=rows,
        modalities=[
            ("tabular", "tabular", "tabular"),
            ("timeseries", "sequence", "timeseries"),
        ],
        DESCR=DESCR,
    )


def _check_parameters(
    subset: Any, task: Any, standardize: Any, return_X_y: Any
) -> None:
    check_choice("load_mimic", "subset", subset, ("train", "valid", "test"))
    check_choice("load_mimic", "standardize", standardize, ("train", "all"))
    check_flag("load_mimic", "return_X_y", return_X_y)
    is_number = isinstance(task, Integral) and not isinstance(task, bool)
    is_word = isinstance(task, str) and task == "mort"
    if not is_word and not (is_number and -1 <= task < N_GROUPS):
        rule = f"an int in the range [-1, {N_GROUPS - 1}] or 'mort'"
        refuse("load_mimic", "task", rule, task)


def _read_target(path: Path, stays: Any, task: Any) -> Array:
    if task == "mort":
        return _read_mortality(path, stays)
    key, first = ("adm_labels_all", TERMS.start) if task == -1 else ("y_icd9", task)
    labels = _read_labels(path, stays, key, ndim=2)
    needed = TERMS.stop if task == -1 else task + 1
    if labels.shape[1] < needed:
        raise ValueError(
            f"{key!r} of the file {str(path)!r} must have {needed} columns or more for "
            f"task {task}. Got {labels.shape[1]}."
        )
    if task >= 0:
        return (labels[:, first] > 0).astype(int)
    passed = labels[:, TERMS] > 0
    return np.where(passed.any(axis=1), passed.argmax(axis=1) + first, 0)


def _read_mortality(path: Path, stays: Any) -> Array:
    labels = _read_labels(path, stays, "adm_labels_mort", ndim=None)
    if set(labels.shape[1:]) - {1} or labels.ndim == 0 or (labels % 1).any():
        raise ValueError(
            f"'adm_labels_mort' of the file {str(path)!r} must have one whole number "
            f"per row. Got shape {labels.shape} and, first, {labels.flat[:1]}."
        )
    return labels.reshape(-1).astype(int)


def _read_labels(path: Path, stays: Any, key: str, ndim: int | None) -> Array:
    labels = read_numbers(path, stays, key, ndim=ndim)
    if not np.isfinite(labels).all():
        raise ValueError(
            f"{key!r} of the file {str(path)!r} must have finite labels. Got "
            f"{labels[~np.isfinite(labels)][0]}."
        )
    return labels


def _split(path: Path, n_rows: int) -> Mapping[str, Array]:
    """Return the rows of each part, in the order in which they are drawn."""
    n_parts = 10
    if n_rows < n_parts:
        raise ValueError(
            f"The file {str(path)!r} must have {n_parts} rows or more to be split. Got "
            f"{n_rows}."
        )
    rows = list(range(n_rows))
    random.Random(SPLIT_SEED).shuffle(rows)
    tenth, fifth = n_rows // 10, n_rows // 5
    parts = {"valid": rows[:tenth], "test": rows[tenth:fifth], "train": rows[fifth:]}
    return {name: np.array(part) for name, part in parts.items()}


def _standardise(block: Array, fitted: Array | slice, rows: Array) -> Array:
    """Standardise `rows`, over samples and steps, by the statistics of `fitted`."""
    n_features = block.shape[-1]
    scaler = (
        StandardScaler()
        .set_output(transform="default")
        .fit(block[fitted].reshape(-1, n_features))
    )
    scaled = scaler.transform(block[rows].reshape(-1, n_features))
    return scaled.reshape(block[rows].shape).astype(np.float32)
