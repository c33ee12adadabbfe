"""Tokens of texts: words or subwords, as ids."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import normalize

from skcoral._types import Array, RandomState
from skcoral.modalities._ids import (
    FIRST_WORD,
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
from skcoral.modalities._texts import join_tags
from skcoral.modalities._vocabulary import (
    learn_vocabulary,
    pack_vocabulary,
    unpack_vocabulary,
)
from skcoral.modalities._words import Document
from skcoral.nn.encoders.text import TokenEncoder

# Number of tokens per text if n_tokens is None: words, or subwords.
MAX_WORDS = 32
MAX_SUBWORDS = 64


class TokensMixin:
    """What a modality of texts learns where texts become tokens, and its state."""

    tokenizer: str
    vectors: str | Path | None
    encoder: Any
    preprocessor: Any
    n_tokens: int | None
    max_features: int
    svd_dim: int
    random_state: RandomState
    vectors_: str | None
    vectorizer_: Any
    tokenizer_: Any
    token_vectors_: Array
    n_tokens_: int

    def __getstate__(self) -> dict[str, Any]:
        """Return the state; a tokenizer, and the words of a vocabulary, as JSON."""
        state: Any = super().__getstate__()
        state = dict(state)
        if "tokenizer_" in state:
            state["tokenizer_"] = self.tokenizer_.to_str()
        if "vectorizer_" in state and self._has_vocabulary:
            state["vectorizer_"] = pack_vocabulary(self.vectorizer_)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state; one of an older version knows no vectors."""
        super().__setstate__(  # type: ignore[misc]
            {"vectors": None, "encoder": None, **state}
        )
        if "tokenizer_" in state:
            self.tokenizer_ = read_tokenizer(state["tokenizer_"])
        if "vectorizer_" in state and self._has_vocabulary:
            self.vectorizer_ = unpack_vocabulary(state["vectorizer_"])

    def _fit_tokens(self, documents: list[Document]) -> None:
        """Learn the tokens of texts, and where their vectors start."""
        fit = self._fit_words if self.tokenizer == "words" else self._fit_subwords
        counts = count_ids(fit(documents), self._n_ids)
        self.token_vectors_ = find_directions(counts, self.svd_dim, self.random_state)

    def vectorize(self, values: Array, mask: Array | None) -> dict[str, Any]:
        """Return how often a text has each token, or its vector.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_tokens) or (n_samples, n_features)
            Rows of what `transform` returns.

        mask : ndarray of shape (n_samples, 1) or None
            Not used.

        Returns
        -------
        dict of str to ndarray or sparse matrix of shape (n_samples, n_features)
            The kind "words", or "values" where texts are vectors.
        """
        if self._reads_vectors:
            return {"values": values}
        return {"words": count_ids(values, self._n_ids)[:, FIRST_WORD:]}

    def _make_token_encoder(self, embed_dim: int) -> TokenEncoder:
        """Return the encoder of tokens, of width `embed_dim`."""
        # Of equal length: the direction is what is known about a rare word.
        start = normalize(self.token_vectors_[:, :embed_dim])
        return TokenEncoder(self._n_ids, embed_dim, start * np.sqrt(start.shape[1]))

    @property
    def _is_given(self) -> bool:
        """Whether a transformer of the user replaces the words."""
        return self.encoder is not None or self.preprocessor is not None

    @property
    def _is_static(self) -> bool:
        """Whether texts become the means of static vectors."""
        return getattr(self, "vectors_", None) is not None

    @property
    def _has_vocabulary(self) -> bool:
        """Whether there is a vocabulary of these texts."""
        return not (self._is_given or self._is_static)

    @property
    def _reads_vectors(self) -> bool:
        """Whether a text becomes one vector, not tokens."""
        return not self._has_vocabulary or self.tokenizer == "ngrams"

    @property
    def _n_ids(self) -> int:
        """Number of ids, including padding."""
        if self.tokenizer == "subwords":
            return self.tokenizer_.get_vocab_size()
        return FIRST_WORD + len(self.vectorizer_.vocabulary_)

    def _list_ids(self, documents: list[Document]) -> NDArray[np.int32]:
        """Return the ids of each document, padded."""
        if self.tokenizer == "words":
            return list_heaviest(self.vectorizer_.transform(documents), self.n_tokens_)
        texts = list(map(join_tags, documents))
        return pad_ids(split_subwords(self.tokenizer_, texts), self.n_tokens_)

    def _set_n_tokens(self, longest: int, default: int) -> None:
        """Bound the number of tokens by that of the longest text."""
        self.n_tokens_ = int(np.clip(longest, 1, self.n_tokens or default))

    def _fit_words(self, documents: list[Document]) -> NDArray[np.int32]:
        """Learn the vocabulary; return the ids of each document, padded."""
        self.vectorizer_, weights = learn_vocabulary(documents, self.max_features)
        self._set_n_tokens(weights.getnnz(axis=1).max(), MAX_WORDS)
        return list_heaviest(weights, self.n_tokens_)

    def _fit_subwords(self, documents: list[Document]) -> NDArray[np.int32]:
        """Learn the subwords; return the ids of each document, padded."""
        texts = list(map(join_tags, documents))
        self.tokenizer_ = train_tokenizer(texts, self.max_features)
        ids = split_subwords(self.tokenizer_, texts)
        self._set_n_tokens(max(map(len, ids)), MAX_SUBWORDS)
        return pad_ids(ids, self.n_tokens_)
