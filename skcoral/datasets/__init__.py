"""Data sets: real data in the package, generators, and readers of benchmark files."""

from skcoral.datasets._affect import load_affect
from skcoral.datasets._generators import make_multimodal_interactions
from skcoral.datasets._mimic import load_mimic
from skcoral.datasets._movies import load_movies
from skcoral.datasets._trifeatures import make_trifeatures
from skcoral.datasets._vectors import (
    make_disentangled_vectors,
    make_factorcl_vectors,
    make_pid_vectors,
)
from skcoral.datasets._vision_touch import load_vision_touch

__all__ = [
    "load_affect",
    "load_mimic",
    "load_movies",
    "load_vision_touch",
    "make_disentangled_vectors",
    "make_factorcl_vectors",
    "make_multimodal_interactions",
    "make_pid_vectors",
    "make_trifeatures",
]
