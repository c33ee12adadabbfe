"""Objectives: what a method minimises, as projection heads and named loss terms."""

from skcoral.objectives.base import Objective, ProjectionHead
from skcoral.objectives.coral import COrALObjective

__all__ = ["COrALObjective", "Objective", "ProjectionHead"]
