"""Element-wise ATen operators: functions, activations, arithmetic with type promotion, comparisons."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from exporting import check

X = torch.linspace(-4, 4, 48).reshape(2, 6, 4) + 0.013
POSITIVE = torch.linspace(0.05, 5, 48).reshape(2, 6, 4)
UNIT = torch.linspace(-0.95, 0.95, 48).reshape(2, 6, 4)
Y = torch.linspace(3, -2, 48).reshape(2, 6, 4) + 0.07
INTS = torch.arange(-12, 12).reshape(2, 3, 4)
DIVISORS = torch.tensor([1, -2, 3, -5])


class Call(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


FUNCTIONS = {
    **{name: (getattr(torch, name), X) for name in
       ["abs", "neg", "sign", "ceil", "floor", "round", "trunc", "frac", "exp", "exp2", "expm1", "sin", "cos", "tan",
        "atan", "sinh", "cosh", "tanh", "asinh", "erf", "erfc", "sigmoid", "square", "reciprocal", "isnan", "isfinite"]},
    **{name: (getattr(torch, name), POSITIVE) for name in ["sqrt", "rsqrt", "log", "log2", "log10", "log1p"]},
    **{name: (getattr(torch, name), UNIT) for name in ["asin", "acos", "atanh", "expm1", "log1p"]},
    "acosh": (torch.acosh, POSITIVE + 1),
    "round_decimals": (lambda x: torch.round(x, decimals=2), X),
    "logit": (lambda x: torch.logit(x, 0.1), UNIT / 2 + 0.5),
    "log1p_tiny": (lambda x: torch.log1p(x * 1e-6), X),
    "expm1_tiny": (lambda x: torch.expm1(x * 1e-6), X),
    "nan_to_num": (lambda x: torch.nan_to_num(x / (x > 0).float()), X),
    "integers_become_real": (torch.exp, INTS),
    "round_integers": (torch.floor, INTS),
}

ACTIVATIONS = [
    nn.ReLU(), nn.ReLU6(), nn.SiLU(), nn.GELU(), nn.GELU("tanh"), nn.Hardswish(), nn.Hardsigmoid(), nn.Hardtanh(-2, 1.5),
    nn.LeakyReLU(0.2), nn.PReLU(), nn.PReLU(6, 0.3), nn.ELU(0.7), nn.SELU(), nn.CELU(), nn.CELU(0.6), nn.Mish(),
    nn.Softplus(), nn.Softplus(2, 3), nn.Softshrink(0.8), nn.Hardshrink(0.8), nn.Softsign(), nn.Tanhshrink(),
    nn.LogSigmoid(), nn.Threshold(0.3, -7), nn.GLU(1), nn.RReLU(), nn.Sigmoid(), nn.Tanh(), nn.Dropout(),
]  # fmt: skip

ARITHMETIC = {
    "add_alpha": (lambda a, b: torch.add(a, b, alpha=0.5), X, Y),
    "sub_alpha": (lambda a, b: torch.sub(a, b, alpha=2), X, Y),
    "rsub": (lambda a: 1.5 - a, X),
    "mul": (lambda a, b: a * b * 2.5, X, Y),
    "div": (lambda a, b: a / b, X, Y),
    "div_integers": (lambda a, b: a / b, INTS, DIVISORS),
    "div_floor": (lambda a, b: torch.div(a, b, rounding_mode="floor"), X, Y),
    "div_trunc": (lambda a, b: torch.div(a, b, rounding_mode="trunc"), X, Y),
    "div_floor_integers": (lambda a, b: torch.div(a, b, rounding_mode="floor"), INTS, DIVISORS),
    "div_trunc_integers": (lambda a, b: torch.div(a, b, rounding_mode="trunc"), INTS, DIVISORS),
    "floor_divide": (lambda a: a // 3, INTS),
    "remainder": (lambda a, b: torch.remainder(a, b), X, Y),
    "remainder_integers": (lambda a, b: a % b, INTS, DIVISORS),
    "fmod": (lambda a, b: torch.fmod(a, b), X, Y),
    "fmod_integers": (lambda a, b: torch.fmod(a, b), INTS, DIVISORS),
    "pow": (lambda a, b: torch.pow(a, b), POSITIVE, Y),
    "pow_scalars": (lambda a: (a**2, a**0.5, a**3, a**-1.5, 2**a), POSITIVE),
    "integers_and_real_number": (lambda a: (a + 1.5, a * 2, a > 0.5), INTS),
    "half_and_number": (lambda a: a * 0.3 + 1, X.half()),
    "zero_dim_tensor": (lambda a, b: a + b, X, torch.tensor(2, dtype=torch.int64)),
    "int_and_long": (lambda a, b: a + b, INTS.int(), INTS),
    "bools": (lambda a, b: ((a > 0) + (b > 0), (a > 0) * (b > 0), (a > 0) & (b > 0), ~(a > 0)), X, Y),
    "maximum": (lambda a, b: (torch.maximum(a, b), torch.minimum(a, b)), X, Y),
    "maximum_integers": (lambda a, b: (torch.maximum(a, b), torch.minimum(a, b)), INTS, DIVISORS),
    "clamp": (lambda a: (a.clamp(-1, 2), a.clamp(min=0.5), a.clamp(max=0.1), a.clamp_min(1)), X),
    "clamp_integers": (lambda a: (a.clamp(-3, 2), a.clamp(min=0.5)), INTS),
    "clamp_tensors": (lambda a, b: torch.clamp(a, min=b, max=b + 1), X, Y),
    "atan2": (lambda a, b: torch.atan2(a, b), X, Y),
    "lerp": (lambda a, b: (torch.lerp(a, b, 0.3), torch.lerp(a, b, b)), X, Y),
    "addcmul": (lambda a, b: (torch.addcmul(a, a, b, value=0.5), torch.addcdiv(a, a, b)), X, Y),
    "logaddexp": (lambda a, b: torch.logaddexp(a, b), X, Y),
    "comparisons": (lambda a, b: (a < b, a <= b, a > b, a >= b, a == a, a != b, a > 0), X, Y),
    "comparisons_mixed": (lambda a, b: (a < b, a >= 1, a == 2.0), INTS, DIVISORS.int()),
    "logical": (lambda a, b: (torch.logical_and(a, b), torch.logical_or(a, b), torch.logical_not(a)), INTS, DIVISORS),
    "where": (lambda a, b: (torch.where(a > 0, a, b), torch.where(a > 0, a, 1.0)), X, Y),
    "masked_fill": (lambda a: a.masked_fill(a > 1, float("-inf")), X),
    "shifts": (lambda a: (a << 2, a >> 1), INTS),
    "conversions": (lambda a, b: (a.to(torch.float64), a.int(), b.type_as(a), b.bool()), X, INTS),
}


@pytest.mark.parametrize("opset", [11, 17, 23])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name, opset, tmp_path):
    function, x = FUNCTIONS[name]
    check(Call(function), (x,), tmp_path, opset)


@pytest.mark.parametrize("dialect", ["training", "aten"])
@pytest.mark.parametrize("opset", [11, 17, 23, 28])
@pytest.mark.parametrize("module", ACTIVATIONS, ids=str)
def test_activation(module, opset, dialect, tmp_path):
    check(module, (X,), tmp_path, opset, dialect)


@pytest.mark.parametrize("dialect", ["training", "aten"])
@pytest.mark.parametrize("name", ARITHMETIC)
def test_arithmetic(name, dialect, tmp_path):
    function, *inputs = ARITHMETIC[name]
    tolerance = 2e-3 if name == "half_and_number" else 1e-5
    check(Call(function), tuple(inputs), tmp_path, 17, dialect, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ["bitwise", "not"])
def test_bits(name, tmp_path):
    function = {"bitwise": lambda a, b: (a & b, a | b, a ^ b), "not": lambda a, b: (~a, ~b)}[name]
    check(Call(function), (INTS, DIVISORS), tmp_path, 18)


def test_unary_in_double(tmp_path):
    function = Call(lambda x: F.gelu(x, approximate="tanh") + torch.expm1(x))
    check(function, (X.double(),), tmp_path, 17, rtol=1e-12, atol=1e-12)
