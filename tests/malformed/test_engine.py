"""Engine files that were damaged or forged: each ends in one line that names the file, in little memory."""

import copy
import pathlib
import subprocess
import sys

import pytest
from hostile import ROOT, TENON, refused, survived

sys.path.insert(0, str(ROOT / "tests" / "cli"))
from engine_file import FOOTER, EngineFile  # noqa: E402


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    path = tmp_path_factory.mktemp("engine") / "digits.engine"
    subprocess.run([TENON, "build", ROOT / "demo" / "digits.pt2", "-o", path, "--no-tune"], check=True,
                   capture_output=True)
    return path


def run(path, **options):
    return refused("run", path, "--input", "image=random", words=(path.name,), statuses=(1, 2), **options)


def test_files_that_are_cut_short(engine, tmp_path):
    data = engine.read_bytes()
    path = tmp_path / "short.engine"
    ends = [1, 8, 15, 16, 17, 64, len(data) // 2, *range(len(data) - FOOTER.size - 4, len(data), 3)]
    for end in ends:
        path.write_bytes(data[:end])
        run(path)


def test_flipped_bits_of_the_plan_are_found(engine, tmp_path):
    data = bytearray(engine.read_bytes())
    plan = FOOTER.unpack(data[-FOOTER.size:])[0]
    path = tmp_path / "flipped.engine"
    for at in [*range(plan, len(data) - FOOTER.size, 997), *range(len(data) - FOOTER.size, len(data))]:
        data[at] ^= 1 << at % 8
        path.write_bytes(data)
        run(path)
        data[at] ^= 1 << at % 8


FORGED = {
    "a row that no operator has": lambda plan: plan["steps"][0].update(row="no_such_kernel"),
    "a row of another operator": lambda plan: plan["steps"][0].update(row="softmax_f32_portable"),
    "a reference in place of a kernel": lambda plan: plan["steps"][0].update(row="reference"),
    "one step too few": lambda plan: plan["steps"].pop(),
    "one step too many": lambda plan: plan["steps"].append({"row": "reference", "packed": []}),
    "no steps": lambda plan: plan.update(steps=[]),
    "steps that are no list": lambda plan: plan.update(steps={}),
    "weights beyond the end": lambda plan: plan["steps"][0]["packed"][0].__setitem__(0, 1 << 40),
    "weights that end beyond the end": lambda plan: plan["steps"][0]["packed"][0].__setitem__(1, 1 << 40),
    "sizes that overflow": lambda plan: plan["steps"][0]["packed"][0].__setitem__(1, (1 << 62) + 1),
    "a negative place": lambda plan: plan["steps"][0]["packed"][0].__setitem__(0, -64),
    "a place that is not aligned": lambda plan: plan["steps"][0]["packed"][0].__setitem__(0, 68),
    "too few weights": lambda plan: plan["steps"][0]["packed"][0].__setitem__(1, 16),
    "no weights": lambda plan: plan["steps"][0].update(packed=[]),
    "more weights": lambda plan: plan["steps"][0]["packed"].append([64, 16]),
    "an unknown instruction set": lambda plan: plan.update(isa="avx1024"),
    "no instruction set": lambda plan: plan.pop("isa"),
    "a number for a name": lambda plan: plan.update(cpu=5),
}


@pytest.mark.parametrize("case", FORGED)
def test_forged_plans_with_right_checksums(engine, tmp_path, case):
    forged = EngineFile(engine)
    forged.plan = copy.deepcopy(forged.plan)
    FORGED[case](forged.plan)
    run(forged.write(tmp_path / "forged.engine"))


def test_models_that_are_no_models(engine, tmp_path):
    for part in ("compiled", "original"):
        for content in (b"", b"\xff" * 40, EngineFile(engine).original[:100]):
            forged = EngineFile(engine)
            setattr(forged, part, content)
            run(forged.write(tmp_path / "forged.engine"))


def test_a_model_that_names_another_file_reads_the_engine_alone(engine, tmp_path):
    forged = EngineFile(engine)
    (tmp_path / "secret").write_bytes(b"\0" * (1 << 20))
    for part in ("compiled", "original"):
        content = getattr(forged, part)
        assert b"engine" in content
        setattr(forged, part, content.replace(b"\x12\x06engine", b"\x12\x06secret"))
    path = forged.write(tmp_path / "forged.engine")
    same = survived("run", path, "--input", "image=random", "--save", tmp_path / "a.npz", statuses=(0,))
    assert same.returncode == 0
    survived("run", engine, "--input", "image=random", "--save", tmp_path / "b.npz", statuses=(0,))
    assert pathlib.Path(tmp_path / "a.npz").read_bytes() == pathlib.Path(tmp_path / "b.npz").read_bytes()


def test_a_build_that_fails_leaves_nothing(tmp_path):
    out = tmp_path / "out.engine"
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"\x08\x0a\xff\xff")
    refused("build", bad, "-o", out, words=(bad.name,), output=out)
