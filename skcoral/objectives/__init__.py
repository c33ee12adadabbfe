"""Objectives: what a method minimises, as projection heads and named loss terms.

One module a method; :class:`Objective` is what they have in common.
"""

from skcoral.objectives.base import Objective, ProjectionHead

__all__ = ["Objective", "ProjectionHead"]
