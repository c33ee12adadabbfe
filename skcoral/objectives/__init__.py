"""Objectives: what a method minimises, as projection heads and named loss terms."""

from skcoral.objectives.base import Objective, ProjectionHead
from skcoral.objectives.comm import CoMMObjective, InfMaskingObjective
from skcoral.objectives.coral import COrALObjective
from skcoral.objectives.cross import (
    CrossObjective,
    CrossSelfObjective,
    SimCLRObjective,
)

__all__ = [
    "COrALObjective",
    "CoMMObjective",
    "CrossObjective",
    "CrossSelfObjective",
    "InfMaskingObjective",
    "Objective",
    "ProjectionHead",
    "SimCLRObjective",
]
