"""PyTorch files that are damaged, hostile or of a layout that is not read: refused, by one line that names the file."""

import io
import json
import pickle
import zipfile

import pytest
import torch
from hostile import ROOT, refused, survived

PT2 = ROOT / "tests" / "data" / "pt2" / "tied.pt2"


class Command:
    """What a pickle that runs code looks like."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def repacked(path, change, source=PT2):
    """A copy of a .pt2 whose entries went through `change(name without root, bytes)`; None leaves one out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            root, _, inner = name.partition("/")
            data = change(inner, old.read(name))
            if data is not None:
                new.writestr(f"{root}/{inner}", data)
    return path


def edited(path, record, edit):
    def change(name, data):
        if name != record:
            return data
        value = json.loads(data)
        edit(value)
        return json.dumps(value).encode()

    return repacked(path, change)


def refused_model(path, statuses=(2,), words=()):
    out = path.parent / "out.onnx"
    line = refused("export", path, "-o", out, words=(path.name, *words), statuses=statuses, output=out)
    refused("run", path, words=(path.name,), statuses=statuses)
    return line


def test_repacked_is_read(tmp_path):
    survived("export", repacked(tmp_path / "same.pt2", lambda _, data: data), "-o", tmp_path / "o.onnx", statuses=(0,))


@pytest.mark.parametrize("record", [
    "models/model.json", "data/weights/model_weights_config.json", "data/weights/weight_0", "archive_format", "byteorder",
])
def test_record_that_is_missing(tmp_path, record):
    path = repacked(tmp_path / "hostile.pt2", lambda name, data: None if name == record else data)
    if record == "byteorder":  # little-endian is what it says when it is there
        survived("export", path, "-o", tmp_path / "out.onnx")
    else:
        refused_model(path, statuses=(1, 2))


def test_layout_before_torch_2_8(tmp_path):
    """Flat names without a root folder, as torch.export.save wrote them up to 2.7."""
    path = tmp_path / "old.pt2"
    with zipfile.ZipFile(PT2) as old, zipfile.ZipFile(path, "w") as new:
        model = next(n for n in old.namelist() if n.endswith("models/model.json"))
        new.writestr("serialized_exported_program.json", old.read(model))
        new.writestr("serialized_state_dict.json", b"")
        new.writestr("version", b"8.8")
    line = refused_model(path, statuses=(1,))
    assert "2.8" in line or "export it again" in line or "torch.export" in line, line


def test_code_in_the_archive(tmp_path):
    path = tmp_path / "compiled.pt2"
    with zipfile.ZipFile(path, "w") as new:
        new.writestr("compiled/archive_format", b"pt2")
        new.writestr("compiled/archive_version", b"0")
        new.writestr("compiled/data/aotinductor/model/model.so", b"\x7fELF")
    refused_model(path, statuses=(1, 2))


def test_weights_as_python_objects(tmp_path):
    def edit(config):
        for entry in config["config"].values():
            entry["use_pickle"] = True

    refused_model(edited(tmp_path / "hostile.pt2", "data/weights/model_weights_config.json", edit), statuses=(1, 2))


def each_tensor(field, value):
    def edit(config):
        for entry in config["config"].values():
            entry["tensor_meta"][field] = value

    return edit


@pytest.mark.parametrize(("field", "value"), [
    ("sizes", [{"as_int": 1 << 40}]), ("sizes", [{"as_int": -1}]), ("sizes", [{"as_int": 1 << 62}] * 4),
    ("strides", [{"as_int": 1 << 40}, {"as_int": 1}]), ("strides", [{"as_int": -1}, {"as_int": 1}]),
    ("storage_offset", {"as_int": 1 << 60}), ("storage_offset", {"as_int": -4}), ("dtype", 99), ("sizes", "x"),
])
def test_weights_outside_their_bytes(tmp_path, field, value):
    refused_model(edited(tmp_path / "hostile.pt2", "data/weights/model_weights_config.json", each_tensor(field, value)),
                  statuses=(1, 2))


@pytest.mark.parametrize("name", ["../../escape", "/etc/hostname", "a\0b", "", "weight_99"])
def test_weight_paths_that_lead_elsewhere(tmp_path, name):
    def edit(config):
        for entry in config["config"].values():
            entry["path_name"] = name

    refused_model(edited(tmp_path / "hostile.pt2", "data/weights/model_weights_config.json", edit))


@pytest.mark.parametrize(("name", "text"), {
    "deep": "[" * 200 + "]" * 200,
    "very_deep": "[" * 1_000_000,
    "infinite": '{"graph_module": 1e400}',
    "twice": '{"graph_module": {}, "graph_module": {}}',
    "cut": '{"graph_module": {',
    "empty": "",
    "list": "[]",
    "not_utf8": '{"\xff": 1}',
}.items())
def test_program_that_is_no_json(tmp_path, name, text):
    data = text.encode("latin-1")
    refused_model(repacked(tmp_path / f"{name}.pt2", lambda n, d: data if n == "models/model.json" else d))


def spec(text):
    def edit(program):
        program["graph_module"]["module_call_graph"][0]["signature"]["in_spec"] = text

    return edit


@pytest.mark.parametrize("text", [
    "[" * 100_000, "x", "[2, {}]",
    '[1, ' + '{"type": "builtins.list", "context": "null", "children_spec": [' * 60 + "]}" * 60 + "]",
    '[1, {"type": "os.system", "context": "\\"id\\"", "children_spec": []}]',
])
def test_nesting_of_inputs_that_is_hostile(tmp_path, text):
    refused_model(edited(tmp_path / "hostile.pt2", "models/model.json", spec(text)), statuses=(1, 2))


@pytest.mark.parametrize("expression", [
    "Add(" * 100_000, "Pow(" * 200 + "Integer(2)" + ", Integer(2))" * 200, "Integer(" + "9" * 100_000 + ")",
    "Mul(" + "Symbol('s', integer=True), " * 200_000 + "Integer(1))", "__import__('os').system('id')",
])
def test_sizes_whose_expressions_are_hostile(tmp_path, expression):
    def edit(program):
        def walk(value):
            if isinstance(value, dict):
                for key, item in value.items():
                    if key == "sizes" and isinstance(item, list) and item:
                        item[0] = {"as_expr": {"expr_str": expression, "hint": {"as_int": 2}}}
                    walk(item)
            elif isinstance(value, list):
                for item in value:
                    walk(item)

        walk(program["graph_module"]["graph"])

    path = edited(tmp_path / "hostile.pt2", "models/model.json", edit)
    survived("export", path, "-o", tmp_path / "out.onnx", statuses=(1, 2))


def saved(tmp_path, value, name="hostile.pth", legacy=False):
    path = tmp_path / name
    torch.save(value, path, _use_new_zipfile_serialization=not legacy)
    return path


def refused_weights(path, statuses=(2,)):
    out = path.parent / "out.onnx"
    return refused("export", path, "--arch", "resnet18", "-o", out, words=[path.name], statuses=statuses, output=out)


@pytest.mark.parametrize("legacy", [False, True])
def test_pickles_that_run_code(tmp_path, legacy):
    marker = tmp_path / "ran"
    refused_weights(saved(tmp_path, {"conv1.weight": Command(marker)}, legacy=legacy), statuses=(1, 2))
    assert not marker.exists()


@pytest.mark.parametrize("protocol", range(6))
def test_bare_pickles(tmp_path, protocol):
    marker = tmp_path / "ran"
    path = tmp_path / "bare.pth"
    path.write_bytes(pickle.dumps(Command(marker), protocol))
    refused_weights(path, statuses=(1, 2))
    assert not marker.exists()


@pytest.mark.parametrize("legacy", [False, True])
def test_truncated_state_dict(tmp_path, legacy):
    whole = saved(tmp_path, {"w": torch.arange(4.0)}, legacy=legacy).read_bytes()
    path = tmp_path / "cut.pth"
    for length in range(0, len(whole), max(1, len(whole) // 25)):  # each byte: state_dict_test.cpp
        path.write_bytes(whole[:length])
        refused_weights(path, statuses=(1, 2))


def zip_bytes(*entries, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return bytearray(buffer.getvalue())


def bomb():
    return zip_bytes(("archive/data.pkl", b"\x80\x02}."), ("archive/data/0", bytes(1 << 30)), compression=zipfile.ZIP_DEFLATED)


def overlapping():
    """Two names for one entry's bytes."""
    data = zip_bytes(("archive/data.pkl", b"\x80\x02}."), ("archive/data/00", b"x" * 8))
    first, second = data.index(b"PK\x01\x02"), data.rindex(b"PK\x01\x02")
    data[second + 42:second + 46] = data[first + 42:first + 46]
    return data


def encrypted():
    data = zip_bytes(("archive/data.pkl", b"\x80\x02}."))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return data


def bad_checksum():
    data = zip_bytes(("archive/data.pkl", b"\x80\x02}."))
    data[data.index(b"\x80\x02}.") + 2] ^= 1
    return data


def two_end_records():
    data = zip_bytes(("archive/data.pkl", b"\x80\x02}."))
    return data + data[data.index(b"PK\x05\x06"):]


@pytest.mark.parametrize("make", [bomb, overlapping, encrypted, bad_checksum, two_end_records])
def test_zip_archives_that_lie(tmp_path, make):
    data = make()
    path = tmp_path / "hostile.pth"
    path.write_bytes(data)
    refused_weights(path, statuses=(1, 2))
    path = tmp_path / "hostile.pt2"
    path.write_bytes(data)
    refused("run", path, words=[path.name], statuses=(1, 2))
