"""Pictures against pixel by pixel transcriptions, pairs against the exact counts."""

import math

import numpy as np
import pytest
from skorch.helper import SliceDict

from skcoral import COrALTransformer
from skcoral.datasets import make_trifeatures
from skcoral.datasets._trifeatures import _find_pairs, _spawn_generators
from skcoral.datasets._trifeatures_render import (
    COLOURS,
    SHAPES,
    TEXTURES,
    draw_template,
    render_pictures,
)

# The smallest pictures: their content is tested apart from the pairs.
SIZE = 16
MAPPING = [5, 6, 0, 7, 3, 2, 4, 9, 1, 8]


def make(subset="test", **params):
    return make_trifeatures(subset, **{"image_size": SIZE, "random_state": 0, **params})


@pytest.fixture(scope="module")
def train():
    """Unbiased training pairs, 10,000 of them as by default."""
    return make("train")


# Pictures: naive transcriptions, a pixel at a time


def is_inside(shape, i, j):
    """Return whether row i and column j of 128 x 128 are in the shape."""
    if shape == "square":
        return True
    if shape == "circle":
        return (i + 0.5 - 64) ** 2 + (j + 0.5 - 64) ** 2 < 64**2
    if shape == "triangle":
        return abs(j - 64) - math.floor(i / 2) < 1
    if shape == "plus":
        return 43 <= j <= 85 or 43 <= i <= 85
    if shape == "tee":
        return 43 <= j <= 85 or 0 <= i <= 41
    if shape == "rhombus":
        return 0 < j - 64 + math.floor(i / 2) < 64
    if shape == "pentagon":
        if i < 51:
            return abs(j - 64) - 1.25 * i < 1
        return math.floor((i - 51) / 3.1) < j < 128 - math.floor((i - 51) / 3.1)
    if shape == "star":
        return is_in_star(i, j)
    if shape == "fivesquare":
        row, column = 42 <= i <= 84, 42 <= j <= 84
        return (not row and not column) or (row and column)
    x = math.floor(i / 3.1)
    return x < j < 128 - x


def is_in_star(i, j):
    inside = i < 51 and abs(j - 64) - math.floor(i / 4) < 1
    if 51 <= i < 76:
        inside = inside or 2.4 * (i - 51) < j < 128 - 2.4 * (i - 51)
    if i >= 70:
        a, b = 42.24 - 0.43 * (i - 70), 79.36 - 1.05 * (i - 70)
        inside = inside or a < j < b or a < 128 - j < b
    return inside


def is_filled(texture, i, j):
    """Return whether a texture without noise fills row i and column j."""
    row, column = i % 10, j % 10
    if texture == "solid":
        return True
    if texture == "stripes":
        return row < 3
    if texture == "grid":
        return row < 3 or column < 3
    if texture == "hexgrid":
        lean = math.floor(1.73 * i)
        return row < 2 or (j + lean) % 10 < 2 or (j - lean) % 10 < 2
    if texture == "dots":
        return (row - 5) ** 2 + (column - 5) ** 2 < 16
    if texture == "triangles":
        return math.floor(row / 2) > abs(column - 5)
    if texture == "zigzags":
        x = 9 - column if math.floor(i / 10) % 2 == 1 else column
        o = math.floor(row / 2)
        return o < x < 5 + o
    if math.floor(i / 10) % 2 == 1:
        column = (j + 5) % 10
    down, across = abs(row - 5), abs(column - 5)
    return (down < 1.5 and across < 3.5) or (across < 1.5 and down < 3.5)


def draw_naively(texture, top, left, side, rng):
    """Return a texture with noise or without, before it is rotated."""
    if texture == "noise":
        return rng.random((side, side)) < 0.5
    if texture == "rain":
        starts, rain = rng.random((side, side)) < 0.05, np.zeros((side, side), bool)
        for i, j in np.argwhere(starts):
            rain[i : i + 7, j] = True
        return rain
    cells = [
        [is_filled(texture, i + top, j + left) for j in range(side)]
        for i in range(side)
    ]
    return np.array(cells)


def turn_naively(image, angle, shape, interpolate):
    """Rotate about the centre: each pixel of the result looks up where it came from."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    height, width = image.shape
    out = np.zeros(shape)
    for i in range(shape[0]):
        for j in range(shape[1]):
            y, x = i - (shape[0] - 1) / 2, j - (shape[1] - 1) / 2
            row = cos * y + sin * x + (height - 1) / 2
            column = -sin * y + cos * x + (width - 1) / 2
            out[i, j] = interpolate(image, row, column)
    return out


def nearest(image, row, column):
    i, j = math.floor(row + 0.5), math.floor(column + 0.5)
    inside = 0 <= i < image.shape[0] and 0 <= j < image.shape[1]
    return image[i, j] if inside else 0


def bilinear(image, row, column):
    if not (0 <= row <= image.shape[0] - 1 and 0 <= column <= image.shape[1] - 1):
        return 0
    i, j = math.floor(row), math.floor(column)
    padded = np.pad(image, ((0, 1), (0, 1)))
    (a, b), (c, d) = padded[i : i + 2, j : j + 2]
    y, x = row - i, column - j
    return (1 - y) * ((1 - x) * a + x * b) + y * ((1 - x) * c + x * d)


def shrink_naively(template, side):
    """Average cells of a template, by pixels of a sixteenth of its own."""
    fine = np.kron(template, np.ones((side, side)))
    return fine.reshape(side, 128, side, 128).mean(axis=(1, 3))


def render_naively(code, size, rng):
    """Draw one picture with the draws of `render_pictures`."""
    shape, texture = list(SHAPES)[code[0]], list(TEXTURES)[code[1]]
    template = np.array(
        [[is_inside(shape, i, j) for j in range(128)] for i in range(128)], dtype=float
    )
    side = round(size * 128 / 224)
    template, angle = shrink_naively(template, side), rng.integers(-45, 45)
    turned = math.cos(math.radians(angle)) + abs(math.sin(math.radians(angle)))
    grown = (math.floor(side * turned + 0.5),) * 2
    outline = turn_naively(template, angle, grown, bilinear)
    top, left = rng.integers(size - grown[0] + 1), rng.integers(size - grown[0] + 1)
    canvas = np.pad(
        outline, ((top, size - grown[0] - top), (left, size - grown[0] - left))
    )
    ox, oy = rng.integers(10, size=2)
    pattern = draw_naively(texture, oy, ox, 2 * size, rng)
    pattern = turn_naively(pattern, rng.integers(-45, 45), (2 * size,) * 2, nearest)
    start = size // 2
    mask = canvas * pattern[start : start + size, start : start + size]
    colour = list(COLOURS.values())[code[2]]
    return np.stack([(mask * c + (1 - mask) * 0.5) * 255 for c in colour], axis=-1)


@pytest.mark.parametrize("shape", SHAPES)
def test_template_equals_its_definition(shape):
    expected = [[is_inside(shape, i, j) for j in range(128)] for i in range(128)]
    np.testing.assert_array_equal(draw_template(shape), expected)


@pytest.mark.parametrize("texture", sorted(set(TEXTURES) - {"noise", "rain"}))
def test_texture_equals_its_definition(texture):
    i, j = np.ogrid[7:107, 3:103]
    drawn = np.broadcast_to(TEXTURES[texture](i, j, None), (100, 100))
    np.testing.assert_array_equal(drawn, draw_naively(texture, 7, 3, 100, None))


@pytest.mark.parametrize("texture", ["noise", "rain"])
def test_random_texture_equals_its_definition(texture):
    i, j = np.ogrid[7:107, 3:103]
    drawn = TEXTURES[texture](i, j, np.random.default_rng(0))
    expected = draw_naively(texture, 7, 3, 100, np.random.default_rng(0))
    np.testing.assert_array_equal(drawn, expected)
    # Rain stays away from a pixel if none of seven starts a streak; 10,000 pixels that
    # hang together by seven give a deviation of .01.
    rate = {"noise": 0.5, "rain": 1 - 0.95**7}[texture]
    assert drawn.mean() == pytest.approx(rate, abs=0.04)


@pytest.mark.parametrize("k", range(10))
@pytest.mark.parametrize("size", [16, 33])
def test_picture_equals_the_naive_one(k, size):
    code = (k, (3 * k + 1) % 10, (7 * k + 2) % 10)
    (picture,) = render_pictures([code], size, np.random.default_rng(k))
    expected = render_naively(code, size, np.random.default_rng(k))
    # The last digit decides where a value falls on a whole number.
    assert np.abs(picture - (expected - 0.5)).max() <= 0.5 + 1e-6


def test_picture_of_the_benchmark_has_its_geometry():
    code = [(1, 0, 9)]  # a solid white square of 128 x 128
    (picture,) = render_pictures(code, 224, np.random.default_rng(0))
    assert picture.shape == (224, 224, 3)
    share = (picture[..., 0].astype(float) - 127) / 128
    # Rotated, a square keeps its size up to half a pixel on each side.
    assert 127**2 <= share.sum() <= 128**2
    assert picture[0, 0].tolist() == [127, 127, 127]


def test_colours_are_bytes_of_the_definition():
    codes = [(1, 0, colour) for colour in range(10)]
    pictures = render_pictures(codes, 64, np.random.default_rng(0))
    for picture, colour in zip(pictures, COLOURS.values(), strict=True):
        pixels, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
        order = np.argsort(counts)[::-1]
        assert pixels[order[0]].tolist() == [127, 127, 127]
        assert pixels[order[1]].tolist() == [math.floor(255 * c) for c in colour]


def test_shapes_are_placed_and_turned_anywhere():
    codes = np.tile([1, 0, 9], (500, 1))
    pictures = render_pictures(codes, 32, np.random.default_rng(0))
    covered = (pictures[..., 0] > 127).any(axis=0)
    assert covered.any(axis=0).all()
    assert covered.any(axis=1).all()
    centres = [np.argwhere(p[..., 0] > 127).mean(axis=0) for p in pictures]
    # Room for a square of 18 to 25 pixels: its centre is uniform within 3.5 to 7
    # pixels of the middle, a deviation of 2 to 4; the mean of 500 is known to .2.
    np.testing.assert_allclose(np.mean(centres, axis=0), 15.5, atol=0.8)
    assert (np.std(centres, axis=0) > 2).all()


# Combinations


def split_naively():
    """Return the combinations of the two subsets, a triplet at a time."""
    is_test = np.array([1] * 200 + [0] * 800)
    np.random.default_rng(42).shuffle(is_test)
    subsets = {"train": [], "test": []}
    for k in range(1000):
        triplet = (k // 100, k // 10 % 10, k % 10)
        subsets["test" if is_test[k] else "train"].append(triplet)
    return subsets


@pytest.mark.parametrize(("subset", "n_renderings"), [("train", 3), ("test", 1)])
def test_subsets_hold_the_combinations_of_the_benchmark(subset, n_renderings):
    bunch = make(subset, n_pairs=1)
    expected = np.repeat(split_naively()[subset], n_renderings, axis=0)
    np.testing.assert_array_equal(bunch.attributes, expected)
    assert bunch.pictures.shape == (len(expected), SIZE, SIZE, 3)
    assert len(expected) == {"train": 2400, "test": 200}[subset]


def test_train_and_test_share_no_combination(train):
    combinations = [set(map(tuple, bunch.attributes)) for bunch in (train, make())]
    assert [len(each) for each in combinations] == [800, 200]
    assert not combinations[0] & combinations[1]


def test_renderings_of_a_combination_differ(train):
    # A solid shape that fills its picture could be placed alike twice, but few are.
    triples = train.pictures.reshape(800, 3, -1)
    assert (triples[:, 0] != triples[:, 1]).any(axis=1).mean() > 0.99


# Pairs


def pair_naively(attributes, biased):
    """Return all ordered pairs of one shape, that obey the mapping if biased."""
    pairs = set()
    for i, (shape, texture, _) in enumerate(attributes.tolist()):
        for j, (other, _, colour) in enumerate(attributes.tolist()):
            if shape == other and (not biased or MAPPING[texture] == colour):
                pairs.add((i, j))
    return pairs


@pytest.mark.parametrize(("biased", "n_pairs"), [(False, 4094), (True, 404)])
def test_test_pairs_are_all_that_are_allowed(biased, n_pairs):
    bunch = make(biased=biased)
    pairs = list(map(tuple, bunch.pairs.tolist()))
    assert len(pairs) == len(set(pairs)) == n_pairs
    assert set(pairs) == pair_naively(bunch.attributes, biased)


def test_test_pairs_have_the_counts_of_the_benchmark():
    bunch = make()
    assert (bunch.pairs[:, 0] == bunch.pairs[:, 1]).sum() == 200
    assert bunch.target["synergy"].sum() == 404


@pytest.mark.parametrize(("biased", "n_pairs"), [(False, 576_846), (True, 57_636)])
def test_training_pairs_have_the_counts_of_the_benchmark(train, biased, n_pairs):
    # All of them at once would be some 900 MB of pictures, even of this size.
    relation = np.array(MAPPING) if biased else None
    assert len(_find_pairs(train.attributes, relation)) == n_pairs
    pairs = make("train", biased=biased).pairs
    assert len(pairs) == len(np.unique(pairs, axis=0)) == 10_000


def test_training_pairs_are_drawn_evenly(train):
    # A shape is drawn as often as it has pairs.
    squares = np.bincount(train.attributes[:, 0]) ** 2
    rates = squares / squares.sum()
    expected = 10_000 * rates
    counts = np.bincount(train.target["share"], minlength=10)
    # Chi-square of 9 degrees of freedom: mean 9, deviation 4.2; five of them.
    assert ((counts - expected) ** 2 / expected).sum() < 30


def test_fewer_pairs_are_the_first_of_more(train):
    np.testing.assert_array_equal(make("train", n_pairs=50).pairs, train.pairs[:50])


# Labels and layout


def test_labels_equal_their_definitions(train):
    for row, (i, j) in enumerate(train.pairs[:500]):
        (shape, texture, _), (_, other, colour) = train.attributes[[i, j]]
        label = {name: values[row] for name, values in train.target.items()}
        mapped = int(MAPPING[texture] == colour)
        named = {"share": shape, "unique1": texture, "unique2": other}
        assert label == {**named, "synergy": mapped}


def test_biased_pairs_obey_the_relation_and_others_by_chance(train):
    assert (make("train", biased=True).target["synergy"] == 1).all()
    # The rate of all pairs is 57,636 / 576,846; 10,000 have a deviation of .003.
    assert train.target["synergy"].mean() == pytest.approx(0.0999, abs=0.012)


def test_no_attribute_alone_tells_the_synergistic_label(train):
    first, second = (train.attributes[train.pairs[:, k]] for k in (0, 1))
    for attribute in (first[:, 1], second[:, 2]):
        for value in range(10):
            rate = train.target["synergy"][attribute == value].mean()
            # A rate of .1 over 1,000 pairs has a deviation of .0095. The rate of all
            # pairs of a value differs as well, by which combinations are left out.
            assert rate == pytest.approx(0.1, abs=0.05)


def test_data_are_the_pictures_of_the_pairs(train):
    assert isinstance(train.data, SliceDict)
    assert list(train.data) == ["image1", "image2"]
    for k, block in enumerate(train.data.values()):
        assert block.dtype == np.uint8
        np.testing.assert_array_equal(block, train.pictures[train.pairs[:, k]])


def test_names_belong_to_the_attributes(train):
    assert [len(values) for values in train.names.values()] == [10, 10, 10]
    assert train.names["shape"][8] == "fivesquare"
    assert train.names["texture"][3] == "hexgrid"
    assert train.names["colour"][7] == "ocean"
    assert "synergy" in train.DESCR


def test_pictures_show_their_attributes():
    # Whatever the texture, the pixel farthest from the background has the colour.
    bunch = make(image_size=32)
    colours = 255 * np.array(list(COLOURS.values()))
    for picture, (_, _, colour) in zip(bunch.pictures, bunch.attributes, strict=True):
        pixels = picture.reshape(-1, 3).astype(float)
        strength = np.abs(pixels - 127).sum(axis=1)
        strongest = pixels[strength.argmax()]
        assert np.abs(colours - strongest).sum(axis=1).argmin() == colour


def test_pairs_are_ready_for_the_estimator(tiny):
    data = make(n_pairs=40).data
    modalities = [(name, "image", name) for name in data]
    coral = COrALTransformer(modalities, random_state=0, **tiny)
    assert len(coral.fit_transform(data)) == 40


# Generators


def test_same_seeds_give_the_same_pictures_and_pairs():
    first, second = make(random_state=3), make(random_state=3)
    np.testing.assert_array_equal(first.pictures, second.pictures)
    np.testing.assert_array_equal(first.pairs, second.pairs)


def test_seeds_change_pictures_and_pairs_and_not_the_benchmark():
    first, second = make(), make(random_state=1)
    assert (first.pictures != second.pictures).any(axis=(1, 2, 3)).mean() > 0.99
    assert not np.array_equal(first.pairs, second.pairs)
    np.testing.assert_array_equal(first.attributes, second.attributes)
    assert set(map(tuple, first.pairs)) == set(map(tuple, second.pairs))


def test_biased_and_unbiased_pairs_are_of_the_same_pictures(train):
    biased = make("train", biased=True, n_pairs=5)
    np.testing.assert_array_equal(biased.pictures, train.pictures)


def test_pairs_do_not_depend_on_what_pictures_drew(train):
    other = make("train", image_size=17)
    np.testing.assert_array_equal(other.pairs, train.pairs)


def test_subsets_pictures_and_pairs_have_generators_of_their_own():
    generators = [*_spawn_generators(0, "train"), *_spawn_generators(0, "test")]
    assert len({rng.random() for rng in generators}) == 4


def test_a_generator_advances_from_call_to_call():
    rng = np.random.RandomState(0)
    first, second = make(random_state=rng), make(random_state=rng)
    assert not np.array_equal(first.pictures, second.pictures)


def test_the_global_generator_is_left_alone():
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    make(n_pairs=3)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


# Errors


@pytest.mark.parametrize(
    ("params", "rule"),
    [
        ({"subset": "valid"}, r"a str among \{.*\}. Got 'valid'"),
        ({"subset": None}, r"a str among \{.*\}. Got None"),
        ({"biased": "no"}, "an instance of 'bool' .*Got 'no'"),
        ({"image_size": 15}, r"an int in the range \[16, inf\). Got 15"),
        ({"image_size": 32.0}, r"an int in the range \[16, inf\). Got 32.0"),
        ({"n_pairs": 0}, r"an int in the range \[1, inf\). Got 0"),
        ({"n_pairs": None}, r"an int in the range \[1, inf\). Got None"),
        ({"random_state": "no"}, ".*Got 'no'"),
    ],
)
def test_bad_parameters_are_named(params, rule):
    (name,) = params
    message = f"The '{name}' parameter of make_trifeatures must be {rule}"
    with pytest.raises(ValueError, match=message):
        make_trifeatures(**params)
