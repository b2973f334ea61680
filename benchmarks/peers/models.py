"""The model files that all runtimes get, with an input and the answer expected."""

import dataclasses
import json
import pathlib
import re
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
TITLES = {
    "resnet18": "ResNet-18", "resnet50": "ResNet-50", "vgg16": "VGG-16", "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3_large": "MobileNetV3-L", "squeezenet1_1": "SqueezeNet 1.1", "efficientnet_b0": "EfficientNet-B0",
    "shufflenet_v2_x1_0": "ShuffleNetV2", "densenet121": "DenseNet-121", "vit_b_16": "ViT-B/16",
    "convnext_tiny": "ConvNeXt-Tiny", "swin_t": "Swin-T",
}
OPSET = 18


@dataclasses.dataclass(frozen=True)
class Model:
    name: str
    title: str
    onnx: pathlib.Path
    program: pathlib.Path | None  # what PyTorch exported
    shapes: list  # of the inputs, in order
    outputs: list  # their names, in order
    macs: int  # multiply-adds of convolutions and matrix products, by the plain algorithms
    inputs: pathlib.Path  # an .npz by input name
    expected: list | None  # the outputs as PyTorch computes them in float64; None for a file given by path

    def for_worker(self):
        return {"onnx": str(self.onnx), "program": str(self.program) if self.program else None, "shapes": self.shapes}


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError((done.stderr or done.stdout).strip().split("\n")[-1])
    return done.stdout


def bound_ms(tenon, model, threads):
    """The least that the machine could take for the algorithms that tenon chose."""
    described = json.loads(run(tenon, "inspect", model.onnx, "--time", "--threads", threads, "--json"))
    return sum(layer["bound_ms"] for layer in described["layers"])


def type_of(port):
    """(NumPy's type, shape) of a port that `tenon inspect` describes; open dimensions are 1."""
    match = re.fullmatch(r"(\w+)\[(.*)\]", port["type"])
    if not match:
        raise RuntimeError(f"the input {port['name']} is {port['type']}")
    sizes = [size.strip() for size in match[2].split(",") if size.strip()]
    return np.dtype(match[1]), [int(size) if size.isdigit() else 1 for size in sizes]


def prepare(name, tenon, folder):
    """The model called `name`, or the ONNX file at that path. Its files are made in `folder`."""
    if name.endswith(".onnx"):
        onnx, program, name = pathlib.Path(name).resolve(), None, pathlib.Path(name).stem
    else:
        onnx, program = folder / "onnx" / f"{name}.onnx", folder / "models" / "static" / f"{name}.pt2"
        run(sys.executable, ROOT / "tests" / "models" / "make_torchvision.py", folder / "models", name, "--kinds=static")
        onnx.parent.mkdir(parents=True, exist_ok=True)
        run(tenon, "export", program, "-o", onnx, "--opset", OPSET)
    description = json.loads(run(tenon, "inspect", onnx, "--json"))
    inputs = {port["name"]: type_of(port) for port in description["inputs"] if not port.get("has_default")}
    outputs = [port["name"] for port in description["outputs"]]
    if program:
        recorded, exact = np.load(program.with_suffix(".io.npz")), np.load(program.with_suffix(".f64.npz"))
        arrays = {name: recorded[f"0/{name}"] for name in inputs}
        expected = [exact[f"0/{name}"] for name in outputs]
    else:
        draw = np.random.default_rng(0)
        arrays = {key: draw.random(shape).astype(kind) for key, (kind, shape) in inputs.items()}
        expected = None
    path = folder / "inputs" / f"{name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return Model(name, TITLES.get(name, name), onnx, program, [shape for _, shape in inputs.values()], outputs,
                 description["macs"], path, expected)
