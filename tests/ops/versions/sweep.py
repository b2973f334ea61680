#!/usr/bin/env python3
"""Runs every case of the catalog through tenon and compares with onnx.reference and ONNX Runtime.

Usage: sweep.py [--op NAME]... [--engine] [--emit some|all] [--usual] [--rulings] [--limit N]
prints what did not pass, and a table of what passed, failed and is not covered

    .venv/bin/python tests/ops/versions/sweep.py --engine --emit some       # the whole proof
"""

import argparse
import collections
import importlib
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from case import CATALOG, Versioned, all_schemas, assignments, qualified
from runner import Runner

for _path in sorted((pathlib.Path(__file__).resolve().parent / "catalog").glob("*.py")):
    importlib.import_module(f"catalog.{_path.stem}")


def all_cases(names=None, usual=False):
    """(versioned, case) for every case of the catalog, or for those of the usual types."""
    for schema in all_schemas():
        name = qualified(schema)
        if name not in CATALOG or (names and name not in names):
            continue
        make = CATALOG[name]
        for types in assignments(schema, make.product)[: 1 if usual and not make.product else None]:
            versioned = Versioned(schema, types)
            for i, case in enumerate(make(versioned)):
                case.name = case.name or str(i)
                yield versioned, case


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--op", action="append", help="only this operator; may be repeated")
    parser.add_argument("--engine", action="store_true", help="also run the engine as shipped, beside the references")
    parser.add_argument("--emit", choices=["some", "all"], help="also write each model at other opsets: those where its operator changed, or all")
    parser.add_argument("--usual", action="store_true", help="only with each operator's usual types")
    parser.add_argument("--rulings", action="store_true", help="count what differs and agrees under each ruling")
    parser.add_argument("--limit", type=int, default=6, help="how many of an operator's failures to print")
    arguments = parser.parse_args()
    runner = Runner(arguments.engine, arguments.emit)
    counts, printed = collections.Counter(), collections.Counter()
    start = time.time()
    for versioned, case in all_cases(arguments.op, arguments.usual):
        outcome = runner.outcome(versioned, case)
        counts[outcome.status] += 1
        if outcome.status != "passed":
            printed[outcome.op] += 1
            if printed[outcome.op] <= arguments.limit:
                print(outcome, flush=True)
    if arguments.rulings:
        for why, found in runner.ruled.items():
            print(dict(found), why, f"(agrees: {runner.examples[why]})" if why in runner.examples else "")
    print(dict(counts), dict(printed), f"{time.time() - start:.1f} s")
    return 1 if set(counts) - {"passed"} else 0


if __name__ == "__main__":
    sys.exit(main())
