#!/usr/bin/env python3
"""Runs every case of the catalog through tenon and compares with onnx.reference and ONNX Runtime.

Usage: sweep.py [--op NAME]... [--engine] [--limit N]      prints a table of what passed, failed and is not covered
"""

import argparse
import collections
import dataclasses
import importlib
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import numpy as np
import onnx

import oracles
from case import CATALOG, Versioned, all_schemas, assignments, build, feeds, output_names, qualified
from hand import by_hand
from rulings import ruling_for
from tool import Tool
from values import difference, epsilon, is_floating, kind_of, parse, sequence_proto, serialize, tensor_proto

for _path in sorted((pathlib.Path(__file__).resolve().parent / "catalog").glob("*.py")):
    importlib.import_module(f"catalog.{_path.stem}")


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

    def __str__(self):
        types = ",".join(f"{k}={v.replace('tensor(', '').rstrip(')')}" for k, v in self.types.items())
        text = f"{self.status:11} {self.op}-{self.version} [{types}] {self.name}: {self.message}"
        return text + "".join(f"\n              {k}: {v}" for k, v in self.against.items())


def tolerances(case, desired, dtype):
    """rtol, atol: two roundings of the type, more for float32 and wider, whose intermediate results round too."""
    if dtype is None or not is_floating(dtype):
        return (0, 0) if dtype is None or dtype.kind != "c" else (1e-5, 1e-6)
    factor = case.tolerance or (8 if dtype in (np.float32, np.float64) else 1)
    rtol = factor * epsilon(dtype)
    if not case.sums:
        return rtol, 0.25 * rtol
    flat = [np.abs(np.asarray(d).astype(np.float64)).ravel() for d in (desired if isinstance(desired, list) else [desired])]
    flat = np.concatenate(flat) if flat else np.zeros(1)
    largest = np.max(flat[np.isfinite(flat)], initial=1.0)
    return 2 * rtol, 2 * rtol * largest


def compare(case, actual, desired, dtypes):
    if len(actual) != len(desired):
        return f"{len(actual)} outputs instead of {len(desired)}"
    for i, (a, d, dtype) in enumerate(zip(actual, desired, dtypes, strict=True)):
        d = oracles.round_to(d, dtype) if dtype is not None else d
        if found := difference(a, d, *tolerances(case, d, dtype)):
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
    def __init__(self):
        self.tool = Tool()

    def outcomes(self, versioned, case, engine=False):
        """(outcome, model, actual outputs) of one case."""
        outcome = Outcome(qualified(versioned.schema), versioned.version, versioned.types, case.name)
        try:
            model = build(versioned, case)
            inferred = oracles.infer(model, versioned)
        except Exception as error:  # noqa: BLE001: whatever is wrong with the case is reported
            outcome.status, outcome.message = "broken", str(error).strip().replace("\n", " ")[:300]
            return outcome, None, None
        infos = list(inferred.graph.output)
        if case.output_types:
            for info, proto in zip(infos, case.output_types, strict=True):
                info.type.CopyFrom(proto)
        dtypes = [oracles.expected_dtype(info) for info in infos]
        kinds = [(info.type.WhichOneof("value") or "tensor_type").removesuffix("_type") for info in infos]
        values = feeds(case)
        input_kinds = [(i.type.WhichOneof("value")).removesuffix("_type") for i in model.graph.input]
        blobs = [
            None if v is None else optional_bytes(v) if k == "optional" else serialize(v)
            for v, k in zip(values.values(), input_kinds, strict=True)
        ]
        answer = self.tool.run(model.SerializeToString(), blobs, input_kinds, engine=engine)
        if answer.error or isinstance(answer.reference, str):
            outcome.status = "unsupported" if answer.unsupported else "failed"
            outcome.message = answer.error or answer.reference
            return outcome, model, None
        actual = [parse(data, kind) for data, kind in zip(answer.reference, kinds, strict=True)]
        for i, (value, dtype) in enumerate(zip(actual, dtypes, strict=True)):
            if not matches_type(value, dtype):
                outcome.status, outcome.message = "failed", f"output {i} is {getattr(value, 'dtype', value)} instead of {dtype}"
        self.judge(outcome, versioned, case, model, actual, dtypes)
        if engine and outcome.status == "passed":
            if isinstance(answer.engine, str):
                outcome.status, outcome.message = "failed", f"engine: {answer.engine}"
            elif case.check is None:
                got = [parse(data, kind) for data, kind in zip(answer.engine, kinds, strict=True)]
                if found := compare(case, got, actual, dtypes):
                    outcome.status, outcome.message = "failed", f"engine against references: {found}"
        return outcome, model, actual

    def judge(self, outcome, versioned, case, model, actual, dtypes):
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
            if desired is None or ruling_for(versioned, case, name):
                return
            if found := compare(case, actual, desired, [coarser(d, at_most) for d in dtypes]):
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
    proto = onnx.OptionalProto()
    if value is None:
        pass
    elif kind_of(value) == "sequence":
        proto.elem_type = onnx.OptionalProto.SEQUENCE
        proto.sequence_value.CopyFrom(sequence_proto(value))
    else:
        proto.elem_type = onnx.OptionalProto.TENSOR
        proto.tensor_value.CopyFrom(tensor_proto(value))
    return proto.SerializeToString()


def all_cases(names=None):
    """(versioned, case) for every case of the catalog."""
    for schema in all_schemas():
        name = qualified(schema)
        if name not in CATALOG or (names and name not in names):
            continue
        make = CATALOG[name]
        for types in assignments(schema, make.product):
            versioned = Versioned(schema, types)
            for i, case in enumerate(make(versioned)):
                case.name = case.name or str(i)
                yield versioned, case


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--op", action="append")
    parser.add_argument("--engine", action="store_true")
    parser.add_argument("--limit", type=int, default=6, help="how many of an operator's failures to print")
    arguments = parser.parse_args()
    runner = Runner()
    counts, printed = collections.Counter(), collections.Counter()
    start = time.time()
    for versioned, case in all_cases(arguments.op):
        outcome, _, _ = runner.outcomes(versioned, case, arguments.engine)
        counts[outcome.status] += 1
        if outcome.status != "passed":
            printed[outcome.op] += 1
            if printed[outcome.op] <= arguments.limit:
                print(outcome, flush=True)
    print(dict(counts), {k: v for k, v in printed.items()}, f"{time.time() - start:.1f} s")


if __name__ == "__main__":
    main()
