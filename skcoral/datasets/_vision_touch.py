"""A robot that inserts pegs by sight and touch: HDF5 files of Vision & Touch."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, Literal

import numpy as np
from sklearn.utils import Bunch
from skorch.helper import SliceDict

from skcoral._types import Array, FilePath
from skcoral.datasets._files import (
    check_choice,
    check_flag,
    check_lengths,
    check_modalities,
    find_source,
    refuse,
)

SPLIT_SEED = 42
TEST_FRACTION = 0.2
N_READINGS = 32  # the last of the force readings of a step
N_PROPRIO = 8
N_POSE = 4
KINDS = {"image": "image", "force": "sequence", "proprio": "tabular"}
TARGETS = ("contact_next", "ee_yaw_next")
DEFAULT_MODALITIES = {
    "contact_next": ("image", "proprio"),
    "ee_yaw_next": ("image", "force"),
}
ADVICE = (
    "Obtain the folder of .h5 files of Vision & Touch from the project 'Making Sense "
    "of Vision and Touch' of Stanford (stanford-iprl-lab/multimodal_representation on "
    "GitHub), and pass its path."
)

DESCR = """Vision & Touch: a robot arm inserts a peg, recorded by camera and touch.

Read from the files of Lee et al., "Making Sense of Vision and Touch" (ICRA 2019). A row
is a step in time: the image, the last 32 readings of force and torque, and 8 numbers
for the state of the arm. Targets are those of the next step: whether there is contact
("contact_next"), and the pose of the end of the arm, 4 numbers ("ee_yaw_next").
"""


def load_vision_touch(
    path: FilePath,
    *,
    subset: Literal["train", "test"] = "train",
    target: Literal["contact_next", "ee_yaw_next"] = "contact_next",
    modalities: Sequence[str] | None = None,
    n_files: int | None = None,
    image_size: int | None = None,
    image_file: FilePath | None = None,
    return_X_y: bool = False,
) -> Bunch | tuple[SliceDict, Array]:
    """Load steps of a robot with vision and touch from a folder of yours.

    The whole set has 117,600 rows for training, whose images of 128 x 128 pixels take
    5.8 GB. Three parameters reduce that: `n_files` selects a part of the files,
    `image_size` shrinks images (to 361 MB at 32), and `image_file` keeps them on disk,
    from which the estimator reads them batch by batch. Needs h5py (extra ``h5``).

    Parameters
    ----------
    path : str or path
        The folder with the ``.h5`` files. Its subfolders are not searched.

    subset : {"train", "test"}, default="train"
        Four fifths of the files, or the rest. To validate, split by `groups`.

    target : {"contact_next", "ee_yaw_next"}, default="contact_next"
        Whether there is contact in the next step (0 or 1), or the pose of the end of
        the arm there (4 numbers, to regress).

    modalities : list or tuple of {"image", "force", "proprio"}, default=None
        What to load, in order; nothing else is read. None means image and proprio for
        the contact, and image and force for the pose, as published.

    n_files : int, default=None
        Number of files to load, the first of the subset in the random order of the
        split. None means all.

    image_size : int, default=None
        Height and width to which images are shrunk by averaging over squares; must
        divide their size. None leaves them as they are.

    image_file : str or path, default=None
        A file ending in ``.npy``, to which images are written and from which they are
        mapped into memory. An existing file of that name is replaced. None holds images
        in memory.

    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch, or tuple of data and target if `return_X_y`
        With the entries

        data : SliceDict
            "image" of shape (n_samples, height, width, 3), uint8; "force" of shape
            (n_samples, 32, 6), float32; "proprio" of shape (n_samples, 8), float32.
        target : ndarray of shape (n_samples,), int, or (n_samples, 4), float32
            Contact, or pose.
        groups : ndarray of shape (n_samples,), int
            The file of each row, as a position in `filenames`, for
            :class:`~sklearn.model_selection.GroupShuffleSplit`.
        filenames : list of str
            The files, in the order of the rows.
        modalities : list of (name, spec, columns)
            Ready for :class:`~skcoral.COrALTransformer`.
        DESCR : str
            Origin and content.

    Raises
    ------
    ValueError
        If a parameter is of a wrong type or out of range, if a file is damaged, or if
        keys or shapes are not of the format.

    FileNotFoundError
        If there is no such folder, or no ``.h5`` file in it.

    ImportError
        If h5py is not installed.

    Notes
    -----
    The steps are those of the loader of MultiBench (Liang et al., NeurIPS 2021) as used
    by CoMM (arXiv 2409.07402): files are sorted by name and shuffled by
    ``numpy.random.default_rng(42)``, and the last fifth is the test set; readings of
    force are the tanh of the last 32; images with channels first are transposed by
    ``transpose(2, 1, 0)``. Two things differ: the last pair of steps of a file is
    loaded, where the published loader replaces it by a random one in each epoch; and
    there is no subset "valid", which equals the test set there. A file is a fragment of
    a trajectory, so that other fragments of it may be in the other subset.

    Examples
    --------
    >>> import tempfile
    >>> import h5py, numpy as np
    >>> from skcoral.datasets import load_vision_touch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for chunk in range(5):
    ...         with h5py.File(f"{folder}/peg_{chunk}_1000.h5", "w") as file:
    ...             file["image"] = np.zeros((50, 128, 128, 3), dtype=np.uint8)
    ...             file["proprio"] = np.zeros((50, 8))
    ...             file["contact"] = np.ones((50, 50))
    ...     robot = load_vision_touch(folder, image_size=32, n_files=2)
    >>> robot.data["image"].shape, robot.data["proprio"].shape, robot.target.mean()
    ((98, 32, 32, 3), (98, 8), np.float64(1.0))
    """
    _check_parameters(subset, target, modalities, n_files, return_X_y)
    modalities = modalities or DEFAULT_MODALITIES[target]
    _check_image_parameters(modalities, image_size, image_file)
    path = find_source("load_vision_touch", path, folder=True, advice=ADVICE)
    files = _choose_files(path, subset, n_files)
    with _replacing(image_file) as unfinished:
        blocks = _read_files(files, [*modalities, target], image_size, unfinished)
    labels = blocks.pop(target)
    if image_file is not None:
        blocks["image"] = np.load(image_file, mmap_mode="r")
    data = SliceDict(**blocks)
    if return_X_y:
        return data, labels
    return Bunch(
        data=data,
        target=labels,
        groups=np.repeat(np.arange(len(files)), len(labels) // len(files)),
        filenames=[str(file) for file in files],
        modalities=[(name, KINDS[name], name) for name in modalities],
        DESCR=DESCR,
    )


def _check_parameters(
    subset: Any, target: Any, modalities: Any, n_files: Any, return_X_y: Any
) -> None:
    function = "load_vision_touch"
    check_choice(function, "subset", subset, ("train", "test"))
    check_choice(function, "target", target, TARGETS)
    if modalities is not None:
        check_modalities(function, modalities, KINDS)
    _check_count("n_files", n_files)
    check_flag(function, "return_X_y", return_X_y)


def _check_image_parameters(
    modalities: Sequence[str], image_size: Any, image_file: Any
) -> None:
    _check_count("image_size", image_size)
    if image_file is None:
        return
    is_path = isinstance(image_file, str | os.PathLike)
    if not is_path or Path(image_file).suffix != ".npy":
        rule = "None or a path that ends in '.npy'"
        refuse("load_vision_touch", "image_file", rule, image_file)
    if "image" not in modalities:
        refuse("load_vision_touch", "image_file", "None without images", image_file)


def _check_count(name: str, value: Any) -> None:
    is_count = isinstance(value, Integral) and not isinstance(value, bool)
    if value is not None and not (is_count and value >= 1):
        rule = "None or an int in the range [1, inf)"
        refuse("load_vision_touch", name, rule, value)


def _choose_files(path: Path, subset: str, n_files: int | None) -> list[Path]:
    """Return all files of a subset in the published order, or the first `n_files`."""
    files = sorted(path.glob("*.h5"), key=lambda file: file.name)
    if not files:
        raise FileNotFoundError(f"The folder {str(path)!r} holds no .h5 file. {ADVICE}")
    order = np.arange(len(files))
    np.random.default_rng(SPLIT_SEED).shuffle(order)
    n_train = len(files) - int(TEST_FRACTION * len(files))
    order = order[:n_train] if subset == "train" else order[n_train:]
    if not len(order):
        raise ValueError(
            f"The folder {str(path)!r} must hold 5 .h5 files or more for a test. Got "
            f"{len(files)}."
        )
    if n_files is not None and n_files > len(order):
        rule = f"None or an int in the range [1, {len(order)}] for {subset!r}"
        refuse("load_vision_touch", "n_files", rule, n_files)
    return [files[i] for i in order[:n_files]]


@contextlib.contextmanager
def _replacing(path: FilePath | None) -> Iterator[Path | None]:
    """Yield a path to write to, which replaces the given one unless there is an error.

    That way a file of images that is still mapped somewhere keeps its contents.
    """
    if path is None:
        yield None
        return
    unfinished = Path(f"{os.fspath(path)}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _read_files(
    files: list[Path],
    keys: list[str],
    image_size: int | None,
    image_file: Path | None,
) -> dict[str, Array]:
    """Return an array per key; each file in turn is copied to its place."""
    blocks: dict[str, Array] = {}
    for position, path in enumerate(files):
        parts = _read_file(path, keys, image_size)
        if position == 0:
            blocks = _allocate(parts, len(files), image_file)
        n_rows = len(parts[keys[0]])
        for key, part in parts.items():
            place = blocks[key][position * n_rows : (position + 1) * n_rows]
            expected = (len(blocks[key]) // len(files), *blocks[key].shape[1:])
            if part.shape != expected:
                raise ValueError(
                    f"{key!r} of the file {str(path)!r} must have the shape of the "
                    f"first file, {expected}. Got {part.shape}."
                )
            place[:] = part
    return blocks


def _allocate(
    parts: dict[str, Array], n_files: int, image_file: Path | None
) -> dict[str, Array]:
    """Return arrays with room for the rows of all files, given those of one."""
    room: dict[str, Array] = {}
    for key, part in parts.items():
        shape = (n_files * len(part), *part.shape[1:])
        if key == "image" and image_file is not None:
            room[key] = np.lib.format.open_memmap(image_file, "w+", part.dtype, shape)
        else:
            room[key] = np.empty(shape, part.dtype)
    return room


def _read_file(path: Path, keys: list[str], image_size: int | None) -> dict[str, Array]:
    """Return an array per key: inputs of all steps but the last, targets of the next.

    Raises
    ------
    ValueError
        If it is not an HDF5 file, or if keys or shapes are not of the format.
    """
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            "load_vision_touch needs h5py: pip install 'skcoral[h5]'."
        ) from error
    try:
        with h5py.File(path, "r") as file:
            parts = {key: READERS[key](path, file) for key in keys}
    # h5py raises any of these for a damaged file.
    except (OSError, RuntimeError, KeyError, TypeError) as error:
        raise ValueError(
            f"The file {str(path)!r} cannot be read as HDF5: {error}."
        ) from error
    check_lengths(path, parts)
    if "image" in parts and image_size is not None:
        parts["image"] = _shrink(parts["image"], image_size)
    return parts


def _read_steps(path: Path, file: Any, key: str, shape: tuple[int, ...]) -> Array:
    """Return the array under a key; raise unless each step has at least `shape`."""
    values = file.get(key)
    if getattr(values, "shape", None) is None:  # absent, empty or a group
        raise ValueError(
            f"The file {str(path)!r} must hold an array {key!r}. Got "
            f"{sorted(map(str, file))}."
        )
    least = (2, *shape)
    right = len(values.shape) == len(least) and values.dtype.kind in "biuf"
    if not right or any(n < m for n, m in zip(values.shape, least, strict=True)):
        raise ValueError(
            f"{key!r} of the file {str(path)!r} must be an array of numbers of shape "
            f"{least} or more. Got shape {values.shape} of dtype {values.dtype}."
        )
    return values[()]


def _read_image(path: Path, file: Any) -> Array:
    images = _read_steps(path, file, "image", (1, 1, 1))[:-1]
    if images.shape[1] == 3:
        images = images.transpose(0, 3, 2, 1)
    if images.shape[3] != 3 or images.dtype != np.uint8:
        raise ValueError(
            f"'image' of the file {str(path)!r} must have 3 channels of dtype uint8. "
            f"Got shape {images.shape[1:]} of dtype {images.dtype}."
        )
    return images


def _read_force(path: Path, file: Any) -> Array:
    force = _read_steps(path, file, "ee_forces_continuous", (N_READINGS, 1))
    return np.tanh(force[:-1, -N_READINGS:]).astype(np.float32)


def _read_proprio(path: Path, file: Any) -> Array:
    proprio = _read_steps(path, file, "proprio", (N_PROPRIO,))
    return proprio[:-1, :N_PROPRIO].astype(np.float32)


def _read_contact(path: Path, file: Any) -> Array:
    contact = _read_steps(path, file, "contact", (1,))
    return (contact[1:] > 0).any(axis=1).astype(int)


def _read_pose(path: Path, file: Any) -> Array:
    pose = _read_steps(path, file, "proprio", (N_PROPRIO,))[1:, :N_POSE]
    if not np.isfinite(pose).all():
        raise ValueError(
            f"'proprio' of the file {str(path)!r} must have finite poses. Got "
            f"{pose[~np.isfinite(pose)][0]}."
        )
    return pose.astype(np.float32)


READERS = {
    "image": _read_image,
    "force": _read_force,
    "proprio": _read_proprio,
    "contact_next": _read_contact,
    "ee_yaw_next": _read_pose,
}


def _shrink(images: Array, size: int) -> Array:
    """Return images of bytes, averaged over squares."""
    n_images, height, width, n_channels = images.shape
    if height % size or width % size:
        rule = f"None or a divisor of the size of images, ({height}, {width})"
        refuse("load_vision_touch", "image_size", rule, size)
    tall, wide = height // size, width // size
    # Sum rows first, in long runs of memory: three times as fast as both axes at once.
    strips = images.reshape(n_images, size, tall, width * n_channels)
    sums = strips.sum(axis=2, dtype=np.uint32)
    sums = sums.reshape(n_images, size, size, wide, n_channels).sum(axis=3)
    return (sums / (tall * wide)).round().astype(np.uint8)
