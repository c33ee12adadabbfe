"""Files made to do harm, or damaged: `load` runs nothing, and says what is wrong."""

import json
import os
import pickle
import zipfile
from io import BytesIO

import numpy as np
import pytest
from helpers import exactly, make_tiny
from safetensors.numpy import load as read_tensors
from safetensors.numpy import save as write_tensors

import skcoral
from skcoral import load, save

N_FLIPS = 300


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """Return the members of a file of a fitted estimator, by name."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 3))
    tiny = {"max_epochs": 1, "embed_dim": 4, "head_dim": 4, "head_hidden_dim": 4}
    coral = make_tiny(tiny, callbacks=[], n_heads=2).fit(X)
    path = tmp_path_factory.mktemp("whole") / "model.skcoral"
    save(coral, path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path, members, **options):
    """Write an archive of pairs of a name, or its properties, and bytes."""
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def change(content, path, edit):
    """Write a file whose schema is edited in place."""
    schema = json.loads(content["schema.json"])
    edit(schema)
    changed = {**content, "schema.json": json.dumps(schema).encode()}
    return write(path, changed.items())


def find(schema, wanted):
    """Return the first node of a class."""
    if isinstance(schema, dict) and schema.get("__class__") == wanted:
        return schema
    children = schema.values() if isinstance(schema, dict) else schema
    nested = (c for c in children if isinstance(c, dict | list))
    return next((n for n in (find(c, wanted) for c in nested) if n is not None), None)


def refused(path, reason):
    """Check that a file is refused, by its name and for a reason."""
    with pytest.raises(ValueError, match=reason) as caught:
        load(path)
    assert str(path) in str(caught.value)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "hostile.skcoral"


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """Notice whether anything calls what the files below name."""
    called = []
    for owner, name in [(os, "system"), (pickle, "loads"), (pickle, "load")]:
        monkeypatch.setattr(owner, name, lambda *a, **k: called.append(a))
    monkeypatch.chdir(tmp_path)
    yield
    assert called == []
    assert not (tmp_path / "ran").exists()


# Code


def text(value):
    return {
        "__class__": "str",
        "__module__": "builtins",
        "__loader__": "JsonNode",
        "content": json.dumps(value),
        "is_json": True,
    }


def sequence(items, kind="tuple", module="builtins", loader="TupleNode"):
    return {
        "__class__": kind,
        "__module__": module,
        "__loader__": loader,
        "content": items,
    }


def named(module, name, loader="TypeNode"):
    return {"__class__": name, "__module__": module, "__loader__": loader}


COMMAND = sequence([text("touch ran")])
NOTHING = {
    "__class__": "dict",
    "__module__": "builtins",
    "__loader__": "DictNode",
    "key_types": sequence([], "list", loader="ListNode"),
    "content": {},
}
HOSTILE = {
    "a type": (named("os", "system"), "os.system"),
    "a function": (named("os", "system", "FunctionNode"), "os.system"),
    "a builtin": (named("builtins", "eval"), "builtins.eval"),
    "a call": (
        named("os", "system", "ConstructorFromReduceNode") | {"content": COMMAND},
        "os.system",
    ),
    "a list of a function": (
        sequence([text("touch ran")], "system", "os", "ListNode"),
        "os.system",
    ),
    "a dict of a class": (
        {**NOTHING, "__class__": "Popen", "__module__": "subprocess"},
        "subprocess.Popen",
    ),
    "a partial": (
        named("functools", "partial", "PartialNode")
        | {
            "content": {
                "func": named("os", "system", "FunctionNode"),
                "args": COMMAND,
                "kwds": NOTHING,
                "namespace": NOTHING,
            }
        },
        "functools.partial.*os.system",
    ),
    "a methodcaller": (
        named("operator", "methodcaller", "OperatorFuncNode") | {"attrs": COMMAND},
        "operator.methodcaller",
    ),
    "a method": (
        named("skcoral.methods.coral", "COrALTransformer", "MethodNode")
        | {
            "content": {
                "func": "fit",
                "obj": named("skcoral.methods.coral", "COrALTransformer", "ObjectNode"),
            }
        },
        "COrALTransformer.fit",
    ),
    "an object": (
        named("subprocess", "Popen", "ObjectNode") | {"content": NOTHING},
        "subprocess.Popen",
    ),
    "a reduction": (
        named("os", "system", "TreeNode")
        | {"content": NOTHING, "__reduce__": {"args": COMMAND}},
        "os.system",
    ),
    "a model from a path": (
        named("skcoral.pretrained", "PretrainedEncoder", "ObjectNode"),
        "skcoral.pretrained.PretrainedEncoder",
    ),
}


@pytest.mark.parametrize(("node", "name"), HOSTILE.values(), ids=HOSTILE)
def test_a_type_that_is_not_on_the_list_is_named_and_not_made(
    content, path, trap, node, name
):
    def insert(schema):
        state = schema["content"]["content"]
        assert "batch_size" in state
        state["batch_size"] = node

    refused(change(content, path, insert), rf"does not trust.*{name}")


@pytest.mark.parametrize("name", ["COrALObjective", "ModalityReader"])
@pytest.mark.parametrize("other", ["os.system", "builtins.eval", "builtins.exec"])
def test_types_changed_to_functions_are_refused(content, path, trap, name, other):
    def rename(schema):
        node = find(schema, name)
        node["__module__"], _, node["__class__"] = other.rpartition(".")

    refused(change(content, path, rename), rf"does not trust.*{other}")


def test_the_objective_must_be_one(content, path):
    def rename(schema):
        node = find(schema, "COrALObjective")
        node["__module__"], node["__class__"] = "builtins", "list"

    reason = r"criterion must be an objective. Got <class 'list'>"
    refused(change(content, path, rename), reason)


def test_an_unknown_loader_is_refused(content, path):
    def rename(schema):
        schema["__loader__"] = "EvalNode"

    refused(change(content, path, rename), "loader EvalNode")


def test_settings_that_a_net_does_not_have_are_refused(content, path):
    def add(schema):
        net = schema["content"]["content"]["net_"]
        settings = net["content"]["settings"]
        settings["content"]["iterator_train"] = named("builtins", "map")
        settings["key_types"]["content"].append(named("builtins", "str"))

    refused(change(content, path, add), r"Unknown settings of a net: \['iterator_tr")


# Names, sizes and types of members


def add_member(name):
    def edit(content):
        return [*content.items(), (name, b"x")]

    return edit


def link(content):
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    return [*content.items(), (info, b"/etc/passwd")]


MEMBERS = {
    "a path upwards": (add_member("../evil.npy"), "unexpected member '../evil.npy'"),
    "an absolute path": (add_member("/tmp/a.npy"), "unexpected member '/tmp/a.npy'"),
    "a folder": (add_member("a/"), "unexpected member 'a/'"),
    "another kind": (add_member("a.pkl"), "unexpected member 'a.pkl'"),
    "a link": (link, "unexpected member 'link'"),
    "no schema": (
        lambda c: [(k, v) for k, v in c.items() if k != "schema.json"],
        "schema.json",
    ),
    "no versions": (
        lambda c: [(k, v) for k, v in c.items() if k != "skcoral.json"],
        "skcoral.json",
    ),
    "no arrays": (
        lambda c: [(k, v) for k, v in c.items() if not k.endswith("npy")],
        "npy",
    ),
}


@pytest.mark.parametrize(("edit", "reason"), MEMBERS.values(), ids=MEMBERS)
def test_members_are_those_that_save_writes(content, path, edit, reason):
    refused(write(path, edit(content)), reason)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_have_different_names(content, path):
    refused(write(path, 2 * [*content.items()]), "two members have the same name")


def test_nothing_is_compressed_so_that_no_file_holds_more_than_its_size(content, path):
    bomb = {**content, "schema.json": b" " * 10**7}
    write(path, bomb.items(), compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 10**5
    refused(path, r"member '.*' is compressed")


def test_members_do_not_overlap(content, path):
    write(path, content.items())
    with zipfile.ZipFile(path, "a") as archive:
        # The directory lists the largest member a hundred times, by different names.
        member = max(archive.infolist(), key=lambda info: info.file_size)
        for number in range(100):
            copied = zipfile.ZipInfo(f"{number}.bin")
            copied.header_offset = member.header_offset
            copied.file_size = copied.compress_size = member.file_size
            copied.CRC = member.CRC
            archive.filelist.append(copied)
        archive._didModify = True
    refused(path, "members overlap")


def first(content, suffix):
    return next(name for name in content if name.endswith(suffix))


def array(value, **options):
    file = BytesIO()
    np.save(file, value, **options)
    return file.getvalue()


ARRAYS = {
    "objects": array(np.array([print], dtype=object), allow_pickle=True),
    "too short": array(np.zeros(10**6))[:200],
    "huge": array(np.zeros(3)).replace(b"(3,)", b"(3000000000000,)", 1),
    "negative": array(np.zeros(30)).replace(b"(30,)", b"(-3,)", 1),
    "a pickle": pickle.dumps(print),
    "an archive": b"PK\3\4" + bytes(100),
    "nothing": b"",
}


@pytest.mark.parametrize("data", ARRAYS.values(), ids=ARRAYS)
def test_arrays_are_what_they_claim(content, path, trap, data):
    changed = {**content, first(content, ".npy"): data}
    refused(write(path, changed.items()), "cannot be read: it is damaged, or was not")


def retype(tensors):
    name = next(iter(tensors))
    tensors[name] = tensors[name].astype(np.float64)


def reshape(tensors):
    name = next(name for name, value in tensors.items() if value.ndim == 2)
    tensors[name] = tensors[name][:, :-1].copy()


def rename(tensors):
    tensors["module.other"] = tensors.pop(next(iter(tensors)))


@pytest.mark.parametrize("edit", [retype, reshape, rename, dict.clear])
def test_weights_fit_the_network(content, path, edit):
    name = first(content, ".bin")
    tensors = read_tensors(content[name])
    edit(tensors)
    changed = {**content, name: write_tensors(tensors)}
    refused(write(path, changed.items()), r"weights of DualPathNetwork do not fit")


def test_weights_are_not_longer_than_their_file(content, path):
    name = first(content, ".bin")
    header = (2**62).to_bytes(8, "little")
    changed = {**content, name: header + content[name][8:]}
    refused(write(path, changed.items()), "Safetensor")


# Structure


def test_deep_nesting_is_refused(content, path):
    before, _, after = json.dumps(sequence(["HERE"], "list")).partition('"HERE"')
    lists = 3000 * before.replace("Tuple", "List") + "1" + 3000 * after
    for schema in (10**6 * "[", 10**5 * '{"a":' + "1" + 10**5 * "}", lists):
        changed = {**content, "schema.json": schema.encode()}
        refused(write(path, changed.items()), "cannot be read.*RecursionError")


def test_nodes_do_not_repeat_each_other(content, path):
    def lace(schema):
        node = text(1)
        for number in range(1, 60):
            node |= {"__id__": number}
            node = sequence([node, {"__id__": number}], "list", loader="ListNode")
        schema["content"]["content"]["batch_size"] = node

    refused(change(content, path, lace), "a node has a number")


# Other files


@pytest.mark.parametrize(
    "data", [b"", b"hello", pickle.dumps({"a": 1}), b"PK\5\6" + bytes(18)]
)
def test_other_files_are_refused(path, trap, data):
    path.write_bytes(data)
    refused(path, "cannot be read: it is damaged, or was not written by skcoral.save.")


def test_a_truncated_file_is_refused(content, path):
    write(path, content.items())
    data = path.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        path.write_bytes(data[: int(share * len(data))])
        refused(path, "cannot be read")


def test_a_newer_format_is_refused_by_version(content, path):
    versions = json.dumps({"format": 2, "skcoral": "9.1"}).encode()
    write(path, {**content, "skcoral.json": versions}.items())
    message = (
        f"The file {str(path)!r} has format 2, written by skcoral 9.1. This is skcoral "
        f"{skcoral.__version__}, which reads formats up to 1: pip install -U skcoral."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        load(path)


def test_a_pipe_does_not_hang(path):
    os.mkfifo(path)
    with pytest.raises(FileNotFoundError, match="There is no file"):
        load(path)


@pytest.mark.parametrize("seed", range(3))
def test_flipped_bits_are_noticed_or_change_nothing(content, path, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(5, 3))
    data = write(path, content.items()).read_bytes()
    Z = load(path).transform(X)
    outcomes = {"same": 0, "refused": 0}
    for place in rng.integers(len(data), size=N_FLIPS // 3):
        damaged = bytearray(data)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            loaded = load(path)
        except ValueError as error:
            assert str(path) in str(error)
            outcomes["refused"] += 1
        else:
            np.testing.assert_array_equal(loaded.transform(X), Z)
            outcomes["same"] += 1
    assert outcomes["refused"] > 0.8 * N_FLIPS / 3
