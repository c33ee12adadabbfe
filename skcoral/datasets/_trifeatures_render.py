"""Pictures of Trifeatures: a shape, filled with a texture, in a colour."""

from typing import Any

import numpy as np
from scipy import ndimage

from skcoral._types import Array

# Height and width of a shape and of a picture in the benchmark, in pixels.
TEMPLATE, PICTURE = 128, 224
BACKGROUND = 0.5

COLOURS = {
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0, 0, 1),
    "yellow": (1, 1, 0),
    "pink": (1, 0.4, 1),
    "cyan": (0, 1, 1),
    "purple": (0.3, 0, 0.5),
    "ocean": (0.1, 0.4, 0.5),
    "orange": (1, 0.6, 0),
    "white": (1, 1, 1),
}


def render_pictures(codes: Array, image_size: int, rng: np.random.Generator) -> Array:
    """Draw a picture for each combination of shape, texture and colour.

    Parameters
    ----------
    codes : ndarray of shape (n_pictures, 3), int
        Positions in SHAPES, TEXTURES and COLOURS.

    image_size : int
        Height and width in pixels.

    rng : numpy.random.Generator
        Source of angles, places and noise.

    Returns
    -------
    ndarray of shape (n_pictures, image_size, image_size, 3), uint8
        The pictures.
    """
    side = round(image_size * TEMPLATE / PICTURE)
    templates = [_shrink(draw_template(shape), side) for shape in SHAPES]
    textures, colours = list(TEXTURES), np.array(list(COLOURS.values()))
    pictures = np.empty((len(codes), image_size, image_size, 3), dtype=np.uint8)
    for picture, (shape, texture, colour) in zip(pictures, codes, strict=True):
        outline = _place(_turn(templates[shape], rng), image_size, rng)
        mask = outline * _draw_texture(textures[texture], image_size, rng)
        picture[:] = _paint(mask[:, :, None], colours[colour])
    return pictures


def _paint(mask: Array, colour: Array) -> Array:
    return (mask * colour + (1 - mask) * BACKGROUND) * 255


def draw_template(shape: str) -> Array:
    """Return a shape of 128 x 128 pixels, True inside."""
    i, j = np.indices((TEMPLATE, TEMPLATE))
    return np.broadcast_to(SHAPES[shape](i, j), i.shape)


def _shrink(template: Array, side: int) -> Array:
    """Return the share of each of side x side cells that lies inside the template."""
    edges = np.linspace(0, TEMPLATE, side + 1)[:, None]
    pixels = np.arange(TEMPLATE)
    upper, lower = np.minimum(edges[1:], pixels + 1), np.maximum(edges[:-1], pixels)
    overlap = np.maximum(upper - lower, 0) * side / TEMPLATE
    return overlap @ template @ overlap.T


def _turn(template: Array, rng: np.random.Generator) -> Array:
    """Rotate a template, and enlarge the array so that nothing is cut off."""
    return ndimage.rotate(template, _draw_angle(rng), order=1)


def _draw_angle(rng: np.random.Generator) -> Any:
    return rng.integers(-45, 45)


def _place(outline: Array, size: int, rng: np.random.Generator) -> Array:
    """Put a rotated template at a random place on the picture."""
    height, width = outline.shape
    top, left = rng.integers(size - height + 1), rng.integers(size - width + 1)
    canvas = np.zeros((size, size))
    # A pixel wholly inside must be exactly 1, as anything less would darken its bytes.
    canvas[top : top + height, left : left + width] = outline.round(9)
    return canvas


def _draw_texture(texture: str, size: int, rng: np.random.Generator) -> Array:
    """Draw a texture at twice the size, rotate it and cut out the centre."""
    left, top = rng.integers(10, size=2)
    i, j = np.ogrid[top : top + 2 * size, left : left + 2 * size]
    canvas = np.broadcast_to(TEXTURES[texture](i, j, rng), (2 * size, 2 * size))
    turned = ndimage.rotate(
        canvas.astype(np.uint8), _draw_angle(rng), order=0, reshape=False
    )
    start = size // 2
    return turned[start : start + size, start : start + size]


# Shapes: row i and column j -> inside?


def _square(i: Array, j: Array) -> Array:
    return i >= 0


def _circle(i: Array, j: Array) -> Array:
    return (i + 0.5 - 64) ** 2 + (j + 0.5 - 64) ** 2 < 64**2


def _triangle(i: Array, j: Array) -> Array:
    return abs(j - 64) - i // 2 < 1


def _plus(i: Array, j: Array) -> Array:
    return _within(j, 43, 85) | _within(i, 43, 85)


def _tee(i: Array, j: Array) -> Array:
    return _within(j, 43, 85) | _within(i, 0, 41)


def _within(k: Array, first: int, last: int) -> Array:
    return (first <= k) & (k <= last)


def _rhombus(i: Array, j: Array) -> Array:
    place = j - 64 + i // 2
    return (0 < place) & (place < 64)


def _pentagon(i: Array, j: Array) -> Array:
    roof = abs(j - 64) - 1.25 * i < 1
    return np.where(i < 51, roof, _narrow(j, np.floor((i - 51) / 3.1)))


def _narrow(j: Array, x: Array) -> Array:
    return (x < j) & (j < 128 - x)


def _star(i: Array, j: Array) -> Array:
    head = (i < 51) & (abs(j - 64) - i // 4 < 1)
    arms = (51 <= i) & (i < 76) & _narrow(j, 2.4 * (i - 51))
    inner, outer = 42.24 - 0.43 * (i - 70), 79.36 - 1.05 * (i - 70)
    left = (inner < j) & (j < outer)
    right = (inner < 128 - j) & (128 - j < outer)
    return head | arms | ((i >= 70) & (left | right))


def _fivesquare(i: Array, j: Array) -> Array:
    return _within(j, 42, 84) == _within(i, 42, 84)


def _trapezoid(i: Array, j: Array) -> Array:
    return _narrow(j, np.floor(i / 3.1))


SHAPES = {
    "triangle": _triangle,
    "square": _square,
    "plus": _plus,
    "circle": _circle,
    "tee": _tee,
    "rhombus": _rhombus,
    "pentagon": _pentagon,
    "star": _star,
    "fivesquare": _fivesquare,
    "trapezoid": _trapezoid,
}


# Textures, with a period of ten pixels: row i, column j and a generator -> filled?


def _solid(i: Array, j: Array, rng: np.random.Generator) -> Array:
    return i >= 0


def _stripes(i: Array, j: Array, rng: np.random.Generator) -> Array:
    return i % 10 < 3


def _grid(i: Array, j: Array, rng: np.random.Generator) -> Array:
    return (i % 10 < 3) | (j % 10 < 3)


def _hexgrid(i: Array, j: Array, rng: np.random.Generator) -> Array:
    lean = (1.73 * i).astype(int)
    return (i % 10 < 2) | ((j + lean) % 10 < 2) | ((j - lean) % 10 < 2)


def _dots(i: Array, j: Array, rng: np.random.Generator) -> Array:
    return (i % 10 - 5) ** 2 + (j % 10 - 5) ** 2 < 16


def _noise(i: Array, j: Array, rng: np.random.Generator) -> Array:
    return rng.random((i.size, j.size)) < 0.5


def _triangles(i: Array, j: Array, rng: np.random.Generator) -> Array:
    return i % 10 // 2 > abs(j % 10 - 5)


def _zigzags(i: Array, j: Array, rng: np.random.Generator) -> Array:
    x = np.where(i // 10 % 2, 9 - j % 10, j % 10)
    shift = i % 10 // 2
    return (shift < x) & (x < 5 + shift)


def _rain(i: Array, j: Array, rng: np.random.Generator) -> Array:
    # A streak ends seven pixels below its start, or at the edge of the canvas.
    starts = rng.random((i.size, j.size)) < 0.05
    return ndimage.maximum_filter1d(starts, 7, axis=0, origin=3, mode="constant")


def _pluses(i: Array, j: Array, rng: np.random.Generator) -> Array:
    j = j + i // 10 % 2 * 5
    down, across = abs(i % 10 - 5), abs(j % 10 - 5)
    return (np.minimum(down, across) < 1.5) & (np.maximum(down, across) < 3.5)


TEXTURES = {
    "solid": _solid,
    "stripes": _stripes,
    "grid": _grid,
    "hexgrid": _hexgrid,
    "dots": _dots,
    "noise": _noise,
    "triangles": _triangles,
    "zigzags": _zigzags,
    "rain": _rain,
    "pluses": _pluses,
}
