"""Runs tenon_onnx_copy, which reads ONNX files and writes them again."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TENON_BUILD", ROOT / "build" / "release"))


def copy_all(jobs):
    """jobs: (kind, source, target) triples, see tests/tools/onnx_copy.cpp. Returns a message for each, "ok" or an error."""
    lines = "".join(f"{kind}\t{source}\t{target}\n" for kind, source, target in jobs)
    result = subprocess.run([BUILD / "tenon_onnx_copy"], input=lines, capture_output=True, text=True, check=True)
    messages = result.stdout.splitlines()
    assert len(messages) == len(jobs)
    return messages


def copy(kind, source, target):
    return copy_all([(kind, source, target)])[0]
