"""Tables: mean and deviation of the runs as Markdown."""

import math
from collections.abc import Sequence
from typing import Any

from skcoral._constraints import POSITIVE_INT
from skcoral._sklearn_compat import validate_params
from skcoral.evaluation.records import (
    KEYS,
    Key,
    Record,
    as_tuple,
    check_fields,
    find_scores,
    group_by,
    list_values,
    summarize,
)
from skcoral.evaluation.scores import LOWER_IS_BETTER


@validate_params(
    {
        "records": [list],
        "rows": [list, tuple, str],
        "columns": [str, None],
        "scores": [str, list, tuple, None],
        "digits": POSITIVE_INT,
    },
    prefer_skip_nested_validation=True,
)
def format_table(
    records: list[Record],
    *,
    rows: str | Sequence[str] = "method",
    columns: str | None = "n_labels",
    scores: str | Sequence[str] | None = None,
    digits: int = 3,
) -> str:
    """Return mean and deviation as a Markdown table, with the best means in bold.

    Parameters
    ----------
    records : list of dict
        Runs as `evaluate` returns them; runs on several data sets may be joined.

    rows : str or list of str, default="method"
        Fields that define the rows. Rows that differ only in the last field are
        compared: with ``["data", "method"]`` each data set has its best method.

    columns : str or None, default="n_labels"
        Field that defines the columns; None means one column per score.

    scores : str, list of str or None, default=None
        Scores, side by side; None means all that the records have.

    digits : int, default=3
        Digits after the decimal point.

    Returns
    -------
    str
        The table. The deviation is the population standard deviation over seeds and
        draws, and is omitted for a single run. Means that are equal as printed are all
        in bold.

    Raises
    ------
    ValueError
        If no record has a field or score, if a run occurs twice, or if cells would
        average over data sets, methods, components, labels or numbers of labels.

    See Also
    --------
    summarize : The same numbers as records.

    Examples
    --------
    >>> from skcoral.evaluation import format_table
    >>> runs = [
    ...     {"method": "raw", "label": "a", "accuracy": 0.5},
    ...     {"method": "raw", "label": "b", "accuracy": 0.75},
    ...     {"method": "COrAL", "label": "a", "seed": 0, "accuracy": 0.75},
    ...     {"method": "COrAL", "label": "a", "seed": 1, "accuracy": 0.875},
    ... ]
    >>> print(format_table(runs, columns="label"))
    | method | a | b |
    |---|---|---|
    | raw | 0.500 | **0.750** |
    | COrAL | **0.812 ± 0.062** |  |
    """
    rows, scores = as_tuple(rows), find_scores(records, scores)
    by = rows if columns is None else (*rows, columns)
    check_fields(records, by)
    _check_not_averaged(records, by)
    means = {
        (*(s[field] for field in by), s["score"]): s
        for s in summarize(records, by=by, scores=scores)
    }
    heads = [()] if columns is None else [(c,) for c in list_values(records, columns)]
    heads = [(*head, score) for score in scores for head in heads]
    keys = list(group_by(records, rows))
    lines = [[*rows, *(_title(head, scores) for head in heads)]]
    lines.append(["---"] * len(lines[0]))
    for key in keys:
        compared = [other for other in keys if other[:-1] == key[:-1]]
        cells = [_cell(means, key, compared, head, digits) for head in heads]
        lines.append([*key, *cells])
    return "\n".join(map(_join_cells, lines))


def _title(head: Key, scores: Sequence[str]) -> str:
    """Return the title of a column: its value, its score, or both."""
    *value, score = head
    if not value:
        return score
    return str(value[0]) if len(scores) == 1 else f"{score}, {value[0]}"


def _cell(
    means: dict[Key, Record], key: Key, compared: list[Key], head: Key, digits: int
) -> str:
    """Return mean and deviation, bold if no row to compare with has a better mean."""
    own = means.get((*key, *head))
    if own is None or math.isnan(own["mean"]):
        return "" if own is None else "-"
    others = [means[(*r, *head)]["mean"] for r in compared if (*r, *head) in means]
    best = min if head[-1] in LOWER_IS_BETTER else max
    best = best(other for other in others if not math.isnan(other))
    text = f"{own['mean']:.{digits}f}"
    is_best = text == f"{best:.{digits}f}"
    if own["n_runs"] > 1:
        text += f" ± {own['deviation']:.{digits}f}"
    return f"**{text}**" if is_best else text


def _join_cells(cells: list[Any]) -> str:
    if set(cells) == {"---"}:
        return "|" + "---|" * len(cells)
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _check_not_averaged(records: list[Record], by: Sequence[str]) -> None:
    """Raise if a cell would average runs that are not repetitions."""
    for field in KEYS:
        values = list_values(records, field)
        if field not in by and len(values) > 1:
            raise ValueError(
                f"Cells would average runs that differ in {field!r}: {values}. Put it "
                "in rows or columns, or choose the records of one value."
            )
