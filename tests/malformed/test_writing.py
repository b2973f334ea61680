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


@pytest.mark.parametrize("arguments", [c for c in CASES if c != "outputs_dir"], indirect=True)
def test_failure_keeps_the_old_file(arguments):
    folder, command = arguments
    (folder / "out").write_text("old")

    done = subprocess.run([TENON, *command], capture_output=True, text=True, check=False, preexec_fn=limit_file_size, timeout=60)
    assert done.returncode == 2, done.stderr
    assert (folder / "out").read_text() == "old"
    assert [p.name for p in folder.iterdir()] == ["out"]
