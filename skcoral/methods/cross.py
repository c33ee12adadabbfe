"""Siblings of COrAL that contrast modalities, and views of each: Cross, Cross+Self."""

from numbers import Real

from skcoral._constraints import (
    HEADS,
    NON_NEGATIVE_FLOAT,
    POSITIVE_FLOAT,
    POSITIVE_INT,
    UNIQUE_DIM,
)
from skcoral._docstrings import document
from skcoral._sklearn_compat import Interval
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._checks import check_several
from skcoral.methods._networks import UNIQUE_OUTPUT, without_shared
from skcoral.objectives import CrossObjective, CrossSelfObjective


@document
class CrossTransformer(BaseMultimodalTransformer):
    """Learn what modalities share by matching them, as CLIP does.

    Each modality is embedded by itself and projected; the projections of one row are to
    be nearer to one another than to those of other rows: ``mean_(m, k) (CE(S_mk) +
    CE(S_mk.T)) / 2`` over pairs of modalities, where ``S_mk`` are cosines times a
    learned scale [1]_.

    Parameters
    ----------
    %(modalities)s

    embed_dim : int, default=64
        Width of tokens.

    %(unique_dim)s

    head_dim : int, default=128
        Width of the projection of each modality, which is its component.

    temperature : float, default=0.07
        Initial temperature of the contrast, between 0.01 and 1; it is learnt.

    %(training)s

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

    _parameter_constraints = {
        **BaseMultimodalTransformer._parameter_constraints,
        **UNIQUE_OUTPUT,
        **UNIQUE_DIM,
        "head_dim": POSITIVE_INT,
        "temperature": [Interval(Real, 0.01, 1, closed="both")],
    }

    def __init__(
        self,
        modalities="auto",
        *,
        embed_dim=64,
        unique_dim=None,
        head_dim=128,
        temperature=0.07,
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
        self.unique_dim = unique_dim
        self.head_dim = head_dim
        self.temperature = temperature

    def _make_method(self, names):
        """Return CLIP's objective and the sizes of its network."""
        check_several(self, names)
        objective = self._pick("head_dim", "temperature")
        return without_shared(self, CrossObjective, names, objective)


@document
class CrossSelfTransformer(BaseMultimodalTransformer):
    """Contrast modalities with one another, and views of each with one another.

    ``cross_weight mean_(m, k) NCE(h_m(x_m), h_k(x_k))
    + self_weight mean_m NCE(h_m(x_m'), h_m(x_m''))`` with InfoNCE of projected
    embeddings, over pairs of modalities of the rows as they are, and over two augmented
    views of each modality [1]_.

    Parameters
    ----------
    %(modalities)s

    embed_dim : int, default=64
        Width of tokens.

    %(unique_dim)s

    %(heads)s

    temperature : float, default=0.1
        Temperature of the contrast.

    cross_weight : float, default=1.0
        Weight of the contrast of modalities.

    self_weight : float, default=1.0
        Weight of the contrast of views.

    %(training)s

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

    _parameter_constraints = {
        **BaseMultimodalTransformer._parameter_constraints,
        **UNIQUE_OUTPUT,
        **UNIQUE_DIM,
        **HEADS,
        "temperature": POSITIVE_FLOAT,
        "cross_weight": NON_NEGATIVE_FLOAT,
        "self_weight": NON_NEGATIVE_FLOAT,
    }

    def __init__(
        self,
        modalities="auto",
        *,
        embed_dim=64,
        unique_dim=None,
        head_hidden_dim=256,
        head_dim=128,
        temperature=0.1,
        cross_weight=1.0,
        self_weight=1.0,
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
        self.unique_dim = unique_dim
        self.head_hidden_dim = head_hidden_dim
        self.head_dim = head_dim
        self.temperature = temperature
        self.cross_weight = cross_weight
        self.self_weight = self_weight

    def _make_method(self, names):
        """Return the objective and the sizes of its network."""
        check_several(self, names)
        heads = self._pick("head_hidden_dim", "head_dim", "temperature")
        objective = heads | self._pick("cross_weight", "self_weight")
        return without_shared(self, CrossSelfObjective, names, objective)
