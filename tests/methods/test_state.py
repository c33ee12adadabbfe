"""The state of estimators: what pickles hold, and copies that go on exactly."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import torch
from helpers import METHODS, TINY, make_fitted, make_tiny
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback, LRScheduler
from skorch.exceptions import DeviceWarning

from skcoral import COrALClassifier, COrALTransformer
from skcoral.datasets import make_multimodal_interactions

kinds = pytest.mark.parametrize("kind", METHODS, ids=lambda kind: kind.__name__)


def pickled(estimator):
    return pickle.loads(pickle.dumps(estimator))


def read_optimizer(estimator):
    return estimator.net_.optimizer_.state_dict()["state"]


# Pickles


@kinds
def test_a_pickle_gives_the_same_bits_and_draws_nothing(views, kind):
    model, labels = make_fitted(kind, views)
    data = pickle.dumps(model)
    state = torch.get_rng_state()
    copied = pickle.loads(data)
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(copied.transform(views), model.transform(views))
    assert copied.score(views, *labels) == model.score(views, *labels)
    assert copied.history_ == model.history_
    if labels:
        np.testing.assert_array_equal(copied.predict(views), model.predict(views))


@pytest.mark.parametrize(
    ("kind", "warm_start"),
    [(COrALTransformer, False), *((kind, True) for kind in METHODS)],
)
def test_a_pickle_has_the_optimizer_if_warm_start_asks_for_it(views, kind, warm_start):
    model, labels = make_fitted(kind, views, warm_start=warm_start)
    copied = pickled(model)
    assert bool(read_optimizer(copied)) is warm_start
    n_epochs = model.n_iter_
    for estimator in (copied, model):
        estimator.set_params(warm_start=True).fit(views, *labels)
    features = copied.transform(views), model.transform(views)
    assert np.array_equal(*features) is warm_start
    kept = "batches" in copied.net_.history[0]
    assert kept is warm_start  # losses of batches, which grow with the training
    assert copied.n_iter_ == model.n_iter_ > n_epochs


def test_a_pickle_at_the_defaults_has_less_than_four_megabytes():
    X = make_multimodal_interactions(60, random_state=0).data
    coral = COrALTransformer(max_epochs=1).fit(X)
    slim, whole = (
        len(pickle.dumps(coral.set_params(warm_start=word))) for word in (False, True)
    )
    assert slim < 4e6 < 11e6 < whole


def test_a_pickle_shares_the_specs_between_reader_and_network(views, tiny):
    copied = pickled(make_tiny(tiny).fit(views))
    specs = {name: spec for name, spec, _ in copied.modalities_}
    network_specs = copied.net_.module__modalities
    assert all(network_specs[name] is spec for name, spec in specs.items())


def test_a_schedule_does_not_bring_the_optimizer(views, tiny):
    def measure(**params):
        return len(pickle.dumps(make_tiny(tiny, **params).fit(views)))

    assert measure(callbacks=[LRScheduler()]) < measure() + 2000


def test_a_callback_may_record_arrays_and_objects(views, tiny):
    copied = pickled(make_tiny(tiny, callbacks=[Recorder()]).fit(views))
    assert copied.net_.history[-1, "norms"] == [1.0, 2.0]
    assert copied.net_.history[-1, "word"] == "{'a'}"


class Recorder(Callback):
    """Record what JSON does not know."""

    def on_epoch_end(self, net, **kwargs):
        net.history.record("norms", np.array([1.0, 2.0]))
        net.history.record("word", {"a"})


def test_a_pickle_of_another_device_goes_on_with_the_cpu(views, tiny):
    coral = make_tiny(tiny).fit(views)
    Z = coral.transform(views)
    coral.net_.device = "cuda:99"
    data = pickle.dumps(coral)
    with pytest.warns(DeviceWarning, match="fitted on 'cuda:99', which is not avail"):
        copied = pickle.loads(data)
    assert copied.device_ == "cpu"
    np.testing.assert_array_equal(copied.transform(views), Z)


@pytest.mark.parametrize(
    ("setting", "value", "part"),
    [
        ("module__embed_dim", 16, "DualPathNetwork"),
        ("module__paths", ("shared",), "DualPathNetwork"),
        ("criterion__head_dim", 9, "COrALObjective"),
    ],
)
def test_a_state_whose_weights_do_not_fit_is_refused(views, tiny, setting, value, part):
    state = make_tiny(tiny).fit(views).__getstate__()
    state["net_"]["settings"][setting] = value
    with pytest.raises(ValueError, match=rf"\d+ weights of {part} do not fit. '"):
        COrALTransformer().__setstate__(state)


# Copies


@pytest.mark.parametrize(
    ("kind", "change"),
    [(COrALTransformer, copy.copy), *((kind, copy.deepcopy) for kind in METHODS)],
)
def test_a_copy_in_memory_has_all(views, kind, change):
    model, labels = make_fitted(kind, views)
    copied = change(model)
    assert read_optimizer(copied).keys() == read_optimizer(model).keys() != set()
    np.testing.assert_array_equal(copied.transform(views), model.transform(views))
    assert copied.score(views, *labels) == model.score(views, *labels)


def test_a_deep_copy_trains_on_exactly_and_apart(views, tiny):
    coral = make_tiny(tiny).fit(views)
    Z = coral.transform(views)
    copied = copy.deepcopy(coral).partial_fit(views)
    np.testing.assert_array_equal(coral.transform(views), Z)
    expected = coral.partial_fit(views).transform(views)
    np.testing.assert_array_equal(copied.transform(views), expected)


# Processes and threads


def test_processes_find_what_one_process_finds(views):
    model = COrALClassifier(**TINY, random_state=0)
    X, y = np.hstack([views["a"], views["b"]]), np.arange(60) % 3
    grid = {"lr": [1e-3, 1e-2]}
    scores = [
        GridSearchCV(model, grid, cv=2, n_jobs=n).fit(X, y).cv_results_ for n in (1, 2)
    ]
    np.testing.assert_array_equal(*(s["mean_test_score"] for s in scores))


def test_threads_pickle_and_transform_at_once(views, tiny):
    coral = make_tiny(tiny).fit(views)
    Z = coral.transform(views)
    with ThreadPoolExecutor(8) as pool:
        copies = list(pool.map(lambda _: pickled(coral).transform(views), range(16)))
    assert all(np.array_equal(copied, Z) for copied in copies)


def test_joblib_keeps_a_pipeline(views, tiny, tmp_path):
    X = np.hstack([views["a"], views["b"]])
    model = make_pipeline(StandardScaler(), make_tiny(tiny)).fit(X)
    joblib.dump(model, tmp_path / "model.joblib", compress=3)
    copied = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(copied.transform(X), model.transform(X))
