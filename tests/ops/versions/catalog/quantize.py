"""Quantisation."""

import numpy as np

from case import Case, cases
from values import ELEMENTS


@cases("QuantizeLinear")
def quantize(v):
    def scale(*values):
        if v.dtype(1).kind == "i":
            values = np.maximum(1, 4 * np.array(values))
        return v.the(1, values[0] if len(values) == 1 else values)

    x = v.arr(0, (2, 4), -4, 4)
    if v.dtype().kind == "i":
        x = v.arr(0, (2, 4), -40, 40)
    zero = None if v.out_dtype().name == "float8_e8m0fnu" else v.the(2, 0)
    yield Case([x, scale(0.5), zero], name="one scale")
    if "fn" not in v.out_dtype().name and "e5m2" not in v.out_dtype().name:
        yield Case([x, scale(0.5), v.the(2, 1)], name="zero point")
    if v.out_dtype() == np.uint8:
        yield Case([x, scale(0.5)], name="no zero point")
    if v.version >= 13:
        yield Case([x, scale(0.5, 0.25), v.the(2, [0, 0])], {"axis": 0}, name="axis 0")
        yield Case([x, scale(0.5, 0.25, 1.0, 2.0), v.the(2, [0, 0, 0, 0])], {"axis": -1}, name="axis -1")
        yield Case([x, scale(0.5, 0.25, 1.0, 2.0)], {"axis": 1}, name="axis, no zero point")
    if v.version >= 19 and "float8_e" in v.out_dtype().name:
        yield Case([v.the(0, [1000, -1000, 1e5, 3]), scale(1.0), v.the(2, 0)], {"saturate": 0}, name="no saturation")
        yield Case([v.the(0, [1000, -1000, 3, 448]), scale(1.0), v.the(2, 0)], name="saturation")
    if v.version >= 21:
        yield Case([x, scale([0.5, 1.0], [0.25, 2.0]), v.the(2, [[0, 0], [0, 0]])], {"axis": 1, "block_size": 2}, name="blocks")
        element = ELEMENTS[v.types["T3" if v.version >= 21 and "T3" in v.types else "T2"][7:-1]]
        yield Case([x, scale(0.5)], {"output_dtype": element}, name="output_dtype")


@cases("DequantizeLinear")
def dequantize(v):
    for case in dequantizes(v):
        if v.dtype(1).name == "float8_e8m0fnu":
            case.attributes = {**case.attributes, "output_dtype": ELEMENTS[v.types["T3"][7:-1]]}
        yield case


def dequantizes(v):
    x = v.arr(0, (2, 4), -8, 8)
    floating = "float" in v.dtype().name
    if v.version < 21 or not floating:
        zero = v.the(0, 0 if floating else 1)
    else:
        zero = v.the(0, 0)
    if v.dtype() == np.int32:
        zero = v.the(0, 0)
    yield Case([x, v.the(1, 0.5)], name="no zero point")
    yield Case([x, v.the(1, 0.5), zero], name="zero point")
    if v.version >= 13:
        yield Case([x, v.the(1, [0.5, 0.25]), np.array([zero, zero])], {"axis": 0}, name="axis 0")
        yield Case([x, v.the(1, [0.5, 0.25, 1.0, 2.0])], {"axis": -1}, name="axis -1")
    if v.version >= 21:
        yield Case([x, v.the(1, [[0.5, 1.0], [0.25, 2.0]])], {"axis": 1, "block_size": 2}, name="blocks")


@cases("DynamicQuantizeLinear")
def dynamic_quantize(v):
    yield Case([v.arr(0, (3, 4))], {}, 3)
    yield Case([v.arr(0, (5,), 1, 4)], {}, 3, name="positive")
    yield Case([v.arr(0, (5,), -4, -1)], {}, 3, name="negative")
