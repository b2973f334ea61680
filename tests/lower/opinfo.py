"""Scores tenon's lowering on PyTorch's own database of operators (OpInfo), float32, a few samples each.

    .venv/bin/python tests/lower/opinfo.py [--samples 3] [--cache FOLDER] [--only NAME ...]

Every (operator, sample) pair that torch.export takes counts. One passes when tenon exports it at opset 18 and ONNX
Runtime agrees with PyTorch; it is "wrong" when the numbers differ, "invalid" when the runtime refuses the file, and
"unsupported" when tenon says that it cannot. With --cache the programs are made once. The database needs one package
beside those of tests/requirements.txt: `pip install expecttest`.
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnxruntime
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
TENON = os.environ.get("TENON", str(ROOT / "build" / "release" / "tenon"))
# Their results are not determined by their inputs.
RANDOM = ("rand", "bernoulli", "multinomial", "normal", "uniform", "cauchy", "exponential", "geometric", "log_normal", "dropout",
          "empty", "fractional", "rrelu", "scaled_dot_product", "multi_head_attention")  # fmt: skip


class Call(torch.nn.Module):
    """An operator with one sample; its tensors are the inputs."""

    def __init__(self, operator, sample):
        super().__init__()
        self.operator = operator
        self.leaves, self.spec = torch.utils._pytree.tree_flatten((sample.input, sample.args, sample.kwargs))
        self.leaves = [leaf.detach() if isinstance(leaf, torch.Tensor) else leaf for leaf in self.leaves]

    def tensors(self):
        return tuple(leaf.clone() for leaf in self.leaves if isinstance(leaf, torch.Tensor))

    def forward(self, *tensors):
        left = iter(tensors)
        leaves = [next(left) if isinstance(leaf, torch.Tensor) else leaf for leaf in self.leaves]
        first, args, kwargs = torch.utils._pytree.tree_unflatten(leaves, self.spec)
        return self.operator(first, *args, **kwargs)


def operators(only):
    from torch.testing._internal.common_methods_invocations import op_db

    for info in op_db:
        name = info.name + (f".{info.variant_test_name}" if info.variant_test_name else "")
        if only and not any(part in name for part in only):
            continue
        if torch.float32 in info.supported_dtypes("cpu") and not any(part in info.name for part in RANDOM):
            yield name, info


def make(info, count, folder):
    """Writes program, inputs and expected outputs of the first samples that torch.export takes."""
    try:
        samples = list(info.sample_inputs("cpu", torch.float32, requires_grad=False))
    except Exception:  # a database entry that cannot run here
        return
    step = max(1, len(samples) // count)
    for number, sample in enumerate(samples[::step][:count]):
        try:
            module = Call(info.op, sample)
            inputs = module.tensors()
            if not inputs:
                continue
            with torch.no_grad():
                expected = module(*module.tensors())
                if any(not torch.equal(a, b) for a, b in zip(leaves(expected), leaves(module(*module.tensors())), strict=True)
                       if not torch.isnan(a.float()).any()):  # fmt: skip
                    continue
                program = torch.export.export(module, inputs, strict=False)
            torch.export.save(program, folder / f"{number}.pt2")
            torch.save((inputs, leaves(expected)), folder / f"{number}.pt")
        except Exception:  # neither can torch.onnx.export take it
            (folder / f"{number}.pt2").unlink(missing_ok=True)


def leaves(value):
    found = [x for x in torch.utils._pytree.tree_leaves(value) if x is not None]
    return [x if isinstance(x, torch.Tensor) else torch.from_numpy(np.asarray(x)) for x in found]


def score(program, target):
    """(verdict, why) of one program."""
    run = subprocess.run([TENON, "export", str(program), "-o", str(target), "--opset", "18"], capture_output=True,
                         text=True, check=False)  # fmt: skip
    if run.returncode != 0:
        return ("unsupported" if run.returncode > 0 else "crash"), run.stderr.strip()
    inputs, expected = torch.load(program.with_suffix(".pt"))
    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(str(target), options, providers=["CPUExecutionProvider"])
        feeds = {i.name: x.numpy() for i, x in zip(session.get_inputs(), inputs, strict=True)}
        actual = session.run(None, feeds)
    except Exception as error:  # noqa: BLE001  the runtime throws types of its own
        return "invalid", str(error)
    if len(actual) != len(expected):
        return "wrong", f"{len(actual)} outputs, PyTorch has {len(expected)}"
    for got, want in zip(actual, expected, strict=True):
        want = want.numpy()
        if got.shape != want.shape or got.dtype != want.dtype:
            return "wrong", f"{got.dtype}{got.shape}, PyTorch gives {want.dtype}{want.shape}"
        if not np.allclose(got, want, rtol=1e-4, atol=1e-5, equal_nan=True):
            return "wrong", f"differs by {np.nanmax(np.abs(got.astype(np.float64) - want.astype(np.float64)))}"
    return "passed", ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=3)
    parser.add_argument("--cache", type=pathlib.Path)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--report", type=pathlib.Path, help="all verdicts as JSON")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    counts, details = collections.Counter(), []
    with tempfile.TemporaryDirectory() as scratch:
        root = options.cache or pathlib.Path(scratch)
        for name, info in operators(options.only):
            folder = root / name.replace("/", "_")
            if not (folder / "done").exists():
                folder.mkdir(parents=True, exist_ok=True)
                make(info, options.samples, folder)
                (folder / "done").touch()
            for program in sorted(folder.glob("*.pt2")):
                verdict, why = score(program, pathlib.Path(scratch) / "model.onnx")
                counts[verdict] += 1
                details.append((verdict, name, why))
                if verdict != "passed":
                    print(f"{verdict:12} {name}: {why.splitlines()[-1][:300] if why else ''}", flush=True)
    if options.report:
        options.report.write_text(json.dumps(details, indent=1))
    total = sum(counts.values())
    print(f"{counts['passed']} of {total} passed ({100 * counts['passed'] / max(total, 1):.1f}%), {dict(counts)}")
    return 0 if counts["passed"] == total else 1


if __name__ == "__main__":
    sys.exit(main())
