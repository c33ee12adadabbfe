"""Pretrained encoders: frozen models that turn values into vectors, once per value."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import joblib
import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_memory
from torch import nn
from tqdm.auto import tqdm

from skcoral._constraints import POSITIVE_INT
from skcoral._input.containers import is_dataframe, list_cells
from skcoral._input.errors import describe
from skcoral._sklearn_compat import HasMethods
from skcoral._types import Array

# What may be a frozen model.
MODEL = [HasMethods(["encode"]), HasMethods(["transform"]), nn.Module, str, Path]


class Value(NamedTuple):
    """A distinct value, and where it comes first among the values of a call."""

    place: int
    content: Any


class PretrainedEncoder(TransformerMixin, BaseEstimator):
    """Encode texts, images or arrays as vectors by a model that is not trained further.

    This transformer can be the `preprocessor` of a modality, or the `encoder` of
    :class:`ImageModality`. Each distinct value is encoded once per call, in batches;
    with `memory`, it is encoded once and for all.

    Parameters
    ----------
    encoder : torch.nn.Module, object with `encode` or `transform`, str or path
        The model: ``encode(values)`` or ``transform(values)`` takes a list and returns
        one vector per value. A module without these methods gets a batch of arrays of
        one shape as one tensor, bytes as floats in [0, 1], and returns a tensor of
        shape (n_samples, n_features). A path must lead to the folder of a
        sentence-transformers model (extra ``pretrained``), which gets arrays of bytes
        of shape (3, height, width) as PIL images, or to a file ``.pt2`` that
        :func:`torch.export.save` has written with a batch of any size.

    batch_size : int, default=64
        Number of values per call of the model.

    memory : str, joblib.Memory or None, default=None
        Folder that keeps the vectors, by model and value. A model given as an object is
        identified by its content, one given as a path by that path. Entries that are
        damaged are encoded again. joblib reads its files as pickles, which may run any
        code: use only a folder that none but you can write to.

    verbose : bool, default=False
        Whether to show a progress bar over the values.

    Notes
    -----
    Clones share the model instead of copying it. It is never trained, so `fit` learns
    nothing. A module is put into evaluation mode and runs where its parameters are, in
    their type. What else it needs, such as the mean and deviation of the images that it
    was trained on, goes into it: ``nn.Sequential(Normalize(mean, std), network)``.

    Open only files of models that you trust.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoral.pretrained import PretrainedEncoder
    >>> class Lengths:
    ...     def encode(self, texts):
    ...         return np.array([[len(text)] for text in texts])
    >>> PretrainedEncoder(Lengths()).fit_transform(["a", "bcd", "a"])
    array([[1], [3], [1]])
    """

    _parameter_constraints = {
        "encoder": MODEL,
        "batch_size": POSITIVE_INT,
        "memory": [str, HasMethods(["cache"]), None],
        "verbose": ["boolean"],
    }

    def __init__(
        self,
        encoder: Any,
        *,
        batch_size: int = 64,
        memory: str | joblib.Memory | None = None,
        verbose: bool = False,
    ) -> None:
        self.encoder = encoder
        self.batch_size = batch_size
        self.memory = memory
        self.verbose = verbose

    def fit(self, X: Any, y: None = None) -> Self:
        """Check the parameters.

        Parameters
        ----------
        X : list, ndarray or data frame of one column
            The values.

        y : None
            Ignored.

        Returns
        -------
        self : PretrainedEncoder
            The encoder.

        Raises
        ------
        ImportError
            If the encoder is a path and sentence-transformers is not installed.

        ValueError
            If `memory` is no folder that can be written.
        """
        self._validate_params()
        self._open_memory()
        self.model_ = _load(self.encoder)
        return self

    def transform(self, X: Any) -> Array:
        """Return the vectors.

        Parameters
        ----------
        X : list, ndarray or data frame of one column
            The values.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            One vector per value.

        Raises
        ------
        ValueError
            If the model does not return one vector per value, or returns vectors that
            are not finite.
        """
        cells = X if isinstance(X, list) else _list_values(X)
        digests = [_digest(cell) for cell in cells]
        distinct: dict[str, Value] = {}
        for place, (digest, cell) in enumerate(zip(digests, cells, strict=True)):
            distinct.setdefault(digest, Value(place, cell))
        vectors = self._remember(distinct) if self.memory else self._encode(distinct)
        return np.stack([vectors[digest] for digest in digests])

    def __sklearn_clone__(self) -> Self:
        """Return a copy that shares the frozen model."""
        params = {**self.get_params(deep=False)}
        return type(self)(params.pop("encoder"), **params)

    def _encode(self, distinct: Mapping[str, Value]) -> dict[str, Array]:
        """Return the vector of each value by its digest."""
        digests, values = list(distinct), list(distinct.values())
        starts = range(0, len(values), self.batch_size)
        vectors: dict[str, Array] = {}
        for start in tqdm(starts, unit="batch", disable=not self.verbose):
            part = slice(start, start + self.batch_size)
            batch = self._encode_batch(values[part])
            vectors |= dict(zip(digests[part], batch, strict=True))
        return vectors

    def _encode_batch(self, values: list[Value]) -> Array:
        """Return the vectors of values; raise unless there is a finite one for each."""
        contents = [value.content for value in values]
        if isinstance(self.encoder, (str, Path)) and hasattr(self.model_, "encode"):
            contents = list(map(_as_picture, contents))
        return _check_vectors(_apply(self.model_, contents), values)

    def _open_memory(self) -> Any:
        """Return the memory, which makes its folder."""
        try:
            return check_memory(self.memory)
        except (OSError, ValueError) as error:
            raise ValueError(
                "The 'memory' parameter of PretrainedEncoder must be a folder that can "
                f"be written. Got {self.memory!r} instead: "
                f"{getattr(error, 'strerror', None) or error}."
            ) from error

    def _remember(self, distinct: Mapping[str, Value]) -> dict[str, Array]:
        """Return the vectors from memory, after encoding those that it lacks."""
        recall = self._open_memory().cache(_recall, ignore=["entry"])
        path = isinstance(self.encoder, (str, Path))
        model = str(self.encoder) if path else _identify(self.encoder)
        entries = {digest: _look_up(recall, model, digest) for digest in distinct}
        vectors = {digest: e for digest, e in entries.items() if e is not None}
        encoded = self._encode(
            {digest: v for digest, v in distinct.items() if digest not in vectors}
        )
        for digest, vector in encoded.items():
            recall.call(model, digest, (vector, joblib.hash(vector)))
        return vectors | encoded


def wrap_model(model: Any) -> PretrainedEncoder:
    """Return a model as a `PretrainedEncoder`, which it may be already.

    Parameters
    ----------
    model : PretrainedEncoder, torch.nn.Module, object or path
        The model; see :class:`PretrainedEncoder`.

    Returns
    -------
    PretrainedEncoder
        The encoder.
    """
    return model if isinstance(model, PretrainedEncoder) else PretrainedEncoder(model)


def _recall(model: str, digest: str, entry: Any = None) -> Any:
    """Return a vector and its hash, which joblib keeps by model and digest."""
    return entry


def _look_up(recall: Any, model: str, digest: str) -> Array | None:
    """Return the vector that memory holds, or None if it is absent or damaged."""
    if not recall.check_call_in_cache(model, digest):
        return None
    entry = recall(model, digest)
    whole = isinstance(entry, tuple) and len(entry) == 2
    return entry[0] if whole and joblib.hash(entry[0]) == entry[1] else None


def _identify(model: Any) -> str:
    """Return a hash of the content of a model, the same in every process."""
    if not isinstance(model, nn.Module):
        return joblib.hash(model)
    weights = {
        name: tensor.cpu().float().numpy()
        for name, tensor in model.state_dict().items()
    }
    return joblib.hash((repr(model), weights))


def _load(encoder: Any) -> Any:
    """Return the model that is given, or that a path leads to, for inference."""
    model = encoder
    if isinstance(encoder, (str, Path)):
        is_file = Path(encoder).suffix == ".pt2"
        model = _load_module(encoder) if is_file else _load_sentences(encoder)
    if isinstance(model, nn.Module):
        # An exported module is in the mode that it was exported in.
        with contextlib.suppress(NotImplementedError):
            model.eval()
    return model


def _load_module(path: str | Path) -> nn.Module:
    """Return the module of a file that torch.export has written."""
    _check_exists(path)
    try:
        return torch.export.load(path).module()
    except Exception as error:  # of zip, of JSON, of torch
        raise ValueError(
            "The 'encoder' parameter of PretrainedEncoder must be a file of "
            f"torch.export.save. {str(path)!r} cannot be read: {error}"
        ) from error


def _load_sentences(path: str | Path) -> Any:
    """Return the sentence-transformers model of a folder."""
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ImportError(
            "A model from a path needs sentence-transformers: "
            "pip install 'skcoral[pretrained]'."
        ) from error
    _check_exists(path)
    return SentenceTransformer(str(path), local_files_only=True)


def _check_exists(path: str | Path) -> None:
    if not Path(path).exists():
        raise ValueError(
            "The 'encoder' parameter of PretrainedEncoder must be a model or the path "
            f"of one; nothing is downloaded. There is no {str(path)!r}."
        )


def _list_values(X: Any) -> list[Any]:
    if not is_dataframe(X) and np.ndim(X) > 2:
        return list(X)
    return list_cells(X)


def _digest(value: Any) -> str:
    """Return the key of a value: a text itself, or a hash of the content."""
    return value if isinstance(value, str) else joblib.hash(value)


def _as_picture(value: Any) -> Any:
    """Return an array of bytes, channels first, as a PIL image; others as they are."""
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8 or value.ndim != 3:
        return value
    from PIL import Image

    return Image.fromarray(np.ascontiguousarray(value.transpose(1, 2, 0)))


def _apply(model: Any, values: list[Any]) -> Array:
    encode = getattr(model, "encode", None) or getattr(model, "transform", None)
    return np.asarray(_run_module(model, values) if encode is None else encode(values))


@torch.inference_mode()
def _run_module(module: nn.Module, values: list[Any]) -> Array:
    """Return the outputs of a torch module for arrays of one shape."""
    shapes = sorted({np.shape(value) for value in values})
    if len(shapes) > 1:
        raise ValueError(
            "A torch module encodes arrays of one shape. Got shapes "
            f"{shapes[0]} and {shapes[1]}."
        )
    batch = torch.as_tensor(np.stack(values))
    batch = batch / 255 if batch.dtype == torch.uint8 else batch
    parameter = next(module.parameters(), None)
    if parameter is not None and batch.is_floating_point():
        batch = batch.to(parameter)
    out = module(batch)
    if not isinstance(out, torch.Tensor):
        raise TypeError(
            "The encoder must return a tensor of shape (n_samples, n_features). Got "
            f"{type(out).__name__!r}; choose one of its entries in a module around it."
        )
    return out.float().cpu().numpy()


def _check_vectors(vectors: Array, values: list[Value]) -> Array:
    """Return the vectors; raise unless there is a finite one per value."""
    if vectors.ndim != 2 or len(vectors) != len(values):
        raise ValueError(
            f"The encoder must return {len(values)} vectors for as many values. Got "
            f"shape {vectors.shape}."
        )
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        place, content = values[int(finite.argmin())]
        text = f", {describe(content)}" if isinstance(content, str) else ""
        raise ValueError(
            f"The encoder returned a vector that is not finite for value {place} of "
            f"this call{text}."
        )
    return vectors
