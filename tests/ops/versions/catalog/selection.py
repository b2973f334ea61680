"""Operators that pick and place elements by index, by condition or by order."""

import numpy as np

from case import Case, cases, ints


@cases("Gather")
def gather(v):
    x = v.arr(0, (4, 3, 2))
    for axis in [None, 0, 1, 2] + ([-1] if v.version >= 11 else []):
        size = x.shape[axis or 0]
        values = [0, size - 1, 1] + ([-1] if v.version >= 11 else [])
        yield Case([x, v.the(1, values)], {"axis": axis}, name=f"axis {axis}")
        yield Case([x, v.the(1, [[0, 1], [1, 0]])], {"axis": axis}, name=f"matrix, axis {axis}")
    yield Case([x, v.the(1, 1)], name="scalar")
    yield Case([x, v.the(1, np.zeros((0, 2)))], name="empty")


@cases("GatherElements")
def gather_elements(v):
    for axis in (None, 0, 1, -1):
        yield Case([v.arr(0, (3, 4)), v.the(1, [[0, 2, -1], [1, 0, 2]])], {"axis": axis}, name=f"axis {axis}")
    yield Case([v.arr(0, (3,)), v.the(1, np.zeros((0,)))], name="empty")


@cases("GatherND")
def gather_nd(v):
    yield Case([v.arr(0, (2, 3, 2)), ints([0, 1], [1, 2]).reshape(2, 2)])
    yield Case([v.arr(0, (2, 3, 2)), np.array([[[1]], [[-1]]])], name="slices")
    yield Case([v.arr(0, (2, 3)), ints(1, 2)], name="one element")
    if v.version >= 12:
        yield Case([v.arr(0, (2, 3, 2)), np.array([[1], [0]])], {"batch_dims": 1}, name="batch_dims")
        yield Case([v.arr(0, (2, 2, 3)), np.array([[[1], [0]], [[2], [2]]])], {"batch_dims": 2}, name="batch_dims 2")


REDUCTIONS = {16: ["add", "mul"], 18: ["add", "mul", "min", "max"]}


def scatter_reductions(v):
    modes = ["none"]
    if v.version >= 16 and v.dtype().kind not in "OUcb" and "e" not in v.dtype().name[5:]:
        modes += REDUCTIONS[18 if v.version >= 18 else 16]
    return modes


@cases("ScatterElements", "Scatter")
def scatter_elements(v):
    for axis in [None, 0, 1] + ([-1] if v.version >= 11 else []):
        index = [[0, 2, 1]] if axis in (None, 0) else [[0, 2]]
        yield Case([v.arr(0, (3, 3)), v.the(1, index), v.arr(2, np.shape(index))], {"axis": axis}, name=f"axis {axis}")
    for mode in scatter_reductions(v)[1:]:
        x = [v.arr(0, (2, 3)), v.the(1, [[0, 1, 0], [1, 1, 0]]), v.arr(2, (2, 3))]
        yield Case(x, {"reduction": mode}, name=mode)
        yield Case(x, {"reduction": mode, "axis": -1}, name=f"{mode}, last axis")


@cases("ScatterND")
def scatter_nd(v):
    yield Case([v.arr(0, (4, 3)), np.array([[1], [3]]), v.arr(2, (2, 3))])
    yield Case([v.arr(0, (4, 3)), np.array([[1, 2], [0, 0]]), v.arr(2, (2,))], name="elements")
    for mode in scatter_reductions(v)[1:]:
        yield Case([v.arr(0, (4,)), np.array([[1], [3], [1]]), v.arr(2, (3,))], {"reduction": mode}, name=mode)


@cases("Compress")
def compress(v):
    x, flags = v.arr(0, (3, 2)), np.array([False, True, True])
    yield Case([x, flags], {"axis": 0})
    yield Case([x, flags])
    yield Case([x, np.array([True])], {"axis": 1}, name="short")
    yield Case([x, np.zeros(3, bool)], {"axis": 0}, name="none")
    if v.version >= 11:
        yield Case([x, np.array([False, True])], {"axis": -1}, name="last axis")


@cases("NonZero")
def non_zero(v):
    if v.dtype().kind == "O":
        x = np.array([["", "a"], ["b", ""]], dtype=object)
        yield Case([x], name="strings", expect=[np.array([[0, 1], [1, 0]])])
        return
    yield Case([v.arr(0, (3, 4), -1, 1)])
    yield Case([v.the(0, [0, 0])], name="none")
    yield Case([v.arr(0, (2, 0, 3))], name="empty")
    if v.version >= 13:
        yield Case([v.the(0, 1)], name="scalar")


@cases("ReverseSequence")
def reverse_sequence(v):
    x = v.arr(0, (4, 3, 2))
    yield Case([x, ints(4, 1, 3)])
    yield Case([x, ints(1, 2, 3, 1)], {"batch_axis": 0, "time_axis": 1}, name="axes")


@cases("Unique")
def unique(v):
    x = v.arr(0, (3, 4), -2, 2)
    for attributes in [{}, {"sorted": 0}, {"axis": 0}, {"axis": 1}, {"axis": -1, "sorted": 0}]:
        yield Case([x], attributes, 4, name=str(attributes))
    yield Case([x], {}, ["y", "", "", "c"], name="values and counts")


@cases("TopK")
def top_k(v):
    x = v.distinct(0, (3, 4))
    if x.dtype.name in ("int8", "uint8"):
        x = x % 127 if x.dtype.kind == "u" else x

    def one(x, k, axis, **attributes):
        name = f"k {k}, axis {axis} {attributes}"
        if v.version < 10:
            yield Case([x], {"k": k, "axis": axis}, 2, name=name)
        else:
            yield Case([x, ints(k)], {"axis": axis, **attributes}, 2, constant=(1,), name=name)
            yield Case([x, ints(k)], {"axis": axis, **attributes}, 2, name=name + ", computed")

    for axis in [None, 0, 1] + ([-2] if v.version >= 11 else []):
        yield from one(x, 2, axis)
    yield from one(x, 4, None)
    if v.version >= 11:
        yield from one(x, 3, 1, largest=0)
        yield from one(x, 4, -1, largest=0)
    yield from one(v.the(0, [1, 2, 2, 1, 2]), 4, None)


@cases("ArgMax ArgMin")
def arg(v):
    x = v.distinct(0, (3, 4, 2))
    for axis in [None, 0, 1, 2] + ([-1, -2] if v.version >= 11 else []):
        for keep in (None, 0):
            yield Case([x], {"axis": axis, "keepdims": keep}, name=f"axis {axis}, keepdims {keep}")
    ties = v.the(0, [[1, 2, 2], [0, 0, 0]])
    yield Case([ties], {"axis": 1}, name="ties")
    if v.version >= 12:
        yield Case([ties], {"axis": 1, "select_last_index": 1}, name="last of ties")


@cases("TensorScatter")
def tensor_scatter(v):
    x, update = v.arr(0, (2, 5, 3)), v.arr(1, (2, 2, 3))
    yield Case([x, update, ints(1, 3)], {"axis": 1})
    yield Case([x, update, ints(4, 3)], {"axis": -2, "mode": "circular"}, name="circular")
    yield Case([x, update], {"axis": 1}, name="from the start")
