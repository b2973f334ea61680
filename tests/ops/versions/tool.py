"""The process that runs models in memory through tenon: tests/tools/op_cases.cpp."""

import dataclasses
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
TOOL = os.environ.get("TENON_OP_CASES", str(ROOT / "build" / "release" / "tenon_op_cases"))


@dataclasses.dataclass
class Answer:
    """What tenon says of a model: `error` when it cannot be read, else the rest."""

    error: str = ""
    unsupported: bool = False
    types: list = dataclasses.field(default_factory=list)  # of the outputs, as inferred
    tolerances: list = dataclasses.field(default_factory=list)  # [kind, value] of each node's definition
    reference: list | str = ""  # serialized outputs, or the error
    engine: list | str | None = None
    emitted: dict = dataclasses.field(default_factory=dict)  # opset -> serialized model, or the error


class Tool:
    def __init__(self):
        self.process = None

    def start(self):
        self.process = subprocess.Popen([TOOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()
            self.process = None

    def run(self, model, inputs, kinds, opsets=(), engine=False):
        """`model` and `inputs` are serialized messages, an input being None when it is not given."""
        if self.process is None:
            self.start()
        blobs = [model] + [b"" if data is None else data for data in inputs]
        request = {"kinds": kinds, "sizes": [len(b) for b in blobs], "opsets": list(opsets), "engine": engine}
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n" + b"".join(blobs))
            self.process.stdin.flush()
            line = self.process.stdout.readline()
            if not line:
                raise BrokenPipeError
        except BrokenPipeError:
            status = self.process.wait()
            self.process = None
            return Answer(error=f"tenon ended with status {status}")
        header = json.loads(line)
        data = iter([self.process.stdout.read(size) for size in header["sizes"]])

        def take(part):
            return part["error"] if "error" in part else [next(data) for _ in range(part["count"])]

        if "error" in header:
            return Answer(error=header["error"], unsupported=header["unsupported"])
        answer = Answer(types=header["types"], tolerances=header.get("tolerances", []), reference=take(header["reference"]))
        if engine:
            answer.engine = take(header["engine"])
        for opset, part in zip(opsets, header["emitted"], strict=True):
            emitted = take(part)
            answer.emitted[opset] = emitted if isinstance(emitted, str) else emitted[0]
        return answer
