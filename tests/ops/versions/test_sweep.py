"""Every operator of the registry, in every version and for every element type, beside onnx.reference, ONNX Runtime and
results worked out by hand; the engine beside the references; what was inferred; models written at other opsets.

Here runs one case for each (operator, version, type), chosen by the name of the case, so the same ones every time. All
of them, with all checks, by:

    .venv/bin/python tests/ops/versions/sweep.py --engine --emit some
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import zlib

import onnx
import onnx.backend.test.loader
import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE))

import checks
import rulings
from case import Versioned, all_schemas, assignments, qualified
from runner import Runner
from sweep import all_cases

TENON = os.environ.get("TENON", str(ROOT / "build" / "release" / "tenon"))

# What has no case ("Operator-version variable=type", as a pattern), and why.
NOT_COVERED = [
    (r"Col2Im-18 T=tensor\(string\)", "it adds, and strings have no sum"),
]


def registry():
    listed = subprocess.run([TENON, "ops", "--json"], capture_output=True, text=True, check=True)
    return [o for o in json.loads(listed.stdout)["operators"] if o["supported"]]


def chosen(cases):
    """One case of each (operator, version, types): the first in an order that has nothing to do with the catalog's."""
    by_types = {}
    for versioned, case in cases:
        key = qualified(versioned.schema), versioned.version, tuple(sorted(versioned.types.items()))
        by_types.setdefault(key, []).append((versioned, case))
    for key, found in by_types.items():
        yield min(found, key=lambda pair: zlib.crc32(repr((key, pair[1].name)).encode()))


@pytest.fixture(scope="module")
def everything():
    return list(all_cases())


def test_agrees_with_oracles(everything):
    runner = Runner(engine=True)
    wrong = [str(o) for o in (runner.outcome(v, c) for v, c in chosen(everything)) if o.status != "passed"]
    assert not wrong, f"{len(wrong)} cases\n" + "\n".join(wrong[:40])


def test_every_version_and_type_has_a_case(everything):
    covered = {(qualified(v.schema), v.version, tuple(sorted(v.types.items()))) for v, _ in everything}
    of_type = {(op, version, name, t) for op, version, types in covered for name, t in types}
    schemas = {}
    for schema in all_schemas():
        schemas.setdefault(qualified(schema), []).append(schema)
    lacking = []
    for operator in registry():
        name = f"{operator['domain']}.{operator['name']}" if operator["domain"] else operator["name"]
        for schema in schemas.get(name, []):
            if schema.since_version not in operator["versions"]:
                lacking.append(f"{name}-{schema.since_version} is not a version of the registry")
            if not any(op == name and version == schema.since_version for op, version, _ in covered):
                lacking.append(f"{name}-{schema.since_version}")
                continue
            used = {p.type_str for p in [*schema.inputs, *schema.outputs]}
            for constraint in schema.type_constraints:
                if constraint.type_param_str in used:
                    lacking += [
                        f"{name}-{schema.since_version} {constraint.type_param_str}={t}"
                        for t in constraint.allowed_type_strs
                        if (name, schema.since_version, constraint.type_param_str, t) not in of_type
                    ]
        if name not in schemas:
            lacking.append(name)
    excused = lambda item: any(re.fullmatch(pattern, item) for pattern, _ in NOT_COVERED)  # noqa: E731
    assert [item for item in lacking if not excused(item)] == []
    assert [p for p, _ in NOT_COVERED if not any(re.fullmatch(p, item) for item in lacking)] == [], "have cases by now"


def test_models_at_other_opsets(everything):
    """One case of each (operator, version), of the usual types."""
    runner = Runner(emit="some")
    first = {}
    for versioned, case in everything:
        first.setdefault((qualified(versioned.schema), versioned.version), (versioned, case))
    wrong = [str(o) for o in (runner.outcome(v, c) for v, c in first.values()) if o.status != "passed"]
    assert not wrong, f"{len(wrong)} cases\n" + "\n".join(wrong[:40])


@pytest.mark.parametrize(
    ("error", "wrong"),
    [
        ("Optional exists since opset 15 and opset 11 was asked for", False),
        ("Optional exists since opset 14 and opset 11 was asked for", True),
        ("Optional exists since opset 15 and opset 16 was asked for", True),
        ("Pad takes string as input 'data' since opset 13 and opset 11 was asked for", False),
        ("Pad takes string as input 'data' since opset 18 and opset 13 was asked for", True),
        ("Pad takes float32 as input 'data' since opset 13 and opset 11 was asked for", True),
        ("Scan is not supported", False),
        ("something is not supported", True),
    ],
)
def test_what_errors_say_of_versions_is_checked(error, wrong):
    schema = next(s for s in all_schemas() if s.name == "Scan")
    assert bool(checks.error_wrong(error, Versioned(schema, {}))) == wrong


def test_rulings_are_needed(everything):
    """Each takes the say from an oracle that, in some case, does differ."""
    runner = Runner()
    by_operator = {}
    for versioned, case in everything:
        by_operator.setdefault(versioned.op, []).append((versioned, case))
    needless = []
    for ruling in rulings.RULINGS:
        cases = (pair for op in ruling.operators.split() for pair in by_operator[op] if ruling.applies(*pair))
        for versioned, case in cases:
            if runner.ruled[str(ruling)]["differs"]:
                break
            runner.outcome(versioned, case)
        if not runner.ruled[str(ruling)]["differs"]:
            needless.append(str(ruling))
    assert needless == []


def section_of(schema, section):
    """The text of a section as Ruling names it, or None."""
    if section == "summary":
        return schema.doc
    kind, _, name = section.rpartition(" ")
    if kind == "attribute":
        return schema.attributes[name].description if name in schema.attributes else None
    formals = schema.inputs if kind.endswith("input") else schema.outputs
    formal = next((p for p in formals if p.name == name), None)
    return formal and (formal.type_str if kind.startswith("type of") else formal.description)


def words_of(text):
    return re.sub(r"\s+", " ", text or "").lower()


def test_rulings_quote_the_standard(everything):
    """In every version that they apply to; where there is nothing to quote, an oracle keeps a say."""
    suite = {case.name for case in onnx.backend.test.loader.load_model_tests(kind="node")}
    wrong = []
    for ruling in rulings.RULINGS:
        if ruling.suite and f"test_{ruling.suite}" not in suite:
            wrong.append(f"{ruling}: the suite has no case {ruling.suite}")
        if not (ruling.words or ruling.suite or ruling.within):
            wrong.append(f"{ruling}: by which words?")
        if not ruling.words:
            continue
        schemas = {v.version: v.schema for v, c in everything if v.op in ruling.operators.split() and ruling.applies(v, c)}
        section = ruling.section
        if of := re.match(r"(\w+)-(\d+) ", section):
            section = section.removeprefix(of[0])
            schemas = {int(of[2]): onnx.defs.get_schema(of[1], int(of[2]))}
        for schema in schemas.values():
            text = words_of(section_of(schema, section))
            if not all(words_of(part) in text for part in ruling.words.split(" ... ")):
                wrong.append(f"{ruling}: {schema.name}-{schema.since_version} {section}")
    assert wrong == []
