"""CoMM and InfMasking: one fused embedding that its parts can identify."""

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
        Width of tokens and of the embedding; a multiple of `n_heads`.""",
)
UNIMODAL_WEIGHT = parameter(
    default=1.0,
    constraint=NON_NEGATIVE_FLOAT,
    text="""
        float
        Weight of the term of each modality.""",
)
MULTIMODAL_WEIGHT = parameter(
    default=1.0,
    constraint=NON_NEGATIVE_FLOAT,
    text="""
        float
        Weight of the term of the fusion of all.""",
)


@estimator
class CoMMTransformer(BaseMultimodalTransformer):
    """Learn one embedding that each modality alone is to tell.

    A transformer fuses the tokens of all modalities, and those of each alone. Every
    fusion is contrasted with the fusion of all in another augmented view: ``1 / (M + 1)
    sum_k w_k (NCE(z_k', z_all'') + NCE(z_k'', z_all')) / 2`` over k, each of M
    modalities and all [1]_.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    InfMaskingTransformer : Also contrasts fusions of random tokens.
    COrALTransformer : Learns what is shared and what is unique.

    Notes
    -----
    Any number of modalities; one is well defined, a contrast of two views. The only
    component is "shared", taken before the projection head; the terms of the loss are
    "shared_<name>" and "shared".

    Unlike in the published code, padding is masked in training too. A row that lacks a
    modality leaves its term and is fused from the others, so nothing of the embedding
    is missing, and `missing` has no effect.

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
        """Return CoMM's objective and the sizes of its network."""
        weights = pick(self, "unimodal_weight", "multimodal_weight")
        heads = pick(self, "head_hidden_dim", "head_dim", "temperature")
        return of_fusions(
            self, CoMMObjective, names, heads | weights, paths=("shared",)
        )


@estimator
class InfMaskingTransformer(BaseMultimodalTransformer):
    """Learn one embedding that many random masks of its tokens are to tell.

    To the contrasts of :class:`CoMMTransformer`, of each modality with the fusion of
    all, come contrasts of the fusion of all with the distribution of fusions in which
    random tokens are hidden. The loss is the mean over ``[IM', IM'', CoMM's terms]`` of
    their weight times the term, where ``IM`` of a view is
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
    Any number of modalities; one is well defined. The only component is "shared", taken
    before the projection head; the terms of the loss are "masking", "shared_<name>" and
    "shared".

    Of T tokens that a row has of a modality, ``floor(T (1 - mask_ratio))`` are kept:
    none at all where they are few, such as the columns of a small table, for which a
    lower `mask_ratio` is better. A learned token stands for the others; it starts from
    a normal distribution, which the source truncates. Padding is never attended, and
    the masked fusions of parts that the published code discards are not computed. A row
    that lacks a modality leaves its term, so `missing` has no effect.

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
        Share of the tokens of each modality that a mask hides, an exact number.""",
    )
    n_masks: int = parameter(
        default=6,
        constraint=POSITIVE_INT,
        text="""
        int
        Masks per view.""",
    )
    variance_weight: float = parameter(
        default=1.0,
        constraint=NON_NEGATIVE_FLOAT,
        text="""
        float
        Weight of the variance over masks at the end of the training, and in `score` and
        validation; it grows linearly by the epoch.""",
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
        Weight of the term of the fusion of all; 5 in some published runs.""",
    )

    def _make_method(self, names: list[str]) -> Method:
        """Return InfMasking's objective and the sizes of its network."""
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
