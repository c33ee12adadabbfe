"""Modality specs: how a kind of block becomes an array, its encoder and its views."""

from skcoral.modalities.embedding import EmbeddingModality
from skcoral.modalities.image import ImageModality
from skcoral.modalities.sequence import SequenceModality
from skcoral.modalities.tabular import TabularModality
from skcoral.modalities.text import TextModality

KINDS = {
    "tabular": TabularModality,
    "text": TextModality,
    "embedding": EmbeddingModality,
    "image": ImageModality,
    "sequence": SequenceModality,
}

__all__ = [
    "KINDS",
    "EmbeddingModality",
    "ImageModality",
    "SequenceModality",
    "TabularModality",
    "TextModality",
]
