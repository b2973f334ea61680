"""ncnn, on models that its converter pnnx makes of PyTorch's programs, or of an ONNX file that has none."""

import importlib.metadata
import pathlib
import subprocess

import ncnn
import numpy as np

# The package pnnx would import PyTorch; only the program in it is of use.
CONVERTER = importlib.metadata.distribution("pnnx")
HALF_AND_INTEGERS = ("use_fp16", "use_bf16", "use_int8")


def version():
    return f"{ncnn.__version__}, pnnx {CONVERTER.version}"


def source_of(model, folder):
    """What pnnx reads, in the folder that it is to write to. It knows more of TorchScript than of ONNX: ViT's attention."""
    if model["program"] is None:
        source = pathlib.Path(folder, "model.onnx")
        source.symlink_to(model["onnx"])
        return source
    import torch  # only here: a process that runs ncnn has no use for it

    source = pathlib.Path(folder, "model.pt")
    inputs = tuple(torch.rand(shape) for shape in model["shapes"])
    with torch.no_grad():
        torch.jit.trace(torch.export.load(model["program"]).module(), inputs, check_trace=False).save(source)
    return source


def convert(model, folder):
    source = source_of(model, folder)
    shapes = ",".join(str(shape).replace(" ", "") for shape in model["shapes"])
    done = subprocess.run([CONVERTER.locate_file("pnnx/pnnx"), source.name, f"inputshape={shapes}", "fp16=0"], cwd=folder, capture_output=True,
                          text=True, check=False)
    parameters = pathlib.Path(folder, "model.ncnn.param")
    if done.returncode != 0 or not parameters.exists():
        raise RuntimeError(f"pnnx ends with status {done.returncode}")
    for path in pathlib.Path(folder).iterdir():
        if not path.name.startswith("model.ncnn."):
            path.unlink()
    # The operators that pnnx has no layer for keep their dotted names.
    layers = {line.split()[0] for line in parameters.read_text().splitlines()}
    left = sorted(layer for layer in layers if "." in layer or "::" in layer)
    if left:
        raise RuntimeError(f"pnnx finds no layer for {', '.join(left)}")
    return str(parameters)


class Program:
    def __init__(self, path, threads, inputs):
        self._net = ncnn.Net()
        options = self._net.opt
        for option in dir(options):
            if option.startswith(HALF_AND_INTEGERS):
                setattr(options, option, False)
        options.num_threads = threads
        weights = str(pathlib.Path(path).with_suffix(".bin"))
        if self._net.load_param(path) != 0 or self._net.load_model(weights) != 0:
            raise RuntimeError("it cannot load what pnnx made")
        self._arrays = inputs  # ncnn.Mat only points into them
        # Its images have no batch dimension.
        self._inputs = list(zip(self._net.input_names(), (ncnn.Mat(a[0]) for a in inputs.values()), strict=True))
        self._outputs = self._net.output_names()

    def run(self):
        extractor = self._net.create_extractor()
        for name, image in self._inputs:
            extractor.input(name, image)
        outputs = []
        for name in self._outputs:
            status, output = extractor.extract(name)
            if status != 0:
                raise RuntimeError(f"it ends with status {status}")
            outputs.append(output)
        return outputs

    def answers(self, outputs):
        return [np.array(output) for output in outputs]
