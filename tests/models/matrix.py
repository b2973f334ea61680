#!/usr/bin/env python3
"""Proves tenon's exports of torchvision models: every model, static and with a dynamic batch, at several opsets.

    matrix.py MODELS [NAME...] [--opsets 11,17,23,28] [--kinds static,dynamic] [--results FILE] [--table FILE.md]

MODELS is a folder that make_torchvision.py has filled. Each model is exported; the file must import exactly the opset
asked for and pass onnx.checker with full_check; its initializers must be PyTorch's, name by name and bit by bit; every
node must say where it came from. Runs on 1, 2, 3 and 7 threads must give the same bits (at the last of the opsets). ONNX
Runtime (at the opsets that it knows) and tenon run it on the recorded inputs, and each output must agree with PyTorch's

    "1e-5"   |x - PyTorch| <= 1e-5 + 1e-5 |PyTorch| for every element, or else
    "3x"     max |x - f64| <= 3 max |PyTorch - f64|, f64 being the same model in double precision.

One JSON line a case goes to --results; cases that stand there are not run again. Exit status 1 when a case failed.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import zipfile

import numpy as np
import onnx
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parents[2]
TENON = os.environ.get("TENON", str(ROOT / "build" / "release" / "tenon"))
onnxruntime.set_default_logger_severity(3)
TOLERANCE = 1e-5
PROTOBUF_LIMIT = 1 << 31


def run(*arguments):
    return subprocess.run([TENON, *map(str, arguments)], capture_output=True, text=True, check=False)


def samples(path):
    """The arrays of an .npz of "K/NAME" entries, by K."""
    result = {}
    with np.load(path) as archive:
        for key in archive.files:
            number, name = key.split("/", 1)
            result.setdefault(int(number), {})[name] = archive[key]
    return [result[k] for k in sorted(result)]


def names_in(argument):
    """Every "name" inside a JSON value: those of the values that an argument refers to among them."""
    if isinstance(argument, dict):
        for key, value in argument.items():
            yield from [value] if key == "name" and isinstance(value, str) else names_in(value)
    elif isinstance(argument, list):
        for item in argument:
            yield from names_in(item)


def weights_of(program):
    """(name, storage, raw bytes) of the dense weights that a .pt2 program reads, found without PyTorch. Others lie in
    the file too: of heads that only train, and counters that inference does not read."""
    with zipfile.ZipFile(program) as archive:
        root = archive.namelist()[0].split("/")[0]
        module = json.loads(archive.read(f"{root}/models/model.json"))["graph_module"]
        read = {name for node in module["graph"]["nodes"] for name in names_in([i["arg"] for i in node["inputs"]])}
        inputs = {}
        for spec in module["signature"]["input_specs"]:
            for kind, key in (("parameter", "parameter_name"), ("buffer", "buffer_name")):
                if kind in spec:
                    inputs[spec[kind][key]] = spec[kind]["arg"]["name"]
        config = json.loads(archive.read(f"{root}/data/weights/model_weights_config.json"))["config"]
        for name, entry in config.items():
            if inputs[name] in read:
                yield name, entry["path_name"], archive.read(f"{root}/data/weights/{entry['path_name']}")


def check_weights(model, program):
    """Every weight that the program reads is an initializer with its name and bits; of tied weights, one of them. No
    initializer is without use."""
    initializers = {i.name: i for i in model.graph.initializer}
    weights = list(weights_of(program))
    present = {storage for name, storage, _ in weights if name in initializers}
    for name, storage, data in weights:
        if name in initializers:
            if initializers[name].raw_data != data:
                return f"initializer {name} differs from the program's weight"
        elif storage not in present:
            return f"the weight {name} is not in the file"
    used = {name for node in model.graph.node for name in node.input}
    unused = [name for name in initializers if name not in used]
    return f"initializer {unused[0]} is not used" if unused else ""


def check_provenance(model):
    for node in model.graph.node:
        entries = {p.key for p in node.metadata_props}
        if node.doc_string == "" and not {"source", "module"} & entries:
            return f"node {node.name} ({node.op_type}) does not say where it came from"
    return ""


def check_file(path, opset, program):
    """What is wrong with the file as a file; empty when nothing is."""
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.load(path, load_external_data=False)
    imports = [(i.domain, i.version) for i in model.opset_import]
    if imports != [("", opset)]:
        return f"imports {imports}"
    if path.stat().st_size < PROTOBUF_LIMIT and not path.with_name(path.name + ".data").exists():
        problem = check_weights(model, program)
        if problem:
            return problem
    return check_provenance(model)


def judge(outputs, recorded, exact):
    """(criterion, largest error against PyTorch, largest ratio of errors against float64) over one sample's outputs, in
    the order of the model. tenon calls an output after its place in the program's result ("out"), the recording after
    the value that the program returns there."""
    criterion, worst, ratio = "1e-5", 0.0, 0.0
    for value, (name, f64) in zip(outputs, exact.items(), strict=True):
        want = recorded[name].astype(np.float64)
        if value.dtype != recorded[name].dtype or value.shape != want.shape:
            return f"FAILED: {name} is {value.dtype}{list(value.shape)}", np.inf, np.inf
        error = np.abs(value - want)
        own = np.abs(want - f64).max()
        factor = np.abs(value - f64).max() / own if own > 0 else (0.0 if (value == f64).all() else np.inf)
        worst, ratio = max(worst, float(error.max())), max(ratio, float(factor))
        if not (error <= TOLERANCE + TOLERANCE * np.abs(want)).all():
            criterion = "3x" if factor <= 3 and criterion != "FAILED" else "FAILED"
    return criterion, worst, ratio


def combined(results):
    criterion = max((r[0] for r in results), key=lambda c: (c.startswith("FAILED"), c == "3x"))
    return {"criterion": criterion, "max_abs": max(r[1] for r in results), "f64_ratio": max(r[2] for r in results)}


def by_tenon(path, io, exact, folder):
    results = []
    for sample, answer in zip(io, exact, strict=True):
        np.savez(folder / "in.npz", **{n: v for n, v in sample.items() if n not in answer})
        done = run("run", path, "--inputs", folder / "in.npz", "--save", folder / "out.npz")
        if done.returncode != 0:
            return {"criterion": "FAILED: " + done.stderr.strip()}
        with np.load(folder / "out.npz") as outputs:
            results.append(judge([outputs[n] for n in outputs.files], sample, answer))
    return combined(results)


def check_threads(path, sample, answer, folder):
    """Whether every number of threads gives the same bits."""
    np.savez(folder / "in.npz", **{n: v for n, v in sample.items() if n not in answer})
    first = None
    for threads in (1, 2, 3, 7):
        done = run("run", path, "--inputs", folder / "in.npz", "--save", folder / "out.npz", "--threads", threads)
        if done.returncode != 0:
            return done.stderr.strip()
        with np.load(folder / "out.npz") as outputs:
            bits = [outputs[n].tobytes() for n in outputs.files]
        if first is not None and bits != first:
            return f"other bits on {threads} threads"
        first = bits
    return ""


def by_runtime(path, io, exact):
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:
        if "opset" in str(error) or "is not a registered function/op" in str(error):
            return {"criterion": "unknown opset"}
        return {"criterion": f"FAILED: {error}"}
    results = []
    for sample, answer in zip(io, exact, strict=True):
        outputs = session.run(None, {i.name: sample[i.name] for i in session.get_inputs()})
        results.append(judge(outputs, sample, answer))
    return combined(results)


def examine(models, kind, name, opset, folder, threads):
    """One case as a dictionary; `threads`: whether to compare the bits of several numbers of threads."""
    case = {"model": name, "kind": kind, "opset": opset, "ok": False}
    program = models / kind / f"{name}.pt2"
    path = folder / "model.onnx"
    start = time.perf_counter()
    done = run("export", program, "-o", path, "--opset", opset)
    case["export_s"] = round(time.perf_counter() - start, 3)
    if done.returncode != 0:
        case["problem"] = done.stderr.strip()
        # Too low an opset for the model is a right answer when the message names the operator and who has it.
        needs = re.search(r"\((\w[\w.]*)\).*opset (\d+)", done.stderr)
        case["needs"] = f"{needs[1]} of opset {needs[2]}" if needs and done.returncode == 1 else None
        case["ok"] = needs is not None and int(needs[2]) > opset
        return case
    try:
        case["problem"] = check_file(path, opset, program)
    except Exception as error:
        case["problem"] = f"onnx.checker: {error}"
    io, exact = samples(models / kind / f"{name}.io.npz"), samples(models / kind / f"{name}.f64.npz")
    case["tenon"] = by_tenon(path, io, exact, folder)
    case["onnxruntime"] = by_runtime(path, io, exact)
    if threads and not case["problem"]:
        case["problem"] = check_threads(path, io[-1], exact[-1], folder)
    failed = [case[side]["criterion"] for side in ("tenon", "onnxruntime") if "FAILED" in case[side]["criterion"]]
    case["ok"] = not case["problem"] and not failed
    return case


def describe(case):
    if "tenon" not in case:
        return f"needs {case['needs']}" if case["ok"] else f"FAILED: {case['problem']}"
    text = []
    for side in ("tenon", "onnxruntime"):
        result = case[side]
        figure = f" ({result['max_abs']:.1e}, {result['f64_ratio']:.2f}x)" if "max_abs" in result else ""
        text.append(f"{side} {result['criterion']}{figure}")
    return ("" if case["ok"] else "NOT OK " + case["problem"] + " ") + "; ".join(text)


def write_table(cases, path):
    """A row a model and kind, a column an opset: criterion and largest error of tenon / of ONNX Runtime."""
    opsets = sorted({c["opset"] for c in cases})
    rows = {}
    for case in cases:
        rows.setdefault((case["model"], case["kind"]), {})[case["opset"]] = case

    def cell(case):
        if case is None:
            return ""
        if "tenon" not in case:
            return f"needs {case['needs']}" if case["ok"] else "**failed**"
        sides = []
        for side in ("tenon", "onnxruntime"):
            r = case[side]
            sides.append(f"{r['max_abs']:.1e}{' (3x)' if r['criterion'] == '3x' else ''}" if "max_abs" in r else "–")
        return ("" if case["ok"] else "**failed** ") + " / ".join(sides)

    lines = ["| model | batch | " + " | ".join(f"opset {o}" for o in opsets) + " |",
             "| --- | --- |" + " --- |" * len(opsets)]
    for (model, kind), row in sorted(rows.items()):
        lines.append(f"| {model} | {kind} | " + " | ".join(cell(row.get(o)) for o in opsets) + " |")
    path.write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("names", nargs="*", help="models (default: all that the folder has)")
    parser.add_argument("--opsets", default="11,17,23,28")
    parser.add_argument("--kinds", default="static,dynamic")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "build" / "matrix.jsonl")
    parser.add_argument("--table", type=pathlib.Path)
    arguments = parser.parse_args()
    known = []
    if arguments.results.exists():
        known = [json.loads(line) for line in arguments.results.read_text().splitlines()]
    done = {(c["model"], c["kind"], c["opset"]) for c in known}
    cases = []
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    for kind in arguments.kinds.split(","):
        files = sorted((arguments.models / kind).glob("*.f64.npz"), key=lambda f: f.with_name(f.name[:-8] + ".pt2").stat().st_size)
        for name in arguments.names or [f.name[: -len(".f64.npz")] for f in files]:
            opsets = [int(opset) for opset in arguments.opsets.split(",")]
            for opset in opsets:
                if (name, kind, opset) in done:
                    continue
                with tempfile.TemporaryDirectory() as folder:
                    case = examine(arguments.models, kind, name, opset, pathlib.Path(folder), opset == opsets[-1])
                cases.append(case)
                with open(arguments.results, "a") as results:
                    results.write(json.dumps(case) + "\n")
                print(f"{name:28} {kind:8} {opset:3} {case['export_s']:6.2f} s  {describe(case)}", flush=True)
    if arguments.table:
        write_table(known + cases, arguments.table)
    failed = [c for c in known + cases if not c["ok"]]
    print(f"{len(known + cases)} cases, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
