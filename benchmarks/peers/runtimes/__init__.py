"""The runtimes that tenon is measured beside. A module here, named by the peer's key, drives each one:

    version()                             what is installed
    convert(model, folder)                writes the peer's own form of a model (see models.Model) and returns its path
    Program(path, threads, inputs)        opens it for `inputs`, arrays by input name
        .run()                            computes once and returns what `answers` takes
        .answers(outputs)                 the arrays, in the order of the model's outputs

Modules import their runtime at once, so only a worker imports them (worker.py). What fails says why in an exception.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Peer:
    key: str
    title: str
    packages: tuple  # what pip installs; versions that tests/requirements*.txt name hold here, too
    settings: str  # what differs from the runtime's defaults
    packages_without_dependencies: tuple = ()  # installed after the others
    in_best: bool = True  # whether it is one of those that the best is taken of


PEERS = {peer.key: peer for peer in (
    Peer("onnxruntime", "ONNX Runtime", ("onnxruntime",), "the ONNX file as it is; intra_op_num_threads"),
    # Without openvino-telemetry, which reports each import to its vendor.
    Peer("openvino", "OpenVINO", ("numpy", "packaging"),
         "OpenVINO IR with float32 weights; INFERENCE_PRECISION_HINT f32 (bf16 is its default), PERFORMANCE_HINT LATENCY, "
         "INFERENCE_NUM_THREADS", packages_without_dependencies=("openvino==2026.4.*",)),
    Peer("ncnn", "ncnn", ("ncnn==1.0.20261020", "pnnx==20261020"),
         "converted by pnnx from the traced program, with fp16=0; every option for fp16, bf16 and int8 off, Winograd on as shipped, num_threads"),
    Peer("pytorch", "PyTorch", ("torch", "numpy", "pillow"), "the exported program, eager, in inference mode; "
         "set_num_threads", packages_without_dependencies=("torchvision",), in_best=False),
)}
