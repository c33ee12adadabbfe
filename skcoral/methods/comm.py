"""Siblings of COrAL with one fused embedding: CoMM, InfMasking."""

from skcoral._constraints import (
    FUSION,
    HEADS,
    NON_NEGATIVE_FLOAT,
    POSITIVE_FLOAT,
    POSITIVE_INT,
    PROBABILITY,
)
from skcoral._docstrings import document
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._networks import SHARED_OUTPUT, of_fusions
from skcoral.objectives import CoMMObjective, InfMaskingObjective


@document
class CoMMTransformer(BaseMultimodalTransformer):
    """Learn one embedding that each modality alone is to tell.

    A transformer fuses the tokens of all modalities, and those of each alone. Every
    fusion is contrasted with the fusion of all in another augmented view: ``1 / (M + 1)
    sum_k w_k (NCE(z_k', z_all'') + NCE(z_k'', z_all')) / 2`` over k, each of M
    modalities and all [1]_.

    Parameters
    ----------
    %(modalities)s

    embed_dim : int, default=64
        Width of tokens and of the embedding; a multiple of `n_heads`.

    %(fusion)s

    %(heads)s

    temperature : float, default=0.1
        Temperature of the contrast.

    unimodal_weight : float, default=1.0
        Weight of the term of each modality.

    multimodal_weight : float, default=1.0
        Weight of the term of the fusion of all.

    %(training)s

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

    _parameter_constraints = {
        **BaseMultimodalTransformer._parameter_constraints,
        **SHARED_OUTPUT,
        **FUSION,
        **HEADS,
        "temperature": POSITIVE_FLOAT,
        "unimodal_weight": NON_NEGATIVE_FLOAT,
        "multimodal_weight": NON_NEGATIVE_FLOAT,
    }

    def __init__(
        self,
        modalities="auto",
        *,
        embed_dim=64,
        n_layers=1,
        n_heads=4,
        dropout=0.0,
        head_hidden_dim=256,
        head_dim=128,
        temperature=0.1,
        unimodal_weight=1.0,
        multimodal_weight=1.0,
        max_epochs="auto",
        batch_size=256,
        lr=1e-3,
        weight_decay=1e-3,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        warm_start=False,
        output="all",
        missing="learned",
        empty_rows="error",
        device="auto",
        precision="auto",
        compile=False,
        callbacks=None,
        verbose=0,
        random_state=None,
    ):
        super().__init__(
            modalities,
            embed_dim=embed_dim,
            max_epochs=max_epochs,
            batch_size=batch_size,
            lr=lr,
            weight_decay=weight_decay,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            warm_start=warm_start,
            output=output,
            missing=missing,
            empty_rows=empty_rows,
            device=device,
            precision=precision,
            compile=compile,
            callbacks=callbacks,
            verbose=verbose,
            random_state=random_state,
        )
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.dropout = dropout
        self.head_hidden_dim = head_hidden_dim
        self.head_dim = head_dim
        self.temperature = temperature
        self.unimodal_weight = unimodal_weight
        self.multimodal_weight = multimodal_weight

    def _make_method(self, names):
        """Return CoMM's objective and the sizes of its network."""
        weights = self._pick("unimodal_weight", "multimodal_weight")
        heads = self._pick("head_hidden_dim", "head_dim", "temperature")
        return of_fusions(
            self, CoMMObjective, names, heads | weights, paths=("shared",)
        )


@document
class InfMaskingTransformer(BaseMultimodalTransformer):
    """Learn one embedding that many random masks of its tokens are to tell.

    To the contrasts of :class:`CoMMTransformer`, of each modality with the fusion of
    all, come contrasts of the fusion of all with the distribution of fusions in which
    random tokens are hidden. The loss is the mean over ``[IM', IM'', CoMM's terms]`` of
    their weight times the term, where ``IM`` of a view is
    :func:`~skcoral.losses.info_nce_of_masks` [1]_.

    Parameters
    ----------
    %(modalities)s

    embed_dim : int, default=64
        Width of tokens and of the embedding; a multiple of `n_heads`.

    %(fusion)s

    %(heads)s

    temperature : float, default=0.1
        Temperature of the contrast.

    mask_ratio : float, default=0.7
        Share of the tokens of each modality that a mask hides, an exact number.

    n_masks : int, default=6
        Masks per view.

    variance_weight : float, default=1.0
        Weight of the variance over masks at the end of the training, and in `score` and
        validation; it grows linearly by the epoch.

    masking_weight : float, default=1.0
        Weight of the masking term of each view.

    unimodal_weight : float, default=1.0
        Weight of the term of each modality.

    multimodal_weight : float, default=1.0
        Weight of the term of the fusion of all; 5 in some published runs.

    %(training)s

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

    _parameter_constraints = {
        **BaseMultimodalTransformer._parameter_constraints,
        **SHARED_OUTPUT,
        **FUSION,
        **HEADS,
        "temperature": POSITIVE_FLOAT,
        "mask_ratio": PROBABILITY,
        "n_masks": POSITIVE_INT,
        "variance_weight": NON_NEGATIVE_FLOAT,
        "masking_weight": NON_NEGATIVE_FLOAT,
        "unimodal_weight": NON_NEGATIVE_FLOAT,
        "multimodal_weight": NON_NEGATIVE_FLOAT,
    }

    def __init__(
        self,
        modalities="auto",
        *,
        embed_dim=64,
        n_layers=1,
        n_heads=4,
        dropout=0.0,
        head_hidden_dim=256,
        head_dim=128,
        temperature=0.1,
        mask_ratio=0.7,
        n_masks=6,
        variance_weight=1.0,
        masking_weight=1.0,
        unimodal_weight=1.0,
        multimodal_weight=1.0,
        max_epochs="auto",
        batch_size=256,
        lr=1e-3,
        weight_decay=1e-3,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        warm_start=False,
        output="all",
        missing="learned",
        empty_rows="error",
        device="auto",
        precision="auto",
        compile=False,
        callbacks=None,
        verbose=0,
        random_state=None,
    ):
        super().__init__(
            modalities,
            embed_dim=embed_dim,
            max_epochs=max_epochs,
            batch_size=batch_size,
            lr=lr,
            weight_decay=weight_decay,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            warm_start=warm_start,
            output=output,
            missing=missing,
            empty_rows=empty_rows,
            device=device,
            precision=precision,
            compile=compile,
            callbacks=callbacks,
            verbose=verbose,
            random_state=random_state,
        )
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.dropout = dropout
        self.head_hidden_dim = head_hidden_dim
        self.head_dim = head_dim
        self.temperature = temperature
        self.mask_ratio = mask_ratio
        self.n_masks = n_masks
        self.variance_weight = variance_weight
        self.masking_weight = masking_weight
        self.unimodal_weight = unimodal_weight
        self.multimodal_weight = multimodal_weight

    def _make_method(self, names):
        """Return InfMasking's objective and the sizes of its network."""
        heads = self._pick("head_hidden_dim", "head_dim", "temperature")
        masks = self._pick("mask_ratio", "n_masks", "variance_weight")
        weights = ("masking_weight", "unimodal_weight", "multimodal_weight")
        return of_fusions(
            self,
            InfMaskingObjective,
            names,
            heads | masks | self._pick(*weights),
            mask_mode="token",
            paths=("shared",),
        )
