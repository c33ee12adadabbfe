"""Files of Vision & Touch against a naive transcription of the published loader."""

import sys

import numpy as np
import pytest
from skorch.helper import SliceDict

from skcoral import COrALTransformer
from skcoral.datasets import load_vision_touch

h5py = pytest.importorskip("h5py")

N_FILES = 10
N_STEPS = 50
SIZE = 8  # of an image; 128 in the real files
KEYS = ("image", "force", "proprio")


def make_chunk(rng, n_steps=N_STEPS):
    """Return what one file holds."""
    contact = rng.random((n_steps, 50)) < 0.01
    contact[0] = True
    contact[1] = False
    return {
        "image": rng.integers(0, 256, (n_steps, SIZE, SIZE, 3), dtype=np.uint8),
        "depth_data": rng.random((n_steps, SIZE, SIZE, 1)),
        "proprio": rng.normal(size=(n_steps, 10)),
        "ee_forces_continuous": rng.normal(0, 20, (n_steps, 50, 6)),
        "optical_flow": rng.normal(size=(n_steps, SIZE, SIZE, 2)),
        "action": rng.normal(size=(n_steps, 4)),
        "contact": contact,
    }


def write(path, chunk):
    with h5py.File(path, "w") as file:
        file.update(chunk)


def make_folder(folder, n_files=N_FILES, change=None):
    """Write files and return what each holds, by name."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    chunks = {}
    for i in range(n_files):
        # Names that sort unlike numbers.
        name = f"peg_{i // 5}_{i % 5 + 8}_1000.h5"
        chunks[name] = make_chunk(rng)
        if change is not None:
            change(i, chunks[name])
        write(folder / name, chunks[name])
    return chunks


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder that no test changes, and what its files hold."""
    folder = tmp_path_factory.mktemp("robot") / "data"
    chunks = make_folder(folder)
    (folder / "notes.txt").write_text("no data")
    (folder / "folder").mkdir()
    write(folder / "folder" / "peg_9_1_1000.h5", {"image": np.zeros(3)})
    return folder, chunks


@pytest.fixture
def folder(world):
    return world[0]


def transcribe(chunks, subset, target):
    """Do as published, row by row, apart from the last pair of each file."""
    names = np.array(sorted(chunks))
    order = np.arange(len(names))
    np.random.default_rng(42).shuffle(order)
    n_train = len(names) - int(0.2 * len(names))
    order = order[:n_train] if subset == "train" else order[n_train:]
    rows = {key: [] for key in (*KEYS, "target", "name")}
    for name in names[order]:
        chunk = chunks[name]
        for t in range(len(chunk["proprio"]) - 1):
            image = chunk["image"][t]
            if image.shape[0] == 3:
                image = np.transpose(image, (2, 1, 0))
            rows["image"].append(image)
            rows["force"].append(np.tanh(chunk["ee_forces_continuous"][t][-32:]))
            rows["proprio"].append(chunk["proprio"][t][:8])
            if target == "contact_next":
                rows["target"].append(int(chunk["contact"][t + 1].sum() > 0))
            else:
                rows["target"].append(chunk["proprio"][t + 1][:4])
            rows["name"].append(name)
    return {key: np.array(values) for key, values in rows.items()}


# What is loaded


@pytest.mark.parametrize("subset", ["train", "test"])
@pytest.mark.parametrize("target", ["contact_next", "ee_yaw_next"])
def test_rows_are_those_of_the_transcription(world, subset, target):
    folder, chunks = world
    bunch = load_vision_touch(folder, subset=subset, target=target, modalities=KEYS)
    rows = transcribe(chunks, subset, target)
    assert isinstance(bunch.data, SliceDict)
    assert list(bunch.data) == list(KEYS)
    assert len(bunch.target) == {"train": 8, "test": 2}[subset] * (N_STEPS - 1)
    np.testing.assert_array_equal(bunch.data["image"], rows["image"])
    for key in ("force", "proprio"):
        assert bunch.data[key].dtype == np.float32
        np.testing.assert_array_equal(bunch.data[key], rows[key].astype(np.float32))
    np.testing.assert_array_equal(
        bunch.target, rows["target"].astype(bunch.target.dtype)
    )
    assert bunch.target.dtype == (int if target == "contact_next" else np.float32)
    names = [bunch.filenames[group].rpartition("/")[2] for group in bunch.groups]
    assert names == rows["name"].tolist()


def test_contact_is_that_of_the_next_step(folder):
    contact = load_vision_touch(folder).target.reshape(-1, N_STEPS - 1)
    # Step 1 is without contact in every file; step 0, with contact, is no one's next.
    assert not contact[:, 0].any()
    assert 0 < contact.mean() < 1


def test_subsets_share_no_file(world):
    folder, chunks = world
    parts = [load_vision_touch(folder, subset=part) for part in ("train", "test")]
    files = [name.rpartition("/")[2] for part in parts for name in part.filenames]
    assert sorted(files) == sorted(chunks)


@pytest.mark.parametrize(
    ("target", "modalities"),
    [("contact_next", ["image", "proprio"]), ("ee_yaw_next", ["image", "force"])],
)
def test_default_modalities_are_those_of_the_target(folder, target, modalities):
    bunch = load_vision_touch(folder, target=target)
    assert list(bunch.data) == modalities
    assert [name for name, _, _ in bunch.modalities] == modalities


def test_only_what_is_asked_for_is_needed(tmp_path):
    def strip(i, chunk):
        for key in set(chunk) - {"proprio", "contact"}:
            del chunk[key]

    make_folder(tmp_path / "data", change=strip)
    bunch = load_vision_touch(tmp_path / "data", modalities=["proprio"])
    assert list(bunch.data) == ["proprio"]
    with pytest.raises(ValueError, match=r"'image'. Got \['contact', 'proprio'\]"):
        load_vision_touch(tmp_path / "data")


def test_channels_may_come_first(tmp_path):
    def turn(i, chunk):
        if i % 2:
            chunk["image"] = chunk["image"].transpose(0, 3, 1, 2)

    chunks = make_folder(tmp_path / "data", change=turn)
    images = load_vision_touch(tmp_path / "data").data["image"]
    rows = transcribe(chunks, "train", "contact_next")
    np.testing.assert_array_equal(images, rows["image"])


def test_two_calls_give_the_same_rows(folder):
    first, second = (load_vision_touch(folder, modalities=KEYS) for _ in range(2))
    for key in KEYS:
        np.testing.assert_array_equal(first.data[key], second.data[key])
    np.testing.assert_array_equal(first.target, second.target)


def test_the_global_generator_is_left_alone(folder):
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    load_vision_touch(folder)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_return_X_y_gives_data_and_target(folder):
    bunch = load_vision_touch(folder)
    X, y = load_vision_touch(str(folder), return_X_y=True)
    for key in bunch.data:
        np.testing.assert_array_equal(X[key], bunch.data[key])
    np.testing.assert_array_equal(y, bunch.target)
    assert "ICRA 2019" in bunch.DESCR


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300])
def test_very_large_forces_are_bounded(tmp_path, value):
    def press(i, chunk):
        chunk["ee_forces_continuous"][0, -1, 0] = value

    make_folder(tmp_path / "data", change=press)
    data = load_vision_touch(tmp_path / "data", modalities=["force"]).data
    assert data["force"][0, -1, 0] == np.sign(value)
    assert np.abs(data["force"]).max() <= 1


@pytest.mark.parametrize("target", ["contact_next", "ee_yaw_next"])
def test_estimator_fits_and_transforms_the_parts(folder, tiny, target):
    train, test = (
        load_vision_touch(folder, subset=part, target=target, n_files=2)
        for part in ("train", "test")
    )
    coral = COrALTransformer(train.modalities, random_state=0, **tiny).fit(train.data)
    features = coral.transform(test.data)
    assert len(features) == len(test.target) == 2 * (N_STEPS - 1)
    assert np.isfinite(features).all()


# What keeps it small


@pytest.mark.parametrize("n_files", [1, 3, 8])
def test_some_files_are_the_first_of_all(folder, n_files):
    some = load_vision_touch(folder, n_files=n_files)
    whole = load_vision_touch(folder)
    n_rows = n_files * (N_STEPS - 1)
    assert some.filenames == whole.filenames[:n_files]
    assert len(some.target) == n_rows
    for key in some.data:
        np.testing.assert_array_equal(some.data[key], whole.data[key][:n_rows])


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_small_images_are_means_over_squares(folder, size):
    whole = load_vision_touch(folder, n_files=1).data["image"]
    small = load_vision_touch(folder, n_files=1, image_size=size).data["image"]
    assert small.dtype == np.uint8
    assert small.shape == (N_STEPS - 1, size, size, 3)
    step = SIZE // size
    for row in (0, 7):
        for i in range(size):
            for j in range(size):
                square = whole[
                    row, i * step : (i + 1) * step, j * step : (j + 1) * step
                ]
                mean = square.reshape(-1, 3).mean(0)
                np.testing.assert_allclose(small[row, i, j], mean, atol=0.5)


def test_images_on_disk_are_those_in_memory(folder, tmp_path, tiny):
    file = tmp_path / "images.npy"
    mapped = load_vision_touch(folder, n_files=2, image_file=file)
    loaded = load_vision_touch(folder, n_files=2)
    assert isinstance(mapped.data["image"], np.memmap)
    assert not mapped.data["image"].flags.writeable
    np.testing.assert_array_equal(mapped.data["image"], loaded.data["image"])
    np.testing.assert_array_equal(np.load(file), loaded.data["image"])
    assert [path.name for path in tmp_path.iterdir()] == ["images.npy"]
    fits = [
        COrALTransformer(b.modalities, random_state=0, **tiny).fit_transform(b.data)
        for b in (mapped, loaded)
    ]
    np.testing.assert_allclose(*fits, rtol=1e-4, atol=1e-5)


def test_a_file_that_is_replaced_stays_where_it_is_mapped(folder, tmp_path):
    file = tmp_path / "images.npy"
    train = load_vision_touch(folder, image_file=file)
    before = np.array(train.data["image"])
    test = load_vision_touch(folder, subset="test", image_file=str(file))
    np.testing.assert_array_equal(train.data["image"], before)
    assert len(test.data["image"]) == len(np.load(file)) == 2 * (N_STEPS - 1)


def test_an_error_leaves_the_file_as_it_was(tmp_path):
    def blur(i, chunk):
        if i == 4:
            del chunk["image"]

    make_folder(tmp_path / "data", change=blur)
    file = tmp_path / "images.npy"
    file.write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"must hold an array 'image'"):
        load_vision_touch(tmp_path / "data", image_file=file)
    assert file.read_bytes() == b"mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "images.npy"]


# Errors


@pytest.mark.parametrize(
    ("params", "rule"),
    [
        ({"subset": "valid"}, r"a str among \{'train', 'test'\}. Got 'valid'"),
        ({"target": "EE"}, r"among \{'contact_next', 'ee_yaw_next'\}. Got 'EE'"),
        ({"modalities": "image"}, "a non-empty list of .* Got 'image'"),
        ({"modalities": []}, r"a non-empty list of .* Got \[\]"),
        ({"modalities": ["depth"]}, r"\{'image', 'force', 'proprio'\}. Got \['depth"),
        ({"modalities": ["force", "force"]}, "a list of different names"),
        ({"n_files": 0}, r"None or an int in the range \[1, inf\). Got 0"),
        ({"n_files": 2.0}, r"None or an int in the range \[1, inf\). Got 2.0"),
        ({"n_files": 9}, r"None or an int in the range \[1, 8\] for 'train'. Got 9"),
        ({"image_size": True}, r"None or an int in the range \[1, inf\). Got True"),
        ({"image_size": 3}, r"None or a divisor of .* \(8, 8\). Got 3"),
        ({"image_file": "images.png"}, "None or a path that ends in '.npy'. Got 'im"),
        ({"image_file": 3}, "None or a path that ends in '.npy'. Got 3"),
        ({"return_X_y": "no"}, "a bool. Got 'no'"),
        ({"path": 3}, "a str or a path. Got 3"),
    ],
)
def test_bad_parameters_are_named(folder, params, rule):
    (name,) = params
    message = f"The '{name}' parameter of load_vision_touch must be .*{rule}"
    with pytest.raises(ValueError, match=message):
        load_vision_touch(**{"path": folder, **params})


def test_a_file_of_images_needs_images(folder):
    with pytest.raises(
        ValueError, match=r"'image_file' .* must be None without images"
    ):
        load_vision_touch(folder, modalities=["force"], image_file="images.npy")


def test_an_absent_folder_says_what_to_obtain(tmp_path):
    message = r"Obtain the folder of .h5 files .* of Stanford"
    with pytest.raises(FileNotFoundError, match=f"found no '.*absent'. {message}"):
        load_vision_touch(tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match=f"holds no .h5 file. {message}"):
        load_vision_touch(tmp_path)


def test_a_file_is_no_folder(folder):
    file = next(folder.glob("*.h5"))
    with pytest.raises(ValueError, match=r"'path' .* must be a folder. Got '.*\.h5'"):
        load_vision_touch(file)


def test_few_files_leave_none_for_the_test(tmp_path):
    make_folder(tmp_path / "data", 4)
    assert len(load_vision_touch(tmp_path / "data").filenames) == 4
    with pytest.raises(ValueError, match=r"must hold 5 .h5 files or more .* Got 4"):
        load_vision_touch(tmp_path / "data", subset="test")


def put(key, make):
    """Return a change of one file: another value under a key."""

    def change(i, chunk):
        if i == 3:
            chunk[key] = make(chunk[key])

    return change


def floats(images):
    return images / 255.0


def spoil(proprio):
    proprio[5, 0] = np.nan
    return proprio


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("image", floats), r"3 channels of dtype uint8. Got .* dtype float64"),
        (put("image", lambda a: a[..., :1]), r"Got shape \(8, 8, 1\) of dtype uint8"),
        (put("image", lambda a: a[..., 0]), r"shape \(2, 1, 1, 1\) or more. Got sh"),
        (put("image", lambda a: a[:, :4]), r"shape of the first .* \(49, 4, 8, 3\)"),
        (put("image", lambda a: a[:-1]), "'image': 48, 'force': 49"),
        (put("image", lambda a: a[:1]), r"shape \(2, 1, 1, 1\) or more. Got sh"),
        (put("proprio", lambda a: a[:, :7]), r"shape \(2, 8\) or more. Got .* \(50, 7"),
        (put("proprio", lambda a: a.astype("S")), "array of numbers .* dtype |S"),
        (put("proprio", spoil), "finite poses. Got nan"),
        (
            put("ee_forces_continuous", lambda a: a[:, :31]),
            r"shape \(2, 32, 1\) or more. Got shape \(50, 31, 6\)",
        ),
        (put("ee_forces_continuous", lambda a: a[0, 0, 0]), r"Got shape \(\)"),
    ],
)
def test_a_file_of_another_form_is_named(tmp_path, change, message):
    make_folder(tmp_path / "data", 5, change=change)
    with pytest.raises(ValueError, match=message) as error:
        for subset in ("train", "test"):
            load_vision_touch(
                tmp_path / "data", subset=subset, target="ee_yaw_next", modalities=KEYS
            )
    # The first file sets the shape of images, so a later one is named for it.
    assert "peg_0_11_1000.h5" in str(error.value) or "first file" in str(error.value)


def test_files_of_other_length_are_named(tmp_path):
    make_folder(tmp_path / "data", 5)
    file = load_vision_touch(tmp_path / "data").filenames[-1]
    write(file, make_chunk(np.random.default_rng(0), n_steps=30))
    message = r"the shape of the first file, \(49, 8, 8, 3\). Got \(29, 8, 8, 3\)"
    with pytest.raises(ValueError, match=message):
        load_vision_touch(tmp_path / "data")


def test_files_of_equal_length_need_not_have_50_steps(tmp_path):
    chunks = make_folder(tmp_path / "data", 5)
    for name in chunks:
        write(tmp_path / "data" / name, make_chunk(np.random.default_rng(0), 2))
    bunch = load_vision_touch(tmp_path / "data")
    assert len(bunch.target) == 4


@pytest.mark.parametrize(
    "make",
    [
        lambda file: file.create_group("image"),
        lambda file: file.update(image=np.dtype("u1")),
        lambda file: file.update(image=h5py.Empty("u1")),
    ],
)
def test_what_is_no_array_is_named(tmp_path, make):
    chunks = make_folder(tmp_path / "data", 5)
    for name in chunks:
        with h5py.File(tmp_path / "data" / name, "a") as file:
            del file["image"]
            make(file)
    with pytest.raises(ValueError, match=r"must hold an array 'image'. Got"):
        load_vision_touch(tmp_path / "data")


@pytest.mark.parametrize("n_bytes", [0, 7, 3000])
def test_damaged_files_are_named(tmp_path, n_bytes):
    make_folder(tmp_path / "data", 5)
    for file in (tmp_path / "data").glob("*.h5"):
        file.write_bytes(file.read_bytes()[:n_bytes])
    with pytest.raises(ValueError, match=r"peg_.*h5' cannot be read as HDF5"):
        load_vision_touch(tmp_path / "data")


def test_damage_inside_is_named(tmp_path):
    make_folder(tmp_path / "data", 5)
    for file in (tmp_path / "data").glob("*.h5"):
        content = file.read_bytes()
        # The tables of names and of their places, behind the signature and its block.
        file.write_bytes(content[:96] + b"\xff" * 1000 + content[1096:])
    with pytest.raises(ValueError, match=r"peg_.*h5' cannot be read as HDF5"):
        load_vision_touch(tmp_path / "data")


def test_without_h5py_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"needs h5py: pip install 'skcoral\[h5\]'"):
        load_vision_touch(folder)
