"""Pixels: files and arrays of any depth, mode, size and state are read alike."""

import os

import numpy as np
import pytest
from helpers import as_cells, exactly, make_coral
from PIL import Image
from skorch.helper import SliceDict

from skcoral import ImageModality
from skcoral.modalities import image as module

# 256 grey levels of 16 bits.
RAMP = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)


def read(*cells, mode="L", **params):
    """Return the pixels of the cells, which are learnt from first."""
    cells = as_cells(cells)
    return ImageModality(mode=mode, **params).fit(cells).transform(cells)


def save(image, path, **options):
    image.save(path, **options)
    return str(path)


# Depth


DEEP = {
    "I;16.png": lambda: Image.fromarray(RAMP),
    "I;16.tif": lambda: Image.fromarray(RAMP),
    "I;16B.tif": lambda: Image.fromarray(RAMP.astype(">u2")),
    "I.tif": lambda: Image.fromarray(RAMP.astype(np.int32)),
    "F.tif": lambda: Image.fromarray((RAMP / 65535).astype(np.float32)),
}


@pytest.mark.parametrize("name", DEEP)
@pytest.mark.parametrize("opened", [False, True])
def test_files_of_more_than_8_bits_keep_their_levels(name, opened, tmp_path):
    path = save(DEEP[name](), tmp_path / name)
    pixels = read(Image.open(path) if opened else path)
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels[0, 0], RAMP / 65535, atol=1e-7)


@pytest.mark.parametrize(
    "block", [RAMP[None], RAMP[None, ..., None], as_cells([RAMP])], ids=lambda b: b.ndim
)
def test_arrays_of_16_bits_are_read_like_files(block, tmp_path):
    path = save(Image.fromarray(RAMP), tmp_path / "scan.png")
    pixels = ImageModality(mode="L").fit(block).transform(block)
    np.testing.assert_array_equal(pixels, read(path))


def test_files_of_16_bits_are_resized(tmp_path):
    path = save(Image.fromarray(RAMP), tmp_path / "scan.png")
    half = RAMP.reshape(8, 2, 8, 2).mean(axis=(1, 3)) / 65535
    pixels = read(path, size=8)[0, 0]
    assert len(np.unique(pixels)) == 64
    np.testing.assert_allclose(pixels[1:-1, 1:-1], half[1:-1, 1:-1], atol=0.01)


def test_bytes_beside_deeper_images_are_on_the_same_scale():
    grey = Image.fromarray(np.full((16, 16), 51, dtype=np.uint8))
    pixels = read(grey, RAMP)
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels[0], 0.2, atol=1e-7)
    np.testing.assert_allclose(pixels[1, 0], RAMP / 65535, atol=1e-7)


@pytest.mark.parametrize("value", [-1, 65536, 2**31 - 1])
def test_integers_of_32_bits_beyond_16_are_refused(value):
    image = Image.fromarray(np.array([[0, value]], dtype=np.int32))
    low, high = sorted([0, value])
    message = (
        "Images of 32-bit integers must be in [0, 65535]. Got values from "
        f"{low} to {high} in row 1."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        read(Image.new("L", (2, 1)), image)


@pytest.mark.parametrize("value", [1.5, -0.1, np.inf, np.nan])
def test_floats_of_files_outside_of_the_unit_are_refused(value, tmp_path):
    image = Image.fromarray(np.array([[0, value]], dtype=np.float32))
    path = save(image, tmp_path / "map.tif")
    message = r"^Images .*floats.* in \[0, 1\]\. Got (NaN|inf|1\.5|-0\.1) in row 0\.$"
    with pytest.raises(ValueError, match=message):
        read(path)


def test_lazy_reading_gives_the_same_features(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 65536, (12, 16, 16)).astype(np.uint16)
    paths = [
        save(Image.fromarray(image if row % 3 else (image >> 8).astype(np.uint8)), path)
        for row, image in enumerate(images)
        for path in [tmp_path / f"{row}.png"]
    ]
    X = SliceDict(i=as_cells(paths))
    features = []
    for limit in (2**30, 0):
        monkeypatch.setattr(module, "MAX_DECODED_BYTES", limit)
        features.append(make_coral(batch_size=4).fit_transform(X))
    np.testing.assert_array_equal(*features)


def test_deferring_counts_four_bytes_for_deeper_images(monkeypatch):
    cells = as_cells([RAMP] * 4)
    spec = ImageModality(mode="L").fit(cells)
    assert spec.itemsize_ == 4
    monkeypatch.setattr(module, "MAX_DECODED_BYTES", 4 * 256 * 4)
    assert spec.defer(cells) is None
    monkeypatch.setattr(module, "MAX_DECODED_BYTES", 4 * 256 * 4 - 1)
    assert len(spec.defer(cells)) == 4


# Modes


@pytest.mark.parametrize("mode", "1 L P RGB RGBA CMYK YCbCr HSV LA PA".split())
@pytest.mark.parametrize("wanted", ["RGB", "L"])
def test_modes_of_8_bits_give_the_bytes_of_pillow(mode, wanted):
    image = Image.new("RGB", (5, 4), (250, 120, 10)).convert("L").convert("RGB")
    image = image.convert("RGBA").convert(mode) if mode == "PA" else image.convert(mode)
    pixels = read(image, mode=wanted)
    assert pixels.dtype == np.uint8
    expected = np.asarray(image.convert("RGB").convert(wanted))
    np.testing.assert_array_equal(
        pixels[0].squeeze(),
        np.moveaxis(expected, 2, 0) if wanted == "RGB" else expected,
    )


def test_transparent_palettes_are_read_without_a_warning():
    image = Image.new("P", (4, 4), 3)
    image.putpalette([value for i in range(256) for value in (i, i, 10 * i % 256)])
    image.info["transparency"] = bytes(range(256))
    assert read(image, mode="RGB")[0, :, 0, 0].tolist() == [3, 3, 30]


def test_modes_that_pillow_does_not_convert_are_refused():
    message = "Images of mode 'LAB' cannot be converted to 'L' in row 0."
    with pytest.raises(ValueError, match=exactly(message)):
        read(Image.new("LAB", (4, 4)))


@pytest.mark.parametrize("kind", ["gif", "tif", "webp", "png"])
def test_animations_and_stacks_are_refused(kind, tmp_path):
    frames = [Image.new("L", (4, 4), 50 * i) for i in range(3)]
    path = tmp_path / f"a.{kind}"
    save(frames[0], path, save_all=True, append_images=frames[1:])
    message = rf"a\.{kind}' in row 0 cannot be read: it has 3 frames\. Save the one"
    with pytest.raises(ValueError, match=message):
        read(str(path))


def test_photos_with_a_preview_are_read(tmp_path):
    frames = [Image.new("L", (4, 4), value) for value in (90, 200)]
    path = save(frames[0], tmp_path / "a.mpo", save_all=True, append_images=frames[1:])
    assert np.abs(read(path).astype(int) - 90).max() <= 1


# Orientation


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("opened", [False, True])
def test_photos_are_turned_upright(orientation, opened, tmp_path):
    image = np.arange(24, dtype=np.uint8).reshape(4, 6)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(Image.fromarray(image), tmp_path / "photo.png", exif=exif)
    turned = {
        1: image,
        2: image[:, ::-1],
        3: image[::-1, ::-1],
        4: image[::-1],
        5: image.T,
        6: np.rot90(image, -1),
        7: image[::-1, ::-1].T,
        8: np.rot90(image),
    }
    pixels = read(Image.open(path) if opened else path)
    np.testing.assert_array_equal(pixels[0, 0], turned[orientation])


# Sizes


@pytest.mark.parametrize(
    "image",
    [
        Image.new("RGB", (0, 4)),
        Image.new("F", (4, 0)),
        np.zeros((0, 4), dtype=np.uint8),
        np.zeros((4, 0, 3)),
    ],
)
def test_images_without_pixels_are_refused_with_their_row(image):
    message = r"^Images must have pixels\. Got height and width \(\d, \d\) in row 1\.$"
    with pytest.raises(ValueError, match=message):
        read(Image.new("L", (4, 4)), image)


def test_a_block_without_pixels_is_refused():
    message = "Images must have pixels. Got height and width (0, 4)."
    with pytest.raises(ValueError, match=exactly(message)):
        ImageModality().fit(np.zeros((3, 0, 4, 3), dtype=np.uint8))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 2), (3, 1)])
@pytest.mark.parametrize("encoder", ["conv", "patch"])
def test_tiny_images_are_trained_on(size, encoder):
    images = np.random.default_rng(0).integers(0, 256, (8, *size, 3)).astype(np.uint8)
    X = SliceDict(i=images)
    spec = ImageModality(encoder=encoder, patch_size=1)
    assert np.isfinite(make_coral([("i", spec, "i")]).fit_transform(X)).all()


# Files that are none


def test_cells_that_hold_no_numbers_are_refused():
    message = "An image must be an array of numbers. Got dtype <U1 in row 1."
    with pytest.raises(ValueError, match=exactly(message)):
        read(Image.new("L", (1, 1)), np.array([["a"]]))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
@pytest.mark.timeout(20)
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    message = r"pipe\.png' in row 0 cannot be read: it is no regular file\.$"
    with pytest.raises(ValueError, match=message):
        read(str(tmp_path / "pipe.png"))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (os.devnull, "it is no regular file."),
        (os.curdir, "it is no regular file."),
        ("a\x00b.png", "embedded null byte"),
    ],
)
def test_paths_that_lead_to_no_file_are_refused(path, reason):
    message = f"The image file {path!r} in row 1 cannot be read: {reason}"
    with pytest.raises(ValueError, match=exactly(message)):
        read(Image.new("L", (1, 1)), path)


def test_a_text_in_the_place_of_a_path_is_not_shown_whole():
    with pytest.raises(ValueError, match=r"^The image file 'word .{,310}\.\.\. in row"):
        read("word " * 2000)


@pytest.mark.parametrize("side", [40, 50])
@pytest.mark.filterwarnings("ignore:Image size")
def test_decompression_bombs_are_refused_with_file_and_row(side, tmp_path, monkeypatch):
    # Pillow warns above the limit, and raises an error above twice the limit.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    path = save(Image.new("1", (side, side)), tmp_path / "bomb.png")
    message = r"bomb\.png' in row 1 cannot be read: .*(MAX_IMAGE_PIXELS|limit of 2000)"
    with pytest.raises(ValueError, match=message):
        read(Image.new("L", (1, 1)), path)


def test_any_error_of_a_decoder_names_file_and_row(tmp_path, monkeypatch):
    path = save(Image.new("L", (4, 4)), tmp_path / "odd.png")

    def fail(*args, **kwargs):
        raise IndexError("beyond the end")

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(ValueError, match=r"odd\.png' in row 0 cannot be read: beyond"):
        read(path)
