"""What other implementations make of a case: onnx.reference and ONNX Runtime."""

import contextlib
import dataclasses
import io
import os
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator
from onnx.reference.ops import op_resize

from case import build, feeds
from values import dtype_of, element_of, is_floating

onnxruntime.set_default_logger_severity(4)


def _with_wide_coefficient(weights):
    return lambda ratio, scale=None, A=-0.75: weights(ratio, scale, float(A))


# onnx.reference gives its weights of mode cubic the attribute as NumPy's float32, and so computes them in that type.
for _name in ("_cubic_coeffs", "_cubic_coeffs_antialias"):
    setattr(op_resize, _name, _with_wide_coefficient(getattr(op_resize, _name)))


def infer(model, versioned):
    """The model with the types of its outputs as onnx.shape_inference gives them, or the schema alone, where the
    inference of function bodies fails (MeanVarianceNormalization in types other than float)."""
    try:
        return onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    except onnx.shape_inference.InferenceError:
        if versioned.op not in ("MeanVarianceNormalization", "RMSNormalization", "Pad"):
            raise
        model = onnx.ModelProto.FromString(model.SerializeToString())
        for info, formal in zip(model.graph.output, versioned.schema.outputs, strict=False):
            info.type.tensor_type.elem_type = element_of(versioned.types.get(formal.type_str, formal.type_str))
        return model


def run_reference(model, inputs):
    with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        return ReferenceEvaluator(model).run(None, inputs)


def is_small_float(value):
    if isinstance(value, list):
        return any(is_small_float(v) for v in value)
    return isinstance(value, np.ndarray) and is_floating(value.dtype) and value.dtype != np.float64


def widen(value):
    if isinstance(value, list):
        return [widen(v) for v in value]
    return value.astype(np.float64) if is_small_float(value) else value


def round_to(value, dtype):
    if isinstance(value, list):
        return [round_to(v, dtype) for v in value]
    if isinstance(value, np.ndarray) and value.dtype == np.float64 and is_floating(dtype):
        with np.errstate(all="ignore"):
            return value.astype(dtype)
    return value


def reference(versioned, case, model):
    """Outputs of onnx.reference: computed in float64 where the case has floating point inputs of another type."""
    mode = case.attributes.get("mode")
    if versioned.op == "GridSample" and mode in ("bilinear", "bicubic"):
        # onnx.reference knows these by their later names only.
        case = dataclasses.replace(case, attributes={**case.attributes, "mode": mode.removeprefix("bi")}, opset=20)
        model = build(versioned, case)
    wide = any(is_small_float(v) for v in [*case.inputs, *case.captures.values()])
    outputs = None
    if wide:
        with contextlib.suppress(Exception):
            outputs = run_reference(build(versioned, case, cast=widen), {k: widen(v) for k, v in feeds(case).items()})
    if outputs is None:
        outputs = run_reference(model, feeds(case))
    return [np.asarray(o) if isinstance(o, np.generic) else o for o in outputs]


def runtime(model, inputs):
    """Outputs of ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    with quiet():
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        outputs = session.run(None, inputs)
    for info, output in zip(model.graph.output, outputs, strict=True):
        if not isinstance(output, (np.ndarray, list)) and output is not None:
            raise LookupError(f"{info.name} is a {type(output).__name__}")
    return outputs


def reinterpret(outputs, dtypes):
    """ONNX Runtime gives float8 as uint8, and smaller types packed in ways of its own."""
    found = []
    for output, dtype in zip(outputs, dtypes, strict=True):
        if dtype is not None and isinstance(output, np.ndarray) and output.dtype != dtype and output.dtype == np.uint8:
            if "float8" not in dtype.name:
                raise LookupError(f"{dtype} comes as uint8")
            output = output.view(dtype)
        found.append(output)
    return found


def narrow(value):
    if isinstance(value, list):
        return [narrow(v) for v in value]
    return value.astype(np.float32) if isinstance(value, np.ndarray) and is_floating(value.dtype) else value


def runtime_in_float32(versioned, case):
    """What ONNX Runtime makes of the case with float32 in place of other floating point types."""
    if not any(is_other_float(v) for v in [*case.inputs, *case.captures.values()]):
        raise LookupError("the case has no floating point type but float32")
    return runtime(build(versioned, case, cast=narrow), {k: narrow(v) for k, v in feeds(case).items()})


def is_other_float(value):
    if isinstance(value, list):
        return any(is_other_float(v) for v in value)
    return isinstance(value, np.ndarray) and is_floating(value.dtype) and value.dtype != np.float32


# Operators that only move elements of their first input (or of all inputs with its type) and add none but zeros.
MOVES = set(
    """Compress DepthToSpace Expand Flatten Gather GatherElements GatherND Identity Pad Reshape ReverseSequence Scatter
    ScatterElements ScatterND Slice SpaceToDepth Split Squeeze Tile Transpose Trilu Unsqueeze Upsample Resize Concat
    CenterCropPad TensorScatter Where GridSample Unique""".split()
)


def by_parts(versioned, case):
    """What onnx.reference makes of the real and of the imaginary part of input 0, for operators that are linear in it."""
    x = case.inputs[0]
    if versioned.op not in ("GridSample", "Resize", "Upsample") or x.dtype.kind != "c":
        raise LookupError("there are no parts")
    real, imaginary = (dataclasses.replace(case, inputs=[part.astype(np.float64), *case.inputs[1:]]) for part in (x.real, x.imag))
    a, b = (reference(versioned, c, build(versioned, c))[0] for c in (real, imaginary))
    return [a + 1j * b]


def runtime_before_22(versioned, case):
    """ONNX Runtime's kernels of opset 21 for operators that opset 22 gave bfloat16 and nothing else."""
    if versioned.version != 22:
        raise LookupError("not of opset 22")
    older = dataclasses.replace(case, opset=21)
    return runtime(build(versioned, older, cast=narrow), {k: narrow(v) for k, v in feeds(case).items()})


def moved(versioned, case, run=None):
    """The places that ONNX Runtime, or `run`, moves elements to, found by moving their numbers, counted from 1."""
    if versioned.op not in MOVES or not isinstance(case.inputs[0], np.ndarray):
        raise LookupError("the operator computes")
    if case.attributes.get("reduction", "none") != "none" or case.attributes.get("mode") in ("linear", "bilinear", "cubic", "bicubic"):
        raise LookupError("the operator computes")
    index = 1 if versioned.op == "Where" else 0
    dtype = case.inputs[index].dtype
    type_string = versioned.schema.inputs[index].type_str
    formals = versioned.schema.inputs
    pool, inputs = [np.zeros((1,), dtype) if dtype.kind != "O" else np.array([""], dtype=object)], []
    count = 1
    for i, value in enumerate(case.inputs):
        formal = formals[min(i, len(formals) - 1)]
        if value is not None and formal.type_str == type_string:
            inputs.append(np.arange(count, count + value.size, dtype=np.float32).reshape(value.shape))
            pool.append(value.ravel())
            count += value.size
        else:
            inputs.append(value)
    numbered = dataclasses.replace(case, inputs=inputs)
    outputs = (run or runtime)(build(versioned, numbered), feeds(numbered))
    pool = np.concatenate(pool)
    return [pool[o.astype(np.int64)].reshape(o.shape) if o.dtype == np.float32 else o for o in outputs]


@contextlib.contextmanager
def quiet():
    """ONNX Runtime writes some complaints to standard error whatever the log level."""
    saved = os.dup(2)
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def expected_dtype(value_info):
    """The element type that a declared output has, through sequences and optionals."""
    proto = value_info.type
    while True:
        kind = proto.WhichOneof("value")
        if kind == "tensor_type":
            return dtype_of(proto.tensor_type.elem_type)
        if kind == "sequence_type":
            proto = proto.sequence_type.elem_type
        elif kind == "optional_type":
            proto = proto.optional_type.elem_type
        else:
            return None
