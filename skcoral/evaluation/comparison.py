"""Comparison: paired differences between methods."""

import numpy as np
from scipy.stats import ttest_1samp

from skcoral._constraints import OPEN_FRACTION
from skcoral._sklearn_compat import validate_params
from skcoral.evaluation.records import (
    CASE,
    REPETITION,
    check_distinct,
    find_fields,
    find_scores,
    group_by,
    read_key,
)
from skcoral.evaluation.scores import LOWER_IS_BETTER


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
        "reference", "score"; "n_pairs", "deviation" of their differences (``ddof=0``),
        "wins", "ties" and "losses" of the method; "n_units" (see Notes), "difference"
        (mean of method minus reference, each unit with the same weight), "low" and
        "high", its interval, and "p_value". The last three are NaN where there is one
        unit, or no spread.

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
    on differences). Pairs that share a draw of labels are not independent, and more
    seeds, components, labels or numbers of labels must not make more evidence of one
    draw: draws are nested, and all of them are read from the same rows. So the units of
    the test are mean differences: per data set; if there is one, per draw; and if there
    is one draw, per seed.

    The test assumes that units are independent and their differences normal. Draws of
    one data set share its training and test rows, so it tells how far the choice of
    labels, given the seeds, makes the difference by chance, not whether it would hold
    on other rows. Of many comparisons some p-values are small by chance.

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
    by, (score,) = find_fields(records, by, CASE), find_scores(records, score)
    check_distinct(records)
    methods = list(dict.fromkeys(record.get("method") for record in records))
    if reference not in methods:
        raise ValueError(
            f"The 'reference' parameter of compare must be among {methods}. Got "
            f"{reference!r} instead."
        )
    results = []
    for key, runs in group_by([r for r in records if score in r], by).items():
        fields = dict(zip(by, key, strict=True))
        for method in methods:
            pairs = _pair(runs, method, reference, score)
            if method != reference and pairs:
                names = {"method": method, "reference": reference, "score": score}
                results.append(fields | names | _describe(pairs, score, confidence))
    return results


def _pair(runs, method, reference, score):
    """Return data set, draw, seed and difference of runs that belong together."""
    own = [run for run in runs if run.get("method") == method]
    others = [run for run in runs if run.get("method") == reference]
    others = group_by(others, CASE)
    pairs = []
    for run in own:
        case, *repetition = read_key(run, CASE), *read_key(run, REPETITION)
        for other in others.get(case, []):
            both = list(zip(repetition, read_key(other, REPETITION), strict=True))
            # A method without seed or draw has the same score for all of them.
            if all(a is None or b is None or a == b for a, b in both):
                common = [b if a is None else a for a, b in both]
                pairs.append((case[0], *common, run[score] - other[score]))
    return pairs


def _average(pairs):
    """Return mean differences by the first of data set, draw and seed that varies."""
    for level in range(3):
        units = {}
        for pair in pairs:
            units.setdefault(pair[level], []).append(pair[-1])
        if len(units) > 1:
            break
    return np.array([np.mean(differences) for differences in units.values()])


def _describe(pairs, score, confidence):
    """Return what the differences say about the method."""
    differences = np.array([pair[-1] for pair in pairs])
    gains = -differences if score in LOWER_IS_BETTER else differences
    units = _average(pairs)
    return {
        "n_pairs": len(pairs),
        "deviation": float(differences.std()),
        "wins": int((gains > 0).sum()),
        "ties": int((gains == 0).sum()),
        "losses": int((gains < 0).sum()),
        "n_units": len(units),
        "difference": float(units.mean()),
        **_test(units, confidence),
    }


def _test(units, confidence):
    """Return interval and p-value of the mean of the units, NaN without spread."""
    low = high = p_value = np.nan
    if len(units) > 1 and not np.allclose(units, units[0], rtol=0, atol=1e-12):
        test = ttest_1samp(units, 0.0)
        (low, high), p_value = test.confidence_interval(confidence), test.pvalue
    return {"low": float(low), "high": float(high), "p_value": float(p_value)}
