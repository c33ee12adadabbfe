"""Trifeatures: pairs of pictures with shared, unique and synergistic labels."""

from numbers import Integral
from typing import Literal

import numpy as np
from sklearn.utils import Bunch, check_random_state
from skorch.helper import SliceDict

from skcoral._constraints import POSITIVE_INT
from skcoral._sklearn_compat import Interval, StrOptions, validate_params
from skcoral._types import Array, RandomState
from skcoral.datasets._trifeatures_render import (
    COLOURS,
    SHAPES,
    TEXTURES,
    render_pictures,
)

NAMES = {"shape": list(SHAPES), "texture": list(TEXTURES), "colour": list(COLOURS)}
# The benchmark has one split and one permutation for all pictures and pairs.
BENCHMARK_SEED = 42
N_TEST_COMBINATIONS = 200
RENDERINGS = {"train": 3, "test": 1}

DESCR = """Trifeatures: pairs of pictures that show the same shape.

Each picture shows one of ten shapes in one of ten textures and one of ten colours,
rotated and placed at random. Training and test pictures show different combinations of
the three. Labels: "share" is the shape, which either picture shows; "unique1" and
"unique2" are the textures, each of which only one picture shows; "synergy" is whether
the texture of "image1" and the colour of "image2" belong together, which takes both
pictures to predict.
"""


@validate_params(
    {
        "subset": [StrOptions({"train", "test"})],
        "biased": ["boolean"],
        "image_size": [Interval(Integral, 16, None, closed="left")],
        "n_pairs": POSITIVE_INT,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_trifeatures(
    subset: Literal["train", "test"] = "train",
    *,
    biased: bool = False,
    image_size: int = 64,
    n_pairs: int = 10_000,
    random_state: RandomState = None,
) -> Bunch:
    """Make the pairs of pictures of the Trifeatures benchmark, with four labels.

    The two pictures of a pair show the same shape, each in its own texture and colour.
    A permutation assigns a colour to each texture. The synergistic label is whether the
    texture of the first picture and the colour of the second obey it.

    Parameters
    ----------
    subset : {"train", "test"}, default="train"
        Training pictures show 800 combinations of shape, texture and colour, three
        times each; test pictures show the other 200, once each.

    biased : bool, default=False
        Whether to return only pairs that obey the permutation, so that it can be learnt
        without labels. Labels should be probed on unbiased pairs.

    image_size : int, default=64
        Height and width of a picture in pixels, at least 16. The benchmark has 224.

    n_pairs : int, default=10_000
        Number of pairs, or all if there are fewer. There are 576,846 training pairs and
        4,094 test pairs; 57,636 and 404 of them are biased.

    random_state : int, RandomState instance or None, default=None
        Seed of the pictures and of the choice of pairs.

    Returns
    -------
    Bunch
        With the entries

        data : SliceDict of str to ndarray of shape (n_pairs, height, width, 3), uint8
            Modalities "image1" and "image2".
        target : dict of str to ndarray of shape (n_pairs,), int
            Labels "share", "unique1", "unique2" (0 to 9) and "synergy" (0 or 1).
        pictures : ndarray of shape (n_pictures, height, width, 3), uint8
            Each picture once: 2,400 or 200.
        attributes : ndarray of shape (n_pictures, 3), int
            Shape, texture and colour of each picture, 0 to 9.
        pairs : ndarray of shape (n_pairs, 2), int
            Positions in `pictures` of the first and the second picture of a pair.
        names : dict of str to list of str
            Names of the values of "shape", "texture" and "colour".
        DESCR : str
            What the labels mean.

    Raises
    ------
    ValueError
        If a parameter is of a wrong type or out of range.

    See Also
    --------
    make_multimodal_interactions : Vectors with labels of the same kinds.

    Notes
    -----
    The data set is that of Hermann and Lampinen (NeurIPS 2020), with the pairs and
    labels of CoMM (arXiv 2409.07402): ordered pairs of pictures of the same shape,
    including each picture with itself. The test combinations and the permutation are
    those that generators seeded with 42 give in the published code. The permutation
    allows ten of a hundred pairs of texture and colour, so that a tenth of the unbiased
    pairs obey it by chance: score "synergy" by balanced accuracy. Views without the
    original colours, as after the jitter or greyscale of
    :class:`~skcoral.modalities.ImageModality`, hide the permutation.

    Pictures depend on `random_state`, `subset` and `image_size` only: biased and
    unbiased pairs with one seed share their pictures, and fewer pairs are the first of
    more. The published code draws everything from one generator, so that a run that
    draws pictures has other pairs than a run that finds them on disk.

    At 224 pixels the geometry is that of the benchmark: shapes of 128 pixels, rotated
    by -45 to 44 degrees, and textures with a period of 10 pixels, rotated by another
    angle. At other sizes, shapes scale with the picture, but textures keep their
    period: scaled to 1.4 pixels at 32, they could not be distinguished. The bars of the
    texture "pluses" are seven pixels long, which is our choice.

    The pairs take ``6 * n_pairs * image_size**2`` bytes, 246 MB by default and 3 GB at
    224 pixels. Drawing all pictures takes about 1 s at 48 pixels, and 16 s at 224.

    Examples
    --------
    >>> from skcoral.datasets import make_trifeatures
    >>> bunch = make_trifeatures("test", image_size=32, n_pairs=100, random_state=0)
    >>> bunch.data["image1"].shape, list(bunch.target)
    ((100, 32, 32, 3), ['share', 'unique1', 'unique2', 'synergy'])
    >>> first, second = bunch.attributes[bunch.pairs[0]]
    >>> bunch.names["shape"][first[0]], bunch.names["shape"][second[0]]
    ('tee', 'tee')
    """
    attributes = _split_combinations(subset)
    relation = np.random.default_rng(BENCHMARK_SEED).permutation(len(COLOURS))
    pictures_rng, pairs_rng = _spawn_generators(random_state, subset)
    pictures = render_pictures(attributes, image_size, pictures_rng)
    allowed = _find_pairs(attributes, relation if biased else None)
    # A permutation, not a choice: fewer pairs are then the first of more.
    pairs = allowed[pairs_rng.permutation(len(allowed))[:n_pairs]]
    return Bunch(
        data=SliceDict(image1=pictures[pairs[:, 0]], image2=pictures[pairs[:, 1]]),
        target=_make_labels(attributes[pairs[:, 0]], attributes[pairs[:, 1]], relation),
        pictures=pictures,
        attributes=attributes,
        pairs=pairs,
        names={name: list(values) for name, values in NAMES.items()},
        DESCR=DESCR,
    )


def _split_combinations(subset: str) -> Array:
    """Return the shape, texture and colour of each picture of a subset."""
    sizes = [len(values) for values in NAMES.values()]
    combinations = np.indices(sizes).reshape(3, -1).T
    is_test = np.arange(len(combinations)) < N_TEST_COMBINATIONS
    np.random.default_rng(BENCHMARK_SEED).shuffle(is_test)
    chosen = combinations[is_test == (subset == "test")]
    return np.repeat(chosen, RENDERINGS[subset], axis=0)


def _spawn_generators(
    random_state: RandomState, subset: str
) -> list[np.random.Generator]:
    """Return generators for pictures and for pairs, independent of each other."""
    seed = check_random_state(random_state).randint(2**31)
    seeds = np.random.SeedSequence([seed, list(RENDERINGS).index(subset)]).spawn(2)
    return [np.random.default_rng(each) for each in seeds]


def _find_pairs(attributes: Array, relation: Array | None) -> Array:
    """Return ordered pairs of pictures of one shape, which obey a relation if given."""
    shape, texture, colour = attributes.T
    allowed = shape[:, None] == shape
    if relation is not None:
        allowed &= relation[texture][:, None] == colour
    return np.argwhere(allowed)


def _make_labels(first: Array, second: Array, relation: Array) -> dict[str, Array]:
    """Return a label per kind of information."""
    return {
        "share": first[:, 0],
        "unique1": first[:, 1],
        "unique2": second[:, 1],
        "synergy": (relation[first[:, 1]] == second[:, 2]).astype(int),
    }
