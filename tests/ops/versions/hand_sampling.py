"""Resize and GridSample by hand: the weight of every element that a result reads, from the formulas of the standard in
exact fractions. Only the sum of the products is floating point (float64)."""

import itertools
from fractions import Fraction
from math import ceil, floor

import numpy as np

from hand import formula, old_resize
from values import Either, integer_range, is_floating

HALF = Fraction(1, 2)


def fraction(value):
    return Fraction(float(np.asarray(value).astype(np.float64)))


def real(attributes, name, default):
    """An attribute, which a model holds as float32."""
    value = attributes.get(name)
    return fraction(np.float32(default if value is None else value))


def cubic(a, distance):
    """Keys, 1981, equation 4, which the attribute cubic_coeff_a refers to."""
    d = abs(distance)
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else Fraction(0)


def linear(distance):
    return max(Fraction(0), 1 - abs(distance))


def whole(x, dtype, rounding):
    """Sums of float64 as integers; either neighbour where they are within rounding error of where it changes."""
    low, high = (np.clip(rounding(x + shift), *integer_range(dtype)) for shift in (-1e-9, 1e-9))
    return Either(low, high)


# Resize


def original(mode, x, old, new, scale, target, start, end):
    """x_original of the standard. `new` is the output's length, `target` the one with a fraction where it comes of a
    scale: version 19 calls it output_width, and ONNX's own case resize_downsample_scales_linear_align_corners
    (1, 3.142857) has it for align_corners."""
    if mode == "half_pixel":
        return (x + HALF) / scale - HALF
    if mode == "half_pixel_symmetric":
        return Fraction(old, 2) * (1 - new / target) + (x + HALF) / scale - HALF
    if mode == "pytorch_half_pixel":
        return (x + HALF) / scale - HALF if new > 1 else Fraction(0)
    if mode == "align_corners":
        return x * (old - 1) / (target - 1) if target != 1 else Fraction(0)
    if mode == "asymmetric":
        return x / scale
    if mode == "tf_half_pixel_for_nn":
        return (x + HALF) / scale
    assert mode == "tf_crop_and_resize", mode
    if new > 1:
        return start * (old - 1) + x * (end - start) * (old - 1) / (new - 1)
    return HALF * (start + end) * (old - 1)


NEAREST = {
    "round_prefer_floor": lambda x: ceil(x - HALF),
    "round_prefer_ceil": lambda x: floor(x + HALF),
    "floor": floor,
    "ceil": ceil,
}


def weights_at(x, length, scale, attributes):
    """{index: weight} of what is read at coordinate x of an axis."""
    mode = attributes.get("mode") or "nearest"
    if mode == "nearest":
        index = NEAREST[attributes.get("nearest_mode") or "round_prefer_floor"](x)
        return {min(max(index, 0), length - 1): Fraction(1)}
    a = real(attributes, "cubic_coeff_a", -0.75)
    shrink = min(scale, Fraction(1)) if attributes.get("antialias") else Fraction(1)
    reach = ceil((2 if mode == "cubic" else 1) / shrink) + 1
    found = {}
    for i in range(floor(x) - reach, floor(x) + reach + 1):
        distance = (i - x) * shrink
        weight = cubic(a, distance) if mode == "cubic" else linear(distance)
        inside = 0 <= i < length
        if weight and (inside or not attributes.get("exclude_outside")):
            index = min(max(i, 0), length - 1)
            found[index] = found.get(index, 0) + weight
    total = sum(found.values())
    return {i: w / total for i, w in found.items()}


def lengths(case, x):
    """(axis, output's length, scale, target length, start, end) for each axis that is resized."""
    inputs = [*case.inputs, None, None, None]
    given = [None if i is None or i.size == 0 else i for i in inputs[1:4]]
    roi, scales, sizes = given
    axes = [a % x.ndim for a in case.attributes.get("axes") or range(x.ndim)]
    crop = case.attributes.get("coordinate_transformation_mode") == "tf_crop_and_resize"
    policy = case.attributes.get("keep_aspect_ratio_policy") or "stretch"
    common = None
    if sizes is not None and policy != "stretch":
        pick = min if policy == "not_larger" else max
        common = pick(Fraction(int(s), x.shape[a]) for s, a in zip(sizes, axes, strict=True))
    for k, axis in enumerate(axes):
        start, end = (fraction(roi[k]), fraction(roi[len(axes) + k])) if crop else (Fraction(0), Fraction(1))
        old = x.shape[axis]
        if common is not None:
            yield axis, floor(common * old + HALF), common, common * old, start, end
        elif sizes is not None:
            new = int(sizes[k])
            yield axis, new, Fraction(new, old), Fraction(new), start, end
        else:
            scale = fraction(scales[k])
            yield axis, floor(old * (end - start) * scale), scale, old * scale, start, end


@formula("Resize")
def resize(v, case):
    if v.version < 11:
        return old_resize(v, case)
    x = case.inputs[0]
    mode = case.attributes.get("mode") or "nearest"
    transform = case.attributes.get("coordinate_transformation_mode") or "half_pixel"
    y = x
    if mode != "nearest":
        y = x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)
    for axis, new, scale, target, start, end in lengths(case, x):
        old = x.shape[axis]
        at = [original(transform, Fraction(i), old, new, scale, target, start, end) for i in range(new)]
        outside = [transform == "tf_crop_and_resize" and not 0 <= t <= old - 1 for t in at]
        weights = [weights_at(t, old, scale, case.attributes) for t in at]
        y = np.moveaxis(y, axis, 0)
        if mode == "nearest":
            y = y[[next(iter(w)) for w in weights]]
        else:
            y = np.stack([sum(float(w) * y[i] for i, w in row.items()) for row in weights])
        y[outside] = float(real(case.attributes, "extrapolation_value", 0)) if any(outside) else y[outside]
        y = np.moveaxis(y, 0, axis)
    # The standard does not say how integers come of weighted averages; onnx.reference takes the nearest.
    if mode != "nearest" and not is_floating(x.dtype) and x.dtype.kind != "c":
        return [whole(y, x.dtype, np.rint)]
    return [y]


# GridSample


def mirrored(x, length, align):
    """"If pixel location x = -3.5 reflects by border -1 and becomes x' = 1.5": folded back until it is in bounds."""
    low, high = (Fraction(0), Fraction(length - 1)) if align else (-HALF, length - HALF)
    if low == high:
        return low
    while not low <= x <= high:
        x = 2 * low - x if x < low else 2 * high - x
    return x


def bounded(x, length, padding, align):
    """The coordinate that is read, or None for nothing."""
    if padding == "reflection":
        x = mirrored(x, length, align)
    if padding != "zeros":
        x = min(max(x, Fraction(0)), Fraction(length - 1))
    return x


def samples_at(x, length, mode, padding, align):
    """{index: weight} of what is read at coordinate x of an axis; an index outside is read as zero."""
    if mode == "nearest":
        # "rounds to the nearest even index when the sampling point falls halfway between two indices"
        return {round(bounded(x, length, padding, align)): Fraction(1)}
    found = {}
    if mode == "linear":
        x = bounded(x, length, padding, align)
        taps = [(i, linear(i - x)) for i in (floor(x), floor(x) + 1)]
    else:
        # Elements outside, rather than the coordinate, as PyTorch's grid_sample, which the standard refers to.
        taps = [(i, cubic(Fraction(-3, 4), i - x)) for i in range(floor(x) - 1, floor(x) + 3)]
    for i, weight in taps:
        index = int(bounded(Fraction(i), length, padding, align))
        if weight:
            found[index] = found.get(index, 0) + weight
    return found


@formula("GridSample")
def grid_sample(v, case):
    x, grid = case.inputs
    get = lambda name, default: case.attributes.get(name) or default  # noqa: E731
    mode = {"bilinear": "linear", "bicubic": "cubic"}.get(get("mode", "linear"), get("mode", "linear"))
    padding, align = get("padding_mode", "zeros"), bool(get("align_corners", 0))
    sizes = x.shape[2:]
    moves = mode == "nearest"
    wide = x if moves else x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)
    y = np.zeros(x.shape[:2] + grid.shape[1:-1], wide.dtype)
    if x.dtype.kind == "O":
        y[...] = ""
    for n, *at in np.ndindex(grid.shape[:-1]):
        taps = []
        for size, normal in zip(sizes, reversed(grid[(n, *at)]), strict=True):
            c = fraction(normal)
            place = (c + 1) / 2 * (size - 1) if align else ((c + 1) * size - 1) / 2
            taps.append(samples_at(place, size, mode, padding, align).items())
        for tap in itertools.product(*taps):
            index = tuple(i for i, _ in tap)
            if any(not 0 <= i < size for i, size in zip(index, sizes, strict=True)):
                continue
            read = wide[(n, slice(None), *index)]
            if moves:
                y[(n, slice(None), *at)] = read
            else:
                y[(n, slice(None), *at)] += float(np.prod([w for _, w in tap])) * read
    # "For integer input types, intermediate values are computed as floating point and cast to integer at the end."
    if not moves and not is_floating(x.dtype) and x.dtype.kind != "c":
        return [whole(y, x.dtype, np.trunc)]
    return [y]
