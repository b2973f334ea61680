#!/usr/bin/env python3
"""Installs the peers into the environment whose Python runs this; run by ./dev bench peers.

Each peer is optional: what pip said of one that cannot be installed is kept for the report. Nothing is done for a peer
that is there already in the versions wanted.
"""

import pathlib
import subprocess
import sys

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from peers.runtimes import PEERS  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The versions that the tests hold tenon against; other packages' versions are named in PEERS.
CONSTRAINTS = [ROOT / "tests" / "requirements.txt", ROOT / "tests" / "requirements-no-deps.txt"]
PIP = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", *(f"-c{path}" for path in CONSTRAINTS)]
STATE = pathlib.Path(sys.prefix)


def failure(key):
    """Why the peer could not be installed, or None."""
    path = STATE / f".{key}.failed"
    return path.read_text() if path.exists() else None


def pip(*packages):
    done = subprocess.run([*PIP, *packages], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        errors = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        raise RuntimeError(errors[-1] if errors else f"pip ends with status {done.returncode}")


def install(peer):
    packages = [*peer.packages, *peer.packages_without_dependencies]
    wanted = "\n".join([*packages, *(path.read_text() for path in CONSTRAINTS)])
    stamp, failed = STATE / f".{peer.key}.installed", STATE / f".{peer.key}.failed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"installing {peer.title} into {STATE.name}", flush=True)
    failed.unlink(missing_ok=True)
    try:
        pip("numpy", *peer.packages)
        if peer.packages_without_dependencies:
            pip("--no-deps", *peer.packages_without_dependencies)
        stamp.write_text(wanted)
    except RuntimeError as error:
        failed.write_text(f"not installed: {error}")
        print(f"{peer.title}: {error}", file=sys.stderr)


if __name__ == "__main__":
    for each in PEERS.values():
        install(each)
