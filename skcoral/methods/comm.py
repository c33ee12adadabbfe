"""CoMM and InfMasking: one fused embedding that parts of a row can identify."""

from dataclasses import replace
from typing import Literal

from skcoral._constraints import NON_NEGATIVE_FLOAT, POSITIVE_INT, PROBABILITY
from skcoral._training.trainer import Method
from skcoral.methods import _parameters as shared
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._networks import of_fusions, pick
from skcoral.methods._parameters import estimator, parameter
from skcoral.objectives.comm import CoMMObjective, InfMaskingObjective

EMBED_DIM = replace(
    shared.EMBED_DIM,
    text="""
        int
        Width of the tokens and of the embedding; a multiple of `n_heads`.""",
)
UNIMODAL_WEIGHT = parameter(
    default=1.0,
    constraint=NON_NEGATIVE_FLOAT,
    text="""
        float
        Weight of each single-modality term.""",
)
MULTIMODAL_WEIGHT = parameter(
    default=1.0,
    constraint=NON_NEGATIVE_FLOAT,
    text="""
        float
        Weight of the term of the full fusion.""",
)


@estimator
class CoMMTransformer(BaseMultimodalTransformer):
    """Learn a fused embedding that each modality alone can identify.

    A transformer fuses the tokens of all modalities together, and those of each alone.
    Every fusion is contrasted with the fusion of all modalities in another augmented
    view: ``1 / (M + 1) sum_k w_k (NCE(z_k', z_all'') + NCE(z_k'', z_all')) / 2``, where
    k is each of the M modalities and then all of them [1]_.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    InfMaskingTransformer : Adds contrasts with fusions of random tokens.
    COrALTransformer : Learns what is shared and what is unique.

    Notes
    -----
    Any number of modalities is allowed; with one, the method contrasts its two views.
    The only component is "shared", taken before the projection head. The loss terms are
    "shared_<name>" and "shared".

    Unlike in the published code, padding is masked in training too. A row that lacks a
    modality is left out of its term and is fused from the others, so the embedding is
    always complete and `missing` has no effect.

    References
    ----------
    .. [1] "What to align in multimodal contrastive learning?", ICLR 2025, arXiv
       2409.07402.

    Examples
    --------
    >>> from skcoral import CoMMTransformer
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> X = make_multimodal_interactions(60, random_state=0).data
    >>> comm = CoMMTransformer(embed_dim=8, max_epochs=2, random_state=0).fit(X)
    >>> comm.transform(X).shape
    (60, 8)
    >>> comm.output_indices_
    {'shared': slice(0, 8, None)}
    """

    output: Literal["all", "shared"] = shared.OUTPUT_SHARED
    embed_dim: int = EMBED_DIM
    n_layers: int = shared.N_LAYERS
    n_heads: int = shared.N_HEADS
    dropout: float = shared.DROPOUT
    head_hidden_dim: int = shared.HEAD_HIDDEN_DIM
    head_dim: int = shared.HEAD_DIM
    temperature: float = shared.TEMPERATURE
    unimodal_weight: float = UNIMODAL_WEIGHT
    multimodal_weight: float = MULTIMODAL_WEIGHT

    def _make_method(self, names: list[str]) -> Method:
        """Return CoMM's objective and network sizes."""
        weights = pick(self, "unimodal_weight", "multimodal_weight")
        heads = pick(self, "head_hidden_dim", "head_dim", "temperature")
        return of_fusions(
            self, CoMMObjective, names, heads | weights, paths=("shared",)
        )


@estimator
class InfMaskingTransformer(BaseMultimodalTransformer):
    """Learn a fused embedding that random subsets of its tokens can identify.

    Adds contrasts of the full fusion with the distribution of fusions in which random
    tokens are hidden to those of :class:`CoMMTransformer`, which contrast each modality
    with the full fusion. The loss is the mean, over ``[IM', IM'', CoMM's terms]``, of
    each term times its weight, where ``IM`` of a view is
    :func:`~skcoral.losses.info_nce_of_masks` [1]_.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    CoMMTransformer : The same without masks.
    COrALTransformer : Learns what is shared and what is unique.

    Notes
    -----
    Any number of modalities is allowed; one is well defined. The only component is
    "shared", taken before the projection head. The loss terms are "masking",
    "shared_<name>" and "shared".

    Of the T tokens that a row has in a modality, ``floor(T (1 - mask_ratio))`` are
    kept. This is none at all if there are few, such as the columns of a small table,
    for which a lower `mask_ratio` is better. A learned token replaces the others; it is
    initialised from a normal distribution, which is truncated in the source. Padding is
    never attended, and the masked single-modality fusions that the published code
    discards are not computed. A row that lacks a modality is left out of its term, so
    `missing` has no effect.

    References
    ----------
    .. [1] "InfMasking", NeurIPS 2025, arXiv 2509.25270.

    Examples
    --------
    >>> from skcoral import InfMaskingTransformer
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> X = make_multimodal_interactions(60, random_state=0).data
    >>> model = InfMaskingTransformer(embed_dim=8, max_epochs=2, random_state=0)
    >>> model.fit_transform(X).shape
    (60, 8)
    """

    output: Literal["all", "shared"] = shared.OUTPUT_SHARED
    embed_dim: int = EMBED_DIM
    n_layers: int = shared.N_LAYERS
    n_heads: int = shared.N_HEADS
    dropout: float = shared.DROPOUT
    head_hidden_dim: int = shared.HEAD_HIDDEN_DIM
    head_dim: int = shared.HEAD_DIM
    temperature: float = shared.TEMPERATURE
    mask_ratio: float = parameter(
        default=0.7,
        constraint=PROBABILITY,
        text="""
        float
        Fraction of the tokens of each modality that a mask hides, as an exact number of
        tokens per row.""",
    )
    n_masks: int = parameter(
        default=6,
        constraint=POSITIVE_INT,
        text="""
        int
        Number of masks per view.""",
    )
    variance_weight: float = parameter(
        default=1.0,
        constraint=NON_NEGATIVE_FLOAT,
        text="""
        float
        Weight of the variance over masks at the end of training, and in `score` and
        validation; during training it grows linearly with the epoch.""",
    )
    masking_weight: float = parameter(
        default=1.0,
        constraint=NON_NEGATIVE_FLOAT,
        text="""
        float
        Weight of the masking term of each view.""",
    )
    unimodal_weight: float = UNIMODAL_WEIGHT
    multimodal_weight: float = replace(
        MULTIMODAL_WEIGHT,
        text="""
        float
        Weight of the term of the full fusion; 5 in some published runs.""",
    )

    def _make_method(self, names: list[str]) -> Method:
        """Return InfMasking's objective and network sizes."""
        heads = pick(self, "head_hidden_dim", "head_dim", "temperature")
        masks = pick(self, "mask_ratio", "n_masks", "variance_weight")
        weights = ("masking_weight", "unimodal_weight", "multimodal_weight")
        return of_fusions(
            self,
            InfMaskingObjective,
            names,
            heads | masks | pick(self, *weights),
            mask_mode="token",
            paths=("shared",),
        )
