"""Checkpoints: an interrupted fit goes on exactly, and only where it belongs."""

import pickle

import numpy as np
import pytest
import torch
from helpers import ALL_METHODS, is_fitted, make_batched, make_of, make_target
from sklearn.base import clone
from skorch.callbacks import Callback, LRScheduler
from skorch.helper import SliceDict

from skcoral import COrALClassifier, EmbeddingModality


class Killed(Exception):
    """What ends a training in these tests."""


class Kill(Callback):
    """End the training without a warning, at the beginning of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise Killed


class Remember(Callback):
    """Learn something that is no plain data."""

    def on_train_begin(self, net, **kwargs):
        self.seen_ = object()


def kill(model, X, epoch, y=None):
    """Fit until an epoch begins, and leave the checkpoint."""
    killed = clone(model).set_params(callbacks=[*(model.callbacks or []), Kill(epoch)])
    with pytest.raises(Killed):
        killed.fit(X, y)


def are_equal(first, second, X):
    return (
        np.array_equal(first.transform(X), second.transform(X))
        and first.history_ == second.history_
        and first.score(X) == second.score(X)
    )


@pytest.mark.parametrize("epoch", [1, 2, 3])
@pytest.mark.parametrize(
    "params",
    [{"dropout": 0.3}, {"early_stopping": True, "n_iter_no_change": 2, "lr": 0.1}],
    ids=["dropout", "early stopping"],
)
def test_a_killed_fit_goes_on_exactly(views, tiny, tmp_path, params, epoch):
    params = {**tiny, **params, "max_epochs": 5, "checkpoint": tmp_path / "new"}
    model = make_batched(params)
    kill(model, views, epoch)
    whole = clone(model).set_params(checkpoint=None).fit(views)
    assert are_equal(model.fit(views), whole, views)
    # The result is in the folder, too.
    assert are_equal(clone(model).fit(views), whole, views)


@pytest.mark.parametrize("kind", ALL_METHODS, ids=lambda k: k.__name__)
def test_every_method_goes_on_exactly(views, tmp_path, kind):
    model = make_of(kind, max_epochs=4, checkpoint=tmp_path)
    y = make_target(COrALClassifier)
    kill(model, views, 3, y)
    whole = clone(model).set_params(checkpoint=None).fit(views, y)
    resumed = model.fit(views, y)
    assert np.array_equal(resumed.transform(views), whole.transform(views))
    assert resumed.history_ == whole.history_


def test_a_fit_without_a_seed_goes_on_with_the_one_it_had(views, tiny, tmp_path):
    model = make_batched(tiny, random_state=None, checkpoint=tmp_path, max_epochs=4)
    kill(model, views, 3)
    first, second = (clone(model).fit(views) for _ in range(2))
    assert are_equal(first, second, views)
    elsewhere = clone(model).set_params(checkpoint=tmp_path / "other").fit(views)
    assert not are_equal(first, elsewhere, views)


def test_a_schedule_of_learning_rates_goes_on(views, tiny, tmp_path):
    schedule = LRScheduler("StepLR", step_size=2, gamma=0.1)
    model = make_batched(
        tiny, max_epochs=6, lr=0.1, callbacks=[schedule], checkpoint=tmp_path
    )
    kill(model, views, 4)
    whole = clone(model).set_params(checkpoint=None).fit(views)
    plain = clone(model).set_params(checkpoint=None, callbacks=None).fit(views)
    assert are_equal(model.fit(views), whole, views)
    assert not are_equal(model, plain, views)


def test_ctrl_c_leaves_the_last_epoch(views, tiny, tmp_path):
    class Interrupt(Callback):
        def on_batch_end(self, net, training, **kwargs):
            if len(net.history) == 3:
                raise KeyboardInterrupt

    model = make_batched(tiny, max_epochs=4, checkpoint=tmp_path)
    with pytest.warns(UserWarning, match="interrupted by user after 2 epochs"):
        clone(model).set_params(callbacks=[Interrupt()]).fit(views)
    whole = clone(model).set_params(checkpoint=None).fit(views)
    assert are_equal(model.fit(views), whole, views)


# Several trainings of one estimator


def train_on(model, views):
    """Train three times: fit, train further, and on two chunks."""
    model.set_params(warm_start=True)
    model.fit(views).fit(views[:40])
    for start in (0, 30):
        model.partial_fit(views[start : start + 30])
    return model


@pytest.mark.parametrize("epoch", [2, 5, 7, 8])
def test_later_trainings_go_on_exactly(views, tiny, tmp_path, epoch):
    params = {"max_epochs": 3, "dropout": 0.3, "checkpoint": tmp_path}
    model = make_batched(tiny, **params)
    with pytest.raises(Killed):
        train_on(clone(model).set_params(callbacks=[Kill(epoch)]), views)
    whole = train_on(clone(model).set_params(checkpoint=None), views)
    assert are_equal(train_on(model, views), whole, views)
    assert model.n_iter_ == 3 + 3 + 1 + 1
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"training-{index:04d}.pt" for index in range(4)]


def test_a_pickled_estimator_goes_on_in_the_folder(views, tiny, tmp_path):
    model = make_batched(tiny, warm_start=True, checkpoint=tmp_path).fit(views)
    pickled = pickle.dumps(model)
    expected = model.fit(views)
    assert are_equal(pickle.loads(pickled).fit(views), expected, views)


# Folders and files that are refused


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"lr": 0.5}, "lr was 0.001 and is 0.5 now"),
        ({"max_epochs": 9}, "max_epochs was 2 and is 9 now"),
        ({"mask_ratio": 0.5}, "mask_ratio was 1.0 and is 0.5 now"),
        ({"random_state": 3}, "seed was"),
        ({"precision": "bfloat16"}, "precision was float32 and is bfloat16 now"),
        ({"early_stopping": True}, "early_stopping was False and is True now"),
        (
            {"modalities": [("a", EmbeddingModality(n_tokens=3), "a")]},
            "modality 'b' was .* and is None now",
        ),
    ],
)
def test_another_configuration_is_refused_by_name(views, tiny, tmp_path, params, match):
    model = make_batched(tiny, checkpoint=tmp_path, precision="float32").fit(views)
    other = clone(model).set_params(**params)
    with pytest.raises(ValueError, match=match):
        other.fit(views)
    assert not is_fitted(other)


def test_another_parameter_of_a_modality_is_refused(views, tiny, tmp_path):
    modalities = [(name, EmbeddingModality(), name) for name in "ab"]
    model = make_batched(tiny, modalities=modalities, checkpoint=tmp_path).fit(views)
    with pytest.raises(ValueError, match=r"modality 'b' was .*rate': 0\.5"):
        clone(model).set_params(b__corruption_rate=0.2).fit(views)


@pytest.mark.parametrize("what", ["value", "row", "order"])
def test_other_rows_are_refused(views, tmp_path, what):
    model = make_of(COrALClassifier, checkpoint=tmp_path)
    y = make_target(COrALClassifier)
    clone(model).fit(views, y)
    X, rows = views, np.arange(60)
    if what == "value":
        X = views[rows]
        X["b"][7, 1] += 1e-3
    elif what == "row":
        rows = rows[:-1]
    else:
        rows = rows[::-1]
    match = "the rows of 'b'" if what == "value" else "the rows of 'a'"
    with pytest.raises(ValueError, match=f"is of another training: .*{match} differ"):
        model.fit(X[rows], y[rows])


def test_trainings_that_began_elsewhere_are_refused(views, tiny, tmp_path):
    params = {"warm_start": True, "checkpoint": tmp_path, "max_epochs": 2}
    model = make_batched(tiny, **params).fit(views)
    start = pickle.dumps(model)
    model.fit(views)
    other = pickle.loads(start).set_params(checkpoint=None).fit(views[:40])
    other.net_.trainings_ = 1
    with pytest.raises(ValueError, match="the state before differ"):
        other.set_params(checkpoint=tmp_path).fit(views)


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "newer", "code"])
def test_files_that_cannot_be_continued_are_named(views, tiny, tmp_path, damage):
    model = make_batched(tiny, checkpoint=tmp_path)
    model.fit(views)
    path = tmp_path / "training-0000.pt"
    data = path.read_bytes()
    if damage == "newer":
        torch.save({**torch.load(path, weights_only=True), "format": 99}, path)
    elif damage == "code":
        torch.save({"format": 1, "state": Kill(2)}, path)
    else:
        path.write_bytes({"empty": b"", "cut": data[:-50], "text": b"text"}[damage])
    match = "newer version" if damage == "newer" else "cannot be read. Delete it"
    with pytest.raises(ValueError, match=f"training-0000.pt' .*{match}"):
        clone(model).fit(views)


def test_a_file_in_place_of_the_folder_is_refused(views, tiny, tmp_path):
    (tmp_path / "file").write_text("")
    model = make_batched(tiny, checkpoint=tmp_path / "file")
    with pytest.raises(ValueError, match=r"'checkpoint' parameter of COrAL.* folder"):
        model.fit(views)


def test_what_a_checkpoint_lacks_is_named(views, tiny, tmp_path):
    model = make_batched(tiny, checkpoint=tmp_path, callbacks=[Remember()])
    with pytest.warns(UserWarning, match="checkpoint lacks Remember.seen_") as seen:
        model.fit(views)
    assert len(seen) == 1


def test_no_file_is_left_beside(views, tiny, tmp_path):
    make_batched(tiny, checkpoint=str(tmp_path / "a" / "b")).fit(views)
    found = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert found == ["training-0000.pt"]


def test_other_rows_on_disk_are_refused(views, tiny, tmp_path):
    def fit(change):
        path = tmp_path / "rows.npy"
        np.save(path, views["a"] + change)
        X = SliceDict(a=np.load(path, mmap_mode="r"), b=views["b"])
        return make_batched(tiny, checkpoint=tmp_path).fit(X)

    assert is_fitted(fit(0.0))
    assert is_fitted(fit(0.0))
    with pytest.raises(ValueError, match="the rows of 'a' differ"):
        fit(1e-3)
