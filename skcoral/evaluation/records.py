"""Records: means, paired differences and tables of the runs of a protocol."""

import math

import numpy as np
from scipy.stats import ttest_1samp

from skcoral._columns import is_missing
from skcoral._validation import OPEN_FRACTION, POSITIVE_INT, validate_params
from skcoral.evaluation.scores import LOWER_IS_BETTER, SCORES

# What tells runs of one method apart: the case and, within it, the repetition.
CASE = ("data", "component", "label", "n_labels")
REPETITION = ("seed", "draw")
KEYS = ("data", "method", *CASE[1:])


@validate_params(
    {
        "records": [list],
        "by": [list, tuple, str, None],
        "scores": [str, list, tuple, None],
    },
    prefer_skip_nested_validation=True,
)
def summarize(records, *, by=None, scores=None):
    """Return the mean and deviation of scores over seeds and draws.

    Parameters
    ----------
    records : list of dict
        Runs, as `evaluate` returns them; those of several data sets may be joined.

    by : list of str or None, default=None
        Fields that tell groups apart; runs that differ in others are averaged. None:
        "data", "method", "component", "label" and "n_labels", those that there are.

    scores : str, list of str or None, default=None
        Scores; None: all that the records have.

    Returns
    -------
    list of dict
        One record per group and score: the fields of `by`, "score", "mean",
        "deviation" and "n_runs". The deviation is that of the population (``ddof=0``),
        as in the published tables.

    Raises
    ------
    ValueError
        If there are no records, a field or score is in none of them, or a run is there
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
    by, scores = _find_fields(records, by, KEYS), _find_scores(records, scores)
    _check_distinct(records)
    summaries = []
    for key, runs in _group(records, by).items():
        for score in scores:
            values = [run[score] for run in runs if score in run]
            if values:
                fields = dict(zip(by, key, strict=True))
                summaries.append(fields | {"score": score} | _describe(values))
    return summaries


@validate_params(
    {
        "records": [list],
        "reference": [str],
        "score": [str],
        "by": [list, tuple, str, None],
        "confidence": OPEN_FRACTION,
    },
    prefer_skip_nested_validation=True,
)
def compare(records, reference, *, score="balanced_accuracy", by=None, confidence=0.95):
    """Compare each method with a reference, run by run.

    Runs are paired that agree in data set, component, label, number of labels, seed and
    draw. A run without a seed or draw, of a method that has none, is paired with each
    run of the other method.

    Parameters
    ----------
    records : list of dict
        Runs, as `evaluate` returns them; those of several data sets may be joined.

    reference : str
        Name of the method that the others are compared with.

    score : str, default="balanced_accuracy"
        What is compared.

    by : list of str or None, default=None
        Fields of which each combination is compared by itself; the pairs of fields left
        out are pooled: ``by=["n_labels"]`` joins those of all data sets. None: "data",
        "component", "label" and "n_labels", those that there are.

    confidence : float, default=0.95
        Coverage of the interval.

    Returns
    -------
    list of dict
        One record per combination and method: the fields of `by`, "method",
        "reference", "score", "n_pairs", "difference" (mean of method minus reference),
        "deviation" of the differences (``ddof=0``), "wins", "ties" and "losses" of the
        method, "low" and "high", the interval of the mean difference, and "p_value".
        The last three are NaN for a single pair and for differences that are all equal.

    Raises
    ------
    ValueError
        If there are no records, the reference, a field or the score is in none of them,
        or a run is there twice.

    See Also
    --------
    summarize : Mean and deviation of each method.

    Notes
    -----
    Interval and p-value are those of the paired t-test (:func:`scipy.stats.ttest_1samp`
    on the differences). It assumes that pairs are independent and differences normal.
    Pairs of one data set share its training and test rows, and pairs of one draw its
    labels. So the interval tells how far seeds and draws make the difference by chance,
    not whether it would hold on other rows or other data; where one method has many
    seeds and the other has none, it is too narrow even for that. Many comparisons at
    once make some p-values small by chance.

    Examples
    --------
    >>> from skcoral.evaluation import compare
    >>> scores = {"PCA": [0.5, 0.5, 0.75], "COrAL": [0.5, 0.75, 0.875]}
    >>> runs = [
    ...     {"method": method, "draw": draw, "accuracy": value}
    ...     for method, values in scores.items()
    ...     for draw, value in enumerate(values)
    ... ]
    >>> (result,) = compare(runs, "PCA", score="accuracy")
    >>> result["difference"], result["wins"], result["ties"], result["losses"]
    (0.125, 2, 1, 0)
    """
    by, (score,) = _find_fields(records, by, CASE), _find_scores(records, score)
    _check_distinct(records)
    methods = list(dict.fromkeys(record.get("method") for record in records))
    if reference not in methods:
        raise ValueError(
            f"The 'reference' parameter of compare must be among {methods}. Got "
            f"{reference!r} instead."
        )
    results = []
    for key, runs in _group([r for r in records if score in r], by).items():
        fields = dict(zip(by, key, strict=True))
        for method in methods:
            differences = _pair(runs, method, reference, score)
            if method != reference and differences:
                names = {"method": method, "reference": reference, "score": score}
                results.append(fields | names | _test(differences, score, confidence))
    return results


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
def format_table(records, *, rows="method", columns="n_labels", scores=None, digits=3):
    """Return mean and deviation as a Markdown table, the best in bold.

    Parameters
    ----------
    records : list of dict
        Runs, as `evaluate` returns them; those of several data sets may be joined.

    rows : str or list of str, default="method"
        Fields that make the rows. Rows that differ in the last one only compete: with
        ``["data", "method"]`` each data set has a best method.

    columns : str or None, default="n_labels"
        Field that makes the columns; None: one column per score.

    scores : str, list of str or None, default=None
        Scores, side by side; None: all that the records have.

    digits : int, default=3
        Digits after the point.

    Returns
    -------
    str
        The table. The deviation is that of the population over seeds and draws, and is
        left out where there is one run. Means that look alike are bold alike.

    Raises
    ------
    ValueError
        If a field or score is in no record, a run is there twice, or cells would
        average data sets, methods, components, labels or numbers of labels.

    See Also
    --------
    summarize : The numbers.

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
    rows, scores = _as_tuple(rows), _find_scores(records, scores)
    by = rows if columns is None else (*rows, columns)
    _check_fields(records, by)
    _check_not_averaged(records, by)
    means = {
        (*(s[field] for field in by), s["score"]): s
        for s in summarize(records, by=by, scores=scores)
    }
    heads = [()] if columns is None else [(c,) for c in _values(records, columns)]
    heads = [(*head, score) for score in scores for head in heads]
    keys = list(_group(records, rows))
    lines = [[*rows, *(_title(head, scores) for head in heads)]]
    lines.append(["---"] * len(lines[0]))
    for key in keys:
        rivals = [other for other in keys if other[:-1] == key[:-1]]
        cells = [_cell(means, key, rivals, head, digits) for head in heads]
        lines.append([*key, *cells])
    return "\n".join(map(_join_cells, lines))


def _describe(values):
    """Return mean, population deviation and number of some scores."""
    return {
        "mean": float(np.mean(values)),
        "deviation": float(np.std(values)),
        "n_runs": len(values),
    }


def _pair(runs, method, reference, score):
    """Return the differences of the runs of two methods that belong together."""
    own, others = (
        [r for r in runs if r.get("method") == m] for m in (method, reference)
    )
    others = _group(others, CASE)
    return [
        run[score] - other[score]
        for run in own
        for other in others.get(_key(run, CASE), [])
        if all(_agree(run.get(f), other.get(f)) for f in REPETITION)
    ]


def _agree(a, b):
    """Tell whether repetitions are the same; none stands for any."""
    return is_missing(a) or is_missing(b) or a == b


def _test(differences, score, confidence):
    """Return what the differences say about the method."""
    differences = np.asarray(differences)
    gains = -differences if score in LOWER_IS_BETTER else differences
    low = high = p_value = math.nan
    if len(differences) > 1 and not np.allclose(
        differences, differences[0], atol=1e-12
    ):
        test = ttest_1samp(differences, 0.0)
        low, high = test.confidence_interval(confidence)
        p_value = test.pvalue
    return {
        "n_pairs": len(differences),
        "difference": float(differences.mean()),
        "deviation": float(differences.std()),
        "wins": int((gains > 0).sum()),
        "ties": int((gains == 0).sum()),
        "losses": int((gains < 0).sum()),
        "low": float(low),
        "high": float(high),
        "p_value": float(p_value),
    }


def _title(head, scores):
    """Return the title of a column: its value, its score, or both."""
    *value, score = head
    if not value:
        return score
    return str(value[0]) if len(scores) == 1 else f"{score}, {value[0]}"


def _cell(means, key, rivals, head, digits):
    """Return mean and deviation, bold if no rival has a better mean."""
    own = means.get((*key, *head))
    if own is None or math.isnan(own["mean"]):
        return "" if own is None else "-"
    others = [means[(*r, *head)]["mean"] for r in rivals if (*r, *head) in means]
    best = min if head[-1] in LOWER_IS_BETTER else max
    best = best(other for other in others if not math.isnan(other))
    text = f"{own['mean']:.{digits}f}"
    is_best = text == f"{best:.{digits}f}"
    if own["n_runs"] > 1:
        text += f" ± {own['deviation']:.{digits}f}"
    return f"**{text}**" if is_best else text


def _join_cells(cells):
    if set(cells) == {"---"}:
        return "|" + "---|" * len(cells)
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _as_tuple(names):
    return (names,) if isinstance(names, str) else tuple(names)


def _key(record, fields):
    return tuple(record.get(field) for field in fields)


def _values(records, field):
    """Return the distinct values of a field in order of appearance."""
    return list(dict.fromkeys(record.get(field) for record in records))


def _group(records, fields):
    """Return the records by the values of some fields, in order of appearance."""
    groups = {}
    for record in records:
        groups.setdefault(_key(record, fields), []).append(record)
    return groups


def _find_fields(records, fields, default):
    """Return fields to group by: those asked for, or the usual ones that there are."""
    if fields is None:
        return tuple(f for f in default if any(f in record for record in records))
    _check_fields(records, _as_tuple(fields))
    return _as_tuple(fields)


def _find_scores(records, scores):
    """Return names of scores; raise if there are none of them."""
    if not records:
        raise ValueError("There are no records.")
    known = [s for s in SCORES if any(s in record for record in records)]
    if scores is None:
        return known
    _check_fields(records, _as_tuple(scores))
    return _as_tuple(scores)


def _check_fields(records, fields):
    """Raise if a field is in no record."""
    known = list(dict.fromkeys(field for record in records for field in record))
    for field in fields:
        if field not in known:
            raise ValueError(f"No record has the field {field!r}; they have {known}.")


def _check_distinct(records):
    """Raise if a run is there twice, which would count it twice."""
    seen = set()
    for record in records:
        key = _key(record, (*KEYS, *REPETITION))
        if key in seen:
            run = dict(zip((*KEYS, *REPETITION), key, strict=True))
            raise ValueError(f"The run {run} is in the records twice.")
        seen.add(key)


def _check_not_averaged(records, by):
    """Raise if a cell would mix runs that are no repetitions."""
    for field in KEYS:
        values = _values(records, field)
        if field not in by and len(values) > 1:
            raise ValueError(
                f"Cells would average runs that differ in {field!r}: {values}. Put it "
                "in rows or columns, or choose the records of one value."
            )
