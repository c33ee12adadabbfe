"""Cross and Cross+Self: contrasts of modalities, and of views of each."""

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

    Each modality is embedded by itself and projected; the projections of one row are to
    be nearer to one another than to those of other rows: ``mean_(m, k) (CE(S_mk) +
    CE(S_mk.T)) / 2`` over pairs of modalities, where ``S_mk`` are cosines times a
    learned scale [1]_.

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
    Two modalities or more; the loss is the mean over pairs, as in CMC (arXiv
    1906.05849). Components are the projections, one per modality and not normalised;
    "cross" is the only term of the loss. Views are not augmented.

    The source embeds by the average or the last of the tokens of an encoder; here they
    are pooled as the unique paths of COrAL do. A row that lacks a modality leaves its
    pairs; in its place stands the projection of a prediction from the other modalities.

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
        Width of the projection of each modality, which is its component.""",
    )
    temperature: float = parameter(
        default=0.07,
        constraint=[Interval(Real, 0.01, 1, closed="both")],
        text="""
        float
        Initial temperature of the contrast, between 0.01 and 1; it is learnt.""",
    )

    def _make_method(self, names: list[str]) -> Method:
        """Return CLIP's objective and the sizes of its network."""
        check_several(self, names)
        objective = pick(self, "head_dim", "temperature")
        return without_shared(self, CrossObjective, names, objective)


@estimator
class CrossSelfTransformer(BaseMultimodalTransformer):
    """Contrast modalities with one another, and views of each with one another.

    ``cross_weight mean_(m, k) NCE(h_m(x_m), h_k(x_k))
    + self_weight mean_m NCE(h_m(x_m'), h_m(x_m''))`` with InfoNCE of projected
    embeddings, over pairs of modalities of the rows as they are, and over two augmented
    views of each modality [1]_.

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
    Two modalities or more; means over pairs and over modalities, which for two are the
    published terms "cross" and "self_<name>". Components are the embeddings before the
    projection heads, one per modality.

    The source embeds by the average or the last of the tokens of an encoder, and its
    heads are 1,024 wide; here tokens are pooled as the unique paths of COrAL do. A row
    that lacks a modality leaves its contrasts; in its place stands a prediction from
    the other modalities.

    References
    ----------
    .. [1] "What to align in multimodal contrastive learning?", ICLR 2025, arXiv
       2409.07402, where it is a baseline; so in FactorCL, arXiv 2306.05268.

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
        """Return the objective and the sizes of its network."""
        check_several(self, names)
        heads = pick(self, "head_hidden_dim", "head_dim", "temperature")
        objective = heads | pick(self, "cross_weight", "self_weight")
        return without_shared(self, CrossSelfObjective, names, objective)
