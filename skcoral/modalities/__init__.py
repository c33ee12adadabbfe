"""Modalities: how each kind of data becomes arrays, tokens and augmented views."""

from skcoral.modalities.base import BaseModality
from skcoral.modalities.embedding import EmbeddingModality
from skcoral.modalities.image import ImageModality
from skcoral.modalities.sequence import SequenceModality
from skcoral.modalities.tabular import TabularModality
from skcoral.modalities.text import TextModality

# Kinds by name. "auto" asks them in this order whether they claim a column; images come
# before text, as paths of image files are strings too, and text before sequences, as
# tags are lists too.
KINDS: dict[str, type[BaseModality]] = {
    "tabular": TabularModality,
    "embedding": EmbeddingModality,
    "image": ImageModality,
    "text": TextModality,
    "sequence": SequenceModality,
}

__all__ = [
    "KINDS",
    "BaseModality",
    "EmbeddingModality",
    "ImageModality",
    "SequenceModality",
    "TabularModality",
    "TextModality",
]
