"""The two lines of Python in docs/guide/align.md that record outputs, run as they stand there."""

import re
import subprocess

import numpy as np
import torch

from small_models import ROOT, TENON, align


def test_the_two_lines(tmp_path, monkeypatch):
    guide = (ROOT / "docs" / "guide" / "align.md").read_text()
    lines = re.search(r"```python\n(.*?)```", guide, re.S).group(1)
    assert len(lines.splitlines()) == 2
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 7, stride=4), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1),
                                torch.nn.Flatten(), torch.nn.Linear(4, 10))
    monkeypatch.chdir(tmp_path)
    exec(lines, {"torch": torch, "np": np, "model": model})  # noqa: S102
    torch.export.save(torch.export.export(model.eval(), (torch.rand(1, 3, 224, 224),)), "net.pt2")
    subprocess.run([TENON, "export", "net.pt2", "-o", "net.onnx"], check=True, capture_output=True)
    status, report = align("recorded:io.npz", "net.onnx")
    output = report["outputs"][0]
    assert status == 0 and output["elements"] == 10 and output["max_abs_vs_float64"] is not None
