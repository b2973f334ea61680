"""Writes the seeds of tests/fuzz/corpus that are made, not found: run it from the repository root with .venv."""

import io
import json
import pathlib
import pickle
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CORPUS = pathlib.Path(__file__).parent / "corpus"


def seed(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def model(nodes, inputs, outputs, initializers=(), functions=(), opset=18):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(initializers))
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("local", 1)]
    return helper.make_model(graph, opset_imports=imports, functions=list(functions), ir_version=10)


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def tensor(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def onnx_models():
    x, y = value("x", ["n", 1, 4, 4]), value("y", None)
    w = tensor("w", np.ones((2, 1, 3, 3), np.float32))
    yield "conv", model(
        [helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]), helper.make_node("Relu", ["c"], ["y"])],
        [x], [y], [w])
    yield "shape", model(
        [helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Gather", ["s", "i"], ["b"]),
         helper.make_node("Concat", ["b", "m"], ["t"], axis=0), helper.make_node("Reshape", ["x", "t"], ["y"])],
        [x], [y], [tensor("i", np.array([0], np.int64)), tensor("m", np.array([-1], np.int64))])
    yield "expand", model(
        [helper.make_node("ConstantOfShape", ["s"], ["c"]), helper.make_node("Expand", ["c", "e"], ["y"])],
        [], [y], [tensor("s", np.array([2, 1], np.int64)), tensor("e", np.array([2, 3], np.int64))])
    resize = helper.make_node("Resize", ["x", "", "k"], ["r"], mode="linear")
    yield "resize", model(
        [resize, helper.make_node("Pad", ["r", "p"], ["y"])], [x], [y],
        [tensor("k", np.array([1, 1, 2, 2], np.float32)), tensor("p", np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64))])
    then = helper.make_graph([helper.make_node("Neg", ["x"], ["t"])], "then", [], [value("t", None)])
    other = helper.make_graph([helper.make_node("Abs", ["x"], ["e"])], "else", [], [value("e", None)])
    yield "if", model([helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other)],
                      [x, value("c", [], TensorProto.BOOL)], [y])
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["o"]), helper.make_node("Add", ["v", "v"], ["w"])], "body",
        [value("i", [], TensorProto.INT64), value("c", [], TensorProto.BOOL), value("v", None)],
        [value("o", [], TensorProto.BOOL), value("w", None)])
    yield "loop", model([helper.make_node("Loop", ["n", "", "x"], ["y"], body=body)], [x], [y],
                        [tensor("n", np.array(3, np.int64))])
    function = helper.make_function("local", "F", ["a"], ["b"], [helper.make_node("Exp", ["a"], ["b"])],
                                    [helper.make_opsetid("", 18)])
    yield "function", model([helper.make_node("F", ["x"], ["y"], domain="local")], [x], [y], functions=[function])
    external = tensor("w", np.ones((2, 1, 3, 3), np.float32))
    external.ClearField("raw_data")
    external.data_location = TensorProto.EXTERNAL
    for key, text in (("location", "w.bin"), ("offset", "0"), ("length", "72")):
        external.external_data.add(key=key, value=text)
    yield "external", model([helper.make_node("Conv", ["x", "w"], ["y"])], [x], [y], [external])
    sparse = helper.make_sparse_tensor(tensor("s", np.array([1.0, 2.0], np.float32)),
                                       tensor("", np.array([0, 3], np.int64)), [2, 2])
    with_sparse = model([helper.make_node("MatMul", ["x", "s"], ["y"])], [value("x", [2, 2])], [y])
    with_sparse.graph.sparse_initializer.append(sparse)
    yield "sparse", with_sparse
    yield "sequence", model(
        [helper.make_node("SplitToSequence", ["x"], ["q"], axis=2), helper.make_node("SequenceAt", ["q", "i"], ["y"])],
        [x], [y], [tensor("i", np.array(1, np.int64))])
    yield "einsum", model([helper.make_node("Einsum", ["x", "x"], ["y"], equation="...ij,...jk->...ik")], [x], [y])
    yield "lstm", model(
        [helper.make_node("LSTM", ["x", "w", "r"], ["y"], hidden_size=1)], [value("x", [2, 1, 1])], [y],
        [tensor("w", np.ones((1, 4, 1), np.float32)), tensor("r", np.ones((1, 4, 1), np.float32))])


def main():
    for name, proto in onnx_models():
        seed("onnx", name, proto.SerializeToString())
    seed("value", "tensor", tensor("x", np.arange(6, dtype=np.float32)).SerializeToString())
    seed("value", "strings", tensor("x", np.array(["a", "bc"], object)).SerializeToString())
    sequence = numpy_helper.from_list([np.arange(2.0), np.arange(3.0)], "q")
    seed("value", "sequence", sequence.SerializeToString())
    seed("value", "map", numpy_helper.from_dict({1: np.arange(2.0), 2: np.arange(2.0)}, "m").SerializeToString())
    seed("value", "optional", onnx.helper.make_optional("o", onnx.OptionalProto.TENSOR,
                                                       tensor("x", np.arange(2.0))).SerializeToString())
    for file in sorted((CORPUS.parents[1] / "data" / "pt2").glob("*.pt2")):
        archive = zipfile.ZipFile(file)
        for name in archive.namelist():
            if "/models/" in name and name.endswith(".json"):
                program = json.loads(archive.read(name))
                seed("pt2_json", file.stem, json.dumps(program, separators=(",", ":")).encode())
    for file in ("kinds.pt", "checkpoint.pt"):
        archive = zipfile.ZipFile(CORPUS.parents[1] / "data" / "torch" / file)
        seed("pickle", file, archive.read(next(n for n in archive.namelist() if n.endswith("data.pkl"))))
    for protocol in (0, 2, 4, 5):
        seed("pickle", f"protocol{protocol}", pickle.dumps({"a": (1, 2.5, "x", b"y", None), "b": [1 << 70]}, protocol))
    seed("srepr", "sum", b"Add(Mul(Integer(2), Symbol('s77', positive=True, integer=True)), Integer(-1))")
    seed("srepr", "floor", b"FloorDiv(Symbol('s0', integer=True), Max(Integer(1), Pow(Symbol('s1'), Integer(2))))")
    weights = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
               "b": {"dtype": "I8", "shape": [1, 3], "data_offsets": [8, 11]}}
    header = json.dumps(weights).encode()
    seed("safetensors", "two", len(header).to_bytes(8, "little") + header + bytes(11))
    for name, text in (("lines", "tench\ngoldfish\n"), ("list", '["a", "b"]'), ("index", '{"0": ["n01", "a"], "2": "c"}'),
                       ("name", '{"a": 0, "b": 1}')):
        seed("labels", name, text.encode())
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.arange(3), b=np.array(["x", "yz"]))
    seed("zip", "npz", buffer.getvalue())
    buffer = io.BytesIO()
    np.save(buffer, np.asfortranarray(np.arange(6, dtype=">f8").reshape(2, 3)))
    seed("npy", "fortran", buffer.getvalue())
    for target in ("pt2", "torch_save", "image"):
        (CORPUS / target).mkdir(exist_ok=True)


if __name__ == "__main__":
    main()
