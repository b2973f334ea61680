"""tenon inspect: what it says of files, beside the onnx package, PyTorch and hand-worked figures."""

import numpy as np
import onnx
import pytest
import torch
from command import run, run_json


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=2)
        self.up = torch.nn.ConvTranspose2d(8, 2, 2, stride=2)
        self.fc = torch.nn.Linear(2 * 16 * 16, 5)

    def forward(self, x):
        y = self.up(self.conv(x).relu())
        return self.fc(y.flatten(1)) @ torch.ones(5, 3)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("inspect") / "net.pt2"
    shapes = ({0: torch.export.Dim("batch")},)
    torch.export.save(torch.export.export(Net().eval(), (torch.rand(2, 4, 16, 16),), dynamic_shapes=shapes), path)
    return path


# For one image. Convolution: 8 * 8 * 8 outputs of 2 * 3 * 3 terms. Transposed: 8 * 8 * 8 inputs, each 2 * 2 * 2 times.
# Linear: 512 * 5. Product: 5 * 3.
MACS = {"Conv": 512 * 18, "ConvTranspose": 512 * 8, "Gemm": 512 * 5, "MatMul": 15}


def test_costs_are_those_worked_by_hand(program, tmp_path):
    report = run_json("inspect", program)
    found = {}
    for layer in report["layers"]:
        found[layer["op"]] = found.get(layer["op"], 0) + layer["macs"]
    assert {op: count for op, count in found.items() if count} == MACS
    assert report["macs"] == sum(MACS.values())
    conv = next(layer for layer in report["layers"] if layer["op"] == "Conv")
    assert conv["fused"] == 2 and conv["module"] == "conv"
    assert conv["output"] == "float32[1,8,8,8]"
    assert conv["activation_bytes"] == 4 * (4 * 16 * 16 + 8 * 8 * 8)


def test_an_onnx_file_is_described_as_onnx_sees_it(program, tmp_path):
    path = tmp_path / "net.onnx"
    run("export", program, "-o", path, "--opset", 17)
    report = run_json("inspect", path)
    model = onnx.load(path)
    assert report["opsets"] == {"ai.onnx": 17}
    assert report["ir_version"] == model.ir_version
    assert report["nodes"] == len(model.graph.node)
    counts = {}
    for node in model.graph.node:
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
    assert report["operators"] == counts
    assert report["weights"] == len(model.graph.initializer)
    sizes = [np.prod(i.dims, dtype=int) * onnx.numpy_helper.to_array(i).itemsize for i in model.graph.initializer]
    assert report["weight_bytes"] == sum(sizes)
    text = run("inspect", path, "--layers", "--passes", "--graph").stdout
    assert "conv.weight" in text and "Conv(" in text and "remove-dead-code" in text
    for effect in run_json("inspect", path, "--passes")["passes"]:
        assert (effect["changes"] > 0) == (effect["before"] != effect["after"]), effect["name"]
    assert all(len(line) <= 80 for line in run("inspect", path).stdout.splitlines()[1:])


def test_files_without_a_model_list_their_tensors(tmp_path):
    torch.save(Net().state_dict(), tmp_path / "net.pth")
    tensors = {t["name"]: t["type"] for t in run_json("inspect", tmp_path / "net.pth")["tensors"]}
    assert tensors["conv.weight"] == "float32[8,2,3,3]" and len(tensors) == 6
    np.savez(tmp_path / "arrays.npz", a=np.zeros((2, 3), np.int64), b=np.float64(1))
    report = run_json("inspect", tmp_path / "arrays.npz")
    assert report["tensors"] == [{"name": "a", "type": "int64[2,3]"}, {"name": "b", "type": "float64[]"}]


def test_a_file_that_holds_nothing_known_is_an_error(tmp_path):
    (tmp_path / "page.html").write_text("<html></html>")
    assert "page.html" in run("inspect", tmp_path / "page.html", status=2).stderr


@pytest.fixture(scope="module")
def two_layers(tmp_path_factory):
    """A convolution that Winograd suits, and one whose input changes its layout on the way."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(64, 64, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten(),
                              torch.nn.Linear(64 * 56 * 56, 3))
    path = tmp_path_factory.mktemp("inspect") / "two.pt2"
    torch.export.save(torch.export.export(net.eval(), (torch.rand(1, 64, 56, 56),)), path)
    return path


def test_the_work_of_an_algorithm_and_its_reorders(two_layers):
    report = run_json("inspect", two_layers)
    conv = report["layers"][0]
    # F(4 x 4, 3 x 3): 14 * 14 tiles of 6 * 6 products, in place of 56 * 56 outputs of 3 * 3.
    assert "winograd4" in conv["kernel"] and conv["work"] == pytest.approx(14 * 14 * 36 / (56 * 56 * 9))
    # The input of the convolution becomes blocked, and its result plain.
    assert report["reorders"] == 2 == sum(layer["reorders"] for layer in report["layers"])
    reasons = {other["kernel"].rsplit("_f32", 1)[0]: other["reason"] for other in conv["others"]}
    assert reasons["conv_winograd2"] == "was expected to take longer"
    assert reasons["conv_depthwise"] == "does not fit"
    assert reasons["conv_blocked"].startswith("comes after")


def test_times_and_bounds(two_layers):
    report = run_json("inspect", two_layers, "--time", "--threads", 1)
    limits = report["limits"]
    assert limits["threads"] == 1 and all(limits[key] > 0 for key in ("fma_gflops", "memory_gbps", "cache_gbps"))
    conv, linear = report["layers"][0], report["layers"][-1]
    assert conv["time_ms"] > 0
    # By its multiplications, and by reading its weights.
    assert conv["bound_ms"] == pytest.approx(2e-6 * conv["macs"] * conv["work"] / limits["fma_gflops"], rel=1e-6)
    assert linear["bound_ms"] > 1e-6 * linear["packed_bytes"] / max(limits["memory_gbps"], limits["cache_gbps"]) / 1.01
    text = run("inspect", two_layers, "--time", "--why").stdout
    assert "GFLOP/s" in text and "of bound" in text and "does not fit" in text


def test_an_engine_says_what_its_other_kernels_took(two_layers, tmp_path):
    path = tmp_path / "two.engine"
    built = run_json("build", two_layers, "-o", path)
    conv = run_json("inspect", path)["layers"][0]
    timed = {candidate["kernel"]: candidate["time_ms"] for candidate in built["tuned"][0]["candidates"]}
    reasons = {other["kernel"]: other["reason"] for other in conv["others"]}
    for kernel in timed:
        if kernel != conv["kernel"]:
            assert reasons[kernel] == f"took {timed[kernel]:.3f} ms, and this one {timed[conv['kernel']]:.3f} ms"
