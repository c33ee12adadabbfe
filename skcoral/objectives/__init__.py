"""Objectives: what each method minimises, as projection heads and named loss terms.

There is one module per method; :class:`Objective` is the base class of all.
"""

from skcoral.objectives.base import Objective, ProjectionHead

__all__ = ["Objective", "ProjectionHead"]
