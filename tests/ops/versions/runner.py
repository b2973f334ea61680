"""One case through tenon and the oracles: what came of it."""

import collections
import dataclasses

import numpy as np
import onnx

import checks
import hand_pooling  # noqa: F401: registers formulas
import hand_sampling  # noqa: F401
import oracles
from case import build, feeds, qualified
from hand import by_hand
from rulings import ruling_for
from tolerance import engine_tolerances, tolerances
from tool import Tool
from values import difference, epsilon, is_floating, kind_of, parse, sequence_proto, serialize, tensor_proto


@dataclasses.dataclass
class Outcome:
    op: str
    version: int
    types: dict
    name: str
    status: str = "passed"  # passed, failed, unsupported, no oracle, broken (the case itself is wrong)
    message: str = ""
    by: list = dataclasses.field(default_factory=list)  # the oracles that agree
    against: dict = dataclasses.field(default_factory=dict)  # oracle -> difference

    def ends(self, status, message):
        self.status, self.message = status, message
        return self

    def __str__(self):
        types = ",".join(f"{k}={v.replace('tensor(', '').rstrip(')')}" for k, v in self.types.items())
        text = f"{self.status:11} {self.op}-{self.version} [{types}] {self.name}: {self.message}"
        return text + "".join(f"\n              {k}: {v}" for k, v in self.against.items())


def compare(actual, desired, dtypes, allowed):
    """What differs, or "". `allowed(desired, dtype)` gives rtol and atol."""
    if len(actual) != len(desired):
        return f"{len(actual)} outputs instead of {len(desired)}"
    for i, (a, d, dtype) in enumerate(zip(actual, desired, dtypes, strict=True)):
        d = oracles.round_to(d, dtype) if dtype is not None else d
        if found := difference(a, d, *allowed(d, dtype)):
            return f"output {i}: {found}"
    return ""


def coarser(dtype, at_most):
    """The less precise of two floating point types."""
    if at_most is None or dtype is None or not is_floating(dtype):
        return dtype
    return dtype if epsilon(dtype) > epsilon(at_most) else at_most


def matches_type(value, dtype):
    if isinstance(value, list):
        return all(matches_type(v, dtype) for v in value)
    return value is None or dtype is None or not isinstance(value, np.ndarray) or value.dtype == dtype


class Runner:
    """`engine`: also run the engine as shipped; `emit`: also write at other opsets, those where the operator changed
    ("some") or all of them ("all")."""

    def __init__(self, engine=False, emit=None):
        self.tool = Tool()
        self.engine, self.emit = engine, emit
        self.ruled = collections.defaultdict(collections.Counter)
        self.examples = {}

    def outcome(self, versioned, case):
        outcome = Outcome(qualified(versioned.schema), versioned.version, versioned.types, case.name)
        try:
            model = build(versioned, case)
            inferred = oracles.infer(model, versioned)
        except Exception as error:  # noqa: BLE001: whatever is wrong with the case is reported
            return outcome.ends("broken", str(error).strip().replace("\n", " ")[:300])
        infos = list(inferred.graph.output)
        if case.output_types:
            for info, proto in zip(infos, case.output_types, strict=True):
                info.type.CopyFrom(proto)
        dtypes = [oracles.expected_dtype(info) for info in infos]
        kinds = [(info.type.WhichOneof("value") or "tensor_type").removesuffix("_type") for info in infos]
        values = feeds(case)
        input_kinds = [(i.type.WhichOneof("value")).removesuffix("_type") for i in model.graph.input]
        blobs = [
            optional_bytes(v) if k == "optional" else serialize(v)
            for v, k in zip(values.values(), input_kinds, strict=True)
        ]
        opsets = checks.opsets_to_emit(versioned, self.emit == "all") if self.emit else []
        answer = self.tool.run(model.SerializeToString(), blobs, input_kinds, opsets, self.engine)
        if answer.error or isinstance(answer.reference, str):
            return outcome.ends("unsupported" if answer.unsupported else "failed", answer.error or answer.reference)
        actual = [parse(data, kind) for data, kind in zip(answer.reference, kinds, strict=True)]
        for i, (value, dtype) in enumerate(zip(actual, dtypes, strict=True)):
            if not matches_type(value, dtype):
                return outcome.ends("failed", f"output {i} is {getattr(value, 'dtype', value)} instead of {dtype}")
        self.judge(outcome, versioned, case, model, actual, dtypes, answer.tolerances)
        if outcome.status != "passed":
            return outcome
        for i, (inferred, value) in enumerate(zip(answer.types, actual, strict=True)):
            if found := checks.inferred_wrong(inferred, value):
                return outcome.ends("failed", f"inferred output {i}: {found}")
        if self.engine and case.check is None:
            if isinstance(answer.engine, str):
                return outcome.ends("failed", f"engine: {answer.engine}")
            got = [parse(data, kind) for data, kind in zip(answer.engine, kinds, strict=True)]
            if found := compare(got, actual, dtypes, lambda d, t: engine_tolerances(d, t, answer.tolerances)):
                return outcome.ends("failed", f"engine against references: {found}")
        if case.check is None:
            def same(decomposed):
                def allowed(desired, dtype):
                    return tolerances(case, desired, dtype, answer.tolerances, decomposed)

                return lambda a, d: compare(a, d, [coarser(t, case.through) for t in dtypes], allowed)

            def ruled(name, operators):
                return ruling_for(versioned, case, name, operators)

            for opset, emitted in answer.emitted.items():
                if isinstance(emitted, str):
                    found = checks.error_wrong(emitted, versioned)
                else:
                    found = checks.emitted_wrong(
                        emitted, model, values, actual, kinds, self.tool, input_kinds, blobs, same, ruled
                    )
                if found:
                    return outcome.ends("failed", f"emitted at {opset}: {found}")
        return outcome

    def judge(self, outcome, versioned, case, model, actual, dtypes, defined):
        if case.check is not None:
            found = case.check(case.inputs, actual)
            if found:
                outcome.status, outcome.message = "failed", found
            outcome.by.append("check")
            return
        lacking = {}
        main = [
            ("by hand", lambda: by_hand(versioned, case), None),
            ("reference", lambda: oracles.reference(versioned, case, model), None),
            ("onnxruntime", lambda: oracles.reinterpret(oracles.runtime(model, feeds(case)), dtypes), None),
        ]
        spare = [
            ("onnxruntime in float32", lambda: oracles.runtime_in_float32(versioned, case), np.dtype(np.float32)),
            ("onnxruntime of opset 21", lambda: oracles.runtime_before_22(versioned, case), np.dtype(np.float32)),
            ("reference by parts", lambda: oracles.by_parts(versioned, case), None),
            ("onnxruntime's moves", lambda: oracles.moved(versioned, case), None),
            ("reference's moves", lambda: oracles.moved(versioned, case, oracles.run_reference), None),
        ]

        def ask(name, compute, at_most):
            try:
                desired = compute()
            except Exception as error:  # noqa: BLE001: an oracle that lacks the case has no say
                lacking["lacks " + name] = str(error).strip().split("\n")[0][:200]
                return
            if desired is None:
                return
            coarse = [coarser(d, at_most) for d in dtypes]
            found = compare(actual, desired, coarse, lambda d, t: tolerances(case, d, t, defined))
            ruling = ruling_for(versioned, case, name)
            if ruling:
                self.ruled[str(ruling)]["differs" if found else "agrees"] += 1
                if not found:
                    self.examples.setdefault(str(ruling), f"{versioned.op}-{versioned.version} {versioned.types} {case.name}")
                if not ruling.within:
                    return
                within = ruling.within(versioned, case) if callable(ruling.within) else ruling.within
                found = compare(actual, desired, coarse, lambda d, t: within)
            if found:
                outcome.against[name] = found
            else:
                outcome.by.append(name)

        for oracle in main:
            ask(*oracle)
        for oracle in spare:
            if not outcome.by and not outcome.against:
                ask(*oracle)
        if outcome.status == "failed":
            return
        if outcome.against:
            outcome.status = "failed" if not outcome.by else "disputed"
        elif not outcome.by:
            outcome.status = "no oracle"
            outcome.against = lacking


def optional_bytes(value):
    proto = onnx.OptionalProto(name="x")  # an empty one, too, has bytes
    if value is None:
        pass
    elif kind_of(value) == "sequence":
        proto.elem_type = onnx.OptionalProto.SEQUENCE
        proto.sequence_value.CopyFrom(sequence_proto(value))
    else:
        proto.elem_type = onnx.OptionalProto.TENSOR
        proto.tensor_value.CopyFrom(tensor_proto(value))
    return proto.SerializeToString()
