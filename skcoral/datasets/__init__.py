"""Data sets: bundled real data and generators with known interactions."""

from skcoral.datasets._generators import make_multimodal_interactions
from skcoral.datasets._movies import load_movies
from skcoral.datasets._trifeatures import make_trifeatures

__all__ = ["load_movies", "make_multimodal_interactions", "make_trifeatures"]
