#!/usr/bin/env python3
"""Style as a test: formatting, include direction, banned names, generated files. Run by ./dev check."""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Stages in the order that data takes. A folder of src/ may include itself and the folders of earlier stages.
STAGES = [
    ["base"],
    ["tensor"],
    ["image", "kernels"],
    ["ir"],
    ["ops"],
    ["formats"],
    ["lower", "arch", "passes"],
    ["convert"],
    ["engine"],
    ["runtime"],
    ["align"],
]
LEVEL = {folder: level for level, folders in enumerate(STAGES) for folder in folders}

# What not to write, where it may stand, and what to write instead.
BANNED = [
    (r"\b(?:TODO|FIXME|XXX|HACK)\b", "", "finish it, or say what is not supported in the docs"),
    (r"\bstd::(?:cout|cerr|clog)\b|\b(?:std::)?f?printf\s*\(", "apps/|tests/|_test\\.cpp|benchmarks/", "return a Result; the library never prints"),
    (r"\b(?:std::)?(?:abort|exit|terminate)\s*\(", "apps/|tests/|_test\\.cpp", "return an Error; the library never ends the process"),
    (r"\bthrow\b(?!\s+std::bad_alloc)", "apps/|tests/|_test\\.cpp", "return an Error"),
    (r"\bstrcpy\b|\bsprintf\b|\bstrtok\b|\batoi\b|\batof\b", "", "std::from_chars, fmt::format"),
    (r"\bstd::(?:stoi|stol|stoll|stof|stod)\b", "", "std::from_chars: it neither throws nor asks the locale"),
    (r"GTEST_SKIP|\bDISABLED_|pytest\.mark\.(?:skip|xfail)", "", "a test runs or goes"),
]
LINES_MAX = 500


def sources(*patterns):
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns], cwd=ROOT, text=True,
                            capture_output=True, check=True).stdout
    return sorted({ROOT / line for line in listed.splitlines() if (ROOT / line).is_file()})


def strip_comments(text):
    """Code with comments and string literals blanked, line numbers kept."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def check_includes(path, text, problems):
    relative = path.relative_to(ROOT).as_posix()
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#include\s+"([^"]+)"', line)
        if not match:
            continue
        target = match.group(1).split("/")[0]
        if relative.startswith("src/"):
            own = relative.split("/")[1]
            if target in LEVEL and target != own and LEVEL[target] >= LEVEL[own] and not siblings_allowed(own, target, relative):
                problems.append(f"{relative}:{number}: src/{own} must not include {match.group(1)}")
        elif relative.startswith(("apps/", "bindings/")) and target in LEVEL:
            problems.append(f"{relative}:{number}: apps see include/tenon only, not {match.group(1)}")
        elif relative.startswith("include/") and target != "tenon":
            problems.append(f"{relative}:{number}: what is installed includes only what is installed, not {match.group(1)}")


def siblings_allowed(own, target, relative):
    """Tests may look at what the stage beside them makes."""
    return relative.endswith("_test.cpp")


def check_banned(path, code, problems):
    relative = path.relative_to(ROOT).as_posix()
    if relative == "tools/check.py":
        return
    for pattern, allowed, instead in BANNED:
        if allowed and re.search(allowed, relative):
            continue
        for match in re.finditer(pattern, code):
            number = code.count("\n", 0, match.start()) + 1
            problems.append(f"{relative}:{number}: '{match.group()}': {instead}")


def check_format(problems):
    tool = shutil.which("clang-format-19")
    if not tool:
        problems.append("clang-format-19 is missing: ./dev setup installs it")
        return
    files = [str(p) for p in sources("*.h", "*.cpp")]
    found = subprocess.run([tool, "--dry-run", *files], cwd=ROOT, text=True, capture_output=True, check=False).stderr
    for name in sorted(set(re.findall(r"^(\S+?):\d+:\d+: warning", found, re.M))):
        problems.append(f"{pathlib.Path(name).relative_to(ROOT)}: not formatted; ./dev format does it")


def main():
    problems = []
    for path in sources("*.h", "*.cpp"):
        text = path.read_text()
        code = strip_comments(text)
        check_includes(path, text, problems)
        check_banned(path, code, problems)
        if re.search(r"\b(?:TODO|FIXME)\b", text):
            problems.append(f"{path.relative_to(ROOT)}: a TODO or FIXME is left")
        lines = text.count("\n")
        if lines > LINES_MAX:
            problems.append(f"{path.relative_to(ROOT)}: {lines} lines; more than {LINES_MAX} is not read at a sitting")
    check_format(problems)
    for problem in problems:
        print(problem)
    print(f"check: {len(problems)} problem(s)")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
