"""Reductions, normalisations along an axis, products of matrices."""

import numpy as np

from case import Case, axes_case, cases, ints
from values import ELEMENTS


@cases(
    """ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
    ReduceSumSquare"""
)
def reduce(v):
    since = 13 if v.op == "ReduceSum" else 18
    low, high = (1, 3) if v.op in ("ReduceProd", "ReduceLogSum") else (-3, 3)
    x = v.arr(0, (3, 2, 4), low, high)
    options = {"sums": True}
    for axes in [None, (0,), (1, 2), (2, 0)] + ([(-1,), (-2, 0)] if v.version >= 11 else []):
        for keep in (None, 0):
            yield from axes_case(v, x, axes, since, attributes={"keepdims": keep}, name=f"axes {axes}, keepdims {keep}", **options)
    yield from axes_case(v, v.arr(0, (), low, high), None, since, name="scalar", **options)
    if v.version >= since:
        yield Case([x], {"noop_with_empty_axes": 1}, name="nothing to reduce, no axes", **options)
        yield Case([x, ints()], {"noop_with_empty_axes": 1}, constant=(1,), name="nothing to reduce", **options)
        yield Case([x, ints()], {}, constant=(1,), name="empty axes reduce all", **options)
    if v.op in ("ReduceSum", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare"):
        yield from axes_case(v, v.arr(0, (2, 0, 3)), (1,), since, name="empty", **options)


@cases("Softmax LogSoftmax Hardmax")
def softmax(v):
    x = v.arr(0, (2, 3, 4))
    if v.op == "Hardmax":
        x = v.distinct(0, (2, 3, 4))
    for axis in [None, 0, 1, 2] + ([-1, -2] if v.version >= 11 else []):
        yield Case([x], {"axis": axis}, name=f"axis {axis}")
    yield Case([v.the(0, [[1000, 1001, 999]])], name="large")
    yield Case([v.arr(0, (3,))], {"axis": 0}, name="vector")


@cases("MatMul")
def matmul(v):
    for a, b in [((2, 3), (3, 4)), ((3,), (3, 4)), ((2, 3), (3,)), ((3,), (3,)), ((5, 2, 3), (3, 4)), ((5, 1, 2, 3), (2, 3, 4)),
                 ((2, 0), (0, 3)), ((0, 3), (3, 2))]:
        yield Case([v.arr(0, a), v.arr(1, b)], sums=True, name=f"{a} {b}")


@cases("Gemm")
def gemm(v):
    a, b = v.arr(0, (2, 3)), v.arr(1, (3, 4))
    for c in [(2, 4), (4,), (1, 4), (2, 1), ()]:
        yield Case([a, b, v.arr(2, c)], sums=True, name=f"C {c}")
    if v.version >= 11:
        yield Case([a, b], sums=True, name="no C")
    floats = {"alpha": 0.5, "beta": 2.0} if v.dtype().kind in "fV" else {"alpha": 2.0, "beta": 3.0}
    yield Case([a, b, v.arr(2, (2, 4))], floats, sums=True, name="alpha, beta")
    yield Case([v.arr(0, (3, 2)), b, v.arr(2, (2, 4))], {"transA": 1}, sums=True, name="transA")
    yield Case([a, v.arr(1, (4, 3)), v.arr(2, (4,))], {"transB": 1}, sums=True, name="transB")
    yield Case([v.arr(0, (3, 2)), v.arr(1, (4, 3)), v.arr(2, (4,))], {"transA": 1, "transB": 1, "beta": 0.0}, sums=True, name="both")


@cases("Einsum")
def einsum(v):
    x, y = v.arr(0, (2, 3), -2, 2), v.arr(0, (3, 4), -2, 2)
    for equation, inputs in [
        ("ij,jk->ik", [x, y]),
        ("ij,jk", [x, y]),
        ("ij->ji", [x]),
        ("ij->", [x]),
        ("ii->i", [v.arr(0, (3, 3))]),
        ("ii", [v.arr(0, (3, 3), -2, 2)]),
        ("...ij,...jk->...ik", [v.arr(0, (2, 2, 3), -2, 2), v.arr(0, (2, 3, 2), -2, 2)]),
        ("i,j->ij", [v.arr(0, (2,)), v.arr(0, (3,))]),
        (" b h i d , b h j d -> b h i j ", [v.arr(0, (1, 2, 3, 2), -1, 1), v.arr(0, (1, 2, 2, 2), -1, 1)]),
        ("i,i,i->i", [v.arr(0, (3,), -1, 1)] * 3),
    ]:
        yield Case(inputs, {"equation": equation}, sums=True, name=equation)


@cases("Det")
def det(v):
    for shape in [(2, 2), (2, 3, 3), (1, 1)]:
        yield Case([v.arr(0, shape)], sums=True, name=str(shape))


@cases("MatMulInteger")
def matmul_integer(v):
    a, b = v.arr(0, (2, 3), -8, 8), v.arr(1, (3, 4), -8, 8)
    yield Case([a, b])
    yield Case([a, b, v.the(0, 1), v.the(1, 2)], name="zero points")
    yield Case([a, b, None, v.the(1, 2)], name="one zero point")
    yield Case([a, b, v.the(0, [1, 2]), v.the(1, [0, 1, 2, 3])], name="zero points by row",
               expect=[(a.astype(np.int32) - np.array([[1], [2]])) @ (b.astype(np.int32) - np.arange(4))])
    yield Case([v.arr(0, (2, 2, 3)), v.arr(1, (2, 3, 2))], name="batches")


@cases("LpNormalization")
def lp_normalization(v):
    x = v.arr(0, (3, 4), 1, 4)
    for axis in (None, 0, 1, -1):
        for p in (None, 1, 2):
            yield Case([x], {"axis": axis, "p": p}, name=f"axis {axis}, p {p}")


@cases("MeanVarianceNormalization")
def mean_variance(v):
    x = v.arr(0, (2, 3, 2, 2))
    yield Case([x], sums=True)
    yield Case([x], {"axes": [0, 1]}, sums=True, name="axes")


@cases("LayerNormalization RMSNormalization")
def layer_norm(v):
    x = v.arr(0, (2, 3, 4))
    two = v.op == "LayerNormalization"
    through = None if two or v.types["T"] == v.types["V"] else v.dtype(0)
    for axis in (None, 1, 2, -1, -2):
        shape = x.shape[axis if axis is not None else -1 :]
        extra = [v.arr(1, shape), v.arr(1, shape)][: 2 if two else 1]
        yield Case([x, *extra], {"axis": axis}, sums=True, through=through, name=f"axis {axis}")
    yield Case([x, v.arr(1, (4,))], {"epsilon": 0.5}, sums=True, through=through, name="epsilon")
    if two:
        yield Case([x, v.arr(1, (4,)), v.arr(1, (4,))], {"stash_type": 1}, 3, sums=True, name="all outputs")


@cases("GroupNormalization")
def group_norm(v):
    x = v.arr(0, (2, 4, 3, 2))
    size = 2 if v.version < 21 else 4
    yield Case([x, v.arr(1, (size,)), v.arr(1, (size,))], {"num_groups": 2}, sums=True)
    yield Case([x, v.arr(1, (size,)), v.arr(1, (size,))], {"num_groups": 2, "epsilon": 0.5}, sums=True, name="epsilon")


@cases("InstanceNormalization")
def instance_norm(v):
    for shape in [(2, 3, 4), (2, 3, 2, 2)]:
        yield Case([v.arr(0, shape), v.arr(0, (3,)), v.arr(0, (3,))], sums=True, name=str(shape))
    yield Case([v.arr(0, (1, 2, 4)), v.arr(0, (2,)), v.arr(0, (2,))], {"epsilon": 0.5}, sums=True, name="epsilon")


@cases("BatchNormalization")
def batch_norm(v):
    for shape in [(2, 3, 4), (2, 3, 2, 2), (4, 3)]:
        inputs = [v.arr(0, shape), v.arr(1, (3,)), v.arr(1, (3,)), v.arr(3, (3,)), v.arr(3, (3,), 1, 4)]
        for attributes in [{}, {"epsilon": 0.5, "momentum": 0.5}]:
            yield Case(inputs, attributes, sums=True, name=f"{shape} {attributes}")
    if v.version >= 14:
        for attributes in [{}, {"momentum": 0.5}]:
            yield Case(inputs, {"training_mode": 1, **attributes}, 3, sums=True, name=f"training {attributes}")


@cases("LRN")
def lrn(v):
    for size in (1, 3, 5):
        yield Case([v.arr(0, (2, 6, 2, 2))], {"size": size}, sums=True, name=f"size {size}")
    yield Case([v.arr(0, (1, 5, 2, 1))], {"size": 3, "alpha": 0.5, "beta": 0.5, "bias": 2.0}, sums=True, name="all attributes")


@cases("HannWindow HammingWindow BlackmanWindow")
def window(v):
    # The middle of a symmetric window is 1 or, by rounding, just below it: an integer type would show it.
    for periodic in (None, 0) if "int" not in v.types["T2"] else (None,):
        target = ELEMENTS[v.types["T2"][7:-1]]
        yield Case([v.the(0, 9)], {"periodic": periodic, "output_datatype": target}, sums=True, name=f"periodic {periodic}")
        yield Case([v.the(0, 9)], {"periodic": periodic, "output_datatype": target}, sums=True, constant=(0,), name=f"constant, periodic {periodic}")
