"""Proves the layers of tests/lower/layers.py: exported by tenon, they give what PyTorch gives, in tenon and ONNX Runtime.

    .venv/bin/python tests/lower/layer_proof.py                         # everything: hours on two cores
    .venv/bin/python tests/lower/layer_proof.py --types float16 --opsets 18 --families norms pools
    .venv/bin/python tests/lower/layer_proof.py --batch dynamic --dialects training --report proof.json

A case is one layer in one element type, with a fixed or a dynamic batch, in one of PyTorch's dialects; it is exported at
each opset. float32 and float64 must agree at 1e-5 and 1e-9, relative and absolute. float16 must be no further from the
same layer in float64 than 3 times PyTorch's own float16, or than one rounding of the largest output. A model with a
dynamic batch also runs on a larger one. Where ONNX Runtime has no kernel for the type, or does not know the opset, tenon
stands alone beside PyTorch ("tenon only"); beyond its opsets onnx.reference computes float32 as well, where it can.
Nothing is compared where PyTorch itself refuses the type, or where the layer needs an operator of a later opset: then
tenon's error must name both.
"""

import argparse
import collections
import copy
import json
import pathlib
import sys
import tempfile
import warnings

import exporting
import layers
import numpy as np
import onnx.reference
import torch

OPSETS = (11, 13, 17, 18, 20, 23, 28)
TYPES = {"float32": torch.float32, "float64": torch.float64, "float16": torch.float16}
TOLERANCES = {torch.float32: 1e-5, torch.float64: 1e-9}
# Layers that need an operator of a later opset: what the error names.
NEEDS = {
    "interpolate antialias": ("Resize", 18),
    "interpolate antialias by a factor": ("Resize", 18),
    "interpolate bicubic antialias": ("Resize", 18),
    "interpolate bicubic antialias by factors": ("Resize", 18),
    "Fold": ("Col2Im", 18),
    "Bilinear": ("Einsum", 12),
}


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


def batch_axis(name):
    """The axis of every input that is the batch."""
    whole = name.startswith(("RNN", "LSTM", "GRU")) and "Cell" not in name and "batch first" not in name
    return 1 if whole or "sequence first" in name else 0


def enlarged(inputs, axis):
    """The inputs with one more sample, a mirror image of the first."""
    def enlarge(x):
        return torch.cat([x, x.narrow(axis, 0, 1).flip(-1)], axis) if x.ndim > axis else x

    return torch.utils._pytree.tree_map(enlarge, inputs)


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
        """What is wrong with the outputs; empty when nothing is."""
        if len(outputs) != len(self.outputs):
            return f"{len(outputs)} outputs, PyTorch has {len(self.outputs)}"
        for i, (got, want) in enumerate(zip(outputs, self.outputs, strict=True)):
            if got.dtype != want.dtype or got.shape != want.shape:
                return f"output {i} is {got.dtype}{got.shape}, PyTorch gives {want.dtype}{want.shape}"
            if want.dtype.kind == "f" and self.dtype == torch.float16:
                exact = self.exact[i]
                allowed = max(3 * distance(want, exact), np.abs(exact).max(initial=0) * 2.0**-11)
                if distance(got, exact) > allowed:
                    own = distance(want, exact)
                    return f"output {i} is {distance(got, exact):.3g} from float64, PyTorch {own:.3g}"
            elif want.dtype.kind == "f":
                tolerance = TOLERANCES[self.dtype]
                if not np.allclose(got, want, rtol=tolerance, atol=tolerance, equal_nan=True):
                    return f"output {i} differs by {distance(got, want):.3g}"
            elif not np.array_equal(got, want):
                return f"output {i} differs"
        return ""


def by_runtime(target, feeds):
    """ONNX Runtime's outputs, or None where it has no kernel."""
    try:
        return exporting.compute_by_runtime(target, feeds)
    except Exception as error:
        if "NOT_IMPLEMENTED" in str(error) or "Could not find an implementation" in str(error):
            return None
        raise


def by_reference(target, feeds):
    """onnx.reference's outputs, or None where it has no implementation."""
    try:
        return onnx.reference.ReferenceEvaluator(str(target)).run(None, feeds)
    except Exception:  # it ends in errors of many types where it does not implement an operator or a version
        return None


def examine(target, opset, name, runs, folder):
    """Who was compared with PyTorch; an AssertionError says who differs. `runs` are inputs and what is expected."""
    model = exporting.check_file(target, opset)
    judges = set()
    for inputs, expected in runs:
        feeds = exporting.feeds_of(model, inputs)
        computed = {"tenon": exporting.compute_by_tenon(target, feeds, folder)}
        if opset <= exporting.NEWEST_RUNTIME_OPSET:
            computed["onnxruntime"] = by_runtime(target, feeds)
        elif expected.dtype == torch.float32:
            computed["onnx.reference"] = by_reference(target, feeds)
        for judge, outputs in computed.items():
            if outputs is None:
                continue
            judges.add(judge)
            problem = expected.compare(outputs)
            assert not problem, f"{judge}: {problem}"
    return judges


def prove(name, module, inputs, dtype, dynamic, dialect, opsets, folder):
    """{opset: who was compared, or what is wrong} of one case."""
    module, inputs = module_as(module, dtype).eval(), converted(inputs, dtype)
    axis = batch_axis(name)
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
        operator, needed = NEEDS.get(name, ("", 0))
        try:
            if opset < needed:
                try:
                    exporting.convert(program, opset)
                    results[opset] = f"FAILED: exported, though {operator} needs opset {needed}"
                except AssertionError as error:
                    named = f"{operator} needs opset {needed}" in str(error)
                    results[opset] = "needs a later opset" if named else f"FAILED: {error}"
                continue
            judges = examine(exporting.convert(program, opset), opset, name, runs, folder)
            results[opset] = " + ".join(sorted(judges)) if len(judges) > 1 else "tenon only"
            if dynamic and len(runs) == 1:
                results[opset] += ", batch fixed by PyTorch"
        except Exception as error:
            results[opset] = f"FAILED: {type(error).__name__}: {str(error)[:400]}"
    return results


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
    for family in layers.FAMILIES:
        if options.families and family.__name__ not in options.families:
            continue
        for position, (name, module, inputs) in enumerate(layers.cases(family)):
            if position % options.every or (options.only and options.only not in name):
                continue
            for dtype in options.types:
                for batch in options.batch:
                    for dialect in options.dialects:
                        variant = f"{name}, {dtype}, {batch} batch, {dialect}"
                        with tempfile.TemporaryDirectory() as folder:
                            arguments = (name, module, inputs, TYPES[dtype], batch == "dynamic", dialect, options.opsets)
                            try:
                                results = prove(*arguments, pathlib.Path(folder))
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
