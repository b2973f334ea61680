"""Writes .pt2 files, state dicts and what PyTorch computes from them, with the PyTorch that runs it.

    PYTHON_WITH_THAT_TORCH tests/pt2/make_versions.py tests/data/pt2/versions

It needs torch and numpy alone, and writes torch-X.Y.zip into that folder, whose README.md says what is in it.
"""

import pathlib
import sys
import tempfile
import zipfile

import numpy as np
import torch
from torch import nn
from torch.utils import _pytree

Dim = torch.export.Dim


def numbers(*shape, start=-1.0):
    """Small, all different, exact in float16 up to a few hundred elements."""
    count = int(np.prod(shape))
    return (torch.arange(count, dtype=torch.float32) * 0.125 + start).sin().mul(64).round().div(64).reshape(shape)


class Residual(nn.Module):
    """A convolution used twice, one weight under two names, BatchNorm's buffers, an in-place activation."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 2, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(2)
        self.again = nn.Conv2d(2, 2, 3, padding=1, bias=False)
        self.again.weight = self.stem.weight
        self.register_buffer("offset", numbers(2, 1, 1))
        self.head = nn.Linear(2, 3)
        self.norm.running_mean.copy_(numbers(2))
        self.norm.running_var.copy_(numbers(2).abs() + 0.5)
        for parameter in self.parameters():
            parameter.data = numbers(*parameter.shape, start=0.5)

    def forward(self, x):
        y = nn.functional.relu(self.norm(self.stem(x)), inplace=True)
        y = self.norm(self.again(y)) + x + self.offset
        return self.head(nn.functional.adaptive_avg_pool2d(y.relu_(), 1).flatten(1))


class Weights(nn.Module):
    """Parameters and buffers that do not lie row-major, other element types, lifted constants."""

    def __init__(self):
        super().__init__()
        base = numbers(4, 6)
        self.transposed = nn.Parameter(numbers(3, 4).t())
        self.every_second = nn.Parameter(base[:, ::2])
        self.kernel = nn.Parameter(numbers(2, 1, 2, 2).contiguous(memory_format=torch.channels_last))
        self.small = nn.Parameter(numbers(3).half())
        self.register_buffer("window", base[1:4, 2:5])
        self.register_buffer("row", numbers(1, 3).expand(4, 3))
        self.register_buffer("brain", numbers(3).bfloat16(), persistent=False)
        self.register_buffer("flags", torch.tensor([True, False, True]))
        self.register_buffer("empty", torch.zeros(0, 3))
        self.register_buffer("scalar", torch.tensor(1.5, dtype=torch.float64))
        self.constant = numbers(3, start=2.0)

    def forward(self, x):
        y = x @ self.transposed + self.every_second[:, :3].sum(0) + self.constant
        y = y * torch.tensor([1.0, -2.0, 0.5]) + self.small.float() * self.brain.float() + self.empty.sum(0)
        y = torch.where(self.flags, y, self.window[0]) + self.row[2]
        return y * self.scalar.float(), nn.functional.conv2d(y.reshape(1, 1, *y.shape), self.kernel)


class Dynamic(nn.Module):
    def forward(self, x, y):
        n, k = x.shape
        joined = torch.cat([x, y], 0).reshape(-1, k // 2)
        return joined, x + torch.arange(n)[:, None], x.new_ones(n + 1, 2), n * 2 + y.shape[0]


class Structure(nn.Module):
    """Nested inputs and outputs, keyword arguments, constants and None among them."""

    def forward(self, x, pair, *, scale, flag=True):
        a, b = pair
        total = x["left"] + x["right"] * scale
        if flag:
            total = total - 1
        return {"sum": total, "parts": [a * 2, None, 7, b], "same": a}, (x["left"].shape[0], total.sum())


class Views(nn.Module):
    """In-place writes through views of views."""

    def forward(self, x):
        y = x.clone()
        y[:, 1:3].mul_(3)
        first, second = y.split(2, 0)
        first.add_(second)
        y.t()[0].fill_(7.5)
        flat = y.view(-1)
        flat[2:5].zero_()
        y[torch.tensor([0, 1]), torch.tensor([1, 2])] = -3.0
        mask = x.new_zeros((4, 4))
        mask[:2][:, 2:].fill_(-1.0)
        return y, flat, mask


class State(nn.Module):
    """A buffer that each run changes; the answers are those of the first."""

    def __init__(self):
        super().__init__()
        self.register_buffer("count", numbers(3))

    def forward(self, x):
        self.count.add_(1)
        return x * self.count


class Branch(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("bias", numbers(3))

    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda a: a * 2 + self.bias, lambda a: a.sin() - 1, (x,))


class Loop(nn.Module):
    def forward(self, x):
        from torch._higher_order_ops.while_loop import while_loop

        return while_loop(lambda i, y: i < 4, lambda i, y: (i + 1, y * 1.5 + i), (torch.tensor(0), x))


class Scan(nn.Module):
    def forward(self, x):
        from torch._higher_order_ops.scan import scan

        return scan(lambda carry, row: (carry + row, carry * row), torch.ones(3), x)


X = numbers(2, 3)
DYNAMIC = {"x": {0: Dim("n", min=2, max=64), 1: 2 * Dim("half", min=1, max=16)}, "y": {0: Dim("m", max=9), 1: 2 * Dim("half", min=1, max=16)}}
# name: (module, [(args, kwargs) for each run, the first is exported with], dynamic_shapes)
PROGRAMS = {
    "residual": (Residual, [((numbers(1, 2, 4, 4),), {})], None),
    "weights": (Weights, [((numbers(2, 4),), {})], None),
    "dynamic": (Dynamic, [((numbers(4, 6), numbers(2, 6)), {}), ((numbers(7, 2), numbers(5, 2)), {})], DYNAMIC),
    "structure": (Structure, [(({"left": X, "right": X + 1}, (X * 3, X * 2)), {"scale": X})], None),
    "views": (Views, [((numbers(4, 4),), {})], None),
    "state": (State, [((X,), {})], None),
    "branch": (Branch, [((X,), {}), ((X.abs() + 1,), {}), ((-X.abs() - 1,), {})], None),
    "loop": (Loop, [((X,), {})], None),
    "scan": (Scan, [((X,), {})], None),
}


def arrays(run, prefix, tree):
    """The leaves of `tree` by their places; None has no entry."""
    for i, leaf in enumerate(_pytree.tree_leaves(tree)):
        if leaf is not None:
            run[f"{prefix}.{i}"] = leaf.detach().numpy() if isinstance(leaf, torch.Tensor) else np.asarray(leaf)


def write(name, folder):
    make, runs, shapes = PROGRAMS[name]
    recorded = {}
    for i, (args, kwargs) in enumerate(runs):
        arrays(recorded, f"{i}.input", (args, kwargs))
        with torch.no_grad():
            arrays(recorded, f"{i}.output", make().eval()(*args, **kwargs))
    program = torch.export.export(make().eval(), *runs[0], dynamic_shapes=shapes)
    torch.export.save(program, folder / f"{name}.training.pt2")
    torch.export.save(program.run_decompositions(), folder / f"{name}.aten.pt2")
    np.savez_compressed(folder / f"{name}.npz", **recorded)


def write_state_dicts(folder):
    """One state dict in both containers of torch.save, and its tensors as NumPy has them."""
    weights = {**Residual().eval().state_dict(), **Weights().state_dict()}
    torch.save(weights, folder / "state_dict.pt")
    torch.save(weights, folder / "state_dict.legacy.pt", _use_new_zipfile_serialization=False)
    known = {k: v.float() if v.dtype == torch.bfloat16 else v for k, v in weights.items()}
    np.savez_compressed(folder / "state_dict.npz", **{k: v.numpy() for k, v in known.items()})


def main():
    target = pathlib.Path(sys.argv[1]) / f"torch-{'.'.join(torch.__version__.split('.')[:2])}.zip"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name in PROGRAMS:
            try:
                write(name, folder)
            except Exception as error:  # what this version cannot export has no file
                print(f"{torch.__version__}: {name}: {type(error).__name__}: {str(error).splitlines()[0]}")
        write_state_dicts(folder)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for file in sorted(folder.iterdir()):
                archive.write(file, file.name)


if __name__ == "__main__":
    main()
