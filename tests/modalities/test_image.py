"""Images: containers, sizes and modes, bad input, views and grids of tokens."""

import builtins
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from helpers import as_cells, exactly
from PIL import Image
from skorch.helper import SliceDict

from skcoral import COrALTransformer, ImageModality
from skcoral._training.net import INFERENCE_BATCH_SIZE
from skcoral.modalities import image as module
from skcoral.nn.encoders.image import ImageEncoder
from skcoral.nn.positions import encode_grid

N_ROWS = 12
LAST = torch.channels_last


def make_images(size=(16, 16), channels=3):
    """Return images of bytes, channels last."""
    shape = (N_ROWS, *size, channels)
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def write_files(images, folder):
    """Write images to PNG files and return their paths."""
    paths = [folder / f"{i}.png" for i in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    return paths


def make_coral(spec=None, **params):
    sizes = {"embed_dim": 8, "head_dim": 8, "head_hidden_dim": 8, "max_epochs": 2}
    if spec is not None:
        params["modalities"] = [("i", spec, "i")]
    return COrALTransformer(**{**sizes, "random_state": 0, **params})


# Reading


@pytest.mark.parametrize(
    "make",
    [
        lambda images, _: images,
        lambda images, _: images.transpose(0, 3, 1, 2),
        lambda images, _: as_cells(images),
        lambda images, _: as_cells([Image.fromarray(i) for i in images]),
        lambda images, _: pd.DataFrame({"i": as_cells(images)}),
        lambda images, tmp: as_cells(write_files(images, tmp)),
        lambda images, tmp: np.array([str(p) for p in write_files(images, tmp)]),
        lambda images, tmp: pd.DataFrame({"i": map(str, write_files(images, tmp))}),
        lambda images, tmp: pl.DataFrame(
            {"i": [str(p) for p in write_files(images, tmp)]}
        ),
    ],
)
def test_every_container_gives_the_same_bytes(make, tmp_path):
    images = make_images()
    block = make(images, tmp_path)
    spec = ImageModality().fit(block)
    out = spec.transform(block)
    assert out.dtype == np.uint8
    np.testing.assert_array_equal(out, images.transpose(0, 3, 1, 2))
    unit = images / 255
    np.testing.assert_allclose(spec.mean_, unit.mean(axis=(0, 1, 2)), atol=1e-6)
    np.testing.assert_allclose(spec.scale_, unit.std(axis=(0, 1, 2)), atol=1e-6)


def test_floats_between_zero_and_one_stay_floats():
    block = make_images() / 255
    out = ImageModality().fit(block).transform(block)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, block.transpose(0, 3, 1, 2), atol=1e-7)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_modes_are_converted(mode, channels):
    block = make_images(channels=channels)
    out = ImageModality(mode=mode).fit(block).transform(block)
    assert out.shape == (N_ROWS, {"RGB": 3, "L": 1}[mode], 16, 16)
    if channels == 1:
        np.testing.assert_array_equal(out[:, 0], block[..., 0])


def test_grey_of_arrays_is_that_of_pillow():
    images = make_images()
    cells = as_cells([Image.fromarray(i) for i in images])
    by_array = ImageModality(mode="L").fit(images).transform(images).astype(int)
    by_pillow = ImageModality(mode="L").fit(cells).transform(cells).astype(int)
    assert np.abs(by_array - by_pillow).max() <= 1


@pytest.mark.parametrize("size", [8, (6, 10), (24, 24)])
def test_images_are_resized(size):
    block = make_images()
    expected = (size, size) if isinstance(size, int) else size
    for images in (block, as_cells([Image.fromarray(i) for i in block])):
        out = ImageModality(size=size).fit(images).transform(images)
        assert out.shape == (N_ROWS, 3, *expected)
        assert out.dtype == np.uint8


def test_resized_arrays_and_files_agree():
    steps = np.linspace(0, 255, 32).astype(np.uint8)
    image = np.stack([np.add.outer(steps // 2, steps // 2)] * 3, axis=-1)
    arrays = np.stack([image] * 2)
    cells = as_cells([Image.fromarray(image)] * 2)
    first, second = (
        ImageModality(size=8).fit(b).transform(b).astype(int) for b in (arrays, cells)
    )
    assert np.abs(first - second).max() <= 2


def test_images_of_several_sizes_and_modes_need_a_size():
    cells = as_cells(
        [Image.new("RGB", (9, 7)), Image.new("L", (5, 5)), Image.new("RGBA", (4, 8))]
    )
    message = (
        "The image in row 1 has height and width (5, 5), but an earlier one (7, 9). "
        "Set 'size' to bring images to one size."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        ImageModality().fit(cells)
    assert ImageModality(size=6).fit(cells).transform(cells).shape == (3, 3, 6, 6)


# Bad input


def test_missing_file_names_file_and_row(tmp_path):
    cells = as_cells([*write_files(make_images(), tmp_path)[:2], tmp_path / "no.png"])
    message = r"^The image file '.*no\.png' in row 2 cannot be read: .*No such file"
    with pytest.raises(ValueError, match=message):
        ImageModality().fit(cells)


def test_unreadable_file_names_file_and_row(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no image")
    cells = as_cells([*write_files(make_images(), tmp_path)[:2], tmp_path / "bad.png"])
    message = r"^The image file '.*bad\.png' in row 2 cannot be read: cannot identify"
    with pytest.raises(ValueError, match=message):
        ImageModality().fit(cells)


def test_truncated_file_names_file_and_row(tmp_path):
    path = write_files(make_images((64, 64)), tmp_path)[0]
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"0\.png' in row 0 cannot be read"):
        ImageModality().fit(as_cells([path]))


@pytest.mark.parametrize("value", [1.5, -0.1, 255.0, np.inf])
def test_floats_outside_of_the_unit_are_refused(value):
    block = np.zeros((3, 4, 4, 3))
    block[1, 0, 0, 0] = value
    message = (
        "Images must be of dtype uint8 or uint16, or floats in [0, 1]. Got "
        f"{value:g} in row 1."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        ImageModality().fit(block)
    with pytest.raises(ValueError, match=exactly(message)):
        ImageModality().fit(as_cells(block))


@pytest.mark.parametrize("shape", [(3, 4), (3, 5, 5, 2), (3, 4, 4, 3, 1)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"^Expected images of shape .* Got shape \(3"):
        ImageModality().fit(np.zeros(shape, dtype=np.uint8))


def test_other_objects_are_refused_with_their_row():
    message = "An image must be an array, a PIL image or a path. Got 'int' in row 1."
    with pytest.raises(TypeError, match=exactly(message)):
        ImageModality().fit(as_cells([Image.new("RGB", (4, 4)), 3]))


@pytest.mark.parametrize("size", [0, (4,), (4, -1), (4.0, 4)])
def test_bad_size_is_named(size):
    with pytest.raises(ValueError, match=r"^The 'size' parameter of ImageModality"):
        ImageModality(size=size).fit(make_images())


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"encoder": "patch", "patch_size": 32}, "no patch of 32 pixels"),
        ({"encoder": "alexnet"}, "needs images of 63 pixels or more"),
    ],
)
def test_images_too_small_for_their_encoder(params, message):
    with pytest.raises(ValueError, match=message):
        make_coral(ImageModality(**params)).fit(SliceDict(i=make_images()))


def block_import(monkeypatch, name):
    find = builtins.__import__

    def without(module, *args, **kwargs):
        if module.split(".")[0] == name:
            raise ModuleNotFoundError(name)
        return find(module, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)


def test_missing_pillow_names_the_extra(monkeypatch, tmp_path):
    paths = as_cells(write_files(make_images(), tmp_path))
    block_import(monkeypatch, "PIL")
    with pytest.raises(ImportError, match=r"Pillow: pip install 'skcoral\[image\]'"):
        ImageModality().fit(paths)


# Views and encoders


@pytest.mark.parametrize(
    "augmentation", ["simclr", "crop", "color", "blur", ("crop", "flip"), []]
)
def test_views_are_made_of_words(augmentation):
    spec = ImageModality(augmentation=augmentation).fit(make_images())
    x = torch.rand(6, 3, 16, 16)
    view = spec.make_augmentation()(x, None, torch.Generator().manual_seed(0))
    assert view.shape == x.shape
    assert torch.equal(view, x) == (augmentation == [])


def test_default_views_are_those_of_simclr():
    x = torch.rand(6, 3, 16, 16)
    views = [
        ImageModality(augmentation=word)
        .fit(make_images())
        .make_augmentation()(x, None, torch.Generator().manual_seed(0))
        for word in (None, "simclr")
    ]
    assert torch.equal(*views)


def test_unknown_views_are_named():
    message = (
        "The 'augmentation' parameter of ImageModality must be made of ['blur', "
        "'color', 'crop', 'flip', 'simclr']. Got 'corrupt' instead."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        ImageModality(augmentation=["corrupt"]).fit(make_images())


@pytest.mark.parametrize(
    ("kind", "size", "n_tokens"),
    [
        ("conv", (16, 16), 16),
        ("conv", (25, 25), 16),
        ("conv", (48, 48), 36),
        ("conv", (4, 7), 8),
        ("patch", (16, 24), 6),
        ("alexnet", (224, 224), 36),
        ("alexnet", (63, 63), 1),
    ],
)
def test_grids_of_tokens(kind, size, n_tokens):
    torch.manual_seed(0)
    encoder = ImageEncoder([0.5] * 3, [0.2] * 3, size, embed_dim=6, kind=kind)
    x = torch.rand(2, 3, *size)
    tokens, mask = encoder(x)
    assert tokens.shape == (2, n_tokens, 6)
    assert mask is None
    torch.testing.assert_close(encoder(x[[1, 0]])[0], tokens[[1, 0]])
    torch.testing.assert_close(encoder(x[:1])[0], tokens[:1], atol=1e-5, rtol=0)


def test_patches_equal_the_loop():
    torch.manual_seed(0)
    encoder = ImageEncoder([0.5], [0.25], (4, 6), 3, kind="patch", patch_size=2)
    x = torch.rand(2, 1, 4, 6)
    flat = encoder(torch.full_like(x, 0.5))[0] - encoder.layers.bias
    for n in range(2):
        for row in range(2):
            for column in range(3):
                patch = x[n, 0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
                scaled = (patch - 0.5) / 0.25
                expected = (encoder.layers.weight[:, 0] * scaled).sum(dim=(1, 2))
                token = encoder(x)[0][n, 3 * row + column]
                place = flat[n, 3 * row + column]
                torch.testing.assert_close(
                    token, expected + encoder.layers.bias + place
                )


def test_widths_of_convolutions():
    encoder = ImageEncoder([0.5], [0.25], (48, 48), 4, conv_width=12)
    widths = [layer.out_channels for layer in encoder.layers[::3]]
    assert widths == [12, 24, 48, 4]
    modality = ImageModality(conv_width=5).fit(np.zeros((2, 16, 16), np.uint8))
    assert modality.make_encoder(4).layers[0].out_channels == 5


def test_bytes_and_floats_are_encoded_alike():
    encoder = ImageEncoder([0.5], [0.25], (8, 8), 4)
    x = torch.randint(0, 256, (2, 1, 8, 8), dtype=torch.uint8)
    torch.testing.assert_close(encoder(x)[0], encoder(x.float() / 255)[0])


@pytest.mark.parametrize("kind", ["conv", "patch"])
def test_channels_lie_last_and_change_no_token(kind):
    torch.manual_seed(0)
    encoder = ImageEncoder([0.5] * 3, [0.25] * 3, (16, 16), 8, kind=kind)
    for weight in encoder.layers.parameters():
        assert weight.ndim < 4 or weight.is_contiguous(memory_format=LAST)
    x = torch.rand(3, 3, 16, 16)
    tokens = encoder(x)[0]
    encoder.layers.to(memory_format=torch.contiguous_format)
    grid = encoder.layers((x - 0.5) / 0.25)
    expected = grid.flatten(2).transpose(1, 2) + encode_grid(grid)
    torch.testing.assert_close(tokens, expected)


# In the estimator


@pytest.mark.parametrize("encoder", ["conv", "patch"])
def test_training_is_finite_reproducible_and_row_by_row(encoder):
    X = SliceDict(i=make_images())
    spec = ImageModality(encoder=encoder)
    first, second = (make_coral(spec).fit(X) for _ in range(2))
    Z = first.transform(X)
    assert np.isfinite(first.loss_curve_).all()
    np.testing.assert_array_equal(Z, second.transform(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(first)).transform(X), Z)
    single = np.vstack([first.transform(X[i : i + 1]) for i in range(N_ROWS)])
    np.testing.assert_allclose(single, Z, atol=1e-5)
    order = np.random.default_rng(0).permutation(N_ROWS)
    np.testing.assert_allclose(first.transform(X[order]), Z[order], atol=1e-5)


def test_images_may_be_missing(tmp_path):
    cells = as_cells([*write_files(make_images(), tmp_path)[:10], None, np.nan])
    rng = np.random.default_rng(0)
    X = SliceDict(i=cells, v=rng.normal(size=(N_ROWS, 3)))
    modalities = [("i", "image", "i"), ("v", "embedding", "v")]
    coral = make_coral(modalities=modalities, missing="nan").fit(X)
    Z, parts = coral.transform(X), coral.output_indices_
    assert np.isnan(Z[10:, parts["i"]]).all()
    assert np.isfinite(Z[:10]).all() and np.isfinite(Z[10:, parts["shared"]]).all()


def make_file_table(tmp_path):
    files = [*write_files(make_images(), tmp_path)[:10], None, np.nan]
    vectors = np.random.default_rng(0).normal(size=(N_ROWS, 3))
    return SliceDict(i=as_cells(files), v=vectors)


def test_many_files_are_decoded_batch_by_batch(tmp_path, monkeypatch):
    X = make_file_table(tmp_path)
    params = {"modalities": [("i", "image", "i"), ("v", "embedding", "v")]}
    eager = make_coral(**params).fit(X)
    sizes = []
    transform = ImageModality.transform

    def spy(self, block):
        sizes.append(len(block))
        return transform(self, block)

    monkeypatch.setattr(ImageModality, "transform", spy)
    monkeypatch.setattr(module, "MAX_DECODED_BYTES", 0)
    lazy = make_coral(**params, batch_size=4).fit(X)
    assert set(sizes) == {4, INFERENCE_BATCH_SIZE}
    same = make_coral(**params, batch_size=4)
    monkeypatch.setattr(module, "MAX_DECODED_BYTES", 2**30)
    np.testing.assert_array_equal(same.fit(X).transform(X), lazy.transform(X))
    Z = eager.transform(X)
    monkeypatch.setattr(module, "MAX_DECODED_BYTES", 0)
    np.testing.assert_array_equal(eager.transform(X), Z)


def test_file_that_is_decoded_later_names_its_row(tmp_path, monkeypatch):
    X = make_file_table(tmp_path)
    coral = make_coral().fit(X)
    monkeypatch.setattr(module, "MAX_DECODED_BYTES", 0)
    X["i"][7] = tmp_path / "no.png"
    with pytest.raises(
        ValueError, match=r"Modality 'i': .*no\.png' in row 7 cannot be"
    ):
        coral.transform(X)


def test_statistics_are_those_of_images_that_are_there(monkeypatch):
    monkeypatch.setattr(module, "STATISTICS_ROWS", 3)
    cells = as_cells([None, *make_images()[:5], None])
    spec = ImageModality().fit(cells)
    unit = np.stack(cells[[1, 3, 5]]) / 255
    np.testing.assert_allclose(spec.mean_, unit.mean(axis=(0, 1, 2)), atol=1e-6)


def test_images_of_nan_are_missing():
    block = make_images() / 255
    block[3] = np.nan
    X = SliceDict(i=block, v=np.random.default_rng(0).normal(size=(N_ROWS, 3)))
    coral = make_coral(missing="nan").fit(X)
    Z = coral.transform(X)
    assert np.isnan(Z).any(axis=1).tolist() == [i == 3 for i in range(N_ROWS)]


def test_auto_recognises_images(tmp_path):
    images = make_images()
    paths = write_files(images, tmp_path)
    X = SliceDict(
        array=images,
        pillow=as_cells([Image.fromarray(i) for i in images]),
        files=as_cells(paths),
        cells=as_cells(images),
    )
    kinds = {name: type(spec) for name, spec, _ in make_coral().fit(X).modalities_}
    assert kinds == dict.fromkeys(X, ImageModality)
    frame = pd.DataFrame({"x": np.arange(N_ROWS) % 5, "photo": list(map(str, paths))})
    coral = make_coral().fit(frame)
    names = [(name, type(spec).__name__) for name, spec, _ in coral.modalities_]
    assert names == [("table", "TabularModality"), ("photo", "ImageModality")]
    polars = make_coral().fit_transform(pl.from_pandas(frame))
    np.testing.assert_array_equal(polars, coral.transform(frame))
