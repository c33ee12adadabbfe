"""DisentangledSSL: first what modalities share, then what is specific to each."""

from dataclasses import replace
from typing import Literal

from skcoral._constraints import AT_LEAST_TWO, NON_NEGATIVE_FLOAT
from skcoral._sklearn_compat import StrOptions
from skcoral._training.trainer import Method
from skcoral.methods import _parameters as shared
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._checks import check_several, refuse_early_stopping
from skcoral.methods._networks import find_unique_dim, of_fusions, pick
from skcoral.methods._parameters import estimator, parameter
from skcoral.objectives.disentangled import DisentangledSSLObjective

OBJECTIVE_PARAMETERS = (
    "head_hidden_dim",
    "distribution",
    "concentration",
    "temperature",
    "agreement_weight",
    "ortho_weight",
)


@estimator
class DisentangledSSLTransformer(BaseMultimodalTransformer):
    """Learn what modalities share and then, with that fixed, what is specific to each.

    Training has two steps of half the epochs each [1]_. Step 1 matches random draws
    ``z_m`` around the shared embeddings ``e_m`` of the modalities of a row: ``mean_(m,
    k) NCE(z_m, z_k) + agreement_weight mean_(m, k) A(e_m, e_k)`` over pairs. Step 2
    trains the specific embeddings ``u_m`` only: ``sum_m NCE([u_m', z_-m'], [u_m'',
    z_-m'']) + ortho_weight / 2 sum ||U_m.T Z_m||`` over two augmented views, where
    ``z_-m`` is the shared embedding of the other modalities.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    FactorCLTransformer : Separates shared and unique information by bounds.
    COrALTransformer : Learns what is shared and what is unique.

    Notes
    -----
    Needs at least two modalities; terms are means over pairs, and ``z_-m`` is the
    normalised mean of the other modalities. The component "shared" holds the shared
    embeddings of all M modalities side by side, M times `embed_dim` wide; the specific
    embedding of each modality follows. The loss terms are "shared", "agreement",
    "unique_<name>" and "orthogonality". In training, the terms of the other step are
    zero; in `score`, all count. The losses of the two steps cannot be compared, so
    `early_stopping` is not supported. If the number of epochs is odd, step 1 has one
    more.

    Shared embeddings are fusions of the tokens of one modality in COrAL's network.
    Specific embeddings are computed by a further network from the unique path and the
    shared embedding. The source searches grids for both weights; the defaults here are
    our own. The learning rate is constant.

    A row that lacks a modality is left out of its terms. The missing shared embedding
    is replaced by the mean of those that the row has, which are trained to agree; the
    missing specific one is computed from a predicted unique path, unless `missing` says
    otherwise.

    References
    ----------
    .. [1] "An Information Criterion for Controlled Disentanglement of Multimodal Data",
       ICLR 2025, arXiv 2410.23996.

    Examples
    --------
    >>> from skcoral import DisentangledSSLTransformer
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> X = make_multimodal_interactions(60, random_state=0).data
    >>> model = DisentangledSSLTransformer(embed_dim=8, max_epochs=2, random_state=0)
    >>> model.fit(X).output_indices_
    {'shared': slice(0, 16, None), 'm0': slice(16, 20, None), 'm1': slice(20, 24, None)}
    """

    embed_dim: int = replace(
        shared.EMBED_DIM,
        constraint=AT_LEAST_TWO,
        text="""
        int
        Width of the tokens and of the shared embedding of each modality; a multiple of
        `n_heads`, at least two.""",
    )
    unique_dim: int | None = shared.SPECIFIC_DIM
    n_layers: int = shared.N_LAYERS
    n_heads: int = shared.N_HEADS
    dropout: float = shared.DROPOUT
    head_hidden_dim: int = replace(
        shared.HEAD_HIDDEN_DIM,
        text="""
        int
        Hidden width of the networks that compute the specific embeddings.""",
    )
    distribution: Literal["vmf", "normal"] = parameter(
        default="vmf",
        constraint=[StrOptions({"vmf", "normal"})],
        text="""
        {"vmf", "normal"}
        Distribution of the draws: von Mises-Fisher on the unit sphere, where A is minus
        the cosine similarity, or normal with unit variance, where A is the squared
        distance.""",
    )
    concentration: float = shared.CONCENTRATION
    temperature: float = replace(
        shared.TEMPERATURE,
        default=0.07,
        text="""
        float
        Temperature of the contrasts.""",
    )
    agreement_weight: float = parameter(
        default=1.0,
        constraint=NON_NEGATIVE_FLOAT,
        text="""
        float
        Weight of the agreement of the shared embeddings, beta in the source.""",
    )
    ortho_weight: float = parameter(
        default=0.1,
        constraint=NON_NEGATIVE_FLOAT,
        text="""
        float
        Weight of the norms, lambda in the source. The norms grow with `batch_size`.""",
    )

    def _make_method(self, names: list[str]) -> Method:
        """Return DisentangledSSL's objective and network sizes."""
        check_several(self, names)
        refuse_early_stopping(self, type(self).__name__)
        unique_dim = {"unique_dim": find_unique_dim(self)}
        params = unique_dim | pick(self, *OBJECTIVE_PARAMETERS)
        return of_fusions(self, DisentangledSSLObjective, names, params, **unique_dim)
