"""Encoders: small modules that turn a batch of one modality into tokens.

An encoder maps a batch of one modality, with an optional padding mask, to tokens of
shape (n_samples, n_tokens, embed_dim) and the padding mask of those tokens (None where
every token is real).
"""

from typing import Protocol, TypeAlias

from torch import Tensor

# Tokens and the mask of the real ones, None if all are real.
EncodedTokens: TypeAlias = tuple[Tensor, Tensor | None]


class Encoder(Protocol):
    """Interface that the network expects of an encoder, a :class:`torch.nn.Module`.

    Notes
    -----
    Weights may be drawn as torch does it: the trainer replaces the generator while it
    builds an encoder. For dropout take :class:`~skcoral.nn.feed_forward.Dropout`, whose
    generator the trainer sets; torch's own draws from the generator of the process, so
    that a seed would not hold.
    """

    def __call__(self, x: Tensor, mask: Tensor | None = None) -> EncodedTokens:
        """Return the tokens and the mask of the real ones.

        Parameters
        ----------
        x : tensor, first axis = samples
            A batch of one modality.

        mask : bool tensor of shape (n_samples, n_steps) or (n_samples, 1), default=None
            True where real; a row without any True lacks the modality.

        Returns
        -------
        tokens : tensor of shape (n_samples, n_tokens, embed_dim)
            The tokens.

        mask : bool tensor of shape (n_samples, n_tokens), or None
            True at real tokens; None if all are real.
        """


def expand_mask(mask: Tensor | None, tokens: Tensor) -> Tensor | None:
    """Expand a mask of rows to all of their tokens; None stays None."""
    return None if mask is None else mask.expand(tokens.shape[:2])
