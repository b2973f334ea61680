"""What is measured, as the driver sees it: tenon's executable, and peers in worker processes.

Each contestant has `key`, `title`, `version` and `note`, and does

    prepare(model)          makes the form of the model that it reads
    start(model, threads)   opens it in a fresh process and runs once: an Opening
    turn(seconds)           the median milliseconds of runs for about so long
    stop()

What it cannot do is raised as RuntimeError with the reason. Between its turns a contestant takes no CPU time.
"""

import dataclasses
import hashlib
import json
import math
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import numpy as np

from peers import install, models

BENCHMARKS = pathlib.Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True)
class Opening:
    load_ms: float | None  # from the file to the first answer
    peak_bytes: int
    answers: list  # arrays, in the order of the model's outputs


class Tenon:
    """One executable; each turn is a process of its own. With a folder it reads the engines that it builds there."""

    RUNS_MIN, RUNS_MAX = 3, 50

    def __init__(self, key, title, path, engines=None):
        self.key, self.title, self.path = key, title, str(path)
        self.version = models.run(self.path, "--version").strip()
        self.note = f"`{path}`"
        self._engines = engines
        self._model = self._threads = self._ms = None

    def prepare(self, model):
        self._model = str(model.onnx)
        if self._engines:
            self._engines.mkdir(parents=True, exist_ok=True)
            self._model = str(self._engines / f"{model.name}.engine")
            models.run(self.path, "build", model.onnx, "-o", self._model)

    def start(self, model, threads):
        self._threads = threads
        with tempfile.TemporaryDirectory() as folder:
            out = f"{folder}/out.npz"
            models.run(self.path, "run", self._model, "--inputs", model.inputs, "--save", out, "--threads", threads)
            with np.load(out) as saved:
                answers = [saved[name] for name in model.outputs]
        measured = self._bench(1)
        first = measured.get("first_ms")  # executables before 0.1.1 do not say it
        return Opening(measured["load_ms"] + first if first else None, measured["peak_rss_bytes"], answers)

    def turn(self, seconds):
        runs = math.ceil(seconds / (1e-3 * self._ms))
        return self._bench(min(max(runs, self.RUNS_MIN), self.RUNS_MAX))["latency_ms"]["median"]

    def stop(self):
        pass

    def _bench(self, runs):
        measured = json.loads(models.run(self.path, "bench", self._model, "--threads", self._threads, "--runs", runs, "--json"))
        self._ms = measured["runs"][0]["latency_ms"]["median"]
        return measured["runs"][0]


class Peer:
    """A runtime in a worker process, which is stopped (SIGSTOP) except when it is asked something."""

    def __init__(self, peer, folder):
        self.key, self.title, self.note, self.version = peer.key, peer.title, peer.settings, None
        self._folder = folder / peer.key
        self._folder.mkdir(parents=True, exist_ok=True)
        self._log = self._folder / "log.txt"
        self._process = self._path = None

    def prepare(self, model):
        """Keeps what the same version made of the same file."""
        self._launch()
        try:
            folder = self._folder / model.name
            stamp, made_from = folder / "made_from", f"{self.version}\n{digest(model.onnx)}\n{model.onnx}\n{model.program}"
            if not stamp.exists() or stamp.read_text() != made_from:
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                path = self._ask(do="convert", model=model.for_worker(), folder=str(folder))["path"]
                (folder / "path").write_text(path)
                stamp.write_text(made_from)
            self._path = (folder / "path").read_text()
        finally:
            self.stop()

    def start(self, model, threads):
        self._launch()
        with tempfile.TemporaryDirectory() as folder:
            out = f"{folder}/out.npz"
            opened = self._ask(do="open", path=self._path, threads=threads, inputs=str(model.inputs), answers=out)
            with np.load(out) as saved:
                answers = [saved[key] for key in saved.files]
        return Opening(opened["load_ms"], opened["peak_bytes"], answers)

    def turn(self, seconds):
        return self._ask(do="turn", seconds=seconds)["ms"]

    def stop(self):
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _launch(self):
        reason = install.failure(self.key)
        if reason:
            raise RuntimeError(reason)
        environment = os.environ | {"PYTHONPATH": str(BENCHMARKS)}
        with self._log.open("w") as log:
            self._process = subprocess.Popen([sys.executable, "-m", "peers.worker", self.key], stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        self.version = self._reply()["version"]

    def _ask(self, **request):
        self._process.send_signal(signal.SIGCONT)
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._reply()

    def _reply(self):
        line = self._process.stdout.readline()
        if not line:
            lines = [text for text in self._log.read_text().splitlines() if text.strip()]
            raise RuntimeError(f"its process ends with status {self._process.wait()}" + (f": {lines[-1]}" if lines else ""))
        self._process.send_signal(signal.SIGSTOP)
        reply = json.loads(line)
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
