"""Proves that models above 2 GB are exported, loaded and run: .venv/bin/python tests/large/check.py [FOLDER]

Not a part of ./dev test: it writes 5 GB to FOLDER (a temporary one otherwise) and removes them. Each command runs with a
limit on its own memory (mapped files do not count), and its answers are compared with NumPy's and ONNX's readers'.
"""

import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
from onnx import TensorProto, helper

TENON = os.environ.get("TENON", str(pathlib.Path(__file__).resolve().parents[2] / "build" / "release" / "tenon"))
ROWS, COLUMNS, TABLES = 400_000, 512, 3  # 819 MB each
TABLE_BYTES = ROWS * COLUMNS * 4
EXPORT_BYTES, RUN_BYTES = 256 << 20, 512 << 20


def tenon(*arguments, limit):
    def set_limit():
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    began = time.monotonic()
    subprocess.run([TENON, *map(str, arguments)], check=True, preexec_fn=set_limit, stdout=subprocess.DEVNULL)
    print(f"tenon {arguments[0]}: {time.monotonic() - began:.1f} s, own memory limited to {limit >> 20} MiB")


def row(table, index):
    """Whole numbers, whose sums are exact in any order."""
    return np.random.default_rng([table, index]).integers(0, 1000, COLUMNS).astype(np.float32)


def write_model(path, rows):
    """Gathers rows of large tables and adds them. Only the rows that are asked for are there; the rest is a hole."""
    with open(path.with_suffix(".data"), "wb") as data:
        for table in range(TABLES):
            for index in rows:
                data.seek(table * TABLE_BYTES + index * COLUMNS * 4)
                data.write(row(table, index).tobytes())
        data.truncate(TABLES * TABLE_BYTES)
    tables, nodes = [], []
    for table in range(TABLES):
        tensor = TensorProto(name=f"t{table}", dims=[ROWS, COLUMNS], data_type=TensorProto.FLOAT,
                             data_location=TensorProto.EXTERNAL)
        for key, value in (("location", path.with_suffix(".data").name), ("offset", table * TABLE_BYTES), ("length", TABLE_BYTES)):
            tensor.external_data.add(key=key, value=str(value))
        tables.append(tensor)
        nodes.append(helper.make_node("Gather", [f"t{table}", "i"], [f"g{table}"]))
    nodes.append(helper.make_node("Sum", [f"g{table}" for table in range(TABLES)], ["y"]))
    graph = helper.make_graph(nodes, "large", [helper.make_tensor_value_info("i", TensorProto.INT64, ["n"])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", COLUMNS])], tables)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def main(folder):
    source, out = folder / "large.onnx", folder / "out.onnx"
    rows = np.array([0, 1, ROWS // 2, ROWS - 1])
    write_model(source, rows)
    np.save(folder / "i.npy", rows)
    expected = np.stack([sum(row(table, i) for table in range(TABLES)) for i in rows])
    tenon("export", source, "-o", out, "--opset", "18", limit=EXPORT_BYTES)
    written = sum(p.stat().st_size for p in folder.glob("out.onnx*"))
    print(f"out.onnx and its data: {written / 1e9:.2f} GB")
    assert written > TABLES * TABLE_BYTES
    onnx.checker.check_model(str(out))
    for model in (source, out):
        tenon("run", model, "--input", f"i={folder / 'i.npy'}", "--save", folder / "y.npz", limit=RUN_BYTES)
        np.testing.assert_array_equal(np.load(folder / "y.npz")["y"], expected)
    print("all as NumPy computes it")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(pathlib.Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(pathlib.Path(temporary))
