"""Proves the layers of tests/lower/layers.py: exported by tenon, they give what PyTorch gives, in tenon and ONNX Runtime.

    .venv/bin/python tests/lower/layer_proof.py                         # everything: hours on two cores
    .venv/bin/python tests/lower/layer_proof.py --types float16 --opsets 18 --families norms pools
    .venv/bin/python tests/lower/layer_proof.py --batch dynamic --dialects training --report proof.json

A case is one layer in one element type, with a fixed or a dynamic batch, in one of PyTorch's dialects; it is exported at
each opset. float32 and float64 must agree at 1e-5 and 1e-9, relative and absolute. float16 must be no further from the
same layer in float64 than 3 times PyTorch's own float16, or than one rounding of the largest output. A model with a
dynamic batch also runs on a larger one. Where ONNX Runtime has no kernel for the type, or does not know the opset, tenon
stands alone beside PyTorch ("tenon only"); beyond its opsets onnx.reference computes float32 as well, where it can.
Where another implementation is wrong, known_deviations.py says how far and why. Nothing is compared where PyTorch itself
refuses the type, or where the layer needs an operator of a later opset: then tenon's error must name both.
"""

import argparse
import collections
import copy
import dataclasses
import itertools
import json
import math
import pathlib
import sys
import tempfile
import warnings

import exporting
import layers
import numpy as np
import onnx.reference
import torch
from known_deviations import known_deviation
from runtime_process import Runtime, RuntimeFailed

OPSETS = (11, 13, 17, 18, 20, 23, 28)
TYPES = {"float32": torch.float32, "float64": torch.float64, "float16": torch.float16}
TOLERANCES = {torch.float32: 1e-5, torch.float64: 1e-9}
# Layers that need an operator of a later opset in a dialect: what the error names.
NEEDS = {
    (f"interpolate {layer}", dialect): ("Resize", 18)
    for layer in ("antialias", "antialias by a factor", "bicubic antialias", "bicubic antialias by factors")
    for dialect in ("training", "aten")
}
NEEDS["Fold", "training"] = ("Col2Im", 18)
NEEDS["Fold", "aten"] = ("ScatterND", 16)
NEEDS["Bilinear", "training"] = ("Einsum", 12)


class PyTorchRefuses(Exception):
    """PyTorch has no kernel of this type, or cannot export the layer in this way."""


def converted(tree, dtype):
    def convert(x):
        return x.to(dtype) if isinstance(x, torch.Tensor) and x.is_floating_point() else x

    return torch.utils._pytree.tree_map(convert, tree)


def module_as(module, dtype):
    """A copy of a module whose weights, and whose fixed arguments, have this type."""
    module = copy.deepcopy(module).to(dtype)
    if isinstance(module, layers.Call):
        module.keywords = converted(module.keywords, dtype)
    return module


def growing_axis(name):
    """The axis of every input that is the batch, or of a layer without one: its length, or height."""
    recurrent = name.startswith(("RNN", "LSTM", "GRU")) and "Cell" not in name
    if "without a batch" in name:
        return 0 if recurrent else 1
    return 1 if "sequence first" in name or (recurrent and "batch first" not in name) else 0


def enlarged(inputs, axis):
    """The inputs with one more sample, a mirror image of the last."""
    def enlarge(x):
        return torch.cat([x, x.narrow(axis, -1, 1).flip(-1)], axis) if x.ndim > axis else x

    return torch.utils._pytree.tree_map(enlarge, inputs)


@dataclasses.dataclass
class Difference:
    text: str
    size: float = math.inf  # of the largest difference; of answers that have no such thing it is infinite


def distance(got, want):
    """The largest difference; NaN and infinities must be at the same places."""
    got, want = got.astype(np.float64), want.astype(np.float64)
    with np.errstate(invalid="ignore"):
        difference = np.where((got == want) | (np.isnan(got) & np.isnan(want)), 0, np.abs(got - want))
    return np.nan_to_num(difference, nan=np.inf).max(initial=0)


class Expected:
    """What PyTorch computes, and how near an answer must come."""

    def __init__(self, module, inputs, dtype):
        self.dtype = dtype
        with torch.no_grad():
            self.outputs = [x.numpy() for x in exporting.tensors_of(module(*inputs))]
            if dtype == torch.float16:
                wide = module_as(module, torch.float64)(*converted(inputs, torch.float64))
                self.exact = [x.numpy() for x in exporting.tensors_of(wide)]

    def compare(self, outputs):
        """How the outputs differ, or None."""
        if len(outputs) != len(self.outputs):
            return Difference(f"{len(outputs)} outputs, PyTorch has {len(self.outputs)}")
        for i, (got, want) in enumerate(zip(outputs, self.outputs, strict=True)):
            if got.dtype != want.dtype or got.shape != want.shape:
                return Difference(f"output {i} is {got.dtype}{got.shape}, PyTorch gives {want.dtype}{want.shape}")
            if want.dtype.kind == "f" and self.dtype == torch.float16:
                exact = self.exact[i]
                far, own = distance(got, exact), distance(want, exact)
                if far > max(3 * own, np.abs(exact).max(initial=0) * 2.0**-11):
                    return Difference(f"output {i} is {far:.3g} from float64, PyTorch {own:.3g}", far)
            elif want.dtype.kind == "f":
                tolerance = TOLERANCES[self.dtype]
                if not np.allclose(got, want, rtol=tolerance, atol=tolerance, equal_nan=True):
                    return Difference(f"output {i} differs by {distance(got, want):.3g}", distance(got, want))
            elif not np.array_equal(got, want):
                return Difference(f"output {i} differs")
        return None


# What ONNX Runtime says where it has no kernel for the type.
NO_KERNEL = ("NOT_IMPLEMENTED", "Could not find an implementation", "does not support double yet")


def by_runtime(runtime, target, feeds, disabled_optimizers=()):
    """ONNX Runtime's outputs, or None where it has no kernel."""
    try:
        return runtime.run(target, feeds, disabled_optimizers)
    except RuntimeFailed as failure:
        if any(words in str(failure) for words in NO_KERNEL):
            return None
        raise


def by_reference(target, feeds):
    """onnx.reference's outputs, or None where it has no implementation."""
    try:
        return onnx.reference.ReferenceEvaluator(str(target)).run(None, feeds)
    except Exception:  # it ends in errors of many types where it does not implement an operator or a version
        return None


def judged(judge, compute, known, expected):
    """The judge's name, or what else is to be said of its answer; "" where it has none. `known`: the deviation that is
    recorded of it."""
    try:
        outputs = compute()
        difference = None if outputs is None else expected.compare(outputs)
    except RuntimeFailed as failure:
        outputs, difference = None, Difference(str(failure))
    if difference is None:
        assert known is None or outputs is None, f"{judge} agrees, though this deviation is recorded: {known.why}"
        return "" if outputs is None else judge
    assert known is not None and difference.size <= known.at_most, f"{judge}: {difference.text}"
    if known.disabled_optimizers:
        without = f"{judge} without {', '.join(known.disabled_optimizers)}"
        return judged(without, lambda: compute(known.disabled_optimizers), None, expected)
    return f"{judge} deviates as known"


def examine(target, opset, name, dialect, runs, folder, runtime):
    """What judges say of the model; an AssertionError says who differs. `runs` are inputs and what is expected."""
    model = exporting.check_file(target, opset)
    judges = set()
    for inputs, expected in runs:
        feeds = exporting.feeds_of(model, inputs)
        computing = {"tenon": lambda feeds=feeds: exporting.compute_by_tenon(target, feeds, folder)}
        if opset <= exporting.NEWEST_RUNTIME_OPSET:
            computing["onnxruntime"] = lambda without=(), feeds=feeds: by_runtime(runtime, target, feeds, without)
        elif expected.dtype == torch.float32:
            computing["onnx.reference"] = lambda feeds=feeds: by_reference(target, feeds)
        for judge, compute in computing.items():
            known = known_deviation(judge, name, expected.dtype, dialect, opset)
            judges.add(judged(judge, compute, known, expected))
    return judges - {""}


def prove(name, module, inputs, dtype, dynamic, dialect, opsets, folder, runtime):
    """{opset: who was compared, or what is wrong} of one case."""
    module, inputs = module_as(module, dtype).eval(), converted(inputs, dtype)
    axis = growing_axis(name)
    shapes = None
    try:
        if dynamic:
            inputs = enlarged(inputs, axis)
            shapes = torch.utils._pytree.tree_map(lambda x: {axis: torch.export.Dim.AUTO} if x.ndim > axis else {}, inputs)
            shapes = (shapes,) if isinstance(module, layers.Call) else shapes
        runs = [(inputs, Expected(module, inputs, dtype))]
        program = exporting.save_program(module, inputs, folder, dialect, shapes)
        if dynamic and any(str(s) for s in torch.export.load(program).range_constraints):
            more = enlarged(inputs, axis)
            runs.append((more, Expected(module, more, dtype)))
    except Exception as error:
        raise PyTorchRefuses(str(error).strip().splitlines()[0][:200]) from error
    results = {}
    for opset in opsets:
        operator, needed = NEEDS.get((name, dialect), ("", 0))
        try:
            if opset < needed:
                try:
                    exporting.convert(program, opset)
                    results[opset] = f"FAILED: exported, though {operator} needs opset {needed}"
                except AssertionError as error:
                    named = f"{operator} needs opset {needed}" in str(error)
                    results[opset] = "needs a later opset" if named else f"FAILED: {error}"
                continue
            judges = examine(exporting.convert(program, opset), opset, name, dialect, runs, folder, runtime)
            results[opset] = "tenon only" if judges == {"tenon"} else " + ".join(sorted(judges))
            if dynamic and len(runs) == 1:
                results[opset] += ", batch fixed by PyTorch"
        except Exception as error:
            results[opset] = f"FAILED: {type(error).__name__}: {str(error)[:400]}"
    return results


def variants(options):
    """(what it is called, the first arguments of prove) of each case that the options choose."""
    for family in layers.FAMILIES:
        if options.families and family.__name__ not in options.families:
            continue
        for position, (name, module, inputs) in enumerate(layers.cases(family)):
            if position % options.every or (options.only and options.only not in name):
                continue
            for dtype, batch, dialect in itertools.product(options.types, options.batch, options.dialects):
                case = (name, module, inputs, TYPES[dtype], batch == "dynamic", dialect)
                yield f"{name}, {dtype}, {batch} batch, {dialect}", case


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", nargs="*", help="by name: convolutions pads pools ...; all when not given")
    parser.add_argument("--only", help="cases whose name holds this")
    parser.add_argument("--every", type=int, default=1, help="one case of so many")
    parser.add_argument("--types", nargs="*", default=list(TYPES), choices=TYPES)
    parser.add_argument("--batch", nargs="*", default=["fixed", "dynamic"], choices=["fixed", "dynamic"])
    parser.add_argument("--dialects", nargs="*", default=["training", "aten"], choices=["training", "aten"])
    parser.add_argument("--opsets", nargs="*", type=int, default=OPSETS)
    parser.add_argument("--report", type=pathlib.Path, help="all verdicts as JSON")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    counts, report = collections.Counter(), []
    with Runtime() as runtime:
        for variant, case in variants(options):
            with tempfile.TemporaryDirectory() as folder:
                try:
                    results = prove(*case, options.opsets, pathlib.Path(folder), runtime)
                except PyTorchRefuses as error:
                    results = {0: f"PyTorch refuses: {error}"}
            for opset, verdict in results.items():
                counts[verdict.split(":")[0]] += 1
                report.append([variant, opset, verdict])
                if verdict.startswith("FAILED"):
                    print(f"{variant}, opset {opset}: {verdict}", flush=True)
    if options.report:
        options.report.write_text(json.dumps(report, indent=1))
    print(dict(counts))
    return 1 if counts["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main())
