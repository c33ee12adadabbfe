"""Texts: raw strings as TF-IDF vectors, reduced and cut into tokens."""

import numpy as np
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer

from skcoral._columns import read_columns
from skcoral._validation import POSITIVE_INT
from skcoral.encoders import VectorEncoder
from skcoral.modalities.base import BaseModality, fit_reducer, is_empty


class TextModality(BaseModality):
    """Raw strings as TF-IDF vectors, reduced and cut into a few tokens.

    Words and pairs of words are weighted by TF-IDF, reduced by a truncated SVD (latent
    semantic analysis) and standardised; a small network turns the vector into tokens.
    Nothing is downloaded. Missing and empty strings are allowed.

    Parameters
    ----------
    n_tokens : int, default=8
        Number of tokens that the encoder makes of a text.

    svd_dim : int, default=128
        Width of the reduced vectors; smaller where the vocabulary or the number of
        rows is.

    augmentation : {"corrupt", "noise", "drop"}, sequence of these or callable, \
            default="corrupt"
        How a view is made, see :class:`TabularModality`; it acts on the vectors.

    corruption_rate : float, default=0.5
        Probability that "corrupt" replaces a component.

    preprocessor : transformer, default=None
        A scikit-learn transformer from a list of strings to vectors, dense or sparse;
        it replaces the TF-IDF, and sparse vectors are reduced all the same.

    random_state : int, RandomState instance or None, default=None
        Seed of the SVD. None takes the seed of the estimator that holds the modality.

    Attributes
    ----------
    n_features_ : int
        Width of the vectors.

    n_columns_in_ : int
        Number of text columns seen in `fit`.

    Notes
    -----
    The texts of several columns are joined by a space.

    Examples
    --------
    >>> import numpy as np
    >>> from skcoral import TextModality
    >>> texts = np.array(["a red car", "a blue car", None, ""], dtype=object)
    >>> TextModality().fit(texts).transform(texts).shape
    (4, 3)
    """

    _parameter_constraints = {
        **BaseModality._parameter_constraints,
        "n_tokens": POSITIVE_INT,
        "svd_dim": POSITIVE_INT,
    }

    def __init__(
        self,
        *,
        n_tokens=8,
        svd_dim=128,
        augmentation="corrupt",
        corruption_rate=0.5,
        preprocessor=None,
        random_state=None,
    ):
        self.n_tokens = n_tokens
        self.svd_dim = svd_dim
        self.augmentation = augmentation
        self.corruption_rate = corruption_rate
        self.preprocessor = preprocessor
        self.random_state = random_state

    def fit(self, block, y=None):
        """Learn vocabulary, weights and reduction.

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
            If no text holds a word.
        """
        self._validate_params()
        self.make_augmentation()
        texts, self.n_columns_in_ = _read_texts(block)
        vectorizer = self.preprocessor
        if vectorizer is None:
            if not any(texts):
                raise ValueError("The text columns hold no text at all.")
            vectorizer = TfidfVectorizer(sublinear_tf=True, max_features=50_000)
        self.vectorizer_ = clone(vectorizer).fit(texts)
        vectors = self.vectorizer_.transform(texts)
        self.reducer_ = fit_reducer(vectors, self.svd_dim, self.random_state)
        self.n_features_ = self.reducer_[-1].n_features_in_
        return self

    def transform(self, block):
        """Return the texts as vectors.

        Parameters
        ----------
        block : data frame, or ndarray of shape (n_samples,) or (n_samples, n_columns)
            Columns as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32
            Standardised vectors.

        Raises
        ------
        TypeError
            If a value is not a string.
        """
        texts, n_columns = _read_texts(block)
        self._check_fitted_width(n_columns)
        vectors = self.reducer_.transform(self.vectorizer_.transform(texts))
        return np.asarray(vectors, dtype=np.float32)

    def make_encoder(self, embed_dim):
        """Return a :class:`~skcoral.encoders.VectorEncoder` of width `embed_dim`."""
        return VectorEncoder(self.n_features_, embed_dim, self.n_tokens)


def _read_texts(block):
    """Return a list of str, "" where missing, and the number of columns."""
    columns = read_columns(block)
    for name, values in columns.items():
        _check_texts(name, values)
    parts = [["" if v is None else v for v in _to_objects(c)] for c in columns.values()]
    return [" ".join(row).strip() for row in zip(*parts, strict=True)], len(columns)


def _to_objects(values):
    return [None] * len(values) if is_empty(values) else values


def _check_texts(name, values):
    for row, value in enumerate(np.asarray(_to_objects(values)).tolist()):
        if value is not None and not isinstance(value, str):
            raise TypeError(
                f"Column {name!r} must hold strings or missing values. Got {value!r} "
                f"of type {type(value).__name__!r} in row {row}."
            )
