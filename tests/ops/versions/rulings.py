"""Where another implementation's answer is not the standard's: operators, oracle, why, and for which cases."""

import fnmatch

import numpy as np


def always(v, c):
    return True


def strings(v, c):
    return any(isinstance(x, np.ndarray) and x.dtype.kind == "O" for x in [*c.inputs, *c.captures.values()])


def doubles(v, c):
    """Cases that some version computes in float64: with float64 inputs, or rounded to a narrower type by the oracle."""
    return any(isinstance(x, np.ndarray) and x.dtype == np.float64 for x in c.inputs)


def below(version):
    return lambda v, c: v.version < version


def named(*words):
    return lambda v, c: any(w in c.name for w in words)


REFERENCE, RUNTIME = "reference", "onnxruntime"
# What onnx.reference computes is asked for in float64, so a constant that it holds in float32 shows in `doubles`.
RULINGS = [
    ("BatchNormalization", REFERENCE, "trains at opset 9", below(14)),
    ("Softmax LogSoftmax Hardmax", REFERENCE, "works on one axis; below 13 the input is flattened to a matrix", below(13)),
    ("RNN GRU LSTM", REFERENCE, "does not look at sequence_lens, clip, activations, input_forget or direction",
     named("lengths", "clip", "activations", "coupled", "relu", "affine", "two", "reverse", "directions")),
    ("LpPool", REFERENCE, "scales what a window at the border sums as an average; the standard has a norm", named("ceil_mode")),
    ("GlobalMaxPool", REFERENCE, "reduces the wrong axes of inputs that are not pictures", always),
    ("MaxPool", REFERENCE, "counts columns as onnxruntime does not: h + w * height is column-major", named("by column")),
    ("RoiAlign", REFERENCE, "shifts by half a pixel at opset 10, which has no such mode", below(16)),
    ("LRN", REFERENCE, "squares a window that ends one channel early", always),
    ("Gelu", REFERENCE, "its erf has the precision of float32", doubles),
    ("Erf", REFERENCE, "its erf has the precision of float32", always),
    ("ReduceLogSum ReduceLogSumExp", RUNTIME, "rounds exp and log of integers to integers",
     lambda v, c: c.inputs[0].dtype.kind in "iu"),
    ("NonZero", RUNTIME, "takes a scalar for a vector; the standard says (0, N)", named("scalar")),
    ("Scan", REFERENCE, "has no batches at opset 8", below(9)),
    ("Loop", REFERENCE, "loses a sequence when the body makes another", named("sequence")),
    ("HardSwish AffineGrid", REFERENCE, "holds its constants in float32", doubles),
    ("Gelu Swish HardSwish", RUNTIME, "holds the constants of the function body in float32", doubles),
    ("Swish", RUNTIME, "its sigmoid is an approximation: 2e-4 off at -8", named("2.0")),
    ("Attention", REFERENCE, "takes the square root of `scale` in float32", doubles),
    ("GroupNormalization", "*", "normalises in float32; stash_type is the least precision, not the most", doubles),
    ("HannWindow HammingWindow BlackmanWindow", RUNTIME, "computes in float32",
     lambda v, c: v.types["T2"] == "tensor(double)"),
    ("Resize", RUNTIME, "takes the rounded length for length_resized, not length times scale as ONNX's own cases do", named("align_corners [1, 1, 0.6")),
    ("Resize", REFERENCE, "takes length times scale for length_resized; that it be above 1 is a question of the rounded length, as in PyTorch",
     named("pytorch_half_pixel [1, 1, 0.6")),
    ("Resize", RUNTIME, "cuts fractions of integers off where onnx.reference rounds them", lambda v, c: c.inputs[0].dtype.kind in "iu"),
    ("Resize GridSample", REFERENCE, "its weights of mode cubic have the precision of float32", lambda v, c: "cubic" in c.name and doubles(v, c)),
    ("Resize GridSample", REFERENCE, "drops the imaginary part", lambda v, c: c.inputs[0].dtype.kind == "c"),
    ("Pad Trilu CenterCropPad", REFERENCE, "fills strings with '0'; the empty string is a string's zero", strings),
    ("Gather Loop Scan", RUNTIME, "loses strings after the first of a block", strings),
    ("Cast CastLike", RUNTIME, "writes 1 for true and no point in whole numbers; onnx.reference writes True and 1.0", always),
    ("CastLike", "*", "does not convert to float8e8m0", lambda v, c: "e8m0" in v.types.get("T2", "")),
    ("Unique", "onnxruntime's moves", "numbers are never equal", always),
    ("Unique", REFERENCE, "repeats equal slices of an unsorted axis", named("'sorted': 0")),
    ("MaxUnpool", RUNTIME, "numbers the elements of the pooled tensor's own input, not of output_shape", named("output shape")),
    ("Loop", REFERENCE, "loses what a growing state held", named("growing")),
    ("Optional If", REFERENCE, "wraps an optional in a list", lambda v, c: v.op == "Optional" or "optional" in c.name),
    ("SequenceInsert", REFERENCE, "inserts at the wrong end for the position behind the last", named("at 3")),
    ("QLinearMatMul", REFERENCE, "subtracts zero points in float8", lambda v, c: "float8" in c.inputs[0].dtype.name + c.inputs[3].dtype.name),
]


def ruling_for(versioned, case, oracle):
    """Why the oracle has no say in the case, or ""."""
    if oracle in case.ruling:
        return case.ruling[oracle]
    for names, who, why, applies in RULINGS:
        if oracle == "by hand" or not oracle.startswith(who.rstrip("*")):
            continue
        if any(fnmatch.fnmatchcase(versioned.op, n) for n in names.split()) and applies(versioned, case):
            return why
    return ""
