"""Runs tenon on hostile files, under limits of memory and time."""

import os
import pathlib
import resource
import subprocess

import numpy as np
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2]
TENON = os.environ.get("TENON", str(ROOT / "build" / "release" / "tenon"))
MEMORY_BYTES = 1 << 30
TIME_S = 20


def limit_memory():
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def refused(*arguments, words=(), statuses=(2,), output=None):
    """The one line of an error that names what `words` say; nothing was written."""
    try:
        done = subprocess.run([TENON, *map(str, arguments)], capture_output=True, text=True, check=False,
                              timeout=TIME_S, preexec_fn=limit_memory)
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"still running after {TIME_S} s") from error
    assert done.returncode in statuses, (done.returncode, done.stdout[-500:], done.stderr[-2000:])
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and len(lines[0]) < 2000, lines[:5]
    for word in words:
        assert word in lines[0], lines[0]
    if output is not None:
        assert not output.exists()
        assert not [p for p in output.parent.iterdir() if p.name.startswith("." + output.name)]
    return lines[0]


def refused_by_all(path, words=(), statuses=(2,)):
    """Refused by the commands that open a model; each names the file."""
    out = path.parent / "out_of_hostile.onnx"
    lines = [refused("run", path, words=(path.name, *words), statuses=statuses),
             refused("export", path, "-o", out, words=(path.name, *words), statuses=statuses, output=out)]
    return lines[0]


def survived(*arguments, statuses=(0, 1, 2)):
    """Ended by itself, whatever it said."""
    done = subprocess.run([TENON, *map(str, arguments)], capture_output=True, text=True, check=False,
                          timeout=TIME_S, preexec_fn=limit_memory)
    assert done.returncode in statuses, (done.returncode, done.stderr[-2000:])
    if done.returncode == 2:
        assert len(done.stderr.splitlines()) == 1, done.stderr
    return done


def value(name, shape=None, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def tensor(name, array, dtype=None):
    return numpy_helper.from_array(np.asarray(array, dtype), name)


def ints(name, *values):
    return tensor(name, values, np.int64)


def model(nodes, inputs=(), outputs=None, initializers=(), functions=(), opset=18, sparse=()):
    outputs = [value("y")] if outputs is None else outputs
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), list(initializers))
    graph.sparse_initializer.extend(sparse)
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("local", 1)]
    return helper.make_model(graph, opset_imports=imports, functions=list(functions), ir_version=10)


def write(folder, proto, name="hostile.onnx"):
    path = folder / name
    path.write_bytes(proto if isinstance(proto, bytes) else proto.SerializeToString())
    return path
