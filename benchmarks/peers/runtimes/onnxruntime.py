"""ONNX Runtime on its CPU provider, which computes float32 models in float32."""

import onnxruntime

onnxruntime.set_default_logger_severity(3)


def version():
    return onnxruntime.__version__


def convert(model, folder):
    return model["onnx"]


class Program:
    def __init__(self, path, threads, inputs):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._inputs = inputs

    def run(self):
        return self._session.run(None, self._inputs)

    def answers(self, outputs):
        return outputs
