"""Each test plants one defect in a model, or beside it, and expects tenon align to name it."""

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from small_models import align, convnet, convnet_weights, images, model, record


@pytest.fixture()
def net(tmp_path):
    made = convnet(tmp_path / "net.onnx")
    record(tmp_path / "io.npz", made, images(4))
    return tmp_path


def cause_of(*arguments, status=1, **options):
    got, report = align(*arguments, **options)
    assert got == status, report
    assert report["verdict"] == "different" and report["cause"] is not None
    return report["cause"], report


def test_rounding(net):
    cause, report = cause_of(f"recorded:{net / 'io.npz'}", net / "net.onnx", "--rtol", "1e-10", "--atol", "1e-10")
    assert cause["kind"] == "rounding" and cause["node"] == "node_fc"
    assert report["outputs"][0]["within_float32"] is not None


def test_other_weights(net):
    weights = convnet_weights()
    weights["conv1.weight"][3, 1] += 0.05
    convnet(net / "tuned.onnx", weights)
    cause, _ = cause_of(net / "net.onnx", net / "tuned.onnx")
    assert (cause["kind"], cause["node"], cause["op"]) == ("weights", "conv1.weight", "Conv")
    assert "9 of 216" in cause["message"]


def test_per_layer_between_two_files(net):
    """With the same names the first node that departs is found, though every later one departs as well."""
    weights = convnet_weights()
    weights["bn.bias"][2] += 0.1
    convnet(net / "tuned.onnx", weights)
    status, report = align(net / "net.onnx", net / "tuned.onnx", "--per-layer")
    first = next(layer for layer in report["layers"] if layer["departed"])
    assert status == 1 and "BatchNormalization" in first["op"] and first["difference"] > 0.05
    assert first["kernel"] and report["layers"][-1]["departed"]


def test_per_layer_of_what_is_equal(net):
    status, report = align(net / "net.onnx", net / "net.onnx", "--per-layer")
    assert status == 0 and report["layers"] and report["cause"] is None
    for layer in report["layers"]:
        assert not layer["departed"] and layer["error"] <= layer["floor"] and layer["isolated_use"] <= 1


def test_another_attribute(net):
    made = onnx.load(net / "net.onnx")
    made.graph.node[1].attribute.append(helper.make_attribute("epsilon", 1e-2))
    onnx.save(made, net / "other.onnx")
    cause, _ = cause_of(net / "net.onnx", net / "other.onnx")
    assert cause["kind"] == "computation" and cause["node"] == "node_norm" and "epsilon" in cause["message"]


def test_training_mode_in_the_candidate(net):
    convnet(net / "training.onnx", training=1)
    cause, _ = cause_of(f"recorded:{net / 'io.npz'}", net / "training.onnx")
    assert (cause["kind"], cause["node"]) == ("training-mode", "node_norm")


def test_training_mode_in_the_reference(net):
    record(net / "training.npz", convnet(net / "training.onnx", training=1), images(4))
    cause, _ = cause_of(f"recorded:{net / 'training.npz'}", net / "net.onnx")
    assert (cause["kind"], cause["op"]) == ("training-mode", "BatchNormalization") and "eval" in cause["message"]


IMAGENET = (np.array([0.485, 0.456, 0.406], np.float32).reshape(1, 3, 1, 1),
            np.array([0.229, 0.224, 0.225], np.float32).reshape(1, 3, 1, 1))


@pytest.mark.parametrize("feed, words", [
    (lambda x: x * np.float32(255), "multiplied by 255"),
    (lambda x: x / np.float32(255), "divided by 255"),
    (lambda x: (x - IMAGENET[0]) / IMAGENET[1], "normalised with ImageNet's mean and std"),
    (lambda x: np.ascontiguousarray(x[:, ::-1]), "from RGB to BGR"),
    (lambda x: np.ascontiguousarray(x[:, ::-1]) * np.float32(255), "BGR and multiplied by 255"),
    (lambda x: 2 * x - 1, "[-1, 1]"),
])
def test_another_preprocessing(net, feed, words):
    record(net / "other.npz", onnx.load(net / "net.onnx"), images(4), feed=feed)
    cause, _ = cause_of(f"recorded:{net / 'other.npz'}", net / "net.onnx")
    assert (cause["kind"], cause["node"]) == ("preprocessing", "x") and words in cause["message"]


def test_a_recording_as_candidate(net):
    record(net / "other.npz", onnx.load(net / "net.onnx"), images(4), feed=lambda x: x * np.float32(255))
    cause, _ = cause_of(net / "net.onnx", f"recorded:{net / 'other.npz'}")
    assert (cause["kind"], cause["node"]) == ("preprocessing", "x")
    assert cause["message"].startswith("the reference agrees when")


def test_layers_belong_to_the_engine(net):
    _, report = align(net / "net.onnx", f"float64:{net / 'net.onnx'}", "--per-layer")
    assert report["layers"] == [] and any("tenon float64" in warning for warning in report["warnings"])


@pytest.mark.parametrize("half", [np.float16, ml_dtypes.bfloat16])
def test_outputs_kept_in_half_precision(net, half):
    arrays = {name: x.astype(half).astype(np.float32) if name.endswith("/y") else x
              for name, x in np.load(net / "io.npz").items()}
    np.savez(net / "half.npz", **arrays)
    cause, _ = cause_of(f"recorded:{net / 'half.npz'}", net / "net.onnx")
    assert cause["kind"] == "precision" and np.dtype(half).name in cause["message"]


def half_net(path, scale):
    nodes = [
        helper.make_node("Cast", ["x"], ["half"], name="to_half", to=TensorProto.FLOAT16),
        helper.make_node("MatMul", ["half", "w"], ["product"], name="node_product"),
        helper.make_node("Mul", ["product", "small"], ["back"], name="node_back"),
        helper.make_node("Cast", ["back"], ["y"], name="to_float", to=TensorProto.FLOAT),
    ]
    weights = {"w": np.full((16, 4), scale, np.float16), "small": np.array(1 / scale, np.float16)}
    return model(nodes, {"x": [2, 16]}, {"y": [2, 4]}, weights, path=path)


def test_overflow_in_half_precision(tmp_path):
    half_net(tmp_path / "half.onnx", 30000.0)
    x = np.random.default_rng(0).uniform(0.5, 1, (2, 16)).astype(np.float32)
    np.savez(tmp_path / "io.npz", x=x, y=np.repeat(x.sum(1, keepdims=True), 4, 1))
    cause, _ = cause_of(f"recorded:{tmp_path / 'io.npz'}", tmp_path / "half.onnx")
    assert (cause["kind"], cause["node"]) == ("overflow", "node_product") and "65504" in cause["message"]


def test_nan_is_born(tmp_path):
    nodes = [helper.make_node("Sub", ["x", "one"], ["shifted"], name="node_shift"),
             helper.make_node("Sqrt", ["shifted"], ["root"], name="node_root"),
             helper.make_node("Mul", ["root", "one"], ["y"], name="node_mul")]
    model(nodes, {"x": [8]}, {"y": [8]}, {"one": np.float32([0.5])}, path=tmp_path / "nan.onnx")
    x = np.linspace(0, 1, 8, dtype=np.float32)
    np.savez(tmp_path / "io.npz", x=x, y=np.sqrt(np.maximum(x - 0.5, 0)) * 0.5)
    cause, _ = cause_of(f"recorded:{tmp_path / 'io.npz'}", tmp_path / "nan.onnx")
    assert (cause["kind"], cause["node"], cause["op"]) == ("nan", "node_root", "Sqrt")


def test_a_constant_frozen_at_export(tmp_path):
    """A scale that the model computes from its input, and that the other file holds as a number."""
    live = [helper.make_node("ReduceMax", ["x"], ["peak"], name="node_peak", keepdims=1),
            helper.make_node("Div", ["x", "peak"], ["y"], name="node_div")]
    frozen = [helper.make_node("Div", ["x", "peak"], ["y"], name="node_div")]
    model(live, {"x": [1, 6]}, {"y": [1, 6]}, path=tmp_path / "live.onnx")
    model(frozen, {"x": [1, 6]}, {"y": [1, 6]}, {"peak": np.full((1, 1), 0.7, np.float32)}, path=tmp_path / "frozen.onnx")
    cause, _ = cause_of(tmp_path / "live.onnx", tmp_path / "frozen.onnx")
    assert (cause["kind"], cause["node"], cause["op"]) == ("constant", "peak", "Div")
    assert "constant in the candidate" in cause["message"]
    cause, _ = cause_of(tmp_path / "frozen.onnx", tmp_path / "live.onnx")
    assert (cause["kind"], cause["node"]) == ("constant", "peak")
    assert "constant in the reference" in cause["message"]


def test_an_output_frozen_at_export(tmp_path):
    model([helper.make_node("Identity", ["c"], ["y"], name="node_y"), helper.make_node("Neg", ["x"], ["z"])],
          {"x": [3]}, {"y": [3], "z": [3]}, {"c": np.float32([1, 2, 3])}, path=tmp_path / "frozen.onnx")
    samples = np.random.default_rng(0).random((3, 3), dtype=np.float32)
    arrays = {}
    for k, x in enumerate(samples):
        arrays.update({f"{k}/x": x, f"{k}/y": 2 * x, f"{k}/z": -x})
    np.savez(tmp_path / "io.npz", **arrays)
    cause, _ = cause_of(f"recorded:{tmp_path / 'io.npz'}", tmp_path / "frozen.onnx")
    assert cause["kind"] == "constant" and "depends on no input" in cause["message"]


def test_a_tie_that_flipped(tmp_path):
    nodes = [helper.make_node("MatMul", ["x", "w"], ["scores"], name="node_scores"),
             helper.make_node("ArgMax", ["scores"], ["label"], name="node_label", axis=1, keepdims=0)]
    random = np.random.default_rng(3)
    w = random.normal(size=(64, 5)).astype(np.float32)
    w[:, 2] += 2
    w[:, 4] = w[:, 2]  # two classes with the same score, the best one
    model(nodes, {"x": [6, 64]}, {"label": (TensorProto.INT64, [6])}, {"w": w}, path=tmp_path / "m.onnx")
    x = random.random((6, 64), dtype=np.float32)
    np.savez(tmp_path / "io.npz", x=x, label=np.array([2, 4, 2, 4, 2, 4]))
    cause, _ = cause_of(f"recorded:{tmp_path / 'io.npz'}", tmp_path / "m.onnx")
    assert (cause["kind"], cause["node"], cause["op"]) == ("tie", "node_label", "ArgMax")


def test_cancellation(tmp_path):
    nodes = [helper.make_node("MatMul", ["x", "w"], ["product"], name="node_product"),
             helper.make_node("Add", ["product", "big"], ["shifted"], name="node_shift"),
             helper.make_node("Sub", ["shifted", "big"], ["y"], name="node_cancel")]
    random = np.random.default_rng(4)
    weights = {"w": random.normal(size=(32, 8)).astype(np.float32), "big": np.float32([1e5])}
    model(nodes, {"x": [4, 32]}, {"y": [4, 8]}, weights, path=tmp_path / "m.onnx")
    x = random.random((4, 32), dtype=np.float32)
    np.savez(tmp_path / "io.npz", x=x, y=x @ weights["w"])
    cause, _ = cause_of(f"recorded:{tmp_path / 'io.npz'}", tmp_path / "m.onnx")
    assert (cause["kind"], cause["node"], cause["op"]) == ("cancellation", "node_cancel", "Sub")


def test_a_wrong_label_is_no_tie(tmp_path):
    model([helper.make_node("ArgMax", ["x"], ["label"], name="node_label", axis=1, keepdims=0)], {"x": [2, 3]},
          {"label": (TensorProto.INT64, [2])}, path=tmp_path / "m.onnx")
    np.savez(tmp_path / "io.npz", x=np.float32([[1, 2, 3], [3, 2, 1]]), label=np.array([2, 1]))
    cause, _ = cause_of(f"recorded:{tmp_path / 'io.npz'}", tmp_path / "m.onnx")
    assert (cause["kind"], cause["node"]) == ("computation", "node_label")


def test_half_precision_is_rounding(tmp_path):
    """A cast to float16 loses digits; that is neither a tie nor cancellation."""
    nodes = [helper.make_node("Cast", ["x"], ["half"], name="to_half", to=TensorProto.FLOAT16),
             helper.make_node("Cast", ["half"], ["y"], name="to_float", to=TensorProto.FLOAT)]
    model(nodes, {"x": [64]}, {"y": [64]}, path=tmp_path / "m.onnx")
    cause, _ = cause_of(f"float64:{tmp_path / 'm.onnx'}", tmp_path / "m.onnx")
    assert cause["kind"] == "rounding"


def test_random_indices_that_do_not_fit(tmp_path):
    model([helper.make_node("Gather", ["table", "i"], ["y"], name="node_gather")], {"i": (TensorProto.INT64, [20])},
          {"y": [20, 2]}, {"table": np.zeros((3, 2), np.float32)}, path=tmp_path / "m.onnx")
    status, report = align(tmp_path / "m.onnx", tmp_path / "m.onnx")
    assert status == 2 and report["error"]["node"] == "node_gather" and "--input" in report["error"]["hint"]


def test_two_recordings(tmp_path):
    np.savez(tmp_path / "a.npz", **{f"{k}/y": np.float32([k, 1]) for k in range(2)})
    np.savez(tmp_path / "b.npz", **{f"{k}/y": np.float32([k, 2]) for k in range(2)})
    cause, _ = cause_of(f"recorded:{tmp_path / 'a.npz'}", f"recorded:{tmp_path / 'b.npz'}")
    assert (cause["kind"], cause["node"]) == ("computation", "y")


def test_another_shape(tmp_path):
    """A batch that one of the models fixed."""
    def reshape(target):
        return [helper.make_node("Relu", ["x"], ["relu"], name="node_relu"),
                helper.make_node("Reshape", ["relu", "target"], ["flat"], name="node_reshape"),
                helper.make_node("Neg", ["flat"], ["y"], name="node_neg")]

    model(reshape(0), {"x": [2, 3, 4]}, {"y": [2, 12]}, {"target": np.array([2, 12])}, path=tmp_path / "a.onnx")
    model(reshape(1), {"x": [2, 3, 4]}, {"y": [1, 24]}, {"target": np.array([1, 24])}, path=tmp_path / "b.onnx")
    cause, _ = cause_of(tmp_path / "a.onnx", tmp_path / "b.onnx")
    assert (cause["kind"], cause["node"], cause["op"]) == ("shape", "node_reshape", "Reshape")


def test_a_missing_output(tmp_path):
    relu, neg = helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Neg", ["x"], ["z"])
    model([relu, neg], {"x": [4]}, {"y": [4], "z": [4]}, path=tmp_path / "two.onnx")
    model([relu], {"x": [4]}, {"y": [4]}, path=tmp_path / "one.onnx")
    cause, _ = cause_of(tmp_path / "two.onnx", tmp_path / "one.onnx")
    assert (cause["kind"], cause["node"]) == ("structure", "z")


def test_what_nothing_explains_names_the_output(net):
    arrays = dict(np.load(net / "io.npz"))
    for k in range(4):
        arrays[f"{k}/y"] = np.sin(arrays[f"{k}/y"] * 7)
    np.savez(net / "odd.npz", **arrays)
    cause, _ = cause_of(f"recorded:{net / 'odd.npz'}", net / "net.onnx")
    assert (cause["kind"], cause["node"]) == ("computation", "node_fc")
