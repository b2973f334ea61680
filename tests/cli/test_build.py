"""tenon build: engine files give the bits of the model they were built from, and refuse where they do not fit."""

import os
import pathlib
import subprocess

import numpy as np
import pytest
import torch
from command import ROOT, TENON, run, run_json
from engine_file import EngineFile

DIGITS = ROOT / "demo" / "digits.pt2"
BRANCH = ROOT / "tests" / "data" / "pt2" / "branch.pt2"


def build(model, folder, *options):
    path = folder / (pathlib.Path(model).stem + ".engine")
    run("build", model, "-o", path, *options)
    return path


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    return build(DIGITS, tmp_path_factory.mktemp("engine"), "--no-tune")


def outputs(model, folder, *options):
    run("run", model, "--save", folder / "out.npz", *options)
    with np.load(folder / "out.npz") as archive:
        return {name: archive[name] for name in archive.files}


def assert_same_bits(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert a[name].dtype == b[name].dtype and a[name].shape == b[name].shape
        assert a[name].tobytes() == b[name].tobytes(), name


def test_an_engine_gives_the_bits_of_its_model(engine, tmp_path):
    options = ["--input", "image=random", "--seed", 3]
    assert_same_bits(outputs(engine, tmp_path, *options), outputs(DIGITS, tmp_path, *options))


def test_every_value_can_be_asked_of_an_engine(engine, tmp_path):
    names = [layer["node"] for layer in run_json("inspect", DIGITS)["layers"]] + ["batch_norm", "relu_", "stem.1.weight"]
    options = ["--input", "image=random", *[part for name in names for part in ("--output", name)]]
    values = outputs(engine, tmp_path, *options)
    assert set(names) == set(values)
    assert_same_bits(values, outputs(DIGITS, tmp_path, *options))


def test_control_flow_keeps_its_bits(tmp_path):
    """The program asks whether the sum of x is above a number: both of its branches run."""
    path = build(BRANCH, tmp_path, "--no-tune")
    results = []
    for sign in (1, -1):
        np.savez(tmp_path / "in.npz", x=np.full((2, 3), 3 * sign, np.float32))
        results.append(outputs(path, tmp_path, "--inputs", tmp_path / "in.npz"))
        assert_same_bits(results[-1], outputs(BRANCH, tmp_path, "--inputs", tmp_path / "in.npz"))
    assert all((abs(a) != abs(b)).any() for a, b in zip(results[0].values(), results[1].values(), strict=True))


def test_a_tuned_engine_agrees_with_pytorch(tmp_path):
    path = tmp_path / "tuned.engine"
    report = run_json("build", DIGITS, "-o", path)
    assert report["tuned"] and report["file_bytes"] == path.stat().st_size
    for step in report["tuned"]:
        kernels = {candidate["kernel"]: candidate["time_ms"] for candidate in step["candidates"]}
        assert len(kernels) > 1 and kernels[step["kernel"]] <= min(kernels.values()) / 0.97
    result = run_json("align", f"recorded:{ROOT / 'demo' / 'recorded_digits.npz'}", path)
    assert result["verdict"] == "equal"
    stored = {layer["node"]: layer["kernel"] for layer in run_json("inspect", path)["layers"]}
    for step in report["tuned"]:
        assert stored[step["node"]] == step["kernel"]


def test_packed_bytes_are_those_of_the_plan(engine):
    report = run_json("bench", engine, "--runs", 1)["runs"][0]
    assert report["packed_bytes"] == 4 * sum(floats for step in EngineFile(engine).plan["steps"]
                                             for _, floats in step["packed"])


def test_verify_reads_the_weights(engine, tmp_path):
    assert run_json("inspect", engine, "--verify")["engine"]["verified"]
    changed = EngineFile(engine)
    middle = len(changed.data) // 2
    changed.data = changed.data[:middle] + bytes([changed.data[middle] ^ 1]) + changed.data[middle + 1:]
    path = changed.write(tmp_path / "changed.engine")
    run("inspect", path)
    error = run("inspect", path, "--verify", status=2).stderr
    assert "checksum of its weights" in error and path.name in error


def test_a_model_that_random_inputs_do_not_suit(tmp_path):
    """An embedding, whose indices random numbers are not."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Embedding(3, 8), torch.nn.Linear(8, 4)).eval()
    indices = torch.tensor([[2, 0, 1]])
    path, engine = tmp_path / "embedding.pt2", tmp_path / "embedding.engine"
    torch.export.save(torch.export.export(model, (indices,)), path)
    done = run("build", path, "-o", engine)
    assert "warning" in done.stderr and "random inputs" in done.stderr and len(done.stderr.splitlines()) == 1
    (name,) = (port["name"] for port in run_json("inspect", path)["inputs"])
    np.savez(tmp_path / "in.npz", **{name: indices.numpy()})
    assert run("build", path, "-o", engine, "--inputs", tmp_path / "in.npz").stderr == ""
    (output,) = outputs(engine, tmp_path, "--inputs", tmp_path / "in.npz").values()
    np.testing.assert_allclose(output, model(indices).detach().numpy(), rtol=1e-5, atol=1e-5)
    np.savez(tmp_path / "wrong.npz", **{name: np.array([[3, 0, 1]])})
    error = run("build", path, "-o", tmp_path / "none.engine", "--inputs", tmp_path / "wrong.npz", status=2).stderr
    assert "embedding.pt2" in error and not (tmp_path / "none.engine").exists()


def refuse(path, *words, options=(), environment=None):
    done = subprocess.run([TENON, "run", str(path), "--input", "image=random", *options], capture_output=True, text=True,
                          check=False, env={**os.environ, **(environment or {})})
    assert done.returncode in (1, 2) and len(done.stderr.splitlines()) == 1, done.stderr
    for word in (path.name, *words):
        assert word in done.stderr, done.stderr


def test_an_engine_of_another_cpu_is_refused_unless_allowed(engine, tmp_path):
    changed = EngineFile(engine)
    changed.plan["cpu"] = "GenuineIntel family 6 model 207"
    path = changed.write(tmp_path / "other.engine")
    refuse(path, "GenuineIntel family 6 model 207", "--any-cpu")
    run("run", path, "--input", "image=random", "--any-cpu")


def test_an_engine_of_another_build_is_refused(engine, tmp_path):
    changed = EngineFile(engine)
    changed.plan["build"] = "0.0.9 0123456789abcdef"
    refuse(changed.write(tmp_path / "old.engine"), "0.0.9 0123456789abcdef", "build it again")


def test_an_engine_with_instructions_that_are_missing_is_refused(tmp_path):
    path = build(DIGITS, tmp_path, "--no-tune")
    if EngineFile(path).plan["isa"] == "portable":
        pytest.skip("this CPU has nothing to take away")
    refuse(path, "portable", environment={"TENON_ISA": "portable"})


def test_options_about_building_are_refused(engine):
    for option in (["--reference"], ["--disable-pass", "all"], ["--prefer-kernel", "conv_blocked"]):
        error = run("run", engine, "--input", "image=random", *option, status=2).stderr
        assert "when an engine is built" in error
