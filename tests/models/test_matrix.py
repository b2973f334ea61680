"""A part of the proof that tests/models/matrix.py gives for all of torchvision: one model of each kind of network."""

import make_torchvision
import matrix
import pytest

MODELS = ["resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5", "swin_t"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.mark.parametrize("name", MODELS)
def test_exports_agree_with_pytorch(name, folder, tmp_path):
    make_torchvision.make(name, folder)
    for kind in make_torchvision.KINDS:
        for opset in (11, 17, 28):
            case = matrix.examine(folder, kind, name, opset, tmp_path, threads=opset == 28)
            assert case["ok"], (kind, opset, matrix.describe(case))
            assert "needs" not in case


def test_a_wrong_answer_is_noticed(folder, tmp_path, monkeypatch):
    """The judge itself: a recording of other inputs must fail."""
    make_torchvision.make("resnet18", folder)
    other = matrix.samples

    def moved(path):
        io = other(path)
        if path.name.endswith(".io.npz"):
            io[0]["x"] = io[0]["x"] + 0.01
        return io

    monkeypatch.setattr(matrix, "samples", moved)
    case = matrix.examine(folder, "static", "resnet18", 17, tmp_path, threads=False)
    assert not case["ok"]
    assert case["tenon"]["criterion"] == "FAILED" and case["onnxruntime"]["criterion"] == "FAILED"
    assert "NOT OK" in matrix.describe(case)
