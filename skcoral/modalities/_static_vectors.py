"""Static vectors: a tokenizer and one vector per token, learnt from other texts."""

import importlib.util
from collections import Counter
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin

from skcoral._types import Array
from skcoral.modalities._subwords import read_tokenizer
from skcoral.modalities._words import Document, fold, split_words

# The vectors that a wheel brings, and where they lie in it.
WORDLLAMA = "wordllama"
WEIGHTS = Path("weights", "l2_supercat_256.safetensors")
TOKENIZER = Path("tokenizers", "l2_supercat_tokenizer_config.json")
# Share of the words of texts that "auto" wants to be tokens as a whole.
MIN_KNOWN = 0.5


class StaticVectors(TransformerMixin, BaseEstimator):
    """Turn texts into the means of the vectors of their tokens.

    Parameters
    ----------
    name : str
        What users call them.

    tokenizer : tokenizers.Tokenizer
        Cuts any text into tokens.

    table : ndarray of shape (n_tokens, n_features)
        The vector of each token.
    """

    def __init__(self, name: str, tokenizer: Any, table: Array) -> None:
        self.name = name
        self.tokenizer = tokenizer
        self.table = table

    def fit(self, X: list[str], y: None = None) -> Self:
        """Do nothing: the vectors are known.

        Parameters
        ----------
        X : list of str
            Ignored.

        y : None
            Ignored.

        Returns
        -------
        self : StaticVectors
            The vectors.
        """
        return self

    def transform(self, X: list[str]) -> NDArray[np.float32]:
        """Return the means of the vectors of texts, folded as words are.

        Parameters
        ----------
        X : list of str
            The texts.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32
            Zero for texts without a known token.
        """
        counts = _count(_encode(self.tokenizer, list(map(fold, X))), len(self.table))
        used = np.unique(counts.indices)
        vectors = self.table[used].astype(np.float32)
        lengths = np.asarray(counts.sum(axis=1))
        return (counts[:, used] @ vectors) / np.maximum(lengths, 1)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state, with the tokenizer as JSON."""
        return {**super().__getstate__(), "tokenizer": self.tokenizer.to_str()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state."""
        super().__setstate__(state)
        self.tokenizer = read_tokenizer(state["tokenizer"])


def choose_vectors(
    source: str | Path, documents: list[Document]
) -> StaticVectors | None:
    """Return the static vectors of a package or of a folder, if they are to be used.

    Parameters
    ----------
    source : "auto", "wordllama" or path
        "auto" takes those of wordllama if it is installed and has most words of the
        texts as a whole. Of names and of other languages it has pieces, which mean
        little.

    documents : list of str, list of str or tuple
        The texts.

    Returns
    -------
    StaticVectors or None
        None only for "auto".

    Raises
    ------
    ImportError
        If "wordllama", or what reads tokenizers, is not installed.

    ValueError
        If the files are absent or damaged, or do not belong together.
    """
    if source not in ("auto", WORDLLAMA):
        return _read_folder(Path(source))
    root = _locate()
    if source == "auto":
        if root is None or not (root / WEIGHTS).exists():
            return None
        found = _read(WORDLLAMA, root / TOKENIZER, root / WEIGHTS)
        return found if _share_known(found.tokenizer, documents) >= MIN_KNOWN else None
    if root is None:
        raise ImportError(
            "vectors='wordllama' needs wordllama: pip install 'skcoral[words]'."
        )
    return _read(WORDLLAMA, root / TOKENIZER, root / WEIGHTS)


def _encode(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    """Return the ids of the tokens of each text, without unknown ones."""
    unknown = tokenizer.token_to_id(getattr(tokenizer.model, "unk_token", None) or "")
    encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
    return [[i for i in each.ids if i != unknown] for each in encoded]


def _count(ids: list[list[int]], n_tokens: int) -> Any:
    """Return how often each token occurs in each text, as a sparse matrix."""
    rows = np.repeat(np.arange(len(ids)), list(map(len, ids)))
    columns = np.concatenate([np.zeros(0, dtype=int), *ids]).astype(int)
    ones = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_matrix((ones, (rows, columns)), (len(ids), n_tokens))


def _share_known(tokenizer: Any, documents: list[Document]) -> float:
    """Return the share of the words of texts that a tokenizer has as a whole."""
    counts = Counter(word for text in documents for word in split_words(text))
    pieces = _encode(tokenizer, list(counts))
    whole = [len(ids) == 1 for ids in pieces]
    return float(np.average(whole, weights=list(counts.values()))) if whole else 0.0


def _locate() -> Path | None:
    """Return the folder of wordllama, which is not imported: it configures logging."""
    spec = importlib.util.find_spec(WORDLLAMA)
    places = spec and spec.submodule_search_locations
    return Path(next(iter(places))) if places else None


def _read_folder(folder: Path) -> StaticVectors:
    """Return the vectors of a folder that model2vec or sentence-transformers saved."""
    weights = sorted(folder.glob("*.safetensors"))
    if len(weights) != 1 or not (folder / "tokenizer.json").is_file():
        raise ValueError(
            "The 'vectors' parameter of TextModality must be 'auto', 'wordllama', None "
            "or a folder with a 'tokenizer.json' and one file '*.safetensors'; nothing "
            f"is downloaded. Got {str(folder)!r} instead."
        )
    return _read(str(folder), folder / "tokenizer.json", weights[0])


def _read(name: str, tokenizer: Path, weights: Path) -> StaticVectors:
    """Return the vectors in two files."""
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ImportError(
            "Static vectors need tokenizers: pip install 'skcoral[words]'."
        ) from error
    from safetensors.numpy import load_file

    label = f"The static vectors {name!r}"
    try:
        read = Tokenizer.from_file(str(tokenizer))
        tensors = load_file(weights)
    # The readers raise errors of their own, and of any type.
    except Exception as error:
        raise ValueError(
            f"{label} cannot be read: {type(error).__name__}: {error}. vectors=None "
            "does without."
        ) from error
    read.no_padding()
    read.no_truncation()
    n_tokens = 1 + max(read.get_vocab().values(), default=0)
    return StaticVectors(name, read, _check(label, tensors, n_tokens))


def _check(label: str, tensors: dict[str, Array], n_tokens: int) -> Array:
    """Return the only table of a file; raise ValueError unless it fits a tokenizer."""
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    tables = [tensor for tensor in tensors.values() if tensor.ndim == 2]
    tables = [table for table in tables if table.dtype.kind == "f"]
    if len(tables) != 1 or len(tables[0]) < n_tokens or not tables[0].shape[1]:
        raise ValueError(
            f"{label} must be one matrix with a row for each of the {n_tokens} tokens "
            f"of their tokenizer. Got {shapes} instead."
        )
    finite = np.isfinite(tables[0]).all(axis=1)
    if not finite.all():
        raise ValueError(f"{label} must be finite. Row {int(finite.argmin())} is not.")
    return tables[0]
