"""Wrong parameters, methods and rows of the protocol are named."""

import numpy as np
import pytest
from helpers import FEW, evaluate_known
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.helper import SliceDict

from skcoral.evaluation import (
    JoinBlocks,
    evaluate,
)

WRONG = {
    "seeds": [
        ([1, 1], r"'seeds' parameter of evaluate must be distinct .* Got \[1, 1\]"),
        ([], "'seeds' parameter of evaluate must be distinct"),
        ([-1], "'seeds' parameter of evaluate must be distinct"),
        (3, "'seeds' parameter of evaluate must be an instance of"),
    ],
    "n_labels": [
        ([5, 5], "'n_labels' parameter of evaluate must be 'all', an int"),
        ([0], "'n_labels' parameter of evaluate must be 'all', an int"),
        ([], "'n_labels' parameter of evaluate must be 'all', an int"),
        ("some", "'n_labels' parameter of evaluate must be"),
    ],
    "n_draws": [
        (0, r"'n_draws' parameter of evaluate must be an int in the range \[1")
    ],
    "probe": [
        (PCA(), "'probe' parameter of evaluate must be an object implementing"),
        (KMeans(), "'probe' parameter of evaluate must be a classifier or a regr"),
    ],
    "y_test": [
        (np.full(120, 7), r"'y' has classes in test rows that no .* has: \[7\]"),
        (np.zeros(119), r"inconsistent numbers of samples: \[120, 119\]"),
        (np.full(120, np.nan), "'y' is missing in test rows"),
        ({"other": np.zeros(120)}, r"test rows must have the names of y, \['y'\]"),
    ],
    "X_val": [(np.zeros((3, 2)), "X_val and y_val of evaluate belong together")],
    "components": [("shared", "'components' parameter of evaluate must be")],
}


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [(name, *case) for name, cases in WRONG.items() for case in cases],
)
def test_wrong_parameter_is_named(known, name, value, match):
    with pytest.raises(ValueError, match=match):
        evaluate_known(known, {"raw": JoinBlocks()}, **{name: value})


@pytest.mark.parametrize(
    ("transformers", "match"),
    [
        ({}, "must be a non-empty dict"),
        ({"majority": PCA()}, "without the names 'majority' and 'mean'"),
        ({"a": PCA}, "must map names to instances with fit and transform"),
        ({"a": FEW}, "must map names to instances with fit and transform"),
        ({1: PCA()}, "must map names to instances with fit and transform"),
        ([PCA()], "'transformers' parameter of evaluate must be an instance of 'dict'"),
    ],
)
def test_wrong_transformers_are_named(known, transformers, match):
    with pytest.raises(ValueError, match=match):
        evaluate_known(known, transformers)


def test_validation_rows_do_not_go_with_few_labels_or_probes_without_choice(known):
    val = {"X_val": known[1].data, "y_val": known[1].target["redundant"]}
    with pytest.raises(ValueError, match="X_val of evaluate needs n_labels='all'"):
        evaluate_known(known, {"raw": JoinBlocks()}, n_labels=[5, "all"], **val)
    with pytest.raises(ValueError, match="X_val is for probes with a parameter 'cv'"):
        evaluate_known(known, {"raw": JoinBlocks()}, probe=FEW, **val)


def test_error_says_which_method_and_seed_it_came_from(known):
    holes = FunctionTransformer(lambda X: np.full((len(X), 1), np.nan))
    with pytest.raises(ValueError, match="features of train rows contains NaN") as info:
        evaluate_known(known, {"holes": holes})
    assert info.value.__notes__ == ["While evaluating 'holes', seed None."]
    short = FunctionTransformer(lambda X: np.zeros((2, 1)))
    with pytest.raises(
        ValueError, match=r"inconsistent numbers of samples: \[2, 150\]"
    ):
        evaluate_known(known, {"short": short})
    with pytest.raises(ValueError, match="y"):
        evaluate_known(
            known, {"LDA": make_pipeline(JoinBlocks(), LinearDiscriminantAnalysis())}
        )


def test_component_must_not_be_called_all(known):
    train, test = (SliceDict(all=b.data["m0"], m1=b.data["m1"]) for b in known)
    with pytest.raises(ValueError, match="component must not be named 'all'"):
        evaluate(
            {"raw": JoinBlocks()},
            train,
            known[0].target["redundant"],
            X_test=test,
            y_test=known[1].target["redundant"],
            components=True,
        )
