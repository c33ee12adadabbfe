"""Losses: pure functions of embeddings, without parameters or state."""

from functools import wraps

import torch
from torch.nn import functional as F


def _at_least_float32(loss):
    """Run a loss outside autocast: its small differences need more than bfloat16."""

    @wraps(loss)
    def wrapper(a, b, *args, **kwargs):
        dtype = torch.promote_types(a.dtype, torch.float32)
        with torch.autocast(a.device.type, enabled=False):
            return loss(a.to(dtype), b.to(dtype), *args, **kwargs)

    return wrapper


@_at_least_float32
def info_nce(a, b, temperature=0.1):
    """Return the symmetric InfoNCE loss with negatives inside each view.

    Row i of one view is to be told from all other rows of both views by its cosine with
    row i of the other view.

    Parameters
    ----------
    a, b : tensor of shape (n_samples, n_features)
        Embeddings of two views of the same samples; rows are normalised here.

    temperature : float, default=0.1
        Divisor of the cosines.

    Returns
    -------
    tensor of shape ()
        The mean over both views; exactly 0 for a single sample, which has no negatives.

    Raises
    ------
    ValueError
        If the shapes differ or are not two-dimensional.

    References
    ----------
    NT-Xent of SimCLR (arXiv 2002.05709, equation 1), as COrAL (arXiv 2602.14983) uses
    it for each component.

    Examples
    --------
    >>> import torch
    >>> from skcoral.losses import info_nce
    >>> float(info_nce(torch.eye(2), torch.eye(2), temperature=1.0))
    0.5514...
    """
    _check_same_shape(a, b)
    n_samples = len(a)
    z = F.normalize(torch.cat([a, b]), dim=1)
    itself = torch.eye(2 * n_samples, dtype=torch.bool, device=z.device)
    similarities = (z @ z.T / temperature).masked_fill(itself, -torch.inf)
    positives = torch.arange(2 * n_samples, device=z.device).roll(n_samples)
    return F.cross_entropy(similarities, positives)


@_at_least_float32
def orthogonality(a, b, kind="squared"):
    """Return the mean penalty on the cosines of two components, row by row.

    Parameters
    ----------
    a, b : tensor of shape (n_samples, n_features)
        Two components of the same samples.

    kind : {"squared", "hinge"}, default="squared"
        ``cos ** 2``, which also pushes opposite rows apart, or ``max(0, cos)``.

    Returns
    -------
    tensor of shape ()
        The mean over samples, between 0 and 1.

    Raises
    ------
    ValueError
        If the shapes differ or `kind` is unknown.

    References
    ----------
    COrAL (arXiv 2602.14983); its code uses the hinge first and the square later.

    Examples
    --------
    >>> import torch
    >>> from skcoral.losses import orthogonality
    >>> a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[-1.0, 0.0]])
    >>> float(orthogonality(a, b)), float(orthogonality(a, b, kind="hinge"))
    (1.0, 0.0)
    """
    _check_same_shape(a, b)
    cosines = F.cosine_similarity(a, b, dim=1)
    if kind == "squared":
        return cosines.square().mean()
    if kind == "hinge":
        return cosines.clamp(min=0.0).mean()
    raise ValueError(
        "The 'kind' parameter of orthogonality must be 'squared' or 'hinge'. "
        f"Got {kind!r} instead."
    )


def _check_same_shape(a, b):
    if a.ndim != 2 or a.shape != b.shape:
        raise ValueError(
            "Two embeddings of equal shape (n_samples, n_features) are expected. "
            f"Got {tuple(a.shape)} and {tuple(b.shape)}."
        )
