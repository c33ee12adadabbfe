"""Input errors: naming the modality and the rows that they concern."""

import contextlib

from skcoral._sklearn_compat import InvalidParameterError


@contextlib.contextmanager
def naming(modality, start=0):
    """Add the modality, and where its rows begin in X, to errors of its spec."""
    where = f"Modality {modality!r}" + (f", rows from {start} on" if start else "")
    try:
        yield
    except (ValueError, TypeError) as error:
        # Some subclasses, such as UnicodeDecodeError, do not take a single message.
        kinds = (InvalidParameterError, ValueError, TypeError)
        kind = next(kind for kind in kinds if isinstance(error, kind))
        raise kind(f"{where}: {error}") from error
