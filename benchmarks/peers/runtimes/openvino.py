"""OpenVINO on its CPU plugin."""

import openvino

PRECISION = "INFERENCE_PRECISION_HINT"


def version():
    return openvino.__version__.split("-")[0]


def convert(model, folder):
    path = f"{folder}/model.xml"
    openvino.save_model(openvino.Core().read_model(model["onnx"]), path, compress_to_fp16=False)
    return path


class Program:
    def __init__(self, path, threads, inputs):
        settings = {PRECISION: "f32", "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
        compiled = openvino.Core().compile_model(path, "CPU", settings)
        used = compiled.get_property(PRECISION)
        if used != openvino.Type.f32:
            raise RuntimeError(f"it computes in {used} when told to compute in f32")
        self._request = compiled.create_infer_request()
        self._arrays = inputs  # the tensors only point into them
        for name, array in inputs.items():
            self._request.set_tensor(name, openvino.Tensor(array, shared_memory=True))
        self._outputs = compiled.outputs

    def run(self):
        return self._request.infer(share_outputs=True)

    def answers(self, outputs):
        return [outputs[port] for port in self._outputs]
