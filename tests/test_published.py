"""Published settings: every experiment runs, and the tables are as published."""

import numpy as np
import pytest
from skorch.helper import SliceDict

from skcoral import CoMMTransformer, COrALTransformer, InfMaskingTransformer
from skcoral.published import METHODS, published_settings

ESTIMATORS = {
    "coral": COrALTransformer,
    "comm": CoMMTransformer,
    "infmasking": InfMaskingTransformer,
}
EXPERIMENTS = [(method, name) for method in METHODS for name in METHODS[method]]
SHAPES = {
    "vision": (4, 3),
    "audio": (4, 2),
    "text": (4, 5),
    "tabular": (5,),
    "timeseries": (24, 12),
    "image": (16, 16, 3),
    "force": (8, 6),
    "proprio": (8,),
    "image1": (64, 64, 3),
    "image2": (64, 64, 3),
}


def make_data(names):
    """Return six rows of the shapes that the data sets have, in small."""
    rng = np.random.default_rng(0)
    blocks = {}
    for name in names:
        values = rng.normal(size=(6, *SHAPES[name]))
        if name.startswith("image"):
            values = rng.integers(0, 256, values.shape).astype(np.uint8)
        blocks[name] = values
    return SliceDict(**blocks)


@pytest.mark.parametrize(("method", "dataset"), EXPERIMENTS)
def test_every_experiment_fits_data_of_its_shape(method, dataset):
    params = published_settings(method, dataset)
    model = ESTIMATORS[method](**params, random_state=0).set_params(max_epochs=1)
    X = make_data([name for name, _, _ in params["modalities"]])
    Z = model.fit_transform(X)
    width = params["embed_dim"]
    assert Z.shape == (6, 2 * width if method == "coral" else width)
    assert np.isfinite(Z).all()


@pytest.mark.parametrize("dataset", METHODS["coral"])
def test_variants_of_coral(dataset):
    first, later = (
        published_settings("coral", dataset, variant) for variant in ("v1", "2026-07")
    )
    assert (first["orthogonality"], first["ortho_weight"]) == ("hinge", 1.0)
    assert first["mask_ratio"] == (0.05, 0.35, 0.55, 0.75)
    weight = 1.0 if dataset == "trifeatures" else 10.0
    assert (later["orthogonality"], later["ortho_weight"]) == ("squared", weight)
    assert later["mask_ratio"] == 0.75
    assert first["lr"] == later["lr"] == 1e-4
    for params in (first, later):
        COrALTransformer(**params)._validate_params()
        assert published_settings("coral", dataset).keys() == params.keys()


def test_settings_are_new_objects():
    first, second = (published_settings("comm", "mosi") for _ in range(2))
    assert first["modalities"][0][1] is not second["modalities"][0][1]
    first["modalities"].pop()
    assert len(published_settings("comm", "mosi")["modalities"]) == 2


def test_weights_of_infmasking():
    humor = published_settings("infmasking", "humor")
    assert (humor["temperature"], humor["n_masks"]) == (0.05, 4)
    assert humor["multimodal_weight"] == 5.0
    assert published_settings("infmasking", "humor_trimodal")["n_layers"] == 2


@pytest.mark.parametrize(
    ("experiment", "message"),
    [
        (("clip", "mosi"), r"'method' .* among \['comm', 'coral', 'infmasking'\]"),
        (("infmasking", "mosei"), r"'dataset' parameter .* Got 'mosei' instead"),
        (("coral", "mosi", "v2"), r"'variant' .* \['2026-07', 'v1'\]. Got 'v2'"),
        (("comm", "mosi", "v1"), r"'variant' .* must be None but for 'coral'"),
    ],
)
def test_unknown_experiments_are_refused(experiment, message):
    with pytest.raises(ValueError, match=message):
        published_settings(*experiment)
