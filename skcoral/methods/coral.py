"""COrAL: shared and unique representations of several modalities, without labels."""

from numbers import Real

from skcoral._constraints import (
    FUSION,
    HEADS,
    NON_NEGATIVE_FLOAT,
    POSITIVE_FLOAT,
    PROBABILITY,
    UNIQUE_DIM,
)
from skcoral._docstrings import document
from skcoral._sklearn_compat import Interval, StrOptions
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._checks import check_multiple, check_schedule
from skcoral.objectives import COrALObjective

NETWORK_PARAMETERS = ("n_layers", "n_heads", "dropout", "mask_mode")
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


@document
class COrALTransformer(BaseMultimodalTransformer):
    """Learn what modalities share and what each alone knows, without labels.

    A shared path fuses the tokens of all modalities by a transformer; a unique path per
    modality embeds it alone. Two random views of each row are contrasted in every
    component, while one view hides some modalities from the shared path and the other
    view the rest, so that the shared path must infer across modalities. An
    orthogonality penalty keeps the components apart [1]_.

    Parameters
    ----------
    %(modalities)s

    %(coral)s

    %(training)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    %(see_also)s

    Notes
    -----
    The terms of the loss are "shared", "unique_<name>" and "orthogonality".

    Deviations from the paper's code: any number of modalities (one is well defined, a
    contrastive learner whose shared and unique features have no cross-modal meaning);
    views by marginal corruption (SCARF, arXiv 2106.15147) instead of noise; separate
    initial weights of shared and unique encoders; small heads; padding is never
    attended. The embedding is ``[shared | unique_1 | ... | unique_M]``, taken before
    the projection heads, so the components are kept orthogonal on the heads only:
    they can still be correlated in the features.

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

    _parameter_constraints = {
        **BaseMultimodalTransformer._parameter_constraints,
        **UNIQUE_DIM,
        **FUSION,
        **HEADS,
        "temperature": POSITIVE_FLOAT,
        "mask_ratio": [*PROBABILITY, list, tuple],
        "mask_mode": [StrOptions({"zero", "token", "drop"})],
        "shared_weight": NON_NEGATIVE_FLOAT,
        "unique_weight": NON_NEGATIVE_FLOAT,
        "ortho_weight": NON_NEGATIVE_FLOAT,
        "orthogonality": [StrOptions({"squared", "hinge"})],
        "ortho_reduction": [StrOptions({"sum", "mean"})],
        "modality_dropout": [Interval(Real, 0, 1, closed="left")],
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
        head_dim=128,
        temperature=0.1,
        mask_ratio=1.0,
        mask_mode="zero",
        shared_weight=1.0,
        unique_weight=1.0,
        ortho_weight=1.0,
        orthogonality="squared",
        ortho_reduction="sum",
        modality_dropout=0.0,
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
        self.head_dim = head_dim
        self.temperature = temperature
        self.mask_ratio = mask_ratio
        self.mask_mode = mask_mode
        self.shared_weight = shared_weight
        self.unique_weight = unique_weight
        self.ortho_weight = ortho_weight
        self.orthogonality = orthogonality
        self.ortho_reduction = ortho_reduction
        self.modality_dropout = modality_dropout

    def _make_method(self, names):
        """Return COrAL's objective and the sizes of its network."""
        check_multiple(self, "embed_dim", "n_heads")
        check_schedule(self, "mask_ratio")
        sizes = {"embed_dim": self.embed_dim, "unique_dim": self._unique_dim}
        objective = self._pick(*OBJECTIVE_PARAMETERS)
        network = self._pick(*NETWORK_PARAMETERS)
        return COrALObjective, {"names": names, **sizes, **objective}, sizes | network
