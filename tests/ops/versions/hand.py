"""Outputs worked out by hand, in NumPy and float64, where neither onnx.reference nor ONNX Runtime has the version
or the type, or where what they compute is coarser than the type."""

import math

import numpy as np

from values import bits_of, integer_range, is_floating

FORMULAS = {}


def formula(*names):
    def register(function):
        for name in " ".join(names).split():
            FORMULAS[name] = function
        return function

    return register


def by_hand(versioned, case):
    """Expected outputs, or None. Floating point values are float64 and not yet rounded to the outputs' types."""
    if case.expect is not None:
        return case.expect
    function = FORMULAS.get(versioned.op)
    return function(versioned, case) if function else None


def wide(value):
    return value.astype(np.float64) if is_floating(value.dtype) else value


@formula("Softsign")
def softsign(v, case):
    x = wide(case.inputs[0])
    return [np.asarray(x / (1 + np.abs(x)))]


@formula("Erf")
def erf(v, case):
    x = wide(case.inputs[0])
    y = np.asarray(np.vectorize(math.erf, otypes=[float])(x) if x.size else x.astype(np.float64))
    return [y if is_floating(case.inputs[0].dtype) else np.trunc(y).astype(x.dtype)]


@formula("Gelu")
def gelu(v, case):
    x = wide(case.inputs[0])
    if case.attributes.get("approximate") == "tanh":
        return [np.asarray(0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))))]
    cdf = np.vectorize(lambda t: 0.5 * (1 + math.erf(t / math.sqrt(2))), otypes=[float])
    return [np.asarray(x * cdf(x) if x.size else x)]


@formula("HardSwish")
def hard_swish(v, case):
    x = wide(case.inputs[0])
    return [np.asarray(x * np.maximum(0, np.minimum(1, x / 6 + 0.5)))]


@formula("Mean")
def mean(v, case):
    arrays = np.broadcast_arrays(*[wide(x) for x in case.inputs])
    return [sum(arrays) / len(arrays)]


def flattened(v, case):
    """The input as the matrix that versions before 13 see."""
    x = wide(case.inputs[0])
    axis = case.attributes.get("axis")
    axis = (1 if axis is None else axis) % x.ndim
    return x, x.reshape(int(np.prod(x.shape[:axis])), -1)


@formula("Softmax LogSoftmax Hardmax")
def softmax(v, case):
    if v.version >= 13:
        return None
    x, matrix = flattened(v, case)
    if v.op == "Hardmax":
        y = np.zeros_like(matrix)
        y[np.arange(len(matrix)), matrix.argmax(axis=1)] = 1
    else:
        y = matrix - matrix.max(axis=1, keepdims=True)
        logs = y - np.log(np.exp(y).sum(axis=1, keepdims=True))
        y = logs if v.op == "LogSoftmax" else np.exp(logs)
    return [y.reshape(x.shape)]


@formula("LRN")
def lrn(v, case):
    x = wide(case.inputs[0])
    get = lambda name, default: float(np.float32(case.attributes.get(name, default)))  # noqa: E731
    size, alpha, beta, bias = case.attributes["size"], get("alpha", 1e-4), get("beta", 0.75), get("bias", 1.0)
    squares = np.zeros_like(x)
    for c in range(x.shape[1]):
        first, last = max(0, c - (size - 1) // 2), min(x.shape[1], c + math.ceil((size - 1) / 2) + 1)
        squares[:, c] = (x[:, first:last] ** 2).sum(axis=1)
    return [x / (bias + alpha / size * squares) ** beta]


@formula("Scatter ScatterElements")
def scatter(v, case):
    if case.attributes.get("reduction", "none") != "none":
        return None
    x, index, updates = case.inputs
    axis, y = case.attributes.get("axis") or 0, x.copy()
    for at in np.ndindex(index.shape):
        to = list(at)
        to[axis] = int(index[at])
        y[tuple(to)] = updates[at]
    return [y]


@formula("GatherElements")
def gather_elements(v, case):
    x, index = case.inputs
    y = np.empty(index.shape, x.dtype)
    for at in np.ndindex(index.shape):
        source = list(at)
        source[case.attributes.get("axis") or 0] = int(index[at])
        y[at] = x[tuple(source)]
    return [y]


@formula("Gather")
def gather(v, case):
    return [np.take(case.inputs[0], case.inputs[1].astype(np.int64), case.attributes.get("axis") or 0)]


def axes_of(v, case):
    return tuple(int(a) for a in case.inputs[1]) if len(case.inputs) > 1 else case.attributes.get("axes")


@formula("Squeeze")
def squeeze(v, case):
    axes = axes_of(v, case)
    return [np.squeeze(case.inputs[0], None if axes is None else tuple(axes))]


@formula("Unsqueeze")
def unsqueeze(v, case):
    return [np.expand_dims(case.inputs[0], tuple(axes_of(v, case)))]


@formula("OneHot")
def one_hot(v, case):
    indices, depth, values = case.inputs
    depth = int(np.asarray(depth).astype(np.float64).ravel()[0])
    indices = np.asarray(indices).astype(np.int64)
    indices = np.where(indices < 0, indices + depth, indices)
    axis = case.attributes.get("axis")
    axis = -1 if axis is None else axis
    hits = np.stack([indices == d for d in range(depth)], axis=axis)
    return [np.where(hits, values[1], values[0]).astype(values.dtype)]


@formula("Trilu")
def trilu(v, case):
    x = case.inputs[0]
    k = int(case.inputs[1]) if len(case.inputs) > 1 else 0
    rows, columns = np.indices(x.shape[-2:])
    keep = columns - rows >= k if case.attributes.get("upper", 1) else columns - rows <= k
    zero = "" if x.dtype.kind == "O" else np.zeros((), x.dtype)
    return [np.where(np.broadcast_to(keep, x.shape), x, zero).astype(x.dtype)]


@formula("NonZero")
def non_zero(v, case):
    # "For scalar input, NonZero produces output shape (0, N) instead of (1, N)."
    x = case.inputs[0]
    return [np.zeros((0, int(bool(x))), np.int64)] if x.ndim == 0 else None


@formula("Unique")
def unique(v, case):
    """In the order of first appearance; onnx.reference knows the sorted ones."""
    x = case.inputs[0]
    if case.attributes.get("sorted", 1) or "" in (case.outputs if isinstance(case.outputs, list) else []):
        return None
    axis = case.attributes.get("axis")
    slices = list(x.ravel()) if axis is None else list(np.moveaxis(x, axis, 0))
    keys = [np.asarray(s).tobytes() if x.dtype.kind != "O" else tuple(np.ravel(s)) for s in slices]
    first = list(dict.fromkeys(keys))
    places = [keys.index(k) for k in first]
    inverse = [first.index(k) for k in keys]
    counts = [keys.count(k) for k in first]
    y = np.array([slices[p] for p in places], dtype=x.dtype)
    return [y if axis is None else np.moveaxis(y, 0, axis), np.array(places), np.array(inverse), np.array(counts)]


@formula("Upsample")
def old_resize(v, case):
    """Version 10 and Upsample: asymmetric coordinates; nearest rounds down what grows and up what shrinks."""
    if v.version >= 11 or len(case.inputs) > 2:
        return None
    x = case.inputs[0]
    scales = case.inputs[1] if len(case.inputs) > 1 else np.array(case.attributes["scales"], np.float32)
    linear = case.attributes.get("mode") == "linear"
    y = x if not linear else x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)
    for axis, scale in enumerate(scales.astype(np.float32)):
        length = x.shape[axis]
        at = np.arange(int(np.floor(np.float32(length) * scale))) / np.float64(scale)
        if linear:
            low = np.clip(np.floor(at).astype(int), 0, length - 1)
            high = np.clip(low + 1, 0, length - 1)
            weight = (at - low).reshape([-1 if a == axis else 1 for a in range(x.ndim)])
            y = np.take(y, low, axis) * (1 - weight) + np.take(y, high, axis) * weight
        else:
            at = np.ceil(at) if scale < 1 else np.floor(at)
            y = np.take(y, np.clip(at.astype(int), 0, length - 1), axis)
    if linear and x.dtype.kind in "iu":
        y = np.clip(np.rint(y), *integer_range(x.dtype)).astype(x.dtype)
    return [y]


@formula("Pad")
def pad(v, case):
    """Pads of strings, and negative ones: what they cut is gone before anything is added."""
    x = case.inputs[0]
    if case.attributes.get("mode", "constant") not in (None, "constant"):
        return None
    pads = case.attributes["pads"] if v.version < 11 else case.inputs[1].tolist()
    axes = list(range(x.ndim))
    if len(case.inputs) > 3 and case.inputs[3] is not None:
        axes = [int(a) for a in case.inputs[3]]
    value = case.attributes.get("value", 0.0) if v.version < 11 else None
    if len(case.inputs) > 2 and case.inputs[2] is not None:
        value = case.inputs[2].item()
    if value is None:
        value = "" if x.dtype.kind == "O" else np.zeros((), x.dtype)
    for axis, before, after in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True):
        length = x.shape[axis]
        x = np.take(x, np.arange(max(0, -before), length - max(0, -after)), axis)
        around = [(0, 0)] * x.ndim
        around[axis] = (max(0, before), max(0, after))
        filled = np.pad(np.zeros(x.shape, bool), around, constant_values=True)
        y = np.empty(filled.shape, x.dtype)
        y[filled] = value
        y[~filled] = x.ravel()
        x = y
    return [x]


@formula("CenterCropPad")
def center_crop_pad(v, case):
    if case.inputs[0].dtype.kind != "O":
        return None
    x = case.inputs[0]
    axes = case.attributes.get("axes") or range(x.ndim)
    for axis, size in zip(axes, case.inputs[1].tolist(), strict=False):
        length = x.shape[axis]
        if size < length:
            start = (length - size) // 2
            x = np.take(x, np.arange(start, start + size), axis)
        else:
            shape = list(x.shape)
            shape[axis] = size
            y = np.full(shape, "", dtype=object)
            start = (size - length) // 2
            np.moveaxis(y, axis, 0)[start : start + length] = np.moveaxis(x, axis, 0)
            x = y
    return [x]


@formula("Concat")
def concat(v, case):
    return [np.concatenate(case.inputs, axis=case.attributes["axis"])]


@formula("SequenceInsert")
def sequence_insert(v, case):
    items = list(case.inputs[0])
    items.insert(int(case.inputs[2]) if len(case.inputs) > 2 else len(items), case.inputs[1])
    return [items]


@formula("CastLike Cast")
def cast(v, case):
    target = v.out_dtype()
    x = case.inputs[0]
    if "e8m0" in target.name and x.dtype.kind in "fV":
        # No sign, and powers of two: the next one up, as round_mode "up" is the default.
        with np.errstate(all="ignore"):
            return [np.maximum(2.0**-127, 2.0 ** np.ceil(np.log2(np.abs(x.astype(np.float64)))))]
    if x.dtype.kind == "O" and target.kind != "O":
        return [x.astype(np.float64).astype(target)]
    if "int" in x.dtype.name and target.kind == "O":
        return [np.array([str(int(i)) for i in x.ravel()], dtype=object).reshape(x.shape)]
    small = [d for d in (x.dtype.name, target.name) if d in ("int2", "uint2", "int4", "uint4")]
    if small and "int" in target.name and x.dtype.kind != "O":
        # To integers of a few bits: fractions are cut off, then high bits.
        least, most = integer_range(target)
        whole = np.trunc(x.astype(np.float64)).astype(np.int64)
        return [((whole - least) % (most - least + 1) + least).astype(target)]
    if small and target.name.startswith("float"):
        return [x.astype(np.float64)]
    return None


@formula("BitCast")
def bit_cast(v, case):
    x, target = case.inputs[0], v.out_dtype()
    bits = bits_of(x.dtype)
    if bits >= 8:
        return [np.ascontiguousarray(x).reshape(-1).view(target).reshape(x.shape)]
    # Less than a byte: NumPy's integers are extended by their sign.
    raw = x.astype(np.int8).view(np.uint8) if "int" in x.dtype.name else np.ascontiguousarray(x).view(np.uint8).reshape(x.shape)
    raw = raw & (2**bits - 1)
    if target.name.startswith("int"):
        return [np.where(raw >> (bits - 1), raw.astype(np.int16) - 2**bits, raw).astype(np.int8).astype(target)]
    return [raw.astype(target) if target.name.startswith("uint") else raw.astype(np.uint8).view(target)]


@formula("BatchNormalization")
def batch_norm(v, case):
    if case.attributes.get("training_mode") or v.version >= 14:
        return None
    x, scale, bias, mean, variance = [wide(i) for i in case.inputs]
    shape = (1, -1) + (1,) * (x.ndim - 2)
    epsilon = float(np.float32(case.attributes.get("epsilon", 1e-5)))
    y = (x - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + epsilon)
    return [y * scale.reshape(shape) + bias.reshape(shape)]


@formula("GroupNormalization")
def group_norm(v, case):
    x, scale, bias = [wide(i) for i in case.inputs]
    groups = case.attributes["num_groups"]
    split = x.reshape(x.shape[0], groups, -1)
    epsilon = float(np.float32(case.attributes.get("epsilon", 1e-5)))
    split = (split - split.mean(axis=2, keepdims=True)) / np.sqrt(split.var(axis=2, keepdims=True) + epsilon)
    if v.version < 21:
        return [(split * scale[:, None] + bias[:, None]).reshape(x.shape)]
    shape = (1, -1) + (1,) * (x.ndim - 2)
    return [split.reshape(x.shape) * scale.reshape(shape) + bias.reshape(shape)]


@formula("RMSNormalization")
def rms_norm(v, case):
    x, scale = [wide(i) for i in case.inputs]
    axis = case.attributes.get("axis")
    axes = tuple(range((-1 if axis is None else axis) % x.ndim, x.ndim))
    epsilon = float(np.float32(case.attributes.get("epsilon", 1e-5)))
    normalized = x / np.sqrt(np.mean(x * x, axis=axes, keepdims=True) + epsilon)
    if v.types["T"] != v.types["V"]:
        normalized = wide(normalized.astype(case.inputs[0].dtype))  # "cast `Normalized` back to the original type of `X`"
    return [normalized * scale]


@formula("ReduceLogSum ReduceLogSumExp")
def reduce_log(v, case):
    x = case.inputs[0]
    if x.dtype.kind not in "iu":
        return None
    axes = case.attributes.get("axes") if v.version < 18 else case.inputs[1].tolist() if len(case.inputs) > 1 else None
    keep = case.attributes.get("keepdims")
    if not axes and not case.attributes.get("noop_with_empty_axes"):
        axes = range(x.ndim)
    # With noop_with_empty_axes "composite-reduction operators will still perform the non-reduction steps".
    axes = axes or ()
    y = np.exp(x.astype(np.float64)) if v.op == "ReduceLogSumExp" else x.astype(np.float64)
    y = np.log(np.sum(y, axis=tuple(axes), keepdims=keep is None or bool(keep)))
    return [np.trunc(np.asarray(y)).astype(x.dtype)]


@formula("QLinearMatMul")
def qlinear_matmul(v, case):
    a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero = [np.asarray(i).astype(np.float64) for i in case.inputs]
    y = ((a - a_zero) @ (b - b_zero)) * (a_scale * b_scale / y_scale)
    dtype = v.out_dtype()
    if is_floating(dtype):
        return [y + y_zero]
    return [np.clip(np.rint(y) + y_zero, *integer_range(dtype)).astype(dtype)]


@formula("GlobalMaxPool")
def global_max_pool(v, case):
    x = wide(case.inputs[0])
    return [x.max(axis=tuple(range(2, x.ndim)), keepdims=True)]


