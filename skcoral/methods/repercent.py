"""RePercENT: what each pair of modalities shares, and what it does not."""

from dataclasses import replace
from numbers import Integral

from skcoral._constraints import AT_LEAST_TWO, NON_NEGATIVE_FLOAT
from skcoral._sklearn_compat import Interval
from skcoral._training.trainer import Method
from skcoral.methods import _parameters as shared
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._checks import check_multiple, check_several
from skcoral.methods._networks import pick, without_shared
from skcoral.methods._parameters import estimator, parameter
from skcoral.objectives.repercent import RePercENTObjective

OBJECTIVE_PARAMETERS = (
    "concentration",
    "temperature",
    "shared_weight",
    "agreement_weight",
    "ortho_weight",
)


@estimator
class RePercENTTransformer(BaseMultimodalTransformer):
    """Learn what each pair of modalities shares, and what it does not, in one step.

    For every other modality k, modality m has an embedding ``s_mk`` of what the two
    share and one, ``u_mk``, of what m does not share with k [1]_. They are slots of one
    network per modality, which compete for its tokens. The mean over pairs is minimised
    of ``shared_weight NCE(z_mk, z_km) - agreement_weight cos(s_mk, s_km) + mean
    NCE([u_mk, s_km], [u_mk', s_km']) + ortho_weight R``, where ``z_mk`` is a random
    draw around ``s_mk``, x' an augmented view, and R the norm of the correlations of
    ``u_mk`` with ``s_mk``.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    DisentangledSSLTransformer : Its objective for two modalities, in two steps.
    COrALTransformer : Learns what is shared and what is unique.

    Notes
    -----
    Needs at least two modalities, and is made for more. The component "shared" holds
    all ``s_mk``: those of the first modality, in the order of the others, then those of
    the second, M (M - 1) times `unique_dim` wide with M modalities. The component of a
    modality holds its ``u_mk``, M - 1 times `unique_dim` wide. The loss terms are
    "shared", "agreement", "unique_<name>" and "orthogonality".

    The source was read in its published code. There, frozen embeddings of foundation
    models enter one Perceiver per modality; here the tokens of this package's encoders,
    which are trained along, enter slots with layers of this package's shape and a
    linear layer at the end, and padding gets no weight. The source has a set of weights
    per data set, of which the defaults are those of its synthetic data. There it raises
    `ortho_weight` from 0.1 to 1 by and by; here it is constant, as in its experiments
    with three modalities of pictures and texts.
    `agreement_weight` is the product of the source's alpha and beta. The optimiser is
    AdamW, the learning rate and the number of epochs are this package's.

    A row that lacks a modality is left out of the terms of its pairs; all parts of the
    missing modality are predicted from the other modalities, and `missing` decides on
    the unique ones.

    References
    ----------
    .. [1] "RePercENT: Scaling Disentangled Representation Learning Beyond Two
       Modalities", 2026, https://github.com/Vascorn/RePercENT.

    Examples
    --------
    >>> from skcoral import RePercENTTransformer
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> X = make_multimodal_interactions(60, n_modalities=3, random_state=0).data
    >>> model = RePercENTTransformer(embed_dim=8, max_epochs=2, random_state=0).fit(X)
    >>> model.transform(X).shape
    (60, 48)
    >>> model.output_indices_["shared"], model.output_indices_["m0"]
    (slice(0, 24, None), slice(24, 32, None))
    """

    embed_dim: int = replace(
        shared.EMBED_DIM,
        constraint=[Interval(Integral, 4, None, closed="left")],
        text="""
        int
        Width of the tokens and of the slots; a multiple of `n_heads`, at least
        four.""",
    )
    unique_dim: int | None = replace(
        shared.UNIQUE_DIM,
        constraint=[*AT_LEAST_TWO, None],
        text="""
        int or None
        Width of each shared and of each unique embedding, at least two; None takes half
        of `embed_dim`.""",
    )
    n_layers: int = replace(
        shared.N_LAYERS,
        text="""
        int
        Number of times that the slots attend to the tokens; two or three in the
        source.""",
    )
    n_heads: int = shared.N_HEADS
    dropout: float = replace(
        shared.DROPOUT,
        text="""
        float
        Dropout in the layers of the slots.""",
    )
    concentration: float = shared.CONCENTRATION
    temperature: float = replace(
        shared.TEMPERATURE,
        default=0.07,
        text="""
        float
        Temperature of the contrasts.""",
    )
    shared_weight: float = parameter(
        default=2.0,
        constraint=NON_NEGATIVE_FLOAT,
        text="""
        float
        Weight of the contrast of what modalities share, alpha in the source.""",
    )
    agreement_weight: float = parameter(
        default=0.2,
        constraint=NON_NEGATIVE_FLOAT,
        text="""
        float
        Weight of the agreement of what modalities share.""",
    )
    ortho_weight: float = parameter(
        default=1.0,
        constraint=NON_NEGATIVE_FLOAT,
        text="""
        float
        Weight of the norms, lambda in the source.""",
    )

    def _make_method(self, names: list[str]) -> Method:
        """Return RePercENT's objective and network sizes."""
        check_several(self, names)
        check_multiple(self, "embed_dim", "n_heads")
        params = pick(self, *OBJECTIVE_PARAMETERS)
        layers = pick(self, "n_layers", "n_heads", "dropout")
        slots = layers | {"n_slots": 2 * (len(names) - 1)}
        return without_shared(self, RePercENTObjective, names, params, **slots)
