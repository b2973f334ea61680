"""Operators that work element by element."""

import numpy as np

from case import Case, cases
from values import is_floating

SHAPES = [(2, 3), (), (0, 3), (5, 1, 2)]


def unary(v, low=-4, high=4, **attributes):
    for shape in SHAPES:
        yield Case([v.arr(0, shape, low, high)], attributes, name=f"shape {list(shape)}")


@cases(
    """Abs Ceil Floor Neg Sign Round Sin Cos Tan Atan Sinh Cosh Asinh Tanh Erf Exp Sigmoid Softsign Softplus Relu
    HardSwish Mish Identity BitwiseNot Not"""
)
def plain(v):
    yield from unary(v)
    if is_floating(v.dtype()) and not v.dtype().name.startswith("float8"):
        specials = [np.nan, np.inf, -np.inf, 0.0, -0.0, 0.5, 1.5, -0.5, -1.5, 2.5]
        if v.op in ("Abs", "Ceil", "Floor", "Neg", "Round", "Relu", "Identity", "Exp", "Tanh", "Sigmoid", "Erf"):
            yield Case([v.the(0, specials)], name="special values")


@cases("Acos Asin Atanh")
def within_one(v):
    for shape in SHAPES:
        yield Case([v.arr(0, shape, -0.75, 0.75)], name=f"shape {list(shape)}")
    yield Case([v.the(0, [1.0, -1.0, 0.0, 2.0])], name="borders")


@cases("Acosh")
def above_one(v):
    yield from unary(v, 1, 4)


@cases("Log Sqrt Reciprocal")
def positive(v):
    yield from unary(v, 0.25, 4)
    yield Case([v.the(0, [0.0, -1.0, np.inf])], name="borders")


@cases("IsNaN")
def is_nan(v):
    yield from unary(v)
    yield Case([v.the(0, [np.nan, np.inf, 1, -np.inf])], name="special values")


@cases("IsInf")
def is_inf(v):
    x = v.the(0, [np.nan, np.inf, 1, -np.inf])
    yield Case([x])
    yield Case([x], {"detect_negative": 0})
    yield Case([x], {"detect_positive": 0})
    yield Case([x], {"detect_positive": 0, "detect_negative": 0})
    yield from unary(v)


@cases("Elu LeakyRelu ThresholdedRelu Selu Celu HardSigmoid Shrink Gelu Swish")
def parametric(v):
    yield from unary(v)
    options = {
        "Elu": [{"alpha": 0.5}],
        "LeakyRelu": [{"alpha": 0.25}, {"alpha": -1.0}],
        "ThresholdedRelu": [{"alpha": 0.5}, {"alpha": 0.0}, {"alpha": -1.0}],
        "Selu": [{"alpha": 2.0, "gamma": 3.0}],
        "Celu": [{"alpha": 2.0}, {"alpha": 0.5}],
        "HardSigmoid": [{"alpha": 0.5, "beta": 0.25}],
        "Shrink": [{"lambd": 1.5}, {"lambd": 1.0, "bias": 0.5}, {"bias": 1.0}],
        "Gelu": [{"approximate": "tanh"}, {"approximate": "none"}],
        "Swish": [{"alpha": 0.5}, {"alpha": 2.0}],
    }[v.op]
    for attributes in options:
        yield Case([v.arr(0, (3, 4))], attributes, name=str(attributes))


PAIRS = [((2, 3), (2, 3)), ((2, 3), (3,)), ((), (2, 2)), ((2, 1, 3), (4, 1)), ((0, 3), (1, 3)), ((1,), (0,)), ((), ())]


def pairs(v, low=-4, high=4, nonzero=False, **attributes):
    for a, b in PAIRS:
        y = v.arr(1, b, low, high)
        if nonzero:
            y = np.where(y == 0, np.ones_like(y), y)
        yield Case([v.arr(0, a, low, high), y], attributes, name=f"{list(a)} {list(b)} {attributes or ''}")


@cases(
    """Add Sub Mul Equal Less Greater LessOrEqual GreaterOrEqual And Or Xor BitwiseAnd BitwiseOr BitwiseXor"""
)
def binary(v):
    yield from pairs(v)
    if v.op in ("Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual") and is_floating(v.dtype()):
        x = v.the(0, [np.nan, np.inf, 1, -np.inf, 0.0])
        yield Case([x, x], name="special values")
        yield Case([x.reshape(-1, 1), x], name="special values, broadcast")


@cases("Div")
def div(v):
    yield from pairs(v, -8, 8, nonzero=True)
    if is_floating(v.dtype()):
        yield Case([v.the(0, [1, -1, 0]), v.the(1, [0, 0, 0])], name="by zero")


@cases("Mod")
def modulo(v):
    if not is_floating(v.dtype()):
        yield from pairs(v, -8, 8, nonzero=True)
        yield from pairs(v, -8, 8, nonzero=True, fmod=1)
    else:
        yield from pairs(v, -8, 8, nonzero=True, fmod=1)


@cases("Pow")
def power(v):
    for a, b in PAIRS:
        yield Case([v.arr(0, a, 0.25, 3), v.arr(1, b, 0, 3)], name=f"{list(a)} {list(b)}")
    yield Case([v.the(0, [0, 1, 2, 3]), v.the(1, [0, 0, 0, 0])], name="to the power of zero")


@cases("BitShift")
def bit_shift(v):
    bits = v.dtype().itemsize * 8
    for direction in ("LEFT", "RIGHT"):
        for a, b in PAIRS:
            yield Case([v.arr(0, a, 0, 100), v.arr(1, b, 0, 7)], {"direction": direction}, name=f"{direction} {a} {b}")
        if v.version >= 28:
            x = v.the(0, [1, 100, 7, 3])
            zero = np.zeros_like(x)
            wide = v.the(1, [bits, bits + 1, min(100, 127), bits])
            negative = x.dtype.kind == "i" and direction == "RIGHT"
            yield Case([x, wide], {"direction": direction}, expect=[zero], name=f"{direction} by the width")
            if negative:
                yield Case([-x, wide], {"direction": direction}, expect=[zero - 1], name="negative by the width")
    if v.dtype().kind == "u":
        top = v.the(0, [2**bits - 1, 2 ** (bits - 1), 1])
        yield Case([top, v.the(1, [1, 1, bits - 1])], {"direction": "LEFT"}, name="cut off")


@cases("PRelu")
def prelu(v):
    for x, slope in [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3, 4), (3, 1)), ((2, 3), ()), ((0, 3), (3,))]:
        yield Case([v.arr(0, x), v.arr(1, slope)], name=f"{list(x)} {list(slope)}")


@cases("Max Min Sum Mean")
def variadic(v):
    yield Case([v.arr(0, (2, 3))], name="one")
    yield Case([v.arr(0, (2, 3)), v.arr(0, (2, 3))], name="two")
    yield Case([v.arr(0, (2, 1, 3)), v.arr(0, (4, 1)), v.arr(0, ())], name="three, broadcast")
    yield Case([v.arr(0, (0, 3)), v.arr(0, (3,)), v.arr(0, (1, 1))], name="empty")
    if v.op in ("Max", "Min") and is_floating(v.dtype()):
        x = v.the(0, [np.nan, np.inf, 1, -np.inf, 2])
        yield Case([x, v.the(0, [1, 1, np.nan, 3, 3])], name="NaN")


@cases("Clip")
def clip(v):
    for shape in SHAPES:
        x = v.arr(0, shape, -8, 8)
        if v.version < 11:
            yield Case([x])
            yield Case([x], {"min": -1.5, "max": 2.0})
            yield Case([x], {"min": 1.0})
            yield Case([x], {"max": 1.0})
        else:
            low, high = v.the(0, 1), v.the(0, 3)
            yield Case([x], name="defaults")
            yield Case([x, low, high], name="both")
            yield Case([x, low, high], constant=(1, 2), name="both constant")
            yield Case([x, None, high], constant=(2,), name="max")
            yield Case([x, low], constant=(1,), name="min")
            yield Case([x, high, low], constant=(1, 2), name="min above max")
    if is_floating(v.dtype()):
        x = v.the(0, [np.nan, np.inf, -np.inf, 0])
        yield Case([x, v.the(0, -1), v.the(0, 1)] if v.version >= 11 else [x], name="special values")


@cases("Where")
def where(v):
    yield Case([v.arr(0, (2, 3)), v.arr(1, (2, 3)), v.arr(2, (2, 3))])
    yield Case([v.arr(0, (2, 1)), v.arr(1, (3,)), v.arr(2, ())], name="broadcast")
    yield Case([v.arr(0, ()), v.arr(1, (4, 3)), v.arr(2, (1, 3))], name="scalar condition")
    yield Case([v.arr(0, (0,)), v.arr(1, (1,)), v.arr(2, (0,))], name="empty")
