"""Sequences: containers, padding, bad input, and what a step's place means."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from helpers import as_cells, exactly
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from skorch.helper import SliceDict

from skcoral import COrALTransformer, SequenceModality
from skcoral._input.selection import mask_steps

LENGTHS = np.array([3, 5, 1, 4] * 5)


def make_series(n_features=2):
    """Return series of different length as a list."""
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, n_features)).astype(np.float32) for n in LENGTHS]


def as_padded(series, n_steps=5):
    padded = np.full((len(series), n_steps, series[0].shape[1]), np.nan)
    for row, values in enumerate(series):
        padded[row, : len(values)] = values
    return padded


def make_coral(spec=None, **params):
    sizes = {"embed_dim": 8, "head_dim": 8, "head_hidden_dim": 8, "max_epochs": 2}
    if spec is not None:
        params["modalities"] = [("s", spec, "s")]
    return COrALTransformer(**{**sizes, "random_state": 0, **params})


# Reading


def naive_transform(series):
    """Return standardised, padded series and their mask, step by step."""
    steps = np.concatenate(series).astype(np.float64)
    mean, scale = steps.mean(axis=0), steps.std(axis=0)
    values = np.zeros((len(series), max(map(len, series)), steps.shape[1]))
    mask = np.zeros(values.shape[:2], dtype=bool)
    for row, steps_of_row in enumerate(series):
        for t, step in enumerate(steps_of_row):
            values[row, t], mask[row, t] = (step - mean) / scale, True
    return values, mask


@pytest.mark.parametrize(
    "make",
    [
        as_cells,
        as_padded,
        lambda s: as_padded(s, n_steps=9),
        lambda s: as_cells([v.tolist() for v in s]),
        lambda s: pd.DataFrame({"s": as_cells(s)}),
        lambda s: pl.DataFrame({"s": [v.tolist() for v in s]}),
        lambda s: as_cells(s)[:, None],
        lambda s: mask_steps(np.nan_to_num(as_padded(s), nan=3.0), LENGTHS),
    ],
)
def test_every_container_is_read_as_the_loop_does(make):
    series = make_series()
    block = make(series)
    values, mask = SequenceModality().fit(block).transform(block)
    expected, expected_mask = naive_transform(series)
    np.testing.assert_allclose(values, expected, atol=1e-5)
    np.testing.assert_array_equal(mask, expected_mask)
    assert values.dtype == np.float32


@pytest.mark.parametrize("make", [as_cells, lambda s: as_padded(s)[..., 0]])
def test_series_of_one_feature_need_no_axis_for_it(make):
    series = make_series(1)
    flat = as_cells([v[:, 0] for v in series]) if make is as_cells else make(series)
    values, _ = SequenceModality().fit(flat).transform(flat)
    np.testing.assert_allclose(values, naive_transform(series)[0], atol=1e-5)


def test_complete_series_are_all_real():
    block = np.random.default_rng(0).normal(size=(4, 6, 2))
    values, mask = SequenceModality().fit(block).transform(block)
    assert mask.all()
    np.testing.assert_allclose(values.mean(axis=(0, 1)), 0, atol=1e-5)
    np.testing.assert_allclose(values.std(axis=(0, 1)), 1, atol=1e-5)


def test_gaps_between_steps_close_up():
    block = np.array([[[1.0], [np.nan], [3.0]], [[2.0], [4.0], [np.nan]]])
    values, mask = SequenceModality().fit(block).transform(block)
    assert mask.tolist() == [[True, True], [True, True]]
    assert (values[0] < values[1]).all()


def test_a_single_missing_feature_is_the_mean():
    block = as_cells([np.array([[1.0, 5.0], [3.0, np.nan]]), np.array([[2.0, 7.0]])])
    values, mask = SequenceModality().fit(block).transform(block)
    assert mask.tolist() == [[True, True], [True, False]]
    assert values[0, 1, 1] == 0


def test_max_length_cuts_the_end():
    block = as_cells(make_series())
    values, mask = SequenceModality(max_length=2).fit(block).transform(block)
    assert values.shape == (20, 2, 2)
    assert mask.sum(axis=1).tolist() == np.minimum(LENGTHS, 2).tolist()


def test_transform_pads_to_the_longest_of_its_own_rows():
    spec = SequenceModality().fit(as_cells(make_series()))
    longer = as_cells([np.zeros((9, 2)), np.zeros((1, 2))])
    assert spec.transform(longer)[0].shape == (2, 9, 2)


# Bad input


@pytest.mark.parametrize(
    ("cells", "error", "message"),
    [
        (
            [np.zeros((2, 3)), np.zeros((2, 2))],
            ValueError,
            "The sequence in row 1 has 2 features, but an earlier one has 3.",
        ),
        (
            [np.zeros((2, 3)), np.zeros((0, 3))],
            ValueError,
            "A sequence must have shape (n_steps, n_features), with one step or more. "
            "Got shape (0, 3) in row 1.",
        ),
        (
            [np.zeros((2, 3)), np.zeros((2, 3, 1))],
            ValueError,
            "A sequence must have shape (n_steps, n_features), with one step or more. "
            "Got shape (2, 3, 1) in row 1.",
        ),
        (
            [np.zeros((2, 1)), "text"],
            TypeError,
            "A sequence must be an array of numbers. Got 'str' in row 1.",
        ),
        (
            [np.zeros((2, 1)), np.array([[np.inf]])],
            ValueError,
            "Input X contains infinity in the sequence in row 1.",
        ),
    ],
)
def test_bad_cells_name_the_row(cells, error, message):
    with pytest.raises(error, match=exactly(message)):
        SequenceModality().fit(as_cells(cells))


def test_cells_that_are_no_numbers_name_the_row():
    with pytest.raises(TypeError, match="sequence in row 1 is not an array of numbers"):
        SequenceModality().fit(as_cells([np.zeros((2, 1)), np.array([["a"]])]))


@pytest.mark.parametrize("shape", [(3,), (3, 0), (3, 4, 2, 1)])
def test_arrays_of_another_rank_are_refused(shape):
    message = (
        "Expected sequences of shape (n_samples, n_steps, n_features). Got shape "
        f"{shape}."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        SequenceModality().fit(np.zeros(shape))


def test_infinite_step_names_the_row():
    block = np.zeros((3, 4, 2))
    block[2, 1, 0] = -np.inf
    message = "Input X contains infinity in the sequence in row 2."
    with pytest.raises(ValueError, match=exactly(message)):
        SequenceModality().fit(block)


def test_another_number_of_features_is_refused():
    spec = SequenceModality().fit(np.zeros((3, 4, 2)))
    message = "The sequences have 3 features, but had 2 at fit time."
    with pytest.raises(ValueError, match=exactly(message)):
        spec.transform(np.zeros((3, 4, 3)))


def test_several_columns_are_refused():
    frame = pd.DataFrame({"a": as_cells(make_series()), "b": as_cells(make_series())})
    with pytest.raises(ValueError, match=exactly("Expected a single column. Got 2.")):
        SequenceModality().fit(frame)


@pytest.mark.parametrize(
    "lengths",
    [np.array([1.0] * 20), np.array([6] * 20), np.array([-1] * 20), np.array([1] * 3)],
)
def test_lengths_are_checked(lengths):
    message = r"^Lengths must be 20 integers between 0 and 5\. Got array"
    with pytest.raises(ValueError, match=message):
        mask_steps(as_padded(make_series()), lengths)


def test_lengths_belong_to_padded_arrays():
    with pytest.raises(ValueError, match=r"^Lengths belong to an array of shape"):
        mask_steps(as_cells(make_series()), LENGTHS)


@pytest.mark.parametrize(
    "params",
    [{"encoder": "lstm"}, {"n_layers": 0}, {"augmentation": "corrupt"}, {"dropout": 1}],
)
def test_bad_parameters_are_named(params):
    (name,) = params
    with pytest.raises(ValueError, match=f"^The '{name}' parameter of Sequence"):
        SequenceModality(**params).fit(np.zeros((3, 4, 2)))


# In the estimator

SPECS = [
    SequenceModality(),
    SequenceModality(positional_encoding=False, n_layers=2),
    SequenceModality(encoder="gru"),
]
IDS = ["transformer", "bag", "gru"]


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_padding_batches_and_order_do_not_matter(spec):
    series = make_series()
    coral = make_coral(spec).fit(SliceDict(s=as_cells(series)))
    Z = coral.transform(SliceDict(s=as_cells(series)))
    longer = coral.transform(SliceDict(s=as_padded(series, n_steps=12)))
    np.testing.assert_allclose(longer, Z, atol=1e-5)
    single = [coral.transform(SliceDict(s=as_cells([v]))) for v in series]
    np.testing.assert_allclose(np.vstack(single), Z, atol=1e-5)
    order = np.random.default_rng(0).permutation(20)
    permuted = coral.transform(SliceDict(s=as_cells(series)[order]))
    np.testing.assert_allclose(permuted, Z[order], atol=1e-5)


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_order_of_steps_matters_where_it_should(spec):
    matters = spec.encoder == "gru" or spec.positional_encoding
    X = np.random.default_rng(0).normal(size=(20, 5, 2))
    coral = make_coral(spec).fit(SliceDict(s=X))
    turned = coral.transform(SliceDict(s=X[:, ::-1]))
    same = np.allclose(turned, coral.transform(SliceDict(s=X)), atol=1e-5)
    assert same != matters


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
@pytest.mark.parametrize(
    "augmentation", ["drop", ["crop", "noise"], ["drop_consecutive", "permute"], []]
)
def test_training_is_finite_and_reproducible(spec, augmentation):
    X = SliceDict(s=as_cells(make_series()))
    spec = clone(spec).set_params(augmentation=augmentation)
    first, second = (make_coral(spec).fit(X) for _ in range(2))
    assert np.isfinite(first.loss_curve_).all()
    np.testing.assert_array_equal(first.transform(X), second.transform(X))
    copied = pickle.loads(pickle.dumps(first))
    np.testing.assert_array_equal(copied.transform(X), first.transform(X))


def test_series_may_be_missing():
    series = [*make_series()[:18], None, np.full((2, 2), np.nan)]
    X = SliceDict(s=as_cells(series), v=np.random.default_rng(0).normal(size=(20, 3)))
    coral = make_coral(missing="nan").fit(X)
    Z, parts = coral.transform(X), coral.output_indices_
    assert np.isnan(Z[18:, parts["s"]]).all()
    assert np.isfinite(Z[:18]).all() and np.isfinite(Z[18:, parts["shared"]]).all()
    whole = coral.transform(X[:18])
    np.testing.assert_allclose(Z[:18], whole, atol=1e-5)


def test_lengths_stand_beside_the_padded_array():
    series = make_series()
    padded = np.nan_to_num(as_padded(series), nan=7.0)
    X = SliceDict(s=padded, n=LENGTHS)
    modalities = [("s", "sequence", ["s", "n"])]
    Z = make_coral(modalities=modalities).fit_transform(X)
    by_cells = make_coral(SequenceModality()).fit_transform(
        SliceDict(s=as_cells(series))
    )
    np.testing.assert_allclose(Z, by_cells, atol=1e-5)


def test_auto_recognises_series():
    series = make_series()
    rng = np.random.default_rng(0)
    blocks = {"cells": as_cells(series), "padded": as_padded(series)}
    coral = make_coral().fit(SliceDict(**blocks))
    assert [type(s) for _, s, _ in coral.modalities_] == [SequenceModality] * 2
    frame = pd.DataFrame({"x": rng.normal(size=20), "cells": as_cells(series)})
    coral = make_coral().fit(frame)
    names = [(name, type(spec).__name__) for name, spec, _ in coral.modalities_]
    assert names == [("table", "TabularModality"), ("cells", "SequenceModality")]


def test_pandas_and_polars_give_the_same_features():
    lists = [v.tolist() for v in make_series()]
    numbers = np.random.default_rng(0).normal(size=20)
    frames = (library.DataFrame({"x": numbers, "s": lists}) for library in (pd, pl))
    first, second = (make_coral().fit_transform(frame) for frame in frames)
    np.testing.assert_array_equal(first, second)


def test_grid_search_over_series_in_two_processes():
    X = SliceDict(s=as_cells(make_series()), v=np.random.default_rng(0).random((20, 3)))
    y = np.arange(20) % 2
    train, test, y_train, _ = train_test_split(X, y, random_state=0)
    modalities = [("s", SequenceModality(), "s"), ("v", "embedding", "v")]
    model = make_pipeline(make_coral(modalities=modalities), LogisticRegression())
    grid = {"coraltransformer__s__encoder": ["transformer", "gru"]}
    search = GridSearchCV(model, grid, cv=2, n_jobs=2, error_score="raise")
    assert search.fit(train, y_train).predict(test).shape == (5,)


def test_gradients_are_finite_beside_missing_series():
    encoder = SequenceModality().fit(np.zeros((2, 3, 1))).make_encoder(8)
    x = torch.randn(2, 3, 1)
    mask = torch.tensor([[True, False, False], [False, False, False]])
    tokens, _ = encoder(x, mask)
    tokens.sum().backward()
    assert all(p.grad.isfinite().all() for p in encoder.parameters())


def test_heads_must_divide_the_width_of_the_tokens():
    spec = SequenceModality(n_heads=3).fit(np.ones((2, 3)))
    message = (
        "The 'n_heads' parameter of SequenceModality must divide the width of the "
        "tokens (now 8). Got 3 instead."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        spec.make_encoder(8)
    SequenceModality(n_heads=3, encoder="gru").fit(np.ones((2, 3))).make_encoder(8)
