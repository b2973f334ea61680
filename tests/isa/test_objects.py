"""Code of a wide instruction set lies only in functions that are named after it.

A function of the standard library compiled for AVX-512 in one object could be the copy that the linker keeps for
everybody, and the program would die on an older CPU far from any kernel.
"""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
OBJECTS = ROOT / "build" / "release" / "src" / "CMakeFiles" / "tenon.dir"
FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")


def wide_functions(path):
    """(function, register class) for each function that uses registers of AVX or AVX-512."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], capture_output=True, text=True, check=True).stdout
    found = {}
    name = ""
    for line in text.splitlines():
        head = FUNCTION.match(line)
        if head:
            name = head[1]
        elif "%zmm" in line or "%k1" in line or "{%k" in line:
            found[name] = "avx512"
        elif "%ymm" in line:
            found.setdefault(name, "avx2")
    return found


def test_wide_code_lies_in_functions_of_its_instruction_set():
    # Every source compiled for several instruction sets includes Highway's foreach_target.
    sources = [p for p in (ROOT / "src").rglob("*.cpp") if "foreach_target.h" in p.read_text()]
    assert sources
    seen = set()
    for source in sources:
        path = OBJECTS / (str(source.relative_to(ROOT / "src")) + ".o")
        for function, level in wide_functions(path).items():
            allowed = {"avx512": ("N_AVX3",), "avx2": ("N_AVX2", "N_AVX3")}[level]
            assert any(name in function for name in allowed), f"{path.name}: {function} uses {level}"
            seen.add(level)
    assert seen == {"avx2", "avx512"}, "the test looks for the wrong registers"


def test_the_rest_of_the_library_has_no_wide_code():
    sources = [p for p in (ROOT / "src" / "runtime").rglob("*.cpp") if not p.name.endswith("_test.cpp")]
    for source in sources:
        path = OBJECTS / (str(source.relative_to(ROOT / "src")) + ".o")
        assert not wide_functions(path), path.name
