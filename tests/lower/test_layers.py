"""A part of the proof that tests/lower/layer_proof.py gives of every torch.nn layer; all of it runs by that command."""

import dataclasses

import layer_proof
import layers
import numpy as np
import pytest
import torch
from runtime_process import Runtime, RuntimeFailed


@dataclasses.dataclass(frozen=True)
class Part:
    dtype: torch.dtype
    dynamic: bool
    dialect: str
    opsets: tuple
    first: int = 0  # of the layers of a family: this one,
    every: int = 1  # and one of so many from there on

    def __str__(self):
        name = str(self.dtype).removeprefix("torch.")
        return f"{name}-{'dynamic' if self.dynamic else 'fixed'}-{self.dialect}"


PARTS = [
    Part(torch.float32, False, "training", (11, 18)),
    Part(torch.float64, False, "training", (23,)),
    Part(torch.float16, True, "training", (18,), 0, 2),
    Part(torch.float32, False, "aten", (18,), 0, 2),
    Part(torch.float32, True, "aten", (18,), 1, 2),
]


@pytest.fixture(scope="module")
def runtime():
    with Runtime() as runtime:
        yield runtime


def failures(family, part, folder, runtime):
    for name, module, inputs in list(layers.cases(family))[part.first :: part.every]:
        case = (name, module, inputs, part.dtype, part.dynamic, part.dialect, part.opsets, folder, runtime)
        try:
            results = layer_proof.prove(*case)
        except layer_proof.PyTorchRefuses as refusal:
            refused = part.dtype == torch.float16 and "not implemented for 'Half'" in str(refusal)
            results = {} if refused else {0: f"FAILED: {refusal}"}
        for opset, verdict in results.items():
            if verdict.startswith("FAILED"):
                yield f"{name}, opset {opset}: {verdict}"


@pytest.mark.parametrize("part", PARTS, ids=str)
@pytest.mark.parametrize("family", layers.FAMILIES, ids=lambda family: family.__name__)
def test_layers(family, part, tmp_path, runtime):
    failed = list(failures(family, part, tmp_path, runtime))
    assert not failed, "\n".join(failed)


def test_a_crash_of_onnx_runtime_is_noticed(runtime, tmp_path):
    """And does not end what runs after it."""
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(RuntimeFailed, match="Fail|InvalidProtobuf"):
        runtime.run(tmp_path / "broken.onnx", {})
    runtime.process.kill()
    with pytest.raises(RuntimeFailed, match="ended with status"):
        runtime.run(tmp_path / "broken.onnx", {})
    with pytest.raises(RuntimeFailed, match="Fail|InvalidProtobuf"):
        runtime.run(tmp_path / "broken.onnx", {})


def expected_of(dtype):
    module = torch.nn.Linear(3, 2).to(dtype)
    return layer_proof.Expected(module, (torch.rand(4, 3, dtype=dtype),), dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_a_wrong_answer_is_noticed(dtype):
    """The judge itself."""
    expected = expected_of(dtype)
    (right,) = expected.outputs
    assert expected.compare([right]) is None
    moved = right + np.array(0.01, right.dtype)
    assert "output 0" in expected.compare([moved]).text
    assert "output 0" in expected.compare([right[:1]]).text
    assert "output 0" in expected.compare([right.astype(np.float64 if dtype != torch.float64 else np.float32)]).text
    assert "outputs" in expected.compare([right, right]).text
    broken = right.copy()
    broken[0, 0] = np.nan
    assert "output 0" in expected.compare([broken]).text
