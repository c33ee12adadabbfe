"""Texts: raw strings as words with learned embeddings, or as vectors."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import randomized_svd

from skcoral._constraints import POSITIVE_INT
from skcoral._input.columns import read_columns
from skcoral._sklearn_compat import StrOptions
from skcoral._types import Array, RandomState
from skcoral.augmentations import Augmentation, TokenCorruption, TokenDrop
from skcoral.modalities.base import (
    BaseModality,
    fit_reducer,
    is_empty,
)
from skcoral.nn.encoders.embedding import VectorEncoder
from skcoral.nn.encoders.text import TokenEncoder

# Word ids start after padding (0) and the id for texts without known words (1).
PADDING, UNKNOWN, FIRST_WORD = 0, 1, 2
# "auto" takes a string column for free text, not for categories, if it has at least
# this many words on average and more than this many distinct values (or half the rows,
# if that is fewer).
MIN_WORDS_OF_TEXT = 3
MIN_DISTINCT_TEXTS = 40
# Number of tokens if n_tokens is None: words or subwords per text, or tokens per
# vector.
MAX_WORDS = 32
MAX_SUBWORDS = 64
VECTOR_TOKENS = 8


class TextModality(BaseModality):
    """Raw strings, with one token per word and embeddings learnt from these texts.

    The words of a text with the largest TF-IDF weights become its tokens. Their
    embeddings are initialised by latent semantic analysis, so that words that occur in
    the same texts start out similar, and are trained with the rest of the network.
    Nothing is downloaded. Missing and empty strings are allowed.

    Parameters
    ----------
    tokenizer : {"words", "subwords"}, default="words"
        Tokens are words, those of largest TF-IDF weight first, or the first subwords of
        a text. Subwords come from byte-pair encoding, trained on the column with
        `tokenizers` (extra ``text``); they suit languages with long compound words, and
        text with typing errors.

    n_tokens : int or None, default=None
        Maximum number of tokens per text. None takes 32 words, 64 subwords, or 8 tokens
        for the vector that a `preprocessor` returns.

    max_features : int, default=20_000
        Maximum size of the vocabulary, in words, of which the most frequent are kept,
        or in subwords. Words that occur in a single text are left out if there are
        others, as they carry no information about other texts.

    svd_dim : int, default=128
        Number of dimensions of the latent semantic analysis, a truncated SVD of TF-IDF,
        and of sparse vectors of a `preprocessor` after reduction. At most the size of
        the vocabulary and the number of rows.

    augmentation : {"corrupt", "drop", "noise"}, sequence of these or callable, \
            default="corrupt"
        How views are made; see :class:`TabularModality`. "corrupt" replaces words by
        words of other texts, "drop" blanks words, and "noise" is only for the vectors
        of a `preprocessor`.

    corruption_rate : float, default=0.5
        Probability that "corrupt" replaces a word, or a component of a vector.

    preprocessor : transformer, default=None
        A scikit-learn transformer from a list of strings to dense or sparse vectors,
        such as a :class:`~skcoral.pretrained.PretrainedEncoder`, which replaces the
        words. The vectors are standardised, and a small network turns them into tokens.

    random_state : int, RandomState instance or None, default=None
        Seed of the SVD. None takes the seed of the estimator that holds the modality.

    Attributes
    ----------
    vectorizer_ : TfidfVectorizer or transformer
        The vocabulary and its weights, or the fitted `preprocessor`.

    tokenizer_ : tokenizers.Tokenizer
        The trained tokenizer, if `tokenizer` is "subwords".

    token_vectors_ : ndarray of shape (n_ids, n_directions)
        Latent semantic analysis: the coordinates of each id, zero if no text contains
        it. Embeddings are initialised in their direction, and at random in any further
        coordinates.

    n_tokens_ : int
        Largest number of tokens per text in `fit`, at most `n_tokens`.

    n_columns_in_ : int
        Number of text columns seen in `fit`.

    Notes
    -----
    The texts of several columns are joined by a space. The order of tokens only decides
    which of them are cut off.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoral import TextModality
    >>> texts = np.array(["a red car", "a blue car", None, ""], dtype=object)
    >>> TextModality().fit(texts).transform(texts)
    array([[2], [2], [1], [1]], dtype=int32)
    """

    reads_strings = True

    _parameter_constraints = {
        **BaseModality._parameter_constraints,
        "tokenizer": [StrOptions({"words", "subwords"})],
        "n_tokens": [*POSITIVE_INT, None],
        "max_features": POSITIVE_INT,
        "svd_dim": POSITIVE_INT,
    }

    def __init__(
        self,
        *,
        tokenizer: Literal["words", "subwords"] = "words",
        n_tokens: int | None = None,
        max_features: int = 20_000,
        svd_dim: int = 128,
        augmentation: str | Sequence[str] | Augmentation = "corrupt",
        corruption_rate: float = 0.5,
        preprocessor: Any = None,
        random_state: RandomState = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.n_tokens = n_tokens
        self.max_features = max_features
        self.svd_dim = svd_dim
        self.augmentation = augmentation
        self.corruption_rate = corruption_rate
        self.preprocessor = preprocessor
        self.random_state = random_state

    @staticmethod
    def claims(values: Array) -> bool:
        """Return whether a column holds free text rather than categories."""
        present = [value for value in values.tolist() if isinstance(value, str)]
        if values.dtype != object or not present:
            return False
        n_words = np.mean([len(value.split()) for value in present])
        enough = min(MIN_DISTINCT_TEXTS, len(present) / 2)
        return bool(n_words >= MIN_WORDS_OF_TEXT) and len(set(present)) > enough

    def fit(self, block: Any, y: None = None) -> Self:
        """Learn the vocabulary, or fit the preprocessor and the scale of its vectors.

        Parameters
        ----------
        block : data frame, or ndarray of shape (n_samples,) or (n_samples, n_columns)
            The texts.

        y : None
            Ignored.

        Returns
        -------
        self : TextModality
            The fitted modality.

        Raises
        ------
        TypeError
            If a value is not a string.

        ValueError
            If no text contains a word.
        """
        self._validate_params()
        self.make_augmentation()
        texts, self.n_columns_in_ = _read_texts(block)
        if self.preprocessor is not None:
            self._fit_vectors(texts)
            return self
        if not any(texts):
            raise ValueError("The text columns hold no text at all.")
        fit = self._fit_words if self.tokenizer == "words" else self._fit_subwords
        counts = _count_ids(fit(texts), self._n_ids)
        self.token_vectors_ = _analyse(counts, self.svd_dim, self.random_state)
        return self

    def transform(self, block: Any) -> Array:
        """Return the texts as ids of words, or as vectors with a `preprocessor`.

        Parameters
        ----------
        block : data frame, or ndarray of shape (n_samples,) or (n_samples, n_columns)
            Columns as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_tokens), int32
            Ids of words by decreasing weight, or of subwords in order: 0 is padding, 1
            marks a text without known words, words start at 2. With a `preprocessor`,
            standardised vectors of shape (n_samples, n_features), float32.

        Raises
        ------
        TypeError
            If a value is not a string.
        """
        texts, n_columns = _read_texts(block)
        self._check_fitted_width(n_columns)
        if self.preprocessor is None:
            return self._list_ids(texts)
        vectors = self.vectorizer_.transform(texts)
        return np.asarray(self.reducer_.transform(vectors), dtype=np.float32)

    def make_encoder(self, embed_dim: int) -> TokenEncoder | VectorEncoder:
        """Return the encoder for words or vectors, of width `embed_dim`."""
        if self.preprocessor is not None:
            n_features = self.reducer_[-1].n_features_in_
            return VectorEncoder(n_features, embed_dim, self.n_tokens_)
        # Of equal length: the direction is what is known about a rare word.
        start = normalize(self.token_vectors_[:, :embed_dim])
        return TokenEncoder(self._n_ids, embed_dim, start * np.sqrt(start.shape[1]))

    def make_augmentation(self) -> Augmentation:
        """Return the augmentation for words or for vectors."""
        if self.preprocessor is not None:
            return super().make_augmentation()
        corrupt = TokenCorruption(self.corruption_rate)
        return self._compose({"corrupt": corrupt, "drop": TokenDrop(fill=UNKNOWN)})

    @property
    def _n_ids(self) -> int:
        """Number of ids, including padding."""
        if self.tokenizer == "subwords":
            return self.tokenizer_.get_vocab_size()
        return FIRST_WORD + len(self.vectorizer_.vocabulary_)

    def _list_ids(self, texts: list[str]) -> NDArray[np.int32]:
        """Return the ids of each text, padded."""
        if self.tokenizer == "subwords":
            return _pad(self._split_subwords(texts), self.n_tokens_)
        return _heaviest_words(self.vectorizer_.transform(texts), self.n_tokens_)

    def _fit_words(self, texts: list[str]) -> NDArray[np.int32]:
        """Learn the vocabulary; return the ids of each text, padded."""
        vectorizer = TfidfVectorizer(sublinear_tf=True, max_features=self.max_features)
        weights = vectorizer.fit_transform(texts)
        if (weights.getnnz(axis=0) > 1).any():
            weights = vectorizer.set_params(min_df=2).fit_transform(texts)
        self.vectorizer_ = vectorizer
        n_words = weights.getnnz(axis=1).max()
        self.n_tokens_ = int(np.clip(n_words, 1, self.n_tokens or MAX_WORDS))
        return _heaviest_words(weights, self.n_tokens_)

    def _fit_subwords(self, texts: list[str]) -> NDArray[np.int32]:
        """Learn the subwords; return the ids of each text, padded."""
        self.tokenizer_ = _train_tokenizer(texts, self.max_features)
        ids = self._split_subwords(texts)
        longest = max(map(len, ids))
        self.n_tokens_ = max(1, min(longest, self.n_tokens or MAX_SUBWORDS))
        return _pad(ids, self.n_tokens_)

    def _split_subwords(self, texts: list[str]) -> list[list[int]]:
        """Return the ids of each text, in lists of different lengths."""
        return [each.ids for each in self.tokenizer_.encode_batch(texts)]

    def _fit_vectors(self, texts: list[str]) -> None:
        self.vectorizer_ = clone(self.preprocessor).fit(texts)
        vectors = self.vectorizer_.transform(texts)
        self.reducer_ = fit_reducer(vectors, self.svd_dim, self.random_state)
        self.n_tokens_ = self.n_tokens or VECTOR_TOKENS


def _heaviest_words(weights: Any, n_tokens: int) -> NDArray[np.int32]:
    """Return the ids of each row's words of largest weight, by decreasing weight."""
    n_words = np.diff(weights.indptr)
    rows = np.repeat(np.arange(len(n_words)), n_words)
    order = np.lexsort((weights.indices, -weights.data, rows))
    ranks = np.arange(len(rows)) - np.repeat(weights.indptr[:-1], n_words)
    kept = ranks < n_tokens
    ids = np.full((len(n_words), n_tokens), PADDING, dtype=np.int32)
    ids[rows[kept], ranks[kept]] = FIRST_WORD + weights.indices[order][kept]
    ids[n_words == 0, 0] = UNKNOWN
    return ids


def _count_ids(ids: NDArray[np.int32], n_ids: int) -> Any:
    """Return how often each word or subword id occurs in each text."""
    rows, places = np.nonzero(ids >= FIRST_WORD)
    ones = np.ones(len(rows), dtype=np.float32)
    return sparse.csr_matrix((ones, (rows, ids[rows, places])), (len(ids), n_ids))


def _analyse(counts: Any, n_directions: int, random_state: RandomState) -> Array:
    """Return the coordinates of each id by latent semantic analysis."""
    weights = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    n_directions = min(n_directions, *counts.shape)
    _, scale, directions = randomized_svd(
        weights, n_directions, random_state=random_state
    )
    directions[:, counts.getnnz(axis=0) == 0] = 0.0  # only rounding errors there
    return directions.T * scale


def _train_tokenizer(texts: list[str], vocab_size: int) -> Any:
    """Train byte-pair encoding on texts; id 0 is padding, id 1 is unknown."""
    try:
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    except ImportError as error:
        raise ImportError(
            "tokenizer='subwords' needs tokenizers: pip install 'skcoral[text]'."
        ) from error
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        special_tokens=["[PAD]", "[UNK]"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _pad(rows: list[list[int]], n_tokens: int) -> NDArray[np.int32]:
    """Return lists of ids as an array, truncated and padded; UNKNOWN if empty."""
    ids = np.full((len(rows), n_tokens), PADDING, dtype=np.int32)
    for row, values in enumerate(rows):
        values = values[:n_tokens] or [UNKNOWN]
        ids[row, : len(values)] = values
    return ids


def _read_texts(block: Any) -> tuple[list[str], int]:
    """Return a list of str, "" where missing, and the number of columns."""
    columns = read_columns(block)
    for name, values in columns.items():
        _check_texts(name, values)
    parts = [["" if v is None else v for v in _to_objects(c)] for c in columns.values()]
    return [" ".join(row).strip() for row in zip(*parts, strict=True)], len(columns)


def _to_objects(values: Array) -> Any:
    return [None] * len(values) if is_empty(values) else values


def _check_texts(name: Any, values: Array) -> None:
    for row, value in enumerate(np.asarray(_to_objects(values)).tolist()):
        if value is not None and not isinstance(value, str):
            raise TypeError(
                f"Column {name!r} must hold strings or missing values. Got {value!r} "
                f"of type {type(value).__name__!r} in row {row}."
            )
