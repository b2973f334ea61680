"""The machine: what it is, what it can do at most, and whether it is free to be measured."""

import json
import os
import pathlib
import platform
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMITS = ROOT / "build" / "release" / "tenon_machine_limits"
FLAGS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16")


def cpu():
    """The entries of /proc/cpuinfo for the first CPU."""
    first = pathlib.Path("/proc/cpuinfo").read_text().split("\n\n", 1)[0]
    return {key.strip(): value.strip() for key, value in (line.split(":", 1) for line in first.splitlines())}


def busy_share(seconds=2):
    """How much of the CPUs' time others use, among them other guests of the same host."""

    def ticks():
        fields = [int(field) for field in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return sum(fields), fields[3] + fields[4]

    total, idle = ticks()
    time.sleep(seconds)
    total_after, idle_after = ticks()
    return 1 - (idle_after - idle) / (total_after - total)


def limits(threads):
    """By number of threads: multiply-adds of float32 in registers, and reading memory (benchmarks/kernel_rows/limits.cpp).
    Nothing where that is not built."""
    if not LIMITS.exists():
        return {}
    done = subprocess.run([LIMITS, *map(str, threads)], capture_output=True, text=True, check=True)
    return {str(entry["threads"]): entry for entry in json.loads(done.stdout)["limits"]}


def describe(threads):
    entries = cpu()
    flags = entries.get("flags", "").split()
    family = f"family {entries.get('cpu family')}, model {entries.get('model')}"
    return {
        "cpu": f"{entries.get('model name', platform.machine())} ({family})",
        "flags": [flag for flag in FLAGS if flag in flags],
        "cpus": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}",
        "busy_share": busy_share(),
        "limits": limits(threads),
    }
