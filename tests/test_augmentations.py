"""Augmentations: their distributions, and what they leave alone."""

import pickle

import pytest
import torch

from skcoral.augmentations import (
    Compose,
    Crop,
    Drop,
    DropConsecutive,
    MarginalCorruption,
    Noise,
    Permute,
    TokenCorruption,
    TokenDrop,
)

ALL = [
    MarginalCorruption(),
    Noise(p=1.0),
    Drop(p=1.0),
    Compose([MarginalCorruption(), Drop(p=1.0), Noise(p=1.0)]),
]
NAMES = ["corruption", "noise", "drop", "compose"]


def seed(value=0):
    return torch.Generator().manual_seed(value)


def rows(n_samples=400, n_features=10):
    return torch.randn(n_samples, n_features, generator=seed(1))


@pytest.mark.parametrize("augment", ALL, ids=NAMES)
def test_input_is_not_modified(augment):
    x = rows()
    before = x.clone()
    view = augment(x, None, seed())
    assert torch.equal(x, before)
    assert not torch.equal(view, before)
    assert view.dtype == x.dtype


@pytest.mark.parametrize("augment", ALL, ids=NAMES)
def test_the_generator_alone_decides(augment):
    x = rows()
    torch.manual_seed(0)
    first = augment(x, None, seed(5))
    state = torch.get_rng_state()
    torch.manual_seed(1)
    torch.testing.assert_close(augment(x, None, seed(5)), first)
    assert not torch.equal(augment(x, None, seed(6)), first)
    torch.manual_seed(0)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("augment", ALL, ids=NAMES)
def test_default_generator_serves_where_none_is_given(augment):
    torch.manual_seed(3)
    first = augment(rows(), None, None)
    torch.manual_seed(3)
    torch.testing.assert_close(augment(rows(), None, None), first)


@pytest.mark.parametrize("augment", ALL, ids=NAMES)
def test_pickle_keeps_the_views(augment):
    again = pickle.loads(pickle.dumps(augment))
    torch.testing.assert_close(
        again(rows(), None, seed()), augment(rows(), None, seed())
    )


# Corruption


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.9])
def test_corruption_rate_is_that_of_changed_entries(rate):
    # A donor is the row itself once in n_samples; of 100,000 entries the share has a
    # deviation below 0.0016, of which the margin is six.
    x = torch.arange(1000.0)[:, None].repeat(1, 100)
    changed = (MarginalCorruption(rate)(x, None, seed()) != x).float().mean().item()
    assert changed == pytest.approx(rate * (1 - 1 / 1000), abs=0.01)


def test_corrupted_values_come_from_the_same_column():
    x = torch.arange(50.0)[:, None] + torch.tensor([0.0, 100.0, 200.0])
    view = MarginalCorruption(1.0)(x, None, seed())
    assert torch.equal((view // 100).unique(dim=0), torch.tensor([[0.0, 1.0, 2.0]]))


def test_corruption_draws_donors_of_each_entry_independently():
    x = torch.arange(50.0)[:, None].repeat(1, 2)
    view = MarginalCorruption(1.0)(x, None, seed())
    assert (view[:, 0] != view[:, 1]).float().mean() > 0.8


def test_no_corruption_at_rate_zero():
    assert torch.equal(MarginalCorruption(0.0)(rows(), None, seed()), rows())


def test_gaps_move_like_values():
    x = torch.tensor([[float("nan")], [1.0]] * 100)
    view = MarginalCorruption(1.0)(x, None, seed())
    # 200 fair draws: the margin is five deviations.
    assert view.isnan().sum().item() == pytest.approx(100, abs=36)


def test_corruption_of_series_is_refused():
    with pytest.raises(ValueError, match=r"\(n_samples, n_features\). Got \(2, 3, 4\)"):
        MarginalCorruption()(torch.zeros(2, 3, 4), None, None)


# Noise


def test_noise_has_its_scale_and_probability():
    x = torch.zeros(2000, 50)
    view = Noise(scale=0.5, p=0.25)(x, None, seed())
    noisy = view.abs().sum(dim=1) > 0
    # 2,000 draws of 0.25 have a deviation of 0.0097.
    assert noisy.float().mean().item() == pytest.approx(0.25, abs=0.05)
    assert view[noisy].std().item() == pytest.approx(0.5, abs=0.02)


def test_noise_spares_the_later_columns():
    view = Noise(p=1.0, n_columns=3)(rows(), None, seed())
    assert torch.equal(view[:, 3:], rows()[:, 3:])
    assert (view[:, :3] != rows()[:, :3]).all()


def test_noise_spares_padding():
    x = torch.zeros(4, 5, 2)
    mask = torch.arange(5) < torch.tensor([1, 2, 3, 5])[:, None]
    view = Noise(p=1.0)(x, mask, seed())
    assert torch.equal(view.abs().sum(dim=2) > 0, mask)


# Drop


def test_share_of_dropped_steps_is_uniform_up_to_the_maximum():
    view = Drop(p=1.0, max_fraction=0.8)(torch.ones(4000, 100), None, seed())
    lost = 1 - view.mean(dim=1)
    assert lost.max() <= 0.8
    # A uniform share has mean 0.4 and deviation 0.8 / sqrt(12), over 4,000 rows 0.0037.
    assert lost.mean().item() == pytest.approx(0.4, abs=0.02)
    assert lost.std().item() == pytest.approx(0.8 / 12**0.5, abs=0.02)


def test_probability_of_dropping_is_per_sample():
    view = Drop(p=0.25)(torch.ones(4000, 100), None, seed())
    # A share that rounds to no step at all, below 1/200, hides 0.6 % of the drops.
    touched = (view.sum(dim=1) < 100).float().mean().item()
    assert touched == pytest.approx(0.25, abs=0.04)


def test_every_step_is_dropped_equally_often():
    view = Drop(p=1.0)(torch.ones(4000, 20), None, seed())
    # Each step is lost with probability 0.4 in 4,000 rows: a deviation of 0.008.
    assert (1 - view.mean(dim=0)).sub(0.4).abs().max() < 0.05


def test_dropped_steps_are_whole_and_take_the_fill():
    view = Drop(p=1.0, fill=-7.0)(torch.ones(50, 10, 3), None, seed())
    assert set(view.unique().tolist()) == {-7.0, 1.0}
    assert torch.equal(view.amin(dim=2), view.amax(dim=2))


def test_padding_is_neither_lost_nor_counted():
    lengths = torch.tensor([2, 5, 10]).repeat(300)
    mask = torch.arange(10) < lengths[:, None]
    view = Drop(p=1.0)(torch.ones(900, 10), mask, seed())
    assert (view[~mask] == 1.0).all()
    lost = ((view == 0) & mask).sum(dim=1)
    assert (lost <= (0.8 * lengths).round()).all()
    # The mean share of each length is 0.4, rounding aside; 300 rows each.
    for length in (5, 10):
        share = (lost[lengths == length] / length).mean().item()
        assert share == pytest.approx(0.4, abs=0.08)


def test_compose_applies_in_order():
    first = Compose([lambda x, m, g: x + 1, lambda x, m, g: x * 2])
    assert first(torch.zeros(1), None, None).item() == 2.0


# Tokens


def ids(n_samples=300, n_tokens=20):
    """Return ids from 2 on; each second row is padded from its middle on."""
    x = torch.randint(2, 50, (n_samples, n_tokens), generator=seed(1))
    x[::2, n_tokens // 2 :] = 0
    return x


@pytest.mark.parametrize("augment", [TokenCorruption(1.0), TokenDrop(p=1.0)])
def test_views_of_tokens_keep_padding_and_type(augment):
    x = ids()
    before = x.clone()
    view = augment(x, None, seed())
    assert torch.equal(x, before)
    assert torch.equal(view == 0, x == 0)
    assert view.dtype == x.dtype
    assert not torch.equal(view, x)


@pytest.mark.parametrize("augment", [TokenCorruption(), TokenDrop()])
def test_tokens_follow_the_generator_and_pickle(augment):
    first = augment(ids(), None, seed(5))
    again = pickle.loads(pickle.dumps(augment))
    assert torch.equal(again(ids(), None, seed(5)), first)
    assert not torch.equal(augment(ids(), None, seed(6)), first)


@pytest.mark.parametrize("rate", [0.0, 0.4, 1.0])
def test_rate_of_replaced_tokens(rate):
    # Words of a vocabulary so large that a donor is hardly ever the word itself.
    x = torch.arange(2, 100_002).reshape(1000, 100)
    changed = (TokenCorruption(rate)(x, None, seed()) != x).float().mean().item()
    # 100,000 entries: the deviation is below 0.0016.
    assert changed == pytest.approx(rate, abs=0.01)


def test_donors_are_drawn_as_often_as_they_occur():
    x = torch.tensor([[2, 2, 2, 3], [2, 2, 2, 0]]).repeat(2000, 1)
    view = TokenCorruption(1.0)(x, None, seed())
    # 14,000 draws of one in seven: the deviation is 0.003.
    share = (view == 3).sum().item() / (x > 0).sum().item()
    assert share == pytest.approx(1 / 7, abs=0.015)


def test_corruption_of_texts_without_tokens():
    x = torch.zeros(3, 2, dtype=torch.int32)
    assert torch.equal(TokenCorruption(1.0)(x, None, seed()), x)


def test_dropped_tokens_are_blank_and_their_share_is_bounded():
    x = ids()
    view = TokenDrop(p=1.0, max_fraction=0.5)(x, None, seed())
    lost = (view == 1).sum(dim=1)
    assert (lost <= (x > 0).sum(dim=1) / 2).all()
    # Shares are uniform on [0, 0.5]: 300 of them have a mean of 0.25 +- 0.0084.
    assert (lost / (x > 0).sum(dim=1)).mean().item() == pytest.approx(0.25, abs=0.05)


# Windows and orders of steps


def series(n_samples=2000, n_steps=20, n_features=2):
    """Return steps that carry their number from one on."""
    steps = torch.arange(1.0, n_steps + 1)[None, :, None]
    return steps.repeat(n_samples, 1, n_features)


def padding(n_samples=2000, n_steps=20):
    """Return a mask by which each second row ends after half of the steps."""
    mask = torch.ones(n_samples, n_steps, dtype=torch.bool)
    mask[::2, n_steps // 2 :] = False
    return mask


def is_one_window(kept):
    """Tell whether the True of each row stand side by side."""
    return bool(((kept[:, 1:].int() - kept[:, :-1].int()) == 1).sum(dim=1).max() <= 1)


@pytest.mark.parametrize("with_padding", [False, True])
def test_crop_keeps_one_window_of_real_steps(with_padding):
    mask = padding() if with_padding else None
    kept = Crop(min_fraction=0.2)(series(), mask, seed())[..., 0] > 0
    assert is_one_window(kept)
    n_steps = mask.sum(dim=1) if with_padding else torch.full((2000,), 20)
    share = kept.sum(dim=1) / n_steps
    assert share.min() >= 0.15 and share.max() <= 1
    # Uniform on [0.2, 1]: the mean of 2,000 shares is 0.6 +- 0.005.
    assert share.mean().item() == pytest.approx(0.6, abs=0.03)
    if with_padding:
        assert not kept[~mask].any()


def test_crop_reaches_all_steps():
    kept = Crop()(series(), None, seed())[..., 0] > 0
    assert kept[:, 0].any() and kept[:, -1].any()


@pytest.mark.parametrize("with_padding", [False, True])
def test_drop_consecutive_blanks_one_window_of_some_rows(with_padding):
    mask = padding() if with_padding else torch.ones(2000, 20, dtype=torch.bool)
    view = DropConsecutive(p=0.5, max_fraction=0.8)(series(), mask, seed())
    lost = (view[..., 0] == 0) & mask
    share = lost.sum(dim=1) / mask.sum(dim=1)
    assert is_one_window(lost)
    assert share.max() <= 0.85
    # Half of the rows lose a share of mean 0.4: 0.2 +- 0.006.
    assert share.mean().item() == pytest.approx(0.2, abs=0.04)


def test_permute_shuffles_the_real_steps_of_some_rows():
    view = Permute(p=0.5)(series(), padding(), seed())[..., 0]
    same = (view == series()[..., 0]).all(dim=1)
    # 2,000 draws of 0.5: the deviation is 0.011.
    assert same.float().mean().item() == pytest.approx(0.5, abs=0.06)
    assert torch.equal(view.sort(dim=1).values, series()[..., 0])
    assert torch.equal(view[::2, 10:], series()[::2, 10:, 0])


def test_permuted_orders_are_uniform():
    view = Permute(p=1.0)(series(3000, 3, 1), None, seed())[..., 0]
    orders, counts = view.unique(dim=0, return_counts=True)
    assert len(orders) == 6
    # 500 +- 20 each.
    assert (counts - 500).abs().max() < 100


@pytest.mark.parametrize("augment", [Crop(), DropConsecutive(), Permute()])
def test_views_of_series_follow_the_generator_and_pickle(augment):
    x = torch.randn(50, 8, 2, generator=seed(1))
    before = x.clone()
    first = augment(x, None, seed(5))
    assert torch.equal(x, before)
    again = pickle.loads(pickle.dumps(augment))
    assert torch.equal(again(x, None, seed(5)), first)
    assert not torch.equal(augment(x, None, seed(6)), first)
