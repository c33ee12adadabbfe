"""Modality specs: how a kind of block becomes an array, its encoder and its views."""

from skcoral.modalities.embedding import EmbeddingModality
from skcoral.modalities.tabular import TabularModality
from skcoral.modalities.text import TextModality

KINDS = {
    "tabular": TabularModality,
    "text": TextModality,
    "embedding": EmbeddingModality,
}

__all__ = ["KINDS", "EmbeddingModality", "TabularModality", "TextModality"]
