"""Use the installed wheel where neither pandas nor matplotlib exists."""

import importlib.util
import sys
import warnings
from importlib.resources import files
from pathlib import Path

OPTIONAL = ("matplotlib", "pandas")

warnings.simplefilter("error")
for name in OPTIONAL:
    assert importlib.util.find_spec(name) is None, f"{name} is installed"

import numpy as np  # noqa: E402

import skcoral  # noqa: E402
from skcoral import COrALTransformer  # noqa: E402

environment = Path(sys.argv[1]).resolve()
installed = Path(skcoral.__file__).resolve()
assert installed.is_relative_to(environment), installed
assert not set(OPTIONAL) & set(sys.modules)

data = [entry.name for entry in (files("skcoral.datasets") / "data").iterdir()]
assert "movies.csv.gz" in data, data

X = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
modalities = [("left", "tabular", [0, 1, 2]), ("right", "embedding", [3, 4, 5])]
coral = COrALTransformer(modalities, embed_dim=8, max_epochs=2, random_state=0)
features = coral.fit(X).transform(X)
assert features.shape == (40, 16), features.shape
assert features.dtype == np.float32
assert np.isfinite(features).all()
assert not set(OPTIONAL) & set(sys.modules)
print(f"skcoral {skcoral.__version__} works from {installed.parent}")
