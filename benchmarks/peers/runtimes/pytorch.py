"""PyTorch: the exported program, operator by operator."""

import torch
import torch.export.pt2_archive  # with all that torch.export.load would import while it is timed


def version():
    return torch.__version__


def convert(model, folder):
    if model["program"] is None:
        raise RuntimeError("an ONNX file given by path has no PyTorch program")
    return model["program"]


class Program:
    def __init__(self, path, threads, inputs):
        torch.set_num_threads(threads)
        self._module = torch.export.load(path).module()
        self._inputs = [torch.from_numpy(array) for array in inputs.values()]

    @torch.inference_mode()
    def run(self):
        return self._module(*self._inputs)

    def answers(self, outputs):
        return [output.numpy() for output in torch.utils._pytree.tree_leaves(outputs)]
