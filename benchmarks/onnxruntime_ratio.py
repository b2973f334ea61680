#!/usr/bin/env python3
"""Time of a run by tenon over time by ONNX Runtime, on the same ONNX files, turn by turn.

    benchmarks/onnxruntime_ratio.py MODEL.onnx... [--threads 1,2] [--rounds 5] [--runs 20]

Each round takes the median of --runs runs of one and then of the other; the ratio of a round is free of what the machine
does over minutes. Printed are the median of the ratios and their least and greatest. Batch 1, float32.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import time

import numpy as np
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parents[1]
TENON = os.environ.get("TENON", str(ROOT / "build" / "release" / "tenon"))


def session_of(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    sizes = {i.name: [d if isinstance(d, int) else 1 for d in i.shape] for i in session.get_inputs()}
    return session, {name: random.random(size, np.float32) for name, size in sizes.items()}


def runtime_ms(session, feeds, runs):
    times = []
    for _ in range(runs + 3):
        begin = time.perf_counter()
        session.run(None, feeds)
        times.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(times[3:])


def tenon_ms(path, threads, runs):
    command = [TENON, "bench", path, "--threads", str(threads), "--runs", str(runs), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["runs"][0]["latency_ms"]["median"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("models", nargs="+")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=20)
    arguments = parser.parse_args()
    onnxruntime.set_default_logger_severity(3)
    print(f"{'model':28} {'threads':>7} {'tenon ms':>9} {'peer ms':>9} {'ratio':>6}  least to greatest")
    medians = {}
    for path in arguments.models:
        for threads in map(int, arguments.threads.split(",")):
            session, feeds = session_of(path, threads)
            pairs = []
            for _ in range(arguments.rounds):
                peer = runtime_ms(session, feeds, arguments.runs)
                pairs.append((tenon_ms(path, threads, arguments.runs), peer))
            ratios = [ours / peer for ours, peer in pairs]
            ours, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
            medians.setdefault(threads, []).append(statistics.median(ratios))
            print(f"{pathlib.Path(path).stem:28} {threads:7} {ours:9.2f} {peer:9.2f} {statistics.median(ratios):6.2f}  "
                  f"{min(ratios):.2f} to {max(ratios):.2f}", flush=True)
    for threads, ratios in medians.items():
        print(f"{'geometric mean':28} {threads:7} {'':9} {'':9} {statistics.geometric_mean(ratios):6.2f}")


if __name__ == "__main__":
    main()
