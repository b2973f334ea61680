"""ATen reductions, orders, softmax and normalisation layers."""

import pytest
import torch
from torch import nn

from exporting import check, check_at
from test_elementwise import Call

torch.manual_seed(0)
X = torch.randn(2, 6, 5, 4)
INTS = torch.randint(-9, 9, (3, 5))

REDUCTIONS = {
    "sum": (lambda x: (x.sum(), x.sum(1), x.sum((0, 2), keepdim=True)), X),
    "sum_integers": (lambda x: (x.sum(), x.sum(0), (x > 0).sum(1)), INTS),
    "mean": (lambda x: (x.mean(), x.mean(-1), x.mean((2, 3), keepdim=True), x.mean(0, dtype=torch.float64)), X),
    "amax": (lambda x: (x.amax(), x.amax((1, 2)), x.amin(0, keepdim=True), x.max(), x.min()), X),
    "max_dim": (lambda x: (*x.max(1), *x.min(-1, keepdim=True)), X),
    "argmax": (lambda x: (x.argmax(), x.argmax(1), x.argmin(2, keepdim=True)), X),
    "variance": (lambda x: (x.var(), x.var(1), x.std((2, 3), keepdim=True), x.var(1, correction=0)), X),
    "var_mean": (lambda x: (*torch.var_mean(x, (1, 2)), *torch.std_mean(x)), X),
    "prod": (lambda x: (x.prod(), x.prod(2), x.prod(1, keepdim=True)), X[0]),
    "norm": (lambda x: (x.norm(), x.norm(p=1, dim=1), x.norm(p=3, dim=2), torch.linalg.vector_norm(x, float("inf"), 1)), X),
    "normalize": (lambda x: nn.functional.normalize(x, dim=1), X),
    "logsumexp": (lambda x: (x.logsumexp(1), x.logsumexp((2, 3), keepdim=True)), X),
    "all_any": (lambda x: ((x > 0).all(), (x > 0).any(1), (x > 2).all(2, keepdim=True)), X),
    "cumsum": (lambda x: (x.cumsum(1), x.cumsum(-1)), X),
    "cumsum_integers": (lambda x: x.cumsum(1), INTS),
    "topk": (lambda x: (*x.topk(3, 1), *x.topk(2, largest=False)), X),
    "sort": (lambda x: (*x.sort(1), *x.sort(2, descending=True)), X),
    "softmax": (lambda x: (x.softmax(1), x.softmax(-1), x.log_softmax(2), nn.functional.softmin(x, 1)), X),
    "softmax_dtype": (lambda x: x.softmax(-1, dtype=torch.float64), X),
    "cosine_similarity": (lambda x: nn.functional.cosine_similarity(x, x.flip(0), 1), X),
    "count_nonzero": (lambda x: torch.count_nonzero(x, 1), INTS),
    "aminmax": (lambda x: tuple(torch.aminmax(x, dim=1)), X),
}  # fmt: skip


def randomised(module):
    """The module with random parameters and statistics, so that none of them can be left out unseen."""
    with torch.no_grad():
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            if tensor.is_floating_point():
                tensor.uniform_(0.5, 1.5) if "var" in name or "weight" in name else tensor.normal_()
    return module


NORMS = {
    "batch1": (nn.BatchNorm1d(6), X[:, :, 0]),
    "batch1_matrix": (nn.BatchNorm1d(6), X[:, :, 0, 0]),
    "batch2": (nn.BatchNorm2d(6, eps=1e-3), X),
    "batch2_plain": (nn.BatchNorm2d(6, affine=False), X),
    "batch2_untracked": (nn.BatchNorm2d(6, track_running_stats=False), X),
    "layer": (nn.LayerNorm(4), X),
    "layer_two": (nn.LayerNorm((5, 4), eps=1e-6), X),
    "layer_plain": (nn.LayerNorm((5, 4), elementwise_affine=False), X),
    "layer_no_bias": (nn.LayerNorm(4, bias=False), X),
    "group": (nn.GroupNorm(3, 6), X),
    "group_one": (nn.GroupNorm(1, 6), X),
    "group_plain": (nn.GroupNorm(2, 6, affine=False), X),
    "instance": (nn.InstanceNorm2d(6), X),
    "instance_affine": (nn.InstanceNorm2d(6, affine=True), X),
    "instance_tracked": (nn.InstanceNorm2d(6, affine=True, track_running_stats=True), X),
    "rms": (nn.RMSNorm(4), X),
    "rms_two": (nn.RMSNorm((5, 4), eps=1e-3), X),
}


@pytest.mark.parametrize("opset", [11, 17, 18, 23])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reduction(name, opset, tmp_path):
    function, x = REDUCTIONS[name]
    check(Call(function), (x,), tmp_path, opset, "aten" if opset == 18 else "training")


@pytest.mark.parametrize("dialect", ["training", "aten"])
@pytest.mark.parametrize("opset", [11, 17, 21, 23, 28])
@pytest.mark.parametrize("name", NORMS)
def test_norm(name, opset, dialect, tmp_path):
    module, x = NORMS[name]
    check(randomised(module), (x,), tmp_path, opset, dialect)


@pytest.mark.parametrize("dialect", ["training", "aten"])
@pytest.mark.parametrize("opset", [18, 23])
@pytest.mark.parametrize("types", [(torch.float16, torch.float32), (torch.float32, torch.float16)])
def test_rms_norm_whose_weight_has_another_type(types, opset, dialect, tmp_path):
    """The result has the input's type, and is computed in the wider one."""
    x, weight = (t.to(dtype) for t, dtype in zip((X, torch.rand(4) + 0.5), types, strict=True))
    tolerance = 1e-3 if types[0] == torch.float16 else 1e-5
    check(Call(lambda x: nn.functional.rms_norm(x, (4,), weight)), (x,), tmp_path, opset, dialect, tolerance, tolerance)


@pytest.mark.parametrize("name", ["var_mean", "softmax", "sort", "mean"])
def test_dynamic_batch(name, tmp_path):
    function, x = REDUCTIONS[name]
    check(Call(function), (x,), tmp_path, 17, dynamic_shapes=(({0: torch.export.Dim("n")},),))


def test_instance_norm_with_running_statistics_of_any_batch(tmp_path):
    """Which PyTorch decomposes to a norm of batch * channels channels."""
    norm = randomised(nn.InstanceNorm2d(3, track_running_stats=True))
    target = check(norm, (torch.rand(3, 3, 4, 5),), tmp_path, 17, "aten", dynamic_shapes=({0: torch.export.Dim("n")},))
    check_at(target, norm, (torch.rand(5, 3, 4, 5),), tmp_path)


OF_NOTHING = {
    "means": lambda x: (x.mean(), x.mean(0), x.mean((0, 2), keepdim=True), x.mean(1)),
    "variances": lambda x: (x.var(), x.std(0), x.var((0, 1), correction=0), x.std(0, correction=2), *torch.var_mean(x, 0)),
    "sums": lambda x: (x.sum(), x.sum(0), x.prod(0), x.logsumexp(0), x.norm(), x.norm(p=1, dim=0), x.nansum(0), x.nanmean(0)),
    "losses": lambda x: (nn.functional.mse_loss(x, x + 1), nn.functional.l1_loss(x, x + 1, reduction="sum")),
    "truth": lambda x: ((x > 0).all(), (x > 0).any(0), torch.count_nonzero(x, 0)),
    "statistics": lambda x: nn.functional.batch_norm(x, None, None, training=True),
}


@pytest.mark.parametrize("dialect", ["training", "aten"])
@pytest.mark.parametrize("opset", [11, 18, 23])
@pytest.mark.parametrize("name", OF_NOTHING)
def test_reduction_of_nothing(name, opset, dialect, tmp_path):
    check(Call(OF_NOTHING[name]), (torch.rand(0, 3, 4),), tmp_path, opset, dialect)


@pytest.mark.parametrize("dialect", ["training", "aten"])
@pytest.mark.parametrize("name", OF_NOTHING)
def test_reduction_over_a_dimension_that_may_be_nothing(name, dialect, tmp_path):
    module = Call(OF_NOTHING[name])
    target = check(module, (torch.rand(3, 3, 4),), tmp_path, 18, dialect, dynamic_shapes=(({0: torch.export.Dim("n")},),))
    for batch in (0, 1, 5):
        check_at(target, module, (torch.rand(batch, 3, 4),), tmp_path)


@pytest.mark.parametrize("name", ["variances", "means"])
def test_moments_of_a_scalar(name, tmp_path):
    function = {"means": lambda x: (x.mean(), x.mean(0)), "variances": lambda x: (x.var(correction=0), x.std(0))}[name]
    check(Call(function), (torch.tensor(3.5),), tmp_path)
