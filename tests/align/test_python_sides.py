"""Sides that a Python runs, ONNX Runtime and PyTorch, and what happens where there is none."""

import os
import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch

from small_models import TENON, align, convnet, images


class Net(torch.nn.Module):
    """Two inputs, and outputs in a dictionary."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.fc = torch.nn.Linear(4, 5)

    def forward(self, image, scale):
        pooled = torch.relu(self.conv(image)).mean((2, 3))
        return {"logits": self.fc(pooled * scale), "best": self.fc(pooled).argmax(1)}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A .pt2 and its export by tenon."""
    folder = tmp_path_factory.mktemp("program")
    torch.manual_seed(0)
    example = (torch.rand(2, 3, 8, 8), torch.rand(2, 4))
    torch.export.save(torch.export.export(Net().eval(), example), folder / "net.pt2")
    subprocess.run([TENON, "export", folder / "net.pt2", "-o", folder / "net.onnx"], check=True, capture_output=True)
    return folder


def test_torch_against_its_export(program):
    status, report = align(f"torch:{program / 'net.pt2'}", program / "net.onnx", python=sys.executable)
    assert status == 0, report
    assert report["sides"]["reference"]["runner"] == f"torch {torch.__version__.split('+')[0]}"
    assert [o["elements"] for o in report["outputs"]] == [200, 40]
    assert report["outputs"][0]["within_float32"] is True


def test_a_program_as_reference_runs_in_pytorch_where_there_is_one(program):
    _, report = align(program / "net.pt2", program / "net.onnx", "--samples", 2, python=sys.executable)
    assert report["sides"]["reference"]["runner"].startswith("torch ")
    assert report["reference"] == str(program / "net.pt2")
    assert not any("not the export" in warning for warning in report["warnings"])


def test_no_circle(program):
    """Without PyTorch the reference shares its lowering with the export, and the report says so."""
    status, report = align(program / "net.pt2", program / "net.onnx", "--samples", 2)
    assert status == 0 and report["reference"] == "tenon lowering"
    assert report["sides"]["reference"] == {"given": str(program / "net.pt2"), "runner": "tenon lowering"}
    assert any("not the export" in warning for warning in report["warnings"])


def test_pytorch_against_onnxruntime(program):
    status, report = align(f"torch:{program / 'net.pt2'}", f"onnxruntime:{program / 'net.onnx'}", python=sys.executable)
    assert status == 0 and report["sides"]["candidate"]["runner"].startswith("onnxruntime ")


def test_onnxruntime_of_a_model(tmp_path):
    convnet(tmp_path / "net.onnx")
    np.savez(tmp_path / "in.npz", x=images(1)[0])
    status, report = align(f"onnxruntime:{tmp_path / 'net.onnx'}", tmp_path / "net.onnx", "--inputs", tmp_path / "in.npz",
                           python=sys.executable)
    assert status == 0 and report["samples"] == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript(tmp_path):
    torch.manual_seed(1)
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh()).eval()
    example = torch.rand(1, 4)
    torch.jit.trace(net, example).save(str(tmp_path / "net.pt"))
    torch.export.save(torch.export.export(net, (example,)), tmp_path / "net.pt2")
    status, report = align(f"torch:{tmp_path / 'net.pt'}", tmp_path / "net.pt2", python=sys.executable)
    assert status == 0, report


@pytest.mark.parametrize("side", ["torch:{}/net.pt2", "onnxruntime:{}/net.onnx"])
def test_no_python(program, side):
    status, report = align(side.format(program), program / "net.onnx")
    assert status == 2 and report["error"]["code"] == "unavailable" and "--python" in report["error"]["hint"]
    assert report["error"]["file"] == side.format(program)


def test_what_python_says_is_passed_on(program):
    status, report = align(f"onnxruntime:{program / 'net.pt2'}", program / "net.onnx", python=sys.executable)
    assert status in (1, 2) and "ONNX Runtime" in report["error"]["message"]


def test_nothing_is_left_behind(program, tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path), "TENON_PYTHON": sys.executable}
    done = subprocess.run([TENON, "align", f"torch:{program / 'net.pt2'}", program / "net.onnx", "--samples", "1"],
                          env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_layer_is_named_with_its_source(program):
    """The export with another activation: PyTorch's own values inside show where the two part."""
    made = onnx.load(program / "net.onnx")
    next(node for node in made.graph.node if node.op_type == "Relu").op_type = "Sigmoid"
    onnx.save(made, program / "other.onnx")
    status, report = align(f"torch:{program / 'net.pt2'}", program / "other.onnx", "--samples", 2, "--per-layer",
                           python=sys.executable)
    assert status == 1 and report["cause"]["kind"] == "computation"
    assert report["cause"]["op"] == "Sigmoid" and "test_python_sides.py" in report["cause"]["source"]
    assert "torch.relu" in report["cause"]["source"]
    first = next(layer for layer in report["layers"] if layer["departed"])
    assert first["difference"] > 0.1 and "Sigmoid" in first["op"]
