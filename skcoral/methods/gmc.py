"""Sibling of COrAL that brings each modality near the whole row: GMC."""

from skcoral._constraints import FUSION, HEADS, POSITIVE_FLOAT
from skcoral._docstrings import document
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.methods._networks import SHARED_OUTPUT, of_fusions
from skcoral.objectives import GMCObjective


@document
class GMCTransformer(BaseMultimodalTransformer):
    """Learn one representation for a whole row and for each of its modalities.

    Every modality is embedded by itself, and all are fused; one head takes either to
    the representation. ``sum_m NCE(z_m, z_joint)`` is minimised [1]_, so that what is
    left of a row is placed where the whole row would be.

    Parameters
    ----------
    %(modalities)s

    embed_dim : int, default=64
        Width of tokens and of the embeddings below the head; a multiple of `n_heads`.

    %(fusion)s

    head_hidden_dim : int, default=256
        Hidden width of the head.

    head_dim : int, default=64
        Output width of the head, which is the representation.

    temperature : float, default=0.1
        Temperature of the contrast.

    %(training)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    CoMMTransformer : Contrasts augmented views of parts and whole.
    COrALTransformer : Learns what is shared and what is unique.

    Notes
    -----
    Any number of modalities; one is well defined, but compares two encoders of the same
    thing. The only component is "shared", the head's output of length one: the joint
    representation of a row that has all modalities, else the mean of those of the
    modalities that it has, as published, so that `missing` has no effect. To place one
    modality alone, leave the others out of a row. The terms of the loss are
    "shared_<name>". Views are not augmented.

    The joint embedding is the fusion of COrAL and the single ones are its unique paths,
    as wide; the source has networks for its data sets instead.

    References
    ----------
    .. [1] "Geometric Multimodal Contrastive Representation Learning", ICML 2022,
       arXiv 2202.03390.

    Examples
    --------
    >>> from skcoral import GMCTransformer
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> X = make_multimodal_interactions(60, random_state=0).data
    >>> gmc = GMCTransformer(embed_dim=8, head_dim=4, max_epochs=2, random_state=0)
    >>> gmc.fit_transform(X).shape
    (60, 4)
    """

    _parameter_constraints = {
        **BaseMultimodalTransformer._parameter_constraints,
        **SHARED_OUTPUT,
        **FUSION,
        **HEADS,
        "temperature": POSITIVE_FLOAT,
    }

    def __init__(
        self,
        modalities="auto",
        *,
        embed_dim=64,
        n_layers=1,
        n_heads=4,
        dropout=0.0,
        head_hidden_dim=256,
        head_dim=64,
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
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.dropout = dropout
        self.head_hidden_dim = head_hidden_dim
        self.head_dim = head_dim
        self.temperature = temperature

    def _make_method(self, names):
        """Return GMC's objective and the sizes of its network."""
        heads = self._pick("head_hidden_dim", "head_dim", "temperature")
        return of_fusions(self, GMCObjective, names, heads, unique_dim=self.embed_dim)
