"""Where another implementation's answer is not the standard's: for which cases, and the words that decide.

A ruling takes the oracle's say in a case away, and cites the words of the standard that its answer is against, or a case of
ONNX's own suite. Where the standard has no words (precision; fractions of integers), the ruling has `within`: the oracle
keeps its say and is compared less closely. What is right in a ruled case is worked out by hand (hand.py, or `expect` of the
case) or told by another oracle. test_sweep.py fails when a ruling is not needed, because nothing that it applies to differs,
and when the words are not in that section of every version that it applies to. `sweep.py --rulings` counts, for each, what
differs and what agrees.
"""

import dataclasses
import math

import numpy as np

from hand import by_hand, wide
from hand_sampling import resize
from values import epsilon, is_floating

REFERENCE, RUNTIME = "reference", "onnxruntime"
SINGLE = (2e-6, 1e-6)  # as close as an oracle comes that computes, or holds its constants, in float32


@dataclasses.dataclass
class Ruling:
    operators: str
    oracle: str
    why: str
    applies: object  # (versioned, case) -> bool
    section: str = ""  # of the operator's text: "summary", "attribute clip", "input X", "type of output Y"; or "Cast-24 summary"
    words: str = ""  # of that section, " ... " between parts
    suite: str = ""  # a case of ONNX's suite
    within: object = None  # (rtol, atol) of the comparison that stays, or a function of (versioned, case)
    written_by: str = ""  # operators that are written as these at other opsets: it is about such models, too

    def __str__(self):
        return f"{self.operators}: {self.oracle} {self.why}"


def arrays(c):
    found = []
    for value in [*c.inputs, *c.captures.values()]:
        found += value if isinstance(value, list) else [value]
    return [x for x in found if isinstance(x, np.ndarray)]


def strings(v, c):
    return any(x.dtype.kind == "O" for x in arrays(c))


def integers(v, c):
    return not is_floating(c.inputs[0].dtype) and c.inputs[0].dtype.kind in "iuV"


def doubles(v, c):
    return any(x.dtype == np.float64 for x in arrays(c))


def negative(c):
    return bool(np.any(c.inputs[0].astype(np.float64) < 0))


def given(c, i):
    return len(c.inputs) > i and c.inputs[i] is not None


def mode(c):
    """Of a Resize, or of a GridSample, whose default is not nearest."""
    return c.attributes.get("mode") or "nearest"


def transform(c):
    return c.attributes.get("coordinate_transformation_mode")


def flattened(v, c):
    """Before version 13, an axis that is not the last."""
    rank, axis = c.inputs[0].ndim, c.attributes.get("axis")
    return v.version < 13 and (1 if axis is None else axis) % rank != rank - 1


def short_rows(v, c):
    """A scale leaves less than two elements of an axis, with a fraction."""
    scales = c.inputs[2] if len(c.inputs) == 3 else None
    if scales is None or c.attributes.get("axes"):
        return False
    lengths = np.array(c.inputs[0].shape) * scales.astype(np.float64)
    return bool(np.any((lengths < 2) & (lengths != 1)))


def differ(dtype, a, b):
    """Whether values differ by more than a unit of the type."""
    return bool(np.any(np.abs(a - b) > epsilon(dtype) * (np.abs(a) + 0.25)))


def channels_missed(v, c):
    """The sums of channels that are not batches matter."""
    x = wide(c.inputs[0])
    beta, bias = c.attributes.get("beta", 0.75), c.attributes.get("bias", 1.0)
    late = slice(c.inputs[0].shape[0], None)
    return differ(c.inputs[0].dtype, by_hand(v, c)[0][:, late], (x / bias**beta)[:, late])


def pads_by_default(c):
    return c.attributes.get("mode", "constant") == "constant" and not given(c, 2)


def filled(v, c):
    """There are more empty strings in the result than in the input."""
    return np.sum(by_hand(v, c)[0] == "") > np.sum(c.inputs[0] == "")


def below(c, least, most=math.inf):
    """A magnitude of the input is in [least, most)."""
    size = np.abs(c.inputs[0].astype(np.float64))
    return bool(np.any((size >= least) & (size < most)))


def steps_rounded(v, c):
    """The distance of two places of the grid is no number of float32."""
    sizes = [int(n) - bool(c.attributes.get("align_corners")) for n in c.inputs[1][2:]]
    return any(float(np.float32(2 / n)) != 2 / n for n in sizes)


def just_outside(v, c):
    """Some place is beyond the bounds, but less than the distance of two elements from the outermost."""
    align, sizes = c.attributes.get("align_corners"), np.array(c.inputs[0].shape[:1:-1])
    grid = c.inputs[1].astype(np.float64)
    places = (grid + 1) / 2 * (sizes - 1) if align else ((grid + 1) * sizes - 1) / 2
    margin = 0 if align else 0.5
    beyond = np.maximum(-places, places - (sizes - 1))  # the outermost element
    return bool(np.any((beyond > margin) & (beyond < 1)))


def some_fraction_above_half(v, c):
    """Rounding to the nearest and cutting off give different integers."""
    (y,) = resize(v, dataclasses.replace(c, inputs=[c.inputs[0].astype(np.float64), *c.inputs[1:]]))
    return bool(np.any(np.rint(y) != np.trunc(y)))


def exponentials_lost(v, c):
    """Exponentials beside that of the largest, which are fractions, matter to the logarithm of the sum, cut off."""
    x = c.inputs[0].astype(np.float64)
    axes = c.attributes.get("axes") if v.version < 18 else c.inputs[1].tolist() if len(c.inputs) > 1 else None
    if x.size == 0 or (not axes and c.attributes.get("noop_with_empty_axes")):
        return False
    axes = tuple(axes or range(x.ndim))
    most = x.max(axis=axes, keepdims=True)
    exact = most + np.log(np.sum(np.exp(x - most), axis=axes, keepdims=True))
    cut = most + np.log(np.sum(x == most, axis=axes, keepdims=True))
    return bool(np.any(np.trunc(exact) != np.trunc(cut)))


def whole_numbers(v, c):
    """Of a Cast to strings: some number has no fraction."""
    with np.errstate(invalid="ignore"):
        x = c.inputs[0].astype(np.float64)
        return bool(np.any(np.isfinite(x) & (x == np.trunc(x))))


def fractions_lost(v, c):
    """Operands without their fractions have another product."""
    cut = [np.trunc(x.astype(np.float64)).astype(x.dtype) if i in (0, 3) else x for i, x in enumerate(c.inputs)]
    exact, lost = (by_hand(v, case)[0].astype(np.float64) for case in (c, dataclasses.replace(c, inputs=cut)))
    return bool(np.any(exact != lost))


def by_tanh(c):
    return c.attributes.get("approximate") == "tanh"


def sigmoid_argument(c):
    return (c.attributes.get("alpha") or 1.0) * c.inputs[0].astype(np.float64)


def unit_of_input(v, c):
    """Two roundings to the type of input 0."""
    unit = 2 * epsilon(c.inputs[0].dtype)
    return unit, unit / 4


RULINGS = [
    # Versions and attributes that an implementation does not look at.
    Ruling("BatchNormalization", REFERENCE, "computes the statistics of training where there is one output",
           lambda v, c: v.version < 14 and c.outputs == 1, "summary", "Output case #2: Y (test mode)"),
    Ruling("Softmax LogSoftmax Hardmax", REFERENCE, "works on one axis", flattened,
           "summary", "input will be coerced into a 2-dimensional tensor with dimensions [a_0 *"),
    Ruling("RNN GRU LSTM", REFERENCE, "ignores sequence_lens", lambda v, c: given(c, 4),
           "input sequence_lens", "lengths of the sequences in a batch"),
    Ruling("RNN GRU LSTM", REFERENCE, "ignores clip", lambda v, c: c.attributes.get("clip") is not None,
           "attribute clip", "applied to the input of activations"),
    Ruling("GRU LSTM", REFERENCE, "ignores activations", lambda v, c: c.attributes.get("activations") is not None,
           "attribute activations", "activation functions must be one of the activation functions specified above"),
    Ruling("LSTM", REFERENCE, "ignores input_forget", lambda v, c: c.attributes.get("input_forget") == 1,
           "attribute input_forget", "Couple the input and forget gates if 1"),
    Ruling("RoiAlign", REFERENCE, "shifts by half a pixel at version 10, which knows only what version 16 calls output_half_pixel",
           lambda v, c: v.version < 16,
           "RoiAlign-16 attribute coordinate_transformation_mode", "omit the pixel shift ... for a backward-compatible behavior"),
    Ruling("Scan", REFERENCE, "ignores sequence_lens of version 8", lambda v, c: v.version == 8 and given(c, 0),
           "input sequence_lens", "lengths of the sequences in a batch"),
    Ruling("LRN", REFERENCE, "sums squares for as many channels as there are batches (its loop runs to x.shape[0])", channels_missed,
           "summary", "sum(X[n, i, d1, ..., dk] ^ 2)"),
    Ruling("GlobalMaxPool", REFERENCE, "reduces two axes from rank - 2 on", lambda v, c: c.inputs[0].ndim != 4,
           "summary", "across the values in the same channel"),
    Ruling("LpPool", REFERENCE, "multiplies the mean of a window that hangs over the end by the whole kernel size",
           lambda v, c: c.attributes.get("ceil_mode") == 1 and not any(c.attributes.get("pads") or []),
           "summary", "the Lp norm on all values of a subset"),
    Ruling("MaxPool", REFERENCE, "counts indices by row for storage_order 1",
           lambda v, c: c.attributes.get("storage_order") == 1 and c.outputs == 2,
           "attribute storage_order", "The storage order of the tensor. 0 is row major, and 1 is column major."),
    Ruling("MaxUnpool", RUNTIME, "numbers the elements of output_shape instead of those of the tensor that was pooled",
           lambda v, c: given(c, 2), suite="maxunpool_export_with_output_shape"),
    Ruling("NonZero", RUNTIME, "takes a scalar for a vector", lambda v, c: c.inputs[0].ndim == 0,
           "summary", "for scalar input, NonZero produces output shape (0, N) instead of (1, N)"),
    Ruling("Unique", REFERENCE, "repeats equal slices of an axis that it does not sort",
           lambda v, c: c.attributes.get("sorted") == 0 and c.attributes.get("axis") is not None,
           "summary", "Find the unique elements of a tensor"),
    Ruling("SequenceInsert", REFERENCE, "puts the item before the last for position n, which is behind the last",
           lambda v, c: given(c, 2) and int(c.inputs[2]) == len(c.inputs[0]), "input position", "Accepted range in `[-n, n]`"),
    Ruling("Loop", REFERENCE, "loses what a state held when the body makes a larger one",
           lambda v, c: c.name in ("growing state", "sequence grows"),
           "input v_initial", "values that change across loop iterations"),
    Ruling("Optional If", REFERENCE, "gives an optional as a list",
           lambda v, c: v.op == "Optional" or c.name.startswith("optionals made"),
           "Optional-15 summary", "an optional-type value containing"),
    # Strings.
    Ruling("Pad Trilu CenterCropPad", REFERENCE, "fills strings with 0, where what is empty is the empty string",
           lambda v, c: strings(v, c) and (v.op != "Pad" or pads_by_default(c)) and filled(v, c),
           "Pad-13 input constant_value", "by default it is 0, empty string or False"),
    Ruling("Gather", RUNTIME, "copies the first string of a block of several only",
           lambda v, c: strings(v, c) and by_hand(v, c)[0].size > 0
           and int(np.prod(c.inputs[0].shape[(c.attributes.get("axis") or 0) % c.inputs[0].ndim + 1 :])) > 1,
           "summary", "concatenates them in an output tensor of rank q + (r - 1)"),
    Ruling("Loop", RUNTIME, "copies the first string of the scan output of each step only",
           lambda v, c: strings(v, c) and c.name == "carried",
           "attribute body", "Each scan_output is created by concatenating the value of the specified output value"),
    Ruling("Cast", RUNTIME, "writes 1 for true and 2 for 2.0, which the standard allows; onnx.reference writes True and 2.0",
           lambda v, c: v.types["T2"] == "tensor(string)"
           and (c.inputs[0].dtype.kind == "b" or is_floating(c.inputs[0].dtype)) and whole_numbers(v, c),
           "summary", "plain floating-point representation"),
    # Small types.
    Ruling("CastLike", REFERENCE, "gives float8e8m0 of negative numbers", lambda v, c: "e8m0" in v.types["T2"] and negative(c),
           "Cast-24 summary", "Casting negative values to FLOAT8E8M0 gives undefined behavior"),
    Ruling("Pad", REFERENCE, "fills float8e8m0 with NaN, where 0 becomes the least, 2**-127",
           lambda v, c: v.types["T"] == "tensor(float8e8m0)" and pads_by_default(c),
           "Cast-24 summary", "| x | saturate + up | non-saturate + nearest | ... | 0 | 0 | NaN |"),
    Ruling("QLinearMatMul", REFERENCE, "cuts float8 operands to whole numbers (a.astype(np.int32))", fractions_lost,
           "summary", "Matrix product that behaves like"),
    # Sampling.
    Ruling("GridSample", REFERENCE, "holds weights in the integer type of X",
           lambda v, c: integers(v, c) and c.attributes.get("mode") != "nearest",
           "output Y", "For integer input types, intermediate values are computed as floating point and cast to integer at the end."),
    Ruling("GridSample", REFERENCE, "clamps the coordinate instead of the elements around it, other than ONNX Runtime and PyTorch",
           lambda v, c: mode(c).endswith("cubic") and c.attributes.get("padding_mode") == "border" and just_outside(v, c),
           "attribute padding_mode", "border: use border values for out-of-bound grid locations"),
    Ruling("Resize", REFERENCE, "drops the imaginary part (data.astype(np.float64))", lambda v, c: c.inputs[0].dtype.kind == "c",
           "type of output Y", "T", written_by="Upsample"),
    Ruling("Resize", REFERENCE, "asks length * scale whether it is above 1",
           lambda v, c: transform(c) == "pytorch_half_pixel" and mode(c) != "nearest" and short_rows(v, c),
           "attribute coordinate_transformation_mode", "x_original = length_resized > 1 ? (x_resized + 0.5) / scale - 0.5 : 0"),
    Ruling("Resize", RUNTIME, "takes floor(length * scale) for length_resized of align_corners, not length * scale",
           lambda v, c: transform(c) == "align_corners" and mode(c) != "nearest" and short_rows(v, c),
           suite="resize_downsample_scales_linear_align_corners"),
    # Integers of real results, of which the standard says nothing.
    Ruling("Resize", RUNTIME, "rounds bytes after each axis, in fixed point",
           lambda v, c: c.inputs[0].dtype in (np.int8, np.uint8) and c.attributes.get("antialias") == 1, within=(0, 1)),
    Ruling("Resize", RUNTIME, "cuts off the fractions of integers; onnx.reference rounds to the nearest",
           lambda v, c: integers(v, c) and mode(c) != "nearest" and some_fraction_above_half(v, c), within=(0, 1)),
    Ruling("ReduceLogSumExp", RUNTIME, "rounds the exponentials of integers to integers",
           lambda v, c: c.inputs[0].dtype in (np.int32, np.int64) and exponentials_lost(v, c), within=(0, 1)),
    Ruling("ReduceLogSumExp", RUNTIME, "finds log(exp(2)) just below 2 where nothing is reduced, and cuts it off",
           lambda v, c: c.inputs[0].dtype in (np.uint32, np.uint64) and c.attributes.get("noop_with_empty_axes") == 1
           and bool(np.any(c.inputs[0] > 1)), within=(0, 1)),
    Ruling("Erf", REFERENCE, "has an erf of float32, which is 1 at 4", lambda v, c: integers(v, c) and below(c, 4, 6), within=(0, 1)),
    # Precision.
    Ruling("Erf Gelu", REFERENCE, "has an erf of float32",
           lambda v, c: doubles(v, c) and c.inputs[0].size > 0 and not by_tanh(c), within=SINGLE),
    Ruling("Gelu", REFERENCE, "holds the constants of the function body in float32", lambda v, c: doubles(v, c) and by_tanh(c), within=SINGLE),
    Ruling("HardSwish", REFERENCE, "holds the sixth of the function body in float32", lambda v, c: doubles(v, c) and below(c, 0.01, 3), within=SINGLE),
    Ruling("AffineGrid", REFERENCE, "holds constants in float32", lambda v, c: doubles(v, c) and steps_rounded(v, c), within=SINGLE),
    Ruling("Attention", REFERENCE, "takes the square root of `scale` in float32",
           lambda v, c: v.types["T1"] == "tensor(double)" and c.attributes.get("scale") is not None, within=SINGLE),
    Ruling("Gelu", RUNTIME, "adds 1 to a tanh near -1 in float32, which leaves few digits",
           lambda v, c: v.types["T"] == "tensor(float)" and by_tanh(c), within=SINGLE),
    Ruling("Gelu", RUNTIME, "holds the constants of the function body in float32", lambda v, c: doubles(v, c) and by_tanh(c), within=SINGLE),
    Ruling("Swish", RUNTIME, "approximates sigmoid: 2e-4 of a value near zero at -8",
           lambda v, c: v.types["T"] == "tensor(float)" and np.any(sigmoid_argument(c) <= -7), within=SINGLE),
    Ruling("Swish", RUNTIME, "takes a number near 1 from 1 for a sigmoid near 0",
           lambda v, c: doubles(v, c) and np.any(sigmoid_argument(c) < -3), within=(1e-13, 1e-15)),
    Ruling("HammingWindow BlackmanWindow", RUNTIME, "computes in float32", lambda v, c: v.types["T2"] == "tensor(double)", within=SINGLE),
    Ruling("GroupNormalization", REFERENCE, "normalises in float32, as stash_type allows", doubles, "attribute stash_type",
           "The floating-point precision used in stage one", within=SINGLE),
    Ruling("GroupNormalization", RUNTIME, "normalises in float32, as stash_type allows", doubles, "attribute stash_type",
           "The floating-point precision used in stage one", within=SINGLE),
    Ruling("RMSNormalization", REFERENCE, "computed in float64 does not round what is normalised to the type of X",
           lambda v, c: epsilon(v.dtype(0)) > epsilon(v.dtype(1)), "summary", "finally cast `Normalized` back to the original type of `X`",
           within=unit_of_input),
]


def ruling_for(versioned, case, oracle, operators=()):
    """The ruling about an oracle's answer to a case, or None. `oracle` may name a way of asking: "onnxruntime's moves";
    `operators` are those of the model that it was asked, when not the case's."""
    for ruling in RULINGS:
        about = versioned.op in ruling.operators.split()
        about = about or (versioned.op in ruling.written_by.split() and any(op in operators for op in ruling.operators.split()))
        if about and oracle.startswith(ruling.oracle) and ruling.applies(versioned, case):
            return ruling
    return None
