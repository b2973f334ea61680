#!/usr/bin/env python3
"""How far convolutions by each algorithm lie from PyTorch in float64, beside PyTorch in float32.

    ./dev bench accuracy [MODEL...]     torchvision's names; default: resnet18 resnet50 vgg16

`chosen` is what runs without wishes. In the other columns every 3x3 convolution of stride 1 with full channels goes
by that algorithm, whether it pays or not. Figures are root mean squares of the errors over the root mean square of
the outputs, and in brackets over PyTorch's error.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from peers.models import prepare

ROOT = pathlib.Path(__file__).resolve().parents[1]
TENON = os.environ.get("TENON", str(ROOT / "build" / "release" / "tenon"))
ALGORITHMS = {
    "chosen": [],
    "direct": ["conv_first", "conv_depthwise", "conv_blocked"],
    "F(2,3)": ["conv_winograd2"],
    "F(4,3)": ["conv_winograd4"],
    "F(6,3)": ["conv_winograd6"],
}


def rms(values):
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def error(answers, expected):
    """Over all outputs as one vector."""
    difference = np.concatenate([(a.astype(np.float64) - e).ravel() for a, e in zip(answers, expected)])
    return rms(difference) / rms(np.concatenate([e.ravel() for e in expected]))


def tenons(model, kernels, folder):
    saved = folder / "out.npz"
    wishes = [word for kernel in kernels for word in ("--prefer-kernel", kernel)]
    subprocess.run(
        [TENON, "run", model.onnx, "--inputs", model.inputs, "--save", saved, *wishes], check=True, capture_output=True
    )
    made = np.load(saved)
    return [made[name] for name in model.outputs]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["resnet18", "resnet50", "vgg16"])
    names = parser.parse_args().models
    print("| model | PyTorch float32 | " + " | ".join(ALGORITHMS) + " |")
    print("| --- | ---: |" + " ---: |" * len(ALGORITHMS))
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            model = prepare(name, TENON, ROOT / "build" / "benchmarks")
            recorded = np.load(model.program.with_suffix(".io.npz"))
            own = error([recorded[f"0/{output}"] for output in model.outputs], model.expected)
            cells = [f"{own:.1e}"]
            for kernels in ALGORITHMS.values():
                its = error(tenons(model, kernels, pathlib.Path(folder)), model.expected)
                cells.append(f"{its:.1e} ({its / own:.2f})")
            print(f"| {model.title} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
