"""What else must be right of a case that agrees with the oracles: what was inferred before it ran, what the engine
makes of it, and the model written at other opsets."""

import re

import numpy as np
import onnx
from onnx.defs import get_schema

import oracles
from case import history
from values import difference, element_of_dtype, kind_of, parse

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


EXISTS = re.compile(r"(\w+) exists since opset (\d+) and opset (\d+) was asked for")
TAKES = re.compile(r"(\w+) takes (\w+) as (input|output) '(\w+)' since opset (\d+) and opset (\d+) was asked for")


def allows(schema, kind, name, element):
    """Whether an input or output of this name takes tensors of an element type (tenon's name of it)."""
    formal = next((p for p in (schema.inputs if kind == "input" else schema.outputs) if p.name == name), None)
    element = {"float32": "float", "float64": "double"}.get(element, element)
    return formal is not None and f"tensor({element})" in formal.types


def error_wrong(error, versioned):
    """What is wrong of the error that ends an export, or "". It may be about another operator than the case's: one of a
    subgraph, or one that the upgrade wrote. What it says of an operator's versions must be what the schemas say."""
    if found := EXISTS.search(error):
        op, since, asked = found[1], int(found[2]), int(found[3])
        first = min((s.since_version for s in history(op)), default=0)
        return "" if first == since > asked else f"{op} exists since opset {first}: {error}"
    if found := TAKES.search(error):
        op, element, kind, name, since, asked = *found.group(1, 2, 3, 4), int(found[5]), int(found[6])
        lacks = not allows(get_schema(op, asked), kind, name, element)
        return "" if lacks and allows(get_schema(op, since), kind, name, element) else f"the schemas differ: {error}"
    return "" if versioned.op in error else f"an error does not name the operator: {error}"


def emitted_wrong(model_bytes, original, feeds, actual, kinds, tool, input_kinds, blobs, compare, ruled):
    """What is wrong of the model at another opset, or "": it is valid, tenon reads it as the same, and so does an oracle,
    if one has it. To read it as the same, its outputs must be tenon's, or the bits that the oracle itself makes of the
    `original`: in small types an oracle rounds at every step, and its own faults are the case's (judge) to find. Where
    `ruled` says so of the operators in the model, an oracle has no say."""
    model = onnx.ModelProto.FromString(model_bytes)
    try:
        onnx.checker.check_model(with_shapes(model, actual))
    except onnx.checker.ValidationError as error:
        return f"is not valid: {str(error).splitlines()[0][:200]}"
    again = tool.run(model_bytes, blobs, input_kinds)
    if again.error or isinstance(again.reference, str):
        return f"is not read again: {again.error or again.reference}"
    compared = compare(len(model.graph.node) > 1)
    if found := compared([parse(d, k) for d, k in zip(again.reference, kinds, strict=True)], actual):
        return f"is read as something else: {found}"
    renamed = dict(zip([i.name for i in model.graph.input], feeds.values(), strict=True))
    operators = {node.op_type for node in model.graph.node}
    against = ""
    for name, run in [("onnxruntime", oracles.runtime), ("reference", oracles.run_reference)]:
        try:
            outputs = run(model, renamed)
        except Exception:  # noqa: BLE001: an oracle that lacks the model has no say
            continue
        if not (found := compared(outputs, actual)) or same_bits(outputs, run, original, feeds):
            return ""
        against = against or ("" if ruled(name, operators) else f"{name}: {found}")
    return against


def same_bits(outputs, run, model, feeds):
    """Whether an oracle gives these outputs for this model, too."""
    try:
        own = run(model, feeds)
    except Exception:  # noqa: BLE001: it lacks the model
        return False
    return len(own) == len(outputs) and all(not difference(a, b, 0, 0) for a, b in zip(outputs, own, strict=True))
