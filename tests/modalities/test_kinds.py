"""Kinds of modality: what they declare, and one that knows nothing of the base."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags
from skorch.helper import SliceDict

from skcoral import COrALTransformer
from skcoral.augmentations import Noise
from skcoral.modalities import KINDS
from skcoral.modalities._specs import is_spec
from skcoral.nn.encoders.embedding import VectorEncoder

SIZES = {"embed_dim": 8, "max_epochs": 2, "random_state": 0}


class Flags(BaseEstimator):
    """A kind of its own: columns of complex numbers, as their two parts."""

    array_ndim = None
    reads_strings = False
    takes_lengths = False

    def __init__(self, scale=1.0):
        self.scale = scale

    @staticmethod
    def claims(values):
        return isinstance(values[0], complex)

    def fit(self, block, y=None):
        return self

    def transform(self, block):
        values = np.asarray(block).astype(complex).ravel()
        parts = np.column_stack([values.real, values.imag])
        return (self.scale * parts).astype(np.float32)

    def defer(self, block):
        return None

    def remark(self, block, values):
        return None

    def make_encoder(self, embed_dim):
        return VectorEncoder(2, embed_dim, n_tokens=2)

    def vectorize(self, values, mask):
        return {"values": values}

    def make_linear_path(self, embed_dim, unique_dim):
        return None

    def make_augmentation(self):
        return Noise()


def make_table():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(30, 3)).astype(object)
    table[:, 1] = [complex(*pair) for pair in rng.normal(size=(30, 2))]
    return table


@pytest.mark.parametrize("kind", KINDS.values())
def test_every_kind_meets_the_contract(kind):
    assert is_spec(kind())
    assert not kind.claims(np.array([1.0, 2.0]))


def test_numbers_of_one_rank_belong_to_one_kind():
    ranks = [kind.array_ndim for kind in KINDS.values() if kind.array_ndim]
    assert sorted(ranks) == [1, 2, 3, 4]


@pytest.mark.parametrize("word", KINDS)
def test_strings_are_expected_where_a_kind_reads_them(word):
    for spec in (word, KINDS[word]()):
        tags = get_tags(COrALTransformer([("a", spec, [0])]))
        assert tags.input_tags.string == KINDS[word].reads_strings


def test_a_kind_needs_no_base_class():
    assert is_spec(Flags())
    X = make_table()
    modalities = [("numbers", "tabular", [0, 2]), ("flags", Flags(), [1])]
    coral = COrALTransformer(modalities, **SIZES)
    coral.set_params(flags__scale=0.5)
    Z = coral.fit_transform(X)
    assert Z.shape == (30, 16)
    assert np.isfinite(Z).all()
    assert coral.modalities_[1][1].scale == 0.5


def test_what_is_no_modality_is_refused():
    message = "must have specs that are modality instances or among"
    for spec in (BaseEstimator(), Flags, "flag", 3, None):
        with pytest.raises(ValueError, match=rf"{message} .* instead\.$"):
            COrALTransformer([("flags", spec, [1])], **SIZES).fit(make_table())


def test_what_a_modality_lacks_is_named():
    class Bare(BaseEstimator):
        fit, transform = Flags.fit, Flags.transform
        make_encoder, make_augmentation = Flags.make_encoder, Flags.make_augmentation
        claims = Flags.claims

        vectorize = Flags.vectorize

    absent = "array_ndim, reads_strings, takes_lengths, defer, remark, make_linear_path"
    message = f"It lacks {absent}, which"
    with pytest.raises(ValueError, match=message):
        COrALTransformer([("flags", Bare(), [1])], **SIZES).fit(make_table())


def test_a_modality_may_delegate_to_another():
    class Wrapped(BaseEstimator):
        def __init__(self, spec):
            self.spec = spec

        def __getattr__(self, name):
            return getattr(self.__dict__["spec"], name)

    modalities = [("flags", Wrapped(Flags()), [1])]
    assert COrALTransformer(modalities, **SIZES).fit_transform(make_table()).size


def test_auto_asks_every_kind(monkeypatch):
    monkeypatch.setitem(KINDS, "flags", Flags)
    coral = COrALTransformer(**SIZES).fit(make_table())
    chosen = [(name, type(spec).__name__) for name, spec, _ in coral.modalities_]
    assert chosen == [("table", "TabularModality"), ("1", "Flags")]


def test_lengths_belong_to_kinds_that_take_them():
    X = SliceDict(series=np.zeros((9, 4)), lengths=np.full(9, 3))
    keys = ["series", "lengths"]
    COrALTransformer([("a", "sequence", keys)], **SIZES).fit(X)
    with pytest.raises(ValueError, match="must name exactly one key"):
        COrALTransformer([("a", "embedding", keys)], **SIZES).fit(X)
