"""GMC: each modality near the whole row."""

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
    """Learn one representation for a whole row and for each of its modalities.

    Every modality is embedded by itself, and all are fused; one head takes either to
    the representation. ``sum_m NCE(z_m, z_joint)`` is minimised [1]_, so that what is
    left of a row is placed where the whole row would be.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    CoMMTransformer : Contrasts augmented views of parts and whole.
    COrALTransformer : Learns what is shared and what is unique.

    Notes
    -----
    Any number of modalities; one is well defined, but compares two encoders of the same
    thing. The only component is "shared", the head's output of length one: the joint
    representation of a row that has all modalities, else the mean of those of the
    modalities that it has, as published, so that `missing` has no effect. To place one
    modality alone, leave the others out of a row. The terms of the loss are
    "shared_<name>". Views are not augmented.

    The joint embedding is the fusion of COrAL and the single ones are its unique paths,
    as wide; the source has networks for its data sets instead.

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
        Width of tokens and of the embeddings below the head; a multiple of
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
        """Return GMC's objective and the sizes of its network."""
        heads = pick(self, "head_hidden_dim", "head_dim", "temperature")
        return of_fusions(self, GMCObjective, names, heads, unique_dim=self.embed_dim)
