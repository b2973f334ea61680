"""Padding in every mode: amounts that cut, that are computed from dynamic sizes, and both."""

import pytest
import torch
from torch import nn

from exporting import check, check_at
from test_elementwise import Call

torch.manual_seed(0)
X = torch.randn(2, 3, 5, 6)
MODES = ["constant", "reflect", "replicate", "circular"]
# In PyTorch's order, from the last dimension inwards.
AMOUNTS = {
    "cut": (-1, -2, 0, -1),
    "cut and added": (-1, 2, 3, -2),
    "as much cut as added": (3, -3, -2, 2),
    "nothing": (0, 0, 0, 0),
}


@pytest.mark.parametrize("dialect", ["training", "aten"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("amounts", AMOUNTS)
def test_negative_amounts(amounts, mode, dialect, tmp_path):
    sides = AMOUNTS[amounts]
    check(Call(lambda x: nn.functional.pad(x, sides, mode)), (X,), tmp_path, 18, dialect)


def test_more_from_the_other_end_than_there_is(tmp_path):
    """PyTorch reads memory here that nobody wrote."""
    with pytest.raises(AssertionError, match="circular padding of 2 elements by 4"):
        check(Call(lambda x: nn.functional.pad(x, (4, -4), "circular")), (X[0],), tmp_path)


def to_eight(x, mode):
    """Both dimensions padded to 8, as image networks do before they cut into windows."""
    return nn.functional.pad(x, (0, 8 - x.shape[3], 0, 8 - x.shape[2]), mode)


def by_its_size(x, mode):
    """Amounts of which the sign is not known when the model is exported."""
    return nn.functional.pad(x, (x.shape[3] - 7, 6 - x.shape[3], x.shape[2] - 5, 1), mode)


def by_less(x, mode):
    return nn.functional.pad(x, (x.shape[3] - 3, 1, 0, x.shape[2] - 3), mode)


# PyTorch exports circular padding for one sign of each amount only.
FROM_SIZES = [(function, mode) for function in (to_eight, by_its_size) for mode in MODES[:3]] + [(by_less, m) for m in MODES]


@pytest.mark.parametrize("dialect", ["training", "aten"])
@pytest.mark.parametrize(("function", "mode"), FROM_SIZES)
def test_amounts_from_dynamic_sizes(function, mode, dialect, tmp_path):
    sizes = ({2: torch.export.Dim("h", min=5, max=8), 3: torch.export.Dim("w", min=5, max=8)},)
    module = Call(lambda x: function(x, mode))
    target = check(module, (X,), tmp_path, 18, dialect, dynamic_shapes=(sizes,))
    for height, width in ((5, 5), (6, 8), (8, 7)):
        check_at(target, module, (torch.randn(2, 3, height, width),), tmp_path)
