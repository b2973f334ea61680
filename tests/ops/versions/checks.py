"""What else must be right of a case that agrees with the oracles: what was inferred before it ran, what the engine
makes of it, and the model written at other opsets."""

import numpy as np
import onnx
from onnx.defs import get_schema

import oracles
from values import element_of_dtype, kind_of, parse

OPSETS = range(11, 29)


def inferred_wrong(inferred, value):
    """How an output is not of the type that was inferred (as tests/tools/op_cases.cpp writes it), or ""."""
    kind = inferred["kind"]
    if kind == "optional":
        return "" if value is None else inferred_wrong(inferred["inner"], value)
    if value is None:
        return f"nothing instead of {kind}"
    if kind != kind_of(value):
        return f"{kind_of(value)} instead of {kind}"
    if kind == "sequence":
        return next((found for v in value if (found := inferred_wrong(inferred["inner"], np.asarray(v)))), "")
    if kind != "tensor":
        return ""
    value = np.asarray(value)
    if inferred["element"] != element_of_dtype(value.dtype):
        return f"element type {element_of_dtype(value.dtype)} instead of {inferred['element']}"
    dims = inferred.get("shape")
    if dims is None:
        return ""
    fits = len(dims) == value.ndim and all(isinstance(d, str) or d == n for d, n in zip(dims, value.shape, strict=True))
    return "" if fits else f"shape {list(value.shape)} instead of {dims}"


def changed_at(op, opset):
    try:
        return get_schema(op, opset).since_version == opset
    except onnx.defs.SchemaError:
        return False


def opsets_to_emit(versioned, everything):
    """The first opset of each version of the operator and the last, or all."""
    if versioned.domain:
        return []
    own = [n for n in OPSETS if everything or changed_at(versioned.op, n)]
    return sorted({OPSETS[0], *own, OPSETS[-1]})


def with_shapes(model, actual):
    """The model with shapes for outputs whose rank is not known: onnx.checker wants one of every output."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    for info, value in zip(model.graph.output, actual, strict=True):
        if info.type.HasField("tensor_type") and not info.type.tensor_type.HasField("shape"):
            info.type.CopyFrom(onnx.helper.make_tensor_type_proto(info.type.tensor_type.elem_type, np.shape(value)))
    return model


def emitted_wrong(model_bytes, feeds, actual, kinds, tool, input_kinds, blobs, compare, ruled):
    """What is wrong of the model at another opset, or "": it is valid, tenon reads it as the same, and so does an oracle,
    if one has it and `ruled` does not take its say away."""
    model = onnx.ModelProto.FromString(model_bytes)
    try:
        onnx.checker.check_model(with_shapes(model, actual))
    except onnx.checker.ValidationError as error:
        return f"is not valid: {str(error).splitlines()[0][:200]}"
    again = tool.run(model_bytes, blobs, input_kinds)
    if again.error or isinstance(again.reference, str):
        return f"is not read again: {again.error or again.reference}"
    if found := compare([parse(d, k) for d, k in zip(again.reference, kinds, strict=True)], actual):
        return f"is read as something else: {found}"
    renamed = dict(zip([i.name for i in model.graph.input], feeds.values(), strict=True))
    against = ""
    for name, run in [("onnxruntime", oracles.runtime), ("reference", oracles.run_reference)]:
        try:
            outputs = run(model, renamed)
        except Exception:  # noqa: BLE001: an oracle that lacks the model has no say
            continue
        if not (found := compare(outputs, actual)):
            return ""
        against = against or ("" if ruled(name) else f"{name}: {found}")
    return against
