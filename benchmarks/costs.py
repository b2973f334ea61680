#!/usr/bin/env python3
"""Fits the cost model that chooses among direct and Winograd convolutions to what they take on this machine.

    ./dev bench costs [--threads 1,2]

tenon build times every algorithm on 3x3 convolutions of the sizes that networks have, one after the other, so that
each finds its filters out of the caches. For a pair of channels the model takes an algorithm for

    max(2 * tiles * positions * transforms, operations_a_byte * 4 * positions)

operations, where a direct sum has no transforms. Printed are the choices of the model in src/ops/conv/winograd_cost.cpp
beside the fastest, and the constants that come closest to the fastest.
"""

import argparse
import itertools
import json
import math
import os
import pathlib
import subprocess
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[1]
TENON = os.environ.get("TENON", str(ROOT / "build" / "release" / "tenon"))
# Channels and height: of VGG, ResNets, SqueezeNet, Inception, and sizes between theirs.
SHAPES = [
    *((64, 112), (128, 112), (64, 56), (128, 56), (32, 56), (256, 56)),
    *((64, 28), (96, 28), (128, 28), (192, 28), (256, 28), (96, 35), (64, 27)),
    *((48, 13), (64, 13), (128, 14), (192, 17), (256, 14), (384, 14), (512, 14), (256, 8), (448, 8)),
    *((128, 7), (256, 7), (512, 7)),
]
LAYERS = 3  # of each shape: the first one and the last one border on others
TILES = {0: (1, 9), 2: (2, 16), 4: (4, 36)}  # m: outputs of a tile along an axis, positions
KERNELS = {0: "conv_blocked", 2: "conv_winograd2", 4: "conv_winograd4"}


def model():
    """Chains of convolutions, one for each shape."""
    generator = np.random.default_rng(0)
    nodes, weights, inputs, outputs = [], [], [], []
    for channels, size in SHAPES:
        value = f"x_{channels}_{size}"
        inputs.append(helper.make_tensor_value_info(value, TensorProto.FLOAT, [1, channels, size, size]))
        for layer in range(LAYERS):
            name = f"conv_{channels}_{size}_{layer}"
            filters = generator.standard_normal((channels, channels, 3, 3)) / math.sqrt(9 * channels)
            weights.append(numpy_helper.from_array(filters.astype(np.float32), f"{name}.weight"))
            nodes.append(helper.make_node("Conv", [value, f"{name}.weight"], [name], name=name, pads=[1] * 4))
            value = name
        outputs.append(helper.make_tensor_value_info(value, TensorProto.FLOAT, [1, channels, size, size]))
    graph = helper.make_graph(nodes, "convolutions", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])


def tenon(*words):
    return json.loads(subprocess.run([TENON, *words, "--json"], check=True, capture_output=True).stdout)


def algorithm(kernel):
    return next((m for m, prefix in KERNELS.items() if kernel.startswith(prefix)), None)


def shape_of(name):
    channels, size, layer = map(int, name.split("_")[1:])
    return (channels, size), layer


def measure(path, threads):
    """{shape: {m: ms}} of the layers in the middle."""
    engine = path.with_suffix(".engine")
    built = tenon("build", str(path), "-o", str(engine), "--threads", str(threads))
    times = {}
    for step in built["tuned"]:
        shape, layer = shape_of(step["node"])
        if 0 < layer < LAYERS - 1:
            found = {algorithm(c["kernel"]): c["time_ms"] for c in step["candidates"]}
            times[shape] = {m: ms for m, ms in found.items() if m is not None}
    return times


def chosen_now(path):
    layers = tenon("inspect", str(path), "--layers")["layers"]
    return {shape_of(layer["node"])[0]: algorithm(layer["kernel"]) for layer in layers if layer["op"] == "Conv"}


def choose(size, operations_a_byte, transforms):
    def cost(m):
        along, positions = TILES[m]
        tiles = math.ceil(size / along) ** 2
        return max(2 * tiles * positions * transforms[m], operations_a_byte * 4 * positions)

    return min(TILES, key=cost)


def loss(choices, times):
    """The geometric mean of what choices take over what the fastest takes."""
    ratios = [times[s][choices[s]] / min(times[s].values()) for s in times]
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def fit(times):
    grid = itertools.product(np.arange(2, 24.5, 1), np.arange(1, 1.65, 0.05), np.arange(1, 1.65, 0.05))

    def loss_of(constants):
        bytes_, two, four = constants
        choices = {s: choose(s[1], bytes_, {0: 1, 2: two, 4: four}) for s in {shape for shape, _ in times}}
        return loss({key: choices[key[0]] for key in times}, times)

    losses = [(loss_of(constants), constants) for constants in grid]
    least = min(losses)[0]
    # Of all constants that are as good, the middle.
    return least, np.mean([c for value, c in losses if value < least * 1.0005], axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", default="1,2", help="numbers of threads to measure with")
    threads = [int(count) for count in parser.parse_args().threads.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "convolutions.onnx"
        onnx.save(model(), path)
        now = chosen_now(path)
        times = {(shape, count): t for count in threads for shape, t in measure(path, count).items()}
    print("| channels | size | threads | direct ms | F(2,3) | F(4,3) | chosen | over the fastest |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: |")
    for (shape, count), found in times.items():
        cells = " | ".join(f"{found[m]:.3f}" if m in found else "" for m in TILES)
        over = found[now[shape]] / min(found.values())
        print(f"| {shape[0]} | {shape[1]} | {count} | {cells} | {KERNELS[now[shape]]} | {over:.2f} |")
    print(f"\nchosen over the fastest, geometric mean: {loss({k: now[k[0]] for k in times}, times):.3f}")
    least, (bytes_, two, four) = fit(times)
    print(
        f"fitted: operations a byte {bytes_:.1f}, transforms of F(2,3) {two:.2f}, of F(4,3) {four:.2f}: {least:.3f}"
    )


if __name__ == "__main__":
    main()
