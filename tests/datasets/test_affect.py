"""Files of MOSI, MOSEI, UR-FUNNY and MUsTARD against a naive transcription."""

import pickle

import numpy as np
import pytest
from helpers import AFFECT_SIZES, AFFECT_STEPS, AFFECT_WIDTHS, make_affect_file
from sklearn import config_context
from skorch.helper import SliceDict

from skcoral import COrALTransformer
from skcoral.datasets import load_affect

LABEL_SHAPES = {
    "mosi": [(1, 1), (1,), ()],
    "mosei": [(1, 1), (1, 7)],
    "humor": [(1,), ()],
    "sarcasm": [(1, 1), (1,)],
}
CASES = [(name, shape) for name, shapes in LABEL_SHAPES.items() for shape in shapes]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data.pkl"


def transcribe(part, keys, align):
    """Do the steps row by row: lists of series of different length, labels, ids."""
    series, labels, ids = {key: [] for key in keys}, [], []
    for row in range(len(part["text"])):
        text = np.nan_to_num(part["text"][row], posinf=0, neginf=0)
        if not text.any():
            continue
        for key in keys:
            values = np.nan_to_num(part[key][row], posinf=0, neginf=0)
            start = np.nonzero(text if align else values)[0][0]
            series[key].append(values[start:].astype(np.float32))
        labels.append(np.ravel(part["labels"][row])[0])
        ids.append(part["id"][row])
    return series, np.array(labels), ids


def strip(block):
    """Return padded series as a list, and check that padding is at the end."""
    series = []
    for row in block:
        real = ~np.isnan(row).any(axis=1)
        np.testing.assert_array_equal(np.isnan(row).all(axis=1), ~real)
        assert real[: real.sum()].all()
        series.append(row[real])
    return series


def assert_same_series(block, expected):
    assert len(block) == len(expected)
    for one, other in zip(strip(block), expected, strict=True):
        np.testing.assert_array_equal(one, other)


# What is loaded


@pytest.mark.parametrize("align", [True, False])
@pytest.mark.parametrize("subset", AFFECT_SIZES)
@pytest.mark.parametrize(("name", "shape"), CASES)
def test_series_and_labels_are_those_of_the_transcription(
    path, name, shape, subset, align
):
    path, content = make_affect_file(path, name, shape)
    keys = ("vision", "audio", "text")
    bunch = load_affect(name, path, subset=subset, modalities=keys, align=align)
    series, labels, ids = transcribe(content[subset], keys, align)
    assert isinstance(bunch.data, SliceDict)
    assert list(bunch.data) == list(keys)
    for key in keys:
        assert bunch.data[key].dtype == np.float32
        assert bunch.data[key].shape[1:] == (AFFECT_STEPS, AFFECT_WIDTHS[key])
        assert_same_series(bunch.data[key], series[key])
    np.testing.assert_array_equal(bunch.target, labels > 0)
    assert bunch.target.dtype.kind == "i"
    assert set(bunch.target) == {0, 1}
    assert bunch.ids.tolist() == ids
    assert len(bunch.target_names) == 2


@pytest.mark.parametrize("name", ["mosi", "mosei"])
def test_sentiment_is_the_raw_label(path, name):
    path, content = make_affect_file(path, name, LABEL_SHAPES[name][-1])
    bunch = load_affect(name, path, target="sentiment", subset="test")
    _, labels, _ = transcribe(content["test"], ["text"], True)
    np.testing.assert_array_equal(bunch.target, labels)
    assert bunch.target.dtype == float
    assert "target_names" not in bunch
    classes = load_affect(name, path, subset="test").target
    np.testing.assert_array_equal(classes, bunch.target > 0)


def test_a_label_of_zero_is_not_positive(path):
    path, content = make_affect_file(path)
    assert content["train"]["labels"][3] == 0
    # Row 2 has no text, so row 3 of the file is row 2 here.
    assert load_affect("mosi", path).target[2] == 0


def test_default_modalities_are_those_of_the_paper(path):
    path, _ = make_affect_file(path)
    bunch = load_affect("mosi", path)
    assert list(bunch.data) == ["vision", "text"]
    assert bunch.modalities == [
        ("vision", "sequence", "vision"),
        ("text", "sequence", "text"),
    ]


def test_modalities_are_in_the_order_asked_for_and_text_decides_unseen(path):
    path, content = make_affect_file(path)
    data, _ = load_affect("mosi", path, modalities=["audio", "vision"], return_X_y=True)
    assert list(data) == ["audio", "vision"]
    series, _, _ = transcribe(content["train"], ["audio"], True)
    assert_same_series(data["audio"], series["audio"])


def test_return_X_y_gives_data_and_target(path):
    path, _ = make_affect_file(path)
    bunch = load_affect("mosi", path)
    X, y = load_affect("mosi", str(path), return_X_y=True)
    for key in bunch.data:
        np.testing.assert_array_equal(X[key], bunch.data[key])
    np.testing.assert_array_equal(y, bunch.target)


def test_description_names_the_set(path):
    path, _ = make_affect_file(path, "sarcasm", (1,))
    for words in ("MUsTARD", "MultiBench", "sarcastic"):
        assert words in load_affect("sarcasm", path).DESCR


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_estimator_fits_and_transforms_the_parts(path, tiny, name, shape):
    path, _ = make_affect_file(path, name, shape)
    train, test = (load_affect(name, path, subset=part) for part in ("train", "test"))
    coral = COrALTransformer(train.modalities, random_state=0, **tiny).fit(train.data)
    features = coral.transform(test.data)
    assert len(features) == len(test.target) == AFFECT_SIZES["test"] - 1
    assert np.isfinite(features).all()


def test_estimator_learns_nothing_from_padding(path, tiny):
    """Series of zeros on the left give the features of series cut by hand."""
    path, content = make_affect_file(path)
    bunch = load_affect("mosi", path)
    series, _, _ = transcribe(content["train"], ["vision", "text"], True)
    X = SliceDict(
        **{
            key: np.fromiter(values, dtype=object, count=len(values))
            for key, values in series.items()
        }
    )
    fits = [
        COrALTransformer(bunch.modalities, random_state=0, **tiny).fit_transform(data)
        for data in (bunch.data, X)
    ]
    np.testing.assert_array_equal(*fits)


# Defects of real files


@pytest.mark.parametrize("dtype", [np.float64, np.float16, object])
def test_dtype_of_the_file_does_not_matter(path, dtype):
    path, content = make_affect_file(path, dtype=dtype)
    bunch = load_affect("mosi", path, modalities=("vision", "audio", "text"))
    part = {
        key: np.asarray(values, dtype=np.float64) if key in AFFECT_WIDTHS else values
        for key, values in content["train"].items()
    }
    series, _, _ = transcribe(part, list(AFFECT_WIDTHS), True)
    for key, block in bunch.data.items():
        assert block.dtype == np.float32
        assert_same_series(block, series[key])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, -1e300])
@pytest.mark.parametrize("key", AFFECT_WIDTHS)
def test_what_is_not_finite_is_zero(path, key, value):
    def spoil(content):
        content["train"][key][1, 7, 3] = value

    path, _ = make_affect_file(path, dtype=np.float64, change=spoil)
    bunch = load_affect("mosi", path, modalities=list(AFFECT_WIDTHS))
    assert bunch.data[key][1, 7, 3] == 0
    assert not any(np.isinf(block).any() for block in bunch.data.values())


def test_text_that_sums_to_zero_is_text(path):
    def cancel(content):
        text = content["train"]["text"]
        text[1] = 0
        text[1, 40, :2] = 1, -1

    path, _ = make_affect_file(path, change=cancel)
    bunch = load_affect("mosi", path)
    assert len(bunch.target) == AFFECT_SIZES["train"] - 1
    assert len(strip(bunch.data["text"])[1]) == AFFECT_STEPS - 40


def test_text_of_nan_alone_is_no_text(path):
    def blank(content):
        content["train"]["text"][5] = np.nan

    path, _ = make_affect_file(path, change=blank)
    bunch = load_affect("mosi", path)
    assert len(bunch.target) == AFFECT_SIZES["train"] - 2
    assert "video5[2]" not in bunch.ids


def blank_vision(content):
    content["train"]["vision"][1] = 0


def test_aligned_series_of_zeros_are_zeros(path):
    path, _ = make_affect_file(path, change=blank_vision)
    vision = load_affect("mosi", path).data["vision"][1]
    np.testing.assert_array_equal(vision, 0)


def test_unaligned_series_of_zeros_are_missing(path, tiny):
    path, _ = make_affect_file(path, change=blank_vision)
    bunch = load_affect("mosi", path, align=False)
    assert np.isnan(bunch.data["vision"][1]).all()
    coral = COrALTransformer(bunch.modalities, random_state=0, **tiny)
    assert len(coral.fit_transform(bunch.data)) == len(bunch.target)


def test_unaligned_series_may_have_steps_of_their_own(path):
    def shorten(content):
        content["train"]["vision"] = content["train"]["vision"][:, -9:]

    path, _ = make_affect_file(path, change=shorten)
    data = load_affect("mosi", path, align=False).data
    assert data["vision"].shape[1] == 9
    with pytest.raises(ValueError, match=r"steps to be aligned. Got {'vision': 9, 'te"):
        load_affect("mosi", path)


IDS = [("a", "0.5", "1"), ("b", "2", "3.5")]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (IDS, np.array(IDS)),
        (np.array(IDS), np.array(IDS)),
        (np.array(IDS, dtype="S"), np.array(IDS)),
        (np.array(IDS, dtype=object), np.array(IDS)),
        ([[part.encode() for part in row] for row in IDS], np.array(IDS)),
        ([b"caf\xc3\xa9", b"b"], np.array(["café", "b"])),
        ([3, 4], np.array([3, 4])),
    ],
)
def test_ids_of_all_forms_keep_to_their_rows(path, ids, expected):
    def rename(content):
        for part in content.values():
            n = len(part["id"])
            part["id"] = [*ids, *[ids[0]] * (n - 2)]
            if isinstance(ids, np.ndarray):
                part["id"] = np.array(part["id"], dtype=ids.dtype)
            part["text"][2:] = 0

    path, _ = make_affect_file(path, change=rename)
    read = load_affect("mosi", path).ids
    np.testing.assert_array_equal(read, expected)
    assert read.dtype.kind == expected.dtype.kind


@pytest.mark.parametrize("shape", [(1, 1), (1,), ()])
def test_labels_may_be_objects(path, shape):
    def cast(content):
        for part in content.values():
            part["labels"] = part["labels"].astype(object)

    path, content = make_affect_file(path, "mosi", shape, change=cast)
    target = load_affect("mosi", path).target
    _, labels, _ = transcribe(content["train"], ["text"], True)
    np.testing.assert_array_equal(target, labels.astype(float) > 0)


# Standardisation per video


def test_z_norm_standardises_each_series_over_its_steps(path):
    def flatten(content):
        content["train"]["vision"][:, :, 4] = 0.1  # constant, also in single precision

    path, _ = make_affect_file(path, change=flatten)
    plain, scaled = (load_affect("mosi", path, z_norm=z).data for z in (False, True))
    for key in plain:
        series = zip(strip(plain[key]), strip(scaled[key]), strict=True)
        for before, after in series:
            # By hand, with the deviation of a sample as torch.std has it.
            with np.errstate(invalid="ignore", divide="ignore"):
                n_free = max(len(before) - 1, 1)
                centred = before - before.mean(0, dtype=float)
                deviation = np.sqrt((centred**2).sum(0) / n_free)
                expected = np.where(deviation > 1e-6, centred / deviation, 0)
            np.testing.assert_allclose(after, expected, atol=1e-4)
    lengths = [len(series) for series in strip(scaled["vision"])]
    assert min(lengths) == 1  # a single step has no deviation
    assert np.nanmax(np.abs(scaled["vision"][..., 4])) < 1e-4


def test_z_norm_of_a_missing_series_is_missing(path):
    path, _ = make_affect_file(path, change=blank_vision)
    data = load_affect("mosi", path, align=False, z_norm=True).data
    assert np.isnan(data["vision"][1]).all()


# Errors


@pytest.mark.parametrize(
    ("params", "rule"),
    [
        ({"name": "iemocap"}, r"a str among \{'mosi', 'mosei', 'humor', 'sarcasm'\}"),
        ({"name": None}, "a str among .* Got None"),
        ({"subset": "val"}, r"a str among \{'train', 'valid', 'test'\}. Got 'val'"),
        ({"target": "emotion"}, r"a str among \{'class', 'sentiment'\}. Got 'emotion'"),
        ({"modalities": "vision"}, "a non-empty list of .* Got 'vision'"),
        ({"modalities": []}, r"a non-empty list of .* Got \[\]"),
        (
            {"modalities": ["video"]},
            r"a non-empty list of \{'vision', 'audio', 'text'\}. Got \['video'",
        ),
        ({"modalities": ["text", "text"]}, "a list of different names"),
        ({"modalities": [["text"]]}, r"a non-empty list of .* Got \[\['text'\]\]"),
        ({"align": 1}, "a bool. Got 1"),
        ({"z_norm": "no"}, "a bool. Got 'no'"),
        ({"return_X_y": None}, "a bool. Got None"),
        ({"path": 3}, "a str or a path. Got 3"),
    ],
)
def test_bad_parameters_are_named(path, params, rule):
    path, _ = make_affect_file(path)
    ((name, _),) = params.items()
    message = f"The '{name}' parameter of load_affect must be {rule}"
    with pytest.raises(ValueError, match=message):
        load_affect(**{"name": "mosi", "path": path, **params})


@pytest.mark.parametrize("name", ["humor", "sarcasm"])
def test_sets_without_sentiment_say_so(path, name):
    message = f"'target' .* must be 'class' for '{name}'. Got 'sentiment'"
    with pytest.raises(ValueError, match=message):
        load_affect(name, path, target="sentiment")


@pytest.mark.parametrize(
    ("name", "file", "title"),
    [
        ("mosi", "mosi_data.pkl", "CMU-MOSI"),
        ("mosei", "mosei_senti_data.pkl", "CMU-MOSEI"),
        ("humor", "humor.pkl", "UR-FUNNY"),
        ("sarcasm", "sarcasm.pkl", "MUsTARD"),
    ],
)
def test_an_absent_file_says_what_to_obtain(path, name, file, title):
    message = f"found no '.*data.pkl'. Obtain '{file}', .* {title} .*MultiBench"
    with pytest.raises(FileNotFoundError, match=message):
        load_affect(name, path)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ValueError, match=r"'path' .* must be a file. Got"):
        load_affect("mosi", tmp_path)


def spoil(key, value):
    """Return a change of a file: another value in the training part, or none."""

    def change(content):
        if value is None:
            del content["train"][key]
        else:
            content["train"][key] = value

    return change


ONES = np.ones((24, AFFECT_STEPS, 3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("train"), r"the key 'train'. Got \['test', 'valid'\]"),
        (lambda c: c.update(train=[1]), "a dict in 'train'. Got 'list'"),
        (spoil("text", None), r"the key 'text' in 'train'. Got \['audio', 'id', 'la"),
        (spoil("vision", None), "the key 'vision' in 'train'"),
        (spoil("labels", None), "the key 'labels' in 'train'"),
        (spoil("id", None), "the key 'id' in 'train'"),
        (spoil("vision", ONES[:, 0]), r"must have 3 axes. Got shape \(24, 3\)"),
        (spoil("vision", ONES[:5]), "number of rows. Got {'vision': 5, 'text': 24"),
        (spoil("text", ONES * 0), "must have words. Got zeros in every row"),
        (spoil("vision", ONES.astype(str) + "m"), "'vision' in .* an array of numbers"),
        (spoil("vision", [[[1.0], [1.0, 2.0]]]), "'vision' in .* an array of numbers"),
        (spoil("labels", np.ones((24, 2))), r"\(n, 1, 1\), .* Got \(24, 2\)"),
        (spoil("labels", np.ones((24, 1, 7))), r"\(n, 1, 1\), .* Got \(24, 1, 7\)"),
        (spoil("labels", np.float64(1)), r"\(n, 1, 1\), .* Got \(\)"),
        (spoil("labels", np.ones(3)), "'labels': 3"),
        (
            spoil("labels", np.full(24, 4.0)),
            "from -3 to 3 for 'mosi'. Got 4.0 in row 0",
        ),
        (spoil("labels", np.full(24, np.nan)), "from -3 to 3 for 'mosi'. Got nan"),
        (spoil("id", ["a"] * 3), "'id': 3"),
        (spoil("id", [["a"], ["b", "c"]]), "'id' in 'train' .* as many parts"),
        (spoil("id", "a"), "'id' in 'train' .* an entry per row. Got 'a'"),
    ],
)
def test_a_file_of_another_form_is_named(path, change, message):
    path, _ = make_affect_file(path, change=change)
    with pytest.raises(ValueError, match=message) as error:
        load_affect("mosi", path)
    assert "data.pkl" in str(error.value)


def test_a_part_without_rows_is_named(path):
    def empty(content):
        for key, values in content["train"].items():
            content["train"][key] = values[:0]

    path, _ = make_affect_file(path, change=empty)
    with pytest.raises(ValueError, match=r"in 'train' .* must have rows. Got none"):
        load_affect("mosi", path)


def test_sentiment_is_no_humor(path):
    path, _ = make_affect_file(path, "mosi")
    message = "'labels' in 'train' of .* 0 and 1, or -1 and 1, for 'humor'. Got "
    with pytest.raises(ValueError, match=message):
        load_affect("humor", path)


@pytest.mark.parametrize("content", [[1], "text", np.ones(3)])
def test_a_file_that_is_no_dict_is_named(path, content):
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match=r"data.pkl' must hold a dict. Got"):
        load_affect("mosi", path)


def test_damaged_and_malicious_files_are_refused(path):
    path, _ = make_affect_file(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"data.pkl' cannot be read as a pickle"):
        load_affect("mosi", path)
    path.write_bytes(b"cbuiltins\neval\n(S'1/0'\ntR.")
    with pytest.raises(ValueError, match=r"holds 'builtins.eval'"):
        load_affect("mosi", path)


def test_output_of_data_frames_changes_nothing(path):
    make_affect_file(path)
    expected = load_affect("mosi", path).data
    with config_context(transform_output="pandas"):
        data = load_affect("mosi", path).data
    for name in expected:
        np.testing.assert_array_equal(data[name], expected[name])
