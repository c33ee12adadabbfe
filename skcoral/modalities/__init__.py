"""Modalities: how a kind of block becomes an array, its encoder and its views."""

from skcoral.modalities.embedding import EmbeddingModality
from skcoral.modalities.image import ImageModality
from skcoral.modalities.sequence import SequenceModality
from skcoral.modalities.tabular import TabularModality
from skcoral.modalities.text import TextModality

# Kinds by their word. "auto" asks them in this order whether they claim a column: the
# path of an image is a string too.
KINDS = {
    "tabular": TabularModality,
    "embedding": EmbeddingModality,
    "image": ImageModality,
    "sequence": SequenceModality,
    "text": TextModality,
}

__all__ = [
    "KINDS",
    "EmbeddingModality",
    "ImageModality",
    "SequenceModality",
    "TabularModality",
    "TextModality",
]
