#!/usr/bin/env python3
"""Time and peak memory of an export by tenon, beside torch.onnx.export of the same program.

    benchmarks/export.py MODELS [NAME...]     MODELS: a folder that tests/models/make_torchvision.py has filled

Each export is a process of its own; the figures are the best of three for tenon, and one run of torch.onnx.export,
whose import of PyTorch is counted apart. It needs onnxscript (pip install onnxscript).
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
TENON = os.environ.get("TENON", str(ROOT / "build" / "release" / "tenon"))
TORCH = """
import time, sys
begin = time.perf_counter()
import torch, warnings
warnings.filterwarnings("ignore")
program = torch.export.load(sys.argv[1])
loaded = time.perf_counter()
torch.onnx.export(program, f=sys.argv[2], opset_version=18, external_data=False, verbose=False)
print(f"{loaded - begin} {time.perf_counter() - loaded}")
"""


def run(command):
    """(seconds, standard output) of a process."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(err[-500:])
    return time.perf_counter() - begin, out


def peak_bytes(command):
    """The peak resident memory of one run, measured by a child that waits for it."""
    code = "import resource,subprocess,sys; subprocess.run(sys.argv[1:],check=True,stdout=subprocess.DEVNULL," \
           "stderr=subprocess.DEVNULL); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)"
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=True)
    return int(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("names", nargs="*", default=["resnet18", "vgg16", "swin_t"])
    arguments = parser.parse_args()
    print(f"{'model':12} {'file MB':>8} | {'tenon s':>8} {'MB':>6} {'x file':>6} | {'torch.onnx s':>12} {'import s':>8} {'MB':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.names or ["resnet18", "vgg16", "swin_t"]:
            program = str(arguments.models / "static" / f"{name}.pt2")
            size = os.path.getsize(program)
            tenon = [TENON, "export", program, "-o", f"{folder}/tenon.onnx", "--opset", "18"]
            seconds = min(run(tenon)[0] for _ in range(3))
            memory = peak_bytes(tenon)
            torch = [sys.executable, "-c", TORCH, program, f"{folder}/torch.onnx"]
            load, export = map(float, run(torch)[1].split()[-2:])
            torch_memory = peak_bytes(torch)
            print(f"{name:12} {size / 1e6:8.1f} | {seconds:8.3f} {memory / 1e6:6.0f} {memory / size:6.2f} | "
                  f"{export:12.1f} {load:8.1f} {torch_memory / 1e6:6.0f}", flush=True)


if __name__ == "__main__":
    main()
