"""Vocabularies: the words of texts and their weights, as a vectorizer."""

import copy
import json
from collections.abc import Callable
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer

from skcoral.modalities._words import (
    Document,
    split_letters,
    split_pieces,
    split_words,
)

# Words are cut into pieces unless at least this share of the texts have a word that
# occurs in another text.
MIN_ALIKE = 0.5


def learn_vocabulary(
    documents: list[Document], max_features: int
) -> tuple[TfidfVectorizer, Any]:
    """Learn the words that texts share, or the pieces if they share hardly any word.

    Parameters
    ----------
    documents : list of str, list of str or tuple
        The texts, of which one at least has a word.

    max_features : int
        Maximum number of words.

    Returns
    -------
    vectorizer : TfidfVectorizer
        The fitted vectorizer. Words of a single text are left out if there are others.

    weights : sparse matrix of shape (n_texts, n_words)
        The weights of the words of each text.
    """
    vectorizer, weights = _weigh(documents, max_features, split_words)
    if _share_alike(weights) < MIN_ALIKE:
        pieces = _weigh(documents, max_features, split_pieces)
        if _share_alike(pieces[1]) >= MIN_ALIKE:
            vectorizer, weights = pieces
    if _find_min_df(weights) > 1:
        weights = vectorizer.set_params(min_df=2).fit_transform(documents)
    return vectorizer, weights


def make_ngrams(documents: list[Document], max_features: int) -> TfidfVectorizer:
    """Return a vectorizer, not fitted yet, of the runs of letters that texts share.

    Parameters
    ----------
    documents : list of str, list of str or tuple
        The texts, of which one at least has a word.

    max_features : int
        Maximum number of runs.

    Returns
    -------
    TfidfVectorizer
        The vectorizer. Runs of a single text will be left out if there are others.
    """
    vectorizer, weights = _weigh(documents, max_features, split_letters)
    return vectorizer.set_params(min_df=_find_min_df(weights))


def _find_min_df(weights: Any) -> int:
    """Return 2 if texts share anything, else 1."""
    return 2 if (weights.getnnz(axis=0) > 1).any() else 1


def pack_vocabulary(vectorizer: TfidfVectorizer) -> TfidfVectorizer:
    """Return a copy whose vocabulary is the JSON of its words, by their ids."""
    ids = vectorizer.vocabulary_
    return _with_vocabulary(vectorizer, json.dumps(sorted(ids, key=ids.get)))


def unpack_vocabulary(vectorizer: TfidfVectorizer) -> TfidfVectorizer:
    """Return the vectorizer that `pack_vocabulary` has made a copy of."""
    words = json.loads(vectorizer.vocabulary_)
    return _with_vocabulary(vectorizer, {word: i for i, word in enumerate(words)})


def _weigh(
    documents: list[Document],
    max_features: int,
    analyzer: Callable[[Document], list[str]],
) -> tuple[TfidfVectorizer, Any]:
    """Return a vectorizer of all words, fitted, and the weights of these."""
    vectorizer = TfidfVectorizer(
        analyzer=analyzer, sublinear_tf=True, max_features=max_features
    )
    return vectorizer, vectorizer.fit_transform(documents)


def _share_alike(weights: Any) -> float:
    """Return the share of the texts that have a word of another text."""
    shared = weights[:, weights.getnnz(axis=0) > 1]
    return (shared.getnnz(axis=1) > 0).sum() / (weights.getnnz(axis=1) > 0).sum()


def _with_vocabulary(vectorizer: TfidfVectorizer, vocabulary: Any) -> TfidfVectorizer:
    """Return a copy of a vectorizer with its vocabulary in another form."""
    made = copy.copy(vectorizer)
    made.vocabulary_ = vocabulary
    return made
