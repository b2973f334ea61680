"""tenon run and bench: values in and out, beside PyTorch's recorded answers and numpy's arithmetic."""

import json

import numpy as np
import onnx
import onnx.helper
import pytest
from command import ROOT, run, run_json

TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}
COMMANDS = ["export", "inspect", "ops", "run", "classify", "align", "bench", "test"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """y = a - b, and z = y * y, with names that hold what separates options elsewhere."""
    nodes = [onnx.helper.make_node("Sub", ["a:0", "b=1/x"], ["y,0"]), onnx.helper.make_node("Mul", ["y,0", "y,0"], ["z"])]
    tensor = lambda name: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["m", "n"])  # noqa: E731
    graph = onnx.helper.make_graph(nodes, "g", [tensor("a:0"), tensor("b=1/x")], [tensor("z")])
    path = tmp_path_factory.mktemp("run") / "model.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.fixture(scope="module")
def arrays():
    draw = np.random.default_rng(0)
    return {"a:0": draw.random((2, 3), np.float32), "b=1/x": draw.random((2, 3), np.float32)}


def test_recorded_inputs_give_recorded_outputs(tmp_path):
    recorded = np.load(ROOT / "demo" / "recorded_digits.npz")
    np.savez(tmp_path / "in.npz", image=np.concatenate([recorded[f"{k}/image"] for k in range(20)]))
    run("export", ROOT / "demo" / "digits.pt2", "-o", tmp_path / "d.onnx", "--input-names", "image", "--output-names", "logits")
    run("run", tmp_path / "d.onnx", "--inputs", tmp_path / "in.npz", "--save", tmp_path / "out.npz")
    out = np.load(tmp_path / "out.npz")
    assert out.files == ["logits"]
    np.testing.assert_allclose(out["logits"], np.concatenate([recorded[f"{k}/logits"] for k in range(20)]), **TOLERANCE)


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_either_order(model, arrays, tmp_path, order):
    np.savez(tmp_path / "in.npz", **{name: np.asarray(value, order=order) for name, value in arrays.items()})
    run("run", model, f"--inputs={tmp_path / 'in.npz'}", f"--save={tmp_path / 'out.npz'}")
    np.testing.assert_array_equal(np.load(tmp_path / "out.npz")["z"], np.square(arrays["a:0"] - arrays["b=1/x"]))


def test_names_split_at_the_last_equals_sign(model, arrays, tmp_path):
    options = []
    for k, (name, value) in enumerate(arrays.items()):
        np.save(tmp_path / f"{k}.npy", value)
        options += ["--input", f"{name}={tmp_path / f'{k}.npy'}"]
    run("run", model, *options, "--output", "y,0", "--output=z", "--output", "y,0", "--save", tmp_path / "out.npz")
    out = np.load(tmp_path / "out.npz")
    assert sorted(out.files) == ["y,0", "z"]
    np.testing.assert_array_equal(out["y,0"], arrays["a:0"] - arrays["b=1/x"])


def test_folders_in_the_layout_of_onnx(model, arrays, tmp_path):
    (tmp_path / "in").mkdir()
    for k, value in enumerate(arrays.values()):
        (tmp_path / "in" / f"input_{k}.pb").write_bytes(onnx.numpy_helper.from_array(value).SerializeToString())
    run("run", model, "--inputs-dir", tmp_path / "in", "--outputs-dir", tmp_path / "out")
    (path,) = (tmp_path / "out").iterdir()
    assert path.name == "output_0.pb"
    out = onnx.numpy_helper.to_array(onnx.load_tensor(str(path)))
    np.testing.assert_array_equal(out, np.square(arrays["a:0"] - arrays["b=1/x"]))


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--input", "a:1=random"], ["a:1", "did you mean 'a:0'"]),
        (["--input", "a:0=random"], ["b=1/x"]),
        (["--input", "a:0=random", "--input", "b=1/x=random", "--output", "y"], ["'y'"]),
        (["--input", "a:0=absent.npy"], ["absent.npy"]),
        (["--inputs-dir", "absent"], ["absent"]),
        (["--provider", "tpu"], ["tpu", "cpu"]),
        (["--threads", "x"], ["--threads: 'x' is not a number of at least 0"]),
        (["--no-such-option"], ["--no-such-option"]),
    ],
)
def test_errors_are_one_line_and_leave_no_file(model, tmp_path, options, parts):
    done = run("run", model, *options, "--save", tmp_path / "out.npz", "--json", status=2)
    error = json.loads(done.stdout)["error"]
    assert set(error) == {"code", "message", "file", "node", "op", "hint"}
    for part in parts:
        assert part in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_kind_says_what_it_is(model, arrays, tmp_path):
    (tmp_path / "notes.txt").write_text("not an array\n")
    np.save(tmp_path / "wide.npy", arrays["a:0"].astype(np.float64))
    other = ["--input", "b=1/x=random"]
    assert "the file is a text" in run("run", model, *other, "--input", f"a:0={tmp_path / 'notes.txt'}", status=2).stderr
    assert "no archive of named arrays" in run("run", model, "--inputs", tmp_path / "notes.txt", status=2).stderr
    wide = run("run", model, *other, "--input", f"a:0={tmp_path / 'wide.npy'}", status=2).stderr
    assert "float64[2,3] was given; convert the array to float32" in wide


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], ["a command is missing", "export, inspect"]),
        (["frobnicate"], ["there is no command 'frobnicate'", "export, inspect"]),
        (["--verbose"], ["there is no command '--verbose'"]),
        (["run", "m.onnx", "--timeout", "-1"], ["--timeout: '-1' is not a number of at least 0"]),
        (["export", "m.pt2"], ["--output is required"]),
        (["export", "m.pt2", "-o", "m.onnx", "--opset", "new"], ["--opset: 'new' is not a number"]),
        (["classify", "m.onnx", "x.png", "--resize", "no"], ["--resize: 'no' is none of crop, crop-then-resize, stretch"]),
        (["test", "absent"], ["absent: there is no such folder"]),
        (["ops", "conv"], ["did you mean 'Conv' or"]),
        (["ops", "Cnv"], ["did you mean 'Conv'"]),
    ],
)
def test_a_command_line_that_makes_no_sense_is_quoted(arguments, parts):
    error = run(*arguments, status=2).stderr
    for part in parts:
        assert part in error


def test_bench_keeps_its_contract(model):
    figures = run_json("bench", model, ROOT / "demo" / "digits.pt2", "--runs", 5, "--threads=1", "--batch=2")
    assert [r["model"] for r in figures["runs"]] == [str(model), str(ROOT / "demo" / "digits.pt2")]
    for measured in figures["runs"]:
        assert (measured["provider"], measured["threads"], measured["batch"], measured["precision"]) == ("cpu", 1, 2, "f32")
        latency = measured["latency_ms"]
        assert 0 < latency["min"] <= latency["median"] <= latency["p90"] <= latency["p99"]
        assert measured["load_ms"] > 0 and measured["first_ms"] > 0 and measured["peak_rss_bytes"] > 0
    text = run("bench", model, "--runs", 5, "--profile").stdout
    assert max(map(len, text.splitlines())) <= 80


def test_bench_takes_several_threads_and_batches():
    digits = ROOT / "demo" / "digits.pt2"
    runs = run_json("bench", "--threads", "1,2", "--batch", "1,3", "--runs", 2, digits)["runs"]
    assert [(r["threads"], r["batch"]) for r in runs] == [(1, 1), (1, 3), (2, 1), (2, 3)]
    for r in runs:
        assert r["items_per_s"] == pytest.approx(r["batch"] * 1000 / r["latency_ms"]["median"])
    lines = run("bench", digits, "--batch=1,2", "--threads=1", "--runs=2").stdout.splitlines()
    assert len(lines) == 3 and max(map(len, lines)) <= 80
    assert "items/s" in lines[0]
    run("bench", digits, "--batch=0,2", status=2)


def test_bench_counts_its_own_memory_and_not_that_of_the_program_that_started_it(model):
    large = np.ones(1 << 29, np.uint8)
    assert run_json("bench", model, "--runs", 1)["runs"][0]["peak_rss_bytes"] < large.nbytes


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_a_terminal_and_has_an_example(command):
    text = run(command, "--help").stdout
    assert max(map(len, text.splitlines())) <= 80
    assert f"\n  tenon {command} " in text


@pytest.mark.parametrize("command", COMMANDS[1:2] + COMMANDS[3:])
def test_a_file_that_is_absent_is_named(command):
    arguments = {"classify": ["absent.onnx", "x.png"], "align": ["absent.onnx", "absent.onnx"]}.get(command, ["absent.onnx"])
    done = run(command, *arguments, "--json", status=2)
    assert json.loads(done.stdout)["error"]["file"] == "absent.onnx"
    assert "absent.onnx" in done.stderr
