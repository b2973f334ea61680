#!/usr/bin/env python3
"""Proves that answers have the same bits for any number of threads, in every run, from the model and from its engine file.

    thread_bits.py MODELS [NAME...] [--threads 1,2,3,5,16] [--runs 3]

MODELS is a folder that make_torchvision.py has filled. Each static model runs from its .pt2 file once, and from an engine
file that was built without timing (tenon build --no-tune) as often as asked with each number of threads. Exit status 1
when one answer differs.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
TENON = os.environ.get("TENON", str(ROOT / "build" / "release" / "tenon"))


def tenon(*arguments):
    subprocess.run([TENON, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def bits(model, inputs, folder, threads):
    tenon("run", model, "--inputs", inputs, "--save", folder / "out.npz", "--threads", threads)
    with np.load(folder / "out.npz") as outputs:
        return [outputs[name].tobytes() for name in outputs.files]


def examine(program, threads, runs, folder):
    """The numbers of threads whose answers differ from those of the .pt2 file on one thread."""
    recorded = program.with_suffix(".io.npz")
    with np.load(recorded) as samples, np.load(program.with_suffix(".f64.npz")) as answers:
        np.savez(folder / "in.npz", **{key[2:]: samples[key] for key in samples.files if key not in answers.files})
    first = bits(program, folder / "in.npz", folder, 1)
    engine = folder / "model.engine"
    tenon("build", program, "-o", engine, "--no-tune")
    return [count for count in threads for _ in range(runs) if bits(engine, folder / "in.npz", folder, count) != first]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("names", nargs="*", help="models (default: all that the folder has)")
    parser.add_argument("--threads", default="1,2,3,5,16")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    threads = [int(count) for count in arguments.threads.split(",")]
    programs = sorted((arguments.models / "static").glob("*.pt2"), key=lambda path: path.stat().st_size)
    chosen = [path for path in programs if not arguments.names or path.stem in arguments.names]
    failed = 0
    for program in chosen:
        with tempfile.TemporaryDirectory() as folder:
            different = examine(program, threads, arguments.runs, pathlib.Path(folder))
        failed += bool(different)
        print(f"{program.stem:28} {'other bits on ' + str(different) + ' threads' if different else 'the same bits'}", flush=True)
    print(f"{len(chosen)} models, {failed} with other bits")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
