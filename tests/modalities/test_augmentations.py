"""Augmentations as modalities choose them, for numbers, levels, words and vectors."""

from itertools import product

import numpy as np
import pytest
import torch
from helpers import SPECS, TEXTS, VECTORS, exactly, make_block, make_coral_of
from skorch.helper import SliceDict

from skcoral import EmbeddingModality, TabularModality, TextModality


@pytest.mark.parametrize(
    ("spec_class", "augmentation"),
    [
        *product(SPECS, ["corrupt", "drop", ["corrupt", "drop"], []]),
        *product(VECTORS, ["noise", ["corrupt", "noise"], ("noise", "drop")]),
    ],
)
def test_augmentation_keeps_shape_and_type(spec_class, augmentation):
    block = make_block(spec_class)
    spec = spec_class(augmentation=augmentation).fit(block)
    x = torch.as_tensor(spec.transform(block))
    view = spec.make_augmentation()(x, None, None)
    assert view.shape == x.shape
    assert view.dtype == x.dtype


@pytest.mark.parametrize("spec_class", SPECS)
def test_corruption_rate_zero_changes_nothing(spec_class):
    block = make_block(spec_class)
    spec = spec_class(corruption_rate=0.0).fit(block)
    x = torch.as_tensor(spec.transform(block))
    torch.testing.assert_close(spec.make_augmentation()(x, None, None), x)


@pytest.mark.parametrize("spec_class", VECTORS)
def test_corruption_takes_values_of_the_same_column(spec_class):
    block = make_block(spec_class)
    spec = spec_class(corruption_rate=1.0).fit(block)
    x = torch.as_tensor(spec.transform(block))
    view = spec.make_augmentation()(x, None, None)
    for before, after in zip(x.T, view.T, strict=True):
        assert torch.isin(after, before).all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("augmentation", ["noise", ["noise", "drop"]])
def test_views_of_categories_stay_codes_or_missing(augmentation, seed):
    block = make_block(TabularModality)
    spec = TabularModality(augmentation=augmentation).fit(block)
    x = torch.as_tensor(spec.transform(block))
    generator = torch.Generator().manual_seed(seed)
    codes = spec.make_augmentation()(x, None, generator)[:, 1]
    assert (codes.isnan() | torch.isin(codes, x[:, 1])).all()


@pytest.mark.parametrize("spec_class", SPECS)
def test_a_callable_is_the_augmentation(spec_class):
    def double(x, mask, generator):
        return 2 * x

    spec = spec_class(augmentation=double).fit(make_block(spec_class))
    assert spec.make_augmentation() is double


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_callable_that_returns_nonsense_diverges_with_epoch_term_and_lr(value):
    def spoil(x, mask, generator):
        return torch.full_like(x, value)

    coral = make_coral_of(EmbeddingModality(augmentation=spoil), "film")
    message = r"^Training diverged at epoch 1: the 'shared' term is nan\. Lower lr "
    with pytest.raises(ValueError, match=message + r"\(now 0\.001\) or raise"):
        coral.fit(SliceDict(film=make_block(EmbeddingModality)))
    assert not hasattr(coral, "net_")


@pytest.mark.parametrize("spec_class", SPECS)
def test_unknown_augmentation_is_refused_with_the_known_ones(spec_class):
    name = spec_class.__name__
    message = (
        rf"^The 'augmentation' parameter of {name} must be a str among \{{.*\}}, an "
        r"array-like or a callable\. Got 'corupt' instead\.$"
    )
    with pytest.raises(ValueError, match=message):
        spec_class(augmentation="corupt").fit(make_block(spec_class))


@pytest.mark.parametrize("spec_class", [TabularModality, EmbeddingModality])
def test_unknown_augmentation_in_a_list_is_named(spec_class):
    message = (
        f"The 'augmentation' parameter of {spec_class.__name__} must be made of "
        "['corrupt', 'drop', 'noise']. Got 'corupt' instead."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        spec_class(augmentation=["noise", "corupt"]).fit(make_block(spec_class))


def test_words_have_no_noise():
    message = (
        "The 'augmentation' parameter of TextModality must be made of ['corrupt', "
        "'drop']. Got 'noise' instead."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        TextModality(augmentation="noise").fit(TEXTS)


@pytest.mark.parametrize("augmentation", ["corrupt", "drop", ["corrupt", "drop"]])
@pytest.mark.parametrize("spec_class", SPECS)
def test_estimator_trains_with_any_augmentation(spec_class, augmentation):
    X = SliceDict(film=make_block(spec_class))
    coral = make_coral_of(spec_class(augmentation=augmentation), "film").fit(X)
    assert np.isfinite(coral.transform(X)).all()
