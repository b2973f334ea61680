"""The generated schema tables are those of the installed, pinned onnx package."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_schemas_are_up_to_date():
    script = ROOT / "tools" / "gen_schemas.py"
    result = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
