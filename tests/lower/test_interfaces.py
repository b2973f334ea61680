"""What programs take and give: keyword inputs, None and nested outputs, inputs without use, repeated outputs, mixed types."""

import numpy as np
import onnx
import pytest
import torch
from torch import nn

import exporting

torch.manual_seed(0)
X = torch.randn(2, 3)


def exported(module, inputs, folder, kwargs=None, dynamic_shapes=None, opset=18):
    """(model, path) of a module, whose outputs in ONNX Runtime and in tenon are PyTorch's."""
    path = exporting.convert(exporting.save_program(module, inputs, folder, "training", dynamic_shapes, kwargs), opset)
    model = exporting.check_file(path, opset)
    feeds = exporting.feeds_of(model, (inputs, [x for x in (kwargs or {}).values() if isinstance(x, torch.Tensor)]))
    with torch.no_grad():
        expected = [x for x in torch.utils._pytree.tree_leaves(module(*inputs, **(kwargs or {}))) if x is not None]
    for outputs in (exporting.compute_by_runtime(path, feeds), exporting.compute_by_tenon(path, feeds, folder)):
        exporting.assert_same(expected, outputs, 1e-6, 1e-6)
    return model, path


def names(values):
    return [value.name for value in values]


def element_types(values):
    return [onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type) for value in values]


class Keywords(nn.Module):
    def forward(self, x, *, scale, shift=None):
        return x * scale + (0 if shift is None else shift)


def test_keyword_inputs_keep_their_names(tmp_path):
    model, _ = exported(Keywords(), (X,), tmp_path, {"scale": torch.tensor(2.0), "shift": torch.randn(3)})
    assert names(model.graph.input) == ["x", "scale", "shift"]


def test_numbers_among_keyword_inputs_are_part_of_the_model(tmp_path):
    model, _ = exported(Keywords(), (X,), tmp_path, {"scale": 3.0})
    assert names(model.graph.input) == ["x"]


class Nested(nn.Module):
    def forward(self, x, unused):
        return x + 1, None, {"first": (x * 2, [x - 1, None]), "second": {"inner": x.exp()}}


def test_nested_outputs_come_flat_and_without_none(tmp_path):
    model, _ = exported(Nested(), (X, torch.randn(2)), tmp_path)
    assert len(model.graph.output) == 4
    assert names(model.graph.output)[-1] == "inner"


def test_an_input_without_use_stays(tmp_path):
    model, _ = exported(Nested(), (X, torch.randn(2)), tmp_path)
    assert names(model.graph.input) == ["x", "unused"]


class Repeats(nn.Module):
    """The same output twice, an input, a weight, and constants."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3))

    def forward(self, x):
        y = x * self.weight
        return y, y, x, x, self.weight, torch.full((2,), 7.0), 3, 2.5, True


def test_outputs_that_no_node_makes(tmp_path):
    module = Repeats()
    path = exporting.convert(exporting.save_program(module, (X,), tmp_path), 18)
    model = exporting.check_file(path, 18)
    assert len(set(names(model.graph.output))) == 9
    assert not set(names(model.graph.output)) & set(names(model.graph.input))
    with torch.no_grad():
        expected = [np.float32(x) if isinstance(x, float) else np.asarray(x) for x in module(X)]
    feeds = {"x": X.numpy()}
    for outputs in (exporting.compute_by_runtime(path, feeds), exporting.compute_by_tenon(path, feeds, tmp_path)):
        for want, got in zip(expected, outputs, strict=True):
            assert want.dtype == got.dtype and want.shape == got.shape
            np.testing.assert_allclose(got, want, rtol=1e-6)


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.second = self.first
        self.third = nn.Linear(3, 3)
        self.third.weight = self.first.weight

    def forward(self, x):
        return self.third(self.second(self.first(x)))


def test_a_shared_weight_is_written_once(tmp_path):
    model, _ = exported(Shared(), (X,), tmp_path)
    assert [len(i.dims) for i in model.graph.initializer].count(2) == 1


class Mixed(nn.Module):
    def forward(self, whole, half, double, truth, single):
        made = torch.empty(0, 3, dtype=torch.float32)
        return whole + 1, half * 2, double + half.double(), ~truth, single * 2, whole > 2, made, whole[:0], double.sum()


def test_types_ranks_and_sizes_of_every_kind(tmp_path):
    inputs = (torch.arange(3), torch.randn(3).half(), torch.randn(3).double(), torch.tensor([True, False, True]), torch.tensor(4))
    model, _ = exported(Mixed(), inputs, tmp_path)
    assert element_types(model.graph.input) == ["INT64", "FLOAT16", "DOUBLE", "BOOL", "INT64"]
    shapes = [[d.dim_value for d in o.type.tensor_type.shape.dim] for o in model.graph.output]
    assert shapes == [[3], [3], [3], [3], [], [3], [0, 3], [0], []]


class Nothing(nn.Module):
    def forward(self, x):
        return x * 2, x.sum(0), torch.cat([x, x], 1), x.reshape(-1)


@pytest.mark.parametrize("shape", [(0, 3), (2, 0)])
def test_inputs_without_elements(shape, tmp_path):
    exported(Nothing(), (torch.zeros(shape),), tmp_path)


class Layers(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        return self.drop(self.norm(x))


def test_layers_left_in_training_mode_are_reported(tmp_path):
    program = torch.export.export(Layers().train(), (X,), strict=False)
    torch.export.save(program, tmp_path / "model.pt2")
    told = exporting.run_tenon("export", tmp_path / "model.pt2", "-o", tmp_path / "model.onnx").stderr
    for layer in ("'norm' (batch_norm)", "'drop' (dropout)"):
        assert f"layer {layer} was exported in training mode" in told
    torch.export.save(torch.export.export(Layers().eval(), (X,), strict=False), tmp_path / "model.pt2")
    assert exporting.run_tenon("export", tmp_path / "model.pt2", "-o", tmp_path / "model.onnx").stderr == ""
