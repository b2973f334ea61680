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
