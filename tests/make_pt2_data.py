"""Writes tests/data/pt2: small exported programs for the tests that damage them.

Run by hand when a case is added:  .venv/bin/python tests/make_pt2_data.py
"""

import pathlib
import sys

import torch

FOLDER = pathlib.Path(__file__).parent / "data" / "pt2"
sys.path.insert(0, str(pathlib.Path(__file__).parent / "pt2"))

import programs  # noqa: E402

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("tied", "branch", "dynamic"):
        program, _ = programs.export(name)
        torch.export.save(program, FOLDER / f"{name}.pt2")
