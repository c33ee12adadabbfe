"""Static vectors: a tokenizer and one vector per token, learnt from other texts."""

import importlib.util
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import randomized_svd

from skcoral._types import Array, RandomState
from skcoral.modalities._ids import FIRST_WORD
from skcoral.modalities._words import Document, fold, split_words
from skcoral.modalities.base import RETURNING_ARRAYS

# The vectors that a wheel brings, and where they lie in it.
WORDLLAMA = "wordllama"
WEIGHTS = Path("weights", "l2_supercat_256.safetensors")
TOKENIZER = Path("tokenizers", "l2_supercat_tokenizer_config.json")
# Share of the words of texts that "auto" wants to be tokens as a whole.
MIN_KNOWN = 0.5


class StaticVectors(NamedTuple):
    """Static vectors.

    Parameters
    ----------
    name : str
        What users call them.

    tokenizer : tokenizers.Tokenizer
        Cuts any text into tokens.

    table : ndarray of shape (n_tokens, n_features), float32
        The vector of each token.
    """

    name: str
    tokenizer: Any
    table: NDArray[np.float32]


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


def count_tokens(tokenizer: Any, n_tokens: int, texts: list[str]) -> Any:
    """Return how often each token occurs in each text, as a sparse matrix."""
    ids = _encode(tokenizer, list(map(fold, texts)))
    rows = np.repeat(np.arange(len(ids)), list(map(len, ids)))
    columns = np.concatenate([np.zeros(0, dtype=int), *ids]).astype(int)
    ones = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_matrix((ones, (rows, columns)), (len(ids), n_tokens))


@RETURNING_ARRAYS
def fit_weights(counts: Any) -> tuple[TfidfTransformer, Any]:
    """Return fitted TF-IDF of counts of tokens, and the weights that it gives."""
    weigher = TfidfTransformer(sublinear_tf=True).fit(counts)
    return weigher, weigher.transform(counts)


@RETURNING_ARRAYS
def weigh_tokens(weigher: TfidfTransformer, tokenizer: Any, texts: list[str]) -> Any:
    """Return the weights of the tokens of texts, as `fit_weights` has learnt them."""
    return weigher.transform(count_tokens(tokenizer, weigher.n_features_in_, texts))


def find_coordinates(
    table: Array, kept: Any, n_coordinates: int, random_state: RandomState
) -> NDArray[np.float16]:
    """Return the coordinates of all ids, such that those of texts are uncorrelated.

    The mean of the vectors of a text is what static vectors know of it. Coordinates are
    the principal components of these means, by decreasing variance, with the unit that
    the coordinates of tokens have a mean square of one.

    Parameters
    ----------
    table : ndarray of shape (n_tokens, n_features)
        The vector of each token.

    kept : sparse matrix of shape (n_texts, n_ids)
        The ids of each text.

    n_coordinates : int
        Maximum number of coordinates.

    random_state : int, RandomState instance or None
        Seed of the decomposition.

    Returns
    -------
    ndarray of shape (n_ids, n_coordinates), float16
        Zero for padding and for texts without tokens.
    """
    kept = kept[kept.getnnz(axis=1) > 0, FIRST_WORD:]
    shares = normalize(kept, norm="l1")
    means = shares @ table
    centre = means.mean(axis=0)
    n_coordinates = min(n_coordinates, *means.shape)
    _, _, directions = randomized_svd(
        means - centre, n_coordinates, random_state=random_state
    )
    coordinates = (table - centre) @ directions.T
    squares = (coordinates**2).mean(axis=1)
    scale = np.sqrt(np.average(squares, weights=np.asarray(kept.sum(axis=0)).ravel()))
    out = np.zeros((FIRST_WORD + len(table), n_coordinates), dtype=np.float16)
    largest = np.finfo(np.float16).max
    out[FIRST_WORD:] = np.clip(coordinates / (scale or 1.0), -largest, largest)
    return out


def _encode(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    """Return the ids of the tokens of each text, without unknown ones."""
    unknown = tokenizer.token_to_id(getattr(tokenizer.model, "unk_token", None) or "")
    encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
    return [[i for i in each.ids if i != unknown] for each in encoded]


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
    if len(tables) != 1 or len(tables[0]) < n_tokens or not tables[0].shape[1]:
        raise ValueError(
            f"{label} must be one matrix with a row for each of the {n_tokens} tokens "
            f"of their tokenizer. Got {shapes} instead."
        )
    table = tables[0].astype(np.float32)
    finite = np.isfinite(table).all(axis=1)
    if not finite.all():
        raise ValueError(f"{label} must be finite. Row {int(finite.argmin())} is not.")
    return table
