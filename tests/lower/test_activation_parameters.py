"""Parameters of activations that float32 cannot hold, in float64 layers: ONNX's attributes are float32, and so are the
constants in the bodies of its functions."""

import pytest
import torch
from torch import nn

from exporting import check

X = torch.linspace(-4, 4, 48, dtype=torch.float64).reshape(2, 6, 4) + 0.013
LAYERS = [nn.LeakyReLU(0.3), nn.RReLU(), nn.ELU(0.7), nn.CELU(0.6), nn.SELU(), nn.Hardsigmoid(),
          nn.Hardswish(), nn.GELU("tanh"), nn.Softshrink(0.3), nn.Hardshrink(0.3)]  # fmt: skip


@pytest.mark.parametrize("dialect", ["training", "aten"])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_parameters_in_double(layer, dialect, tmp_path):
    check(layer, (X,), tmp_path, 18, dialect, rtol=1e-14, atol=1e-14)
