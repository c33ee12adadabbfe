"""Losses: pure functions of embeddings, without parameters or state."""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, TypeVar, cast

import torch
from torch.nn import functional as F

_Loss = TypeVar("_Loss", bound=Callable[..., torch.Tensor])


def _at_least_float32(loss: _Loss) -> _Loss:
    """Run a loss outside autocast: bfloat16 is too coarse for its small differences."""

    @wraps(loss)
    def wrapper(first: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        wide = [_widen(arg) if torch.is_tensor(arg) else arg for arg in args]
        with torch.autocast(first.device.type, enabled=False):
            return loss(_widen(first), *wide, **kwargs)

    return cast(_Loss, wrapper)


def _widen(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


@_at_least_float32
def info_nce(
    a: torch.Tensor,
    b: torch.Tensor,
    temperature: float | torch.Tensor = 0.1,
    intra_negatives: bool = True,
) -> torch.Tensor:
    """Return the symmetric InfoNCE loss of two views.

    Row i of one view should identify row i of the other among all other rows, by the
    cosine of the two.

    Parameters
    ----------
    a, b : tensor of shape (n_samples, n_features)
        Embeddings of two views of the same samples; rows are normalised here.

    temperature : float or tensor of shape (), default=0.1
        Divisor of the cosines.

    intra_negatives : bool, default=True
        Whether negatives come from both views, or from the other view only.

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
    it for each component; without negatives from the same view, the loss of CLIP (arXiv
    2103.00020).

    Examples
    --------
    >>> import torch
    >>> from skcoral.losses import info_nce
    >>> float(info_nce(torch.eye(2), torch.eye(2), temperature=1.0))
    0.5514...
    """
    _check_same_shape(a, b)
    n_samples = len(a)
    if not intra_negatives:
        similarities = F.normalize(a, dim=1) @ F.normalize(b, dim=1).T / temperature
        positives = torch.arange(n_samples, device=a.device)
        both = (F.cross_entropy(s, positives) for s in (similarities, similarities.T))
        return cast(torch.Tensor, sum(both)) / 2
    z = F.normalize(torch.cat([a, b]), dim=1)
    itself = torch.eye(2 * n_samples, dtype=torch.bool, device=z.device)
    similarities = (z @ z.T / temperature).masked_fill(itself, -torch.inf)
    positives = torch.arange(2 * n_samples, device=z.device).roll(n_samples)
    return F.cross_entropy(similarities, positives)


@_at_least_float32
def orthogonality(
    a: torch.Tensor, b: torch.Tensor, kind: Literal["squared", "hinge"] = "squared"
) -> torch.Tensor:
    """Return the mean penalty on the row-wise cosines of two components.

    Parameters
    ----------
    a, b : tensor of shape (n_samples, n_features)
        Two components of the same samples.

    kind : {"squared", "hinge"}, default="squared"
        ``cos ** 2``, which also penalises opposite rows, or ``max(0, cos)``.

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
    COrAL (arXiv 2602.14983), whose code used the hinge first and the square later.

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


@_at_least_float32
def info_nce_of_masks(
    anchors: torch.Tensor,
    masked: torch.Tensor,
    temperature: float = 0.1,
    variance_weight: float = 1.0,
) -> torch.Tensor:
    """Return the InfoNCE loss of rows with a distribution of their masked versions.

    With cosines ``c_ik`` of row i and its k-th masked version, the positive is ``mean_k
    c_ik + v_i``, where ``v_i = variance_weight * var_k(c_ik) / (2 temperature)``. The
    negatives are all masked versions of other rows, and the other rows themselves. The
    mean of ``v_i / temperature`` is added, which removes the variance from the
    numerator; what remains in the denominator bounds it for infinitely many masks.

    Parameters
    ----------
    anchors : tensor of shape (n_samples, n_features)
        Embeddings; rows are normalised here.

    masked : tensor of shape (n_masks, n_samples, n_features)
        Embeddings of masked versions of the same samples.

    temperature : float, default=0.1
        Divisor of the cosines.

    variance_weight : float, default=1.0
        Weight of the variance.

    Returns
    -------
    tensor of shape ()
        The mean over samples.

    References
    ----------
    InfMasking (arXiv 2509.25270), which computes the quadratic form of an anchor with
    the covariance matrix of its masked versions; that equals the variance above.

    Examples
    --------
    >>> import torch
    >>> from skcoral.losses import info_nce_of_masks
    >>> float(info_nce_of_masks(torch.eye(2), torch.eye(2)[None], temperature=1.0))
    0.5514...
    """
    anchors, masked = F.normalize(anchors, dim=1), F.normalize(masked, dim=2)
    itself = torch.eye(len(anchors), dtype=torch.bool, device=anchors.device)
    cosines = torch.einsum("ip,kjp->ikj", anchors, masked)
    own = cosines.diagonal(dim1=0, dim2=2)
    variance = variance_weight * own.var(dim=0, correction=0) / (2 * temperature)
    others = (anchors @ anchors.T).masked_fill(itself, -torch.inf)
    masks_of_others = cosines.masked_fill(itself[:, None], -torch.inf).flatten(1)
    positives = (own.mean(dim=0) + variance)[:, None]
    logits = torch.cat([positives, masks_of_others, others], dim=1) / temperature
    first = torch.zeros(len(anchors), dtype=torch.long, device=anchors.device)
    return F.cross_entropy(logits, first) + variance.mean() / temperature


@_at_least_float32
def nce_bound(scores: torch.Tensor) -> torch.Tensor:
    """Return the InfoNCE lower bound on mutual information from a critic's scores.

    ``mean_i s_ii - mean_j (log sum_i exp s_ij - log n_samples)``

    Parameters
    ----------
    scores : tensor of shape (n_samples, n_samples)
        Entry (i, j) is the critic's score for row i of one input and row j of the
        other.

    Returns
    -------
    tensor of shape ()
        The bound in nats, at most ``log(n_samples)``.

    References
    ----------
    FactorCL (arXiv 2306.05268).

    Examples
    --------
    >>> import torch
    >>> from skcoral.losses import nce_bound
    >>> float(nce_bound(100 * torch.eye(8, dtype=torch.float64)))  # log 8
    2.0794...
    """
    n_samples = len(scores)
    normaliser = scores.logsumexp(dim=0) - math.log(n_samples)
    return scores.diagonal().mean() - normaliser.mean()


@_at_least_float32
def club_bound(scores: torch.Tensor) -> torch.Tensor:
    """Return the contrastive upper bound on mutual information from a critic's scores.

    ``mean_i s_ii - mean_ij s_ij``, which is an upper bound if the critic is optimal.

    Parameters
    ----------
    scores : tensor of shape (n_samples, n_samples)
        Entry (i, j) is the critic's score for row i of one input and row j of the
        other.

    Returns
    -------
    tensor of shape ()
        The bound in nats.

    References
    ----------
    CLUB (arXiv 2006.12013), with a critic as in FactorCL (arXiv 2306.05268).

    Examples
    --------
    >>> import torch
    >>> from skcoral.losses import club_bound
    >>> float(club_bound(torch.eye(4)))
    0.75
    """
    return scores.diagonal().mean() - scores.mean()


@_at_least_float32
def cross_product_norm(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the Frobenius norm of the cross product of two components.

    ``|| A.T B ||`` with normalised rows: zero if every column of one is orthogonal to
    every column of the other over the samples. It grows with the number of samples.

    Parameters
    ----------
    a : tensor of shape (n_samples, n_features_a)
        One component; rows are normalised here.

    b : tensor of shape (n_samples, n_features_b)
        The other component of the same samples.

    Returns
    -------
    tensor of shape ()
        The norm, at most `n_samples`.

    References
    ----------
    DisentangledSSL (arXiv 2410.23996, ICLR 2025).

    Examples
    --------
    >>> import torch
    >>> from skcoral.losses import cross_product_norm
    >>> a = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    >>> float(cross_product_norm(a, a))
    2.0
    """
    return torch.linalg.matrix_norm(F.normalize(a, dim=1).T @ F.normalize(b, dim=1))


@_at_least_float32
def cross_correlation_norm(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the Frobenius norm of the correlations between two components' columns.

    Unlike :func:`cross_product_norm` it does not grow with the number of samples.

    Parameters
    ----------
    a, b : tensor of shape (n_samples, n_features)
        Two components of the same samples, at least two; rows are normalised here, then
        columns standardised, with n_samples - 1 in their variances.

    Returns
    -------
    tensor of shape ()
        The norm over the number of features, at most 1.

    Raises
    ------
    ValueError
        If the shapes differ.

    References
    ----------
    RePercENT (2026), its published code.

    Examples
    --------
    >>> import torch
    >>> from skcoral.losses import cross_correlation_norm
    >>> a = torch.tensor([[3.0, 4.0], [3.0, -4.0]])
    >>> b = torch.tensor([[0.6, 0.8], [0.8, 0.6]])
    >>> round(float(cross_correlation_norm(a, a)), 3)  # one of its columns is constant
    0.25
    >>> round(float(cross_correlation_norm(a, b)), 3)
    0.354
    """
    _check_same_shape(a, b)
    standardised = (_standardise(F.normalize(x, dim=1)) for x in (a, b))
    first, second = standardised
    return torch.linalg.matrix_norm(first.T @ second / len(a)) / a.shape[1]


def _standardise(x: torch.Tensor) -> torch.Tensor:
    """Return standardised columns; constant ones become zeros."""
    centred = x - x.mean(dim=0)
    # Added to the variance, not to the deviation, whose slope at zero is infinite.
    return centred / (x.var(dim=0) + 1e-12).sqrt()


@_at_least_float32
def reconstruction_loss(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the squared error of a reconstruction relative to the squares.

    ``sum_i ||p_i - t_i||^2 / (2 sum_i ||t_i||^2)``

    Parameters
    ----------
    predicted, target : tensor of shape (n_samples, n_features)
        The reconstruction, and what it should be.

    Returns
    -------
    tensor of shape ()
        0 for a perfect reconstruction, 1/2 for zeros. Targets that are all zero are
        divided by 1.

    Raises
    ------
    ValueError
        If the shapes differ.

    References
    ----------
    IndiSeek (arXiv 2509.21584), where it bounds conditional information.

    Examples
    --------
    >>> import torch
    >>> from skcoral.losses import reconstruction_loss
    >>> target = torch.tensor([[1.0], [3.0]])
    >>> float(reconstruction_loss(torch.ones(2, 1), target))
    0.2...
    """
    _check_same_shape(predicted, target)
    scale = target.square().sum()
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return (predicted - target).square().sum() / (2 * scale)


def _check_same_shape(a: torch.Tensor, b: torch.Tensor) -> None:
    if a.ndim != 2 or a.shape != b.shape:
        raise ValueError(
            "Two embeddings of equal shape (n_samples, n_features) are expected. "
            f"Got {tuple(a.shape)} and {tuple(b.shape)}."
        )
