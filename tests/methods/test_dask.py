"""Dask: its workers give the same bits, and its keys tell estimators apart."""

import pickle

import numpy as np
import pytest
from helpers import make_batched
from sklearn.base import clone

dask = pytest.importorskip("dask")
tokenize = pytest.importorskip("dask.tokenize").tokenize


def fit_and_read(model, X):
    model.fit(X)
    return model.transform(X), model.score(X)


def test_fits_in_workers_equal_fits_one_by_one(views, tiny):
    models = [make_batched(tiny, dropout=0.3, random_state=s) for s in range(4)]
    alone = [fit_and_read(clone(model), views) for model in models]
    tasks = [dask.delayed(fit_and_read)(model, views) for model in models]
    found = dask.compute(*tasks, scheduler="threads", num_workers=4)
    for (features, score), pair in zip(alone, found, strict=True):
        assert np.array_equal(pair[0], features)
        assert pair[1] == score


def test_a_fitted_estimator_serves_workers(views, tiny):
    model = make_batched(tiny).fit(views)
    parts = [views[start : start + 10] for start in range(0, 60, 10)]
    tasks = [dask.delayed(model.transform, pure=True)(part) for part in parts]
    found = dask.compute(*tasks, scheduler="threads", num_workers=4)
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
