"""What people see: a terminal of 80 columns, and a pipe, with names that are long or hostile."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading

import numpy as np
import onnx
import pytest
from command import ROOT, TENON, run, run_json
from onnx import helper

LONG = "module/encoder.layers.0.self_attention.output_projection/with_a_rather_long_name:0"
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_terminal(*arguments, folder, columns=80, seconds=None, until=None, **environment):
    """What a command writes to a terminal, standard error and all; it is ended after some seconds, or once it has written
    what `until` matches."""
    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen([TENON, *map(str, arguments)], stdout=writer, stderr=writer, cwd=folder,
                               env=os.environ | {"TERM": "xterm-256color"} | environment)
    os.close(writer)
    timer = threading.Timer(seconds or 0, process.terminate)
    if seconds is not None:
        timer.start()
    written = b""
    while True:
        try:
            piece = os.read(reader, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        written += piece
        if until is not None and re.search(until, written):
            process.terminate()
    os.close(reader)
    process.wait()
    timer.cancel()
    return written.decode().replace("\r\n", "\n")


def shown(text):
    """The lines that stay on the screen."""
    return [ESCAPE.sub("", line.split("\r")[-1]) for line in text.split("\n")]


def save(path, name, added=0.0):
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"], name="conv", pads=[1, 1, 1, 1]),
             helper.make_node("Add", ["c", "b"], [name], name="/model/" + name)]
    info = lambda n: helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, 4, 8, 8])  # noqa: E731
    weights = [onnx.numpy_helper.from_array(np.ones((4, 4, 3, 3), np.float32), "w"),
               onnx.numpy_helper.from_array(np.full((1, 4, 1, 1), added, np.float32), "b")]
    graph = helper.make_graph(nodes, "g", [info("x")], [info(name)], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("terminal") / "a_folder_with_a_rather_long_name" / "and_another_one_inside"
    folder.mkdir(parents=True)
    save(folder / "model.onnx", LONG)
    save(folder / "other.onnx", LONG, 0.5)
    save(folder / "hostile.onnx", "y\x1b[2J\nz")
    run("build", folder / "model.onnx", "-o", folder / "model.engine")
    return folder


COMMANDS = {
    "help": ["--help"],
    "inspect": ["inspect", "FOLDER/model.onnx"],
    "layers": ["inspect", "FOLDER/model.onnx", "--layers"],
    "times": ["inspect", "FOLDER/model.onnx", "--layers", "--time", "--why"],
    "run": ["run", "FOLDER/model.onnx", "--input", "x=random"],
    "export": ["export", "FOLDER/model.onnx", "-o", "FOLDER/out.onnx", "--verbose"],
    "build": ["build", "FOLDER/model.onnx", "-o", "FOLDER/built.engine", "--verbose"],
    "engine": ["inspect", "FOLDER/model.engine", "--verify", "--layers", "--why"],
    "align": ["align", "model.onnx", "other.onnx", "--per-layer"],
    "align_paths": ["align", "FOLDER/model.onnx", "FOLDER/other.onnx"],
    "bench": ["bench", "FOLDER/model.onnx", "--runs", 3, "--profile"],
    "ops": ["ops", "Attention"],
    "all_ops": ["ops"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_line_fits(folder, command):
    arguments = [str(a).replace("FOLDER", str(folder)) for a in COMMANDS[command]]
    text = on_terminal(*arguments, folder=folder)
    for line in shown(text):
        assert len(line) <= 80, line


@pytest.mark.parametrize("command", ["inspect", "run", "export"])
def test_a_long_name_loses_its_middle_on_a_terminal_only(folder, command):
    arguments = [str(a).replace("FOLDER", str(folder)) for a in COMMANDS[command]]
    lines = [line for line in shown(on_terminal(*arguments, folder=folder)) if "float32[1,4,8,8]" in line]
    assert any(re.search(r"module/encoder\S*\.\.\.\S*name:0", line) for line in lines), lines
    assert LONG in run(*arguments).stdout
    wide = on_terminal(*arguments, folder=folder, columns=200)
    assert LONG in wide


def test_characters_are_not_cut_in_two(folder, tmp_path):
    save(tmp_path / "m.onnx", "ä" * 100 + "/ß")
    (line,) = (line for line in shown(on_terminal("run", "m.onnx", "--input", "x=random", folder=tmp_path)) if "float32" in line)
    assert re.fullmatch(r"ä+\.\.\.ä+/ß: float32\[1,4,8,8\]", line) and len(line) == 80


@pytest.mark.parametrize("command", [["inspect"], ["inspect", "--layers"], ["run", "--input", "x=random"], ["bench", "--runs", "1", "--profile"]])
def test_a_name_cannot_write_to_the_screen(folder, command):
    text = run(command[0], folder / "hostile.onnx", *command[1:]).stdout
    assert "\x1b" not in text and "\\x1b[2J" in text


def test_a_pipe_gets_no_escapes(folder):
    for arguments in COMMANDS.values():
        done = subprocess.run([TENON, *(str(a).replace("FOLDER", str(folder)) for a in arguments)], capture_output=True,
                              text=True, check=False, cwd=folder)
        assert "\x1b" not in done.stdout + done.stderr and "\r" not in done.stdout + done.stderr


def endless(path):
    """A model that computes for longer than anybody waits: a loop of 10^12 rounds behind a first step, and products of
    constants that the passes fold for minutes."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["c_out"]), helper.make_node("Mul", ["v", "v"], ["v_out"])], "body",
        [helper.make_tensor_value_info("i", onnx.TensorProto.INT64, []), helper.make_tensor_value_info("c", onnx.TensorProto.BOOL, []),
         helper.make_tensor_value_info("v", onnx.TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("c_out", onnx.TensorProto.BOOL, []),
         helper.make_tensor_value_info("v_out", onnx.TensorProto.FLOAT, [1])])
    nodes = [helper.make_node("Softmax", ["x"], ["s"]), helper.make_node("Loop", ["rounds", "", "s"], ["y"], body=body)]
    info = lambda n: helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1])  # noqa: E731
    graph = helper.make_graph(nodes, "g", [info("x")], [info("y")], [onnx.numpy_helper.from_array(np.int64(10**12), "rounds")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)


def slow_to_fold(path):
    """A model whose weights are a product of constants, which takes the passes minutes to fold."""
    side = 6000
    square = helper.make_tensor("a", onnx.TensorProto.INT8, [side, side], bytes(side * side), raw=True)
    nodes = [helper.make_node("Cast", ["a"], ["f"], to=onnx.TensorProto.FLOAT), helper.make_node("MatMul", ["f", "f"], ["b"]),
             helper.make_node("MatMul", ["b", "f"], ["w"]), helper.make_node("MatMul", ["x", "w"], ["y"])]
    info = lambda n: helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, side])  # noqa: E731
    graph = helper.make_graph(nodes, "g", [info("x")], [info("y")], [square])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow")
    endless(folder / "endless.onnx")
    slow_to_fold(folder / "fold.onnx")
    return folder


LONG_WORK = {
    "bench": (["bench", "FOLDER/model.onnx", "--runs", 1_000_000_000], r"runs: \d+ of 1000000005"),
    "opening": (["bench", "fold.onnx"], "pass fold-constants"),
    "export": (["export", "fold.onnx", "-o", "out.onnx", "--fold"], "pass fold-constants"),
    "inspect": (["inspect", "fold.onnx"], "pass fold-constants"),
    "run": (["run", "endless.onnx", "--input", "x=random"], "steps run: 1 of 2"),
    "align": (["align", "float64:fold.onnx", "fold.onnx", "--samples", 1], "pass fold-constants"),
    "classify": (["classify", "fold.onnx", "none.png"], "pass fold-constants"),
    "build": (["build", "fold.onnx", "-o", "out.engine"], "pass fold-constants"),
}


@pytest.mark.parametrize("work", LONG_WORK)
def test_progress_is_one_line(folder, slow, work):
    arguments, line = LONG_WORK[work]
    arguments = [str(a).replace("FOLDER", str(folder)) for a in arguments]
    text = on_terminal(*arguments, folder=slow, seconds=60, until=rb"\r\x1b\[K" + line.encode())
    assert re.search(r"\r\x1b\[K" + line, text) and "\n" not in text.partition("\r")[2]
    assert all(len(part) < 80 for part in ESCAPE.sub("", text).split("\r"))


def test_a_terminal_that_cannot_take_lines_away_gets_no_progress(folder):
    endless_runs = ["bench", "model.onnx", "--runs", 1_000_000_000]
    assert "\r" not in on_terminal(*endless_runs, folder=folder, seconds=3, TERM="dumb")


def test_json_is_not_touched_by_the_terminal(folder):
    assert run_json("inspect", folder / "model.onnx")["outputs"][0]["name"] == LONG


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}])
def test_the_demo_script_writes_no_escapes_to_a_pipe(environment):
    text = (ROOT / "demo" / "run.sh").read_text()
    title = re.search(r"^title\(\) .*?^}$", text, re.M | re.S).group(0)
    done = subprocess.run(["bash", "-c", title + "\ntitle A title"], capture_output=True, text=True, check=True,
                          env=os.environ | environment)
    assert done.stdout == "\nA title\n"
