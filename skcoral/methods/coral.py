"""COrAL: shared and unique representations of several modalities, without labels."""

from collections.abc import Sequence
from typing import Literal

from skcoral._constraints import NON_NEGATIVE_FLOAT, PROBABILITY, PROPER_FRACTION
from skcoral._sklearn_compat import StrOptions
from skcoral._training.trainer import Method
from skcoral.methods import _parameters as shared
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._checks import check_schedule, warn_of_one
from skcoral.methods._networks import find_unique_dim, of_fusions, pick
from skcoral.methods._parameters import estimator, parameter
from skcoral.objectives.coral import COrALObjective

OBJECTIVE_PARAMETERS = (
    "head_hidden_dim",
    "head_dim",
    "temperature",
    "mask_ratio",
    "shared_weight",
    "unique_weight",
    "ortho_weight",
    "orthogonality",
    "ortho_reduction",
    "modality_dropout",
)


@estimator
class COrALTransformer(BaseMultimodalTransformer):
    """Learn, without labels, what modalities share and what is unique to each.

    A shared path fuses the tokens of all modalities with a transformer; a unique path
    per modality embeds that modality alone. Two random views of each row are contrasted
    in every component. One view hides some modalities from the shared path and the
    other view hides the rest, so that the shared path must infer across modalities. An
    orthogonality penalty keeps the components apart [1]_.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    %(see_also)s

    Notes
    -----
    The loss terms are "shared", "unique_<name>" and "orthogonality".

    Differences from the paper's code: any number of modalities (one is well defined,
    but is a plain contrastive learner, whose shared and unique features have no
    cross-modal meaning); views by marginal corruption (SCARF, arXiv 2106.15147) instead
    of noise; separate initial weights for shared and unique encoders; linear paths
    beside the unique ones; smaller heads; padding is never attended.

    The embedding is ``[shared | unique_1 | ... | unique_M]``, taken before the
    projection heads. As the penalty acts on the outputs of the heads, the components
    can still be correlated in the features.

    References
    ----------
    .. [1] "Orthogonalized Multimodal Contrastive Learning with Asymmetric Masking for
       Structured Representations", 2026, arXiv 2602.14983.

    Examples
    --------
    >>> from skcoral import COrALTransformer
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> X = make_multimodal_interactions(60, random_state=0).data
    >>> coral = COrALTransformer(embed_dim=8, max_epochs=2, random_state=0).fit(X)
    >>> coral.transform(X).shape
    (60, 16)
    >>> coral.output_indices_
    {'shared': slice(0, 8, None), 'm0': slice(8, 12, None), 'm1': slice(12, 16, None)}
    """

    unique_dim: int | None = shared.UNIQUE_DIM
    n_layers: int = shared.N_LAYERS
    n_heads: int = shared.N_HEADS
    dropout: float = shared.DROPOUT
    head_hidden_dim: int = shared.HEAD_HIDDEN_DIM
    head_dim: int = shared.HEAD_DIM
    temperature: float = shared.TEMPERATURE
    mask_ratio: float | Sequence[float] = parameter(
        default=1.0,
        constraint=[*PROBABILITY, list, tuple],
        text="""
        float or sequence of float
        Probability that a token is hidden, in a modality that a view masks. At 1, the
        two views have no modality in common in the shared path, which can then match
        rows only by what one modality says about another. A sequence is a schedule:
        stages of equal length over the epochs. ``(0.05, 0.35, 0.55, 0.75)`` is the
        published curriculum; 0.75 is the constant published later, which more reliably
        finds what only two of three modalities reveal together.""",
    )
    mask_mode: Literal["zero", "token", "drop"] = parameter(
        default="zero",
        constraint=[StrOptions({"zero", "token", "drop"})],
        text="""
        {"zero", "token", "drop"}
        How tokens are hidden: multiplied by zero (as published), replaced by a learned
        vector, or left out of the attention.""",
    )
    shared_weight: float = parameter(
        default=1.0,
        constraint=NON_NEGATIVE_FLOAT,
        text="""
        float
        Weight of the shared contrast.""",
    )
    unique_weight: float = parameter(
        default=1.0,
        constraint=NON_NEGATIVE_FLOAT,
        text="""
        float
        Weight of each unique contrast.""",
    )
    ortho_weight: float = parameter(
        default=1.0,
        constraint=NON_NEGATIVE_FLOAT,
        text="""
        float
        Weight of the orthogonality penalty.""",
    )
    orthogonality: Literal["squared", "hinge"] = parameter(
        default="squared",
        constraint=[StrOptions({"squared", "hinge"})],
        text="""
        {"squared", "hinge"}
        Penalise the square of each cosine, or its positive part.""",
    )
    ortho_reduction: Literal["sum", "mean"] = parameter(
        default="sum",
        constraint=[StrOptions({"sum", "mean"})],
        text="""
        {"sum", "mean"}
        Sum over pairs of components, or three times their mean, which is the same for
        two modalities and keeps the scale constant for more.""",
    )
    linear_path: bool = parameter(
        default=True,
        constraint=["boolean"],
        text="""
        bool
        Add to the unique embedding of vectors and tables a linear map of their values,
        and to that of texts a linear map of their mean word. It starts as the principal
        components and learns like the rest. What a modality says linearly is then kept,
        of which a network alone, as published, loses some.""",
    )
    modality_dropout: float = parameter(
        default=0.0,
        constraint=PROPER_FRACTION,
        text="""
        float
        Probability that a modality of a row is hidden from the shared path of a view
        during training, which makes the shared component robust to missing
        modalities.""",
    )

    def _make_method(self, names: list[str]) -> Method:
        """Return COrAL's objective and network sizes."""
        check_schedule(self, "mask_ratio")
        warn_of_one(self, names)
        unique_dim = {"unique_dim": find_unique_dim(self)}
        params = unique_dim | pick(self, *OBJECTIVE_PARAMETERS)
        network = unique_dim | pick(self, "mask_mode")
        network["with_linear"] = self.linear_path
        return of_fusions(self, COrALObjective, names, params, **network)
