"""The installed package, from a CMake project outside the repository: the program of docs/guide/cpp.md as printed there."""

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LABELS = (ROOT / "demo" / "labels.txt").read_text().split()


def call(*arguments):
    done = subprocess.run([*map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prefix")
    call("cmake", "--install", ROOT / "build" / "release", "--prefix", folder)
    return folder


@pytest.fixture(scope="module")
def program(prefix, tmp_path_factory):
    folder = tmp_path_factory.mktemp("which")
    guide = (ROOT / "docs" / "guide" / "cpp.md").read_text()
    for language, name in [("cmake", "CMakeLists.txt"), ("cpp", "which.cpp")]:
        (code,) = re.findall(rf"```{language}\n(.*?)```", guide, re.S)
        (folder / name).write_text(code)
    # CMake's default compiler, not the one that built the library.
    call("cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror")
    call("cmake", "--build", folder / "build")
    return folder / "build" / "which"


@pytest.mark.parametrize("digit", range(10))
def test_the_guides_program_reads_digits(program, tmp_path, digit):
    done = subprocess.run(
        [program, ROOT / "demo" / "digits.pt2", ROOT / "demo" / "labels.txt", ROOT / "demo" / "pictures" / f"digit_{digit}.png"],
        capture_output=True, text=True, check=True, cwd=tmp_path)  # fmt: skip
    assert done.stdout.split() == [LABELS[digit]]


def test_errors_come_back_as_values(program, tmp_path):
    done = subprocess.run([program, "absent.pt2", "labels", "picture"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "absent.pt2" in line
    assert list(tmp_path.iterdir()) == []


def test_the_installed_headers_stand_alone(prefix, tmp_path):
    headers = sorted((prefix / "include" / "tenon").glob("*.h"))
    assert [h.name for h in headers] == sorted(h.name for h in (ROOT / "include" / "tenon").glob("*.h"))
    source = tmp_path / "all.cpp"
    for header in headers:
        source.write_text(f"#include <tenon/{header.name}>\n")
        call("c++", "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", prefix / "include", source)


def test_the_installed_command_runs(prefix):
    assert "export" in call(prefix / "bin" / "tenon", "--help")
