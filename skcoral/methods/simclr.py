"""SimCLR: contrasts of views, one modality at a time."""

from typing import Literal

from skcoral._training.trainer import Method
from skcoral.methods import _parameters as shared
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._networks import pick, without_shared
from skcoral.methods._parameters import estimator
from skcoral.objectives.cross import SimCLRObjective


@estimator
class SimCLRTransformer(BaseMultimodalTransformer):
    """Contrast views of each modality, one modality at a time.

    The loss is ``mean_m NCE(h_m(x_m'), h_m(x_m''))``, with InfoNCE of projected
    embeddings of two augmented views [1]_. No modality learns from another, so
    comparing with this method shows what a multimodal method gains.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    CrossSelfTransformer : Also contrasts modalities.
    COrALTransformer : Learns what is shared and what is unique.

    Notes
    -----
    Any number of modalities is allowed, including one. The loss terms are
    "unique_<name>". The components are the embeddings before the projection heads, one
    per modality. Tokens are pooled as in COrAL's unique paths.

    A row that lacks a modality is left out of its contrast; the missing component is
    predicted from the other modalities.

    References
    ----------
    .. [1] "A Simple Framework for Contrastive Learning of Visual Representations",
       ICML 2020, arXiv 2002.05709.

    Examples
    --------
    >>> from skcoral import SimCLRTransformer
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> X = make_multimodal_interactions(60, random_state=0).data
    >>> model = SimCLRTransformer(embed_dim=8, max_epochs=2, random_state=0)
    >>> model.fit_transform(X).shape
    (60, 8)
    """

    output: Literal["all", "unique"] = shared.OUTPUT_UNIQUE
    embed_dim: int = shared.TOKEN_DIM
    unique_dim: int | None = shared.UNIQUE_DIM
    head_hidden_dim: int = shared.HEAD_HIDDEN_DIM
    head_dim: int = shared.HEAD_DIM
    temperature: float = shared.TEMPERATURE

    def _make_method(self, names: list[str]) -> Method:
        """Return SimCLR's objective and network sizes."""
        objective = pick(self, "head_hidden_dim", "head_dim", "temperature")
        return without_shared(self, SimCLRObjective, names, objective)
