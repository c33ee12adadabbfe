"""Components: groups of columns that labels weigh, and linear models of them."""

from skcoral.components.classifier import ComponentRidgeClassifier
from skcoral.components.ridge import ComponentRidge
from skcoral.components.scaler import ComponentScaler

__all__ = ["ComponentRidge", "ComponentRidgeClassifier", "ComponentScaler"]
