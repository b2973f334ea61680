"""Small PyTorch modules whose exported programs exercise the .pt2 reader and functionalisation.

All are deterministic; CASES says how each is exported.
"""

import dataclasses

import torch
from torch import nn


class Mutations(nn.Module):
    """In-place operators on tensors, on views and on views of views."""

    def forward(self, x):
        x = x.clone()
        x[:, 0] += 1
        first, second = x.split(1, 0)[:2]
        first.add_(second)
        for i, column in enumerate(x.unbind(1)):
            column.mul_(i + 1)
        flat = x.view(-1)
        flat[1:4].zero_()
        x.t()[0].fill_(7.5)
        x[torch.tensor([0, 1]), torch.tensor([1, 2])] = -3.0
        x.diagonal().sub_(0.25)
        x.masked_fill_(x > 20, 20.0)
        y = x.permute(1, 0).unsqueeze(0)
        y.clamp_(min=-2.0)
        part = x.narrow(1, 1, 2)
        part.copy_(torch.arange(2.0))
        z = x.detach()
        z.relu_()
        return x, y, flat, first


class SharedObjects(nn.Module):
    """What an in-place operator returns is the tensor itself; a clone is not."""

    def forward(self, x):
        a = x * 2
        b = a.add_(1)
        c = a.clone()
        b.mul_(3)
        a.unsqueeze_(0)
        d = b.squeeze(0)
        d.neg_()
        return a, b, c, d


class Conversions(nn.Module):
    """In-place operators whose result has another type than their functional form would."""

    def forward(self, x):
        whole = torch.ones(3, dtype=torch.int64)
        whole.add_(x.to(torch.int32))
        single = torch.ones(3)
        single.add_(x.double())
        single.eq_(x)
        mask = x > 0
        mask.logical_and_(x < 2)
        half = torch.zeros(2, 3, dtype=torch.float16)
        half.copy_(x)
        return whole, single, mask, half


class MaybeCopies(nn.Module):
    """reshape, flatten, contiguous and to give a view or a copy."""

    def forward(self, x):
        x = x + 0
        viewed = x.reshape(3, 2)
        viewed.add_(1)
        copied = x.t().reshape(-1)
        copied.mul_(2)
        same = x.contiguous().to(torch.float32)
        same[0] = 5.0
        other = x.t().contiguous()
        other.zero_()
        return x, viewed, copied, same, other


class Dropouts(nn.Module):
    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.inplace = nn.Dropout(0.5, inplace=True)

    def forward(self, x):
        y = self.dropout(x * 2)
        z = self.inplace(y)
        z.add_(1)
        return y, z


class WindowMask(nn.Module):
    """The attention mask of Swin: filled through slices of slices."""

    def forward(self, x):
        mask = x.new_zeros((6, 6))
        count = 0
        for rows in ((0, -4), (-4, -2), (-2, None)):
            for columns in ((0, -4), (-4, -2), (-2, None)):
                mask[rows[0] : rows[1], columns[0] : columns[1]] = count
                count += 1
        return x + mask.view(2, 3, 2, 3).permute(0, 2, 1, 3).reshape(6, 6)


class State(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(3))
        self.register_buffer("scale", torch.full((3,), 2.0), persistent=False)

    def forward(self, x):
        self.count.add_(1)
        self.scale[0] = 5.0
        return x * self.scale + self.count


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.embedding = nn.Embedding(5, 4)
        self.head = nn.Linear(4, 5, bias=False)
        self.head.weight = self.embedding.weight
        base = torch.randn(6, 4)
        self.register_buffer("transposed", base.t())
        self.register_buffer("window", base[1:4, 1:3])
        self.register_buffer("row", torch.randn(1, 4).expand(3, 4))
        self.register_buffer("halves", torch.randn(3).half())
        self.register_buffer("small", torch.randn(3).bfloat16())
        self.register_buffer("flags", torch.tensor([True, False, True]))
        self.register_buffer("empty", torch.zeros(0, 2))
        self.constant = torch.tensor(3)

    def forward(self, index):
        hidden = self.embedding(index) + self.row + self.transposed[:, :3].t()
        extra = self.window.sum() + self.halves.float() + self.small.float() + self.empty.sum()
        return self.head(hidden) + self.constant, torch.where(self.flags, extra, -extra)


class Structure(nn.Module):
    def forward(self, x, pair, *, scale, flag=True):
        a, b = pair
        total = x["left"] + x["right"] * scale
        if flag:
            total = total - 1
        return {"sum": total, "parts": [a * 2, None, 7, b], "same": a}, (x["left"].shape[0], total.sum())


class Branch(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("bias", torch.arange(3.0))

    def forward(self, x):
        def positive(a):
            b = a * 2
            b += self.bias
            return b

        return torch.cond(x.sum() > 0, positive, lambda a: a - 1, (x,))


class Loop(nn.Module):
    def forward(self, x):
        def condition(i, y):
            return i < 4

        def body(i, y):
            z = y * 2
            z[0] += 1
            return i + 1, z

        return torch._higher_order_ops.while_loop(condition, body, (torch.tensor(0), x))


class Scan(nn.Module):
    def forward(self, x):
        def step(carry, row):
            return carry + row, carry * row

        return torch._higher_order_ops.scan(step, torch.ones(3), x)


class Map(nn.Module):
    def forward(self, x, y):
        def body(row, other):
            z = row.clone()
            z.add_(other)
            return z

        return torch._higher_order_ops.map(body, x, y)


class Regions(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(4)
        self.linear = nn.Linear(3, 3)

    def forward(self, x):
        with torch.no_grad():
            y = self.linear(x)
            y.add_(1)
        with torch.autocast("cpu", enabled=False):
            z = self.linear(y)
        return y, z


class Dynamic(nn.Module):
    def forward(self, x):
        n, k = x.shape
        y = x.reshape(n * k // 2, 2)
        y = y + torch.arange(n * k // 2)[:, None]
        z = x[:, : k - 1].clone()
        z[:, 0] = n
        return y, z, x.new_zeros(n + 1, 2 * k), n * 2 + 1


class Unbacked(nn.Module):
    def forward(self, x):
        n = x.sum().int().item()
        torch._check(n >= 1)
        torch._check(n < 50)
        y = torch.zeros(n, 2)
        y[:, 1] = 4.0
        return y, torch.nonzero(x)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(5)
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
        self.lstm = nn.LSTM(4, 5, batch_first=True)
        self.head = nn.Linear(5, 2)

    def forward(self, x):
        y = self.features(x).flatten(2).transpose(1, 2)
        y, _ = self.lstm(y)
        return self.head(y[:, -1]).softmax(-1)


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


_X = random(2, 3)


@dataclasses.dataclass
class Case:
    module: nn.Module
    args: tuple
    kwargs: dict = dataclasses.field(default_factory=dict)
    shapes: tuple | None = None  # torch.export's dynamic_shapes
    more: list = dataclasses.field(default_factory=list)  # further args to run it with


CASES = {
    "mutations": Case(Mutations(), (random(2, 4) * 3,), more=[(random(2, 4, seed=9) * 9,)]),
    "shared_objects": Case(SharedObjects(), (_X,)),
    "conversions": Case(Conversions(), (torch.tensor([-1.0, 1.0, 2.5]),)),
    "maybe_copies": Case(MaybeCopies(), (_X,)),
    "dropouts": Case(Dropouts(), (_X,)),
    "window_mask": Case(WindowMask(), (random(6, 6),)),
    "state": Case(State(), (_X,)),
    "tied": Case(Tied(), (torch.tensor([0, 3, 4]),)),
    "structure": Case(Structure(), ({"left": _X, "right": _X + 1}, (_X, _X * 2)), {"scale": _X}),
    "branch": Case(Branch(), (_X,), more=[(torch.ones(2, 3),), (-torch.ones(2, 3),)]),
    "loop": Case(Loop(), (_X,)),
    "scan": Case(Scan(), (_X,)),
    "map": Case(Map(), (_X, random(3))),
    "regions": Case(Regions(), (_X,)),
    "dynamic": Case(Dynamic(), (random(4, 6),), shapes=({0: 2 * torch.export.Dim("half", min=1, max=16)},),
                    more=[(random(8, 6, seed=2),), (random(2, 6, seed=3),)]),
    "unbacked": Case(Unbacked(), (torch.full((2, 3), 1.0),), more=[(torch.full((2, 3), 2.0),)]),
    "network": Case(Network(), (random(2, 3, 4, 4),)),
}


def export(name, decomposed=False):
    """(exported program, list of (args, kwargs) to run it with)."""
    case = CASES[name]
    program = torch.export.export(case.module.eval(), case.args, case.kwargs, dynamic_shapes=case.shapes)
    if decomposed:
        program = program.run_decompositions()
    return program, [(case.args, case.kwargs)] + [(args, {}) for args in case.more]
