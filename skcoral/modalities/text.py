"""Texts: raw strings as words with learned embeddings, or as vectors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from scipy import sparse
from sklearn.base import clone

from skcoral._constraints import POSITIVE_INT
from skcoral._input.errors import naming_preprocessor
from skcoral._sklearn_compat import StrOptions
from skcoral._types import Array, RandomState
from skcoral.augmentations import Augmentation, TokenCorruption, TokenDrop
from skcoral.modalities._ids import UNKNOWN
from skcoral.modalities._static_vectors import choose_vectors
from skcoral.modalities._texts import (
    MAX_UNKNOWN,
    describe_unknown,
    is_text,
    join_tags,
    read_documents,
)
from skcoral.modalities._tokens import TokensMixin
from skcoral.modalities._vocabulary import make_ngrams
from skcoral.modalities._words import Document, split_words
from skcoral.modalities.base import (
    BaseModality,
    fit_reducer,
    read_matrix,
    reduce_vectors,
)
from skcoral.nn.encoders.embedding import VectorEncoder
from skcoral.nn.encoders.text import TokenEncoder
from skcoral.nn.linear_path import ColumnPath, TokenPath
from skcoral.pretrained import MODEL, wrap_model

# Number of tokens per vector if n_tokens is None.
VECTOR_TOKENS = 8


class TextModality(TokensMixin, BaseModality):
    """Raw strings, with one token per word: learnt from these texts, or known before.

    The words of a text, in any language, with the largest TF-IDF weights become its
    tokens. Their embeddings are initialised by latent semantic analysis, so that words
    that occur in the same texts start out similar, and are trained with the rest of the
    network. Missing and empty strings are allowed. In a column of lists of strings,
    each string is one word: a tag.

    With static vectors (extra ``words``), words are known from other texts: the mean of
    the vectors of its tokens stands for a text, so that words of no training text count
    too, and a small network turns it into tokens. Nothing is downloaded.

    Parameters
    ----------
    tokenizer : {"words", "subwords", "ngrams"}, default="words"
        Tokens are words, those of largest TF-IDF weight first, or the first subwords of
        a text. Subwords come from byte-pair encoding, trained on the column with
        `tokenizers` (extra ``text``); they suit languages with long compound words, and
        text with typing errors. "ngrams" takes the runs of three and four letters
        within words, and the latent semantic analysis of their TF-IDF stands for a
        text: for short texts, which share stems more often than words.

    vectors : "auto", "wordllama", path or None, default="auto"
        Static vectors to take in place of words and latent semantic analysis.
        "wordllama" takes those in the wheel of that package, of English. "auto" does so
        if it is installed and has at least half of the words of the texts as a whole,
        not in pieces: it then knows their language, and they are no names. A path leads
        to a folder with a ``tokenizer.json`` and one ``*.safetensors`` file with a row
        for each token, as model2vec and sentence-transformers write it for static
        models. None does without.

    encoder : object with `encode` or `transform`, str or path, default=None
        A frozen model of whole texts, such as a sentence-transformers model or the
        local path of one (extra ``pretrained``), whose vectors replace the words: a
        short form of ``preprocessor=PretrainedEncoder(encoder)``. Clones share it.

    n_tokens : int or None, default=None
        Maximum number of tokens per text. None takes 32 words, 64 subwords, or 8 tokens
        for a vector, be it the mean of static ones or that of an `encoder` or a
        `preprocessor`.

    max_features : int, default=20_000
        Maximum size of the vocabulary, in words or runs of letters, of which the most
        frequent are kept, or in subwords. Words that occur in a single text are left
        out if there are others, as they carry no information about other texts.

    svd_dim : int, default=128
        Number of dimensions of the latent semantic analysis, a truncated SVD of TF-IDF,
        and of sparse vectors of a `preprocessor` after reduction. At most the size of
        the vocabulary and the number of rows.

    augmentation : {"corrupt", "drop", "noise"}, sequence of these or callable, \
            default="corrupt"
        How views are made; see :class:`TabularModality`. "corrupt" replaces words by
        words of other texts, "drop" blanks words, and "noise" is only for vectors,
        whose components are replaced and blanked.

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
    vectors_ : str or None
        The static vectors in use, None where there are none.

    vectorizer_ : TfidfVectorizer or transformer
        The vocabulary and its weights, the static vectors, or the fitted `encoder` or
        `preprocessor`.

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

    What is fitted holds a copy of the static vectors, 18 MB of wordllama: its features
    are the same where these are not installed, but it needs `tokenizers` there. Texts
    are normalised and folded as words are before they are cut into tokens.

    An estimator warns if more than half of the texts that it gets in one call, and ten
    or more, have no known word; only the first 32,768 rows are looked at. It does not
    for arrays that are memory-mapped.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoral import TextModality
    >>> texts = np.array(["a red car", "a blue car", None, ""], dtype=object)
    >>> TextModality(vectors=None).fit(texts).transform(texts)
    array([[2, 3], [2, 3], [1, 0], [1, 0]], dtype=int32)
    """

    reads_strings = True

    _parameter_constraints = {
        **BaseModality._parameter_constraints,
        "tokenizer": [StrOptions({"words", "subwords", "ngrams"})],
        "vectors": [str, Path, None],
        "encoder": [*MODEL, None],
        "n_tokens": [*POSITIVE_INT, None],
        "max_features": POSITIVE_INT,
        "svd_dim": POSITIVE_INT,
    }

    def __init__(
        self,
        *,
        tokenizer: Literal["words", "subwords", "ngrams"] = "words",
        vectors: str | Path | None = "auto",
        encoder: Any = None,
        n_tokens: int | None = None,
        max_features: int = 20_000,
        svd_dim: int = 128,
        augmentation: str | Sequence[str] | Augmentation = "corrupt",
        corruption_rate: float = 0.5,
        preprocessor: Any = None,
        random_state: RandomState = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.vectors = vectors
        self.encoder = encoder
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
        return is_text(values)

    def fit(self, block: Any, y: None = None) -> Self:
        """Learn the words of the texts, or the scale of their vectors.

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
            If no text contains a word, if two parameters say what replaces the words,
            or if static vectors are damaged or do not fit their tokenizer.

        ImportError
            If what a parameter asks for is not installed.
        """
        self._validate_params()
        self._check_sources()
        documents, names = read_documents(block)
        self.n_columns_in_ = len(names)
        self.vectors_ = None
        if not self._is_given:
            self._check_words(documents, names)
        vectorizer = self._choose_vectorizer(documents)
        self.make_augmentation()
        if vectorizer is None:
            self._fit_tokens(documents)
        else:
            self._fit_vectors(vectorizer, documents)
        return self

    def transform(self, block: Any) -> Array:
        """Return the texts as ids of words, or as vectors.

        Parameters
        ----------
        block : data frame, or ndarray of shape (n_samples,) or (n_samples, n_columns)
            Columns as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_tokens), int32
            Ids of words by decreasing weight, or of subwords in order: 0 is padding, 1
            marks a text without known words, words start at 2. With an `encoder` or a
            `preprocessor`, standardised vectors of shape (n_samples, n_features),
            float32.

        Raises
        ------
        TypeError
            If a value is neither a string nor a list of strings.
        """
        documents, names = read_documents(block)
        self._check_fitted_width(len(names))
        if not self._reads_vectors:
            return self._list_ids(documents)
        vectors = self._vectorise(documents)
        return np.asarray(reduce_vectors(self.reducer_, vectors), dtype=np.float32)

    def remark(self, block: Any, values: Array) -> str | None:
        """Return a warning if most texts of a transformed block have no known word.

        Parameters
        ----------
        block : data frame, or ndarray of shape (n_samples,) or (n_samples, n_columns)
            The texts.

        values : ndarray of shape (n_samples, n_tokens) or (n_samples, n_features)
            Their ids or vectors.

        Returns
        -------
        str or None
            None if more than half of the texts have a known word, or if there are fewer
            than ten.
        """
        if self._is_given:
            return None
        nothing = self.transform(np.full((1, self.n_columns_in_), "", dtype=object))
        unknown = (values == nothing).all(axis=1)
        if unknown.mean() <= MAX_UNKNOWN:
            return None
        return describe_unknown(*read_documents(block), unknown)

    def make_encoder(self, embed_dim: int) -> TokenEncoder | VectorEncoder:
        """Return the encoder for words or vectors, of width `embed_dim`."""
        if self._reads_vectors:
            n_features = self.reducer_[-1].n_features_in_
            return VectorEncoder(n_features, embed_dim, self.n_tokens_)
        return self._make_token_encoder(embed_dim)

    def make_linear_path(
        self, embed_dim: int, unique_dim: int
    ) -> TokenPath | ColumnPath:
        """Return the linear path of the mean word, or of vectors."""
        if self._reads_vectors:
            return ColumnPath(self.reducer_[-1].n_features_in_, [], unique_dim)
        return TokenPath(embed_dim, unique_dim)

    def make_augmentation(self) -> Augmentation:
        """Return the augmentation for words or for vectors."""
        if self._reads_vectors:
            return super().make_augmentation()
        corrupt = TokenCorruption(self.corruption_rate)
        return self._compose({"corrupt": corrupt, "drop": TokenDrop(fill=UNKNOWN)})

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        """Return the constructor call, with the vectors that "auto" has chosen."""
        if not self._is_static:
            return super().__repr__(N_CHAR_MAX)
        chosen = clone(self).set_params(vectors=self.vectors_)
        return super(TextModality, chosen).__repr__(N_CHAR_MAX)

    def _check_sources(self) -> None:
        """Raise ValueError if two parameters say what becomes of the texts."""
        others = {
            f"{name}={getattr(self, name)!r}"
            for name in ("encoder", "preprocessor")
            if getattr(self, name) is not None
        }
        if len(others) > 1:
            raise ValueError(
                "TextModality takes an 'encoder' or a 'preprocessor', not both."
            )
        if self.tokenizer != "words":
            others.add(f"tokenizer={self.tokenizer!r}")
        if others and self.vectors not in ("auto", None):
            raise ValueError(
                "The 'vectors' parameter of TextModality must be 'auto' or None beside "
                f"{others.pop()}. Got {self.vectors!r} instead."
            )

    def _check_words(self, documents: list[Document], names: list[Any]) -> None:
        """Raise ValueError if there is nothing to learn from."""
        if not any(documents):
            raise ValueError("The text columns hold no text at all.")
        if self.tokenizer != "subwords" and not any(map(split_words, documents)):
            raise ValueError(
                f"Columns {names} hold no word, for example "
                f"{next(filter(None, documents))!r}. If these are categories, use "
                "'tabular'."
            )

    def _choose_vectorizer(self, documents: list[Document]) -> Any:
        """Return what turns texts into vectors; None if they become tokens."""
        given = self.preprocessor if self.encoder is None else wrap_model(self.encoder)
        if given is not None:
            return clone(given)
        if self.tokenizer == "ngrams":
            return make_ngrams(documents, self.max_features)
        if self.vectors is None or self.tokenizer != "words":
            return None
        static = choose_vectors(self.vectors, documents)
        self.vectors_ = None if static is None else static.name
        return static

    def _fit_vectors(self, vectorizer: Any, documents: list[Document]) -> None:
        with naming_preprocessor(vectorizer):
            self.vectorizer_ = vectorizer.fit(self._prepare(documents))
        vectors = self._vectorise(documents)
        self.reducer_ = fit_reducer(vectors, self.svd_dim, self.random_state)
        self.n_tokens_ = self.n_tokens or VECTOR_TOKENS

    def _vectorise(self, documents: list[Document]) -> Any:
        """Return the vectors of documents, dense or sparse."""
        with naming_preprocessor(self.vectorizer_):
            vectors = self.vectorizer_.transform(self._prepare(documents))
        return vectors if sparse.issparse(vectors) else read_matrix(vectors)

    def _prepare(self, documents: list[Document]) -> list[Any]:
        """Return what vectorizers read: documents if ours, texts in all other cases."""
        return documents if self._has_vocabulary else list(map(join_tags, documents))
