"""Every layer class of torch.nn, exported by tenon: ONNX Runtime and tenon's engine give what PyTorch gives."""

import subprocess

import exporting
import layers
import numpy as np
import onnx
import onnxruntime
import pytest
import torch

# Layers that need an operator of a later opset: what the error names.
NEEDS = {
    "interpolate antialias": ("Resize", 18),
    "interpolate bicubic antialias": ("Resize", 18),
    "Fold": ("Col2Im", 18),
    "Bilinear": ("Einsum", 12),
}
# The oldest opset, the newest that this ONNX Runtime runs, and one between, in PyTorch's two dialects.
RUNS = [("training", 11), ("training", 18), ("aten", 18)]


def compute_by_tenon(target, feeds, folder):
    np.savez(folder / "in.npz", **feeds)
    command = [exporting.TENON, "run", str(target), "--inputs", str(folder / "in.npz"), "--save", str(folder / "out.npz")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with np.load(folder / "out.npz") as outputs:
        return [outputs[name] for name in outputs.files]


def check(module, inputs, folder, opset, dialect):
    target = exporting.export(module, inputs, folder, opset, dialect)
    model = onnx.load(target)
    onnx.checker.check_model(model, full_check=True)
    flat = [np.asarray(x) for x in torch.utils._pytree.tree_leaves(inputs)]
    feeds = dict(zip([i.name for i in model.graph.input], flat, strict=True))
    expected = [x for x in torch.utils._pytree.tree_leaves(module(*inputs)) if isinstance(x, torch.Tensor)]
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    exporting.assert_same(expected, session.run(None, feeds), 1e-5, 1e-5)
    exporting.assert_same(expected, compute_by_tenon(target, feeds, folder), 1e-5, 1e-5)


@pytest.mark.parametrize(("dialect", "opset"), RUNS)
@pytest.mark.parametrize("family", layers.FAMILIES, ids=lambda family: family.__name__)
def test_layers(family, dialect, opset, tmp_path):
    onnxruntime.set_default_logger_severity(3)
    failed = []
    for name, module, inputs in layers.cases(family):
        operator, needed = NEEDS.get(name, ("", 0))
        try:
            if opset >= needed:
                check(module, inputs, tmp_path, opset, dialect)
                continue
            with pytest.raises(AssertionError, match=f"{operator} needs opset {needed}"):
                exporting.export(module, inputs, tmp_path, opset, dialect)
        except Exception as error:
            failed.append(f"{name}: {type(error).__name__}: {str(error)[:400]}")
    assert not failed, "\n".join(failed)


def test_an_lstm_with_projections_says_what_to_do(tmp_path):
    module = torch.nn.LSTM(4, 5, proj_size=3)
    with pytest.raises(AssertionError, match="run_decompositions"):
        exporting.export(module, (torch.rand(5, 2, 4),), tmp_path, 17)
    check(module.eval().requires_grad_(False), (torch.rand(5, 2, 4),), tmp_path, 17, "aten")
