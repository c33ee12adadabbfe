"""A new method is an objective and a short estimator, and passes what others pass."""

import numpy as np
import pytest
import torch
from helpers import HALVES
from sklearn.base import clone
from sklearn.utils import estimator_checks
from torch import nn

from skcoral._training.trainer import Method
from skcoral.methods._base import BaseMultimodalTransformer
from skcoral.objectives import Objective


class NeighbourObjective(Objective):
    """Bring the projections of the original and of a view together, and spread them."""

    terms = ("near", "spread")
    views = ("original", "augmented")

    def __init__(self, embed_dim, out_dim):
        super().__init__()
        self.head = nn.Linear(embed_dim, out_dim)

    def forward(self, network, views, generator=None):
        return self.approach(network, views) | self.spread(network, views)

    def phases(self, network):
        own = list(self.head.parameters())
        return [(self.approach, list(network.parameters())), (self.spread, own)]

    def approach(self, network, views, generator=None):
        first, second = self._project(network, views)
        return {"near": (first - second).square().mean()}

    def spread(self, network, views, generator=None):
        first, _ = self._project(network, views)
        return {"spread": (1 - first.std(dim=0)).clamp(min=0).mean()}

    def _project(self, network, views):
        return [self.head(network.fuse(network.encode(view))) for view in views]

    def dims(self, network):
        return {"shared": self.head.out_features}

    def embed(self, network, x):
        return [self.head(*network(x))]


class NeighbourTransformer(BaseMultimodalTransformer):
    """A method without parameters of its own inherits the constructor."""

    def _make_method(self, names):
        sizes = {"embed_dim": self.embed_dim}
        return Method(
            objective=NeighbourObjective,
            objective_params={**sizes, "out_dim": 3},
            network_params={**sizes, "paths": ("shared",), "n_heads": 1},
        )


CHECKS = [
    "check_estimators_dtypes",
    "check_estimators_overwrite_params",
    "check_estimators_pickle",
    "check_fit2d_1feature",
    "check_fit2d_1sample",
    "check_fit_idempotent",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_param_validation",
    "check_set_output_transform_pandas",
    "check_transformer_general",
    "check_transformer_get_feature_names_out",
]


# The checks themselves mix arrays and frames between fit and transform.
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")
@pytest.mark.parametrize("modalities", ["auto", HALVES], ids=["one", "two"])
@pytest.mark.parametrize("name", CHECKS)
def test_a_new_method_passes_the_check(name, modalities):
    model = NeighbourTransformer(modalities, embed_dim=4, max_epochs=2)
    getattr(estimator_checks, name)("NeighbourTransformer", clone(model))


def fit(views, **params):
    sizes = {"embed_dim": 4, "max_epochs": 3, "batch_size": 20, "random_state": 0}
    return NeighbourTransformer(**{**sizes, **params}).fit(views)


def test_components_are_those_of_the_objective(views):
    model = fit(views)
    assert model.output_indices_ == {"shared": slice(0, 3)}
    assert model.transform(views).shape == (60, 3)
    assert list(model.history_) == ["train_loss", "train_near", "train_spread"]


def test_each_phase_moves_its_parameters_only(views, monkeypatch):
    start = fit(views, lr=1e-9)

    def only_the_first(self, network):
        return [(self.approach, list(network.parameters()))]

    monkeypatch.setattr(NeighbourObjective, "phases", only_the_first)
    monkeypatch.setattr(NeighbourObjective, "terms", ("near",))
    end = fit(views, lr=0.1)
    pairs = zip(
        start.net_.criterion_.head.parameters(),
        end.net_.criterion_.head.parameters(),
        strict=True,
    )
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in pairs)
    assert not np.allclose(start.transform(views), end.transform(views), atol=1e-3)


def test_the_original_is_passed_as_it_is(views, monkeypatch):
    seen = []
    approach = NeighbourObjective.approach
    monkeypatch.setattr(
        NeighbourObjective,
        "approach",
        lambda self, network, batch, generator: (
            seen.append(batch) or approach(self, network, batch)
        ),
    )
    model = fit(views, max_epochs=1, batch_size=60)
    original, augmented = seen[0]
    block = model._reader_.read(views)["a"]
    rows = {tuple(row) for row in block.round(4).tolist()}
    assert {tuple(row) for row in original["a"].numpy().round(4).tolist()} == rows
    assert not torch.equal(original["a"], augmented["a"])


def test_validation_and_score_have_the_terms_of_all_phases(views):
    model = fit(views, early_stopping=True)
    assert "valid_spread" in model.history_
    total = model.history_["valid_near"][0] + model.history_["valid_spread"][0]
    assert model.validation_loss_curve_[0] == pytest.approx(total, rel=1e-5)
    assert np.isfinite(model.score(views))
