"""How far an answer may be from an oracle's, and a fast kernel's from the reference's: the one place.

tenon's references compute in float64 and round once, and so do the oracles that compute wider than the result's type:
two roundings to one type are at most one unit in the last place apart, epsilon * |value|. An oracle that computes in the
type itself (float32, float64) rounds at every step too: UNITS units cover the functions and chains of operations here.
A sum of n products has an error below n * epsilon / 2 * (the sum of their absolute values), which grows with the terms
rather than with a result that cancels: cases with `sums` also get SUM_UNITS units of the largest result. They sum up
to 54 products (a convolution of 2 channels by 3x3x3), whose roundings hardly ever add up. So do operators that are written
as several in a half type, as the bodies of ONNX's functions are: each of them rounds, and terms may cancel (1 + erf).

Where the operator's definition (OpDef::tolerance) gives a number of units, no more are taken. Integers, booleans and
strings are exact.
"""

import numpy as np

from values import epsilon, is_floating

UNITS = 8
SUM_UNITS = 16


def base_type(dtype):
    """The floating point type whose epsilon counts, or None for exact ones."""
    if dtype is None:
        return None
    if dtype.kind == "c":
        return np.dtype(np.float32 if dtype == np.complex64 else np.float64)
    return dtype if is_floating(dtype) else None


def tolerances(case, desired, dtype, defined=(), decomposed=False):
    """rtol, atol for a result that is compared in `dtype`. `defined`: (kind, units) of the operators that make it;
    `decomposed`: whether one of them is written as several."""
    dtype = base_type(dtype)
    if dtype is None:
        return 0, 0
    wide = dtype in (np.float32, np.float64)
    sums = case.sums or (decomposed and not wide)
    units = (SUM_UNITS if sums else UNITS) if wide else 2 if sums else 1
    limits = [limit for kind, limit in defined if kind != "exact"]
    if limits and wide:
        units = min(units, sum(limits))
    scale = largest(desired) if sums else 0.25
    return units * epsilon(dtype), units * epsilon(dtype) * scale


def engine_tolerances(desired, dtype, defined):
    """The same for the engine beside the references: what the definitions allow fast rows, and nothing else."""
    dtype = base_type(dtype)
    if dtype is None or all(kind == "exact" for kind, _ in defined):
        return 0, 0
    units = sum(limit for _, limit in defined)
    scale = largest(desired) if any(kind == "sum" for kind, _ in defined) else 0
    return units * epsilon(dtype), units * epsilon(dtype) * scale


def largest(desired):
    flat = [np.abs(np.asarray(d).astype(np.complex128)).ravel() for d in (desired if isinstance(desired, list) else [desired])]
    flat = np.concatenate(flat) if flat else np.zeros(1)
    return np.max(flat[np.isfinite(flat)], initial=1.0)
