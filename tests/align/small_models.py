"""Small models for the tests of alignment, as ONNX, and the ways to run tenon on them."""

import json
import os
import pathlib
import subprocess

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2]
TENON = os.environ.get("TENON", str(ROOT / "build" / "release" / "tenon"))


def align(*arguments, python="none", check=None):
    """Runs tenon align --json. Returns the exit status and the object that it printed."""
    command = [TENON, "align", *map(str, arguments), "--json", "--python", str(python)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode in (0, 1, 2), done
    if done.returncode == 2:
        assert len(done.stderr.splitlines()) == 1, done.stderr
    if check is not None:
        assert done.returncode == check, done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout)


def model(nodes, inputs, outputs, initializers=(), opset=18, path=None):
    """A checked ONNX model. `inputs` and `outputs` map names to shapes (float32) or (type, shape)."""
    def info(name, spec):
        element, shape = spec if isinstance(spec, tuple) else (TensorProto.FLOAT, spec)
        return helper.make_tensor_value_info(name, element, shape)

    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in dict(initializers).items()]
    graph = helper.make_graph(nodes, "g", [info(*item) for item in inputs.items()],
                              [info(*item) for item in outputs.items()], tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(made, full_check=True)
    if path is not None:
        onnx.save(made, path)
    return made


def convnet_weights(seed=0):
    random = np.random.default_rng(seed)
    return {
        "conv1.weight": random.normal(0, 0.3, (8, 3, 3, 3)).astype(np.float32),
        "conv1.bias": random.normal(0, 0.3, 8).astype(np.float32),
        "bn.weight": random.uniform(0.5, 1.5, 8).astype(np.float32),
        "bn.bias": random.normal(0, 0.3, 8).astype(np.float32),
        "bn.running_mean": random.normal(0, 0.3, 8).astype(np.float32),
        "bn.running_var": random.uniform(0.5, 1.5, 8).astype(np.float32),
        "fc.weight": random.normal(0, 0.2, (10, 8)).astype(np.float32),
        "fc.bias": random.normal(0, 0.2, 10).astype(np.float32),
    }


def convnet(path, weights=None, opset=18, training=0):
    """Conv, BatchNorm, Relu, average pool, Gemm: [1,3,16,16] to [1,10]."""
    weights = weights or convnet_weights()
    norm = ["conv", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"]
    nodes = [
        helper.make_node("Conv", ["x", "conv1.weight", "conv1.bias"], ["conv"], name="node_conv", pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", norm, ["norm", "mean", "var"] if training else ["norm"], name="node_norm",
                         training_mode=training),
        helper.make_node("Relu", ["norm"], ["relu"], name="node_relu"),
        helper.make_node("GlobalAveragePool", ["relu"], ["pool"], name="node_pool"),
        helper.make_node("Flatten", ["pool"], ["flat"], name="node_flat"),
        helper.make_node("Gemm", ["flat", "fc.weight", "fc.bias"], ["y"], name="node_fc", transB=1),
    ]
    return model(nodes, {"x": [1, 3, 16, 16]}, {"y": [1, 10]}, weights, opset, path)


def images(count, seed=7):
    return np.random.default_rng(seed).random((count, 1, 3, 16, 16), dtype=np.float32)


def run_onnxruntime(made, inputs):
    """Outputs by ONNX Runtime, each input by name."""
    import onnxruntime

    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


def record(path, made, samples, input_name="x", output_name="y", feed=lambda x: x):
    """A recording of ONNX Runtime's outputs; the model sees feed(x) where the recording says x."""
    arrays = {}
    for k, x in enumerate(samples):
        arrays[f"{k}/{input_name}"] = x
        arrays[f"{k}/{output_name}"] = run_onnxruntime(made, {made.graph.input[0].name: feed(x)})[0]
    np.savez(path, **arrays)
