"""Videos with sentiment, humour or sarcasm: files in the format of MultiBench."""

from collections.abc import Sequence
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
    check_modalities,
    clear_gaps,
    find_source,
    get_entry,
    read_numbers,
    refuse,
)
from skcoral.datasets._pickles import read_pickle

SUBSETS = ("train", "valid", "test")
MODALITIES = ("vision", "audio", "text")
# File in MultiBench, full name, names of the classes.
SETS = {
    "mosi": ("mosi_data.pkl", "CMU-MOSI", ["not positive", "positive"]),
    "mosei": ("mosei_senti_data.pkl", "CMU-MOSEI", ["not positive", "positive"]),
    "humor": ("humor.pkl", "UR-FUNNY", ["not humorous", "humorous"]),
    "sarcasm": ("sarcasm.pkl", "MUsTARD", ["not sarcastic", "sarcastic"]),
}
WITH_SENTIMENT = ("mosi", "mosei")
STRONGEST = 3  # sentiment lies between -3 and 3

DESCR = """{title}: short videos as series of vision, audio and text, word by word.

Read from a file in the format of MultiBench (Liang et al., NeurIPS 2021). The text
consists of GloVe vectors, vision and audio of features of the face and of the voice.
Classes: {classes}.
"""


def load_affect(
    name: Literal["mosi", "mosei", "humor", "sarcasm"],
    path: FilePath,
    *,
    subset: Literal["train", "valid", "test"] = "train",
    target: Literal["class", "sentiment"] = "class",
    modalities: Sequence[str] = ("vision", "text"),
    align: bool = True,
    z_norm: bool = False,
    return_X_y: bool = False,
) -> Bunch | tuple[SliceDict, Array]:
    """Load videos with sentiment, humour or sarcasm from a file of yours.

    The file is a pickle in the format of MultiBench. The reader admits arrays in
    builtin containers and refuses anything else, so that no code in the file runs.

    Parameters
    ----------
    name : {"mosi", "mosei", "humor", "sarcasm"}
        CMU-MOSI and CMU-MOSEI (sentiment), UR-FUNNY (humour), MUsTARD (sarcasm).

    path : str or path
        The file: ``mosi_data.pkl``, ``mosei_senti_data.pkl``, ``humor.pkl`` or
        ``sarcasm.pkl`` in MultiBench. It is read into memory as a whole.

    subset : {"train", "valid", "test"}, default="train"
        The part of the file to load.

    target : {"class", "sentiment"}, default="class"
        1 where the label is above 0, else 0; or, for "mosi" and "mosei" only, the
        sentiment itself, a number from -3 to 3.

    modalities : list or tuple of {"vision", "audio", "text"}, \
default=("vision", "text")
        The series to load, in order. The paper of COrAL leaves audio out.

    align : bool, default=True
        Begin all series of a video at its first word, so that steps correspond.
        Otherwise, each series begins at its own first step that is not zero.

    z_norm : bool, default=False
        Standardise each series of each video over its own steps.

    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch, or tuple of data and target if `return_X_y`
        With the entries

        data : SliceDict of str to ndarray of shape (n_samples, n_steps, n_features)
            The series, float32. Padding is at the end, and NaN.
        target : ndarray of shape (n_samples,)
            Classes 0 and 1 (int), or the sentiment (float).
        ids : ndarray of shape (n_samples,) or (n_samples, n_parts)
            The origin of each row according to the file, str if it is text.
        modalities : list of (name, spec, columns)
            Ready for :class:`~skcoral.COrALTransformer`.
        target_names : list of str
            Names of the classes. Absent for "sentiment".
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
    FactorCL, CoMM and COrAL (arXiv 2602.14983) share: rows without text are left out,
    and series, which the file pads with zeros on the left, begin at the first word.
    Four things differ. NaN and both infinities become 0 in every series, instead of
    minus infinity in audio only. A row lacks text if its entries are all 0, instead of
    if they sum to 0. Padding is NaN, instead of zeros that networks take for steps. And
    a series of zeros counts as missing if `align` is False, instead of being an error.

    Examples
    --------
    >>> import pickle, tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skcoral.datasets import load_affect
    >>> part = {"vision": np.ones((4, 50, 20)), "audio": np.ones((4, 50, 5))}
    >>> part |= {"text": np.ones((4, 50, 300)), "labels": np.ones((4, 1, 1))}
    >>> part["id"] = ["a", "b", "c", "d"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "mosi_data.pkl"
    ...     path.write_bytes(pickle.dumps({"train": part})) > 0
    ...     mosi = load_affect("mosi", path)
    True
    >>> mosi.data["vision"].shape, mosi.target.tolist()
    ((4, 50, 20), [1, 1, 1, 1])
    """
    _check_parameters(name, subset, target, modalities, align, z_norm, return_X_y)
    path = find_source("load_affect", path, folder=False, advice=_advise(name))
    part = get_entry(path, read_pickle(path), subset)
    where = f" in {subset!r}"
    keys = dict.fromkeys([*modalities, "text"])  # the text decides which rows are kept
    series = {key: _read_series(path, part, key, where) for key in keys}
    labels = _read_labels(path, part, name, where)
    ids = _read_ids(path, part, where)
    del part  # the largest file takes gigabytes
    check_lengths(path, {**series, "labels": labels, "id": ids}, where)
    has_text = _find_text(path, series, where)
    if align:
        _check_steps(path, series, where)
    starts = _find_starts(series["text"]) if align else None
    data = SliceDict()
    for key in modalities:
        data[key] = _move_left(series[key], starts)[has_text]
        if z_norm:
            _standardise(data[key])
    bunch = _to_bunch(name, data, labels[has_text], target)
    bunch.ids = ids[has_text]
    return (bunch.data, bunch.target) if return_X_y else bunch


def _check_parameters(
    name: Any,
    subset: Any,
    target: Any,
    modalities: Any,
    align: Any,
    z_norm: Any,
    return_X_y: Any,
) -> None:
    function = "load_affect"
    check_choice(function, "name", name, SETS)
    check_choice(function, "subset", subset, SUBSETS)
    check_choice(function, "target", target, ("class", "sentiment"))
    if target == "sentiment" and name not in WITH_SENTIMENT:
        refuse(function, "target", f"'class' for {name!r}", target)
    check_modalities(function, modalities, MODALITIES)
    check_flag(function, "align", align)
    check_flag(function, "z_norm", z_norm)
    check_flag(function, "return_X_y", return_X_y)


def _advise(name: str) -> str:
    file, title, _ = SETS[name]
    return (
        f"Obtain {file!r}, the features of {title} as prepared for MultiBench, from "
        "the MultiBench project (pliang279/MultiBench on GitHub), and pass its path."
    )


def _read_series(path: Path, part: Any, key: str, where: str) -> Array:
    return clear_gaps(
        read_numbers(path, part, key, ndim=3, dtype=np.float32, where=where)
    )


def _read_labels(path: Path, part: Any, name: str, where: str) -> Array:
    """Return one finite number per row; the raw file of MOSEI adds emotions to it."""
    labels = read_numbers(path, part, "labels", ndim=None, where=where)
    shape = labels.shape
    with_emotions = name == "mosei" and shape[1:] == (1, 7)
    if len(shape) not in (1, 2, 3) or not (with_emotions or set(shape[1:]) <= {1}):
        raise ValueError(
            f"'labels'{where} of the file {str(path)!r} must have shape (n,), (n, 1) "
            f"or (n, 1, 1), or (n, 1, 7) for 'mosei'. Got {shape}."
        )
    labels = labels.reshape(shape[0], 7 if with_emotions else 1)[:, 0]
    if name in WITH_SENTIMENT:
        right = np.abs(labels) <= STRONGEST
        rule = f"numbers from -{STRONGEST} to {STRONGEST}"
    else:
        right, rule = np.isin(labels, (-1, 0, 1)), "0 and 1, or -1 and 1,"
    if not right.all():
        raise ValueError(
            f"'labels'{where} of the file {str(path)!r} must be {rule} for {name!r}. "
            f"Got {labels[~right][0]} in row {right.argmin()}."
        )
    return labels


def _read_ids(path: Path, part: Any, where: str) -> Array:
    """Return ids of any form as an array, with bytes as text."""
    ids = get_entry(path, part, "id", where)
    try:
        ids = np.asarray(np.asarray(ids).tolist())
    except ValueError as error:
        raise ValueError(
            f"'id'{where} of the file {str(path)!r} must have as many parts in each "
            f"row: {error}."
        ) from error
    if ids.ndim == 0:
        raise ValueError(
            f"'id'{where} of the file {str(path)!r} must have an entry per row. Got "
            f"{ids.item()!r}."
        )
    return np.char.decode(ids, "utf-8", "replace") if ids.dtype.kind == "S" else ids


def _find_text(path: Path, series: dict[str, Any], where: str) -> Array:
    """Return whether each row has text; raise if none has."""
    has_text = series["text"].any(axis=(1, 2))
    if not has_text.any():
        raise ValueError(
            f"'text'{where} of the file {str(path)!r} must have words. Got zeros in "
            "every row."
        )
    return has_text


def _check_steps(path: Path, series: dict[str, Array], where: str) -> None:
    n_steps = {key: values.shape[1] for key, values in series.items()}
    if len(set(n_steps.values())) > 1:
        raise ValueError(
            f"The series{where} of the file {str(path)!r} must have the same number "
            f"of steps to be aligned. Got {n_steps}."
        )


def _find_starts(values: Any) -> Array:
    """Return the first step that is not zero, or the number of steps without one."""
    real = values.any(axis=2)
    return np.where(real.any(axis=1), real.argmax(axis=1), values.shape[1])


def _move_left(values: Array, starts: Array | None) -> Array:
    """Return series from their start on, followed by NaN."""
    starts = _find_starts(values) if starts is None else starts
    n_steps = values.shape[1]
    steps = starts[:, None] + np.arange(n_steps)
    inside = np.minimum(steps, n_steps - 1)
    moved = np.take_along_axis(values, inside[:, :, None], axis=1)
    moved[steps >= n_steps] = np.nan
    return moved


def _standardise(series: Array) -> None:
    """Standardise each row over its steps, by the sample standard deviation."""
    for row in series:
        real = ~np.isnan(row[:, 0])
        n_steps = real.sum()
        if n_steps:
            # The scaler does not blow up constant features, nor a single step.
            unit = (
                StandardScaler()
                .set_output(transform="default")
                .fit_transform(row[real].astype(np.float64))
            )
            row[real] = unit * np.sqrt(1 - 1 / n_steps)


def _to_bunch(name: str, data: SliceDict, labels: Array, target: str) -> Bunch:
    _, title, classes = SETS[name]
    bunch = Bunch(
        data=data,
        target=labels if target == "sentiment" else (labels > 0).astype(int),
        modalities=[(key, "sequence", key) for key in data],
        DESCR=DESCR.format(title=title, classes=", ".join(classes)),
    )
    if target == "class":
        bunch.target_names = list(classes)
    return bunch
