"""FactorCL: shared and unique information by bounds of it."""

from dataclasses import replace
from typing import Literal

from skcoral._constraints import POSITIVE_INT
from skcoral._training.trainer import Method
from skcoral.methods import _parameters as shared
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._checks import check_several, refuse_early_stopping
from skcoral.methods._networks import pick, without_shared
from skcoral.methods._parameters import estimator, parameter
from skcoral.objectives.factorcl import FactorCLObjective


@estimator
class FactorCLTransformer(BaseMultimodalTransformer):
    """Learn shared and unique information by lower and upper bounds of it.

    Heads of the embedding of each modality are to keep what modalities share and to
    drop what they share, given augmented views and not, by bounds of mutual information
    with learned critics [1]_: with x the rows and x' an augmented view, ``I_NCE(x_m,
    x_k) - I_CLUB(x_m, x_k) + I_NCE([x_m, x_m'], [x_k, x_k']) - I_CLUB([x_m, x_m'],
    [x_k, x_k'])`` is maximised, summed over pairs, and ``I_NCE(x_m, x_m')``, summed
    over modalities. The critics of the upper bounds, CLUB, are trained in turns with
    the rest.

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
    Two modalities or more; the source defines two, and pairs are summed over here. The
    component of a modality is the output of all its heads in a row, as published: one
    for its own bound and four for each other modality, each `unique_dim` wide. The
    terms of the loss are "cross_nce", "cross_club", "conditional_nce",
    "conditional_club", "self_<name>" and, of the second update, "critics".

    Augmented views are those of the modalities, conditional bounds take the augmented
    view on both sides, and AdamW makes the updates; the published temperature has no
    effect and is left out. One side lowers what the other raises, so that the least
    loss tells nothing: `early_stopping` is refused. Tokens are pooled as the unique
    paths of COrAL do, where the source takes the last one. A row that lacks a modality
    leaves its bounds; in its place stand the heads of a prediction from the other
    modalities.

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
        Width of the embedding of each modality and of each of its heads; None takes
        half of `embed_dim`.""",
    )
    critic_hidden_dim: int = parameter(
        default=64,
        constraint=POSITIVE_INT,
        text="""
        int
        Width of both hidden layers of the critics; 512 as published. Their cost grows
        with the square of `batch_size`.""",
    )

    def _make_method(self, names: list[str]) -> Method:
        """Return FactorCL's objective and the sizes of its network."""
        check_several(self, names)
        refuse_early_stopping(self, type(self).__name__)
        objective = pick(self, "critic_hidden_dim")
        return without_shared(self, FactorCLObjective, names, objective)
