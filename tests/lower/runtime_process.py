"""ONNX Runtime in a process of its own, which may crash without taking the caller along.

    with Runtime() as runtime:
        outputs = runtime.run("model.onnx", {"x": array})
"""

import pathlib
import pickle
import subprocess
import sys


class RuntimeFailed(Exception):
    """What ONNX Runtime said of a model; or that its process ended, and by which signal."""


class Runtime:
    def __init__(self):
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()

    def run(self, model, feeds, disabled_optimizers=()):
        """The outputs of the model in this file."""
        if self.process is None:
            command = [sys.executable, pathlib.Path(__file__)]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            pickle.dump((str(model), feeds, list(disabled_optimizers)), self.process.stdin)
            self.process.stdin.flush()
            outputs, error = pickle.load(self.process.stdout)
        except (EOFError, BrokenPipeError):
            status = self.process.wait()
            self.process = None
            raise RuntimeFailed(f"its process ended with status {status}") from None
        if error:
            raise RuntimeFailed(error)
        return outputs


def serve():
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    while True:
        try:
            model, feeds, disabled_optimizers = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        outputs, error = None, ""
        try:
            session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"], disabled_optimizers=disabled_optimizers
            )
            outputs = session.run(None, feeds)
        except Exception as failure:  # noqa: BLE001: its errors have many types, and all go to the caller
            error = f"{type(failure).__name__}: {failure}"
        pickle.dump((outputs, error), sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
