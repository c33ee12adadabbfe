"""Errors of input: which modality and which rows they are about."""

import contextlib

from skcoral._sklearn_compat import InvalidParameterError


@contextlib.contextmanager
def naming(modality, start=0):
    """Name the modality in errors of its spec, and where its rows begin in X."""
    where = f"Modality {modality!r}" + (f", rows from {start} on" if start else "")
    try:
        yield
    except (ValueError, TypeError) as error:
        # Some subclasses, UnicodeDecodeError say, are not made of one message.
        kinds = (InvalidParameterError, ValueError, TypeError)
        kind = next(kind for kind in kinds if isinstance(error, kind))
        raise kind(f"{where}: {error}") from error
