"""Methods of several views as transformers."""

import numpy as np
import pytest
from cca_zoo.linear import MCCA
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cross_decomposition import CCA, PLSCanonical
from sklearn.decomposition import PCA
from skorch.helper import SliceDict

from skcoral.evaluation import (
    MultiviewAdapter,
)


def test_two_views_go_into_cca_as_by_hand(views):
    adapted = MultiviewAdapter(CCA(2)).fit(views)
    expected = CCA(2).fit(views["a"], views["b"]).transform(views["a"], views["b"])
    assert_array_equal(adapted.transform(views), np.hstack(expected))
    assert adapted.output_indices_ == {"a": slice(0, 2), "b": slice(2, 4)}
    assert adapted.get_feature_names_out().tolist() == ["a_0", "a_1", "b_0", "b_1"]


def test_lists_of_views_go_into_methods_of_cca_zoo(views):
    X = SliceDict(**views, c=views["a"] ** 2)
    adapted = MultiviewAdapter(MCCA(2), as_list=True).fit(X)
    by_hand = MCCA(2).fit(list(X.values())).transform(list(X.values()))
    assert_array_equal(adapted.transform(X), np.hstack(by_hand))
    assert list(adapted.output_indices_) == ["a", "b", "c"]
    assert "estimator__shrinkage" in adapted.get_params()


def test_preprocessors_are_fitted_on_each_view_by_itself(views):
    adapted = MultiviewAdapter(CCA(1), preprocessor=PCA(2)).fit(views)
    reduced = [PCA(2).fit_transform(views[name]) for name in ("a", "b")]
    expected = CCA(1).fit(*reduced).transform(*reduced)
    assert_allclose(adapted.transform(views), np.hstack(expected))


def test_cca_needs_more_rows_than_columns(views):
    rows = views[:9]
    with pytest.raises(ValueError, match=r"Got 9 rows and \[5, 4\] columns"):
        MultiviewAdapter(CCA(1)).fit(rows)
    MultiviewAdapter(CCA(1), preprocessor=PCA(2)).fit(rows)
    MultiviewAdapter(PLSCanonical(1)).fit(rows)


def test_number_of_views_is_checked(views):
    three = SliceDict(**views, c=views["a"])
    with pytest.raises(
        ValueError, match=r"needs exactly two views. Got \['a', 'b', 'c"
    ):
        MultiviewAdapter(CCA(1)).fit(three)
    MultiviewAdapter(CCA(1), blocks=["b", "c"]).fit(three)
    with pytest.raises(ValueError, match=r"needs two views or more\. Got"):
        MultiviewAdapter(MCCA(), as_list=True, blocks=["a"]).fit(three)
    with pytest.raises(ValueError, match=r"exactly two views. Got \['table'\]"):
        MultiviewAdapter(CCA(1)).fit(views["a"])


def test_method_must_return_an_array_per_view(views):
    class Joint(MCCA):
        def transform(self, views):
            return super().transform(views)[0]

    with pytest.raises(ValueError, match=r"Joint\.transform must return one 2-D array"):
        MultiviewAdapter(Joint(), as_list=True).fit(views)
