"""A process that runs one peer for the driver: `python -m peers.worker KEY`, requests and replies as lines of JSON.

The first line that it writes says the peer's version, or why the peer cannot be imported. A reply of {"error": ...}
says why a request failed. What libraries print goes to standard error.
"""

import ctypes
import gc
import importlib
import json
import os
import pathlib
import signal
import statistics
import sys
import time

import numpy as np

WARM_UP_RUNS_MAX, WARM_UP_SECONDS = 5, 0.1
RUNS_MIN, RUNS_MAX = 3, 50


def end_with_parent():
    """The driver stops idle workers, and a stopped process would outlive a driver that was killed."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def memory_bytes(field):
    status = pathlib.Path("/proc/self/status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if line.startswith(field)).split()[1])


def restart_peak():
    pathlib.Path("/proc/self/clear_refs").write_text("5")


class Worker:
    def __init__(self, runtime):
        self._runtime = runtime
        self._program = None

    def convert(self, model, folder):
        return {"path": self._runtime.convert(model, folder)}

    def open(self, path, threads, inputs, answers):
        """Opens and runs once; the answers go to a file. `peak_bytes` is the peak above what the process held before."""
        arrays = dict(np.load(inputs))
        restart_peak()
        before = memory_bytes("VmRSS")
        begin = time.perf_counter()
        self._program = self._runtime.Program(path, threads, arrays)
        outputs = self._program.run()
        load_ms = 1e3 * (time.perf_counter() - begin)
        peak = memory_bytes("VmHWM") - before
        np.savez(answers, *self._program.answers(outputs))
        return {"load_ms": load_ms, "peak_bytes": peak}

    def turn(self, seconds):
        """The median time of runs for about so many seconds, after some that are not counted."""
        gc.collect()
        gc.disable()
        self._times(WARM_UP_SECONDS, 1, WARM_UP_RUNS_MAX)
        times = self._times(seconds, RUNS_MIN, RUNS_MAX)
        gc.enable()
        return {"ms": 1e3 * statistics.median(times)}

    def _times(self, seconds, runs_min, runs_max):
        times = []
        while len(times) < runs_min or (len(times) < runs_max and sum(times) < seconds):
            begin = time.perf_counter()
            self._program.run()
            times.append(time.perf_counter() - begin)
        return times


def main():
    end_with_parent()
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def reply(**fields):
        print(json.dumps(fields), file=replies, flush=True)

    try:
        runtime = importlib.import_module(f"peers.runtimes.{sys.argv[1]}")
        reply(version=runtime.version())
    except Exception as error:
        return reply(error=f"it cannot be imported: {error}")
    worker = Worker(runtime)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply(**getattr(worker, request.pop("do"))(**request))
        except Exception as error:
            reply(error=str(error).strip().split("\n")[0])


if __name__ == "__main__":
    main()
