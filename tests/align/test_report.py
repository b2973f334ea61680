"""report.html: one file that needs nothing else, with all that the JSON says."""

import csv
import html.parser
import io
import json
import re
import subprocess
import urllib.parse

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
        self.tables, self.dots, self.cells = {}, {"within": 0, "beyond": 0}, []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for name, value in attributes:
            assert name != "src" and not name.startswith("on"), (tag, name, value)
            assert name != "href" or value.startswith("data:text/csv"), (tag, name, value)
        attributes = dict(attributes)
        if tag == "a":
            text = urllib.parse.unquote(attributes["href"].partition(",")[2])
            self.tables[attributes["download"]] = list(csv.DictReader(io.StringIO(text, newline="")))
        if tag == "path" and attributes.get("class") in self.dots:
            self.dots[attributes["class"]] += attributes["d"].count("M")
        if tag == "path" and "opacity" in attributes:
            self.cells += [(attributes["fill"], *map(int, found)) for found in
                           re.findall(r"M(\d+),(\d+)h(\d+)v1h-\d+z", attributes["d"])]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text += data


def report(folder, *arguments, status):
    path = folder / "report.html"
    done = subprocess.run([TENON, "align", *map(str, arguments), "--report", path], capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    assert "--json" in arguments or all(len(line) <= 80 for line in done.stdout.splitlines() if str(folder) not in line), done.stdout
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


def test_tables_hold_what_json_says(tmp_path):
    convnet(tmp_path / "net.onnx")
    weights = convnet_weights()
    weights["fc.weight"][0] += 1
    convnet(tmp_path / "other.onnx", weights)
    sides = [tmp_path / "net.onnx", tmp_path / "other.onnx"]
    page, printed = report(tmp_path, *sides, "--per-layer", "--json", status=1)
    said = json.loads(printed)
    for table, rows in (("outputs.csv", said["outputs"]), ("layers.csv", said["layers"])):
        assert [row["name"] for row in page.tables[table]] == [row["name"] for row in rows]
        for shown, row in zip(page.tables[table], rows, strict=True):
            for key in set(shown) & set(row):
                value = row[key]
                if isinstance(value, bool):
                    assert shown[key] == str(value).lower(), key
                elif isinstance(value, int | float):
                    assert float(shown[key]) == value, key
                else:
                    assert shown[key] == (value or ""), key


def test_pictures_show_the_elements_that_differ(tmp_path):
    reference = np.random.default_rng(0).random((5, 1, 8), np.float32)
    candidate = reference.copy()
    candidate[1, 0, 2:4] += 0.5
    candidate[4, 0, 7] -= 0.25
    for name, values in (("a", reference), ("b", candidate)):
        np.savez(tmp_path / f"{name}.npz", **{f"{k}/y": row for k, row in enumerate(values)})
    page, _ = report(tmp_path, f"recorded:{tmp_path / 'a.npz'}", f"recorded:{tmp_path / 'b.npz'}", status=1)
    # All elements, and the worst again; columns are elements, rows samples.
    assert page.dots == {"within": 37, "beyond": 6}
    assert page.cells == [("var(--bad)", 2, 1, 2), ("var(--bad)", 7, 4, 1)]
    at = candidate - reference
    (row,) = page.tables["outputs.csv"]
    assert int(row["mismatched"]) == np.count_nonzero(at) and float(row["max_abs"]) == np.abs(at).max()


def test_a_large_output_makes_no_large_page(tmp_path):
    reference = np.random.default_rng(0).random((3, 4, 250, 330), np.float32)
    candidate = reference + np.random.default_rng(1).normal(0, 1e-5, reference.shape).astype(np.float32)
    for name, values in (("a", reference), ("b", candidate)):
        np.savez(tmp_path / f"{name}.npz", **{f"{k}/y": row for k, row in enumerate(values)})
    page, _ = report(tmp_path, f"recorded:{tmp_path / 'a.npz'}", f"recorded:{tmp_path / 'b.npz'}", status=1)
    assert (tmp_path / "report.html").stat().st_size < 150_000
    assert 400 <= page.dots["within"] + page.dots["beyond"] <= 1000
    assert max(row for _, _, row, _ in page.cells) == 47 and max(c + n for _, c, _, n in page.cells) == 64
    assert "The last two dimensions, 250 by 330" in page.text


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
    (row,) = page.tables["outputs.csv"]
    assert row["percentile_50"] == "0" and row["percentile_90"] == row["max_abs"] == "inf"


def test_percentiles_are_not_exceeded(tmp_path):
    apart = np.random.default_rng(0).random(1000) * 1e-3
    np.savez(tmp_path / "a.npz", y=np.zeros(1000))
    np.savez(tmp_path / "b.npz", y=apart)
    page, _ = report(tmp_path, f"recorded:{tmp_path / 'a.npz'}", f"recorded:{tmp_path / 'b.npz'}", status=1)
    (row,) = page.tables["outputs.csv"]
    for share in (50, 90, 99):
        exact = np.percentile(apart, share)
        assert exact <= float(row[f"percentile_{share}"]) <= min(exact * 1.26, apart.max())
