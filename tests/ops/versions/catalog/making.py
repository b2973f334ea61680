"""Operators that make elements from sizes, numbers and positions."""

import numpy as np
from onnx import helper, numpy_helper

from case import Case, cases, ints
from values import ELEMENTS, dtype_of, make


@cases("Shape")
def shape(v):
    for x in [(2, 3, 4), (), (0, 2)]:
        yield Case([v.arr(0, x)], name=str(x))
    if v.version >= 15:
        for start, end in [(1, None), (-2, None), (0, -1), (-10, 2), (1, 10), (2, 1)]:
            yield Case([v.arr(0, (2, 3, 4))], {"start": start, "end": end}, name=f"{start}:{end}")


@cases("Size")
def size(v):
    for x in [(2, 3, 4), (), (0, 2)]:
        yield Case([v.arr(0, x)], name=str(x))


@cases("Constant")
def constant(v):
    dtype = v.out_dtype()
    for shape in [(2, 3), (), (0,)]:
        x = make(v.rng, dtype, shape)
        if dtype.kind == "O":
            value = helper.make_tensor("", 8, shape, [s.encode() for s in x.ravel()])
        else:
            value = numpy_helper.from_array(x)
        yield Case([], {"value": value}, expect=[x], name=str(shape))
    if v.version >= 12 and dtype == np.float32:
        yield Case([], {"value_float": 1.5})
        yield Case([], {"value_floats": [1.5, 2.0]})
        yield Case([], {"value_int": 3})
        yield Case([], {"value_ints": [1, 2]})
        yield Case([], {"value_string": "text"})
        yield Case([], {"value_strings": ["a", "b"]})
    if v.version >= 11 and dtype == np.float32:
        values = helper.make_tensor("v", 1, [2], [1.5, 2.5])
        indices = helper.make_tensor("i", 7, [2], [1, 4])
        dense = np.array([[0, 1.5, 0], [0, 2.5, 0]], np.float32)
        yield Case([], {"sparse_value": helper.make_sparse_tensor(values, indices, [2, 3])}, expect=[dense], name="sparse",
                   output_types=[helper.make_tensor_type_proto(1, [2, 3])])


@cases("ConstantOfShape")
def constant_of_shape(v):
    dtype = v.out_dtype()
    value = make(v.rng, dtype, (1,))
    for shape in [(2, 3), (0,), ()]:
        for constant in [(0,), ()]:
            tensor = numpy_helper.from_array(value)
            yield Case([ints(*shape)], {"value": tensor}, constant=constant, expect=[np.full(shape, value[0], dtype)],
                       name=f"{shape} {constant}")
    if dtype == np.float32:
        yield Case([ints(2, 2)], name="default")


@cases("EyeLike")
def eye_like(v):
    x = v.arr(0, (3, 4))
    yield Case([x])
    for k in (1, -1, 5):
        yield Case([x], {"k": k}, name=f"k {k}")
    target = ELEMENTS[v.schema.outputs[0].type_str and v.types["T2"][7:-1]]
    yield Case([x], {"dtype": target}, name=f"to {target}", expect=[np.eye(3, 4).astype(dtype_of(target))])


@cases("OneHot")
def one_hot(v):
    indices = v.the(0, [[1, 3], [0, 2]])
    depth, values = v.the(1, 4), v.arr(2, (2,))
    if v.version == 9 and v.dtype(1).kind == "f":
        depth = v.the(1, 4)
    for axis in (None, 0, 1, -1, -2):
        yield Case([indices, depth, values], {"axis": axis}, constant=(1,), name=f"axis {axis}")
    yield Case([indices, depth.reshape(1), values], name="depth of rank 1")
    if v.version >= 11 and v.dtype(0).kind in "if":
        yield Case([v.the(0, [-1, -4, 1]), depth, values], name="negative")
        outside = v.the(0, [4, -5, 100])
        yield Case([outside, depth, values], name="outside", expect=[np.full((3, 4), values[0], values.dtype)])


@cases("Range")
def range_(v):
    for start, limit, delta in [(0, 5, 1), (1, 6, 2), (5, 0, -2), (3, 3, 1), (3, 1, 1)]:
        x = [v.the(0, start), v.the(0, limit), v.the(0, delta)]
        yield Case(x, name=f"{start} {limit} {delta}")
        yield Case(x, constant=(0, 1, 2), name=f"constant {start} {limit} {delta}")


@cases("Trilu")
def trilu(v):
    for upper in (0, 1):
        for k in (None, 1, -1, 5, -5):
            inputs = [v.arr(0, (2, 3, 4))] + ([] if k is None else [np.array(k)])
            yield Case(inputs, {"upper": upper}, name=f"upper {upper}, k {k}")
    yield Case([v.arr(0, (0, 3, 3))], name="empty")


@cases("CumSum CumProd")
def cumulative(v):
    axis_dtype = v.dtype(1)
    low, high = (-2, 2) if v.op == "CumSum" else (1, 2)
    for axis in (0, 1, -1):
        for attributes in [{}, {"exclusive": 1}, {"reverse": 1}, {"exclusive": 1, "reverse": 1}]:
            yield Case([v.arr(0, (3, 4), low, high), np.array(axis, axis_dtype)], attributes, sums=True, constant=(1,),
                       name=f"axis {axis} {attributes}")
    yield Case([v.arr(0, (2, 0)), np.array(1, axis_dtype)], name="empty")
