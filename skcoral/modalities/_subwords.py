"""Subwords: byte-pair encoding, trained on texts with `tokenizers`."""

import re
from typing import Any

from skcoral.modalities._words import fold

SPECIAL = ["[PAD]", "[UNK]"]
# Longer words are cut: the time of training grows with the square of their length.
LONG_WORD = re.compile(r"\S{100}")


def train_tokenizer(texts: list[str], vocab_size: int) -> Any:
    """Train byte-pair encoding on texts; id 0 is padding, id 1 is unknown.

    Parameters
    ----------
    texts : list of str
        The texts.

    vocab_size : int
        Maximum number of subwords. If there are more letters than that, as in Chinese,
        the most frequent ones are kept.

    Returns
    -------
    tokenizers.Tokenizer
        The trained tokenizer of folded texts.

    Raises
    ------
    ImportError
        If `tokenizers` is not installed.
    """
    try:
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    except ImportError as error:
        raise ImportError(
            "tokenizer='subwords' needs tokenizers: pip install 'skcoral[text]'."
        ) from error
    tokenizer = Tokenizer(models.BPE(unk_token=SPECIAL[1]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        limit_alphabet=max(1, vocab_size - len(SPECIAL)),
        special_tokens=SPECIAL,
        show_progress=False,
    )
    tokenizer.train_from_iterator(map(_prepare, texts), trainer)
    return tokenizer


def split_subwords(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    """Return the ids of each text's subwords, in lists of different lengths."""
    return [each.ids for each in tokenizer.encode_batch(list(map(_prepare, texts)))]


def read_tokenizer(content: str) -> Any:
    """Return a tokenizer from its JSON."""
    from tokenizers import Tokenizer

    return Tokenizer.from_str(content)


def _prepare(text: str) -> str:
    """Return a folded text without words of endless length."""
    return LONG_WORD.sub(r"\g<0> ", fold(text))
