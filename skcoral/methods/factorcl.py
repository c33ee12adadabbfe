"""FactorCL: shared and unique information by bounds on mutual information."""

from dataclasses import replace
from typing import Literal

from skcoral._training.trainer import Method
from skcoral.methods import _parameters as shared
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._checks import check_several, refuse_early_stopping
from skcoral.methods._networks import pick, without_shared
from skcoral.methods._parameters import estimator
from skcoral.objectives.factorcl import FactorCLObjective


@estimator
class FactorCLTransformer(BaseMultimodalTransformer):
    """Learn shared and unique information by lower and upper bounds on it.

    Heads on the embedding of each modality learn to keep what modalities share or to
    drop it, both conditionally on augmented views and unconditionally. They are trained
    by bounds on mutual information with learned critics [1]_. With x the rows and x' an
    augmented view, ``I_NCE(x_m, x_k) - I_CLUB(x_m, x_k) + I_NCE([x_m, x_m'], [x_k,
    x_k']) - I_CLUB([x_m, x_m'], [x_k, x_k'])`` is maximised, summed over pairs, plus
    ``I_NCE(x_m, x_m')``, summed over modalities. The critics of the upper bounds, CLUB,
    are trained in alternation with the rest.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    DisentangledSSLTransformer : Separates shared and specific parts in two steps.
    COrALTransformer : Learns what is shared and what is unique.

    Notes
    -----
    Needs at least two modalities; the source defines two, and here the bounds are
    summed over pairs. The component of a modality is the output of all its heads side
    by side, as published: one head for its own bound and four for each other modality,
    each `unique_dim` wide. The loss terms are "cross_nce", "cross_club",
    "conditional_nce", "conditional_club", "self_<name>" and, of the second of the two
    updates that each batch makes, "critics".

    Views are augmented as each modality specifies, conditional bounds use the augmented
    view on both sides, and the optimiser is AdamW. The published temperature has no
    effect and is left out. As critics and heads work against each other, the lowest
    loss marks no best epoch, so `early_stopping` is not supported. Tokens are pooled as
    in COrAL's unique paths, where the source takes the last token. A row that lacks a
    modality is left out of its bounds; the missing component is the heads' output for
    an embedding predicted from the other modalities.

    References
    ----------
    .. [1] "Factorized Contrastive Learning: Going Beyond Multi-view Redundancy",
       NeurIPS 2023, arXiv 2306.05268.

    Examples
    --------
    >>> from skcoral import FactorCLTransformer
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> X = make_multimodal_interactions(60, random_state=0).data
    >>> model = FactorCLTransformer(unique_dim=2, max_epochs=2, random_state=0).fit(X)
    >>> model.output_indices_
    {'m0': slice(0, 10, None), 'm1': slice(10, 20, None)}
    """

    output: Literal["all", "unique"] = shared.OUTPUT_UNIQUE
    embed_dim: int = shared.TOKEN_DIM
    unique_dim: int | None = replace(
        shared.UNIQUE_DIM,
        text="""
        int or None
        Width of the embedding of each modality and of the output of each of its heads;
        None takes half of `embed_dim`.""",
    )
    critic_hidden_dim: int = replace(
        shared.CRITIC_HIDDEN_DIM,
        text="""
        int
        Width of both hidden layers of the critics; 512 in the source. Their cost grows
        with the square of `batch_size`.""",
    )

    def _make_method(self, names: list[str]) -> Method:
        """Return FactorCL's objective and network sizes."""
        check_several(self, names)
        refuse_early_stopping(self, type(self).__name__)
        objective = pick(self, "critic_hidden_dim")
        return without_shared(self, FactorCLObjective, names, objective)
