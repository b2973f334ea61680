"""Pooling by hand: each window's elements, listed."""

import itertools

import numpy as np

from hand import formula, wide


def places(length, kernel, stride, dilation, begin, end, ceil_mode):
    """For each output of an axis, the inputs in its window that are not padding."""
    reach = (kernel - 1) * dilation + 1
    over = length + begin + end - reach
    count = (-(-over // stride) if ceil_mode else over // stride) + 1
    if ceil_mode and (count - 1) * stride >= length + begin:  # a window may not begin in the padding behind
        count -= 1
    starts = [i * stride - begin for i in range(count)]
    return [[s + k * dilation for k in range(kernel) if 0 <= s + k * dilation < length] for s in starts]


def windows(case):
    """Of a pooling operator without auto_pad: the outputs' lengths, and (output, inputs of its window) in turn."""
    attributes, sizes = case.attributes, case.inputs[0].shape[2:]
    kernel = attributes["kernel_shape"]
    rank = len(kernel)
    strides, dilations = (attributes.get(name) or [1] * rank for name in ("strides", "dilations"))
    pads = attributes.get("pads") or [0] * (2 * rank)
    axes = [
        places(sizes[i], kernel[i], strides[i], dilations[i], pads[i], pads[rank + i], attributes.get("ceil_mode"))
        for i in range(rank)
    ]
    found = [
        (at, list(itertools.product(*(axis[i] for axis, i in zip(axes, at, strict=True)))))
        for at in itertools.product(*(range(len(axis)) for axis in axes))
    ]
    return [len(axis) for axis in axes], found


@formula("LpPool")
def lp_pool(v, case):
    """"Lp pooling consisting of computing the Lp norm on all values of a subset of the input tensor"."""
    if case.attributes.get("auto_pad"):
        return None
    x, p = wide(case.inputs[0]), case.attributes.get("p") or 2
    lengths, found = windows(case)
    y = np.zeros(x.shape[:2] + tuple(lengths))
    for at, inputs in found:
        for i in inputs:
            y[(slice(None), slice(None), *at)] += np.abs(x[(slice(None), slice(None), *i)]) ** p
    return [y ** (1 / p)]


@formula("MaxPool")
def max_pool(v, case):
    """Where the largest element is: counted over the whole tensor, the last two axes by column for storage_order 1."""
    if case.attributes.get("auto_pad"):
        return None
    x = wide(case.inputs[0])
    lengths, found = windows(case)
    y = np.zeros(x.shape[:2] + tuple(lengths), x.dtype)
    places = np.zeros(y.shape, np.int64)
    sizes = x.shape[2:]
    order = range(len(sizes)) if case.attributes.get("storage_order") else reversed(range(len(sizes)))
    stride, strides = 1, {}
    for axis in order:
        strides[axis] = stride
        stride *= sizes[axis]
    for n, c in np.ndindex(x.shape[:2]):
        for at, inputs in found:
            best = max(inputs, key=lambda i: x[(n, c, *i)])
            y[(n, c, *at)] = x[(n, c, *best)]
            places[(n, c, *at)] = (n * x.shape[1] + c) * stride + sum(i * strides[axis] for axis, i in enumerate(best))
    return [y, places][: case.outputs]


@formula("MaxUnpool")
def max_unpool(v, case):
    """Indices count the elements of what was pooled, whose size follows from the attributes; a larger output_shape
    holds it in its corner, as in the suite's case maxunpool_export_with_output_shape."""
    x, index = case.inputs[:2]
    kernel, rank = case.attributes["kernel_shape"], len(case.attributes["kernel_shape"])
    strides, pads = case.attributes.get("strides") or [1] * rank, case.attributes.get("pads") or [0] * (2 * rank)
    sizes = [(n - 1) * s - pads[i] - pads[rank + i] + k for i, (n, s, k) in enumerate(zip(x.shape[2:], strides, kernel, strict=True))]
    y = np.zeros(x.shape[:2] + tuple(sizes), x.dtype)
    y.reshape(-1)[index.ravel()] = x.ravel()
    if len(case.inputs) < 3:
        return [y]
    placed = np.zeros(case.inputs[2], x.dtype)
    placed[tuple(slice(n) for n in y.shape)] = y
    return [placed]
