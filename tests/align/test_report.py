"""report.html: one file that needs nothing else, with all that the JSON says."""

import html.parser
import subprocess

import numpy as np
import pytest
from onnx import helper

from small_models import TENON, convnet, convnet_weights, images, model, record

VOID = {"meta", "br"}


class Page(html.parser.HTMLParser):
    """Checks that elements nest, and gathers the text."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.tags = [], "", set()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for name, value in attributes:
            assert name not in ("src", "href") and not name.startswith("on"), (tag, name, value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text += data


def report(folder, *arguments, status):
    path = folder / "report.html"
    done = subprocess.run([TENON, "align", *map(str, arguments), "--report", path], capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    assert all(len(line) <= 80 for line in done.stdout.splitlines() if str(folder) not in line), done.stdout
    text = path.read_text()
    for outside in ("http://", "https://", "url(", "@import", "<script"):
        assert outside not in text
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == []
    return page, done.stdout


def test_of_equal_models(tmp_path):
    record(tmp_path / "io.npz", convnet(tmp_path / "net.onnx"), images(3))
    page, _ = report(tmp_path, f"recorded:{tmp_path / 'io.npz'}", tmp_path / "net.onnx", "--per-layer", status=0)
    assert "equal" in page.text and "0 of 30 output elements differ" in page.text
    assert "Every value is within what rounding explains" in page.text
    assert "recorded outputs" in page.text and "run by tenon engine" in page.text and "svg" in page.tags


def test_of_different_models(tmp_path):
    convnet(tmp_path / "net.onnx")
    weights = convnet_weights()
    weights["fc.weight"][0] += 1
    convnet(tmp_path / "other.onnx", weights)
    page, printed = report(tmp_path, tmp_path / "net.onnx", tmp_path / "other.onnx", "--per-layer", status=1)
    assert "different" in page.text and "first departure: y" in page.text and "fc.weight" in page.text
    assert "First mismatches" in page.text and "20 of 200 output elements differ" in page.text
    assert "fc.weight" in printed and "20 / 200" in printed


@pytest.mark.parametrize("name", ['<b>&"x"', "späße/0:1", "x" * 300])
def test_any_name(tmp_path, name):
    model([helper.make_node("Relu", [name], ["y" + name], name=name)], {name: [5]}, {"y" + name: [5]},
          path=tmp_path / "m.onnx")
    page, _ = report(tmp_path, tmp_path / "m.onnx", tmp_path / "m.onnx", "--per-layer", status=0)
    assert "y" + name in page.text


def test_nothing_is_half_written(tmp_path):
    convnet(tmp_path / "net.onnx")
    done = subprocess.run([TENON, "align", tmp_path / "net.onnx", tmp_path / "net.onnx", "--samples", "1", "--report",
                           tmp_path / "no" / "report.html"], capture_output=True, text=True)
    assert done.returncode == 2 and "report.html" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.onnx"]


def test_infinite_figures(tmp_path):
    np.savez(tmp_path / "a.npz", **{f"{k}/y": np.float32([k, 1]) for k in range(2)})
    np.savez(tmp_path / "b.npz", **{f"{k}/y": np.float32([k, np.nan]) for k in range(2)})
    page, _ = report(tmp_path, f"recorded:{tmp_path / 'a.npz'}", f"recorded:{tmp_path / 'b.npz'}", status=1)
    assert "∞" in page.text
