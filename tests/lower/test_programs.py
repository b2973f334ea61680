"""Whole programs: in-place writes, control flow, symbolic sizes, structured inputs and outputs, tied weights."""

import onnx
import pytest
import torch
from torch import nn
from torch._higher_order_ops.scan import scan
from torch._higher_order_ops.while_loop import while_loop

from exporting import check, check_at
from test_elementwise import Call

torch.manual_seed(0)
X = torch.randn(3, 4, 5)
INDICES = torch.randint(0, 4, (3, 4))
SAMPLES = torch.randn(6)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 5)
        self.head = nn.Linear(5, 7, bias=False)
        self.head.weight = self.table.weight

    def forward(self, indices):
        return self.head(self.table(indices))


class Holder(nn.Module):
    """A buffer and a constant; outputs in a dict, a tuple and a list."""

    def __init__(self):
        super().__init__()
        self.register_buffer("offset", torch.arange(5.0))
        self.scale = torch.full((5,), 1.5)

    def forward(self, x):
        return {"sum": x + self.offset, "rest": (self.scale * x, [x])}


def write_through_views(x):
    y = x.clone()
    y[:, 1] = 0
    y[0].add_(2)
    y[:, :, 1:3].mul_(3)
    flat = y.view(-1)
    flat[3] = 7
    return y, flat


def write_transposed(x):
    y = torch.zeros(3, 4, 5)
    y[:, 1:3] = x[:, 1:3]
    y.transpose(0, 1)[2].fill_(4.0)
    return y.masked_fill_(y > 3, -1)


def write_chunks(x):
    y = x.clone()
    first, second = y.chunk(2, 1)
    first.copy_(second)
    y.unsqueeze(0)[0, 0].zero_()
    return y.relu_() + first.sum()


PROGRAMS = {
    "tied": (Tied(), INDICES),
    "holder": (Holder(), X),
    "write_through_views": (write_through_views, X),
    "write_transposed": (write_transposed, X),
    "write_chunks": (write_chunks, X),
    "outputs_are_inputs": (lambda x: (x, x), X),
    "constant_output": (lambda x: (x + 1, torch.ones(3)), X),
    "cond": (lambda x: torch.cond(x.sum() > 0, lambda x: x + 1, lambda x: x * 2, (x,)), X),
    "while_loop": (lambda x: while_loop(lambda i, x: i < 4, lambda i, x: (i + 1, x * 1.5), (torch.tensor(0), x)), X),
    "scan": (lambda x: scan(lambda a, b: (a + b, a * b), x[0].clone() * 0, x), X),
    "mask": (lambda x, n: torch.arange(x.shape[1])[None] < n[:, None], X, torch.tensor([1, 2, 4])),
    "boolean_index": (lambda x: x[x > 0], X),
    "accumulate": (lambda x, i: x.clone().index_put_((i[:, 0],), torch.ones(4, 5), accumulate=True), X, INDICES % 3),
    "rotary": (lambda x: x * torch.outer(torch.arange(4.0), 1 / 100 ** (torch.arange(5) / 5)).cos(), X),
    "unique": (lambda x: torch.unique(x, return_inverse=True, return_counts=True), INDICES),
    "unique_consecutive": (lambda x: torch.unique_consecutive(x, return_inverse=True, return_counts=True), INDICES),
    "bincount": (lambda x: (torch.bincount(x.flatten(), minlength=6), torch.isin(x, torch.tensor([1, 3]))), INDICES),
    "median": (lambda x: (x.median(), *tuple(x.median(1)), *tuple(x.kthvalue(2, 2))), X),
    "running": (lambda x: (x.cumprod(1), x.logcumsumexp(2), x.diff(dim=1)), X),
    "products": (lambda x: (torch.cross(x[:, 0], x[:, 1], 0), torch.tensordot(x, x, ([0, 1], [0, 1])),
                            torch.addmv(x[0, :, 0], x[0], x[1, 0], beta=0.5), torch.addbmm(x[0, :, :4], x, x.mT)), X),
    "distances": (lambda x: (torch.cdist(x, x + 1), torch.cdist(x, x + 1, p=1), (x.log()).nansum(1), (x.log()).nanmean(2),
                             torch.logaddexp(x, x + 1), torch.logaddexp(x.log() - torch.inf, x - torch.inf)), X.abs()),
    "grid_sample": (lambda x, g: (nn.functional.grid_sample(x, g, align_corners=False),
                                  nn.functional.grid_sample(x, g, "nearest", "border", True),
                                  nn.functional.grid_sample(x, g, "bicubic", "zeros", True)), X[None], torch.tanh(torch.randn(1, 6, 7, 2))),
    "nan_rules": (lambda x: (torch.fmax(x.log(), x), torch.copysign(x, x - 1), torch.xlogy(x.abs(), x.abs()),
                             torch.sinc(x), torch.heaviside(x, x), torch.isclose(x, x + 1e-9), torch.signbit(-0.0 * x)), X),
    "losses": (lambda x: (nn.functional.mse_loss(x, x * 2), nn.functional.smooth_l1_loss(x, x * 3), nn.functional.l1_loss(x, x * 2),
                          nn.functional.huber_loss(x, x * 3, delta=0.7, reduction="sum"),
                          nn.functional.binary_cross_entropy_with_logits(x, x.sigmoid(), pos_weight=torch.tensor(2.0)),
                          nn.functional.binary_cross_entropy(x.sigmoid(), (x > 0).float(), reduction="none")), X),
}  # fmt: skip


def resized(x, **how):
    """By a factor, of a dynamic height."""
    return nn.functional.interpolate(x.transpose(0, 1)[None], **how)


def attend(q, k, v):
    return nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)


BATCH = {0: torch.export.Dim("n", min=3)}
SYMBOLIC = {
    "arange": lambda x: x + torch.arange(x.shape[0])[:, None, None],
    "reshape": lambda x: (x.reshape(x.shape[0], -1), x.view(x.shape[0] * 2, 2, 5), x.flatten(0, 1)),
    "expand": lambda x: (torch.ones(1, 4, 5).expand(x.shape[0], -1, -1) + x, x.repeat(2, 1, 1)),
    "slices": lambda x: (x[1:], x[-1], x[x.shape[0] - 1 :]),
    "sizes": lambda x: (x * x.shape[0] + x.shape[0] / 2, torch.full((x.shape[0],), x.shape[0] * 1.5), x.shape[0] * 2 + 1),
    "joins": lambda x: (torch.cat([x, x], 0), torch.stack([x, x + 1]), x.split(2, 1), x.unbind(1)),
    "causal": lambda x: torch.triu(torch.full((x.shape[0], x.shape[0]), -1e9), diagonal=1) + x[:, 0, :1],
    "order": lambda x: (x.roll(1, 0), x.flip(0), x.cumsum(0), x.sort(0)[0], x.var(0), x.max(0)[0]),
    "interpolate": lambda x: nn.functional.interpolate(x, size=x.shape[0] + 7),
    "interpolate_by": lambda x: resized(x, scale_factor=1.7),
    "interpolate_exactly_by": lambda x: resized(x, scale_factor=1.7, mode="nearest-exact"),
    "interpolate_linearly_by": lambda x: resized(x, scale_factor=1.7, mode="bilinear"),
    "interpolate_corners_by": lambda x: resized(x, scale_factor=1.7, mode="bilinear", align_corners=True),
    "interpolate_cubic_by": lambda x: resized(x, scale_factor=1.7, mode="bicubic"),
    "interpolate_antialias_by": lambda x: resized(x, scale_factor=0.9, mode="bilinear", antialias=True),
    "interpolate_recomputed": lambda x: resized(x, scale_factor=1.7, mode="bilinear", recompute_scale_factor=True),
    "causal_attention": lambda x: attend(x.mT, x.mT, x.mT),
    "causal_attention_of_positions": lambda x: attend(*[x.transpose(0, 1)] * 3),
    "causal_attention_to_fewer": lambda x: attend(x.transpose(0, 1), *[x.transpose(0, 1)[:, 1:]] * 2),
}


@pytest.mark.parametrize("dialect", ["training", "aten"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name, dialect, tmp_path):
    function, *inputs = PROGRAMS[name]
    module = function if isinstance(function, nn.Module) else Call(function)
    check(module, tuple(inputs), tmp_path, 18, dialect)


@pytest.mark.parametrize("dialect", ["training", "aten"])
@pytest.mark.parametrize("name", SYMBOLIC)
def test_symbolic_sizes(name, dialect, tmp_path):
    module = Call(SYMBOLIC[name])
    target = check(module, (X,), tmp_path, 18, dialect, dynamic_shapes=((BATCH,),))
    graph = onnx.load(target).graph
    used = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
    assert [node.name for node in graph.node if not used & set(node.output)] == []
    for batch in [4, 7]:
        check_at(target, module, (torch.randn(batch, 4, 5),), tmp_path)
