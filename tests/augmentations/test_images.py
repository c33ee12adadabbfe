"""Augmentations of images, against loops over pixels, and what they leave alone."""

import colorsys
import itertools
import math

import numpy as np
import pytest
import torch

from skcoral.augmentations import (
    ColorJitter,
    Flip,
    GaussianBlur,
    ResizedCrop,
    SimCLR,
)

STEPS = [ResizedCrop(), ColorJitter(), GaussianBlur(), Flip(), SimCLR()]
LUMA = np.array([0.299, 0.587, 0.114])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def make_ramps(n, height, width):
    """Return images of the column, the row, and noise, each in [0, 1]."""
    x = torch.rand(n, 3, height, width, generator=seeded())
    x[:, 0] = torch.linspace(0, 1, width)
    x[:, 1] = torch.linspace(0, 1, height)[:, None]
    return x


def find_crops(view):
    """Return (left, right, top, bottom) of the crops of ramps, as shares of a side."""
    return view[:, 0, 0, 0], view[:, 0, 0, -1], view[:, 1, 0, 0], view[:, 1, -1, 0]


# All steps


@pytest.mark.parametrize("augment", STEPS)
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (7, 3), (16, 40)])
@pytest.mark.parametrize("channels", [1, 3])
def test_views_are_floats_in_the_unit_for_any_size(augment, size, channels):
    x = torch.randint(0, 256, (5, channels, *size), dtype=torch.uint8)
    view = augment(x, None, seeded())
    assert view.shape == x.shape and view.dtype == torch.float32
    assert 0 <= view.min() and view.max() <= 1


@pytest.mark.parametrize("augment", STEPS)
def test_views_follow_the_generator_and_leave_the_batch_alone(augment):
    x = torch.rand(6, 3, 16, 16)
    before = x.clone()
    first, second, other = (augment(x, None, seeded(s)) for s in (0, 0, 1))
    assert torch.equal(x, before)
    assert torch.equal(first, second) and not torch.equal(first, other)


@pytest.mark.parametrize("augment", STEPS)
def test_views_do_not_depend_on_the_default_type(augment):
    x = torch.rand(4, 3, 9, 9)
    expected = augment(x, None, seeded())
    torch.set_default_dtype(torch.float64)
    try:
        view = augment(x, None, seeded())
    finally:
        torch.set_default_dtype(torch.float32)
    torch.testing.assert_close(view, expected)


@pytest.mark.parametrize("augment", [STEPS[0], STEPS[1], STEPS[4]])
def test_samples_have_draws_of_their_own(augment):
    x = torch.rand(1, 3, 16, 16).repeat(8, 1, 1, 1)
    rows = augment(x, None, seeded()).flatten(1).unique(dim=0)
    assert len(rows) >= 5  # some are not recoloured


# Crops


def interpolate(image, y, x):
    """Return the bilinear value of an image (height, width) at a place."""
    top, left = min(int(y), len(image) - 2), min(int(x), len(image[0]) - 2)
    down, across = y - top, x - left
    rows = [
        (1 - across) * image[row][left] + across * image[row][left + 1]
        for row in (top, top + 1)
    ]
    return (1 - down) * rows[0] + down * rows[1]


def test_crops_equal_the_loop():
    height, width = 6, 9
    x = make_ramps(4, height, width)
    view = ResizedCrop()(x, None, seeded())
    for n, (left, right, top, bottom) in enumerate(zip(*find_crops(view), strict=True)):
        for i, j in itertools.product(range(height), range(width)):
            row = (top + (bottom - top) * i / (height - 1)) * (height - 1)
            column = (left + (right - left) * j / (width - 1)) * (width - 1)
            expected = interpolate(x[n, 2].tolist(), float(row), float(column))
            assert float(view[n, 2, i, j]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("size", [(16, 16), (12, 30)])
@pytest.mark.parametrize("min_scale", [0.08, 0.5])
def test_crops_have_the_shares_and_ratios_of_simclr(size, min_scale):
    x = make_ramps(4000, *size)
    left, right, top, bottom = find_crops(ResizedCrop(min_scale)(x, None, seeded()))
    assert min(left.min(), top.min()) >= 0 and max(right.max(), bottom.max()) <= 1
    width, height = right - left, bottom - top
    assert (width * height).min() > min_scale - 1e-4
    distortion = (width / height).log()
    assert distortion.abs().max() < math.log(4 / 3) + 1e-3
    assert distortion.mean() == pytest.approx(0, abs=0.02)
    # Crops that do not fit are drawn again instead of being cut at the border.
    assert ((width > 1 - 1e-4) | (height > 1 - 1e-4)).float().mean() < 0.01
    small = width * height < 0.7  # none of these is drawn again
    expected = (min_scale + 0.7) / 2
    assert (width * height)[small].mean() == pytest.approx(expected, abs=0.02)
    # Places are uniform: on average, as much is cut at the left as at the right.
    assert (left - (1 - right)).mean() == pytest.approx(0, abs=0.02)
    assert (top - (1 - bottom)).mean() == pytest.approx(0, abs=0.02)


# Flips


def test_half_of_the_images_are_flipped():
    x = torch.rand(400, 3, 4, 5)
    view = Flip()(x, None, seeded())
    same = (view == x).flatten(1).all(dim=1)
    flipped = (view == x.flip(3)).flatten(1).all(dim=1)
    assert (same ^ flipped).all()
    assert 150 < flipped.sum() < 250
    assert torch.equal(Flip(rate=0.0)(x), x)


# Colours


def recolour(image, draws, jitter):
    """Return an image (height, width, 3) recoloured pixel by pixel in YIQ."""
    changed, grey, *change = draws
    change = [2 * c - 1 if changed < jitter.rate else 0 for c in change]
    brightness, contrast, saturation = (1 + jitter.strength * c for c in change[:3])
    saturation = 0 if grey < jitter.grey_rate else saturation
    turn = 2 * math.pi * jitter.hue * change[3]
    mean_grey = (image @ LUMA).mean()
    out = np.empty_like(image)
    for place in np.ndindex(*image.shape[:2]):
        y, i, q = colorsys.rgb_to_yiq(*image[place])
        i, q = (
            saturation * (math.cos(turn) * i - math.sin(turn) * q),
            saturation * (math.sin(turn) * i + math.cos(turn) * q),
        )
        rgb = np.array(turn_back(y, i, q))
        out[place] = brightness * (contrast * rgb + (1 - contrast) * mean_grey)
    return out.clip(0, 1)


def turn_back(y, i, q):
    """Return RGB by the exact inverse of `colorsys.rgb_to_yiq`."""
    matrix = np.array([colorsys.rgb_to_yiq(*axis) for axis in np.eye(3)]).T
    return np.linalg.solve(matrix, [y, i, q])


def test_colours_equal_the_loop():
    n = 12
    x = torch.rand(n, 3, 2, 3, generator=seeded(1))
    jitter = ColorJitter()
    view = jitter(x, None, seeded())
    draws = torch.rand(6, n, generator=seeded())
    for row in range(n):
        image = x[row].permute(1, 2, 0).double().numpy()
        expected = recolour(image, draws[:, row].tolist(), jitter)
        # colorsys rounds the luma to two digits.
        np.testing.assert_allclose(view[row].permute(1, 2, 0), expected, atol=0.02)


def test_greys_have_no_hue_and_keep_their_level():
    grey = torch.rand(6, 1, 3, 3).repeat(1, 3, 1, 1)
    turned = ColorJitter(rate=1.0, strength=0.0, hue=0.5, grey_rate=0.0)
    torch.testing.assert_close(turned(grey), grey, atol=1e-5, rtol=0)
    x = torch.rand(6, 3, 3, 3)
    view = ColorJitter(rate=0.0, grey_rate=1.0)(x)
    luma = torch.einsum("nchw,c->nhw", x, torch.tensor(LUMA).float())
    torch.testing.assert_close(view, luma[:, None].expand(x.shape))


def test_colours_change_at_the_rates_of_simclr():
    x = torch.rand(4000, 3, 2, 2)
    view = ColorJitter()(x, None, seeded())
    same = torch.isclose(view, x, atol=1e-5).flatten(1).all(dim=1).float().mean()
    grey = torch.isclose(view[:, 0], view[:, 2], atol=1e-5).flatten(1).all(dim=1)
    assert float(same) == pytest.approx(0.2 * 0.8, abs=0.03)
    assert float(grey.float().mean()) == pytest.approx(0.2, abs=0.03)


def test_images_of_one_channel_keep_their_levels():
    x = torch.rand(4, 1, 3, 3)
    torch.testing.assert_close(ColorJitter(grey_rate=1.0)(x), x)


# Blurs


def blur(image, deviation, reach):
    """Return an image (height, width) blurred by a loop over neighbours."""
    height, width = image.shape
    out = np.zeros_like(image)
    for y, x in np.ndindex(height, width):
        total = 0.0
        for i, j in itertools.product(range(height), range(width)):
            if max(abs(i - y), abs(j - x)) <= reach:
                square = (i - y) ** 2 + (j - x) ** 2
                weight = math.exp(-square / (2 * deviation**2))
                out[y, x] += weight * image[i, j]
                total += weight
        out[y, x] /= total
    return out


@pytest.mark.parametrize(("size", "reach"), [((5, 7), 1), ((50, 54), 2)])
def test_blurs_equal_the_loop(size, reach):
    n = 4
    x = torch.rand(n, 1, *size)
    view = GaussianBlur(rate=0.75)(x, None, seeded())
    draws = torch.rand(2, n, generator=seeded())
    assert 0 < (draws[0] < 0.75).sum() < n
    places = (slice(None, 6), slice(None, 8))
    for row in range(n):
        image = x[row, 0].double().numpy()
        if draws[0, row] < 0.75:
            part = blur(image[:12, :12], 0.1 + 1.9 * float(draws[1, row]), reach)
        else:
            part = image
        np.testing.assert_allclose(view[row, 0][places], part[places], atol=1e-5)


def test_even_images_stay_as_they_are_when_blurred():
    x = torch.full((4, 3, 9, 9), 0.3)
    torch.testing.assert_close(GaussianBlur(rate=1.0)(x), x)
    noise = torch.rand(4, 3, 9, 9)
    assert torch.equal(GaussianBlur(rate=0.0)(noise), noise)
    assert GaussianBlur(rate=1.0)(noise).var() < noise.var()
