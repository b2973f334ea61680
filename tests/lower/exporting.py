"""Exports a PyTorch module with tenon and compares what ONNX Runtime and tenon compute from it with PyTorch."""

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


def run_tenon(*arguments):
    done = subprocess.run([TENON, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def save_program(module, inputs, folder, dialect="training", dynamic_shapes=None, kwargs=None):
    """The path of the .pt2 file that PyTorch writes of `module`."""
    program = torch.export.export(module.eval(), inputs, kwargs, dynamic_shapes=dynamic_shapes, strict=False)
    if dialect == "aten":
        program = program.run_decompositions()
    torch.export.save(program, folder / "model.pt2")
    return folder / "model.pt2"


def convert(program, opset):
    """The path of the ONNX file that tenon makes of a .pt2 file."""
    target = program.with_name(f"{program.stem}_{opset}.onnx")
    run_tenon("export", program, "-o", target, "--opset", opset)
    return target


def export(module, inputs, folder, opset, dialect="training", dynamic_shapes=None):
    """The path of the ONNX file that tenon makes of `module` at `opset`."""
    return convert(save_program(module, inputs, folder, dialect, dynamic_shapes), opset)


def check_file(target, opset):
    """The model, which is valid and of this opset."""
    model = onnx.load(target)
    onnx.checker.check_model(model, full_check=True)
    assert [(i.domain, i.version) for i in model.opset_import] == [("", opset)]
    return model


def compute_by_tenon(target, feeds, folder):
    np.savez(folder / "in.npz", **feeds)
    run_tenon("run", target, "--inputs", folder / "in.npz", "--save", folder / "out.npz")
    with np.load(folder / "out.npz") as outputs:
        return [outputs[name] for name in outputs.files]


def compute_by_runtime(target, feeds):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(target), options, providers=["CPUExecutionProvider"])
    return session.run(None, feeds)


def tensors_of(tree):
    return [x for x in torch.utils._pytree.tree_leaves(tree) if isinstance(x, torch.Tensor)]


def feeds_of(model, inputs):
    """The inputs of an ONNX model by name, in order; an input may be a tensor or a number."""
    flat = [np.asarray(x) for x in torch.utils._pytree.tree_leaves(inputs)]
    return dict(zip([i.name for i in model.graph.input], flat, strict=True))


def assert_same(expected, actual, rtol, atol):
    flat = torch.utils._pytree.tree_leaves(expected)
    assert len(flat) == len(actual)
    for want, got in zip(flat, actual, strict=True):
        want = want.detach().numpy() if isinstance(want, torch.Tensor) else np.asarray(want)
        got = np.asarray(got)
        assert want.dtype == got.dtype
        assert want.shape == got.shape
        np.testing.assert_allclose(got.astype(np.float64), want.astype(np.float64), rtol=rtol, atol=atol)


def check_at(target, module, inputs, folder, rtol=1e-5, atol=1e-5):
    """Runs a file that check made, on other inputs."""
    model = onnx.load(target)
    feeds = feeds_of(model, inputs)
    with torch.no_grad():
        expected = module.eval()(*inputs)
    if model.opset_import[0].version <= NEWEST_RUNTIME_OPSET:
        assert_same(expected, compute_by_runtime(target, feeds), rtol, atol)
    assert_same(expected, compute_by_tenon(target, feeds, folder), rtol, atol)


def check(module, inputs, folder, opset=17, dialect="training", rtol=1e-5, atol=1e-5, **options):
    """Exports, checks the file, runs it in ONNX Runtime and in tenon and compares with PyTorch."""
    target = export(module, inputs, folder, opset, dialect, **options)
    check_file(target, opset)
    check_at(target, module, inputs, folder, rtol, atol)
    return target
