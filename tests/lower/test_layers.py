"""A part of the proof that tests/lower/layer_proof.py gives of every torch.nn layer; all of it runs by that command."""

import layer_proof
import layers
import numpy as np
import pytest
import torch

# PyTorch's two dialects, float32: the oldest opset that is exported, and one between.
PLAIN = [("training", (11, 18)), ("aten", (18,))]


def failures(family, dialect, opsets, folder):
    for name, module, inputs in layers.cases(family):
        try:
            results = layer_proof.prove(name, module, inputs, torch.float32, False, dialect, opsets, folder)
        except layer_proof.PyTorchRefuses as refusal:
            results = {0: f"FAILED: {refusal}"}
        for opset, verdict in results.items():
            if verdict.startswith("FAILED"):
                yield f"{name}, opset {opset}: {verdict}"


@pytest.mark.parametrize(("dialect", "opsets"), PLAIN)
@pytest.mark.parametrize("family", layers.FAMILIES, ids=lambda family: family.__name__)
def test_layers(family, dialect, opsets, tmp_path):
    failed = list(failures(family, dialect, opsets, tmp_path))
    assert not failed, "\n".join(failed)


def expected_of(dtype):
    module = torch.nn.Linear(3, 2).to(dtype)
    return layer_proof.Expected(module, (torch.rand(4, 3, dtype=dtype),), dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_a_wrong_answer_is_noticed(dtype):
    """The judge itself."""
    expected = expected_of(dtype)
    (right,) = expected.outputs
    assert expected.compare([right]) == ""
    moved = right + np.array(0.01, right.dtype)
    assert "output 0" in expected.compare([moved])
    assert "output 0" in expected.compare([right[:1]])
    assert "output 0" in expected.compare([right.astype(np.float64 if dtype != torch.float64 else np.float32)])
    assert "outputs" in expected.compare([right, right])
    broken = right.copy()
    broken[0, 0] = np.nan
    assert "output 0" in expected.compare([broken])
