"""Operators that move, select and make elements."""

import numpy as np
from onnx import helper, numpy_helper

from case import Case, cases
from values import ELEMENTS, dtype_of, make


def ints(*values):
    return np.array(values, dtype=np.int64)


def axes_case(v, x, axes, since, **options):
    """A case of an operator whose axes became an input at opset `since`; axes None: omitted."""
    attributes = options.pop("attributes", {})
    if v.version >= since:
        inputs = [x] + ([ints(*axes)] if axes is not None else [])
        for constant in [(1,), ()] if axes is not None else [()]:
            yield Case(inputs, attributes, constant=constant, **options)
    else:
        axes = None if axes is None else list(axes)
        yield Case([x], {**attributes, "axes": axes}, **options)


@cases("Cast", product=True)
def cast(v):
    to = ELEMENTS[v.types["T2"][7:-1]]
    source, target = v.dtype(), dtype_of(to)
    if source.kind == "O":
        if target.kind == "b":
            return
        words = ["0", "1", "3"] if target.kind != "O" else ["a", "b", ""]
        if target.kind in "f" or target.name.startswith(("bfloat", "float8_e5", "float8_e4")):
            words = ["1.5", "-2", "1e1", "0.25"]
        if target.name.startswith(("float4", "float6", "float8")):
            return
        yield Case([np.array(words, dtype=object)], {"to": to}, name=f"to {target}")
        return
    low, high = (0, 3) if target.kind == "u" or target.name.startswith("uint") or target.name == "int2" else (-4, 4)
    if "int2" in (source.name, target.name):
        low, high = -2, 1
    if "uint2" in (source.name, target.name):
        low, high = 0, 3 if "int2" not in (source.name, target.name) else 1
    x = make(v.rng, source, (3, 4), low, high)
    ruling = {}
    yield Case([x], {"to": to}, name=f"to {target}", ruling=ruling)
    if v.types["T1"] == "tensor(float)":
        yield Case([make(v.rng, source, (), low, high)], {"to": to}, name=f"scalar to {target}")
        yield Case([make(v.rng, source, (0, 2), low, high)], {"to": to}, name=f"empty to {target}")


@cases("CastLike")
def cast_like(v):
    source, target = v.dtype(), v.dtype(1)
    if "O" in (source.kind, target.kind):
        return
    small = {source.name, target.name} & {"int2", "uint2", "uint4"}
    x = make(v.rng, source, (3, 4), 0 if small or target.kind == "u" else -4, 1 if small else 4)
    yield Case([x, make(v.rng, target, (2,))])


@cases("BitCast")
def bit_cast(v):
    source = v.dtype()
    target = dtype_of(ELEMENTS[v.types["T2"][7:-1]])
    if source.kind == "O" or source.itemsize != target.itemsize or "int4" in source.name + target.name:
        return
    if "float4" in source.name + target.name or "int2" in source.name + target.name:
        return
    yield Case([v.arr(0, (2, 3))], {"to": ELEMENTS[v.types["T2"][7:-1]]})


@cases("Reshape")
def reshape(v):
    x = v.arr(0, (2, 3, 4))
    for shape in [(6, 4), (-1,), (0, -1), (4, 0, 2), (2, 3, 2, 2, 1), (0, 0, 4)]:
        if shape == (4, 0, 2):
            shape = (4, 3, 2)
        for constant in [(1,), ()]:
            yield Case([x, ints(*shape)], constant=constant, name=f"{shape} {constant}")
    yield Case([v.arr(0, (1, 1)), ints()], name="to a scalar")
    yield Case([v.arr(0, ()), ints(1, -1)], name="of a scalar")
    yield Case([v.arr(0, (0, 3)), ints(3, 0)] if v.version < 14 else [v.arr(0, (0, 3)), ints(0, 3)], name="empty",
               expect=[np.zeros((3, 3), v.dtype())] if False else None) if v.version >= 14 else Case([v.arr(0, (0, 3)), ints(0, 3)], name="empty")
    if v.version >= 14:
        yield Case([v.arr(0, (0, 3)), ints(3, 0)], {"allowzero": 1}, name="allowzero")


@cases("Flatten")
def flatten(v):
    for axis in [None, 0, 1, 2, 3] + ([-1, -3] if v.version >= 11 else []):
        yield Case([v.arr(0, (2, 3, 4))], {"axis": axis}, name=f"axis {axis}")
    yield Case([v.arr(0, (3,))], {"axis": 0}, name="vector")
    yield Case([v.arr(0, (2, 0, 4))], name="empty")


@cases("Squeeze")
def squeeze(v):
    x = v.arr(0, (1, 3, 1, 2, 1))
    for axes in [(0,), (0, 2), (4, 0), None] + ([(-1,), (-3, 0)] if v.version >= 11 else []):
        yield from axes_case(v, x, axes, 13, name=f"axes {axes}")
    yield from axes_case(v, v.arr(0, (1, 0)), (0,), 13, name="empty")


@cases("Unsqueeze")
def unsqueeze(v):
    for axes in [(0,), (1, 2), (4, 0)] + ([(-1,), (-3, 0)] if v.version >= 11 else []):
        yield from axes_case(v, v.arr(0, (3, 2, 4)), axes, 13, name=f"axes {axes}")
    yield from axes_case(v, v.arr(0, ()), (0,), 13, name="scalar")
    yield from axes_case(v, v.arr(0, (0,)), (1,), 13, name="empty")


@cases("Transpose")
def transpose(v):
    yield Case([v.arr(0, (2, 3, 4))])
    for perm in [(0, 2, 1), (1, 2, 0), (2, 0, 1)]:
        yield Case([v.arr(0, (2, 3, 4))], {"perm": perm}, name=str(perm))
    yield Case([v.arr(0, ())], name="scalar")
    yield Case([v.arr(0, (2, 0, 3))], {"perm": (1, 0, 2)}, name="empty")


@cases("Concat")
def concat(v):
    for axis in [0, 1] + ([-1, -2] if v.version >= 11 else []):
        shapes = [(2, 3), (4, 3), (0, 3)] if axis in (0, -2) else [(2, 3), (2, 1), (2, 2)]
        yield Case([v.arr(0, s) for s in shapes], {"axis": axis}, name=f"axis {axis}")
    yield Case([v.arr(0, (2, 3))], {"axis": 0}, name="one")
    yield Case([v.arr(0, (2,)), v.arr(0, (1,))], {"axis": 0}, name="vectors")


@cases("Split")
def split(v):
    def one(x, sizes, outputs, name, **attributes):
        if v.version >= 13:
            for constant in [(1,), ()]:
                yield Case([x, ints(*sizes)], attributes, outputs, constant=constant, name=name)
        else:
            yield Case([x], {**attributes, "split": sizes}, outputs, name=name)

    x = v.arr(0, (6, 4))
    for axis in [0, 1] + ([-1] if v.version >= 11 else []):
        yield from one(x, (2, 4) if axis == 0 else (1, 3), 2, f"axis {axis}", axis=axis)
        yield Case([x], {"axis": axis, "num_outputs": 2 if v.version >= 18 else None}, 2, name=f"equal, axis {axis}")
    yield from one(x, (1, 0, 5), 3, "an empty part")
    yield from one(v.arr(0, (0,)), (0, 0), 2, "of nothing")
    if v.version >= 18:
        yield Case([v.arr(0, (7, 2))], {"num_outputs": 3}, 3, name="uneven")


@cases("Slice")
def slice_(v):
    x = v.arr(0, (5, 4, 3))
    windows = [
        ((1,), (4,), (0,), None),
        ((0, 1), (3, 1000), (0, 2), None),
        ((-3,), (-1,), (1,), None),
        ((1, 0), (3, 2), None, None),
        ((3,), (1,), (0,), None),
    ]
    if v.version >= 10:
        windows += [
            ((4, 3), (0, 0), (0, 1), (-2, -1)),
            ((0,), (5,), (0,), (2,)),
            ((-1,), (-1000,), (0,), (-1,)),
            ((1000,), (-1000,), (2,), (-1,)),
            ((0,), (2**63 - 1,), (1,), (3,)),
        ]
    if v.version >= 11:
        windows.append(((0, 1), (3, 2), (-1, -3), None))
    for starts, ends, axes, steps in windows:
        name = f"{starts} {ends} {axes} {steps}"
        if v.version < 10:
            yield Case([x], {"starts": starts, "ends": ends, "axes": axes}, name=name)
            continue
        for index in (np.int64, np.int32):
            if ends[0] > 2**31 and index == np.int32:
                continue
            if (index == np.int32) != (v.types.get("Tind") == "tensor(int32)"):
                continue
            inputs = [x, np.array(starts, index), np.array(ends, index)]
            inputs.append(None if axes is None else np.array(axes, index))
            inputs.append(None if steps is None else np.array(steps, index))
            while inputs[-1] is None:
                inputs.pop()
            present = tuple(i for i in range(1, len(inputs)) if inputs[i] is not None)
            yield Case(inputs, constant=present, name=name)
            yield Case(inputs, name=name + ", computed")


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


@cases("Expand")
def expand(v):
    for x, shape in [((3, 1), (2, 1, 6)), ((3, 1), (3, 4)), ((), (2, 2)), ((3,), (1,)), ((1, 0), (2, 0)), ((1,), (0,))]:
        for constant in [(1,), ()]:
            yield Case([v.arr(0, x), ints(*shape)], constant=constant, name=f"{x} {shape} {constant}")


@cases("Tile")
def tile(v):
    for x, repeats in [((2, 3), (2, 1)), ((2, 3), (1, 3)), ((2,), (0,)), ((1, 2, 2), (2, 2, 3))]:
        for constant in [(1,), ()]:
            yield Case([v.arr(0, x), ints(*repeats)], constant=constant, name=f"{x} {repeats} {constant}")


@cases("Pad")
def pad(v):
    x = v.arr(0, (3, 4))
    modes = ["constant", "reflect", "edge"] + (["wrap"] if v.version >= 19 else [])
    for mode in modes:
        for pads in [(1, 0, 2, 1), (0, 2, 0, 0), (-1, 1, 0, -1)]:
            name = f"{mode} {pads}"
            # Negative pads cut first, and what is left is padded.
            ruling = {"reference": "its slices of the padded tensor take cut elements"} if min(pads) < 0 else {}
            if v.version < 11:
                if v.dtype().kind != "f":
                    continue
                yield Case([x], {"mode": mode, "pads": pads}, name=name, ruling=ruling)
                if mode == "constant":
                    yield Case([x], {"mode": mode, "pads": pads, "value": 1.5}, name=name + " value", ruling=ruling)
                continue
            if min(pads) < 0 and mode != "constant":
                continue
            yield Case([x, ints(*pads)], {"mode": mode}, constant=(1,), name=name, ruling=ruling)
            yield Case([x, ints(*pads)], {"mode": mode}, name=name + ", computed", ruling=ruling)
            if mode == "constant":
                value = v.the(0, 2) if v.dtype().kind != "O" else np.array("pad", dtype=object)
                yield Case([x, ints(*pads), value], {"mode": mode}, constant=(1, 2), name=name + " value", ruling=ruling)
    if v.version >= 18:
        for index in ("tensor(int64)", "tensor(int32)"):
            if v.types.get("Tind") == index:
                axes = np.array([1], dtype_of(ELEMENTS[index[7:-1]]))
                constant = (1, 3) if index == "tensor(int64)" else (1,)
                yield Case([x, ints(1, 2), None, axes], constant=constant, name="axes")
                yield Case([x, ints(1, 2), None, -axes], constant=constant, name="negative axes")
                yield Case([x, ints(1, 2), None, axes], {"mode": "edge"}, name="axes, edge, computed")


@cases("CenterCropPad")
def center_crop_pad(v):
    index = v.dtype(1)
    x = v.arr(0, (5, 4, 3))
    yield Case([x, np.array([3, 4, 5], index)])
    yield Case([x, np.array([2, 7], index)], {"axes": [0, 1]}, name="axes")
    yield Case([x, np.array([6, 2], index)], {"axes": [-1, 0]}, name="negative axes")


@cases("DepthToSpace SpaceToDepth")
def depth(v):
    shape = (2, 8, 2, 3) if v.op == "DepthToSpace" else (2, 3, 4, 6)
    yield Case([v.arr(0, shape)], {"blocksize": 2})
    if "mode" in v.has:
        for mode in ("DCR", "CRD"):
            yield Case([v.arr(0, shape)], {"blocksize": 2, "mode": mode}, name=mode)
    yield Case([v.arr(0, (0, *shape[1:]))], {"blocksize": 2}, name="empty")


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
    yield Case([x, ints(1, 2, 3, 0) if False else ints(1, 2, 3, 1)], {"batch_axis": 0, "time_axis": 1}, name="axes")


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


@cases("CumSum CumProd")
def cumulative(v):
    axis_dtype = v.dtype(1)
    low, high = (-2, 2) if v.op == "CumSum" else (1, 2)
    for axis in (0, 1, -1):
        for attributes in [{}, {"exclusive": 1}, {"reverse": 1}, {"exclusive": 1, "reverse": 1}]:
            yield Case([v.arr(0, (3, 4), low, high), np.array(axis, axis_dtype)], attributes, sums=True, constant=(1,),
                       name=f"axis {axis} {attributes}")
    yield Case([v.arr(0, (2, 0)), np.array(1, axis_dtype)], name="empty")


@cases("TensorScatter")
def tensor_scatter(v):
    x, update = v.arr(0, (2, 5, 3)), v.arr(1, (2, 2, 3))
    yield Case([x, update, ints(1, 3)], {"axis": 1})
    yield Case([x, update, ints(4, 3)], {"axis": -2, "mode": "circular"}, name="circular")
    yield Case([x, update], {"axis": 1}, name="from the start")


@cases("Col2Im")
def col2im(v):
    if v.dtype().kind == "O":
        return
    x = v.arr(0, (1, 8, 9))
    yield Case([x, ints(4, 4), ints(2, 2)], sums=True, constant=(1, 2))
    yield Case([v.arr(0, (1, 4, 16)), ints(5, 5), ints(2, 2)], sums=True, name="computed")
    yield Case([v.arr(0, (1, 4, 9)), ints(5, 5), ints(2, 2)], {"dilations": [2, 2]}, sums=True, constant=(1, 2), name="dilations")
    yield Case([v.arr(0, (1, 4, 9)), ints(5, 5), ints(2, 2)], {"strides": [2, 2], "pads": [0, 0, 1, 1]}, sums=True, constant=(1, 2), name="strides")


@cases("Upsample")
def upsample(v):
    x = v.arr(0, (1, 1, 2, 3))
    for mode in (None, "nearest", "linear"):
        scales = np.array([1, 1, 2, 3], np.float32)
        if mode == "linear" and v.dtype().kind != "f":
            continue
        if v.version < 9:
            yield Case([x], {"mode": mode, "scales": scales.tolist()}, name=str(mode))
        else:
            yield Case([x, scales], {"mode": mode}, constant=(1,), name=str(mode))
