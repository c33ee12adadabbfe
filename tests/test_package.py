"""The package as a whole: scikit-learn's checks, imports, names, docstrings."""

import ast
import configparser
import importlib
import inspect
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
from helpers import HALVES, TINY
from numpydoc.validate import validate
from sklearn.base import clone
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

import skcoral
from skcoral import (
    CoMMTransformer,
    ComponentRidge,
    ComponentRidgeClassifier,
    ComponentScaler,
    COrALClassifier,
    COrALRegressor,
    COrALTransformer,
    CrossSelfTransformer,
    CrossTransformer,
    DisentangledSSLTransformer,
    FactorCLTransformer,
    GMCTransformer,
    IndiSeekTransformer,
    InfMaskingTransformer,
    PretrainedEncoder,
    RePercENTTransformer,
    SimCLRTransformer,
)
from skcoral.modalities.base import BaseModality

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "skcoral"

# The floors of the package, from the ground up: folders, and modules beside them. A
# floor imports only floors below it.
FLOORS = [
    "_sklearn_compat",
    "_constraints",
    "_docstrings",
    "_types",
    "components",
    "_generators",
    "_input",
    "augmentations",
    "losses",
    "metrics",
    "nn",
    "pretrained",
    "modalities",
    "objectives",
    "_training",
    "datasets",
    "evaluation",
    "methods",
    "persistence",
    "published",
]
# Constraints and columns differ between methods; all else of these is in the base.
EXTRA_CHECKS = [
    "check_param_validation",
    "check_set_output_transform_pandas",
    "check_transformer_get_feature_names_out",
]
EXTRA_CHECKS_OF_THE_BASE = [
    "check_set_output_transform",
    "check_global_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_global_set_output_transform_polars",
    "check_transformer_get_feature_names_out_pandas",
    "check_get_feature_names_out_error",
    "check_dataframe_column_names_consistency",
]


# Sizes that make a fit a matter of milliseconds, among the parameters of each method.
ESTIMATORS = [
    estimator.set_params(**{k: v for k, v in TINY.items() if hasattr(estimator, k)})
    for estimator in (
        COrALTransformer(),
        CoMMTransformer(),
        InfMaskingTransformer(n_masks=2, mask_ratio=0.5),
        SimCLRTransformer(),
        GMCTransformer(),
        # These compare modalities: there are two in any table, of one column even.
        CrossTransformer(HALVES),
        CrossSelfTransformer(HALVES),
        FactorCLTransformer(HALVES, critic_hidden_dim=8),
        DisentangledSSLTransformer(HALVES),
        IndiSeekTransformer(HALVES, critic_hidden_dim=8),
        RePercENTTransformer(HALVES),
    )
]


# They must predict blobs and a line from a few hundred rows.
LEARNING = {**TINY, "max_epochs": 12, "batch_size": 50, "lr": 0.02}
PREDICTORS = [COrALClassifier(**LEARNING), COrALRegressor(**LEARNING)]
# On a table without names, they take all columns as one component.
OF_COMPONENTS = [ComponentScaler(), ComponentRidge(), ComponentRidgeClassifier()]
OF_WEIGHTS = "check_sample_weight_equivalence_on_dense_data"
OF_LABELS = "weights are those of labels: a repeated row is also one more to learn from"
EXPECTED_FAILURES = {
    ComponentRidgeClassifier: {
        OF_WEIGHTS: "calibration holds out whole rows; a repeated one has copies"
    },
    COrALRegressor: {OF_WEIGHTS: OF_LABELS},
    COrALClassifier: {
        "check_classifiers_classes": "-1 marks rows without a label, as in "
        "sklearn.semi_supervised, whose estimators this check knows by their names; "
        "test_classifier.py runs it with unlabeled=None",
        OF_WEIGHTS: OF_LABELS,
    },
}


# Scikit-learn's checks


@parametrize_with_checks(
    ESTIMATORS + PREDICTORS + OF_COMPONENTS,
    expected_failed_checks=lambda e: EXPECTED_FAILURES.get(type(e), {}),
)
@pytest.mark.filterwarnings("ignore:.*finds components by the names of columns")
@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_estimator_passes_the_check(estimator, check):
    check(estimator)


def test_every_estimator_is_checked():
    exported = (getattr(skcoral, name) for name in skcoral.__all__)
    fit = {o for o in exported if inspect.isclass(o) and hasattr(o, "fit")}
    public = {o for o in fit if not issubclass(o, BaseModality | PretrainedEncoder)}
    checked = ESTIMATORS + PREDICTORS + OF_COMPONENTS
    assert {type(estimator) for estimator in checked} == public


def test_the_default_estimator_passes_45_checks_and_skips_only_array_api(monkeypatch):
    # Of "auto", a tenth of the passes over a small table: minutes less, on one core.
    monkeypatch.setattr("skcoral._training.trainer.MAX_EPOCHS", 20)
    results = check_estimator(COrALTransformer(), on_fail=None, on_skip=None)
    others = {r["check_name"]: r["status"] for r in results if r["status"] != "passed"}
    assert others == {"check_array_api_input": "skipped"}
    assert len(results) - len(others) >= 45


# The checks themselves mix arrays and frames between fit and transform.
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")
@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        *product(ESTIMATORS + PREDICTORS, EXTRA_CHECKS),
        *product(ESTIMATORS[:1], EXTRA_CHECKS_OF_THE_BASE),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_estimator_passes_the_extra_check(estimator, name):
    getattr(estimator_checks, name)(type(estimator).__name__, clone(estimator))


# Imports


def read_modules():
    """Return the syntax tree of each module by its file."""
    return {path: ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py")}


def imported(tree):
    """Return the modules, and the names from modules, that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module, a.name, node.level) for a in node.names)


def room(path):
    """Return the module, or folder, of the package that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_imports_point_one_way():
    rooms = {room(path) for path in read_modules()}
    assert rooms - {"__init__"} == set(FLOORS)
    for path, tree in read_modules().items():
        if room(path) == "__init__":
            continue
        for module, _, level in imported(tree):
            assert level == 0, f"{path}: relative import"
            if module.startswith("skcoral.") and module.split(".")[1] != room(path):
                below = FLOORS[: FLOORS.index(room(path))]
                assert module.split(".")[1] in below, f"{path} imports {module}"


def test_private_names_of_sklearn_have_one_door():
    for path, tree in read_modules().items():
        for module, name, _ in imported(tree):
            private = re.search(r"\._", f"{module}.{name}")
            if module.split(".")[0] == "sklearn" and private:
                assert path.name == "_sklearn_compat.py", f"{path}: {module}.{name}"


def test_every_import_is_a_declared_dependency():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    extras = config["options.extras_require"]
    declared = config["options"]["install_requires"] + "".join(extras.values())
    names = set(re.findall(r"^[\w-]+", declared, flags=re.MULTILINE))
    renamed = {"scikit-learn": "sklearn", "pillow": "PIL"}
    names = {renamed.get(name, name).replace("-", "_") for name in names}
    tops = {m.split(".")[0] for t in read_modules().values() for m, _, _ in imported(t)}
    assert tops - set(sys.stdlib_module_names) - {"skcoral"} <= names


BLOCKED = """
import builtins
find = builtins.__import__
def without(name, *args, **kwargs):
    if name.split(".")[0] in ("pandas", "matplotlib", "polars", "pyarrow"):
        raise ModuleNotFoundError(name)
    return find(name, *args, **kwargs)
builtins.__import__ = without
import numpy as np
from skcoral import COrALTransformer
modalities = [("a", "tabular", [0]), ("b", "tabular", [1, 2])]
coral = COrALTransformer(modalities, max_epochs=1, embed_dim=8)
print(coral.fit_transform(np.random.default_rng(0).normal(size=(9, 3))).shape)
"""


def test_package_works_without_data_frames_and_plots():
    run = [sys.executable, "-W", "error", "-c", BLOCKED]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout == "(9, 16)\n"


# Names and docstrings


WHOLE = ["nn", "objectives", "_training", "methods"]


def public_modules():
    """Return the modules without an underscore, those of the training included."""
    rooms = [name for name in FLOORS if not name.startswith("_")]
    # Of these folders every module counts, of the others what they hand on.
    paths = [p for room in WHOLE for p in sorted((PACKAGE / room).rglob("[!_]*.py"))]
    names = [".".join(p.relative_to(PACKAGE).with_suffix("").parts) for p in paths]
    modules = [importlib.import_module(f"skcoral.{name}") for name in rooms + names]
    return [skcoral, *modules]


def public_objects():
    """Return public classes, functions, methods and properties by dotted name."""
    found = {}
    for module in public_modules():
        for name, value in vars(module).items():
            ours = getattr(value, "__module__", "").startswith("skcoral")
            home = getattr(value, "__module__", "").replace("._training", "")
            if not ours or "._" in f"{home}.{name}":
                continue
            found[f"{value.__module__}.{value.__qualname__}"] = value
            if inspect.isclass(value):
                found |= public_members(value)
    return dict(sorted(found.items()))


def public_members(cls):
    found = {}
    for name in dir(cls):
        value = inspect.getattr_static(cls, name)
        function = value.fget if isinstance(value, property) else value
        ours = getattr(function, "__module__", "") or ""
        if not name.startswith("_") and ours.startswith("skcoral"):
            found[f"{cls.__module__}.{cls.__qualname__}.{name}"] = function
    return found


def test_public_names_exist():
    for module in (skcoral, skcoral.datasets):
        for name in module.__all__:
            assert hasattr(module, name)


# RT02, GL01 and GL02 are style that scikit-learn's own docstrings do not follow either.
STYLE = {"RT02", "GL01", "GL02"}
# Methods have no section of examples, further reading or extended summary of their own,
# and a method whose shape is fixed by its contract has one line.
BELOW_CLASS = {"EX01", "SA01", "ES01"}
CONTRACT = {"PR01", "RT01"}
# A fitted attribute opens with its type, in lower case.
PROPERTY = {"SS02"}


def test_the_public_objects_are_found():
    names = public_objects()
    assert len(names) > 60
    assert "skcoral.methods.coral.COrALTransformer.partial_fit" in names


@pytest.mark.parametrize(("name", "value"), public_objects().items())
def test_docstring_is_complete(name, value):
    ignored = STYLE | BELOW_CLASS
    if inspect.isclass(value) and "__init__" not in vars(value):
        ignored |= {"PR01"}  # parameters are those of the base, documented there
    folder = name.startswith(("skcoral.datasets", "skcoral.evaluation"))
    top = name.count(".") <= 2 + folder
    if not top and not name.startswith("skcoral.methods.coral"):
        ignored |= CONTRACT
    if name.rpartition(".")[2].endswith("_"):
        ignored |= PROPERTY
    faults = [e for e in validate(name)["errors"] if e[0] not in ignored]
    assert faults == []


def public_api():
    """Return what users import: estimators, specs, functions; all have examples."""
    modules = [m for m in public_modules() if m.__name__ != "skcoral.methods.coral"]
    names = {"skcoral": skcoral.__all__}
    for module in modules[1:]:
        names[module.__name__] = [
            name
            for name, value in vars(module).items()
            if not name.startswith("_")
            and getattr(value, "__module__", "").startswith(module.__name__)
            and callable(value)
        ]
    return [
        getattr(importlib.import_module(module), name)
        for module, members in names.items()
        for name in members
        if name != "__version__"
    ]


def test_most_public_objects_have_a_runnable_example():
    documented = [">>>" in (value.__doc__ or "") for value in public_api()]
    assert sum(documented) / len(documented) >= 0.5
