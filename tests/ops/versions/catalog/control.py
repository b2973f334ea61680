"""If, Loop, Scan, SequenceMap: bodies, captured values, nothing to do, several depths."""

import numpy as np
import onnx
from onnx import TensorProto, TypeProto, helper, numpy_helper

from case import Case, cases
from values import dtype_of, element_of, element_of_dtype, make

FLOAT, INT, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def info(name, element=None, shape=None):
    return helper.make_tensor_value_info(name, element, shape) if element else helper.make_value_info(name, TypeProto())


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


def body(name, nodes, inputs, outputs, constants=None):
    initializers = [numpy_helper.from_array(np.asarray(c), n) for n, c in (constants or {}).items()]
    return helper.make_graph(nodes, name, inputs, outputs, initializers)


def element(v, name):
    return element_of(v.types[name])


def typed(value, name):
    if isinstance(value, list):
        return helper.make_tensor_sequence_value_info(name, element_of_dtype(value[0].dtype), None)
    return info(name, element_of_dtype(value.dtype), None)


def allows(op, opset, kind):
    """Whether an operator of the opset has that type."""
    constraints = onnx.defs.get_schema(op, opset).type_constraints
    return any(kind in c.allowed_type_strs for c in constraints)


def declared(name, kind):
    """A value of the type "optional(seq(tensor(float)))", of unknown shape."""
    proto = helper.make_tensor_type_proto(element_of(kind), None)
    if "seq" in kind:
        proto = helper.make_sequence_type_proto(proto)
    if kind.startswith("optional"):
        proto = helper.make_optional_type_proto(proto)
    return helper.make_value_info(name, proto)


def kept(v, kind, source, target):
    """A node that gives a value again: Identity or, where that lacks the type, a loop that changes nothing."""
    if allows("Identity", v.opset, kind):
        return node("Identity", source, target)
    keep = body("keep", [node("Identity", "go", "go_out")], [info("i", INT, []), info("go", BOOL, []), declared("s", kind)],
                [info("go_out", BOOL, []), declared("s", kind)])
    return helper.make_node("Loop", ["", "no", source], [target], body=keep)


def of_kind(kind, a, b):
    """Two values of the type, made of two tensors; an optional is once full and once empty."""
    if kind.startswith("optional(seq"):
        return [a, b], helper.make_sequence_type_proto(helper.make_tensor_type_proto(element_of(kind), None))
    if kind.startswith("optional"):
        return a, helper.make_tensor_type_proto(element_of(kind), None)
    return ([a, b], [b]) if kind.startswith("seq") else (a, b)


def expected(value):
    return None if isinstance(value, TypeProto) else value


@cases("If")
def if_(v):
    kind = v.types["V"]
    dtype = dtype_of(element_of(kind))
    small = dtype.name.startswith(("int2", "uint2"))
    a = make(v.rng, dtype, (2, 3), 0 if small else -4, 1 if small else 4)
    b = make(v.rng, dtype, (4,) if v.version >= 11 else (2, 3), 0 if small else -4, 1 if small else 4)
    x, y = of_kind(kind, a, b)
    for condition in (True, False):
        # Branches whose outputs have other shapes, made from captured values.
        then = body("then", [kept(v, kind, "a", "r")], [], [declared("r", kind)])
        other = body("else", [kept(v, kind, "b", "r")], [], [declared("r", kind)])
        captures = {"a": x, "b": y}
        if not allows("Identity", v.opset, kind):
            captures["no"] = np.array(False)
        yield Case([np.array(condition)], {"then_branch": then, "else_branch": other}, captures=captures, name=f"captured {condition}",
                   expect=[expected(x if condition else y)], optional_inputs=(1, 2) if kind.startswith("optional") else ())
    if kind.startswith("seq") and allows("SequenceConstruct", v.opset, kind[4:-1]):
        for condition in (True, False):
            then = body("then", [node("SequenceConstruct", "a b", "r")], [], [declared("r", kind)])
            other = body("else", [node("SequenceConstruct", "b", "r")], [], [declared("r", kind)])
            yield Case([np.array(condition)], {"then_branch": then, "else_branch": other}, captures={"a": a, "b": b},
                       expect=[[a, b] if condition else [b]], name=f"sequences made {condition}")
    if kind.startswith("optional") and allows("Optional", v.opset, kind):
        for condition in (True, False):
            then = body("then", [node("Optional", "a", "r")], [], [declared("r", kind)])
            other = body("else", [helper.make_node("Optional", [], ["r"], type=y)], [], [declared("r", kind)])
            yield Case([np.array(condition)], {"then_branch": then, "else_branch": other}, captures={"a": x},
                       expect=[x if condition else None], name=f"optionals made {condition}")
    if kind == "tensor(float)":
        yield from nested_ifs(v)


def nested_ifs(v):
    """Three deep, each level using values of all levels above it."""
    f = lambda n: info(n, FLOAT, None)  # noqa: E731
    for outer in (True, False):
        for middle in (True, False):
            innermost_then = body("tt", [node("Add", "m x", "r3")], [], [f("r3")])
            innermost_else = body("te", [node("Mul", "m x", "r4")], [], [f("r4")])
            middle_then = body("t", [
                node("Sub", "o x", "m"),
                helper.make_node("If", ["q"], ["r2"], then_branch=innermost_then, else_branch=innermost_else),
            ], [], [f("r2")])
            middle_else = body("e", [node("Neg", "o", "r5")], [], [f("r5")])
            outer_then = body("then", [
                node("Add", "x x", "o"),
                helper.make_node("If", ["p"], ["r1"], then_branch=middle_then, else_branch=middle_else),
            ], [], [f("r1")])
            outer_else = body("else", [node("Identity", "x", "r6")], [], [f("r6")])
            x = np.array([1.5, -2.0], np.float32)
            for inner in (True, False):
                o = x + x
                m = o - x
                result = ((m + x if inner else m * x) if middle else -o) if outer else x
                yield Case([np.array(outer)], {"then_branch": outer_then, "else_branch": outer_else},
                           captures={"p": np.array(middle), "q": np.array(inner), "x": x}, expect=[result],
                           name=f"nested {outer} {middle} {inner}")


def loop_body(v, dtype, shape, with_scan=True, until=None, state_nodes=None):
    e = element_of_dtype(dtype)
    nodes = state_nodes or [node("Identity", "s", "s_out")]
    nodes = [*nodes]
    constants = {}
    if until is None:
        nodes.append(node("Identity", "go", "go_out"))
    else:
        constants["until"] = np.array(until, np.int64)
        nodes.append(node("Less", "i until", "go_out"))
    outputs = [info("go_out", BOOL, []), info("s_out", e, None)]
    if with_scan:
        nodes.append(node("Identity", "s", "scan"))
        outputs.append(info("scan", e, shape))
    return body("body", nodes, [info("i", INT, []), info("go", BOOL, []), info("s", e, shape)], outputs, constants)


@cases("Loop")
def loop(v):
    for case in loops(v):
        # Less of integers, in some bodies, is not there before opset 9.
        case.opset = 10 if v.version < 11 else None
        yield case


def loops(v):
    kind = v.types["V"]
    dtype = dtype_of(element_of(kind))
    small = dtype.name.startswith(("int2", "uint2"))
    x = make(v.rng, dtype, (2,), 0 if small else -4, 1 if small else 4)
    trips = np.array(3, np.int64)
    if kind.startswith("tensor"):
        yield Case([trips, None, x], {"body": loop_body(v, dtype, [2])}, 2, expect=[x, np.stack([x] * 3)], name="carried")
        yield Case([trips, np.array(False), x], {"body": loop_body(v, dtype, [2])}, 2, expect=[x, np.zeros((0, 2), dtype)], name="condition is false")
        yield Case([np.array(0), np.array(True), x], {"body": loop_body(v, dtype, [2])}, 2, expect=[x, np.zeros((0, 2), dtype)], name="no trips")
    else:
        for value, name in zip(of_kind(kind, x, x), ("carried", "another carried"), strict=True):
            # The state is handed on by the body's own input, which every type allows.
            keep = body("body", [node("Identity", "go", "go_out")], [info("i", INT, []), info("go", BOOL, []), declared("s", kind)],
                        [info("go_out", BOOL, []), declared("s", kind)])
            for count in (3, 0):
                yield Case([np.array(count, np.int64), None, value], {"body": keep}, expect=[expected(value)], name=f"{name} {count} times",
                           optional_inputs=(2,) if kind.startswith("optional") else ())
    if kind.startswith("seq") and allows("SequenceInsert", v.opset, kind):
        sequence = [x, x]
        grow = body("body", [node("Identity", "go", "go_out"), node("SequenceInsert", "s x", "s_out")],
                    [info("i", INT, []), info("go", BOOL, []), declared("s", kind)], [info("go_out", BOOL, []), declared("s_out", kind)])
        yield Case([trips, None, sequence], {"body": grow}, captures={"x": x}, expect=[[x] * 5], name="sequence grows")
        yield Case([np.array(0), None, sequence], {"body": grow}, captures={"x": x}, expect=[[x] * 2], name="sequence, no trips")
    if kind == "tensor(float)":
        yield from float_loops(v, x, trips)


def float_loops(v, x, trips):
    until = loop_body(v, x.dtype, [2], until=2, state_nodes=[node("Add", "s x", "s_out")])
    values = [x * (k + 1) for k in range(4)]
    yield Case([None, np.array(True), x], {"body": until}, 2, captures={"x": x}, expect=[values[3], np.stack(values[:3])], name="only a condition")
    yield Case([np.array(2), np.array(True), x], {"body": until}, 2, captures={"x": x}, expect=[values[2], np.stack(values[:2])], name="trips end first")
    yield Case([np.array(100), None, x], {"body": until}, 2, captures={"x": x}, expect=[values[3], np.stack(values[:3])], name="condition ends first")
    # A state that grows.
    grow = body("body", [node("Identity", "go", "go_out"), node("Concat", "s x", "s_out", axis=0)],
                [info("i", INT, []), info("go", BOOL, []), info("s", FLOAT, None)], [info("go_out", BOOL, []), info("s_out", FLOAT, None)])
    yield Case([trips, None, x], {"body": grow}, captures={"x": x}, expect=[np.concatenate([x] * 4)], name="growing state")
    # Three deep: each body uses the counters and states of the ones around it.
    inner = body("inner", [node("Identity", "g3", "g3o"), node("Cast", "i1", "f1", to=FLOAT), node("Cast", "i3", "f3", to=FLOAT),
                           node("Mul", "f1 f3", "p"), node("Add", "c p", "c1"), node("Add", "c1 x", "co")],
                 [info("i3", INT, []), info("g3", BOOL, []), info("c", FLOAT, [2])], [info("g3o", BOOL, []), info("co", FLOAT, [2])])
    middle = body("middle", [node("Identity", "g2", "g2o"), helper.make_node("Loop", ["n3", "", "b"], ["bo"], body=inner)],
                  [info("i2", INT, []), info("g2", BOOL, []), info("b", FLOAT, [2])], [info("g2o", BOOL, []), info("bo", FLOAT, [2])])
    outer = body("outer", [node("Identity", "g1", "g1o"), helper.make_node("Loop", ["n2", "", "a"], ["ao"], body=middle), node("Identity", "ao", "s")],
                 [info("i1", INT, []), info("g1", BOOL, []), info("a", FLOAT, [2])], [info("g1o", BOOL, []), info("ao", FLOAT, [2]), info("s", FLOAT, [2])])
    a, scans = x.copy(), []
    for i1 in range(3):
        for _ in range(2):
            for i3 in range(2):
                a = a + i1 * i3 + x
        scans.append(a)
    yield Case([trips, None, x], {"body": outer}, 2, captures={"n2": np.array(2), "n3": np.array(2), "x": x},
               expect=[a, np.stack(scans)], name="nested three deep")
    if v.version < 11:
        return
    # No state at all, and only an outer value in the scan output.
    only = body("body", [node("Identity", "go", "go_out"), node("Identity", "x", "scan")],
                [info("i", INT, []), info("go", BOOL, [])], [info("go_out", BOOL, []), info("scan", FLOAT, [2])])
    yield Case([trips, None], {"body": only}, captures={"x": x}, expect=[np.stack([x] * 3)], name="no state")


@cases("Scan")
def scan(v):
    dtype = dtype_of(element_of(v.types["V"]))
    small = dtype.name.startswith(("int2", "uint2"))
    e = element_of_dtype(dtype)
    state = make(v.rng, dtype, (2,), 0 if small else -4, 1 if small else 4)
    x = make(v.rng, dtype, (4, 2), 0 if small else -4, 1 if small else 4)
    step = body("body", [node("Identity", "p", "po"), node("Identity", "q", "qo")],
                [info("p", e, [2]), info("q", e, [2])], [info("po", e, [2]), info("qo", e, [2])])
    if v.version == 8:
        batch = lambda a: np.stack([a, a])  # noqa: E731
        yield Case([None, batch(state), batch(x)], {"body": step, "num_scan_inputs": 1}, 2, expect=[batch(state), batch(x)])
        yield Case([None, batch(state), batch(x)], {"body": step, "num_scan_inputs": 1, "directions": [1]}, 2,
                   expect=[batch(state), batch(x[::-1])], name="backwards")
        lengths = np.array([2, 4])
        short = batch(x)
        short[0, 2:] = np.zeros((), dtype) if dtype.kind != "O" else ""
        yield Case([lengths, batch(state), batch(x)], {"body": step, "num_scan_inputs": 1}, 2, expect=[batch(state), short], name="lengths")
        return
    yield Case([state, x], {"body": step, "num_scan_inputs": 1}, 2, expect=[state, x])
    yield Case([state, x], {"body": step, "num_scan_inputs": 1, "scan_input_directions": [1]}, 2, expect=[state, x[::-1]], name="backwards")
    yield Case([state, x], {"body": step, "num_scan_inputs": 1, "scan_output_directions": [1]}, 2, expect=[state, x[::-1]], name="output backwards")
    yield Case([state, x.T.copy()], {"body": step, "num_scan_inputs": 1, "scan_input_axes": [1]}, 2, expect=[state, x], name="input axis")
    yield Case([state, x], {"body": step, "num_scan_inputs": 1, "scan_output_axes": [1]}, 2, expect=[state, x.T], name="output axis")
    if v.version >= 11:
        yield Case([state, x.T.copy()], {"body": step, "num_scan_inputs": 1, "scan_input_axes": [-1], "scan_output_axes": [-1]}, 2,
                   expect=[state, x.T], name="negative axes")
    yield Case([state, x[:0]], {"body": step, "num_scan_inputs": 1}, 2, expect=[state, x[:0]], name="nothing to scan")
    if v.types["V"] == "tensor(float)":
        summed = body("body", [node("Add", "p q", "s"), node("Add", "s outer", "po"), node("Mul", "po r", "qo"), node("Identity", "po", "to")],
                      [info("p", e, [2]), info("q", e, [2]), info("r", e, [2])], [info("po", e, [2]), info("qo", e, [2]), info("to", e, [2])])
        y = make(v.rng, dtype, (2, 4))
        outer = np.array(0.5, np.float32)
        p, qs, ts = state, [], []
        for t in range(4):
            p = p + x[t] + outer
            qs.append(p * y[:, 3 - t])
            ts.append(p)
        yield Case([state, x, y], {"body": summed, "num_scan_inputs": 2, "scan_input_axes": [0, 1], "scan_input_directions": [0, 1],
                                   "scan_output_axes": [1, 0], "scan_output_directions": [1, 0]}, 3, captures={"outer": outer},
                   expect=[p, np.stack(qs[::-1], 1), np.stack(ts)], name="two inputs, both directions, captured")


@cases("SequenceMap")
def sequence_map(v):
    dtype = dtype_of(element_of(v.types["S"]))
    e = element_of_dtype(dtype)
    parts = [make(v.rng, dtype, s) for s in [(2,), (3,)]]
    once = body("body", [node("Identity", "a", "ao")], [info("a", e, None)], [info("ao", e, None)])
    yield Case([parts], {"body": once}, expect=[parts])
    # A further input: a tensor is the same for every item, a sequence goes along.
    other = make(v.rng, dtype_of(element_of(v.types["V"])), (2, 2))
    both = body("body", [node("Identity", "a", "ao"), node("Identity", "b", "bo")], [info("a", e, None), typed(other, "b")],
                [info("ao", e, None), typed(other, "bo")])
    further = [other, other[:1]] if v.types["V"].startswith("seq") else other
    expect = [parts, further if isinstance(further, list) else [other, other]]
    yield Case([parts, further], {"body": both}, 2, expect=expect, name="further input")
    if dtype == np.float32:
        added = body("body", [node("Add", "a b", "ao"), node("Shape", "a", "so")], [info("a", e, None), info("b", e, None)],
                     [info("ao", e, None), info("so", INT, None)])
        yield Case([parts, np.array([2.0], np.float32)], {"body": added}, 2,
                   expect=[[p + 2 for p in parts], [np.array(p.shape) for p in parts]], name="with a tensor")
        yield Case([parts, parts], {"body": added}, 2, expect=[[p + p for p in parts], [np.array(p.shape) for p in parts]], name="two sequences")
