#!/usr/bin/env python3
"""Writes torchvision models as .pt2 files with recorded inputs and outputs, for the tests of export and alignment.

    make_torchvision.py OUT [NAME...] [--kinds static,dynamic] [--list]

For each model OUT/KIND/ gets
    NAME.pt2      the exported program; in `dynamic` the first dimension of the input is free
    NAME.io.npz   samples "K/<input>" and "K/<output>" by the program's own names, computed by PyTorch in float32:
                  one with batch 1, and for `dynamic` a second one with batch 3
    NAME.f64.npz  "K/<output>" of the same model and inputs in float64

Weights are random, from a fixed seed. BatchNorm statistics come from forward passes in training mode over random
images, and heads that torchvision starts at zero get random values, so that outputs depend on the inputs. A model
whose outputs do not is reported as an error. Existing files are kept.
"""

import argparse
import copy
import pathlib
import sys
import time
import warnings

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import torchvision_cpu  # noqa: E402, F401
import torchvision  # noqa: E402

SEGMENTATION = ["fcn_resnet50", "deeplabv3_resnet50", "lraspp_mobilenet_v3_large"]
# One of each family: what to try first.
SHORT = ["resnet18", "resnet50", "vgg16", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0", "densenet121",
         "squeezenet1_1", "shufflenet_v2_x1_0", "convnext_tiny", "vit_b_16", "swin_t", "swin_v2_t", "maxvit_t",
         "googlenet", "inception_v3", *SEGMENTATION]
KINDS = ("static", "dynamic")


def all_names():
    """The 80 classification models and the three families of segmentation."""
    return torchvision.models.list_models(module=torchvision.models) + SEGMENTATION


def input_size(name):
    return 299 if name == "inception_v3" else 224


def images(name, count, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, input_size(name), input_size(name), generator=generator)


def build(name):
    """The model in eval mode with random weights and calibrated BatchNorm statistics."""
    torch.manual_seed(0)
    options = {"weights_backbone": None} if name in SEGMENTATION else {}
    if name in ("googlenet", "inception_v3"):
        options["init_weights"] = True
    model = torchvision.models.get_model(name, weights=None, **options)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim >= 2 and not parameter.any():
                torch.nn.init.normal_(parameter, std=0.02)
    calibrate(model, name)
    return model.eval().requires_grad_(False)


def calibrate(model, name):
    """Sets BatchNorm statistics to the averages over random images."""
    norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative average
    model.train()
    with torch.no_grad():
        model(images(name, 4, seed=1))
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum


def flatten(outputs):
    return torch.utils._pytree.tree_flatten(outputs)[0]


def write(path, save):
    """Calls save(temporary path) and renames, so that an interrupted run leaves no half-written file."""
    temporary = path.with_name("." + path.name)
    save(temporary)
    temporary.rename(path)


def make(name, out, kinds=KINDS):
    """Writes the files of one model. Returns a line that says what was made."""
    todo = [kind for kind in kinds if not (out / kind / f"{name}.f64.npz").exists()]
    if not todo:
        return "present"
    start = time.time()
    model = build(name)
    samples = [images(name, 1, seed=2), images(name, 3, seed=3)]
    with torch.no_grad():
        results = [flatten(model(x)) for x in samples]
        spread = float((results[1][0][0] - results[1][0][1]).abs().max())
        if not 0 < spread < float("inf"):
            raise RuntimeError(f"{name}: the outputs do not depend on the input")
    programs = {}
    for kind in todo:
        example = images(name, 1 if kind == "static" else 2, seed=4)
        shapes = None if kind == "static" else ({0: torch.export.Dim("batch")},)
        programs[kind] = torch.export.export(model, (example,), dynamic_shapes=shapes)
        (out / kind).mkdir(parents=True, exist_ok=True)
        write(out / kind / f"{name}.pt2", lambda path: torch.export.save(programs[kind], str(path)))
    wide = copy.deepcopy(model).double()
    with torch.no_grad():
        references = [flatten(wide(x.double())) for x in samples]
    for kind in todo:
        signature = programs[kind].graph_signature
        input_name = signature.user_inputs[0]
        io, reference = {}, {}
        for k in range(1 if kind == "static" else 2):
            io[f"{k}/{input_name}"] = samples[k].numpy()
            for output_name, value, exact in zip(signature.user_outputs, results[k], references[k]):
                io[f"{k}/{output_name}"] = value.numpy()
                reference[f"{k}/{output_name}"] = exact.numpy()
        for suffix, arrays in (("io", io), ("f64", reference)):
            write(out / kind / f"{name}.{suffix}.npz", lambda path: np.savez(open(path, "wb"), **arrays))
    return f"{time.time() - start:.1f} s, spread {spread:.3g}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("names", nargs="*", help="models; 'short' (the default) is one of each family, 'all' all")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--list", action="store_true", help="print the names and exit")
    arguments = parser.parse_args()
    names = []
    for name in arguments.names or ["short"]:
        names += all_names() if name == "all" else SHORT if name == "short" else [name]
    if arguments.list:
        print("\n".join(names))
        return 0
    warnings.filterwarnings("ignore")
    failed = 0
    for name in names:
        try:
            line = make(name, arguments.out, arguments.kinds.split(","))
        except Exception as error:
            line, failed = f"FAILED: {type(error).__name__}: {error}".split("\n")[0], failed + 1
        print(f"{name:30} {line}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
