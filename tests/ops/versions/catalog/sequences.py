"""Sequences and optionals."""

import numpy as np
from onnx import TensorProto, TypeProto, helper

from case import Case, cases, ints
from values import dtype_of, element_of, element_of_dtype, make


def sequence(v, i=0):
    """Three tensors of the element type of input i."""
    dtype = dtype_of(element_of(v.type_of(i)))
    return [make(v.rng, dtype, shape) for shape in [(2, 3), (3,), (1, 1)]]


def same_shapes(v, i=0, count=3, shape=(2, 3)):
    dtype = dtype_of(element_of(v.type_of(i)))
    return [make(v.rng, dtype, shape) for _ in range(count)]


@cases("SequenceConstruct")
def construct(v):
    yield Case([v.arr(0, (2, 3)), v.arr(0, (4,))])
    yield Case([v.arr(0, ())], name="one scalar")


@cases("SequenceEmpty")
def empty(v):
    element = element_of(v.types["S"])
    yield Case([], {"dtype": element}, expect=[[]])
    if element == TensorProto.FLOAT:
        yield Case([], expect=[[]], name="default")


@cases("SequenceAt")
def at(v):
    for position in (0, 2, -1, -3):
        yield Case([sequence(v), v.the(1, position)], name=f"at {position}")


@cases("SequenceInsert", product=True)
def insert(v):
    if v.types["S"] != f"seq({v.types['T']})":
        return
    for position in (None, 0, 1, 3, -1, -3):
        inputs = [sequence(v), v.arr(1, (2, 2))]
        if position is not None:
            inputs.append(v.the(2, position))
        yield Case(inputs, name=f"at {position}")


@cases("SequenceErase")
def erase(v):
    for position in (None, 0, 2, -1, -3):
        yield Case([sequence(v)] + ([] if position is None else [v.the(1, position)]), name=f"at {position}")


@cases("SequenceLength")
def length(v):
    yield Case([sequence(v)])


@cases("ConcatFromSequence")
def concat_from(v):
    parts = same_shapes(v)
    for axis in (0, 1, -1):
        yield Case([parts], {"axis": axis}, expect=[np.concatenate(parts, axis)], name=f"axis {axis}")
    for axis in (0, 2, -1):
        yield Case([parts], {"axis": axis, "new_axis": 1}, expect=[np.stack(parts, axis)], name=f"new axis {axis}")


@cases("SplitToSequence")
def split_to(v):
    x = v.arr(0, (4, 6))
    for axis in (0, 1, -1):
        size = x.shape[axis]
        yield Case([x], {"axis": axis}, name=f"axis {axis}", expect=[np.split(x, size, axis)])
        yield Case([x], {"axis": axis, "keepdims": 0}, name=f"axis {axis}, no keepdims",
                   expect=[[np.squeeze(p, axis) for p in np.split(x, size, axis)]])
        parts = [x[:, :4], x[:, 4:]] if axis else [x[:3], x[3:]]
        if axis == 0:
            yield Case([x, v.the(1, 3)], {"axis": axis}, name=f"by 3, axis {axis}", expect=[parts])
        else:
            yield Case([x, v.the(1, 4)], {"axis": axis}, name=f"by 4, axis {axis}", expect=[parts])
        yield Case([x, v.the(1, [1, size - 1])], {"axis": axis}, name=f"sizes, axis {axis}",
                   expect=[np.split(x, [1], axis)])


@cases("Optional", product=True)
def optional(v):
    if v.types["O"] != f"optional({v.types['V']})":
        return
    value = sequence(v) if v.types["V"].startswith("seq") else v.arr(0, (2, 3))
    yield Case([value], expect=[value])
    inner = helper.make_tensor_type_proto(element_of(v.types["V"]), [2])
    if v.types["V"].startswith("seq"):
        inner = helper.make_sequence_type_proto(helper.make_tensor_type_proto(element_of(v.types["V"]), None))
    yield Case([], {"type": inner}, name="nothing", expect=[None])


@cases("OptionalHasElement OptionalGetElement")
def optional_element(v):
    type_string = v.types["O"]
    value = sequence(v) if "seq" in type_string else make(v.rng, dtype_of(element_of(type_string)), (2, 3))
    optionals = (0,) if type_string.startswith("optional") else ()
    expect = [value] if v.op == "OptionalGetElement" else [np.array(True)]
    yield Case([value], optional_inputs=optionals, expect=expect)
    if v.op == "OptionalHasElement" and v.version >= 18:
        yield Case([], name="no input", expect=[np.array(False)])
