"""Texts: raw strings as words with learned embeddings, or as vectors."""

import reprlib
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.preprocessing import normalize

from skcoral._constraints import POSITIVE_INT
from skcoral._input.errors import naming_preprocessor
from skcoral._sklearn_compat import StrOptions
from skcoral._types import Array, RandomState
from skcoral.augmentations import Augmentation, TokenCorruption, TokenDrop
from skcoral.modalities._ids import (
    FIRST_WORD,
    UNKNOWN,
    count_ids,
    find_directions,
    list_heaviest,
    pad_ids,
)
from skcoral.modalities._subwords import (
    read_tokenizer,
    split_subwords,
    train_tokenizer,
)
from skcoral.modalities._texts import are_tags, join_tags, read_documents
from skcoral.modalities._vocabulary import (
    learn_vocabulary,
    pack_vocabulary,
    unpack_vocabulary,
)
from skcoral.modalities._words import (
    Document,
    count_words,
    split_words,
)
from skcoral.modalities.base import (
    BaseModality,
    fit_reducer,
    read_matrix,
    reduce_vectors,
)
from skcoral.nn.encoders.embedding import VectorEncoder
from skcoral.nn.encoders.text import TokenEncoder

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
# A warning says that more than this share of the texts have no known word, if there are
# at least this many texts.
MAX_UNKNOWN = 0.5
MIN_TEXTS = 10


class TextModality(BaseModality):
    """Raw strings, with one token per word and embeddings learnt from these texts.

    The words of a text, in any language, with the largest TF-IDF weights become its
    tokens. Their embeddings are initialised by latent semantic analysis, so that words
    that occur in the same texts start out similar, and are trained with the rest of the
    network. Nothing is downloaded. Missing and empty strings are allowed. In a column
    of lists of strings, each string is one word: a tag.

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

    A word is a run of letters, digits and combining marks, of one letter even, after
    NFKC normalisation and case folding; emoji and other signs are words too. Scripts
    without spaces between words (Chinese, Japanese, Thai, Khmer, Lao, Burmese), and
    Korean, are cut into overlapping pairs of letters. Where less than half of the texts
    have a word that another one has, words are cut into pieces of three letters, if
    more texts have these in common.

    An estimator warns if more than half of the texts that it gets in one call, and ten
    or more, have no known word; only the first 32,768 rows are looked at. It does not
    for arrays that are memory-mapped.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoral import TextModality
    >>> texts = np.array(["a red car", "a blue car", None, ""], dtype=object)
    >>> TextModality().fit(texts).transform(texts)
    array([[2, 3], [2, 3], [1, 0], [1, 0]], dtype=int32)
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
        """Return whether a column holds tags, or free text rather than categories."""
        if values.dtype != object:
            return False
        present = [value for value in values.tolist() if isinstance(value, str)]
        if not present:
            return are_tags([value for value in values if value is not None])
        n_words = np.mean([count_words(value) for value in present])
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
            If a value is neither a string nor a list of strings.

        ValueError
            If no text contains a word.
        """
        self._validate_params()
        self.make_augmentation()
        documents, names = read_documents(block)
        self.n_columns_in_ = len(names)
        if self.preprocessor is not None:
            self._fit_vectors(list(map(join_tags, documents)))
            return self
        if not any(documents):
            raise ValueError("The text columns hold no text at all.")
        if self.tokenizer == "words" and not any(map(split_words, documents)):
            raise ValueError(
                f"Columns {names} hold no word, for example "
                f"{next(filter(None, documents))!r}. If these are categories, use "
                "'tabular'."
            )
        fit = self._fit_words if self.tokenizer == "words" else self._fit_subwords
        counts = count_ids(fit(documents), self._n_ids)
        self.token_vectors_ = find_directions(counts, self.svd_dim, self.random_state)
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
            If a value is neither a string nor a list of strings.
        """
        documents, names = read_documents(block)
        self._check_fitted_width(len(names))
        if self.preprocessor is None:
            return self._list_ids(documents)
        vectors = self._vectorise(list(map(join_tags, documents)))
        return np.asarray(reduce_vectors(self.reducer_, vectors), dtype=np.float32)

    def remark(self, block: Any, values: Array) -> str | None:
        """Return a warning if most texts of a transformed block have no known word.

        Parameters
        ----------
        block : data frame, or ndarray of shape (n_samples,) or (n_samples, n_columns)
            The texts.

        values : ndarray of shape (n_samples, n_tokens)
            Their ids.

        Returns
        -------
        str or None
            None if more than half of the texts have a known word, or if there are fewer
            than ten.
        """
        unknown = ~(values >= FIRST_WORD).any(axis=1)
        if self.preprocessor is not None or unknown.mean() <= MAX_UNKNOWN:
            return None
        documents, names = read_documents(block)
        filled = np.array(list(map(bool, documents)))
        n_texts, n_unknown = int(filled.sum()), int((unknown & filled).sum())
        if n_texts < MIN_TEXTS or n_unknown <= MAX_UNKNOWN * n_texts:
            return None
        example = documents[int((unknown & filled).argmax())]
        return (
            f"{n_unknown} of {n_texts} texts in columns {names} have no known word, "
            f"for example {reprlib.repr(example)}, so that their features are all "
            "alike. Known are words that fit has seen, in two texts or more if any "
            "were."
        )

    def __getstate__(self) -> dict[str, Any]:
        """Return the state; a tokenizer, and the words of a vocabulary, as JSON."""
        state = dict(super().__getstate__())
        if "tokenizer_" in state:
            state["tokenizer_"] = self.tokenizer_.to_str()
        if "vectorizer_" in state and self.preprocessor is None:
            state["vectorizer_"] = pack_vocabulary(self.vectorizer_)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state."""
        super().__setstate__(state)
        if "tokenizer_" in state:
            self.tokenizer_ = read_tokenizer(state["tokenizer_"])
        if "vectorizer_" in state and self.preprocessor is None:
            self.vectorizer_ = unpack_vocabulary(state["vectorizer_"])

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

    def _list_ids(self, documents: list[Document]) -> NDArray[np.int32]:
        """Return the ids of each document, padded."""
        if self.tokenizer == "subwords":
            ids = split_subwords(self.tokenizer_, list(map(join_tags, documents)))
            return pad_ids(ids, self.n_tokens_)
        return list_heaviest(self.vectorizer_.transform(documents), self.n_tokens_)

    def _fit_words(self, documents: list[Document]) -> NDArray[np.int32]:
        """Learn the vocabulary; return the ids of each document, padded."""
        self.vectorizer_, weights = learn_vocabulary(documents, self.max_features)
        n_words = weights.getnnz(axis=1).max()
        self.n_tokens_ = int(np.clip(n_words, 1, self.n_tokens or MAX_WORDS))
        return list_heaviest(weights, self.n_tokens_)

    def _fit_subwords(self, documents: list[Document]) -> NDArray[np.int32]:
        """Learn the subwords; return the ids of each document, padded."""
        texts = list(map(join_tags, documents))
        self.tokenizer_ = train_tokenizer(texts, self.max_features)
        ids = split_subwords(self.tokenizer_, texts)
        longest = max(map(len, ids))
        self.n_tokens_ = max(1, min(longest, self.n_tokens or MAX_SUBWORDS))
        return pad_ids(ids, self.n_tokens_)

    def _fit_vectors(self, texts: list[str]) -> None:
        with naming_preprocessor(self.preprocessor):
            self.vectorizer_ = clone(self.preprocessor).fit(texts)
        vectors = self._vectorise(texts)
        self.reducer_ = fit_reducer(vectors, self.svd_dim, self.random_state)
        self.n_tokens_ = self.n_tokens or VECTOR_TOKENS

    def _vectorise(self, texts: list[str]) -> Any:
        """Return the vectors of the preprocessor, dense or sparse."""
        with naming_preprocessor(self.preprocessor):
            vectors = self.vectorizer_.transform(texts)
        return vectors if sparse.issparse(vectors) else read_matrix(vectors)
