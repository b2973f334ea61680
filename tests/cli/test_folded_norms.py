"""BatchNorm behind a convolution or a linear layer: one step of the engine, with PyTorch's answers, and with the values and
the places in the source that it had before."""

import numpy as np
import onnx
import pytest
import torch
from command import run, run_json
from torch import nn

CHANNELS = 20


class Product(nn.Module):
    """A product with a constant matrix, which becomes a MatMul, and perhaps a sum."""

    def __init__(self, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(12, CHANNELS))
        self.bias = nn.Parameter(torch.randn(CHANNELS)) if bias else None

    def forward(self, x):
        y = torch.matmul(x, self.weight)
        return y if self.bias is None else y + self.bias


ROWS = (5, 12)
# The layer, the norm behind it, the shape of the input, the operator of the step, and the nodes that it computes.
CASES = {
    "linear": (lambda: nn.Linear(12, CHANNELS), nn.BatchNorm1d, ROWS, "Gemm", 2),
    "linear_without_bias": (lambda: nn.Linear(12, CHANNELS, bias=False), nn.BatchNorm1d, ROWS, None, 2),
    "matmul": (lambda: Product(bias=False), nn.BatchNorm1d, ROWS, "MatMul", 2),
    "matmul_and_add": (lambda: Product(bias=True), nn.BatchNorm1d, ROWS, "MatMul", 3),
    "convolution_of_lines": (lambda: nn.Conv1d(12, CHANNELS, 3), nn.BatchNorm1d, (2, 12, 9), "Conv", 2),
    "convolution": (lambda: nn.Conv2d(12, CHANNELS, 3), nn.BatchNorm2d, (2, 12, 9, 9), "Conv", 2),
}


class Net(nn.Module):
    def __init__(self, layer, norm, relu):
        super().__init__()
        self.layer, self.norm, self.relu = layer, norm, relu

    def forward(self, x):
        y = self.norm(self.layer(x))
        return y.relu() if self.relu else y


def network(case, dtype, relu=False):
    layer, norm, *_ = CASES[case]
    torch.manual_seed(0)
    net = Net(layer(), norm(CHANNELS, eps=2**-10), relu)
    for name, value in [*net.norm.named_parameters(), *net.norm.named_buffers()]:
        if value.is_floating_point():
            value.data = torch.rand_like(value) + 0.5 if "var" in name else torch.randn_like(value)
    return net.eval().to(dtype)


def save(net, x, path):
    batch = torch.export.Dim("batch")
    torch.export.save(torch.export.export(net, (x,), dynamic_shapes=({0: batch},)), path)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("case", CASES)
def test_answers_are_those_of_pytorch(case, dtype, relu, tmp_path):
    _, _, shape, op, nodes = CASES[case]
    net, x = network(case, dtype, relu), torch.randn(shape, dtype=dtype)
    save(net, x, tmp_path / "m.pt2")
    run("export", tmp_path / "m.pt2", "-o", tmp_path / "m.onnx")
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    for model in ("m.pt2", "m.onnx"):
        for batch in (1, shape[0]):
            np.save(tmp_path / "x.npy", x[:batch].numpy())
            run("run", tmp_path / model, "--input", f"x={tmp_path}/x.npy", "--save", tmp_path / "out.npz")
            (got,) = np.load(tmp_path / "out.npz").values()
            with torch.no_grad():
                np.testing.assert_allclose(got, net(x[:batch]).numpy(), rtol=tolerance, atol=tolerance)
        layers = run_json("inspect", tmp_path / model)["layers"]
        assert sum(layer["fused"] for layer in layers) >= nodes + relu
        if dtype == torch.float32:
            (step,) = [layer for layer in layers if layer["module"] == "layer"]
            assert len(layers) == 1 and step["kernel"] != "reference", layers
            assert op in (None, step["op"]) and step["fused"] >= nodes + relu


@pytest.mark.parametrize("case", CASES)
def test_values_inside_can_be_asked_for(case, tmp_path):
    net, x = network(case, torch.float32), torch.randn(CASES[case][2])
    save(net, x, tmp_path / "m.pt2")
    run("export", tmp_path / "m.pt2", "-o", tmp_path / "m.onnx", "--output-names", "y")
    np.save(tmp_path / "x.npy", x.numpy())
    arguments = ["run", tmp_path / "m.onnx", "--input", f"x={tmp_path}/x.npy", "--save", tmp_path / "out.npz"]
    run(*arguments)
    alone = np.load(tmp_path / "out.npz")["y"]

    graph = onnx.load(tmp_path / "m.onnx").graph
    (norm,) = [node for node in graph.node if node.op_type == "BatchNormalization"]
    asked = run_json(*arguments, "--output", norm.input[0], "--output", "y")["outputs"]
    assert [value["recomputed"] for value in asked] == [True, False]
    out = np.load(tmp_path / "out.npz")
    with torch.no_grad():
        np.testing.assert_allclose(out[norm.input[0]], net.layer(x).numpy(), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(out["y"], alone)
    layers = run_json("align", f"float64:{tmp_path / 'm.onnx'}", tmp_path / "m.onnx", "--per-layer", "--samples", 2)["layers"]
    assert any("BatchNormalization" in layer["op"] for layer in layers)
    assert any(layer["module"] == "layer" for layer in layers)


def test_channels_that_are_not_columns_are_left_to_a_step_of_their_own(tmp_path):
    """Behind a batch of products the channels are rows."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(12, CHANNELS), nn.BatchNorm1d(7)).eval()
    net[1].running_var.data = torch.rand(7) + 0.5
    net[1].running_mean.data = torch.randn(7)
    x = torch.randn(2, 7, 12)
    save(net, x, tmp_path / "m.pt2")
    np.save(tmp_path / "x.npy", x.numpy())
    run("run", tmp_path / "m.pt2", "--input", f"input={tmp_path}/x.npy", "--save", tmp_path / "out.npz")
    (got,) = np.load(tmp_path / "out.npz").values()
    with torch.no_grad():
        np.testing.assert_allclose(got, net(x).numpy(), rtol=1e-5, atol=1e-5)
