"""Cross and Cross+Self: contrast modalities, and views of each modality."""

from dataclasses import replace
from numbers import Real
from typing import Literal

from skcoral._constraints import NON_NEGATIVE_FLOAT
from skcoral._sklearn_compat import Interval
from skcoral._training.trainer import Method
from skcoral.methods import _parameters as shared
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._checks import check_several
from skcoral.methods._networks import pick, without_shared
from skcoral.methods._parameters import estimator, parameter
from skcoral.objectives.cross import CrossObjective, CrossSelfObjective


@estimator
class CrossTransformer(BaseMultimodalTransformer):
    """Learn what modalities share by matching them, as CLIP does.

    Each modality is embedded separately and projected. The projections of one row
    should be closer to each other than to those of other rows: ``mean_(m, k) (CE(S_mk)
    + CE(S_mk.T)) / 2`` over pairs of modalities, where ``S_mk`` holds cosine
    similarities times a learned scale [1]_.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    CrossSelfTransformer : Also contrasts views of each modality.
    COrALTransformer : Learns what is shared and what is unique.

    Notes
    -----
    Needs at least two modalities; the loss is the mean over pairs, as in CMC (arXiv
    1906.05849). The components are the projections, one per modality, without
    normalisation. The only loss term is "cross". Nothing is augmented.

    The source takes the average or the last of an encoder's tokens as the embedding;
    here tokens are pooled as in COrAL's unique paths. A row that lacks a modality is
    left out of its pairs; the missing component is the projection of an embedding
    predicted from the other modalities.

    References
    ----------
    .. [1] "Learning Transferable Visual Models From Natural Language Supervision",
       2021, arXiv 2103.00020.

    Examples
    --------
    >>> from skcoral import CrossTransformer
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> X = make_multimodal_interactions(60, random_state=0).data
    >>> cross = CrossTransformer(embed_dim=8, head_dim=4, max_epochs=2, random_state=0)
    >>> cross.fit_transform(X).shape
    (60, 8)
    >>> cross.output_indices_
    {'m0': slice(0, 4, None), 'm1': slice(4, 8, None)}
    """

    output: Literal["all", "unique"] = shared.OUTPUT_UNIQUE
    embed_dim: int = shared.TOKEN_DIM
    unique_dim: int | None = shared.UNIQUE_DIM
    head_dim: int = replace(
        shared.HEAD_DIM,
        text="""
        int
        Width of each modality's projection, which is its component.""",
    )
    temperature: float = parameter(
        default=0.07,
        constraint=[Interval(Real, 0.01, 1, closed="both")],
        text="""
        float
        Initial temperature of the contrast, between 0.01 and 1; training updates
        it.""",
    )

    def _make_method(self, names: list[str]) -> Method:
        """Return CLIP's objective and network sizes."""
        check_several(self, names)
        objective = pick(self, "head_dim", "temperature")
        return without_shared(self, CrossObjective, names, objective)


@estimator
class CrossSelfTransformer(BaseMultimodalTransformer):
    """Contrast modalities with each other, and views of each modality.

    ``cross_weight mean_(m, k) NCE(h_m(x_m), h_k(x_k))
    + self_weight mean_m NCE(h_m(x_m'), h_m(x_m''))`` with InfoNCE of projected
    embeddings: the first term contrasts pairs of modalities of the unaltered rows, the
    second two augmented views of each modality [1]_.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    CrossTransformer : Contrasts modalities only.
    SimCLRTransformer : Contrasts views only.
    COrALTransformer : Learns what is shared and what is unique.

    Notes
    -----
    Needs at least two modalities. The loss terms are "cross", a mean over pairs, and
    "self_<name>", which add up to a mean over modalities; for two modalities they are
    those published. The components are the embeddings before the projection heads, one
    per modality.

    The source takes the average or the last of an encoder's tokens as the embedding,
    and its heads are 1,024 wide; here tokens are pooled as in COrAL's unique paths. A
    row that lacks a modality is left out of its contrasts; the missing component is
    predicted from the other modalities.

    References
    ----------
    .. [1] "What to align in multimodal contrastive learning?", ICLR 2025, arXiv
       2409.07402, which compares with it, as does FactorCL, arXiv 2306.05268.

    Examples
    --------
    >>> from skcoral import CrossSelfTransformer
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> X = make_multimodal_interactions(60, random_state=0).data
    >>> model = CrossSelfTransformer(embed_dim=8, max_epochs=2, random_state=0)
    >>> model.fit_transform(X).shape
    (60, 8)
    """

    output: Literal["all", "unique"] = shared.OUTPUT_UNIQUE
    embed_dim: int = shared.TOKEN_DIM
    unique_dim: int | None = shared.UNIQUE_DIM
    head_hidden_dim: int = shared.HEAD_HIDDEN_DIM
    head_dim: int = shared.HEAD_DIM
    temperature: float = shared.TEMPERATURE
    cross_weight: float = parameter(
        default=1.0,
        constraint=NON_NEGATIVE_FLOAT,
        text="""
        float
        Weight of the contrast of modalities.""",
    )
    self_weight: float = parameter(
        default=1.0,
        constraint=NON_NEGATIVE_FLOAT,
        text="""
        float
        Weight of the contrast of views.""",
    )

    def _make_method(self, names: list[str]) -> Method:
        """Return the objective and network sizes of Cross+Self."""
        check_several(self, names)
        heads = pick(self, "head_hidden_dim", "head_dim", "temperature")
        objective = heads | pick(self, "cross_weight", "self_weight")
        return without_shared(self, CrossSelfObjective, names, objective)
