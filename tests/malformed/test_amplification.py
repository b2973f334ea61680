"""Small PyTorch and NumPy files whose parts refer to each other so often that reading each again would take hours or
terabytes: answered, or refused, within the limits of hostile.py."""

import io
import json
import struct
import zipfile

import numpy as np
import pytest
from hostile import model, refused, survived, value, write
from onnx import TensorProto, helper
from test_torch import edited, refused_model, repacked, zip_bytes


def weight_entry(template, elements, offset):
    meta = {**template["tensor_meta"], "dtype": 1, "sizes": [{"as_int": elements}], "strides": [{"as_int": 1}],
            "storage_offset": {"as_int": offset}}
    return {**template, "path_name": "big", "tensor_meta": meta}


@pytest.mark.parametrize("deflated", [False, True])
def test_many_weights_in_one_record(tmp_path, deflated):
    """A record is read, checked and inflated once, however many weights lie in it."""
    count, size = (20_000, 20 << 20) if not deflated else (200, 20 << 20)

    def change(name, data):
        if name != "data/weights/model_weights_config.json":
            return data
        config = json.loads(data)
        template = next(iter(config["config"].values()))
        for i in range(count):
            config["config"][f"extra{i}"] = weight_entry(template, 8, i)
        return json.dumps(config).encode()

    path = repacked(tmp_path / "many.pt2", change)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED) as archive:
        archive.writestr("tied/data/weights/big", bytes(size))
    survived("export", path, "-o", tmp_path / "out.onnx", statuses=(0,))


def test_long_names_around_many_outputs(tmp_path):
    """Each output is named by all the keys on the way to it."""

    def edit(program):
        module = program["graph_module"]
        graph, signature = module["graph"], module["signature"]
        graph["outputs"] = graph["outputs"][:1] * 3000
        signature["output_specs"] = signature["output_specs"][:1] * 3000
        leaf = '{"type": null, "context": null, "children_spec": []}'
        inner = '{"type": "builtins.tuple", "context": "null", "children_spec": [' + ", ".join([leaf] * 3000) + "]}"
        keys = json.dumps(json.dumps(["k" * (1 << 20)]))
        outer = '{"type": "builtins.dict", "context": ' + keys + ', "children_spec": [' + inner + "]}"
        module["module_call_graph"][0]["signature"]["out_spec"] = "[1, " + outer + "]"

    refused_model(edited(tmp_path / "hostile.pt2", "models/model.json", edit), words=["names"])


class Pickle:
    """Assembles a pickle by hand."""

    def __init__(self):
        self.bytes = bytearray(b"\x80\x02")
        self.slots = 0

    def add(self, *parts):
        for part in parts:
            self.bytes += part
        return self

    def keep(self):
        """Memoizes the top; what recalls it."""
        self.slots += 1
        self.add(b"r", struct.pack("<I", self.slots))
        return b"j" + struct.pack("<I", self.slots)

    def finish(self):
        return bytes(self.bytes) + b"."


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value):
    return b"J" + struct.pack("<i", value)


REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
DICT = b"ccollections\nOrderedDict\n)R"


def storage(key, elements):
    return b"(" + text("storage") + b"ctorch\nByteStorage\n" + text(key) + text("cpu") + number(elements) + b"tQ"


def test_example_inputs_in_a_long_dictionary(tmp_path):
    """The entries are found by their keys: not by comparing each with each."""
    keys = [f"k{i}" for i in range(50_000)]
    body = Pickle()
    body.add(b"}", b"(", text("other"))
    other = body.keep()
    body.add(b"N", *[text(key) + b"N" for key in keys], *[other + b"N"] * 1_500_000, b"u")
    body.add(b"\x85", b"}", b"\x86")  # ((dict,), {})

    def change(name, data):
        if name == "data/sample_inputs/model.pt":
            return bytes(zip_bytes(("archive/data.pkl", body.finish())))
        if name != "models/model.json":
            return data
        program = json.loads(data)
        none = '{"type": "builtins.NoneType", "context": "null", "children_spec": []}'
        leaf = '{"type": null, "context": null, "children_spec": []}'
        context = json.dumps(json.dumps([*keys, "index"]))
        inner = ('{"type": "builtins.dict", "context": ' + context + ', "children_spec": ['
                 + ", ".join([none] * len(keys) + [leaf]) + "]}")
        args = '{"type": "builtins.tuple", "context": "null", "children_spec": [' + inner + "]}"
        empty = '{"type": "builtins.dict", "context": "[]", "children_spec": []}'
        program["graph_module"]["module_call_graph"][0]["signature"]["in_spec"] = (
            '[1, {"type": "builtins.tuple", "context": "null", "children_spec": [' + args + ", " + empty + "]}]")
        return json.dumps(program).encode()

    survived("export", repacked(tmp_path / "hostile.pt2", change), "-o", tmp_path / "out.onnx", statuses=(0,))


def symbolic(expression, count):
    def edit(program):
        graph = program["graph_module"]["graph"]
        template = next(iter(graph["tensor_values"].values()))
        for i in range(count):
            size = {"as_expr": {"expr_str": expression(i), "hint": {"as_int": 2}}}
            graph["tensor_values"][f"extra{i}"] = {**template, "sizes": [size], "strides": [{"as_int": 1}]}
            graph["sym_int_values"][f"symbol{i}"] = size

    return edit


@pytest.mark.parametrize(("expression", "count"), {
    "maxima": (lambda i: "Max(" + "".join(f"Symbol('a{k}'), " for k in range(4000)) + f"Integer({i}))", 300),
    "sums": (lambda i: "Add(" + "".join(f"Symbol('a{k}'), " for k in range(4000)) + f"Integer({i}))", 300),
    "copies": (lambda i: "And(" + "a, " * 300_000 + f"b{i})", 30),
    "nested": (lambda i: "Max(Symbol('a'), Min(Symbol('b'), " * 40 + f"Integer({i})" + "))" * 40, 10_000),
}.values(), ids=["maxima", "sums", "copies", "nested"])
def test_expressions_in_numbers(tmp_path, expression, count):
    path = edited(tmp_path / "hostile.pt2", "models/model.json", symbolic(expression, count))
    survived("export", path, "-o", tmp_path / "out.onnx", statuses=(0, 2))


def weights_file(tmp_path, body, key="0"):
    path = tmp_path / "hostile.pth"
    path.write_bytes(zip_bytes(("archive/data.pkl", body), (f"archive/data/{key}", bytes(8)), ("archive/version", b"3\n")))
    return path


def test_tensors_that_share_long_metadata(tmp_path):
    body = Pickle().add(b"}", b"(", text("meta"), b"}", b"(", text("a"))
    name = body.keep()
    body.add(b"\x89", *[name + b"\x89"] * 1_000_000, b"u")
    metadata = body.keep()
    body.add(text("args"), b"(", storage("0", 8), number(0), b"K\x08\x85", b"K\x01\x85", b"\x89", DICT, metadata, b"t")
    arguments = body.keep()
    body.add(text("f"), REBUILD)
    rebuild = body.keep()
    for i in range(100_000):
        body.add(text(f"w{i}"), rebuild, arguments, b"R")
    body.add(b"u")
    survived("inspect", weights_file(tmp_path, body.finish()))


def test_tensors_of_a_storage_with_a_long_name(tmp_path):
    key = "k" * 60_000
    body = Pickle().add(b"}", b"(", text("s"), storage(key, 8))
    shared = body.keep()
    body.add(text("f"), REBUILD)
    rebuild = body.keep()
    body.add(text("z"), b"K\x00\x85")
    sizes = body.keep()
    body.add(text("h"), DICT)
    hooks = body.keep()
    for i in range(100_000):
        body.add(text(f"w{i}"), rebuild, b"(", shared, number(i), sizes, sizes, b"\x89", hooks, b"t", b"R")
    body.add(b"u")
    refused("inspect", weights_file(tmp_path, body.finish(), key), words=["hostile.pth", "storage"])


def test_overlapping_external_data(tmp_path):
    """Tensors that must be copied, since they do not lie aligned."""
    (tmp_path / "data.bin").write_bytes(bytes((8 << 20) + 4))
    names = [f"w{i}" for i in range(2000)]
    weights = []
    for name in names:
        weight = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[2 << 20], data_location=TensorProto.EXTERNAL)
        for key, text_value in (("location", "data.bin"), ("offset", "1"), ("length", str(8 << 20))):
            weight.external_data.add(key=key, value=text_value)
        weights.append(weight)
    path = write(tmp_path, model([helper.make_node("Sum", names, ["y"])], initializers=weights))
    refused("run", path, words=["hostile.onnx", "external data"])


def test_arrays_of_empty_texts(tmp_path):
    """Together they stay within what one archive may expand to."""
    path = tmp_path / "hostile.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(40):
            buffer = io.BytesIO()
            np.lib.format.write_array_header_1_0(buffer, {"descr": "<U0", "fortran_order": False, "shape": (16_000_000,)})
            archive.writestr(f"a{i}.npy", buffer.getvalue())
    target = write(tmp_path, model([helper.make_node("Identity", ["a0"], ["y"])], [value("a0", None, 8)]))
    refused("run", target, "--inputs", path, words=["strings", "npz"])
