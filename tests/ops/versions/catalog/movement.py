"""Operators that move elements: shapes, orders, joins, parts, borders, blocks."""

import numpy as np

from case import Case, axes_case, cases, ints
from values import ELEMENTS, dtype_of


@cases("Reshape")
def reshape(v):
    x = v.arr(0, (2, 3, 4))
    for shape in [(6, 4), (-1,), (0, -1), (4, 3, 2), (2, 3, 2, 2, 1), (0, 0, 4)]:
        for constant in [(1,), ()]:
            yield Case([x, ints(*shape)], constant=constant, name=f"{shape} {constant}")
    yield Case([v.arr(0, (1, 1)), ints()], name="to a scalar")
    yield Case([v.arr(0, ()), ints(1, -1)], name="of a scalar")
    yield Case([v.arr(0, (0, 3)), ints(0, 3)], name="empty")
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
            if v.version < 11:
                if v.dtype().kind != "f":
                    continue
                yield Case([x], {"mode": mode, "pads": pads}, name=name)
                if mode == "constant":
                    yield Case([x], {"mode": mode, "pads": pads, "value": 1.5}, name=name + " value")
                continue
            if min(pads) < 0 and mode != "constant":
                continue
            yield Case([x, ints(*pads)], {"mode": mode}, constant=(1,), name=name)
            yield Case([x, ints(*pads)], {"mode": mode}, name=name + ", computed")
            if mode == "constant":
                value = v.the(0, 2) if v.dtype().kind != "O" else np.array("pad", dtype=object)
                yield Case([x, ints(*pads), value], {"mode": mode}, constant=(1, 2), name=name + " value")
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
