"""Siblings of COrAL: other methods with the same modalities, engine and output."""

from skcoral.baselines.comm import CoMMTransformer, InfMaskingTransformer
from skcoral.baselines.cross import CrossSelfTransformer, CrossTransformer
from skcoral.baselines.disentangled import DisentangledSSLTransformer
from skcoral.baselines.factorcl import FactorCLTransformer
from skcoral.baselines.gmc import GMCTransformer
from skcoral.baselines.simclr import SimCLRTransformer

__all__ = [
    "CoMMTransformer",
    "CrossSelfTransformer",
    "CrossTransformer",
    "DisentangledSSLTransformer",
    "FactorCLTransformer",
    "GMCTransformer",
    "InfMaskingTransformer",
    "SimCLRTransformer",
]
