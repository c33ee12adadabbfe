"""The protocol: transformers learn without labels, probes read labels from them."""

from collections.abc import Iterator, Sequence
from itertools import chain
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.parallel import Parallel, delayed

from skcoral._constraints import POSITIVE_INT
from skcoral._sklearn_compat import HasMethods, StrOptions, validate_params
from skcoral._types import Rows
from skcoral.components import ComponentScaler
from skcoral.components._targets import Kind
from skcoral.evaluation.records import Record
from skcoral.evaluation.scores import score_classes, score_numbers
from skcoral.evaluation.tasks import NLabels, Task, make_task, read_targets


@validate_params(
    {
        "transformers": [dict],
        "n_labels": [StrOptions({"all"}), *POSITIVE_INT, list, tuple],
        "n_draws": POSITIVE_INT,
        "seeds": [list, tuple, range],
        "components": ["boolean"],
        "weigh": ["boolean"],
        "probe": [HasMethods(["fit", "predict"]), None],
        "standardize": ["boolean"],
        "baseline": ["boolean"],
        "data": [str],
        "n_jobs": [Integral, None],
    },
    prefer_skip_nested_validation=False,
)
def evaluate(
    transformers: dict[str, Any],
    X: Rows,
    y: ArrayLike | dict[str, ArrayLike],
    *,
    X_test: Rows,
    y_test: ArrayLike | dict[str, ArrayLike],
    X_val: Rows | None = None,
    y_val: ArrayLike | dict[str, ArrayLike] | None = None,
    X_fit: Rows | None = None,
    n_labels: NLabels | Sequence[NLabels] = "all",
    n_draws: int = 5,
    seeds: Sequence[int] = (0, 1, 2),
    components: bool = False,
    weigh: bool = False,
    probe: Any = None,
    standardize: bool = True,
    baseline: bool = True,
    data: str = "data",
    n_jobs: int | None = None,
) -> list[Record]:
    """Score linear probes on the features of several transformers.

    Each transformer is fitted without labels. A probe is fitted on its features of the
    labelled training rows and scored on the test rows, which serve no other purpose:
    no transformer, scale or parameter is learnt or chosen on them.

    Parameters
    ----------
    transformers : dict of str to transformer
        What to evaluate, by name: any scikit-learn transformer that takes `X`. They are
        cloned; wrap one that is already fitted in
        :class:`~sklearn.frozen.FrozenEstimator`.

    X : SliceDict, data frame or array-like of shape (n_samples, n_features)
        Training rows.

    y : array-like of shape (n_samples,) or dict of str to array-like
        Labels of these rows, or several kinds of labels by name.

    X_test, y_test : like `X` and `y`
        Test rows and their labels.

    X_val, y_val : like `X` and `y`, default=None
        Validation rows, on which the probe chooses its parameters before it is fitted
        on training and validation rows together. If None, it holds out training rows.
        Validation rows require a probe with a parameter `cv`, and ``n_labels="all"``:
        next to few labels, a validation set would add many.

    X_fit : like `X`, default=None
        Rows that the transformers are fitted on; None means `X`.

    n_labels : "all", int or list of these, default="all"
        Numbers of labels that a probe sees: per class, or in total if `y` holds numbers
        to predict. A class with fewer rows gives all of them.

    n_draws : int, default=5
        Number of draws of the labelled rows per number of labels; see `draw_labels`.
        The draws are the same for all transformers and seeds.

    seeds : sequence of int, default=(0, 1, 2)
        Values for every parameter `random_state` of a transformer and of its parts, one
        run each. A transformer without such a parameter runs once.

    components : bool, default=False
        Whether to probe each component as well as the whole output, if a transformer,
        or the last step of a pipeline, has an attribute `output_indices_`.

    weigh : bool, default=False
        Whether a :class:`~skcoral.ComponentScaler`, fitted on the same labels, goes
        before the probe of the whole output of a transformer with several components.
        It counts as part of every method that has them, not of COrAL alone.

    probe : classifier, regressor or None, default=None
        The probe for all features, used as given. None means :class:`LinearProbe`, or
        :class:`RidgeProbe` if `y` is continuous. With a limited number of labels, which
        are too few to choose a penalty on, None means
        :class:`~sklearn.linear_model.LogisticRegression` or
        :class:`~sklearn.linear_model.Ridge` with the default penalty.

    standardize : bool, default=True
        Whether to standardise each feature by its mean and standard deviation over the
        training rows, labelled or not. The published probe does not.

    baseline : bool, default=True
        Whether to add the scores of a prediction without features: the most frequent
        class of all training labels ("majority"), or their mean ("mean").

    data : str, default="data"
        Name of the data set in the records.

    n_jobs : int or None, default=None
        Number of transformers and seeds that run in parallel, as in joblib. Each then
        has fewer threads, which may change the last bits of what torch computes.

    Returns
    -------
    list of dict
        One record per run, ready for ``pandas.DataFrame(records)``: "data", "method",
        "component", "label" ("y" if there is only one kind), "n_labels", "seed",
        "draw", "n_train" (labelled rows), "n_features", and the scores:
        "balanced_accuracy" and "accuracy", or "mse", "r2" and "pearson_r" (NaN if the
        predictions are constant). "seed" is None if a transformer has none, and "draw"
        if all labels are used.

    Raises
    ------
    ValueError
        If a seed is given twice; if labels are missing or of unequal length; if test
        rows have a class that no training row has; or if features are not finite.

    See Also
    --------
    compare : Paired differences between methods.
    format_table : Mean and deviation as a Markdown table.

    Notes
    -----
    COrAL, CoMM and InfMasking report balanced accuracy (arXiv 2602.14983, 2409.07402,
    2509.25270), FactorCL reports accuracy (arXiv 2306.05268); published tables mix the
    two. CoMM's notebooks use ``LogisticRegressionCV(Cs=5,
    scoring="balanced_accuracy")``, which may be passed as `probe`. COrAL's script for
    Trifeatures chooses parameters on the test rows and trains on them; `evaluate` never
    does.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.pipeline import make_pipeline
    >>> from skcoral.datasets import make_multimodal_interactions
    >>> from skcoral.evaluation import JoinBlocks, evaluate, format_table
    >>> make = make_multimodal_interactions
    >>> train, test = make(200, random_state=0), make(500, random_state=1)
    >>> records = evaluate(
    ...     {"raw": JoinBlocks(), "PCA": make_pipeline(JoinBlocks(), PCA(8))},
    ...     train.data,
    ...     train.target["redundant"],
    ...     X_test=test.data,
    ...     y_test=test.target["redundant"],
    ...     n_labels=[5, 20],
    ...     seeds=[0],
    ... )
    >>> print(format_table(records, scores="balanced_accuracy", digits=2))
    | method | 5 | 20 |
    |---|---|---|
    | majority | 0.50 | 0.50 |
    | raw | 0.70 ± 0.04 | 0.82 ± 0.03 |
    | PCA | **0.73 ± 0.03** | **0.83 ± 0.01** |
    """
    _check_transformers(transformers)
    _check_seeds(seeds)
    numbers = _check_n_labels(n_labels)
    _check_validation(X_val, y_val, numbers)
    rows = {"fit": X if X_fit is None else X_fit, "train": X, "test": X_test}
    labels: dict[str, Any] = {"train": y, "test": y_test}
    if X_val is not None:
        rows["val"], labels["val"] = X_val, y_val
    targets = read_targets(rows, labels)
    tasks = [
        make_task(name, parts, numbers, n_draws, probe)
        for name, parts in targets.items()
    ]
    runs = Parallel(n_jobs=n_jobs)(
        delayed(_run)(
            name, transformer, seed, rows, tasks, components, weigh, standardize
        )
        for name, transformer in transformers.items()
        for seed in (seeds if _seeded_parameters(transformer) else [None])
    )
    baselines = map(_score_baseline, tasks) if baseline else []
    return [{"data": data, **record} for record in chain(*baselines, *runs)]


def _run(
    name: str,
    transformer: Any,
    seed: int | None,
    rows: dict[str, Rows],
    tasks: list[Task],
    components: bool,
    weigh: bool,
    standardize: bool,
) -> list[Record]:
    """Fit one transformer and return the records of all its probes."""
    try:
        fitted = clone(transformer)
        parameters = _seeded_parameters(fitted)
        if seed is not None:
            fitted.set_params(**dict.fromkeys(parameters, int(seed)))
        fitted.fit(rows["fit"], None)
        train, test = _read_features(fitted, rows, standardize)
        found = _find_components(fitted)
        weighed = {"all": found if weigh and len(found) > 1 else None}
        parts = {"all": slice(None)} | (found if components else {})
        return [
            {"method": name, "component": component, **record, "seed": seed}
            for component, columns in parts.items()
            for task in tasks
            for record in _probe(
                task, train[:, columns], test[:, columns], weighed.get(component)
            )
        ]
    except Exception as error:
        error.add_note(f"While evaluating {name!r}, seed {seed}.")
        raise


def _probe(
    task: Task, train: Any, test: Any, weighed: dict[str, slice] | None
) -> Iterator[Record]:
    """Yield a record per draw of labels; components are weighed first, if any."""
    score = score_classes if task.is_classification else score_numbers
    kind: Kind = "classes" if task.is_classification else "numbers"
    for n_labels, draw, rows in task.draws:
        probe = clone(task.probes[n_labels])
        if weighed is not None:
            probe = make_pipeline(ComponentScaler(weighed, target=kind), probe)
        probe.fit(train[rows], task.y[rows])
        yield {
            "label": task.name,
            "n_labels": n_labels,
            "seed": None,
            "draw": draw,
            "n_train": len(rows),
            "n_features": train.shape[1],
            **score(task.y_test, probe.predict(test)),
        }


def _score_baseline(task: Task) -> list[Record]:
    """Return a record per number of labels, for a guess made from all labels."""
    is_classification = task.is_classification
    dummy = DummyClassifier(strategy="most_frequent")
    dummy = dummy if is_classification else DummyRegressor()
    dummy.fit(np.empty((len(task.y), 1)), task.y)
    guess = dummy.predict(np.empty((len(task.y_test), 1)))
    score = score_classes if is_classification else score_numbers
    return [
        {
            "method": "majority" if is_classification else "mean",
            "component": "all",
            "label": task.name,
            "n_labels": n_labels,
            "seed": None,
            "draw": None,
            "n_train": len(task.y),
            "n_features": 0,
            **score(task.y_test, guess),
        }
        for n_labels in task.probes
    ]


def _read_features(
    fitted: Any, rows: dict[str, Rows], standardize: bool
) -> tuple[Any, Any]:
    """Return features of training rows, followed by validation rows, and test rows."""
    features = {
        part: check_array(
            fitted.transform(rows[part]),
            accept_sparse="csr",
            dtype=np.float64,  # the same precision for all methods
            input_name=f"features of {part} rows",
        )
        for part in ("train", "val", "test")
        if part in rows
    }
    for part, matrix in features.items():
        check_consistent_length(matrix, rows[part])
    if standardize:
        centred = not sparse.issparse(features["train"])
        scaler = StandardScaler(with_mean=centred).set_output(transform="default")
        scaler.fit(features["train"])
        features = {part: scaler.transform(f) for part, f in features.items()}
    known = [features[part] for part in ("train", "val") if part in features]
    stack = sparse.vstack if sparse.issparse(known[0]) else np.vstack
    return (stack(known) if len(known) > 1 else known[0]), features["test"]


def _find_components(fitted: Any) -> dict[str, slice]:
    """Return the columns of each component that a transformer names."""
    while isinstance(fitted, Pipeline | FrozenEstimator):
        fitted = fitted[-1] if isinstance(fitted, Pipeline) else fitted.estimator
    indices = getattr(fitted, "output_indices_", {})
    if "all" in indices:
        raise ValueError(
            "A component must not be named 'all': so is the whole output. Got "
            f"{list(indices)}."
        )
    return {n: part for n, part in indices.items() if part.stop > part.start}


def _seeded_parameters(transformer: Any) -> list[str]:
    """Return the names of all parameters that take a seed, including those of parts."""
    names = transformer.get_params(deep=True)
    return [name for name in names if name.rpartition("__")[2] == "random_state"]


def _check_transformers(transformers: dict[str, Any]) -> None:
    """Raise unless names are strings and values are transformers."""
    for name, transformer in transformers.items():
        methods = all(hasattr(transformer, m) for m in ("fit", "transform"))
        if not isinstance(name, str) or isinstance(transformer, type) or not methods:
            raise ValueError(
                "The 'transformers' parameter of evaluate must map names to instances "
                f"with fit and transform. Got {name!r}: {transformer!r} instead."
            )
    if set(transformers) & {"majority", "mean"} or not transformers:
        raise ValueError(
            "The 'transformers' parameter of evaluate must be a non-empty dict without "
            f"the names 'majority' and 'mean'. Got {list(transformers)} instead."
        )


def _check_seeds(seeds: Sequence[int]) -> None:
    whole = all(isinstance(seed, Integral) and seed >= 0 for seed in seeds)
    if not whole or not len(seeds) or len(set(seeds)) < len(seeds):
        raise ValueError(
            "The 'seeds' parameter of evaluate must be distinct ints in the range "
            f"[0, inf). Got {seeds!r} instead."
        )


def _check_n_labels(n_labels: Any) -> list[NLabels]:
    """Return the numbers of labels as a list."""
    several = isinstance(n_labels, list | tuple)
    numbers: list[NLabels] = list(n_labels) if several else [n_labels]
    valid = all(n == "all" or (isinstance(n, Integral) and n >= 1) for n in numbers)
    if not valid or not numbers or len(set(numbers)) < len(numbers):
        raise ValueError(
            "The 'n_labels' parameter of evaluate must be 'all', an int in the range "
            f"[1, inf) or distinct ones of these. Got {n_labels!r} instead."
        )
    return [n if n == "all" else int(n) for n in numbers]


def _check_validation(X_val: Rows, y_val: Any, n_labels: list[NLabels]) -> None:
    if (X_val is None) != (y_val is None):
        raise ValueError(
            "X_val and y_val of evaluate belong together; got one of them."
        )
    if X_val is not None and n_labels != ["all"]:
        raise ValueError(
            "X_val of evaluate needs n_labels='all': its labels would come on top of "
            f"the few. Got n_labels={n_labels!r}."
        )
