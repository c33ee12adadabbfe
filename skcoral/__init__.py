"""Multimodal representations without labels, in the way of scikit-learn."""

from skcoral.baselines import (
    CoMMTransformer,
    CrossSelfTransformer,
    CrossTransformer,
    DisentangledSSLTransformer,
    FactorCLTransformer,
    GMCTransformer,
    InfMaskingTransformer,
    SimCLRTransformer,
)
from skcoral.coral import COrALTransformer
from skcoral.modalities import (
    EmbeddingModality,
    ImageModality,
    SequenceModality,
    TabularModality,
    TextModality,
)
from skcoral.pretrained import PretrainedEncoder
from skcoral.supervised import COrALClassifier, COrALRegressor

__version__ = "0.1.0"

__all__ = [
    "COrALClassifier",
    "COrALRegressor",
    "COrALTransformer",
    "CoMMTransformer",
    "CrossSelfTransformer",
    "CrossTransformer",
    "DisentangledSSLTransformer",
    "EmbeddingModality",
    "FactorCLTransformer",
    "GMCTransformer",
    "ImageModality",
    "InfMaskingTransformer",
    "PretrainedEncoder",
    "SequenceModality",
    "SimCLRTransformer",
    "TabularModality",
    "TextModality",
    "__version__",
]
