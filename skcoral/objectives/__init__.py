"""Objectives: what a method minimises, as projection heads and named loss terms."""

from skcoral.objectives.base import Objective, ProjectionHead
from skcoral.objectives.comm import CoMMObjective, InfMaskingObjective
from skcoral.objectives.coral import COrALObjective
from skcoral.objectives.cross import (
    CrossObjective,
    CrossSelfObjective,
    SimCLRObjective,
)
from skcoral.objectives.disentangled import DisentangledSSLObjective
from skcoral.objectives.factorcl import FactorCLObjective
from skcoral.objectives.gmc import GMCObjective
from skcoral.objectives.supervised import SupervisedObjective

__all__ = [
    "COrALObjective",
    "CoMMObjective",
    "CrossObjective",
    "CrossSelfObjective",
    "DisentangledSSLObjective",
    "FactorCLObjective",
    "GMCObjective",
    "InfMaskingObjective",
    "Objective",
    "ProjectionHead",
    "SimCLRObjective",
    "SupervisedObjective",
]
