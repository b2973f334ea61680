"""Where another implementation's answer is not the standard's: for which cases, and the words that decide.

A ruling takes the oracle's say in a case away, or, with `within`, compares less closely. What is right in such a case is
worked out by hand (hand.py, or `expect` of the case) or told by another oracle. What stands in “quotes” is in the schemas' texts. test_versions.py fails when a ruling
is not needed: when nothing that it applies to differs. `sweep.py --rulings` counts, for each, what differs and what agrees.
"""

import dataclasses

import numpy as np

from hand import by_hand
from values import Either, is_floating

REFERENCE, RUNTIME = "reference", "onnxruntime"
SINGLE = (2e-6, 1e-6)  # as close as an oracle comes that computes, or holds its constants, in float32


@dataclasses.dataclass
class Ruling:
    operators: str
    oracle: str
    why: str
    applies: object  # (versioned, case) -> bool
    within: tuple | None = None  # (rtol, atol) of the comparison that stays

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


def fractions_lost(v, c):
    """Operands that are not whole."""
    operands = [c.inputs[i].astype(np.float64) for i in (0, 3)]
    return any(np.any(x != np.trunc(x)) for x in operands)


def ties(v, c):
    """Values so near the middle of two integers that the order of additions decides."""
    (y,) = by_hand(v, c)
    return isinstance(y, Either) and bool(np.any(y.a != y.b))


RULINGS = [
    # Versions and attributes that an implementation does not look at.
    Ruling("BatchNormalization", REFERENCE, "computes the statistics of training; version 7 and 9: “Output case #2: Y (test mode)” with one output",
           lambda v, c: v.version < 14),
    Ruling("Softmax LogSoftmax Hardmax", REFERENCE,
           "works on one axis; versions 1 and 11: “input will be coerced into a 2-dimensional tensor with dimensions [a_0 *”",
           flattened),
    Ruling("RNN GRU LSTM", REFERENCE, "ignores sequence_lens: “lengths of the sequences in a batch”", lambda v, c: given(c, 4)),
    Ruling("RNN GRU LSTM", REFERENCE, "ignores clip: “applied to the input of activations”", lambda v, c: c.attributes.get("clip") is not None),
    Ruling("GRU LSTM", REFERENCE, "ignores activations: “activation functions must be one of the activation functions specified above”", lambda v, c: c.attributes.get("activations") is not None),
    Ruling("LSTM", REFERENCE, "ignores input_forget: “Couple the input and forget gates if 1”", lambda v, c: c.attributes.get("input_forget") == 1),
    Ruling("RoiAlign", REFERENCE,
           "shifts by half a pixel at version 10, which knows only what version 16 calls output_half_pixel: “omit the pixel shift ... for a backward-compatible behavior”",
           lambda v, c: v.version < 16),
    Ruling("Scan", REFERENCE, "ignores sequence_lens of version 8: “lengths of the sequences in a batch”", lambda v, c: v.version == 8 and given(c, 0)),
    Ruling("LRN", REFERENCE, "sums squares for as many channels as there are batches (its loop runs to x.shape[0])",
           lambda v, c: c.inputs[0].shape[1] > c.inputs[0].shape[0]),
    Ruling("GlobalMaxPool", REFERENCE, "reduces two axes from rank - 2 on: “across the values in the same channel”", lambda v, c: c.inputs[0].ndim != 4),
    Ruling("LpPool", REFERENCE, "multiplies the mean of a window that hangs over the end by the whole kernel size: “the Lp norm on all values of a subset”",
           lambda v, c: c.attributes.get("ceil_mode") == 1 and not any(c.attributes.get("pads") or [])),
    Ruling("MaxPool", REFERENCE, "counts indices by row for storage_order 1: “The storage order of the tensor. 0 is row major, and 1 is column major.”",
           lambda v, c: c.attributes.get("storage_order") == 1 and c.outputs == 2),
    Ruling("MaxUnpool", RUNTIME, "numbers the elements of output_shape; the suite's case maxunpool_export_with_output_shape numbers those of the tensor that was pooled",
           lambda v, c: given(c, 2)),
    Ruling("NonZero", RUNTIME, "takes a scalar for a vector: “for scalar input, NonZero produces output shape (0, N) instead of (1, N)”",
           lambda v, c: c.inputs[0].ndim == 0),
    Ruling("Unique", REFERENCE, "repeats equal slices of an axis that it does not sort: “Find the unique elements of a tensor”",
           lambda v, c: c.attributes.get("sorted") == 0 and c.attributes.get("axis") is not None),
    Ruling("SequenceInsert", REFERENCE, "puts the item before the last: “Accepted range in `[-n, n]`”, of which n is behind the last",
           lambda v, c: given(c, 2) and int(c.inputs[2]) == len(c.inputs[0])),
    Ruling("Loop", REFERENCE, "loses what a state held when the body makes a larger one: “loop-carried dependencies”",
           lambda v, c: c.name in ("growing state", "sequence grows")),
    Ruling("Optional If", REFERENCE, "gives an optional as a list: “an optional-type value containing”",
           lambda v, c: v.op == "Optional" or c.name.startswith("optionals made")),
    # Strings.
    Ruling("Pad Trilu CenterCropPad", REFERENCE, "fills strings with 0; Pad 13: “by default it is 0, empty string or False”",
           lambda v, c: strings(v, c) and (v.op != "Pad" or (c.attributes.get("mode", "constant") == "constant" and not given(c, 2)))),
    Ruling("Gather", RUNTIME, "copies the first string of a block of several only (numpy.take gives all)",
           lambda v, c: strings(v, c) and int(np.prod(c.inputs[0].shape[(c.attributes.get("axis") or 0) % c.inputs[0].ndim + 1 :])) > 1),
    Ruling("Loop", RUNTIME, "copies the first string of the scan output of each step only: “N loop carried dependency values then K scan_outputs”",
           lambda v, c: strings(v, c) and c.name == "carried"),
    Ruling("Cast", RUNTIME, "writes 1 for true and 2 for 2.0, which “plain floating-point representation” allows; onnx.reference writes True and 2.0",
           lambda v, c: v.types["T2"] == "tensor(string)" and v.types["T1"] in ("tensor(bool)", "tensor(float)", "tensor(double)", "tensor(float16)")),
    # Small types.
    Ruling("CastLike", REFERENCE, "gives float8e8m0 of negative numbers, which the standard leaves “Unspecified”", lambda v, c: "e8m0" in v.types["T2"]),
    Ruling("Pad", REFERENCE, "fills float8e8m0 with NaN; Cast 24: 0 becomes 0 with saturate and up, which is the byte 0, 2**-127",
           lambda v, c: v.types["T"] == "tensor(float8e8m0)" and c.attributes.get("mode", "constant") == "constant" and not given(c, 2)),
    Ruling("QLinearMatMul", REFERENCE, "cuts float8 operands to whole numbers (a.astype(np.int32)): “MatMul” of the dequantized tensors", fractions_lost),
    # Sampling.
    Ruling("GridSample", REFERENCE, "holds weights in the integer type of X: “For integer input types, intermediate values are computed as floating point and cast to integer at the end.”",
           lambda v, c: integers(v, c) and c.attributes.get("mode") != "nearest"),
    Ruling("GridSample", REFERENCE, "clamps the coordinate instead of the elements around it: “border: use border values for out-of-bound grid locations”, as grid_sample of PyTorch",
           lambda v, c: mode(c).endswith("cubic") and c.attributes.get("padding_mode") == "border"),
    Ruling("Resize", REFERENCE, "drops the imaginary part (data.astype(np.float64)): Y has T1", lambda v, c: c.inputs[0].dtype.kind == "c"),
    Ruling("Resize", REFERENCE, "rounds ties of integers as its order of additions leaves them", lambda v, c: v.version > 10 and integers(v, c) and mode(c) == "cubic" and ties(v, c)),
    Ruling("Resize", REFERENCE, "asks length * scale whether it is above 1: “x_original = length_resized > 1 ? (x_resized + 0.5) / scale - 0.5 : 0”",
           lambda v, c: transform(c) == "pytorch_half_pixel" and mode(c) != "nearest" and short_rows(v, c)),
    Ruling("Resize", RUNTIME, "takes floor(length * scale) for length_resized of align_corners; the suite's case resize_downsample_scales_linear_align_corners takes length * scale",
           lambda v, c: transform(c) == "align_corners" and mode(c) != "nearest" and short_rows(v, c)),
    Ruling("Resize", RUNTIME, "cuts off the fractions of integers, of which the standard says nothing; onnx.reference rounds to the nearest",
           lambda v, c: integers(v, c) and mode(c) != "nearest", within=(0, 1)),
    Ruling("Resize", REFERENCE, "has weights of mode cubic in float32 (cubic_coeff_a comes as float32)", lambda v, c: mode(c) == "cubic" and doubles(v, c), within=SINGLE),
    # Precision.
    Ruling("ReduceLogSumExp", RUNTIME, "rounds the exponentials of integers to integers", integers, within=(0, 1)),
    Ruling("Gelu Erf", REFERENCE, "has an erf of float32", doubles, within=SINGLE),
    Ruling("Erf", REFERENCE, "has an erf of float32, which is 1 at 4", integers, within=(0, 1)),
    Ruling("HardSwish AffineGrid", REFERENCE, "holds constants in float32", doubles, within=SINGLE),
    Ruling("Attention", REFERENCE, "takes the square root of `scale` in float32", lambda v, c: doubles(v, c) and c.attributes.get("scale") is not None, within=SINGLE),
    Ruling("Gelu", RUNTIME, "adds 1 to a tanh near -1 in float32, which leaves few digits", lambda v, c: c.attributes.get("approximate") == "tanh" and not doubles(v, c), within=SINGLE),
    Ruling("Gelu", RUNTIME, "holds the constants of the function body in float32", doubles, within=SINGLE),
    Ruling("Swish", RUNTIME, "approximates sigmoid: 2e-4 of a value near zero at -8", lambda v, c: c.attributes.get("alpha") == 2.0 or doubles(v, c), within=SINGLE),
    Ruling("HammingWindow BlackmanWindow", RUNTIME, "computes in float32", lambda v, c: v.types["T2"] == "tensor(double)", within=SINGLE),
    Ruling("GroupNormalization", REFERENCE, "normalises in float32: stash_type is “The floating-point precision used in stage one”", doubles, within=SINGLE),
    Ruling("GroupNormalization", RUNTIME, "normalises in float32: stash_type is “The floating-point precision used in stage one”", doubles, within=SINGLE),
]


def ruling_for(versioned, case, oracle):
    """The ruling about an oracle's answer to a case, or None. `oracle` may name a way of asking: "onnxruntime's moves"."""
    for ruling in RULINGS:
        if oracle.startswith(ruling.oracle) and versioned.op in ruling.operators.split() and ruling.applies(versioned, case):
            return ruling
    return None
