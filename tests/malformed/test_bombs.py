"""Small valid models that would take terabytes or for ever: refused, or ended, before they take either."""

import numpy as np
import pytest
from hostile import ints, model, refused, survived, tensor, value, write
from onnx import TensorProto, helper

NODE = helper.make_node
HUGE = 1 << 40
ONE = tensor("one", [1.0], np.float32)


def node(op, inputs, initializers, graph_inputs=(), **attributes):
    return model([NODE(op, inputs, ["y"], name="bomb", **attributes)], graph_inputs,
                 initializers=list(initializers))


def as_inputs(op, inputs, *arrays, **attributes):
    """The same, but sizes come as inputs with defaults, which no pass may fold and no rule may know."""
    proto = node(op, inputs, arrays, [value(a.name, list(a.dims), a.data_type) for a in arrays], **attributes)
    return proto


BOMBS = {
    "expand": ("Expand", ["one", "s"], (ONE, ints("s", HUGE))),
    "expand_overflow": ("Expand", ["one", "s"], (ONE, ints("s", 1 << 62, 1 << 62))),
    "constant_of_shape": ("ConstantOfShape", ["s"], (ints("s", HUGE),)),
    "constant_of_shape_overflow": ("ConstantOfShape", ["s"], (ints("s", 1 << 40, 1 << 40),)),
    "range": ("Range", ["a", "b", "c"], (tensor("a", 0, np.int64), tensor("b", HUGE, np.int64), tensor("c", 1, np.int64))),
    "range_float": ("Range", ["a", "b", "c"],
                    (tensor("a", 0, np.float32), tensor("b", 1e30, np.float32), tensor("c", 1e-9, np.float32))),
    "tile": ("Tile", ["one", "s"], (ONE, ints("s", HUGE))),
    "tile_overflow": ("Tile", ["two", "s"], (tensor("two", [1, 2], np.float32), ints("s", (1 << 63) - 1))),
    "pad": ("Pad", ["one", "s"], (ONE, ints("s", 0, HUGE))),
    "pad_overflow": ("Pad", ["one", "s"], (ONE, ints("s", (1 << 63) - 1, (1 << 63) - 1))),
    "one_hot": ("OneHot", ["i", "d", "v"], (ints("i", 1, 2), tensor("d", HUGE, np.int64), tensor("v", [0, 1], np.float32))),
    "resize": ("Resize", ["image", "", "k"], (tensor("image", np.ones((1, 1, 2, 2)), np.float32),
                                              tensor("k", [1, 1, 1e6, 1e6], np.float32))),
    "resize_scale_1e38": ("Resize", ["image", "", "k"], (tensor("image", np.ones((1, 1, 2, 2)), np.float32),
                                                         tensor("k", [1, 1, 1e38, 1e38], np.float32))),
    "resize_sizes": ("Resize", ["image", "", "", "k"], (tensor("image", np.ones((1, 1, 2, 2)), np.float32),
                                                        ints("k", 1, 1, HUGE, HUGE))),
    "reshape": ("Reshape", ["one", "s"], (ONE, ints("s", HUGE, HUGE))),
    "eye_like": ("EyeLike", ["e"], (tensor("e", np.zeros((1, 0)), np.float32),)),
}


@pytest.mark.parametrize("source", ["constant", "input"])
@pytest.mark.parametrize("name", [n for n in BOMBS if n != "eye_like"])
def test_terabytes_are_refused(tmp_path, name, source):
    op, inputs, arrays = BOMBS[name]
    proto = node(op, inputs, arrays) if source == "constant" else as_inputs(op, inputs, *arrays)
    path = write(tmp_path, proto)
    refused("run", path, words=[path.name, "bomb", op])
    refused("run", path, "--reference", words=[path.name, "bomb", op])


@pytest.mark.parametrize("name", BOMBS)
def test_export_takes_no_terabytes(tmp_path, name):
    op, inputs, arrays = BOMBS[name]
    path = write(tmp_path, node(op, inputs, arrays))
    for opset in (18, 11):
        survived("export", path, "-o", tmp_path / "out.onnx", "--opset", opset)


def test_intermediate_terabytes_are_refused(tmp_path):
    """A small output behind a huge value."""
    proto = model([NODE("Expand", ["one", "s"], ["huge"], name="bomb"), NODE("ReduceSum", ["huge"], ["y"], keepdims=0)],
                  initializers=[ONE, ints("s", HUGE)])
    path = write(tmp_path, proto)
    refused("run", path, words=[path.name, "bomb", "Expand"])


def test_many_gigabytes_together_are_refused(tmp_path):
    """Each of 64 values of 512 MB is small enough, all of them are not."""
    nodes = [NODE("Expand", [f"c{i}", "s"], [f"v{i}"]) for i in range(64)]
    nodes.append(NODE("Sum", [f"v{i}" for i in range(64)], ["y"]))
    proto = model(nodes, initializers=[ints("s", 1 << 27), *[tensor(f"c{i}", [i], np.float32) for i in range(64)]])
    refused("run", write(tmp_path, proto), words=["hostile.onnx"])


def endless_loop(trips):
    body = helper.make_graph([NODE("Identity", ["c"], ["o"]), NODE("Identity", ["v"], ["w"])], "body",
                             [value("i", [], TensorProto.INT64), value("c", [], TensorProto.BOOL), value("v", [1])],
                             [value("o", [], TensorProto.BOOL), value("w", [1])])
    return model([NODE("Loop", ["n", "t", "one"], ["y"], name="bomb", body=body)],
                 initializers=[tensor("n", trips, np.int64), tensor("t", True, np.bool_), ONE])


@pytest.mark.parametrize("reference", [[], ["--reference"]])
def test_endless_loop_ends_at_the_deadline(tmp_path, reference):
    path = write(tmp_path, endless_loop((1 << 63) - 1))
    refused("run", path, "--timeout", "1", *reference, words=[path.name, "deadline"])


def test_export_of_endless_loop_ends(tmp_path):
    survived("export", write(tmp_path, endless_loop((1 << 63) - 1)), "-o", tmp_path / "out.onnx", statuses=(0,))


def test_loop_that_collects_for_ever_ends(tmp_path):
    body = helper.make_graph([NODE("Identity", ["c"], ["o"]), NODE("Expand", ["one", "s"], ["w"])], "body",
                             [value("i", [], TensorProto.INT64), value("c", [], TensorProto.BOOL)],
                             [value("o", [], TensorProto.BOOL), value("w", [1 << 20])])
    proto = model([NODE("Loop", ["n", "t"], ["y"], name="bomb", body=body)],
                  initializers=[tensor("n", (1 << 63) - 1, np.int64), tensor("t", True, np.bool_), ONE, ints("s", 1 << 20)])
    refused("run", write(tmp_path, proto), "--timeout", "10", words=["hostile.onnx", "Expand"])


def test_huge_declared_inputs_are_refused(tmp_path):
    proto = model([NODE("Relu", ["x"], ["y"])], [value("x", [1 << 40, 1 << 40])])
    refused("run", write(tmp_path, proto), "--input", "x=random", words=["'x'"])


def test_chain_of_doublings_ends(tmp_path):
    """60 Concat nodes, each twice as large as the one before: 2^60 elements, and symbolic sizes on the way."""
    for shape in ([1], ["n"]):
        nodes = [NODE("Concat", [f"v{i}", f"v{i}"], [f"v{i + 1}"], axis=0, name=f"n{i}") for i in range(60)]
        proto = model([*nodes, NODE("Identity", ["v60"], ["y"])], [value("v0", shape)])
        path = write(tmp_path, proto)
        refused("run", path, "--input", "v0=random", words=[path.name])
        survived("export", path, "-o", tmp_path / "out.onnx")


def test_symbolic_products_stay_small(tmp_path):
    """Sizes whose expressions would grow exponentially when written out."""
    nodes = []
    for i in range(40):
        nodes += [NODE("Reshape", [f"v{i}", "flat"], [f"f{i}"], name=f"r{i}"),
                  NODE("Unsqueeze", [f"f{i}", "axis"], [f"u{i}"]), NODE("MatMul", [f"u{i}", f"t{i}"], [f"v{i + 1}"], name=f"m{i}")]
        nodes.insert(-1, NODE("Transpose", [f"u{i}"], [f"t{i}"], perm=[1, 0]))
    proto = model([*nodes, NODE("Identity", ["v40"], ["y"])], [value("v0", ["a", "b"])],
                  initializers=[ints("flat", -1), ints("axis", 1)])
    survived("export", write(tmp_path, proto), "-o", tmp_path / "out.onnx")
