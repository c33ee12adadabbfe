"""Frozen models of images: vectors before training, in the place of convolutions."""

import numpy as np
import pytest
import torch
from helpers import as_cells, exactly
from PIL import Image
from sklearn.base import clone
from skorch.helper import SliceDict
from torch import nn

from skcoral import COrALTransformer, ImageModality, PretrainedEncoder
from skcoral.modalities import image as module
from skcoral.nn.encoders.embedding import VectorEncoder

N_ROWS = 12


class Means(nn.Module):
    """A network whose features are the means of the channels, and their product."""

    n_asked = 0

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        type(self).n_asked += len(x)
        means = self.scale * x.mean(dim=(2, 3))
        return torch.cat([means, means.prod(dim=1, keepdim=True)], dim=1)


@pytest.fixture(autouse=True)
def forget():
    Means.n_asked = 0


def make_images(n_rows=N_ROWS):
    shape = (n_rows, 8, 8, 3)
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def make_vectors(images):
    """Return the standardised vectors of `Means` for bytes."""
    means = images.mean(axis=(1, 2)) / 255
    vectors = np.column_stack([means, means.prod(axis=1)])
    return (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)


def make_coral(encoder, **params):
    spec = ImageModality(encoder=encoder, **params)
    modalities = [("i", spec, "i"), ("v", "embedding", "v")]
    sizes = {"embed_dim": 8, "head_dim": 8, "head_hidden_dim": 8, "max_epochs": 2}
    return COrALTransformer(modalities, random_state=0, **sizes)


def make_table(images):
    vectors = np.random.default_rng(0).normal(size=(len(images), 3))
    return SliceDict(i=images, v=vectors)


@pytest.mark.parametrize(
    "make",
    [
        lambda images: images,
        lambda images: images.transpose(0, 3, 1, 2),
        lambda images: as_cells([Image.fromarray(i) for i in images]),
    ],
)
def test_a_torch_module_gives_standardised_vectors(make):
    images = make_images()
    block = make(images)
    spec = ImageModality(encoder=PretrainedEncoder(Means())).fit(block)
    out = spec.transform(block)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, make_vectors(images), atol=1e-4)
    assert isinstance(spec.make_encoder(8), VectorEncoder)
    view = spec.make_augmentation()(torch.as_tensor(out), None, None)
    assert view.shape == out.shape


def test_deep_images_are_floats_for_a_model():
    images = make_images()
    spec = ImageModality(encoder=PretrainedEncoder(Means())).fit(images / 255)
    np.testing.assert_allclose(
        spec.transform(images / 255), make_vectors(images), atol=1e-4
    )


def test_a_model_by_itself_is_wrapped():
    class Brightness:
        def encode(self, images):
            return np.array([[image.mean()] for image in images])

    images = make_images()
    out = ImageModality(encoder=Brightness()).fit(images).transform(images)
    level = images.mean(axis=(1, 2, 3))
    np.testing.assert_allclose(out[:, 0], (level - level.mean()) / level.std(), 1e-4)
    by_module, wrapped = (
        ImageModality(encoder=model).fit(images).transform(images)
        for model in (Means(), PretrainedEncoder(Means()))
    )
    np.testing.assert_array_equal(by_module, wrapped)


def test_clones_share_the_model():
    model = Means()
    assert clone(ImageModality(encoder=model, size=4)).encoder is model
    spec = ImageModality(encoder=PretrainedEncoder(model))
    assert spec.set_params(encoder__batch_size=2).encoder.batch_size == 2


def test_training_asks_the_model_once_per_image(tmp_path):
    encoder = PretrainedEncoder(Means(), memory=str(tmp_path))
    X = make_table(make_images())
    coral = make_coral(encoder).fit(X)
    Z = coral.transform(X)
    assert Z.shape == (N_ROWS, 16) and np.isfinite(Z).all()
    assert Means.n_asked == N_ROWS
    np.testing.assert_array_equal(make_coral(encoder).fit_transform(X), Z)
    assert Means.n_asked == N_ROWS


def test_images_may_be_missing():
    cells = as_cells([*make_images(10), None, np.nan])
    X = make_table(cells)
    coral = make_coral(PretrainedEncoder(Means())).set_params(missing="nan").fit(X)
    Z, parts = coral.transform(X), coral.output_indices_
    assert np.isnan(Z[10:, parts["i"]]).all()
    assert np.isfinite(Z[:10]).all() and np.isfinite(Z[10:, parts["shared"]]).all()
    spec = ImageModality(encoder=PretrainedEncoder(Means())).fit(cells)
    assert not spec.transform(cells)[10:].any()
    assert spec.transform(cells[10:]).shape == (2, 4)


def test_few_images_are_decoded_at_once(monkeypatch):
    cells = as_cells(make_images())
    spec = ImageModality(encoder=PretrainedEncoder(Means())).fit(cells)
    expected = spec.transform(cells)
    read = []

    def spy(cells, *args):
        read.append(len(cells))
        return read_cells(cells, *args)

    read_cells = module.read_cells
    monkeypatch.setattr(module, "read_cells", spy)
    monkeypatch.setattr(module, "MAX_DECODED_BYTES", 5 * 8 * 8 * 3)
    assert spec.defer(cells) is None
    np.testing.assert_allclose(spec.transform(cells), expected, atol=1e-6)
    assert read == [5, 5, 2]


@pytest.mark.parametrize("augmentation", ["noise", "drop", ["corrupt", "noise"]])
def test_vectors_have_the_views_of_vectors(augmentation):
    spec = ImageModality(encoder=PretrainedEncoder(Means()), augmentation=augmentation)
    x = torch.as_tensor(spec.fit(make_images()).transform(make_images()))
    view = spec.make_augmentation()(x, None, torch.Generator().manual_seed(0))
    assert view.shape == x.shape and not torch.equal(view, x)


def test_views_of_pixels_are_refused_for_vectors():
    message = (
        "The 'augmentation' parameter of ImageModality must be made of ['corrupt', "
        "'drop', 'noise']. Got 'crop' instead."
    )
    spec = ImageModality(encoder=PretrainedEncoder(Means()), augmentation="crop")
    with pytest.raises(ValueError, match=exactly(message)):
        spec.fit(make_images())


# Models that return something else


class Returns(nn.Module):
    """A network that returns what a function makes of its features."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def spoil(x):
    out = x.mean(dim=(2, 3))
    out[7] = torch.nan
    return out


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x, r"must return 12 vectors .* Got shape \(12, 3, 8, 8\)"),
        (lambda x: x[:5].mean(dim=(2, 3)), r"must return 12 vectors .* shape \(5, 3\)"),
        (lambda x: x.mean(dim=(1, 2, 3)), r"must return 12 vectors .* shape \(12,\)"),
        (spoil, r"a vector that is not finite for value 7 of this call\.$"),
        (lambda x: {"a": x}, r"return a tensor of .*Got 'dict'; choose one of its ent"),
        (nn.Linear(5, 2), r"encoder Returns does not take this block: RuntimeError"),
    ],
)
def test_wrong_outputs_are_refused(function, message):
    coral = make_coral(PretrainedEncoder(Returns(function)))
    with pytest.raises((ValueError, TypeError), match=f"^Modality 'i': .*{message}"):
        coral.fit(make_table(make_images()))


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (3, "The 'encoder' parameter of ImageModality must be .* Got 3 instead"),
        (
            "convv",
            r"must be among \['alexnet', 'conv', 'patch'\], a .* Got 'convv'",
        ),
    ],
)
def test_an_encoder_that_is_none_of_these_is_named(encoder, message):
    with pytest.raises(ValueError, match=message):
        ImageModality(encoder=encoder).fit(make_images())
