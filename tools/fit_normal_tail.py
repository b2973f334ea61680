"""Fits the table of src/kernels/math/normal_tail.h: Phi(-t), in pieces.

Piece k is a polynomial in t - k * step, for the t nearest to k * step, through the Chebyshev points of the piece,
where the error relative to the function is near the least one that a polynomial of that degree has.

    python3 tools/fit_normal_tail.py > src/kernels/math/normal_tail.h && clang-format-19 -i src/kernels/math/normal_tail.h
"""

import math

import numpy as np

PIECES = 32
DEGREE = 5


def normal_tail(t):
    """Phi(-t), the distribution function of the normal distribution."""
    return math.erfc(t / math.sqrt(2)) / 2


def pieces(function, step):
    nodes = np.cos(np.pi * (np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1)) * step / 2
    powers = nodes[:, None] ** np.arange(DEGREE + 1)
    for k in range(PIECES):
        yield np.linalg.solve(powers, [function(k * step + node) for node in nodes])


def table(name, comment, function, step):
    coefficients = np.array(list(pieces(function, step))).T
    print(f"// {comment}")
    print(f"inline constexpr float k{name}Step = {step}f;")
    print(f"alignas(64) inline constexpr float k{name}[{DEGREE + 1}][{PIECES}] = {{")
    for row in coefficients:
        print("{" + ", ".join(f"{np.float32(value)!s}f" for value in row) + "},")
    print("};")


print("// Written by tools/fit_normal_tail.py: a function of t >= 0 in pieces, [power of t - k * step][k].")
print("#pragma once")
print()
print("namespace tenon::kernels {")
print()
table("NormalTail", "Phi(-t), the distribution function of the normal distribution.", normal_tail, 0.1875)
print()
print("}  // namespace tenon::kernels")
