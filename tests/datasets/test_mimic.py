"""The file of MIMIC-III against a naive transcription of the published loader."""

import pickle
import random

import numpy as np
import pytest
from helpers import MIMIC_ROWS, make_mimic_file
from sklearn import config_context
from skorch.helper import SliceDict

from skcoral import COrALTransformer
from skcoral.datasets import load_mimic

FEATURES = ("tabular", "timeseries")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "im.pk"


def transcribe(stays, task, subset):
    """Do as published: scale over all rows, shuffle a list, cut it."""
    series = np.array(stays["ep_tdata"], dtype=float)
    table = np.array(stays["adm_features_all"], dtype=float)
    for values in (series, table):
        values[np.isinf(values)] = 0
        values[np.isnan(values)] = 0
    table = (table - np.average(table, axis=0)) / np.std(table, axis=0)
    spread = np.std(series, axis=(0, 1))
    series = (series - np.average(series, axis=(0, 1))) / spread
    rows = []
    for i in range(len(series)):
        if task == "mort":
            label = stays["adm_labels_mort"][i]
        elif task >= 0:
            label = stays["y_icd9"][i][task]
        else:
            label = 0
            for term in (5, 4, 3, 2, 1):
                if stays["adm_labels_all"][i][term] > 0:
                    label = term
        rows.append((table[i], series[i], label))
    state = random.getstate()
    random.seed(10)
    random.shuffle(rows)
    random.setstate(state)
    n = len(rows)
    ends = {"valid": (0, n // 10), "test": (n // 10, n // 5), "train": (n // 5, n)}
    start, end = ends[subset]
    return [np.array(column) for column in zip(*rows[start:end], strict=True)]


# What is loaded


@pytest.mark.parametrize("subset", ["train", "valid", "test"])
@pytest.mark.parametrize("task", [7, 1, 0, 19, -1, "mort"])
def test_all_rows_scaled_give_the_published_data(path, task, subset):
    path, stays = make_mimic_file(path)
    mimic = load_mimic(path, task=task, subset=subset, standardize="all")
    table, series, labels = transcribe(stays, task, subset)
    assert isinstance(mimic.data, SliceDict)
    assert list(mimic.data) == list(FEATURES)
    np.testing.assert_allclose(mimic.data["tabular"], table, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(mimic.data["timeseries"], series, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(mimic.target, labels)
    assert mimic.target.dtype.kind == "i"
    assert all(block.dtype == np.float32 for block in mimic.data.values())


def test_all_six_terms_of_mortality_occur(path):
    def mark(stays):
        stays["adm_labels_all"][:] = 0
        for row in range(MIMIC_ROWS):
            stays["adm_labels_all"][row, row % 6 :] = 1  # column 0 is not read
        stays["adm_labels_all"][::6] = 0
        stays["adm_labels_all"][::6, 0] = 1

    path, _ = make_mimic_file(path, change=mark)
    mimic = load_mimic(path, task=-1)
    np.testing.assert_array_equal(mimic.target, mimic.rows % 6)


def test_parts_are_disjoint_and_complete(path):
    path, stays = make_mimic_file(path)
    parts = [load_mimic(path, subset=part) for part in ("train", "valid", "test")]
    assert [len(part.target) for part in parts] == [35, 4, 4]
    rows = np.concatenate([part.rows for part in parts])
    assert sorted(rows) == list(range(MIMIC_ROWS))
    for part in parts:
        np.testing.assert_array_equal(part.target, stays["y_icd9"][part.rows, 7])


def test_sizes_of_the_real_file(path):
    """32,616 rows give the parts that published logs name."""

    def shrink(stays):
        stays["ep_tdata"] = stays["ep_tdata"][:, :1, :1]

    path, _ = make_mimic_file(path, 32_616, change=shrink)
    parts = ("train", "valid", "test")
    sizes = [len(load_mimic(path, subset=part).target) for part in parts]
    assert sizes == [26_093, 3_261, 3_262]


def test_training_rows_alone_are_scaled_by_default(path):
    path, _ = make_mimic_file(path)
    train = load_mimic(path)
    np.testing.assert_allclose(train.data["tabular"].mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(train.data["tabular"].std(0), 1, rtol=1e-5)
    np.testing.assert_allclose(train.data["timeseries"].mean((0, 1)), 0, atol=1e-5)
    np.testing.assert_allclose(train.data["timeseries"].std((0, 1)), 1, rtol=1e-5)


@pytest.mark.parametrize("subset", ["train", "valid"])
def test_test_rows_do_not_leak(path, subset):
    path, _ = make_mimic_file(path)
    before = load_mimic(path, subset=subset)
    published = load_mimic(path, subset=subset, standardize="all")
    test = load_mimic(path, subset="test").rows

    def distort(stays):
        stays["adm_features_all"][test] *= 1000
        stays["ep_tdata"][test] *= 1000

    path, _ = make_mimic_file(path, change=distort)
    after = load_mimic(path, subset=subset)
    leaky = load_mimic(path, subset=subset, standardize="all")
    for key in FEATURES:
        np.testing.assert_array_equal(after.data[key], before.data[key])
        assert not np.allclose(leaky.data[key], published.data[key])


def test_gaps_are_zeros_before_scaling(path):
    def fill(stays):
        for key in ("ep_tdata", "adm_features_all"):
            stays[key][~np.isfinite(stays[key])] = 0

    gappy, _ = make_mimic_file(path)
    gappy = load_mimic(gappy).data
    filled, _ = make_mimic_file(path, change=fill)
    filled = load_mimic(filled).data
    for key in FEATURES:
        np.testing.assert_array_equal(gappy[key], filled[key])


def test_constant_features_are_zero(path, tiny):
    def flatten(stays):
        stays["adm_features_all"][:, 1] = 0.1
        stays["ep_tdata"][:, :, 4] = 0.1
        stays["ep_tdata"][:, :, 5] = np.nan

    path, _ = make_mimic_file(path, change=flatten)
    mimic = load_mimic(path)
    np.testing.assert_allclose(mimic.data["tabular"][:, 1], 0, atol=1e-6)
    np.testing.assert_allclose(mimic.data["timeseries"][:, :, 4:6], 0, atol=1e-6)
    coral = COrALTransformer(mimic.modalities, random_state=0, **tiny)
    assert np.isfinite(coral.fit_transform(mimic.data)).all()


@pytest.mark.parametrize("dtype", [object, np.float32])
def test_dtype_of_the_file_does_not_matter(path, dtype):
    def cast(stays):
        for key in stays:
            stays[key] = stays[key].astype(dtype)

    plain, _ = make_mimic_file(path)
    plain = load_mimic(plain, task=-1)
    path, _ = make_mimic_file(path, change=cast)
    other = load_mimic(path, task=-1)
    for key in FEATURES:
        assert other.data[key].dtype == np.float32
        np.testing.assert_allclose(other.data[key], plain.data[key], atol=1e-5)
    np.testing.assert_array_equal(other.target, plain.target)


def test_labels_of_a_task_need_no_others(path):
    def strip(stays):
        for key in ("adm_labels_all", "adm_labels_mort"):
            del stays[key]

    path, _ = make_mimic_file(path, change=strip)
    assert len(load_mimic(path).target) == 35
    for task, key in [(-1, "adm_labels_all"), ("mort", "adm_labels_mort")]:
        with pytest.raises(ValueError, match=f"im.pk' must hold the key '{key}'"):
            load_mimic(path, task=task)


def test_return_X_y_gives_data_and_target(path):
    path, _ = make_mimic_file(path)
    mimic = load_mimic(path)
    X, y = load_mimic(str(path), return_X_y=True)
    for key in FEATURES:
        np.testing.assert_array_equal(X[key], mimic.data[key])
    np.testing.assert_array_equal(y, mimic.target)
    assert "credentials" in mimic.DESCR


def test_the_global_generator_is_left_alone(path):
    path, _ = make_mimic_file(path)
    random.seed(3)
    before = random.getstate()
    load_mimic(path)
    assert random.getstate() == before


def test_estimator_fits_and_transforms_the_parts(path, tiny):
    path, _ = make_mimic_file(path)
    train, test = (load_mimic(path, subset=part) for part in ("train", "test"))
    coral = COrALTransformer(train.modalities, random_state=0, **tiny).fit(train.data)
    features = coral.transform(test.data)
    assert len(features) == len(test.target)
    assert np.isfinite(features).all()
    assert set(coral.output_indices_) == {"shared", *FEATURES}


# Errors


@pytest.mark.parametrize(
    ("params", "rule"),
    [
        ({"subset": "val"}, r"a str among \{'train', 'valid', 'test'\}. Got 'val'"),
        ({"task": 20}, r"an int in the range \[-1, 19\] or 'mort'. Got 20"),
        ({"task": -2}, r"an int in the range \[-1, 19\] or 'mort'. Got -2"),
        ({"task": 7.0}, r"an int in the range \[-1, 19\] or 'mort'. Got 7.0"),
        ({"task": True}, r"an int in the range \[-1, 19\] or 'mort'. Got True"),
        ({"task": "los"}, r"an int in the range \[-1, 19\] or 'mort'. Got 'los'"),
        ({"standardize": False}, r"a str among \{'train', 'all'\}. Got False"),
        ({"return_X_y": 1}, "a bool. Got 1"),
        ({"path": None}, "a str or a path. Got None"),
    ],
)
def test_bad_parameters_are_named(path, params, rule):
    path, _ = make_mimic_file(path)
    (name,) = params
    message = f"The '{name}' parameter of load_mimic must be {rule}"
    with pytest.raises(ValueError, match=message):
        load_mimic(**{"path": path, **params})


def test_an_absent_file_says_what_to_obtain(path):
    message = r"found no '.*im.pk'. Obtain 'im.pk': .*MIMIC-III on PhysioNet"
    with pytest.raises(FileNotFoundError, match=message):
        load_mimic(path)


def put(key, value):
    """Return a change of a file: another value under a key."""
    return lambda stays: stays.update({key: value})


ICD9 = np.ones((MIMIC_ROWS, 20))
BAD_ICD9 = np.where(np.arange(20) == 7, np.nan, ICD9)


@pytest.mark.parametrize(
    ("task", "change", "message"),
    [
        (7, lambda s: s.pop("ep_tdata"), "the key 'ep_tdata'. Got"),
        (7, lambda s: s.pop("adm_features_all"), "the key 'adm_features_all'"),
        (7, lambda s: s.pop("y_icd9"), "the key 'y_icd9'"),
        (
            7,
            put("ep_tdata", np.ones((MIMIC_ROWS, 24))),
            r"3 axes. Got shape \(43, 24\)",
        ),
        (7, put("adm_features_all", np.ones(MIMIC_ROWS)), r"2 axes. Got shape \(43,\)"),
        (7, put("adm_features_all", [["male"]] * MIMIC_ROWS), "an array of numbers"),
        (7, put("ep_tdata", np.ones((5, 24, 12))), "'timeseries': 5, 'labels': 43"),
        (7, put("y_icd9", ICD9[:5]), "'timeseries': 43, 'labels': 5"),
        (7, put("y_icd9", ICD9[:, :7]), "8 columns or more for task 7. Got 7"),
        (7, put("y_icd9", BAD_ICD9), "finite labels. Got nan"),
        (-1, put("adm_labels_all", ICD9[:, :5]), "6 columns or more for task -1"),
        ("mort", put("adm_labels_mort", ICD9), r"one whole number .* shape \(43, 20\)"),
        ("mort", put("adm_labels_mort", ICD9[:, 0] / 2), r"one whole .*\[0.5\]"),
    ],
)
def test_a_file_of_another_form_is_named(path, task, change, message):
    path, _ = make_mimic_file(path, change=change)
    with pytest.raises(ValueError, match=message) as error:
        load_mimic(path, task=task)
    assert "im.pk" in str(error.value)


def test_a_file_of_few_rows_cannot_be_split(path):
    path, _ = make_mimic_file(path, 9)
    with pytest.raises(ValueError, match=r"10 rows or more to be split. Got 9"):
        load_mimic(path)


def test_damaged_and_malicious_files_are_refused(path):
    path, _ = make_mimic_file(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"im.pk' cannot be read as a pickle"):
        load_mimic(path)
    path.write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(ValueError, match=r"holds 'os.system'"):
        load_mimic(path)
    path.write_bytes(pickle.dumps(np.ones(3)))
    with pytest.raises(ValueError, match=r"im.pk' must hold a dict. Got"):
        load_mimic(path)


def test_output_of_data_frames_changes_nothing(path):
    make_mimic_file(path)
    expected = load_mimic(path).data
    with config_context(transform_output="pandas"):
        data = load_mimic(path).data
    for name in expected:
        np.testing.assert_array_equal(data[name], expected[name])
