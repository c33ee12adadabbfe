"""Data sets: bundled real data and generators with known interactions."""

from skcoral.datasets._generators import make_multimodal_interactions
from skcoral.datasets._movies import load_movies
from skcoral.datasets._trifeatures import make_trifeatures
from skcoral.datasets._vectors import (
    make_disentangled_vectors,
    make_factorcl_vectors,
    make_pid_vectors,
)

__all__ = [
    "load_movies",
    "make_disentangled_vectors",
    "make_factorcl_vectors",
    "make_multimodal_interactions",
    "make_pid_vectors",
    "make_trifeatures",
]
