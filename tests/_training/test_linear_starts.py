"""The start of linear paths: the principal components of the training rows."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from skorch.helper import SliceDict

from skcoral import COrALTransformer
from skcoral._training import linear_starts
from skcoral._training.linear_starts import find_start


def make_values(n_values=6, n_rows=50):
    rng = np.random.default_rng(0)
    scales = np.arange(n_values, 0, -1)
    return rng.normal(size=(n_rows, n_values)) * scales + 3.0


def apply(start, values):
    weight, bias = start
    return values @ weight.T + bias


@pytest.mark.parametrize("width", [2, 4, 8])
def test_distances_are_those_of_the_leading_components(width):
    values = make_values()
    out = apply(find_start(values, width), values)
    components = PCA(min(width, 6)).fit_transform(values)
    ratio = (out @ out.T) / (components @ components.T)
    np.testing.assert_allclose(ratio, ratio[0, 0])
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose((out**2).mean(), 49 / 50)


def test_no_column_is_left_to_a_weak_component():
    values = make_values(n_values=32, n_rows=200) * np.logspace(0, -3, 32)
    deviations = apply(find_start(values, 32), values).std(axis=0)
    assert deviations.max() < 4 * deviations.min()
    unrotated = PCA().fit_transform(values).std(axis=0)
    assert unrotated.max() > 1e3 * unrotated.min()


@pytest.mark.parametrize("shape", [(5, 3), (1, 3), (0, 3), (5, 0)])
def test_rows_that_do_not_differ_start_at_zero(shape):
    weight, bias = find_start(np.full(shape, 0.1), 4)
    assert weight.shape == (4, shape[1])
    assert not weight.any()
    assert not bias.any()


def read_starts(X, monkeypatch, **params):
    """Return the linear maps of an estimator before its first update."""
    starts = []

    def spy(net, dataset, start=linear_starts.start_linear_paths):
        start(net, dataset)
        for path in net.module_.linear_paths:
            state = path and {k: v.clone() for k, v in path.state_dict().items()}
            starts.append(state)

    monkeypatch.setattr("skcoral._training.trainer.start_linear_paths", spy)
    coral = COrALTransformer(random_state=0, **params).fit(X)
    return coral, starts


def test_rows_that_lack_the_modality_do_not_count(views, tiny, monkeypatch):
    gaps = SliceDict(a=views["a"].copy(), b=views["b"])
    gaps["a"][30:] = np.nan
    coral, (first, second) = read_starts(gaps, monkeypatch, **tiny)
    spec = coral.modalities_[0][1]
    weight, bias = find_start(spec.transform(views["a"][:30]), tiny["embed_dim"] // 2)
    np.testing.assert_allclose(first["weight"], weight, atol=1e-5)
    np.testing.assert_allclose(first["bias"], bias, atol=1e-5)
    assert second["weight"].any()


def test_many_rows_are_thinned_out(views, tiny, monkeypatch):
    monkeypatch.setattr(linear_starts, "MAX_ROWS", 20)
    coral, (first, _) = read_starts(views, monkeypatch, **tiny)
    values = coral.modalities_[0][1].transform(views["a"])[::3]
    weight, _ = find_start(values, tiny["embed_dim"] // 2)
    np.testing.assert_allclose(first["weight"], weight, atol=1e-5)


def test_training_moves_the_start_and_further_training_keeps_it(views, tiny):
    coral = COrALTransformer(random_state=0, warm_start=True, **tiny).fit(views)
    path = coral.net_.module_.linear_paths[0]
    learnt = path.weight.detach().clone()
    coral.set_params(lr=1e-12).fit(views)
    again = coral.net_.module_.linear_paths[0]
    torch.testing.assert_close(again.weight, learnt, atol=0.05, rtol=0)


def test_without_linear_paths_the_network_is_the_published_one(
    views, tiny, monkeypatch
):
    coral, starts = read_starts(views, monkeypatch, linear_path=False, **tiny)
    assert starts == [None, None]
    names = [name for name, _ in coral.net_.module_.named_parameters()]
    assert not any("linear_path" in name for name in names)
