"""Dask: its workers give the same bits, and its keys tell estimators apart."""

import pickle

import numpy as np
import pytest
from helpers import make_batched
from sklearn.base import clone

distributed = pytest.importorskip("distributed")
tokenize = pytest.importorskip("dask.tokenize").tokenize


@pytest.fixture(scope="module")
def client():
    """A client of two workers in threads."""
    options = {"n_workers": 2, "threads_per_worker": 2, "dashboard_address": None}
    with distributed.LocalCluster(processes=False, **options) as cluster:
        with distributed.Client(cluster) as client:
            yield client


def fit_and_read(model, X):
    model.fit(X)
    return model.transform(X), model.score(X)


def test_fits_in_workers_equal_fits_one_by_one(client, views, tiny):
    models = [make_batched(tiny, dropout=0.3, random_state=s) for s in range(4)]
    alone = [fit_and_read(clone(model), views) for model in models]
    futures = [client.submit(fit_and_read, model, views) for model in models]
    for (features, score), future in zip(alone, futures, strict=True):
        found = future.result()
        assert np.array_equal(found[0], features)
        assert found[1] == score


def test_a_fitted_estimator_serves_workers(client, views, tiny):
    model = make_batched(tiny).fit(views)
    parts = [views[start : start + 10] for start in range(0, 60, 10)]
    found = client.gather(client.map(model.transform, parts))
    assert np.array_equal(np.vstack(found), model.transform(views))


def test_keys_tell_what_was_learnt(views, tiny):
    model = make_batched(tiny)
    keys = [tokenize(model)]
    for rows in (60, 40):
        keys.append(tokenize(clone(model).fit(views[:rows])))
    keys.append(tokenize(clone(model).set_params(lr=0.5)))
    assert len(set(keys)) == 4


def test_keys_are_those_of_a_copy(views, tiny):
    model = make_batched(tiny)
    assert tokenize(clone(model)) == tokenize(model)
    model.fit(views)
    assert tokenize(pickle.loads(pickle.dumps(model))) == tokenize(model)


def test_what_cannot_be_hashed_has_a_key_of_its_own(tiny):
    models = [make_batched(tiny, callbacks=[lambda: None]) for _ in range(2)]
    assert tokenize(models[0]) != tokenize(models[1])
