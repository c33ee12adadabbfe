"""The contract of augmentations, and their composition."""

from collections.abc import Sequence
from typing import Protocol

import torch


class Augmentation(Protocol):
    """A callable that makes one view of a batch.

    Any callable with this signature will do, a plain function included.

    See Also
    --------
    Compose : Applies several augmentations in order.

    Notes
    -----
    `x` has shape (n_samples, n_features) or (n_samples, n_steps, n_features); images
    have shape (n_samples, n_channels, height, width), and texts are token ids of shape
    (n_samples, n_tokens). `mask` is None, or a boolean tensor that is True at real
    steps; where there are no steps, it has shape (n_samples, 1) and is True for rows
    that have the modality. `generator` lives on the device of `x`; None means torch's
    default generator.

    An augmentation never changes `x` in place, and draws from `generator` only, so that
    a seed reproduces the view, in any thread.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import Augmentation
    >>> def flip_signs(x, mask=None, generator=None):
    ...     return -x
    >>> augmentation: Augmentation = flip_signs
    >>> augmentation(torch.ones(1, 2), None, None)
    tensor([[-1., -1.]])
    """

    def __call__(
        self,
        x: torch.Tensor,
        mask: torch.Tensor | None,
        generator: torch.Generator | None,
        /,
    ) -> torch.Tensor:
        """Return a view of the batch `x`.

        Parameters
        ----------
        x : tensor
            The batch.

        mask : tensor of bool or None
            Which steps, or rows, are real; None if all are.

        generator : torch.Generator or None
            Source of the random draws.

        Returns
        -------
        tensor
            The view; of the shape of `x` and on its device.
        """
        ...


class Compose:
    """Apply augmentations in order.

    Parameters
    ----------
    augmentations : sequence of Augmentation
        Callables ``(x, mask, generator) -> view``.

    Examples
    --------
    >>> import torch
    >>> from skcoral.augmentations import Compose, Drop, Noise
    >>> Compose([Drop(), Noise()])(torch.zeros(2, 3)).shape
    torch.Size([2, 3])
    """

    def __init__(self, augmentations: Sequence[Augmentation]) -> None:
        self.augmentations = augmentations

    def __call__(
        self,
        x: torch.Tensor,
        mask: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Return the view that the last augmentation makes."""
        for augment in self.augmentations:
            x = augment(x, mask, generator)
        return x
