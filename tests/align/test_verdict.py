"""The verdict and the figures of tenon align against NumPy's own, on recordings that ONNX Runtime made."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from small_models import align, convnet, convnet_weights, images, model, record, run_onnxruntime


@pytest.fixture()
def net(tmp_path):
    made = convnet(tmp_path / "net.onnx")
    record(tmp_path / "io.npz", made, images(4))
    return tmp_path


def test_equal(net):
    status, report = align(f"recorded:{net / 'io.npz'}", net / "net.onnx")
    assert status == 0 and report["verdict"] == "equal" and report["cause"] is None
    assert report["samples"] == 4 and report["inputs"] == "recorded"
    assert report["sides"]["reference"]["runner"] == "recorded"
    assert report["sides"]["candidate"]["runner"] == "tenon engine"
    output = report["outputs"][0]
    assert (output["name"], output["elements"], output["mismatched"], output["varies"]) == ("y", 40, 0, True)
    assert 0 < output["max_abs_vs_float64"]["candidate"] < 1e-5


def test_figures_are_numpys(net, tmp_path):
    """Recorded values moved by known amounts: every figure as NumPy computes it."""
    arrays = dict(np.load(net / "io.npz"))
    random = np.random.default_rng(1)
    for k in range(4):
        arrays[f"{k}/y"] = arrays[f"{k}/y"] + random.normal(0, 1e-3, (1, 10)).astype(np.float32)
    np.savez(net / "moved.npz", **arrays)
    status, report = align(f"recorded:{net / 'io.npz'}", f"recorded:{net / 'moved.npz'}", "--rtol", "1e-3", "--atol", "2e-4")
    output = next(o for o in report["outputs"] if o["name"] == "y")
    original = np.load(net / "io.npz")
    desired = np.concatenate([original[f"{k}/y"] for k in range(4)]).astype(np.float64)
    actual = np.concatenate([arrays[f"{k}/y"] for k in range(4)]).astype(np.float64)
    difference = np.abs(actual - desired)
    allowed = 2e-4 + 1e-3 * np.abs(desired)
    assert status == 1 and report["verdict"] == "different"
    assert output["mismatched"] == np.count_nonzero(difference > allowed)
    assert output["max_abs"] == pytest.approx(difference.max())
    assert output["max_rel"] == pytest.approx((difference / np.abs(desired)).max())
    assert output["budget_use"] == pytest.approx((difference / allowed).max())
    assert output["tightest_atol_at_rtol"] == pytest.approx(np.maximum(0, difference - 1e-3 * np.abs(desired)).max())
    assert output["worst_sample"] == (difference / allowed).max(axis=1).argmax()
    assert output["percentiles"]["50"] == pytest.approx(np.quantile(difference, 0.5), rel=0.4)
    first = np.argwhere(difference > allowed)[0]
    assert (output["offenders"][0]["sample"], output["offenders"][0]["index"]) == tuple(first)
    assert output["offenders"][0]["actual"] == actual[tuple(first)]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("side", ["reference", "candidate"])
def test_special_values_on_one_side_differ(net, value, side):
    arrays = dict(np.load(net / "io.npz"))
    arrays["2/y"][0, 3] = value
    np.savez(net / "bad.npz", **arrays)
    pair = [f"recorded:{net / 'io.npz'}", f"recorded:{net / 'bad.npz'}"]
    status, report = align(*(pair if side == "candidate" else pair[::-1]), "--rtol", "1e30", "--atol", "1e30")
    assert status == 1 and report["verdict"] == "different"
    assert next(o for o in report["outputs"] if o["name"] == "y")["mismatched"] == 1


def test_nan_at_the_same_place_is_equal(net):
    arrays = dict(np.load(net / "io.npz"))
    arrays["2/y"][0, 3] = np.nan
    np.savez(net / "nan.npz", **arrays)
    status, _ = align(f"recorded:{net / 'nan.npz'}", f"recorded:{net / 'nan.npz'}")
    assert status == 0


@pytest.mark.parametrize("change", [lambda y: y.astype(np.float64), lambda y: y[0], lambda y: y[:, :9]])
def test_another_type_or_shape_differs(net, change):
    arrays = dict(np.load(net / "io.npz"))
    for k in range(4):
        arrays[f"{k}/y"] = change(arrays[f"{k}/y"])
    np.savez(net / "other.npz", **arrays)
    status, report = align(f"recorded:{net / 'other.npz'}", net / "net.onnx")
    assert status == 1 and report["verdict"] == "different" and report["outputs"][0]["problem"]


def test_missing_output_differs(tmp_path):
    two = model([helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Neg", ["x"], ["z"])], {"x": [4]},
                {"y": [4], "z": [4]}, path=tmp_path / "two.onnx")
    x = np.linspace(-1, 1, 4, dtype=np.float32)
    y, z = run_onnxruntime(two, {"x": x})
    np.savez(tmp_path / "io.npz", x=x, y=y)
    status, report = align(f"recorded:{tmp_path / 'io.npz'}", tmp_path / "two.onnx")
    assert status == 1 and report["verdict"] == "different"
    assert {o["name"]: bool(o["problem"]) for o in report["outputs"]} == {"y": False, "z": True}


def test_a_dead_network_is_not_comparable(tmp_path):
    dead = convnet_weights()
    dead["fc.weight"] *= 0
    convnet(tmp_path / "dead.onnx", dead)
    status, report = align(tmp_path / "dead.onnx", tmp_path / "dead.onnx")
    assert status == 1 and report["verdict"] == "not comparable" and report["warnings"]


def test_one_constant_output_is_a_warning(tmp_path):
    model([helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Mul", ["x", "zero"], ["z"])], {"x": [4]},
          {"y": [4], "z": [4]}, {"zero": np.zeros(1, np.float32)}, path=tmp_path / "m.onnx")
    status, report = align(tmp_path / "m.onnx", tmp_path / "m.onnx")
    assert status == 0 and any("'z'" in warning for warning in report["warnings"])


def test_inputs_by_position(net):
    """A recording under other names: inputs first."""
    arrays = np.load(net / "io.npz")
    np.savez(net / "named.npz", **{f"{k}/{name}": arrays[f"{k}/{old}"] for k in range(4)
                                   for name, old in (("image:0", "x"), ("logits/0", "y"))})
    status, report = align(f"recorded:{net / 'named.npz'}", net / "net.onnx")
    assert status == 0 and report["samples"] == 4


def test_plain_names_are_one_sample(net):
    arrays = np.load(net / "io.npz")
    np.savez(net / "one.npz", x=arrays["1/x"], y=arrays["1/y"])
    status, report = align(f"recorded:{net / 'one.npz'}", net / "net.onnx")
    assert status == 0 and report["samples"] == 1 and report["warnings"]


def test_random_inputs_are_seeded(net):
    runs = [align(net / "net.onnx", net / "net.onnx", "--seed", seed)[1]["outputs"][0] for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    assert runs[0]["elements"] == 200


def test_float64_of_the_same_model(net):
    status, report = align(f"float64:{net / 'net.onnx'}", net / "net.onnx")
    assert status == 0 and 0 < report["outputs"][0]["max_abs"] < 1e-5
    status, report = align(net / "net.onnx", f"float64:{net / 'net.onnx'}")
    assert status == 0


def test_given_inputs(net):
    arrays = np.load(net / "io.npz")
    np.save(net / "x.npy", arrays["0/x"])
    np.savez(net / "in.npz", **{f"{k}/x": arrays[f"{k}/x"] for k in range(4)})
    status, one = align(net / "net.onnx", net / "net.onnx", "--input", f"x={net / 'x.npy'}")
    assert status == 0 and one["samples"] == 1 and one["inputs"] == "given"
    status, four = align(net / "net.onnx", net / "net.onnx", "--inputs", net / "in.npz")
    assert status == 0 and four["samples"] == 4


def test_given_inputs_by_either_sides_names(tmp_path):
    for name in ("image", "input:0"):
        model([helper.make_node("Relu", [name], ["y"])], {name: ["n", 3]}, {"y": ["n", 3]}, path=tmp_path / f"{name}.onnx")
    np.save(tmp_path / "x.npy", np.float32([[1, -1, 0], [2, 3, -4]]))
    for name in ("image", "input:0"):
        status, report = align(tmp_path / "image.onnx", tmp_path / "input:0.onnx", "--input", f"{name}={tmp_path / 'x.npy'}")
        assert status == 0 and report["outputs"][0]["elements"] == 6
        status, report = align(tmp_path / "image.onnx", tmp_path / "input:0.onnx", "--input-shape", f"{name}=5,3", "--samples", 1)
        assert status == 0 and report["outputs"][0]["elements"] == 15


def test_dynamic_dimensions(tmp_path):
    model([helper.make_node("Add", ["a", "b"], ["y"])], {"a": ["n", "m"], "b": ["n", "m"]}, {"y": ["n", "m"]},
          path=tmp_path / "m.onnx")
    _, report = align(tmp_path / "m.onnx", tmp_path / "m.onnx", "--input-shape", "a=3,5", "--samples", 2)
    assert report["outputs"][0]["elements"] == 30


def test_integer_inputs_and_outputs(tmp_path):
    model([helper.make_node("ArgMax", ["x"], ["i"], axis=1, keepdims=0)], {"x": (TensorProto.INT32, [4, 6])},
          {"i": (TensorProto.INT64, [4])}, path=tmp_path / "m.onnx")
    assert align(tmp_path / "m.onnx", tmp_path / "m.onnx")[0] == 0


@pytest.mark.parametrize("arguments, word", [
    (["recorded:/nowhere.npz", "{net}/net.onnx"], "nowhere"),
    (["{net}/net.onnx", "/nowhere.onnx"], "nowhere"),
    (["{net}/net.onnx", "{net}/net.onnx", "--input-shape", "q=1"], "'q'"),
    (["{net}/net.onnx", "{net}/net.onnx", "--input-shape", "x=1,3,8,8"], "16"),
    (["{net}/net.onnx", "{net}/net.onnx", "--rtol", "-1"], "rtol"),
    (["{net}/net.onnx", "{net}/io.npz"], "io.npz"),
    (["float64:{net}/io.npz", "{net}/net.onnx"], "io.npz"),
])
def test_errors(net, arguments, word):
    import subprocess

    from small_models import TENON

    done = subprocess.run([TENON, "align", *(a.format(net=net) for a in arguments)], capture_output=True, text=True)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and word in done.stderr


def test_a_recording_of_other_inputs_is_refused(net):
    arrays = np.load(net / "io.npz")
    np.savez(net / "wrong.npz", x=np.zeros((1, 3, 8, 8), np.float32), y=arrays["0/y"])
    status, report = align(f"recorded:{net / 'wrong.npz'}", net / "net.onnx")
    assert status == 2 and "x" in report["error"]["message"]
