"""Persistence: one file per estimator, which `load` reads without running its code."""

import json
import os
import re
import zipfile
from collections.abc import Iterable
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from skcoral._training.checkpoints import write_atomically
from skcoral._training.state import packing, unpacking

# Number of the format of the files; a reader knows its own and all before.
FORMAT = 1
VERSIONS = "skcoral.json"
SCHEMA = "schema.json"
LIBRARIES = ("skcoral", "torch", "skorch", "scikit-learn", "numpy", "skops")
# Besides the two above: arrays, sparse matrices and weights, named by numbers.
MEMBER = re.compile(r"[0-9a-f-]+\.(npy|npz|bin)")

# What `load` trusts, besides numbers, strings, containers, arrays and the estimators of
# scikit-learn, which skops knows. All of it is data and our code: nothing on this list
# calls a function that a file names.
TRUSTED = [
    f"{module}.{name}"
    for module, names in {
        "skcoral._input.selection": ["BlockReader"],
        "skcoral._training.callbacks": ["BestEpoch", "EpochProgress"],
        "skcoral.augmentations.base": ["Compose"],
        "skcoral.augmentations.images": [
            "ColorJitter",
            "Flip",
            "GaussianBlur",
            "ResizedCrop",
            "SimCLR",
        ],
        "skcoral.augmentations.steps": ["Crop", "Drop", "DropConsecutive", "Permute"],
        "skcoral.augmentations.tokens": ["TokenCorruption", "TokenDrop"],
        "skcoral.augmentations.values": ["MarginalCorruption", "Noise"],
        "skcoral.components.classifier": ["ComponentRidgeClassifier"],
        "skcoral.components.ridge": ["ComponentRidge"],
        "skcoral.components.scaler": ["ComponentScaler"],
        "skcoral.methods._experts": ["ClassExperts", "NumberExperts"],
        "skcoral.methods._forest": ["Forest"],
        "skcoral.methods._plain": ["PlainFeatures"],
        "skcoral.methods._targets": ["ClassTargets", "NumberTargets"],
        "skcoral.methods.classifier": ["COrALClassifier"],
        "skcoral.methods.comm": ["CoMMTransformer", "InfMaskingTransformer"],
        "skcoral.methods.coral": ["COrALTransformer"],
        "skcoral.methods.cross": ["CrossSelfTransformer", "CrossTransformer"],
        "skcoral.methods.disentangled": ["DisentangledSSLTransformer"],
        "skcoral.methods.factorcl": ["FactorCLTransformer"],
        "skcoral.methods.gmc": ["GMCTransformer"],
        "skcoral.methods.indiseek": ["IndiSeekTransformer"],
        "skcoral.methods.regressor": ["COrALRegressor"],
        "skcoral.methods.repercent": ["RePercENTTransformer"],
        "skcoral.methods.simclr": ["SimCLRTransformer"],
        "skcoral.modalities._reader": ["ModalityReader"],
        "skcoral.modalities._scalers": [
            "BoundedScaler",
            "NormalScores",
            "RankScaler",
            "SparseScaler",
        ],
        "skcoral.modalities._static_vectors": ["StaticVectors"],
        "skcoral.modalities._words": [
            "split_letters",
            "split_pieces",
            "split_words",
        ],
        "skcoral.modalities.base": ["rotate", "to_dense"],
        "skcoral.modalities.embedding": ["EmbeddingModality"],
        "skcoral.modalities.image": ["ImageModality"],
        "skcoral.modalities.sequence": ["SequenceModality"],
        "skcoral.modalities.tabular": ["TabularModality"],
        "skcoral.modalities.text": ["TextModality"],
        "skcoral.objectives.comm": ["CoMMObjective", "InfMaskingObjective"],
        "skcoral.objectives.coral": ["COrALObjective"],
        "skcoral.objectives.cross": [
            "CrossObjective",
            "CrossSelfObjective",
            "SimCLRObjective",
        ],
        "skcoral.objectives.disentangled": ["DisentangledSSLObjective"],
        "skcoral.objectives.factorcl": ["FactorCLObjective"],
        "skcoral.objectives.gmc": ["GMCObjective"],
        "skcoral.objectives.indiseek": ["IndiSeekObjective"],
        "skcoral.objectives.repercent": ["RePercENTObjective"],
        # The folder of `checkpoint`, in this and in later versions of Python.
        "pathlib": ["PosixPath", "WindowsPath"],
        "pathlib._local": ["PosixPath", "WindowsPath"],
        # What searches and column transformers of scikit-learn hold.
        "sklearn.compose._column_transformer": ["make_column_selector"],
        "sklearn.metrics._scorer": ["_PassthroughScorer"],
        "sklearn.model_selection._split": ["KFold", "StratifiedKFold"],
        "sklearn.utils._bunch": ["Bunch"],
    }.items()
    for name in names
]


def save(
    estimator: Any, path: str | os.PathLike[str], *, for_training: bool = False
) -> None:
    """Write an estimator to a file that :func:`load` reads without running its code.

    The file is written beside `path` first and then moved there: it is complete or
    absent, and an older one stays until then.

    Parameters
    ----------
    estimator : estimator
        An estimator of this package, or one that holds some, such as a pipeline or a
        search of scikit-learn.

    path : str or path
        Where to write. An existing file is replaced.

    for_training : bool, default=False
        Whether the file also holds what the loss and further training need: projection
        heads, the state of the optimizer and the losses of each batch, about five times
        the size. Without them the loaded estimator can transform and predict.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.

    IsADirectoryError
        If `path` is a folder.

    TypeError
        If the estimator holds something that has no place in such a file, such as a
        lambda.

    See Also
    --------
    load : Reads the file.

    Notes
    -----
    The file is a zip archive of the skops format, with weights in the safetensors
    format and a page, "skcoral.json", with the versions of the libraries. It tells
    about the training rows what the transformers of the modalities keep of them:
    quantiles of numbers, levels of categories and words of texts, for example.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skcoral
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> X = make_multimodal_interactions(60, random_state=0).data
    >>> coral = skcoral.COrALTransformer(embed_dim=8, max_epochs=2).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skcoral.save(coral, Path(folder) / "coral.skcoral")
    ...     loaded = skcoral.load(Path(folder) / "coral.skcoral")
    >>> bool((loaded.transform(X) == coral.transform(X)).all())
    True
    """
    from skops.io import dumps

    target = _find_target(path)
    with packing(for_training):
        data = dumps(estimator)
    _refuse_nameless(data)
    write_atomically(target, _pack(data))


def load(
    path: str | os.PathLike[str],
    *,
    trusted: Iterable[str | type] = (),
    device: str | None = None,
) -> Any:
    """Read an estimator that :func:`save` has written, without running its code.

    Only types on a fixed list are made, whatever the file says: those of this package,
    the estimators of scikit-learn, and plain data.

    Parameters
    ----------
    path : str or path
        The file.

    trusted : iterable of str or type, default=()
        Further types to trust, such as your own kinds of modality or callbacks, by
        their names as the error message has them. A type that you trust can run code.

    device : str, default=None
        A torch device for the networks in the file, or "auto"; None takes the device of
        training, or the CPU where there is none.

    Returns
    -------
    estimator
        The estimator. Without `for_training` in `save`, it can transform and predict,
        but `score` of a transformer and further training raise an error.

    Raises
    ------
    FileNotFoundError
        If there is no such file.

    ValueError
        If the file is damaged, was not written by `save`, has a newer format or holds a
        type that is not trusted.

    ImportError
        If a library that the estimator needs is not installed.

    See Also
    --------
    save : Writes the file, with an example.

    Examples
    --------
    >>> import skcoral
    >>> skcoral.load("films.skcoral")
    Traceback (most recent call last):
    FileNotFoundError: There is no file 'films.skcoral'.
    """
    from skops.io.exceptions import UntrustedTypesFoundException

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    label = f"The file {str(path)!r}"
    try:
        return _read(path.read_bytes(), trusted, device)
    except UntrustedTypesFoundException as error:
        raise ValueError(
            f"{label} holds what skcoral.load does not trust. {error} Name it in "
            "'trusted' only if you trust whoever wrote the file: it can run code."
        ) from error
    except _NewerFormat as error:
        raise ValueError(f"{label} {error}") from error
    except ImportError:
        raise
    # The readers of zip, JSON, numpy and safetensors raise errors of any type.
    except Exception as error:
        raise ValueError(
            f"{label} cannot be read: it is damaged, or was not written by "
            f"skcoral.save. {type(error).__name__}: {error}"
        ) from error


class _NewerFormat(Exception):
    """A file has a format that this version does not know."""


def _read(data: bytes, trusted: Iterable[str | type], device: str | None) -> Any:
    """Return the estimator in an archive, after a look at all that it brings."""
    from skops.io import loads

    with zipfile.ZipFile(BytesIO(data)) as archive:
        _check_members(archive, len(data))
        _check_format(json.loads(archive.read(VERSIONS)))
        _check_content(archive)
    with unpacking(device):
        return loads(data, trusted=[*TRUSTED, *trusted])


def _check_format(versions: dict[str, Any]) -> None:
    if versions["format"] > FORMAT:
        raise _NewerFormat(
            f"has format {versions['format']}, written by skcoral "
            f"{versions['skcoral']}. This is skcoral {version('skcoral')}, which reads "
            f"formats up to {FORMAT}: pip install -U skcoral."
        )


def _find_target(path: str | os.PathLike[str]) -> Path:
    """Return the file to write, which a link may lead to."""
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"'path' must be a file. {str(path)!r} is a folder.")
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"The folder of 'path' must exist. There is no {str(target.parent)!r}."
        )
    return target


def _refuse_nameless(data: bytes) -> None:
    """Raise TypeError if something could not be found again by its name."""
    from skops.io import get_untrusted_types

    nameless = [name for name in get_untrusted_types(data=data) if "<" in name]
    if nameless:
        raise TypeError(
            f"{', '.join(nameless)} cannot be saved, as only code that stands at the "
            "top of a module can be found again. Define it there, by a name."
        )


def _pack(data: bytes) -> bytes:
    """Return an archive of skops with less air, and the versions of the libraries.

    Nothing is compressed: a file then cannot hold more than its size, and weights would
    not shrink. Numbers of objects are left out: each object is written in full.
    """
    versions = {name: version(name) for name in LIBRARIES}
    file = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as source, zipfile.ZipFile(file, "w") as target:
        target.writestr(VERSIONS, json.dumps({"format": FORMAT, **versions}))
        for name in source.namelist():
            content = source.read(name)
            if name == SCHEMA:
                schema = json.loads(content, object_hook=_drop_number)
                content = json.dumps(schema, separators=(",", ":")).encode()
            target.writestr(name, content)
    return file.getvalue()


def _drop_number(node: dict[str, Any]) -> dict[str, Any]:
    if "__loader__" in node:
        node.pop("__id__", None)
    return node


def _refuse_number(node: dict[str, Any]) -> dict[str, Any]:
    """Raise ValueError if a node has a number by which others could repeat it.

    Of a few nodes that repeat each other, an archive could make any number.
    """
    if "__loader__" in node and "__id__" in node:
        raise ValueError("a node has a number")
    return node


def _check_members(archive: zipfile.ZipFile, n_bytes: int) -> None:
    """Raise ValueError if an archive does not consist of the members that we write."""
    members = archive.infolist()
    names = [member.filename for member in members]
    if len({*names}) < len(names):
        raise ValueError("two members have the same name")
    for member in members:
        if member.filename not in (VERSIONS, SCHEMA):
            if not MEMBER.fullmatch(member.filename):
                raise ValueError(f"unexpected member {member.filename!r}")
        if member.compress_type or member.file_size != member.compress_size:
            raise ValueError(f"member {member.filename!r} is compressed")
    if sum(member.file_size for member in members) > n_bytes:
        raise ValueError("members overlap")


def _check_content(archive: zipfile.ZipFile) -> None:
    """Raise ValueError if members claim to be more than they are."""
    json.loads(archive.read(SCHEMA), object_hook=_refuse_number)
    for name in archive.namelist():
        if name.endswith(".npy"):
            _check_array(name, archive.read(name))


def _check_array(name: str, data: bytes) -> None:
    """Raise ValueError if an array holds objects, or claims a size that is not its."""
    file = BytesIO(data)
    major, _ = np.lib.format.read_magic(file)
    read = {1: np.lib.format.read_array_header_1_0}.get(
        major, np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read(file)
    size = dtype.itemsize * int(np.prod(shape, dtype=object))
    if dtype.hasobject or file.tell() + size != len(data):
        raise ValueError(f"array {name!r} is not of the size that it claims")
