"""Reading and writing any file of ONNX's backend suite gives an equal message, judged by the onnx package."""

import pathlib
import subprocess
import sys

import onnx
import pytest

from copier import ROOT, copy_all

SUITE = ROOT / "build" / "onnx-suite"
MESSAGES = {
    "tensor": onnx.TensorProto,
    "sequence": onnx.SequenceProto,
    "optional": onnx.OptionalProto,
    "map": onnx.MapProto,
}


@pytest.fixture(scope="session")
def suite():
    if not (SUITE / "real").is_dir():
        script = ROOT / "tests" / "onnx_suite" / "dump.py"
        subprocess.run([sys.executable, script, SUITE], check=True, capture_output=True)
    return SUITE


def parse(message_type, path):
    message = message_type()
    message.ParseFromString(pathlib.Path(path).read_bytes())
    return message


def test_models(suite, tmp_path):
    sources = sorted(suite.glob("*/*/model.onnx"))
    assert len(sources) == 2033
    jobs = [("model", source, tmp_path / f"{i}.onnx") for i, source in enumerate(sources)]
    different = []
    for (_, source, target), message in zip(jobs, copy_all(jobs), strict=True):
        if message != "ok":
            different.append(f"{source.parent.name}: {message}")
        elif parse(onnx.ModelProto, source) != parse(onnx.ModelProto, target):
            different.append(source.parent.name)
        target.unlink(missing_ok=True)
    assert not different


def value_kind(type_proto):
    return type_proto.WhichOneof("value").removesuffix("_type")


def test_values(suite, tmp_path):
    """Inputs and outputs: equal tensors. (A tensor in a typed field is written as raw data.)"""
    jobs = []
    for model_path in sorted(suite.glob("node/*/model.onnx")):
        graph = onnx.load(model_path).graph
        for prefix, infos in (("input", graph.input), ("output", graph.output)):
            for k, info in enumerate(infos):
                source = model_path.parent / "test_data_set_0" / f"{prefix}_{k}.pb"
                if source.exists():
                    jobs.append((value_kind(info.type), source, tmp_path / f"{len(jobs)}.pb"))
    assert len(jobs) > 4000
    different = []
    for (kind, source, target), message in zip(jobs, copy_all(jobs), strict=True):
        if message != "ok":
            different.append(f"{source}: {message}")
            continue
        before, after = parse(MESSAGES[kind], source), parse(MESSAGES[kind], target)
        if normal(before) != normal(after):
            different.append(str(source))
    assert not different


def normal(message):
    """The same value with every tensor in one encoding, and without what says nothing about the value."""
    if isinstance(message, onnx.TensorProto):
        array = onnx.numpy_helper.to_array(message)
        encoded = array.tolist() if message.data_type == onnx.TensorProto.STRING else array.tobytes()
        return (message.data_type, array.shape, encoded)
    if isinstance(message, onnx.SequenceProto):
        return [normal(item) for field in SEQUENCE_FIELDS for item in getattr(message, field)]
    if isinstance(message, onnx.MapProto):
        return (list(message.keys), list(message.string_keys), normal(message.values))
    present = [field for field in OPTIONAL_FIELDS if message.HasField(field)]
    return [normal(getattr(message, field)) for field in present]


SEQUENCE_FIELDS = ["tensor_values", "sequence_values", "map_values", "optional_values"]
OPTIONAL_FIELDS = ["tensor_value", "sequence_value", "map_value", "optional_value"]
