"""Pooling of pictures whose height and width are not known before they come."""

import pytest
import torch
from exporting import check, check_at
from torch import nn

SIZES = {2: torch.export.Dim("height", min=8), 3: torch.export.Dim("width", min=8)}
POOLS = [
    nn.MaxPool2d(3, 2, padding=1),
    nn.MaxPool2d(2, 2, return_indices=True),
    nn.MaxPool2d(3, 2, dilation=2, return_indices=True),
]


@pytest.mark.parametrize("dialect", ["training", "aten"])
@pytest.mark.parametrize("pool", POOLS, ids=str)
def test_max_pool_of_any_size(pool, dialect, tmp_path):
    target = check(pool, (torch.randn(2, 3, 12, 10),), tmp_path, 17, dialect, dynamic_shapes=(SIZES,))
    check_at(target, pool, (torch.randn(2, 3, 9, 15),), tmp_path)
