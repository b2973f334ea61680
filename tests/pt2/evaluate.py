"""Runs the programs that tenon_pt2_json prints, with PyTorch's own operators: what tenon read and rewrote must
compute what the module computes."""

import json
import math
import operator
import os
import pathlib
import subprocess

import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TENON_BUILD", ROOT / "build" / "release"))
MEMORY_FORMATS = [None, torch.contiguous_format, torch.channels_last, torch.channels_last_3d, torch.preserve_format]


def read(path, functional=False):
    """The program in the file as a dictionary; {"error": message} when tenon refuses it."""
    command = [BUILD / "tenon_pt2_json", path] + (["functional"] if functional else [])
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode in (0, 1), (result.returncode, result.stderr)
    return json.loads(result.stdout)


def dtype(name):
    return getattr(torch, {"float8e4m3fn": "float8_e4m3fn"}.get(name, name))


def value_of(argument, values):
    tag, body = argument
    if tag == "value":
        return values[body]
    if tag == "values":
        return [None if name is None else values[name] for name in body]
    if tag == "symbols":
        return [values[item] if isinstance(item, str) else item for item in body]
    if tag == "float":
        return float(body)
    if tag == "floats":
        return [float(item) for item in body]
    if tag == "complex":
        return complex(float(body[0]), float(body[1]))
    if tag == "dtype":
        return dtype(body)
    if tag == "memory_format":
        return MEMORY_FORMATS[body]
    if tag == "layout":
        return torch.strided
    if tag == "device":
        return torch.device(body)
    if tag == "nested":
        return [[values[name] for name in names] for names in body]
    if tag == "dictionary":
        return {key: value_of(item, values) for key, item in body.items()}
    return body  # plain, none, graph


def function(target):
    namespace, _, name = target.partition(".")
    if namespace == "_operator":
        return getattr(operator, name)
    if namespace == "math":
        return getattr(math, name)
    if namespace == "torch":
        return getattr(torch, name)
    result = torch.ops
    for part in target.split("."):
        result = getattr(result, part)
    return result


def higher_order(name, args):
    if name == "cond":
        return run(args[1] if bool(args[0]) else args[2], args[3])
    if name == "while_loop":
        condition, body, carried, extra = args
        while bool(run(condition, [*carried, *extra])[0]):
            carried = run(body, [*carried, *extra])
        return carried
    if name == "scan":
        body, carried, rows, extra = args
        gathered = []
        for i in range(rows[0].shape[0]):
            results = run(body, [*carried, *[row[i] for row in rows], *extra])
            carried = results[: len(carried)]
            gathered.append(results[len(carried) :])
        return [*carried, *[torch.stack(column) for column in zip(*gathered)]]
    if name == "map_impl":
        body, rows, extra = args
        results = [run(body, [*[row[i] for row in rows], *extra]) for i in range(rows[0].shape[0])]
        return [torch.stack(column) for column in zip(*results)]
    raise NotImplementedError(name)


def bind(outputs, results, values):
    """Gives the results of a node their names."""
    if len(outputs) == 1 and outputs[0][0] == "values":
        values.update(zip(outputs[0][1], results))
    elif len(outputs) == 1 and not isinstance(results, (list, tuple)):
        values[outputs[0][1]] = results
    else:
        for (tag, name), result in zip(outputs, results):
            if tag == "value":
                values[name] = result


def run(graph, inputs):
    """The outputs of a graph, with symbolic sizes as plain numbers."""
    values = {name: value for (tag, name), value in zip(graph["inputs"], inputs) if tag == "value"}
    for node in graph["nodes"]:
        target = node["target"]
        arguments = [(name, value_of(item, values), keyword) for name, item, keyword in node["inputs"]]
        before = {name: value.clone() for name, value in values.items() if isinstance(value, torch.Tensor)}
        if target.startswith("higher_order."):
            results = higher_order(target.split(".")[1], [value for _, value, _ in arguments])
        elif target.startswith("aten."):
            results = function(target)(**{name: value for name, value, _ in arguments})
        else:
            results = function(target)(*[value for _, value, _ in arguments])
        for name, value in before.items():
            assert torch.equal(torch.nan_to_num(value), torch.nan_to_num(values[name])), f"{target} changed {name}"
        bind(node["outputs"], results, values)
    return [value_of(item, values) for item in graph["outputs"]]


def run_program(program, weights, leaves):
    """All outputs in order; `weights` by PyTorch's names, `leaves` the flattened user inputs."""
    leaves = iter(leaves)
    inputs = [weights[target] if target else next(leaves) for _, _, target, _ in program["input_specs"]]
    return run(program["graph"], inputs)
