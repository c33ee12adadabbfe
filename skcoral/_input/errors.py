"""Input errors: naming the modality and the rows that they concern."""

import contextlib

from skcoral._sklearn_compat import InvalidParameterError

# Characters of a value that are shown in an error message.
MAX_SHOWN = 300


def describe(value):
    """Return the repr of a value, cut at some length, or its type if it has none."""
    try:
        text = repr(value)
    except Exception:  # a stranger's object raises what it wants
        return f"an object of type {type(value).__name__!r}"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


@contextlib.contextmanager
def naming(modality, start=0):
    """Add the modality, and where its rows begin in X, to errors of its spec."""
    where = f"Modality {modality!r}" + (f", rows from {start} on" if start else "")
    with _prefixing(where):
        yield


@contextlib.contextmanager
def naming_block(key):
    """Add the key of a block in a SliceDict to errors about the block."""
    with _prefixing(f"Block {key!r}"):
        yield


@contextlib.contextmanager
def naming_preprocessor(preprocessor, role="preprocessor"):
    """Say that it was a user's transformer that did not take a block."""
    where = f"The {role} {type(preprocessor).__name__} does not take this block"
    try:
        with _prefixing(where):
            yield
    except (ValueError, TypeError, ImportError, MemoryError):
        raise
    except Exception as error:  # libraries have errors of their own
        raise ValueError(f"{where}: {error!r}") from error


@contextlib.contextmanager
def _prefixing(where):
    try:
        yield
    except (ValueError, TypeError) as error:
        # Some subclasses, such as UnicodeDecodeError, do not take a single message.
        kinds = (InvalidParameterError, ValueError, TypeError)
        kind = next(kind for kind in kinds if isinstance(error, kind))
        raise kind(f"{where}: {error}") from error
