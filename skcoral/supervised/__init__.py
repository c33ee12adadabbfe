"""Predictors: COrAL's network with a supervised head, unlabelled rows welcome."""

from skcoral.supervised.classifier import COrALClassifier
from skcoral.supervised.regressor import COrALRegressor

__all__ = ["COrALClassifier", "COrALRegressor"]
