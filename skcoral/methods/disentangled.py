"""Sibling of COrAL that learns what is shared first, then the rest: DisentangledSSL."""

from skcoral._constraints import (
    AT_LEAST_TWO,
    FUSION,
    NON_NEGATIVE_FLOAT,
    POSITIVE_FLOAT,
    POSITIVE_INT,
    UNIQUE_DIM,
)
from skcoral._docstrings import document
from skcoral._sklearn_compat import StrOptions
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._checks import check_several, refuse_early_stopping
from skcoral.methods._networks import of_fusions
from skcoral.objectives import DisentangledSSLObjective

OBJECTIVE_PARAMETERS = (
    "head_hidden_dim",
    "distribution",
    "concentration",
    "temperature",
    "agreement_weight",
    "ortho_weight",
)


@document
class DisentangledSSLTransformer(BaseMultimodalTransformer):
    """Learn what modalities share, then, with that fixed, what is specific to each.

    Two steps of half of the epochs each [1]_. Step 1 matches random draws around the
    shared embeddings ``e_m`` of the modalities of a row: ``mean_(m, k) NCE(z_m, z_k) +
    agreement_weight mean_(m, k) A(e_m, e_k)`` over pairs. Step 2 trains the specific
    embeddings ``u_m`` only: ``sum_m NCE([u_m', z_-m'], [u_m'', z_-m'']) + ortho_weight
    / 2 sum ||U_m.T Z_m||`` over two augmented views, where ``z_-m`` is what the others
    tell.

    Parameters
    ----------
    %(modalities)s

    embed_dim : int, default=64
        Width of tokens and of the shared embedding of each modality; a multiple of
        `n_heads`, two or more.

    unique_dim : int or None, default=None
        Width of the specific embedding of each modality; None takes half of
        `embed_dim`.

    %(fusion)s

    head_hidden_dim : int, default=256
        Hidden width of the network of specific embeddings.

    distribution : {"vmf", "normal"}, default="vmf"
        Draws on the sphere, von Mises-Fisher, with A minus the cosine; or normal draws
        of unit variance, with A the squared distance.

    concentration : float, default=1000.0
        Concentration of the von Mises-Fisher distribution.

    temperature : float, default=0.07
        Temperature of the contrasts.

    agreement_weight : float, default=1.0
        Weight of the agreement of shared embeddings, beta in the source.

    ortho_weight : float, default=0.1
        Weight of the norms, lambda in the source. They grow with `batch_size`.

    %(training)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    FactorCLTransformer : Separates information by bounds of it.
    COrALTransformer : Learns what is shared and what is unique.

    Notes
    -----
    Two modalities or more; means over pairs, and ``z_-m`` is the normalised mean of the
    other modalities. "shared" is the shared embeddings of all modalities in a row,
    M times `embed_dim` wide; then comes the specific embedding of each. The terms of
    the loss are "shared", "agreement", "unique_<name>" and "orthogonality"; those of
    the other step are zero while training, and all count in `score`. As the losses of
    both steps cannot be compared, `early_stopping` is refused; of an odd number of
    epochs, step 1 has one more.

    Shared embeddings are fusions of the tokens of one modality in the network of COrAL,
    and specific ones a network of its unique paths and the shared embeddings. Grids are
    searched for both weights in the source; the defaults are ours. The learning rate is
    constant.

    A row that lacks a modality leaves its terms. In place of its shared embedding
    stands the mean of those that the row has, which are trained to be alike; in place
    of the specific one, that of a predicted unique path, unless `missing` says
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

    _parameter_constraints = {
        **BaseMultimodalTransformer._parameter_constraints,
        **UNIQUE_DIM,
        **FUSION,
        "embed_dim": AT_LEAST_TWO,
        "head_hidden_dim": POSITIVE_INT,
        "distribution": [StrOptions({"vmf", "normal"})],
        "concentration": POSITIVE_FLOAT,
        "temperature": POSITIVE_FLOAT,
        "agreement_weight": NON_NEGATIVE_FLOAT,
        "ortho_weight": NON_NEGATIVE_FLOAT,
    }

    def __init__(
        self,
        modalities="auto",
        *,
        embed_dim=64,
        unique_dim=None,
        n_layers=1,
        n_heads=4,
        dropout=0.0,
        head_hidden_dim=256,
        distribution="vmf",
        concentration=1000.0,
        temperature=0.07,
        agreement_weight=1.0,
        ortho_weight=0.1,
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
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.dropout = dropout
        self.head_hidden_dim = head_hidden_dim
        self.distribution = distribution
        self.concentration = concentration
        self.temperature = temperature
        self.agreement_weight = agreement_weight
        self.ortho_weight = ortho_weight

    def _make_method(self, names):
        """Return the objective of both steps and the sizes of its network."""
        check_several(self, names)
        refuse_early_stopping(self, type(self).__name__)
        unique_dim = {"unique_dim": self._unique_dim}
        params = unique_dim | self._pick(*OBJECTIVE_PARAMETERS)
        return of_fusions(self, DisentangledSSLObjective, names, params, **unique_dim)
