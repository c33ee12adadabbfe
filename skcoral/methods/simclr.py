"""Sibling of COrAL that contrasts views of each modality: SimCLR."""

from skcoral._constraints import HEADS, POSITIVE_FLOAT, UNIQUE_DIM
from skcoral._docstrings import document
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._networks import UNIQUE_OUTPUT, without_shared
from skcoral.objectives import SimCLRObjective


@document
class SimCLRTransformer(BaseMultimodalTransformer):
    """Contrast views of each modality, each modality by itself.

    ``mean_m NCE(h_m(x_m'), h_m(x_m''))`` with InfoNCE of projected embeddings of two
    augmented views [1]_. No modality learns of another: what a multimodal method gains
    is to be measured against this one.

    Parameters
    ----------
    %(modalities)s

    embed_dim : int, default=64
        Width of tokens.

    %(unique_dim)s

    %(heads)s

    temperature : float, default=0.1
        Temperature of the contrast.

    %(training)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    CrossSelfTransformer : Also contrasts modalities.
    COrALTransformer : Learns what is shared and what is unique.

    Notes
    -----
    Any number of modalities, one included; "unique_<name>" are the terms of the loss.
    Components are the embeddings before the projection heads, one per modality. Tokens
    are pooled as the unique paths of COrAL do.

    A row that lacks a modality leaves its contrast; in its place stands a prediction
    from the other modalities.

    References
    ----------
    .. [1] "A Simple Framework for Contrastive Learning of Visual Representations",
       ICML 2020, arXiv 2002.05709.

    Examples
    --------
    >>> from skcoral import SimCLRTransformer
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> X = make_multimodal_interactions(60, random_state=0).data
    >>> model = SimCLRTransformer(embed_dim=8, max_epochs=2, random_state=0)
    >>> model.fit_transform(X).shape
    (60, 8)
    """

    _parameter_constraints = {
        **BaseMultimodalTransformer._parameter_constraints,
        **UNIQUE_OUTPUT,
        **UNIQUE_DIM,
        **HEADS,
        "temperature": POSITIVE_FLOAT,
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

    def _make_method(self, names):
        """Return the objective and the sizes of its network."""
        objective = self._pick("head_hidden_dim", "head_dim", "temperature")
        return without_shared(self, SimCLRObjective, names, objective)
