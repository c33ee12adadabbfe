"""GMC: each modality's embedding close to that of the whole row."""

from dataclasses import replace
from typing import Literal

from skcoral._training.trainer import Method
from skcoral.methods import _parameters as shared
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._networks import of_fusions, pick
from skcoral.methods._parameters import estimator
from skcoral.objectives.gmc import GMCObjective


@estimator
class GMCTransformer(BaseMultimodalTransformer):
    """Learn one representation of whole rows and of each of their modalities.

    Every modality is embedded separately, and all are fused; one head maps either to
    the representation. ``sum_m NCE(z_m, z_joint)`` is minimised [1]_, so that an
    incomplete row is placed where the complete row would be.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    CoMMTransformer : Contrasts augmented views of modalities and their fusion.
    COrALTransformer : Learns what is shared and what is unique.

    Notes
    -----
    Any number of modalities is allowed; one is well defined, but compares two encoders
    of the same input. The only component is "shared", the output of the head: for a
    complete row, the joint representation, normalised to unit length; for an incomplete
    row, the mean of the representations of the modalities that it has, as published.
    `missing` therefore has no effect. To embed one modality alone, leave out the
    others. The loss terms are "shared_<name>". Nothing is augmented.

    The joint embedding is COrAL's fusion and the single-modality embeddings are its
    unique paths, of the same width; the source uses networks specific to its data sets.

    References
    ----------
    .. [1] "Geometric Multimodal Contrastive Representation Learning", ICML 2022,
       arXiv 2202.03390.

    Examples
    --------
    >>> from skcoral import GMCTransformer
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> X = make_multimodal_interactions(60, random_state=0).data
    >>> gmc = GMCTransformer(embed_dim=8, head_dim=4, max_epochs=2, random_state=0)
    >>> gmc.fit_transform(X).shape
    (60, 4)
    """

    output: Literal["all", "shared"] = shared.OUTPUT_SHARED
    embed_dim: int = replace(
        shared.EMBED_DIM,
        text="""
        int
        Width of the tokens and of the embeddings that enter the head; a multiple of
        `n_heads`.""",
    )
    n_layers: int = shared.N_LAYERS
    n_heads: int = shared.N_HEADS
    dropout: float = shared.DROPOUT
    head_hidden_dim: int = replace(
        shared.HEAD_HIDDEN_DIM,
        text="""
        int
        Hidden width of the head.""",
    )
    head_dim: int = replace(
        shared.HEAD_DIM,
        default=64,
        text="""
        int
        Output width of the head, which is the representation.""",
    )
    temperature: float = shared.TEMPERATURE

    def _make_method(self, names: list[str]) -> Method:
        """Return GMC's objective and network sizes."""
        heads = pick(self, "head_hidden_dim", "head_dim", "temperature")
        return of_fusions(self, GMCObjective, names, heads, unique_dim=self.embed_dim)
