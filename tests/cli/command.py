"""Runs the command line tool as a user does."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
TENON = os.environ.get("TENON", str(ROOT / "build" / "release" / "tenon"))


def run(*arguments, status=0):
    """The finished process, which must have ended with `status`; an error is exactly one line on standard error."""
    done = subprocess.run([TENON, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    if status == 2:
        assert len(done.stderr.splitlines()) == 1, done.stderr
    return done


def run_json(*arguments, status=0):
    """What the command prints with --json: one object."""
    return json.loads(run(*arguments, "--json", status=status).stdout)
