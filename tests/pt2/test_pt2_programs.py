"""Programs read from .pt2 files compute what the module computes, and say what PyTorch says of them."""

import json
import zipfile
import zlib

import pytest
import torch
from torch.utils import _pytree

import evaluate
import programs

USER_OUTPUT = 0


def save(program, folder, name):
    path = folder / f"{name}.pt2"
    torch.export.save(program, path)
    return path


def all_weights(program):
    return {**program.state_dict, **program.constants}


def assert_same(actual, desired):
    if not isinstance(desired, torch.Tensor):
        assert actual == desired
        return
    assert actual.dtype == desired.dtype and actual.shape == desired.shape
    torch.testing.assert_close(actual, desired, rtol=1e-6, atol=1e-6, equal_nan=True)


@pytest.mark.parametrize("decomposed", [False, True], ids=["training", "aten"])
@pytest.mark.parametrize("name", programs.CASES)
def test_functional_program_computes_the_same(name, decomposed, tmp_path):
    program, runs = programs.export(name, decomposed)
    path = save(program, tmp_path, name)
    weights = {key: value.detach().clone() for key, value in all_weights(program).items()}
    read = evaluate.read(path, functional=True)
    assert "error" not in read, read
    assert read["is_aten"] == decomposed
    assert not any(node["target"].split(".")[-2].endswith("_") for node in read["graph"]["nodes"])
    for args, kwargs in runs:
        copies = _pytree.tree_map(lambda t: t.clone() if isinstance(t, torch.Tensor) else t, (args, kwargs))
        with torch.no_grad():
            desired = _pytree.tree_flatten(program.module()(*copies[0], **copies[1]))[0]
            leaves = _pytree.tree_flatten((args, kwargs))[0]
            actual = evaluate.run_program(read, {key: value.clone() for key, value in weights.items()}, leaves)
        actual = [value for value, spec in zip(actual, read["output_specs"]) if spec[0] == USER_OUTPUT]
        assert len(actual) == len(desired)
        for one, other in zip(actual, desired):
            assert_same(one, other)


@pytest.mark.parametrize("name", programs.CASES)
def test_weights_are_pytorchs(name, tmp_path):
    program, _ = programs.export(name)
    read = evaluate.read(save(program, tmp_path, name))
    assert "error" not in read, read
    desired = all_weights(program)
    weights = read.get("weights") or {}
    assert set(weights) == set(desired)
    for key, tensor in desired.items():
        bytes_ = tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
        assert weights[key]["crc32"] == zlib.crc32(bytes_), key
        assert tuple(weights[key]["shape"]) == tuple(tensor.shape)
        assert evaluate.dtype(weights[key]["dtype"]) == tensor.dtype
        assert weights[key]["is_parameter"] == isinstance(tensor, torch.nn.Parameter)


def test_tied_weights_are_recognised(tmp_path):
    program, _ = programs.export("tied")
    weights = evaluate.read(save(program, tmp_path, "tied"))["weights"]
    shared = {name: weight["shared_with"] for name, weight in weights.items() if weight["shared_with"]}
    assert shared == {"head.weight": "embedding.weight"} or shared == {"embedding.weight": "head.weight"}


def test_example_inputs_are_pytorchs(tmp_path):
    program, runs = programs.export("structure")
    read = evaluate.read(save(program, tmp_path, "structure"))
    leaves = _pytree.tree_flatten(runs[0])[0]
    assert [s["crc32"] for s in read["sample_inputs"]] == [zlib.crc32(t.numpy().tobytes()) for t in leaves]


def test_nesting_is_pytorchs(tmp_path):
    program, runs = programs.export("structure")
    read = evaluate.read(save(program, tmp_path, "structure"))
    leaves = [_pytree.keystr(path) for path, _ in _pytree.tree_flatten_with_path(runs[0])[0]]
    assert read["input_paths"] == leaves
    outputs = program.module()(*runs[0][0], **runs[0][1])
    assert read["output_paths"] == [_pytree.keystr(path) for path, _ in _pytree.tree_flatten_with_path(outputs)[0]]


def test_symbols_and_ranges_are_pytorchs(tmp_path):
    program, _ = programs.export("dynamic")
    read = evaluate.read(save(program, tmp_path, "dynamic"))
    desired = {str(k): [int(v.lower), int(v.upper)] for k, v in program.range_constraints.items()}
    assert read["ranges"] == desired
    placeholder = next(n for n in program.graph.nodes if n.name == "x")
    symbol = next(iter(placeholder.meta["val"].shape[0].node.expr.free_symbols))
    assert read["graph"]["tensors"]["x"][1] == f"[2*{symbol},6]"


def test_origin_is_kept(tmp_path):
    program, _ = programs.export("network")
    nodes = evaluate.read(save(program, tmp_path, "network"))["graph"]["nodes"]
    conv = next(node for node in nodes if node["target"] == "aten.conv2d.default")
    assert conv["module"] == "features.0"
    assert "torch/nn/modules/conv.py" in conv["source"] and "return self._conv_forward(" in conv["source"]


def test_warnings_name_the_layer(tmp_path):
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3), torch.nn.Dropout())
    program = torch.export.export(model.train(), (torch.randn(4, 3),))
    warnings = evaluate.read(save(program, tmp_path, "train"), functional=True)["warnings"]
    assert len(warnings) == 2 and "layer '1' (batch_norm)" in warnings[0] and "layer '2' (dropout)" in warnings[1]
    state = evaluate.read(save(programs.export("state")[0], tmp_path, "state"), functional=True)["warnings"]
    assert len(state) == 2 and "'count'" in state[0] and "'scale'" in state[1]


def test_enabled_autocast_is_refused_until_decomposed(tmp_path):
    class Cast(torch.nn.Module):
        def forward(self, x):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return x @ x

    program = torch.export.export(Cast(), (torch.randn(3, 3),))
    error = evaluate.read(save(program, tmp_path, "cast"), functional=True)["error"]
    assert "autocast" in error and "run_decompositions" in error
    decomposed = evaluate.read(save(program.run_decompositions(), tmp_path, "decomposed"), functional=True)
    assert "error" not in decomposed


def rewrite(source, target, change):
    """Copies an archive with PyTorch's own writer; `change` maps {record: bytes} to the records of the copy."""
    with zipfile.ZipFile(source) as archive:
        records = {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}
    writer = torch._C.PyTorchFileWriter(str(target))
    for name, data in change(records).items():
        if name not in (".data/version", ".data/serialization_id", "byteorder"):
            writer.write_record(name, data, len(data))
    writer.write_end_of_file()


@pytest.mark.parametrize("name", ["tied", "state"])
def test_layout_of_torch_2_8(name, tmp_path):
    """Weights and constants as one pickled file each, which PyTorch itself still reads."""
    import io

    program, _ = programs.export(name)

    def pickled(tensors):
        buffer = io.BytesIO()
        torch.save(tensors, buffer)
        return buffer.getvalue()

    def change(records):
        kept = {k: v for k, v in records.items() if not k.startswith(("data/weights", "data/constants"))}
        return kept | {"data/weights/model.pt": pickled(program.state_dict),
                       "data/constants/model.pt": pickled(program.constants)}

    new, old = save(program, tmp_path, name), tmp_path / "old.pt2"
    rewrite(new, old, change)
    assert set(torch.export.load(old).state_dict) == set(program.state_dict)
    read_new, read_old = evaluate.read(new), evaluate.read(old)
    assert "error" not in read_old, read_old
    for key, weight in read_new["weights"].items():
        assert {**weight, "is_parameter": 0} == {**read_old["weights"][key], "is_parameter": 0}


def test_older_layouts_are_named(tmp_path):
    old = tmp_path / "old.pt2"
    with zipfile.ZipFile(old, "w") as archive:
        archive.writestr("version", "8.3")
        archive.writestr("serialized_exported_program.json", json.dumps({"graph_module": {}}))
    error = evaluate.read(old)["error"]
    assert "torch 2.7" in error and "torch.export.save" in error


def test_pickled_weights_are_refused(tmp_path):
    program, _ = programs.export("tied")

    def change(records):
        config = json.loads(records["data/weights/model_weights_config.json"])
        config["config"]["halves"]["use_pickle"] = True
        return records | {"data/weights/model_weights_config.json": json.dumps(config).encode()}

    rewrite(save(program, tmp_path, "tied"), tmp_path / "new.pt2", change)
    error = evaluate.read(tmp_path / "new.pt2")["error"]
    assert "'halves'" in error and "Python object" in error
