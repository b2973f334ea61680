"""ONNX files that break a rule of the format: each is refused, by one line that names file and place."""

import numpy as np
import onnx
import pytest
from hostile import ints, model, refused, refused_by_all, tensor, value, write
from onnx import TensorProto, helper

NODE = helper.make_node
IDENTITY = [NODE("Identity", ["weight_7"], ["y"], name="the_node")]


def raw(dims, data, kind=TensorProto.FLOAT):
    return TensorProto(name="weight_7", dims=dims, data_type=kind, raw_data=data)


def with_tensor(proto):
    return model(IDENTITY, initializers=[proto])


def conv(x_shape, w_shape):
    return model([NODE("Conv", ["x", "w"], ["y"], name="the_node")], [value("x", x_shape)],
                 initializers=[tensor("w", np.zeros(w_shape, np.float32))])


def nested(depth):
    """`depth` graphs in one another, as bytes: the onnx package's own writer stops at 100 messages."""
    def field(number, data):
        size = b""
        rest = len(data)
        while rest > 127:
            size += bytes([rest & 127 | 128])
            rest >>= 7
        return bytes([number << 3 | 2]) + size + bytes([rest]) + data

    graph = value("y").SerializeToString()
    graph = field(12, graph)
    for _ in range(depth):
        attribute = field(1, b"then_branch") + field(6, graph) + bytes([20 << 3 & 127 | 128, 1, 5])
        graph = field(1, field(2, b"y") + field(4, b"If") + field(5, attribute)) + field(12, value("y").SerializeToString())
    return field(7, graph) + bytes([8, 10]) + field(8, bytes([16, 18]))


def functions(*pairs):
    """Local functions by name and the operators they call, one after another."""
    made = []
    for name, calls in pairs:
        names = ["a", *[f"t{i}" for i in range(len(calls) - 1)], "b"]
        nodes = [NODE(call, [names[i]], [names[i + 1]], domain="local") for i, call in enumerate(calls)]
        made.append(helper.make_function("local", name, ["a"], ["b"], nodes,
                                         [helper.make_opsetid("", 18), helper.make_opsetid("local", 1)]))
    return made


def calls(*pairs):
    return model([NODE(pairs[0][0], ["x"], ["y"], domain="local")], [value("x", [1])], functions=functions(*pairs))


def recursion_through_subgraph():
    branch = helper.make_graph([NODE("F", ["a"], ["t"], domain="local")], "branch", [], [value("t")])
    nodes = [NODE("ReduceMax", ["a"], ["m"], keepdims=0), NODE("Cast", ["m"], ["c"], to=TensorProto.BOOL),
             NODE("If", ["c"], ["b"], then_branch=branch, else_branch=branch)]
    function = helper.make_function("local", "F", ["a"], ["b"], nodes,
                                    [helper.make_opsetid("", 18), helper.make_opsetid("local", 1)])
    return model([NODE("F", ["x"], ["y"], domain="local")], [value("x", [1])], functions=[function])


def untyped_input():
    proto = model([NODE("Relu", ["x"], ["y"])], [value("x", [1])])
    proto.graph.input[0].ClearField("type")
    return proto


def bad_attribute():
    proto = model([NODE("Concat", ["x", "x"], ["y"], name="the_node", axis=0)], [value("x", [1])])
    proto.graph.node[0].attribute[0].type = onnx.AttributeProto.STRING
    return proto


def sparse(indices, dims, values=(1.0, 2.0)):
    return model([NODE("Identity", ["s"], ["y"])], sparse=[helper.make_sparse_tensor(
        tensor("s", values, np.float32), tensor("", indices, np.int64), dims)])


CASES = {
    "dims_overflow": (with_tensor(raw([1 << 32, 1 << 32], b"")), ["'weight_7'"]),
    "dims_overflow_to_fit": (with_tensor(raw([1 << 62, 4], b"")), ["'weight_7'"]),
    "negative_dims": (with_tensor(raw([-1], b"")), ["'weight_7'"]),
    "raw_data_short": (with_tensor(raw([3], bytes(8))), ["'weight_7'"]),
    "raw_data_no_multiple": (with_tensor(raw([2], bytes(7))), ["'weight_7'"]),
    "float_data_short": (with_tensor(TensorProto(name="weight_7", dims=[4], data_type=1, float_data=[1, 2])), ["'weight_7'"]),
    "one_byte_of_int4": (with_tensor(TensorProto(name="weight_7", dims=[700_000_000], data_type=TensorProto.INT4,
                                                 int32_data=[1])), ["'weight_7'"]),
    "one_raw_byte_of_int4": (with_tensor(raw([700_000_000], b"\x11", TensorProto.INT4)), ["'weight_7'"]),
    "rank_65": (with_tensor(raw([1] * 65, bytes(4))), ["'weight_7'", "65 dimensions"]),
    "unknown_type": (with_tensor(raw([1], bytes(4), 77)), ["'weight_7'"]),
    "cycle": (model([NODE("Relu", ["b"], ["a"], name="first"), NODE("Relu", ["a"], ["b"]),
                     NODE("Relu", ["a"], ["y"])]), ["first", "Relu", '"b"']),
    "self_loop": (model([NODE("Relu", ["y"], ["y"], name="the_node")]), ["the_node"]),
    "duplicate_value": (model([NODE("Relu", ["x"], ["y"]), NODE("Abs", ["x"], ["y"])], [value("x", [1])]), ["'y'"]),
    "duplicate_initializer": (model(IDENTITY, initializers=[ints("weight_7", 1), ints("weight_7", 2)]), ["'weight_7'"]),
    "subgraphs_33": (nested(33), []),
    "subgraphs_101": (nested(101), []),
    "subgraphs_10000": (nested(10_000), []),
    "function_calls_itself": (calls(("F", ["F"])), ["F"]),
    "functions_call_each_other": (calls(("F", ["G"]), ("G", ["H"]), ("H", ["F"])), ["F"]),
    "recursion_through_subgraph": (recursion_through_subgraph(), ["F"]),
    "exponential_inlining": (calls(*[(f"F{i}", [f"F{i + 1}"] * 10) for i in range(12)], ("F12", ["Relu"])), []),
    "unknown_operator": (model([NODE("NoSuch", ["x"], ["y"], name="the_node")], [value("x", [1])]), ["NoSuch"]),
    "conv_rank": (conv([1, 1, 4], (1, 1, 3, 3)), ["the_node", "Conv"]),
    "conv_rank_1": (conv([4], (1, 1, 3, 3)), ["the_node", "Conv"]),
    "conv_channels": (conv([1, 5, 4, 4], (1, 2, 3, 3)), ["the_node", "Conv"]),
    "missing_input_type": (untyped_input(), ["'x'"]),
    "attribute_type": (bad_attribute(), ["axis"]),
    "gather_beyond": (model([NODE("Gather", ["w", "i"], ["y"], name="the_node")],
                            initializers=[tensor("w", [1.0, 2.0], np.float32), ints("i", 2)]), ["the_node"]),
    "gather_negative": (model([NODE("Gather", ["w", "i"], ["y"], name="the_node")],
                              initializers=[tensor("w", [1.0, 2.0], np.float32), ints("i", -3)]), ["the_node"]),
    "split_into_zero": (model([NODE("Split", ["w"], ["y"], name="the_node", num_outputs=0)],
                              initializers=[tensor("w", [1.0, 2.0], np.float32)]), ["the_node"]),
    "sparse_index_beyond": (sparse([0, 9], [2, 2]), ["s"]),
    "sparse_index_negative": (sparse([-1, 2], [2, 2]), ["s"]),
    "sparse_unordered": (sparse([2, 1], [2, 2]), ["s"]),
    "sparse_huge": (sparse([0, 1], [1 << 40, 1 << 20]), ["s"]),
    "sparse_terabytes": (sparse([0, 1], [1 << 20, 1 << 20]), []),
}


@pytest.mark.parametrize("name", CASES)
def test_refuses(tmp_path, name):
    proto, words = CASES[name]
    # An operator that nobody knows is valid ONNX, and not supported.
    statuses = (1,) if name == "unknown_operator" else (2,)
    path = write(tmp_path, proto)
    if name.startswith("gather"):  # data, not structure: an export may write it, a run cannot
        refused("run", path, words=(path.name, *words))
    else:
        refused_by_all(path, words, statuses)


@pytest.mark.parametrize(("name", "data"), {
    "varint_of_11_bytes": b"\x08" + b"\xff" * 10 + b"\x01",
    "wrong_wire_type": b"\x08\x0a\x3dabcd",
    "nested_groups": b"\x08\x0a" + b"\x0b" * 100_000,
    "length_past_end": b"\x08\x0a\x3a\x7fx",
    "length_of_2_to_63": b"\x08\x0a\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    "empty": b"",
    "zeros": bytes(1000),
}.items())
def test_refuses_broken_protobuf(tmp_path, name, data):
    refused_by_all(write(tmp_path, data, name + ".onnx"))


def test_every_truncation_ends_in_an_error_or_a_smaller_model(tmp_path):
    whole = conv([1, 1, 4, 4], (1, 1, 3, 3)).SerializeToString()
    path = tmp_path / "cut.onnx"
    for length in range(0, len(whole), 7):  # at every byte: src/formats/onnx/reader_test.cpp, tests/fuzz
        path.write_bytes(whole[:length])
        refused("run", path, words=[path.name], statuses=(1, 2))
