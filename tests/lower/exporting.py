"""Exports a PyTorch module with tenon and compares what ONNX Runtime computes from it with PyTorch."""

import os
import pathlib
import subprocess

import numpy as np
import onnx
import onnxruntime
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
TENON = os.environ.get("TENON", str(ROOT / "build" / "release" / "tenon"))
# The newest opset that the installed ONNX Runtime runs.
NEWEST_RUNTIME_OPSET = 23


def export(module, inputs, folder, opset, dialect="training", dynamic_shapes=None):
    """The path of the ONNX file that tenon makes of `module` at `opset`."""
    program = torch.export.export(module.eval(), inputs, dynamic_shapes=dynamic_shapes, strict=False)
    if dialect == "aten":
        program = program.run_decompositions()
    torch.export.save(program, folder / "model.pt2")
    target = folder / f"model_{opset}.onnx"
    run = subprocess.run(
        [TENON, "export", str(folder / "model.pt2"), "-o", str(target), "--opset", str(opset)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return target


def assert_same(expected, actual, rtol, atol):
    flat = torch.utils._pytree.tree_leaves(expected)
    assert len(flat) == len(actual)
    for want, got in zip(flat, actual, strict=True):
        want = want.detach().numpy() if isinstance(want, torch.Tensor) else np.asarray(want)
        got = np.asarray(got)
        assert want.dtype == got.dtype
        assert want.shape == got.shape
        np.testing.assert_allclose(got.astype(np.float64), want.astype(np.float64), rtol=rtol, atol=atol)


def check(module, inputs, folder, opset=17, dialect="training", rtol=1e-5, atol=1e-5, **options):
    """Exports, checks the file, runs it in ONNX Runtime and compares with PyTorch."""
    target = export(module, inputs, folder, opset, dialect, **options)
    model = onnx.load(target)
    onnx.checker.check_model(model, full_check=True)
    assert [(i.domain, i.version) for i in model.opset_import] == [("", opset)]
    if opset > NEWEST_RUNTIME_OPSET:
        return
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    feeds = {i.name: x.numpy() for i, x in zip(session.get_inputs(), inputs, strict=True)}
    with torch.no_grad():
        expected = module.eval()(*inputs)
    assert_same(expected, session.run(None, feeds), rtol, atol)
