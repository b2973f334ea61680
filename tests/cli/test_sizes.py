"""Sizes of inputs: what tenon run takes and refuses, beside what PyTorch's own module takes and refuses."""

import json

import numpy as np
import onnx
import pytest
import torch
from command import run, run_json
from torch.export import Dim


class One(torch.nn.Module):
    def forward(self, x):
        return x * 2 + 1


class Pairs(torch.nn.Module):
    """Needs an even number of rows."""

    def forward(self, x):
        return x.reshape(2, -1, 3)


class Two(torch.nn.Module):
    def forward(self, x, y):
        return x.sum(0) + y.sum(0)


B = Dim("b", min=2, max=8)
SIZES = (0, 1, 2, 3, 8, 9, 16)
# Module, dynamic shapes, first sizes of the example, and of what is tried.
CASES = {
    "any": (One, ({0: Dim("b")},), (4,), [(n,) for n in SIZES]),
    "to_8": (One, ({0: B},), (4,), [(n,) for n in SIZES]),
    "3_to_8": (One, ({0: Dim("b", min=3, max=8)},), (4,), [(n,) for n in SIZES]),
    "dynamic": (One, ({0: Dim.DYNAMIC},), (4,), [(n,) for n in SIZES]),
    "dynamic_4_to_9": (One, ({0: Dim.DYNAMIC(min=4, max=9)},), (4,), [(n,) for n in SIZES]),
    "shared": (Two, ({0: B}, {0: B}), (4, 4), [(4, 4), (4, 5), (1, 1), (9, 9)]),
    "twice": (Two, ({0: B}, {0: 2 * B}), (4, 8), [(4, 8), (4, 9), (2, 4), (1, 2), (9, 18)]),
    "twice_alone": (Pairs, ({0: 2 * B},), (8,), [(n,) for n in (2, 4, 5, 8, 16, 18)]),
    "one_more": (Two, ({0: B}, {0: B + 1}), (4, 5), [(4, 5), (4, 6), (8, 9), (9, 10)]),
}


def tensors(sizes):
    return tuple(torch.arange(3.0 * n).reshape(n, 3) for n in sizes)


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sizes")
    made = {}
    for name, (module, shapes, example, _) in CASES.items():
        program = torch.export.export(module(), tensors(example), dynamic_shapes=shapes)
        torch.export.save(program, folder / f"{name}.pt2")
        made[name] = (program.module(), folder / f"{name}.pt2")
    return made


def run_at(model, sizes, folder, status, names=("x", "y")):
    options = []
    for name, value in zip(names, tensors(sizes), strict=False):
        np.save(folder / f"{name}.npy", value.numpy())
        options += ["--input", f"{name}={folder / name}.npy"]
    return run("run", model, *options, "--save", folder / "out.npz", "--json", status=status)


# An ONNX file has a name in place of an expression: of those it carries the ranges only.
EXPRESSIONS = {"twice", "twice_alone", "one_more"}


@pytest.mark.parametrize(
    ("case", "form"), [(case, "pt2") for case in CASES] + [(case, "onnx") for case in CASES if case not in EXPRESSIONS]
)
def test_what_pytorch_refuses_is_refused(programs, case, form, tmp_path):
    module, model = programs[case]
    if form == "onnx":
        run("export", model, "-o", tmp_path / "m.onnx", *(["--dynamic", "x:0=rows"] if case == "3_to_8" else []))
        model = tmp_path / "m.onnx"
        onnx.checker.check_model(onnx.load(model), full_check=True)
    for sizes in CASES[case][3]:
        try:
            want = module(*tensors(sizes))
        except (AssertionError, RuntimeError):
            want = None
        done = run_at(model, sizes, tmp_path, status=0 if want is not None else 2)
        if want is not None:
            (got,) = np.load(tmp_path / "out.npz").values()
            np.testing.assert_array_equal(got, want.numpy())
            continue
        error = json.loads(done.stdout)["error"]
        assert error["code"] == "mismatch" and error["file"] == str(model)


@pytest.mark.parametrize(
    ("case", "sizes", "parts"),
    [
        ("to_8", (16,), ["'x'", "float32[16,3]", "dimension 0", "has to be at most 8, not 16"]),
        ("3_to_8", (2,), ["'x'", "dimension 0", "has to be 3 to 8, not 2"]),
        ("shared", (4, 5), ["'y'", "dimension 0 has to be 4", "elsewhere"]),
        ("twice", (4, 9), ["'y'", "dimension 0 has to be 2*s", "= 8, not 9"]),
        ("twice_alone", (5,), ["'x'", "dimension 0 has to be of the form 2*s", "not 5"]),
    ],
)
def test_the_error_names_input_dimension_range_and_size(programs, case, sizes, parts, tmp_path):
    error = json.loads(run_at(programs[case][1], sizes, tmp_path, status=2).stdout)["error"]
    for part in parts:
        assert part in error["message"]


def test_random_inputs_keep_to_the_ranges(programs, tmp_path):
    for case, options in {"3_to_8": ["x"], "twice": ["x", "y"], "twice_alone": ["x"], "dynamic": ["x"]}.items():
        module, model = programs[case]
        inputs = [part for name in options for part in ("--input", f"{name}=random")]
        run("run", model, *inputs, "--save", tmp_path / "out.npz")
        assert run_json("align", model, model, "--samples", 2, "--python", "none")["verdict"] == "equal"
    assert run_json("run", programs["dynamic"][1], "--input", "x=random")["outputs"][0]["type"] == "float32[1,3]"
    assert run_json("run", programs["3_to_8"][1], "--input", "x=random")["outputs"][0]["type"] == "float32[3,3]"
    assert run_json("bench", programs["3_to_8"][1], "--runs", 1)["runs"][0]["batch"] == 3
    assert run_json("bench", programs["dynamic"][1], "--runs", 1)["runs"][0]["batch"] == 1
    assert run_json("bench", programs["twice"][1], "--runs", 1, "--batch", 4)["runs"][0]["batch"] == 4
    error = run_json("bench", programs["3_to_8"][1], "--runs", 1, "--batch", 9, status=2)["error"]
    assert "3 to 8, not 9" in error["message"]


def test_exported_sizes_keep_to_the_ranges(programs, tmp_path):
    out = tmp_path / "m.onnx"
    module, model = programs["3_to_8"]
    assert "3 to 8, not 9" in run("export", model, "-o", out, "--input-shape=x=9,3", status=2).stderr
    run("export", model, "-o", out, "--input-shape=x=8,3")
    assert not onnx.load(out).metadata_props
    module, model = programs["twice"]
    assert "cannot be 7" in run("export", model, "-o", out, "--input-shape=y=7,3", status=2).stderr
    assert "cannot be 8, since" in run("export", model, "-o", out, "--input-shape=x=3,3", "--input-shape=y=8,3", status=2).stderr
    shapes = run_json("export", model, "-o", out, "--input-shape=y=6,3")
    assert [port["type"] for port in shapes["inputs"]] == ["float32[3,3]", "float32[6,3]"]


def test_an_onnx_file_carries_the_ranges(programs, tmp_path):
    """As metadata under the dimension's name, which follows a new name, and comes back from a change of opset."""
    first, second = tmp_path / "first.onnx", tmp_path / "second.onnx"
    run("export", programs["3_to_8"][1], "-o", first, "--dynamic", "x:0=batch")
    metadata = {entry.key: entry.value for entry in onnx.load(first).metadata_props}
    assert metadata == {"sizes.batch": "3..8"}
    assert "x  float32[batch,3]  (batch: 3 to 8)" in run("inspect", first).stdout
    run("export", first, "-o", second, "--opset", 13, "--dim-name", "batch=rows")
    metadata = {entry.key: entry.value for entry in onnx.load(second).metadata_props}
    assert metadata == {"sizes.rows": "3..8"}
    run("export", programs["twice_alone"][1], "-o", first)
    assert [entry.value for entry in onnx.load(first).metadata_props] == ["4..16"]
    run_at(first, (8,), tmp_path, status=0)
    assert "4 to 16, not 18" in run_at(first, (18,), tmp_path, status=2).stderr
    run("export", programs["any"][1], "-o", first)
    assert not onnx.load(first).metadata_props


@pytest.mark.parametrize("text", ["", "..", "3", "3..x", "99999999999999999999..", "a..8"])
def test_metadata_that_is_no_range_means_nothing(programs, text, tmp_path):
    path = tmp_path / "m.onnx"
    run("export", programs["any"][1], "-o", path, "--dynamic", "x:0=batch")
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {"sizes.batch": text})
    onnx.save(model, path)
    run_at(path, (5,), tmp_path, status=0)
    run("export", path, "-o", tmp_path / "again.onnx")
    assert [entry.value for entry in onnx.load(tmp_path / "again.onnx").metadata_props] == [text]
