"""Scikit-learn compatible self-supervised learning for multimodal tables."""

from skcoral.components import (
    ComponentRidge,
    ComponentRidgeClassifier,
    ComponentScaler,
)
from skcoral.methods.classifier import COrALClassifier
from skcoral.methods.comm import CoMMTransformer, InfMaskingTransformer
from skcoral.methods.coral import COrALTransformer
from skcoral.methods.cross import CrossSelfTransformer, CrossTransformer
from skcoral.methods.disentangled import DisentangledSSLTransformer
from skcoral.methods.factorcl import FactorCLTransformer
from skcoral.methods.gmc import GMCTransformer
from skcoral.methods.indiseek import IndiSeekTransformer
from skcoral.methods.regressor import COrALRegressor
from skcoral.methods.repercent import RePercENTTransformer
from skcoral.methods.simclr import SimCLRTransformer
from skcoral.modalities import (
    EmbeddingModality,
    ImageModality,
    SequenceModality,
    TabularModality,
    TextModality,
)
from skcoral.persistence import load, save
from skcoral.pretrained import PretrainedEncoder

__version__ = "0.1.0"

__all__ = [
    "COrALClassifier",
    "COrALRegressor",
    "COrALTransformer",
    "CoMMTransformer",
    "ComponentRidge",
    "ComponentRidgeClassifier",
    "ComponentScaler",
    "CrossSelfTransformer",
    "CrossTransformer",
    "DisentangledSSLTransformer",
    "EmbeddingModality",
    "FactorCLTransformer",
    "GMCTransformer",
    "ImageModality",
    "IndiSeekTransformer",
    "InfMaskingTransformer",
    "PretrainedEncoder",
    "RePercENTTransformer",
    "SequenceModality",
    "SimCLRTransformer",
    "TabularModality",
    "TextModality",
    "__version__",
    "load",
    "save",
]
