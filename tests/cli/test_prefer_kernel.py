"""Kernels that a user prefers: tenon run --prefer-kernel."""

import numpy as np
import onnx
import pytest
from command import run
from onnx import TensorProto, helper, numpy_helper


@pytest.fixture
def convolution(tmp_path):
    """A 3x3 convolution of 32 channels, and its answer in float64."""
    draw = np.random.default_rng(1)
    x = draw.standard_normal((1, 32, 20, 20)).astype(np.float32)
    w = draw.standard_normal((32, 32, 3, 3)).astype(np.float32)
    node = helper.make_node("Conv", ["x", "w"], ["y"], "conv", pads=[1, 1, 1, 1])
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, x.shape)],
        [numpy_helper.from_array(w, "w")],
    )
    path = tmp_path / "conv.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    np.save(tmp_path / "x.npy", x)
    padded = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return path, np.einsum("nchwij,ocij->nohw", windows, w.astype(np.float64))


def answer(path, tmp_path, *options):
    saved = tmp_path / "out.npz"
    run("run", path, "--input", f"x={tmp_path / 'x.npy'}", "--save", saved, *options)
    return np.load(saved)["y"]


def test_each_algorithm_gives_its_own_bits_of_the_same_answer(convolution, tmp_path):
    path, exact = convolution
    names = ["conv_blocked", "conv_winograd2", "conv_winograd4"]
    answers = [answer(path, tmp_path, "--prefer-kernel", name) for name in names]
    for name, got in zip(names, answers):
        np.testing.assert_allclose(got, exact, rtol=1e-5, atol=1e-4, err_msg=name)
    assert len({got.tobytes() for got in answers}) == len(names)


def test_a_kernel_that_does_not_fit_is_not_missed(convolution, tmp_path):
    path, _ = convolution
    plain, wished = answer(path, tmp_path), answer(path, tmp_path, "--prefer-kernel", "conv_depthwise")
    assert plain.tobytes() == wished.tobytes()


def test_an_unknown_kernel_is_an_error(convolution, tmp_path):
    path, _ = convolution
    error = run("run", path, "--input", f"x={tmp_path / 'x.npy'}", "--prefer-kernel", "conv_fft", status=2).stderr
    assert "no kernel whose name begins with 'conv_fft'" in error
    assert "tenon inspect --layers --why" in error
