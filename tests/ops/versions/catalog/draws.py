"""Operators that draw random numbers: only the distribution is the standard's."""

import numpy as np

from case import Case, cases, ints
from values import ELEMENTS, dtype_of


def distribution(shape, dtype, mean, deviation, low=-np.inf, high=np.inf):
    """A check that the elements have that mean and lie in [low, high]."""

    def check(inputs, outputs):
        y = np.asarray(outputs[0])
        if y.shape != tuple(shape) or y.dtype != dtype:
            return f"{y.dtype}{y.shape} instead of {dtype}{tuple(shape)}"
        y = y.astype(np.float64)
        error = abs(y.mean() - mean)
        if error > 6 * deviation / np.sqrt(y.size):
            return f"mean {y.mean()} instead of {mean}"
        if deviation and not 0.8 < y.std() / deviation < 1.25:
            return f"deviation {y.std()} instead of {deviation}"
        return "" if y.min() >= low and y.max() <= high else f"outside [{low}, {high}]"

    return check


@cases("RandomNormal RandomUniform")
def draw(v):
    element = ELEMENTS[v.types["T"][7:-1]]
    dtype = dtype_of(element)
    common = {"shape": [40, 50], "dtype": element}
    if v.op == "RandomNormal":
        yield Case([], common, check=distribution((40, 50), dtype, 0, 1))
        yield Case([], {**common, "mean": 2.0, "scale": 3.0, "seed": 1.0}, check=distribution((40, 50), dtype, 2, 3), name="mean, scale")
    else:
        yield Case([], common, check=distribution((40, 50), dtype, 0.5, 12**-0.5, 0, 1))
        yield Case([], {**common, "low": 2.0, "high": 4.0, "seed": 1.0}, check=distribution((40, 50), dtype, 3, 2 * 12**-0.5, 2, 4), name="low, high")


@cases("RandomNormalLike RandomUniformLike")
def draw_like(v):
    target = dtype_of(ELEMENTS[v.types["T2"][7:-1]])
    x = v.arr(0, (40, 50))
    normal = v.op == "RandomNormalLike"
    mean, deviation = (0, 1) if normal else (0.5, 12**-0.5)
    yield Case([x], {"dtype": ELEMENTS[v.types["T2"][7:-1]]}, check=distribution((40, 50), target, mean, deviation))
    if x.dtype.kind == "f":
        yield Case([x], check=distribution((40, 50), x.dtype, mean, deviation), name="type of the input")


@cases("Multinomial")
def multinomial(v):
    element = ELEMENTS[v.types["T2"][7:-1]]
    x = np.log(np.array([[0.25, 0.75], [0.5, 0.5]])).astype(v.dtype())

    def check(inputs, outputs):
        y = outputs[0]
        if y.shape != (2, 2000) or y.dtype != dtype_of(element):
            return f"{y.dtype}{y.shape}"
        share = y.astype(np.float64).mean(axis=1)
        return "" if np.all(np.abs(share - [0.75, 0.5]) < 0.06) else f"shares {share}"

    yield Case([x], {"sample_size": 2000, "dtype": element}, check=check)
    yield Case([x], {"sample_size": 2000, "dtype": element, "seed": 3.0}, check=check, name="seed")


@cases("Bernoulli")
def bernoulli(v):
    x = np.full((40, 50), 0.25).astype(v.dtype())
    target = dtype_of(ELEMENTS[v.types["T2"][7:-1]])
    if target.kind == "O":
        return
    yield Case([x], {"dtype": ELEMENTS[v.types["T2"][7:-1]]}, check=distribution((40, 50), target, 0.25, (3 / 16) ** 0.5))
    yield Case([x], {"seed": 2.0}, check=distribution((40, 50), x.dtype, 0.25, (3 / 16) ** 0.5), name="seed") if "T2" in v.types and v.types["T2"] == "tensor(float)" else Case([x], {"dtype": ELEMENTS[v.types["T2"][7:-1]], "seed": 2.0}, check=distribution((40, 50), target, 0.25, (3 / 16) ** 0.5), name="seed")
