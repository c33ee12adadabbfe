"""The bundled films: a table with numbers, categories and free text."""

from importlib import resources
from typing import Any, Literal

from sklearn.utils import Bunch

FILM = "year month runtime mpaa language country n_languages n_countries".split()
# Box office and the number of reviews reveal how a film was received.
RECEPTION = ["box_office", "n_reviews"]
FRESH_FROM = 60

TARGETS = ("genre", "fresh", "meter")

DESCR = """Films of 1940 to 2014.

16,583 films from a snapshot of Wikidata, as in the package bokeh-sampledata 2026.1
(movies.db). Licence: CC0-1.0. The text of a film holds its title, director, writers and
cast. Targets: the first genre (12 classes), whether at least 60 % of the reviews are
favourable ("fresh"), and that percentage ("meter", 0 to 100). No target is missing, so
no film is left out. Other values are missing, most often in "mpaa" (85 %).
"""


def load_movies(
    *,
    target: Literal["genre", "fresh", "meter"] = "genre",
    as_frame: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[Any, Any]:
    """Load films: a table, a text and a target of your choice.

    Parameters
    ----------
    target : {"genre", "fresh", "meter"}, default="genre"
        The first genre of a film (12 classes, str); whether at least 60 % of its
        reviews are favourable (0 or 1); or the percentage of favourable reviews (float,
        0 to 100).

    as_frame : bool, default=True
        Return a pandas DataFrame and Series instead of numpy arrays. As an array, the
        data have dtype object, with NaN for missing values.

    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch, or tuple of data and target if `return_X_y`
        With the entries

        data : DataFrame or ndarray of shape (16583, n_columns)
            Numbers, categories and the column "text". Columns that give the target away
            are left out: only "genre" comes with box office and number of reviews.
        target : Series or ndarray of shape (16583,)
            The target, which no film lacks.
        frame : DataFrame of shape (16583, n_columns + 1) or None
            Data and target side by side, if `as_frame`.
        modalities : list of (name, spec, columns)
            Ready for :class:`~skcoral.COrALTransformer`: "film" and "credits". Columns
            are names, or positions if not `as_frame`.
        feature_names : list of str
            Names of the columns.
        target_names : list of str
            Names of the classes in the order of their sorted labels. Absent for
            "meter".
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
    The source is the Wikidata snapshot of bokeh-sampledata, CC0-1.0.

    Examples
    --------
    >>> from skcoral.datasets import load_movies
    >>> movies = load_movies(target="fresh")
    >>> movies.data.shape
    (16583, 9)
    >>> [name for name, _, _ in movies.modalities]
    ['film', 'credits']
    """
    if target not in TARGETS:
        raise ValueError(
            "The 'target' parameter of load_movies must be a str among "
            f"{{{', '.join(map(repr, TARGETS))}}}. Got {target!r} instead."
        )
    table = FILM + (RECEPTION if target == "genre" else [])
    films = _read_frame()
    data, y = films[[*table, "text"]], _make_target(films, target)
    bunch = _to_bunch(data, y, table) if as_frame else _to_array_bunch(data, y)
    if target != "meter":
        bunch.target_names = _name_classes(y)
    return (bunch.data, bunch.target) if return_X_y else bunch


def _read_frame() -> Any:
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "load_movies needs pandas: pip install 'skcoral[frame]'."
        ) from error
    path = resources.files("skcoral.datasets") / "data" / "movies.csv.gz"
    with path.open("rb") as file:
        return pd.read_csv(file, compression="gzip")


def _make_target(films: Any, target: str) -> Any:
    if target == "fresh":
        return (films["meter"] >= FRESH_FROM).astype(int).rename("fresh")
    return films[target]


def _name_classes(y: Any) -> list[str]:
    return ["rotten", "fresh"] if y.name == "fresh" else sorted(y.unique())


def _to_bunch(data: Any, y: Any, table: list[str]) -> Bunch:
    return Bunch(
        data=data,
        target=y,
        frame=data.assign(**{y.name: y}),
        modalities=_make_modalities(table, "text"),
        feature_names=list(data.columns),
        DESCR=DESCR,
    )


def _to_array_bunch(data: Any, y: Any) -> Bunch:
    n_table = data.shape[1] - 1  # the text is the last column
    return Bunch(
        data=data.to_numpy(dtype=object),
        target=y.to_numpy(),
        frame=None,
        modalities=_make_modalities(list(range(n_table)), n_table),
        feature_names=list(data.columns),
        DESCR=DESCR,
    )


def _make_modalities(table: list[Any], text: Any) -> list[tuple[str, str, Any]]:
    return [("film", "tabular", table), ("credits", "text", text)]
