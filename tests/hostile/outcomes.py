"""Outcomes: what came of a case, and whether users can understand it."""

import dis
import pickle
import re
import traceback
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import sklearn
import torch
from helpers import learnt
from hostile.cases import OPERATIONS
from sklearn.exceptions import NotFittedError
from skorch.helper import SliceDict

import skcoral

ACCEPTED = "accepted"
WORDS = "error in users' words"
RAW = "raw error"
NOT_FINITE = "silent non-finite value"
HALF_FITTED = "half-fitted estimator"
TOUCHED = "input or global state touched"
FAULTS = (RAW, NOT_FINITE, HALF_FITTED, TOUCHED)

OURS = Path(skcoral.__file__).parent
# What scikit-learn checks for every estimator, in words that its users know.
THEIRS = [Path(sklearn.__file__).parent / name for name in ("utils", "base.py")]
# Estimators inside ours, of which users know nothing.
INNER = re.compile(
    "(QuantileTransformer|BoundedScaler|SparseScaler|StandardScaler|OrdinalEncoder|TruncatedSVD|TfidfVectorizer|"
    "TfidfTransformer|LabelEncoder|RidgeCV|FunctionTransformer|NeuralNet|ContrastiveNet"
    r")(?!\()"  # a repr of parameters is of those that users gave
)
# Preprocessors are the users' own.
GIVEN = "The preprocessor "
# How errors of a modality's spec are named; the words are those of the cause.
PREFIX = re.compile(r"Modality '.*?'(, rows from \d+ on)?: ", re.DOTALL)


def classify_error(error):
    """Return whether an error is raised on purpose, in users' words."""
    if not isinstance(error, (ValueError, TypeError, NotFittedError, ImportError)):
        return RAW
    if GIVEN not in str(error) and INNER.search(str(error)):
        return RAW
    return WORDS if _is_deliberate(_find_root(error)) else RAW


def _find_root(error):
    """Follow errors that only name the modality, or repeat their cause."""
    cause = error.__cause__
    while cause is not None and PREFIX.sub("", str(error), 1) == str(cause):
        error, cause = cause, cause.__cause__
    return error


def _is_deliberate(error):
    """Return whether a `raise` of ours, or of scikit-learn's checks, made an error.

    An error of compiled code has the frame of its caller: the instruction tells them
    apart.
    """
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    raised = dis.opname[code.co_code[trace.tb_lasti]] == "RAISE_VARARGS"
    places = [OURS, *THEIRS]
    return raised and any(Path(code.co_filename).is_relative_to(p) for p in places)


def find_place(error):
    """Return the last line of the package that an error passed, and its kind."""
    frames = traceback.extract_tb(_find_root(error).__traceback__)
    ours = [f for f in frames if Path(f.filename).is_relative_to(OURS)] or frames
    last = ours[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"


def run(case, folder):
    """Run a case; return its outcome and what to look at."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _run(case, folder)


def _run(case, folder):
    X, other = case.data.make(folder), case.read_other().make(folder)
    y, other_y = case.make_target(case.data), case.make_target(case.read_other())
    given = [X, other, y, other_y]
    before, state = [_freeze(value) for value in given], _read_state()
    try:
        estimator = case.make_estimator(X)
    except Exception as error:
        return _judge(error)
    outcome = _operate(case, estimator, (X, y), (other, other_y))
    if outcome[0] not in FAULTS:
        if any(was != _freeze(v) for was, v in zip(before, given, strict=True)):
            return TOUCHED, "input"
        if state != _read_state():
            return TOUCHED, "state"
    return outcome


def _operate(case, estimator, first, second):
    """Fit, then do what the case says."""
    try:
        estimator.fit(*first)
    except Exception as error:
        if learnt(estimator):
            return HALF_FITTED, str(learnt(estimator))
        return _judge(error)
    # scikit-learn warns that R squared needs two rows.
    one_row = case.operation == "score" and case.read_other().n_rows < 2
    may_lack = one_row or {"nan", "empty rows"} & set(case.parameters)
    operations = [lambda e, X, y: e.transform(X), OPERATIONS[case.operation]]
    for operation, (X, y) in zip(operations, (first, second), strict=True):
        try:
            out = operation(estimator, X, y)
        except AttributeError as error:
            if f"no attribute {case.operation!r}" in str(error):
                continue  # transformers do not predict
            return _judge(error)
        except Exception as error:
            return _judge(error)
        if not may_lack and not _is_finite(out):
            return NOT_FINITE, case.operation
    return ACCEPTED, ""


def _judge(error):
    return classify_error(error), f"{find_place(error)}: {str(error)[:160]}"


def _is_finite(out):
    values = np.asarray(out)
    return values.dtype.kind not in "fc" or bool(np.isfinite(values).all())


def _freeze(value):
    """Return a value's content, or None where it cannot be compared."""
    try:
        return pickle.dumps(_list_content(value))
    except (Exception, pl.exceptions.PanicException):
        return None


def _list_content(value):
    """Return what a container holds, without what is cached beside it."""
    if isinstance(value, SliceDict):
        return {key: _list_content(block) for key, block in value.items()}
    if isinstance(value, pd.DataFrame):
        columns = [_list_content(value.iloc[:, i]) for i in range(value.shape[1])]
        return [list(value.columns), *columns]
    if isinstance(value, np.ma.MaskedArray):
        return [value.data, np.ma.getmaskarray(value)]
    if isinstance(value, pd.Series):
        return [str(value.dtype), list(value.index), list(value)]
    return value


def _read_state():
    """Return what is global to the process."""
    return (
        torch.get_rng_state().numpy().tobytes(),
        pickle.dumps(np.random.get_state()),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        pickle.dumps(np.geterr()),
    )
