#!/usr/bin/env python3
"""Writes src/ops/core/schemas.inc, the schemas of all ONNX operators as constexpr tables, and src/ir/op_names.def, their names.

Usage: gen_schemas.py [--check] [--output FILE]

Reads the installed `onnx` package, whose version must be the pinned one. With --check nothing is written; the
exit status is 1 when the file differs from what would be written.
"""

import argparse
import pathlib
import re
import sys

import onnx
import onnx.defs

PINNED_VERSION = "1.23.2"
ROOT = pathlib.Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "src/ops/core/schemas.inc"
NAMES = ROOT / "src/ir/op_names.def"

TENSOR_TYPES = {
    "float": 1, "uint8": 2, "int8": 3, "uint16": 4, "int16": 5, "int32": 6, "int64": 7, "string": 8, "bool": 9,
    "float16": 10, "double": 11, "uint32": 12, "uint64": 13, "complex64": 14, "complex128": 15, "bfloat16": 16,
    "float8e4m3fn": 17, "float8e4m3fnuz": 18, "float8e5m2": 19, "float8e5m2fnuz": 20, "uint4": 21, "int4": 22,
    "float4e2m1": 23, "float8e8m0": 24, "uint2": 25, "int2": 26, "float6e2m3": 27, "float6e3m2": 28,
}
# Where a type string of a schema goes in TypeSet.
TYPE_FORMS = [
    (re.compile(r"tensor\((\w+)\)"), "tensors"),
    (re.compile(r"seq\(tensor\((\w+)\)\)"), "sequences"),
    (re.compile(r"optional\(tensor\((\w+)\)\)"), "optionals"),
    (re.compile(r"optional\(seq\(tensor\((\w+)\)\)\)"), "optional_sequences"),
]
OPTIONS = {"Single": "kSingle", "Optional": "kOptional", "Variadic": "kVariadic"}
INFINITE = 2**31 - 1


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def boolean(value):
    return "true" if value else "false"


class Pool:
    """Rows of a table in which equal runs of rows are stored once. A run is named "(first, count)"."""

    def __init__(self):
        self.rows = []
        self.runs = {}

    def add(self, run):
        run = tuple(run)
        if run and run not in self.runs:
            self.runs[run] = len(self.rows)
            self.rows.extend(run)
        return f"({self.runs.get(run, 0)}, {len(run)})"


class Tables:
    def __init__(self):
        self.type_sets = {}
        self.integers = Pool()
        self.strings = Pool()
        self.parameters = Pool()
        self.attributes = Pool()
        self.schemas = []

    def type_set(self, types):
        bits = {field: 0 for _, field in TYPE_FORMS}
        others = False
        for text in types:
            for pattern, field in TYPE_FORMS:
                match = pattern.fullmatch(text)
                if match:
                    bits[field] |= 1 << TENSOR_TYPES[match[1]]
                    break
            else:
                if "map(" not in text:
                    raise SystemExit(f"type {text!r} has no place in TypeSet")
                others = True
        row = "{" + ", ".join(f"{bits[field]:#x}" for _, field in TYPE_FORMS) + f", {boolean(others)}}}"
        return self.type_sets.setdefault(row, len(self.type_sets))

    def parameter(self, p):
        return (f"{{{quote(p.name)}, {OPTIONS[p.option.name]}, {boolean(p.is_homogeneous)}, "
                f"{quote(p.type_str)}, kTypeSets[{self.type_set(p.types)}]}}")

    def attribute(self, a):
        value = onnx.helper.get_attribute_value(a.default_value) if a.default_value.name else None
        default = "kNone"
        fields = ["0", "0", '""', "{}", "{}"]
        kind = a.type.name
        if value is not None:
            if kind == "INT":
                default, fields[0] = "kInt", str(value)
            elif kind == "FLOAT":
                default, fields[1] = "kFloat", float(value).hex() + "f"
            elif kind == "STRING":
                default, fields[2] = "kString", quote(value.decode())
            elif kind == "INTS":
                default, fields[3] = "kInts", "integers" + self.integers.add(str(v) for v in value)
            elif kind == "STRINGS":
                default, fields[4] = "kStrings", "strings" + self.strings.add(quote(v.decode()) for v in value)
            else:
                raise SystemExit(f"attribute {a.name} has a default of type {kind}")
        number = onnx.AttributeProto.AttributeType.Value(kind)
        return (f"{{{quote(a.name)}, {number}, {boolean(a.required)}, {default}, " + ", ".join(fields) + "}")

    def schema(self, s):
        inputs = self.parameters.add(self.parameter(p) for p in s.inputs)
        outputs = self.parameters.add(self.parameter(p) for p in s.outputs)
        attributes = self.attributes.add(self.attribute(s.attributes[name]) for name in sorted(s.attributes))
        arity = ", ".join("kAnyCount" if n == INFINITE else str(n)
                          for n in (s.min_input, s.max_input, s.min_output, s.max_output))
        self.schemas.append(
            f"{{{quote(s.domain)}, {quote(s.name)}, {s.since_version}, {boolean(s.deprecated)}, "
            f"{boolean(s.has_function or s.has_context_dependent_function)}, {arity}, "
            f"parameters{inputs}, parameters{outputs}, attributes{attributes}}}")


def generate():
    if onnx.__version__ != PINNED_VERSION:
        raise SystemExit(f"onnx {PINNED_VERSION} is needed, {onnx.__version__} is installed")
    tables = Tables()
    for s in sorted(onnx.defs.get_all_schemas_with_history(), key=lambda s: (s.domain, s.name, s.since_version)):
        tables.schema(s)

    def table(kind, name, rows):
        return [f"constexpr {kind} {name}[] = {{", *(f"    {row}," for row in rows), "};"]

    def accessor(kind, name, pool):
        return (f"constexpr std::span<const {kind}> {name}(size_t first, size_t count) {{"
                f" return std::span({pool}).subspan(first, count); }}")

    lines = [
        f"// Generated by tools/gen_schemas.py from onnx {PINNED_VERSION}. Do not edit.",
        "// clang-format off",
        *table("TypeSet", "kTypeSets", tables.type_sets),
        *table("int64_t", "kIntegers", tables.integers.rows),
        accessor("int64_t", "integers", "kIntegers"),
        *table("std::string_view", "kStringLists", tables.strings.rows),
        accessor("std::string_view", "strings", "kStringLists"),
        *table("SchemaParameter", "kParameters", tables.parameters.rows),
        accessor("SchemaParameter", "parameters", "kParameters"),
        *table("SchemaAttribute", "kAttributes", tables.attributes.rows),
        accessor("SchemaAttribute", "attributes", "kAttributes"),
        *table("Schema", "kSchemas", tables.schemas),
        "// clang-format on",
    ]
    return "\n".join(lines) + "\n"


def generate_names():
    names = sorted({s.name for s in onnx.defs.get_all_schemas_with_history()})
    lines = [f"// Generated by tools/gen_schemas.py from onnx {PINNED_VERSION}: every operator of the standard. Do not edit."]
    return "\n".join(lines + [f"TENON_OPERATOR({name})" for name in names]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is out of date")
    arguments = parser.parse_args()
    status = 0
    for path, text in ((SCHEMAS, generate()), (NAMES, generate_names())):
        if not arguments.check:
            path.write_text(text)
        elif not path.is_file() or path.read_text() != text:
            print(f"{path} is out of date: run tools/gen_schemas.py", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
