"""tenon beside other runtimes, on the same models, turn by turn: ./dev bench peers

The measurement is written as JSON, also while it goes on, and `--from` shows one again:
    date, revision, settings, machine (machine.py)
    contestants  key, title, version, note, is_tenon, in_best
    cells        model, title, threads, macs, bound_ms, results by contestant (measure.py)
"""

import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys

from peers import machine, models, plot, tables
from peers.contestants import Peer, Tenon
from peers.figures import Measurement
from peers.measure import TOLERANCE, measure
from peers.runtimes import PEERS

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "benchmarks"
BUSY_SHARE_MAX = 0.05


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench peers", description=__doc__.split(":", 1)[0])
    parser.add_argument("--models", nargs="+", default=list(models.TITLES), metavar="MODEL",
                        help=f"{', '.join(models.TITLES)} (all), other models of torchvision, or paths of ONNX files")
    parser.add_argument("--threads", default="1,2", help="numbers of threads (1,2)")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"{','.join(PEERS)} (all)")
    parser.add_argument("--tenon", action="append", metavar="[NAME=]PATH",
                        help="an executable; may be repeated, to compare several (build/release/tenon)")
    parser.add_argument("--no-engines", action="store_true", help="leave out engine files (tenon build)")
    parser.add_argument("--turns", type=int, default=15, help="turns of each (15)")
    parser.add_argument("--seconds", type=float, default=0.4, help="of runs in a turn (0.4)")
    parser.add_argument("--loads", type=int, default=3, help="fresh processes whose loading is timed (3)")
    parser.add_argument("--json", type=pathlib.Path, default=FOLDER / "peers.json", metavar="FILE",
                        help="where the measurement goes (build/benchmarks/peers.json)")
    parser.add_argument("--from", dest="measured", type=pathlib.Path, metavar="FILE", help="show this measurement instead")
    parser.add_argument("--docs", action="store_true", help="write docs/benchmarks.md and docs/benchmarks.svg")
    arguments = parser.parse_args()
    arguments.models = [name for names in arguments.models for name in names.split(",")]
    unknown = [key for key in arguments.peers.split(",") if key not in PEERS]
    if unknown:
        parser.error(f"there is no peer '{unknown[0]}'; there are {', '.join(PEERS)}")
    return arguments


def tenons(paths, engines):
    """The executables, called by the names given to them, or tenon, or tenon and a number; each also with the engines
    that it builds."""
    named = [path.split("=", 1) if "=" in path else (None, path) for path in paths]
    titles = [name or ("tenon" if len(named) == 1 else f"tenon {i}") for i, (name, _) in enumerate(named, 1)]
    made = []
    for i, (title, (_, path)) in enumerate(zip(titles, named), 1):
        made.append(Tenon(f"tenon{i}", title, path))
        if engines:
            made.append(Tenon(f"engine{i}", f"{title} engine", path, FOLDER / "engines"))
    return made


def revision():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "of unknown revision"


def write(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(json.dumps(document, indent=1) + "\n")
    temporary.rename(path)


def progress(what):
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)


def measure_all(arguments):
    threads = [int(count) for count in arguments.threads.split(",")]
    executables = tenons(arguments.tenon or [os.environ.get("TENON", str(ROOT / "build" / "release" / "tenon"))],
                         not arguments.no_engines)
    peers = [Peer(PEERS[key], FOLDER / "peers") for key in arguments.peers.split(",")]
    document = {
        "date": datetime.date.today().isoformat(),
        "revision": revision(),
        "settings": {"turns": arguments.turns, "seconds": arguments.seconds, "loads": arguments.loads},
        "machine": machine.describe(threads),
        "contestants": [],
        "cells": [],
    }
    busy = document["machine"]["busy_share"]
    if busy > BUSY_SHARE_MAX:
        print(f"others take {busy:.0%} of the CPUs' time: figures will be noisy", file=sys.stderr)
    for name in arguments.models:
        progress(f"{name}: making the model")
        model = models.prepare(name, executables[0].path, FOLDER)
        for count in threads:
            results = measure(model, count, [*peers, *executables], document["settings"],
                              lambda what: progress(f"{model.title}, {tables.threads_text(count)}: {what}"))
            document["contestants"] = [
                {"key": c.key, "title": c.title, "version": c.version, "note": c.note, "is_tenon": isinstance(c, Tenon),
                 "in_best": c.key in PEERS and PEERS[c.key].in_best} for c in [*executables, *peers]]
            document["cells"].append({"model": model.name, "title": model.title, "threads": count, "macs": model.macs,
                                      "bound_ms": models.bound_ms(executables[0].path, model, count), "results": results})
            write(arguments.json, document)
            progress("")
            print(summary(Measurement(document), model, count), flush=True)
    return document


def summary(m, model, threads):
    """One line as soon as it is known."""
    times = (f"{c['title']} {tables.number(m.ms(model.name, threads, c['key']), '{:.2f}')}" for c in m.contestants)
    return f"{model.title:16} {tables.threads_text(threads):9}  ms: {', '.join(times)}"


def main():
    arguments = parse()
    document = json.loads(arguments.measured.read_text()) if arguments.measured else measure_all(arguments)
    measurement = Measurement(document)
    print(f"\n{tables.text(measurement)}")
    if arguments.docs:
        (ROOT / "docs" / "benchmarks.md").write_text(tables.page(document, models.OPSET, TOLERANCE))
        (ROOT / "docs" / "benchmarks.svg").write_text(plot.draw(measurement))


if __name__ == "__main__":
    main()
