"""Outputs that cannot be written: an error that names the file, and nothing half-written beside it."""

import os
import resource
import signal
import subprocess

import numpy as np
import pytest
from hostile import TENON, model, tensor, value, write
from onnx import helper

LIMIT_BYTES = 4096
CASES = {
    "export": ["export", "MODEL", "-o", "FOLDER/out"],
    "export_external": ["export", "MODEL", "-o", "FOLDER/out", "--external-data"],
    "save": ["run", "MODEL", "--input", "x=random", "--save", "FOLDER/out"],
    "outputs_dir": ["run", "MODEL", "--input", "x=random", "--outputs-dir", "FOLDER"],
    "report": ["align", "MODEL", "MODEL", "--samples", "1", "--report", "FOLDER/out"],
}


def limit_file_size():
    """As if the disk were full after 4 kB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, LIMIT_BYTES))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


@pytest.fixture
def arguments(tmp_path, request):
    source = write(tmp_path, model([helper.make_node("Add", ["x", "w"], ["y"])], [value("x", [1, 8192])],
                                   initializers=[tensor("w", np.ones((1, 8192)), np.float32)]))
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder, [a.replace("MODEL", str(source)).replace("FOLDER", str(folder)) for a in CASES[request.param]]


def failed(done, folder):
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert str(folder) in done.stderr
    assert sorted(folder.iterdir()) == [], sorted(folder.iterdir())


@pytest.mark.parametrize("arguments", CASES, indirect=True)
def test_disk_that_fills_up(arguments):
    folder, command = arguments

    done = subprocess.run([TENON, *command], capture_output=True, text=True, check=False, preexec_fn=limit_file_size, timeout=60)
    failed(done, folder)


@pytest.mark.parametrize("arguments", CASES, indirect=True)
def test_folder_in_place_of_the_file(arguments):
    folder, command = arguments
    (folder / "out").mkdir()
    (folder / "output_0.pb").mkdir()
    done = subprocess.run([TENON, *command], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(p.name for p in folder.iterdir()) == ["out", "output_0.pb"]


@pytest.mark.parametrize("arguments", [c for c in CASES if c != "outputs_dir"], indirect=True)
def test_folder_that_does_not_exist(arguments):
    folder, command = arguments
    os.rmdir(folder)
    done = subprocess.run([TENON, *command], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2, done.stderr
    assert str(folder) in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not folder.exists()


@pytest.fixture
def two_outputs(tmp_path):
    """A model whose first output fits below the limit and whose second does not."""
    nodes = [helper.make_node("Relu", ["x"], ["small"]), helper.make_node("Expand", ["x", "shape"], ["large"])]
    return write(tmp_path, model(nodes, [value("x", [1])], outputs=[value("small", [1]), value("large", [8192])],
                                 initializers=[tensor("shape", np.array([8192]), np.int64)]))


OLD = ["output_0.pb", "output_1.pb", "out.npz"]


@pytest.mark.parametrize("extra", [[], ["--save", "FOLDER/out.npz"]])
def test_old_outputs_stay_when_the_second_cannot_be_written(two_outputs, tmp_path, extra):
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in OLD:
        (folder / name).write_text("old")
    command = [TENON, "run", two_outputs, "--input", "x=random", "--outputs-dir", folder]
    done = subprocess.run([*command, *(e.replace("FOLDER", str(folder)) for e in extra)], capture_output=True, text=True,
                          check=False, preexec_fn=limit_file_size, timeout=60)
    assert done.returncode == 2 and "output_1.pb" in done.stderr, done.stderr
    assert {p.name: p.read_text() for p in folder.iterdir()} == dict.fromkeys(OLD, "old")


def test_outputs_stay_unwritten_when_the_archive_cannot_be(two_outputs, tmp_path):
    (tmp_path / "archive").mkdir()
    folder = tmp_path / "new"
    done = subprocess.run([TENON, "run", two_outputs, "--input", "x=random", "--outputs-dir", folder, "--save",
                           tmp_path / "archive"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2 and "archive" in done.stderr, done.stderr
    assert not folder.exists()


def test_old_model_and_its_data_stay_together(tmp_path):
    """The new data would fit below the limit; the new model does not."""
    def variant(fill, note):
        made = model([helper.make_node("Add", ["x", "w"], ["y"])], [value("x", [1, 512])],
                     initializers=[tensor("w", np.full((1, 512), fill), np.float32)])
        made.doc_string = note
        return made

    out = tmp_path / "out" / "model.onnx"
    out.parent.mkdir()
    export = [TENON, "export", "SOURCE", "-o", out, "--external-data"]
    export[2] = write(tmp_path, variant(1, ""))
    subprocess.run(export, check=True, capture_output=True, timeout=60)
    before = {p.name: p.read_bytes() for p in out.parent.iterdir()}
    assert sorted(before) == ["model.onnx", "model.onnx.data"]
    export[2] = write(tmp_path, variant(2, "x" * LIMIT_BYTES))
    done = subprocess.run(export, capture_output=True, text=True, check=False, preexec_fn=limit_file_size, timeout=60)
    assert done.returncode == 2, done.stderr
    assert {p.name: p.read_bytes() for p in out.parent.iterdir()} == before


@pytest.mark.parametrize("arguments", [c for c in CASES if c != "outputs_dir"], indirect=True)
def test_failure_keeps_the_old_file(arguments):
    folder, command = arguments
    (folder / "out").write_text("old")

    done = subprocess.run([TENON, *command], capture_output=True, text=True, check=False, preexec_fn=limit_file_size, timeout=60)
    assert done.returncode == 2, done.stderr
    assert (folder / "out").read_text() == "old"
    assert [p.name for p in folder.iterdir()] == ["out"]
