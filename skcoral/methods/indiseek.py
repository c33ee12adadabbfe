"""IndiSeek: first what modalities share, then what completes each of them."""

from dataclasses import replace

from skcoral._constraints import NON_NEGATIVE_FLOAT
from skcoral._training.trainer import Method
from skcoral.methods import _parameters as shared
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._checks import check_several, refuse_early_stopping
from skcoral.methods._networks import find_unique_dim, of_fusions, pick
from skcoral.methods._parameters import estimator, parameter
from skcoral.objectives.indiseek import IndiSeekObjective


@estimator
class IndiSeekTransformer(BaseMultimodalTransformer):
    """Learn what modalities share and then, with that fixed, what completes each.

    Training has two steps of half the epochs each [1]_. Step 1 matches the shared
    embeddings ``c_m`` of the modalities of a row, as CLIP does: ``mean_(m, k) NCE(c_m,
    c_k)`` over pairs. Step 2 trains the specific embeddings ``z_m`` to be independent
    of what the other modalities share and to restore, with ``c_m``, the modality:
    ``I_CLUB(z_m, c_k) + reconstruction_weight E||g_m(z_m, c_m) - x_m||^2 / (2
    E||x_m||^2)``, summed over modalities, with a decoder g per modality. The second
    term bounds what ``z_m`` and ``c_m`` together do not know of ``x_m``.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    DisentangledSSLTransformer : Contrasts views to learn what is specific.
    FactorCLTransformer : Separates shared and unique information by bounds alone.
    COrALTransformer : Learns what is shared and what is unique.

    Notes
    -----
    Needs at least two modalities. The source has two; here step 1 takes the mean over
    pairs, and ``I_CLUB`` the mean over the other modalities k. The component "shared"
    holds the shared embeddings of all M modalities side by side, M times `embed_dim`
    wide; the specific embedding of each modality follows. The loss terms are "shared",
    "independence", "reconstruction_<name>" and, of the second of the two updates that
    each batch of step 2 makes, "critics". In training, the terms of the other step are
    zero; in `score`, all count. The losses of the two steps cannot be compared, and
    critics work against embeddings, so `early_stopping` is not supported. If the number
    of epochs is odd, step 1 has one more. Nothing is augmented.

    The source restores the input. Here ``x_m`` is the mean of the modality's tokens in
    the network that step 1 trained and step 2 leaves alone, so that texts and
    categories can be restored too; what step 1 drops from the tokens is not restored.
    ``I_CLUB`` is FactorCL's, whose critic is trained by InfoNCE in one update per batch
    [2]_; no code of the source is public, and how often it updates its critic, and of
    which form, was not known to us for certain. Shared embeddings are fusions of the
    tokens of one modality in COrAL's network, specific ones its unique paths. The
    weight is that of the source's experiment with single cells; 0.1 to 10 is the range
    it recommends. The learning rate is constant.

    A row that lacks a modality is left out of its terms. The missing shared embedding
    is replaced by the mean of those that the row has, which are trained to agree; the
    missing specific one is predicted, unless `missing` says otherwise.

    References
    ----------
    .. [1] "IndiSeek learns information-guided disentangled representations", 2025,
       arXiv 2509.21584.

    .. [2] "Factorized Contrastive Learning: Going Beyond Multi-view Redundancy",
       NeurIPS 2023, arXiv 2306.05268.

    Examples
    --------
    >>> from skcoral import IndiSeekTransformer
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> X = make_multimodal_interactions(60, random_state=0).data
    >>> model = IndiSeekTransformer(embed_dim=8, max_epochs=2, random_state=0).fit(X)
    >>> model.output_indices_
    {'shared': slice(0, 16, None), 'm0': slice(16, 20, None), 'm1': slice(20, 24, None)}
    """

    embed_dim: int = replace(
        shared.EMBED_DIM,
        text="""
        int
        Width of the tokens and of the shared embedding of each modality; a multiple of
        `n_heads`.""",
    )
    unique_dim: int | None = shared.SPECIFIC_DIM
    n_layers: int = shared.N_LAYERS
    n_heads: int = shared.N_HEADS
    dropout: float = shared.DROPOUT
    head_hidden_dim: int = replace(
        shared.HEAD_HIDDEN_DIM,
        text="""
        int
        Hidden width of the decoders.""",
    )
    critic_hidden_dim: int = shared.CRITIC_HIDDEN_DIM
    temperature: float = replace(
        shared.TEMPERATURE,
        text="""
        float
        Temperature of the contrast of modalities.""",
    )
    reconstruction_weight: float = parameter(
        default=10.0,
        constraint=NON_NEGATIVE_FLOAT,
        text="""
        float
        Weight of the reconstructions, lambda in the source. A higher one keeps more of
        each modality in its specific embedding, a lower one makes that more
        independent.""",
    )

    def _make_method(self, names: list[str]) -> Method:
        """Return IndiSeek's objective and network sizes."""
        check_several(self, names)
        refuse_early_stopping(self, type(self).__name__)
        unique_dim = {"unique_dim": find_unique_dim(self)}
        heads = pick(self, "head_hidden_dim", "critic_hidden_dim")
        weights = pick(self, "temperature", "reconstruction_weight")
        params = unique_dim | heads | weights
        return of_fusions(self, IndiSeekObjective, names, params, **unique_dim)
