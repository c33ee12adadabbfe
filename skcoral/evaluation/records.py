"""Records: the runs of a protocol as a list of dicts, and their means."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from skcoral._input.presence import is_missing
from skcoral._sklearn_compat import validate_params
from skcoral.evaluation.scores import SCORES

# Runs of one method differ in the case and, within it, in the repetition.
CASE = ("data", "component", "label", "n_labels")
REPETITION = ("draw", "seed")
KEYS = ("data", "method", *CASE[1:])

Record: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[Any, ...]  # values of some fields of a record


@validate_params(
    {
        "records": [list],
        "by": [list, tuple, str, None],
        "scores": [str, list, tuple, None],
    },
    prefer_skip_nested_validation=True,
)
def summarize(
    records: list[Record],
    *,
    by: str | Sequence[str] | None = None,
    scores: str | Sequence[str] | None = None,
) -> list[Record]:
    """Return the mean and standard deviation of scores over seeds and draws.

    Parameters
    ----------
    records : list of dict
        Runs as `evaluate` returns them; runs on several data sets may be joined.

    by : str, list of str or None, default=None
        Fields that define the groups; runs that differ in other fields are averaged.
        None means "data", "method", "component", "label" and "n_labels", as far as the
        records have them.

    scores : str, list of str or None, default=None
        Scores to summarise; None means all that the records have.

    Returns
    -------
    list of dict
        One record per group and score: the fields of `by`, "score", "mean",
        "deviation" and "n_runs". The deviation is the population standard deviation
        (``ddof=0``), as in the published tables.

    Raises
    ------
    ValueError
        If there are no records, if no record has a field or score, or if a run occurs
        twice.

    See Also
    --------
    format_table : The same as a Markdown table.

    Examples
    --------
    >>> from skcoral.evaluation import summarize
    >>> runs = [{"method": "PCA", "seed": i, "accuracy": 0.5 + i / 4} for i in (0, 1)]
    >>> summarize(runs)
    [{'method': 'PCA', 'score': 'accuracy',
      'mean': 0.625, 'deviation': 0.125, 'n_runs': 2}]
    """
    by, scores = find_fields(records, by, KEYS), find_scores(records, scores)
    check_distinct(records)
    summaries = []
    for key, runs in group_by(records, by).items():
        for score in scores:
            values = [run[score] for run in runs if score in run]
            if values:
                fields = dict(zip(by, key, strict=True))
                summaries.append(fields | {"score": score} | _describe(values))
    return summaries


def _describe(values: list[float]) -> Record:
    """Return the mean, the population deviation and the number of some scores."""
    return {
        "mean": float(np.mean(values)),
        "deviation": float(np.std(values)),
        "n_runs": len(values),
    }


def as_tuple(names: str | Sequence[str]) -> tuple[str, ...]:
    """Return one name or several as a tuple."""
    return (names,) if isinstance(names, str) else tuple(names)


def read_key(record: Record, fields: Iterable[str]) -> Key:
    """Return the values of some fields, with None where one is missing."""
    values = (record.get(field) for field in fields)
    return tuple(None if is_missing(value) else value for value in values)


def list_values(records: list[Record], field: str) -> list[Any]:
    """Return the distinct values of a field in order of appearance."""
    return list(dict.fromkeys(record.get(field) for record in records))


def group_by(records: list[Record], fields: Iterable[str]) -> dict[Key, list[Record]]:
    """Return the records by the values of some fields, in order of appearance."""
    groups: dict[Key, list[Record]] = {}
    for record in records:
        groups.setdefault(read_key(record, fields), []).append(record)
    return groups


def find_fields(
    records: list[Record],
    fields: str | Sequence[str] | None,
    default: tuple[str, ...],
) -> tuple[str, ...]:
    """Return the fields to group by: as given, or the usual ones that records have."""
    if fields is None:
        return tuple(f for f in default if any(f in record for record in records))
    check_fields(records, as_tuple(fields))
    return as_tuple(fields)


def find_scores(
    records: list[Record], scores: str | Sequence[str] | None
) -> Sequence[str]:
    """Return the names of scores; raise if no record has them."""
    if not records:
        raise ValueError("There are no records.")
    known = [s for s in SCORES if any(s in record for record in records)]
    if scores is None:
        return known
    check_fields(records, as_tuple(scores))
    return as_tuple(scores)


def check_fields(records: list[Record], fields: Iterable[str]) -> None:
    """Raise if no record has a field."""
    known = list(dict.fromkeys(field for record in records for field in record))
    for field in fields:
        if field not in known:
            raise ValueError(f"No record has the field {field!r}; they have {known}.")


def check_distinct(records: list[Record]) -> None:
    """Raise if a run occurs twice, as it would be counted twice."""
    seen = set()
    for record in records:
        key = read_key(record, (*KEYS, *REPETITION))
        if key in seen:
            run = dict(zip((*KEYS, *REPETITION), key, strict=True))
            raise ValueError(f"The run {run} is in the records twice.")
        seen.add(key)
