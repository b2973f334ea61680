#!/usr/bin/env python3
"""Writes the backend test suite of the installed `onnx` package as folders in ONNX's test layout.

Usage: dump.py [OUTPUT_DIR]        (default: build/onnx-suite)

Each case becomes OUTPUT_DIR/KIND/NAME with model.onnx, test_data_set_N/{input,output}_K.pb and data.json, which
holds the case's tolerance ("rtol", "atol") and, where the expected elements are numpy's random numbers, "answer":
"bernoulli". KIND is node, simple, pytorch-converted, pytorch-operator or real.
"""

import json
import pathlib
import shutil
import sys

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.backend.test.loader import load_model_tests
from onnx.backend.test.runner import Runner

PINNED_VERSION = "1.23.2"
ROOT = pathlib.Path(__file__).resolve().parents[2]
SITE_PACKAGES = pathlib.Path(onnx.__file__).resolve().parent.parent
KINDS = ["node", "simple", "pytorch-converted", "pytorch-operator", "real"]
CASE_COUNT = 2033


def to_proto(value, info):
    """The message that holds `value`, which has the type of the graph's input or output `info`."""
    if info.type.HasField("map_type"):
        return numpy_helper.from_dict(value, info.name)
    if info.type.HasField("sequence_type"):
        return numpy_helper.from_list(value, info.name)
    if info.type.HasField("optional_type"):
        return numpy_helper.from_optional(value, info.name)
    if isinstance(value, TensorProto):
        return value
    return numpy_helper.from_array(np.asarray(value), info.name)


def write_values(folder, prefix, values, infos):
    for k, (value, info) in enumerate(zip(values, infos, strict=False)):
        (folder / f"{prefix}_{k}.pb").write_bytes(to_proto(value, info).SerializeToString())


def true_inputs(model):
    initializers = {i.name for i in model.graph.initializer}
    return [i for i in model.graph.input if i.name not in initializers]


def write_made_case(case, folder):
    """A case that the package's Python makes: model and values are in memory."""
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    for n, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{n}"
        data.mkdir()
        write_values(data, "input", inputs, case.model.graph.input)
        write_values(data, "output", outputs, case.model.graph.output)


def write_light_case(case, folder):
    """A real architecture with made-up weights: the package holds the model and the outputs for arange(n)/n."""
    source = SITE_PACKAGES / case.url
    shutil.copy(source, folder / "model.onnx")
    model = onnx.load(source)
    data = folder / "test_data_set_0"
    data.mkdir()
    for k, info in enumerate(true_inputs(model)):
        value = Runner.generate_dummy_data(info, seed=0, name=case.model_name, random=False)
        (data / f"input_{k}.pb").write_bytes(numpy_helper.from_array(value, info.name).SerializeToString())
    for k in range(len(model.graph.output)):
        shutil.copy(source.with_name(f"{source.stem}_output_{k}.pb"), data / f"output_{k}.pb")


def main():
    if onnx.__version__ != PINNED_VERSION:
        raise SystemExit(f"onnx {PINNED_VERSION} is needed, {onnx.__version__} is installed")
    output = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "onnx-suite"
    count = 0
    for kind in KINDS:
        for case in load_model_tests(kind=kind):
            folder = output / kind / case.name
            shutil.rmtree(folder, ignore_errors=True)
            if case.model_dir is not None:
                shutil.copytree(case.model_dir, folder)
            else:
                folder.mkdir(parents=True)
                if case.model is not None:
                    write_made_case(case, folder)
                else:
                    write_light_case(case, folder)
            facts = {"rtol": case.rtol, "atol": case.atol}
            if case.name.startswith("test_bernoulli"):
                facts["answer"] = "bernoulli"
            (folder / "data.json").write_text(json.dumps(facts) + "\n")
            count += 1
    print(f"{count} cases in {output}")
    if count != CASE_COUNT:
        raise SystemExit(f"the suite of onnx {PINNED_VERSION} has {CASE_COUNT} cases")


if __name__ == "__main__":
    main()
