"""Files of earlier PyTorch versions (tests/data/pt2/versions) export, and give what that PyTorch computed."""

import pathlib
import re
import sys
import zipfile

import numpy as np
import onnx
import onnxruntime
import pytest

import evaluate

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "cli"))
import command  # noqa: E402

FOLDER = pathlib.Path(__file__).parents[1] / "data" / "pt2" / "versions"
VERSIONS = sorted((path.stem for path in FOLDER.glob("torch-*.zip")), key=lambda stem: int(stem.split(".")[1]))
PROGRAMS = ["residual", "weights", "dynamic", "structure", "views", "state", "branch", "loop", "scan"]
DIALECTS = ["training", "aten"]


@pytest.fixture(scope="module", params=VERSIONS)
def version(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    with zipfile.ZipFile(FOLDER / f"{request.param}.zip") as archive:
        archive.extractall(folder)
    return folder


def runs(path):
    """[(inputs, outputs)] by their places, as PyTorch recorded them."""
    found = {}
    with np.load(path) as recorded:
        for key in recorded.files:
            run, role, place = key.split(".")
            found.setdefault(int(run), {"input": {}, "output": {}})[role][int(place)] = recorded[key]
    return [([run["input"][i] for i in sorted(run["input"])], [run["output"][i] for i in sorted(run["output"])])
            for _, run in sorted(found.items())]


def assert_same(actual, desired):
    assert len(actual) == len(desired)
    for got, want in zip(actual, desired, strict=True):
        got = np.asarray(got)
        assert got.dtype == want.dtype and got.shape == want.shape
        np.testing.assert_allclose(got.astype(np.float64), want.astype(np.float64), rtol=1e-5, atol=1e-5)


def run_tenon(model, feeds, folder):
    np.savez(folder / "in.npz", **feeds)
    command.run("run", model, "--inputs", folder / "in.npz", "--save", folder / "out.npz")
    with np.load(folder / "out.npz") as outputs:
        return {name: outputs[name] for name in outputs.files}


def test_no_version_is_missing():
    assert VERSIONS == [f"torch-2.{minor}" for minor in (8, 9, 10, 11, 12)]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_program(version, name, dialect, tmp_path):
    source, target = version / f"{name}.{dialect}.pt2", tmp_path / "model.onnx"
    command.run("export", source, "-o", target, "--opset", "18")
    onnx.checker.check_model(onnx.load(target), full_check=True)
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    for inputs, outputs in runs(version / f"{name}.npz"):
        feeds = {i.name: x for i, x in zip(session.get_inputs(), inputs, strict=True)}
        assert_same(session.run(names, feeds), outputs)
        for model in (source, target):
            answers = run_tenon(model, feeds, tmp_path)
            assert_same([answers[name] for name in names], outputs)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_what_the_file_says(version, name, dialect):
    read = evaluate.read(version / f"{name}.{dialect}.pt2")
    assert "error" not in read, read
    assert read["is_aten"] == (dialect == "aten")
    inputs = runs(version / f"{name}.npz")[0][0]
    assert [sample["shape"] for sample in read["sample_inputs"]] == [list(x.shape) for x in inputs]


def test_ranges(version):
    """PyTorch raises the least size to 2: it compiles sizes of 0 and 1 apart."""
    read = evaluate.read(version / "dynamic.training.pt2")
    bounds = {tuple(bounds) for bounds in read["ranges"].values()}
    assert {(2, 64), (2, 16)} <= bounds, read["ranges"]
    assert re.fullmatch(r"\[s\d+,2\*s\d+\]", read["graph"]["tensors"]["x"][1])


def test_tied_weights(version):
    weights = evaluate.read(version / "residual.training.pt2")["weights"]
    shared = {frozenset((name, weight["shared_with"])) for name, weight in weights.items() if weight["shared_with"]}
    assert shared == {frozenset(("stem.weight", "again.weight"))}


@pytest.mark.parametrize("container", ["pt", "legacy.pt"])
def test_state_dict(version, container):
    with np.load(version / "state_dict.npz") as known:
        desired = {name: f"{known[name].dtype}[{','.join(map(str, known[name].shape))}]" for name in known.files}
    listed = command.run_json("inspect", version / f"state_dict.{container}")
    assert {tensor["name"]: tensor["type"] for tensor in listed["tensors"]} == desired
