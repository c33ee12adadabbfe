"""The bundled films: a table with numbers, categories and free text."""

from importlib import resources

import numpy as np
from sklearn.utils import Bunch

TARGETS = ("genre", "fresh", "meter")
FILM = "year month runtime mpaa language country n_languages n_countries".split()
# Box office and the number of reviews tell how a film was received.
RECEPTION = ["box_office", "n_reviews"]
FRESH_FROM = 60

DESCR = """Films of 1940 to 2014.

16,583 films from a snapshot of Wikidata, as in the package bokeh-sampledata 2026.1
(movies.db). Licence: CC0-1.0. The text of a film holds its title, director, writers and
cast. Targets: the first genre (12 classes), whether 60 % of the reviews or more are
favourable ("fresh"), and that percentage ("meter", 0 to 100).
"""


def load_movies(target="genre", *, as_frame=True):
    """Load films: a table, a text, and a target to choose.

    Parameters
    ----------
    target : {"genre", "fresh", "meter"}, default="genre"
        The first of the film's genres (12 classes, str); whether its reviews are
        favourable (0 or 1, meter of 60 or more); the percentage of favourable reviews
        (float, 0 to 100).

    as_frame : bool, default=True
        Return a pandas DataFrame and Series; otherwise numpy arrays, the data of dtype
        object with NaN where a value is missing.

    Returns
    -------
    Bunch
        With the entries

        data : DataFrame or ndarray of shape (16583, n_columns)
            Numbers, categories and the column "text". Columns that give the target away
            are left out: box office and number of reviews are there for "genre" only.
        target : Series or ndarray of shape (16583,)
            The target.
        modalities : list of (name, spec, columns)
            Ready for :class:`~skcoral.COrALTransformer`: "film" and "credits".
        feature_names : list of str
            Names of the columns.
        DESCR : str
            Origin, licence and content.

    Raises
    ------
    ValueError
        If `target` is unknown.

    ImportError
        If pandas is not installed.

    Notes
    -----
    Source: Wikidata snapshot of bokeh-sampledata, CC0-1.0.

    Examples
    --------
    >>> from skcoral.datasets import load_movies
    >>> movies = load_movies(target="fresh")
    >>> movies.data.shape
    (16583, 9)
    """
    if target not in TARGETS:
        raise ValueError(
            f"The 'target' parameter of load_movies must be a str among {TARGETS}. "
            f"Got {target!r} instead."
        )
    frame = _read_frame()
    table = FILM + (RECEPTION if target == "genre" else [])
    names = [*table, "text"]
    columns = (table, "text") if as_frame else (list(range(len(table))), len(table))
    data, y = frame[names], _make_target(frame, target)
    return Bunch(
        data=data if as_frame else _to_objects(data),
        target=y if as_frame else y.to_numpy(),
        modalities=[("film", "tabular", columns[0]), ("credits", "text", columns[1])],
        feature_names=names,
        DESCR=DESCR,
    )


def _read_frame():
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "load_movies needs pandas: pip install 'skcoral[frame]'."
        ) from error
    with (
        resources.files("skcoral.datasets")
        .joinpath("data/movies.csv.gz")
        .open("rb") as file
    ):
        return pd.read_csv(file, compression="gzip")


def _make_target(frame, target):
    if target == "fresh":
        return (frame["meter"] >= FRESH_FROM).astype(int).rename("fresh")
    return frame[target]


def _to_objects(data):
    values = data.to_numpy(dtype=object, copy=True)
    values[data.isna().to_numpy()] = np.nan
    return values
