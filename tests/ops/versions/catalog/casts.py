"""Operators that change the type of elements, or read their bits as another."""

import numpy as np

from case import Case, cases
from values import ELEMENTS, bits_of, dtype_of, make


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
    yield Case([x], {"to": to}, name=f"to {target}")
    if v.types["T1"] == "tensor(float)":
        yield Case([make(v.rng, source, (), low, high)], {"to": to}, name=f"scalar to {target}")
        yield Case([make(v.rng, source, (0, 2), low, high)], {"to": to}, name=f"empty to {target}")


@cases("CastLike")
def cast_like(v):
    source, target = v.dtype(), v.dtype(1)
    if source.kind == "O":
        yield Case([np.array(["1.5", "-2", "1e1"], dtype=object), make(v.rng, target, (2,))])
        return
    if target.kind == "O":
        yield Case([v.the(0, [1.5, -2.25, 0.75]), make(v.rng, target, (2,))])
        return
    small = {source.name, target.name} & {"int2", "uint2", "uint4"}
    x = make(v.rng, source, (3, 4), 0 if small or target.kind == "u" else -4, 1 if small else 4)
    yield Case([x, make(v.rng, target, (2,))])


@cases("BitCast", product=True)
def bit_cast(v):
    target = ELEMENTS[v.types["T2"][7:-1]]
    if v.dtype().kind == "O" or bits_of(v.dtype()) != bits_of(dtype_of(target)):
        return
    yield Case([v.arr(0, (2, 3))], {"to": target})
    yield Case([v.arr(0, ())], {"to": target}, name="scalar")
