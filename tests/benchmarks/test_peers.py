"""./dev bench peers: its figures beside values worked out by hand, who is left out and why, and a run on a small model."""

import json
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TENON = os.environ.get("TENON", str(ROOT / "build" / "release" / "tenon"))
sys.path.insert(0, str(ROOT / "benchmarks"))
from peers import contestants, figures, models, plot, tables  # noqa: E402
from peers.measure import measure  # noqa: E402


def contestant(key, is_tenon=False, in_best=True):
    return {"key": key, "title": key.upper(), "version": "1.2", "note": "a note", "is_tenon": is_tenon,
            "in_best": in_best and not is_tenon}


def result(*ms):
    return {"load_ms": [30, 10, 20], "peak_bytes": 5_000_000, "distance": 1e-6, "ms": list(ms)}


@pytest.fixture
def measurement():
    """Two models: x is faster than tenon, y slower and missing once, z fast and not among those that the best is of."""
    cell = {"title": "Model One", "threads": 1, "macs": 500_000_000}
    return figures.Measurement({
        "date": "2026-01-02", "revision": "abc", "settings": {"turns": 3, "seconds": 0.4, "loads": 3},
        "machine": {"cpu": "a CPU", "cpus": 2, "flags": ["fma"], "memory_bytes": 2**34, "system": "Linux", "busy_share": 0.01,
                    "limits": {"1": {"threads": 1, "isa": "avx2", "fma_gflops": 200.0, "read_gbps": 20.0}}},
        "contestants": [contestant("t", is_tenon=True), contestant("x"), contestant("y"), contestant("z", in_best=False)],
        "cells": [
            {"model": "one", **cell, "bound_ms": 7.5,
             "results": {"t": result(10, 12, 8), "x": result(5, 4, 8), "y": result(20, 20, 20), "z": result(1, 1, 1)}},
            {"model": "two", **cell, "title": "Model Two",
             "results": {"t": result(9, 9, 9), "x": result(1, 1, 1), "y": {"reason": "no layer for Roll"},
                         "z": result(3, 3, 3)}},
        ],
    })


def test_ratios_are_medians_over_turns_with_the_middle_half(measurement):
    assert measurement.ratio("one", 1, "t", "x") == figures.Spread(1.5, 2.0, 2.5)  # 2, 3, 1
    assert measurement.best("one", 1) == "x"
    assert measurement.ratio("two", 1, "t", "y") is None
    # 2 * 5e8 operations in 10 ms are 100 GFLOP/s.
    assert measurement.share_of_peak("one", 1, "t") == pytest.approx(0.5)
    assert figures.geometric_mean([2.0, 8.0, None]) == (pytest.approx(4.0), 2)
    assert figures.geometric_mean([None]) is None


def test_the_text_says_who_is_missing_and_why(measurement):
    text = tables.text(measurement)
    lines = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]]
             for line in tables.ratios(measurement, 1, measurement.tenons[0]).splitlines()}
    assert lines["Model One"] == ["2.00 (1.50–2.50)", "0.50 (0.45–0.55)", "10.00 (9.00–11.00)", "2.00 (X)", "50%"]
    assert lines["Model Two"][1] == "-"
    assert lines["geometric mean"] == ["4.24", "0.50 (of 1)", "5.48", "4.24", ""]  # the roots of 18, and of 30
    assert "- Y, Model Two: no layer for Roll" in text
    assert "20 / 5" in text
    times = {line.split("|")[1].strip(): line.split("|")[-2].strip() for line in tables.times(measurement, 1).splitlines()}
    assert times["Model One"] == "7.5" and times["Model Two"] == "-"


def test_the_page_and_the_picture_hold_all_models(measurement):
    page = tables.page(measurement.document, opset=18, tolerance=1e-3)
    picture = xml.etree.ElementTree.fromstring(plot.draw(measurement))
    texts = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    for content in (page.splitlines(), texts):
        for title in ("Model One", "Model Two", "geometric mean"):
            assert any(title in line for line in content)
    assert "* Y, Model Two: no layer for Roll" in page and "200 GFLOP/s" in page


def test_two_executables_stand_beside_each_other(measurement):
    document = measurement.document
    document["contestants"].insert(1, contestant("t2", is_tenon=True))
    for cell in document["cells"]:
        cell["results"]["t2"] = result(2, 2, 2)
    both = figures.Measurement(document)
    first, second = ([[cell.strip() for cell in line.split("|")[1:-1]] for line in tables.ratios(both, 1, subject).splitlines()]
                     for subject in both.tenons)
    assert first[0] == ["T ÷", "X", "Y", "Z", "the best", "share of peak"]
    assert second[0] == ["T2 ÷", "T", "X", "Y", "Z", "the best", "share of peak"]
    assert second[2][:2] == ["Model One", "0.20 (0.18–0.23)"]  # 2/10, 2/12, 2/8: the last of the quartiles is 0.225


class Fake:
    """A contestant that answers as told and notes what is asked of it."""

    def __init__(self, key, answer, fails_in_turn=None):
        self.key = self.title = key
        self.answer, self.fails_in_turn, self.calls = answer, fails_in_turn, []

    def prepare(self, model):
        self.calls.append("prepare")

    def start(self, model, threads):
        self.calls.append("start")
        return contestants.Opening(3.0, 100, self.answer)

    def turn(self, seconds):
        self.calls.append("turn")
        if self.calls.count("turn") == self.fails_in_turn:
            raise RuntimeError("it crashed")
        return 1.0

    def stop(self):
        self.calls.append("stop")


def model_of(expected):
    return models.Model("m", "M", pathlib.Path("m.onnx"), None, [[1, 2]], ["y"], 1, pathlib.Path("m.npz"), expected)


def test_nobody_is_timed_on_wrong_answers():
    right, nan = np.array([[1.0, -4.0]]), np.array([[1.0, np.nan]])
    some = [Fake("right", [right]), Fake("wrong", [right + 0.01]), Fake("nan", [nan]), Fake("short", [right[:, :1]]),
            Fake("crashing", [right], fails_in_turn=2)]
    results = measure(model_of([right]), 1, some, {"loads": 2, "turns": 3, "seconds": 0}, lambda what: None)
    assert results["right"] == {"load_ms": [3.0, 3.0], "peak_bytes": 100, "distance": 0.0, "ms": [1.0, 1.0, 1.0]}
    assert results["wrong"] == {"reason": "its answer is wrong by 2.5e-03 of the largest output"}
    assert "wrong by inf" in results["nan"]["reason"]
    assert results["short"] == {"reason": "it gives 1 elements instead of 2"}
    assert results["crashing"] == {"reason": "it crashed"}
    assert [fake.calls.count("turn") for fake in some] == [3, 0, 0, 0, 2]
    assert all(fake.calls[-1] == "stop" for fake in some)


def test_without_a_recording_the_first_answer_is_what_others_are_held_to():
    some = [Fake("first", [np.ones(2)]), Fake("other", [np.zeros(2)])]
    results = measure(model_of(None), 1, some, {"loads": 1, "turns": 1, "seconds": 0}, lambda what: None)
    assert results["first"]["distance"] == 0.0
    assert "wrong by 1.0e+00" in results["other"]["reason"]


def test_a_small_model_is_measured_beside_onnx_runtime(tmp_path):
    """The tests' environment has ONNX Runtime, and no OpenVINO."""
    onnx, out = tmp_path / "digits.onnx", tmp_path / "out.json"
    subprocess.run([TENON, "export", ROOT / "demo" / "digits.pt2", "-o", onnx], check=True, capture_output=True)
    command = [sys.executable, "-m", "peers", "--models", onnx, "--threads", "1", "--peers", "onnxruntime,openvino",
               "--tenon", f"old={TENON}", "--tenon", f"new={TENON}", "--turns", "2", "--seconds", "0", "--loads", "1",
               "--json", out]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "benchmarks")}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True, env=environment)
    (cell,) = json.loads(out.read_text())["cells"]
    for key in ("tenon1", "tenon2", "onnxruntime"):
        measured = cell["results"][key]
        assert len(measured["ms"]) == 2 and min(measured["ms"]) > 0
        assert len(measured["load_ms"]) == 1 and measured["peak_bytes"] > 0
        assert measured["distance"] < 1e-5
    assert "No module named 'openvino'" in cell["results"]["openvino"]["reason"]
    assert "new ÷" in done.stdout and "- OpenVINO, digits: it cannot be imported" in done.stdout
    again = subprocess.run([*map(str, command[:3]), "--from", str(out)], capture_output=True, text=True, check=True, env=environment)
    assert again.stdout.strip() in done.stdout
