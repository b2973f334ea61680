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
import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE))

import rulings
from case import OLDEST, all_schemas, assignments, qualified
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


def test_rulings_quote_the_standard():
    def words(text):
        return re.sub(r"\s+", " ", text).lower()

    texts = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        parts = [schema.doc, *(a.description for a in schema.attributes.values())]
        parts += [p.description for p in [*schema.inputs, *schema.outputs]]
        texts[schema.name] = texts.get(schema.name, "") + " " + " ".join(parts)
    for ruling in rulings.RULINGS:
        standard = words(" ".join(texts[op] for op in [*ruling.operators.split(), "Cast"]))
        for quote in re.findall("“([^”]+)”", ruling.why):
            for part in quote.split(" ... "):
                assert words(part) in standard, f"{ruling}: {part}"
