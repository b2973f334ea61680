"""tenon export: names and sizes of inputs and outputs, beside what PyTorch and ONNX Runtime make of them."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from command import run, run_json


class Pair(torch.nn.Module):
    """Two inputs and three outputs, one of them an input and one a weight."""

    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 4)

    def forward(self, a, b):
        return self.fc(a) + b, b, self.fc.bias


@pytest.fixture(scope="module")
def module():
    torch.manual_seed(0)
    return Pair().eval()


@pytest.fixture(scope="module")
def program(module, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "pair.pt2"
    example = (torch.rand(2, 4), torch.rand(2, 4))
    batch = torch.export.Dim("batch")
    torch.export.save(torch.export.export(module, example, dynamic_shapes=({0: batch}, {0: batch})), path)
    return path


@pytest.fixture(scope="module")
def fixed(module, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "fixed.pt2"
    torch.export.save(torch.export.export(module, (torch.rand(2, 4), torch.rand(2, 4))), path)
    return path


def session(path):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("names", [("image:0", "a=b/c"), ("b", "a"), ("linear", "fc")])
def test_ports_take_any_name(module, program, tmp_path, names):
    out = tmp_path / "out.onnx"
    run("export", program, "-o", out, "--input-name", names[0], "--input-name", names[1], "--output-names=x:0,y,z")
    model = session(out)
    assert [i.name for i in model.get_inputs()] == list(names)
    assert [o.name for o in model.get_outputs()] == ["x:0", "y", "z"]
    a, b = torch.rand(3, 4), torch.rand(3, 4)
    got = model.run(None, {names[0]: a.numpy(), names[1]: b.numpy()})
    with torch.no_grad():
        for want, value in zip(module(a, b), got, strict=True):
            np.testing.assert_allclose(value, want.numpy(), rtol=1e-6, atol=1e-6)
    assert "fc.weight" in [i.name for i in onnx.load(out).graph.initializer]


def test_names_that_clash_are_refused(program, tmp_path):
    out = tmp_path / "out.onnx"
    for options in (["--input-names=fc.weight"], ["--input-names=x,x"], ["--input-names=a,b,c"], ["--output-names=a"]):
        assert "pair.pt2" in run("export", program, "-o", out, *options, status=2).stderr
    assert not out.exists()


def test_dimensions_are_named_by_symbol_or_by_place(program, tmp_path):
    out = tmp_path / "out.onnx"
    symbol = run_json("export", program, "-o", out)["inputs"][0]["type"].split("[")[1].split(",")[0]
    named = run_json("export", program, "-o", out, f"--dim-name={symbol}=rows")
    assert [port["type"] for port in named["inputs"]] == ["float32[rows,4]"] * 2
    named = run_json("export", program, "-o", out, "--input-names=p,q", "--dynamic=q:0=lines")
    assert [port["type"] for port in named["inputs"]] == ["float32[lines,4]"] * 2
    assert session(out).get_inputs()[0].shape == ["lines", 4]
    unknown = run("export", program, "-o", out, "--dim-name=nothing=x", status=2).stderr
    assert "no dimension" in unknown and f"there is only '{symbol}'" in unknown
    assert "did you mean" in run("export", program, "-o", out, "--dynamic=A:0=lines", status=2).stderr


def test_a_fixed_dimension_cannot_be_opened(fixed, tmp_path):
    error = run_json("export", fixed, "-o", tmp_path / "out.onnx", "--dynamic=a:0=batch", status=2)["error"]
    assert "was fixed to 2" in error["message"]
    assert "dynamic_shapes={'a': {0: torch.export.Dim('batch')}}" in error["hint"]


def test_shapes_can_be_fixed(program, fixed, tmp_path):
    out = tmp_path / "out.onnx"
    shapes = run_json("export", program, "-o", out, "--input-shape=a=5,4")
    assert [port["type"] for port in shapes["inputs"]] == ["float32[5,4]"] * 2
    assert session(out).get_outputs()[0].shape == [5, 4]
    both = run("export", program, "-o", tmp_path / "both.onnx", "--input-shape=a=5,4", "--dynamic=a:0=n", status=2)
    assert "cannot have a fixed shape" in both.stderr and not (tmp_path / "both.onnx").exists()
    assert "not 3" in run("export", fixed, "-o", out, "--input-shape", "a=3,4", status=2).stderr


def test_names_of_other_formats_change_too(program, module, tmp_path):
    """The options hold for state dicts and ONNX files as well."""
    first, second = tmp_path / "first.onnx", tmp_path / "second.onnx"
    run("export", program, "-o", first)
    run("export", first, "-o", second, "--input-names=left,right", "--output-names=sum", "--opset=15")
    model = session(second)
    assert [i.name for i in model.get_inputs()] == ["left", "right"]
    assert model.get_outputs()[0].name == "sum"
    assert onnx.load(second).opset_import[0].version == 15


def test_state_dicts_take_names(tmp_path):
    import torchvision_cpu  # noqa: F401
    import torchvision

    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "resnet18.pth")
    out = tmp_path / "out.onnx"
    options = ["--arch=resnet18", "--input-names=image", "--output-names=logits", "--dynamic=image:0=n"]
    report = run_json("export", tmp_path / "resnet18.pth", "-o", out, *options)
    assert report["inputs"] == [{"name": "image", "type": "float32[n,3,224,224]"}]
    assert [o.name for o in session(out).get_outputs()] == ["logits"]


def test_constants_that_become_attributes_leave_no_initializer(tmp_path):
    """Below opset 13 the axes of Unsqueeze and ReduceSum are attributes."""

    class Sums(torch.nn.Module):
        def forward(self, x):
            return x.unsqueeze(1).sum(dim=(0, 2))

    torch.export.save(torch.export.export(Sums(), (torch.rand(2, 3, 4),)), tmp_path / "sums.pt2")
    out = tmp_path / "out.onnx"
    for opset, count in ((11, 0), (13, 2)):
        run("export", tmp_path / "sums.pt2", "-o", out, "--opset", opset)
        assert len(onnx.load(out).graph.initializer) == count
        x = np.random.default_rng(0).random((2, 3, 4), np.float32)
        got = session(out).run(None, {"x": x})[0]
        np.testing.assert_allclose(got, x[:, None].sum(axis=(0, 2)), rtol=1e-6)
