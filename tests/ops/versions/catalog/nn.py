"""Convolutions, pools, recurrent layers, attention, sampling of pictures."""

import numpy as np

from case import Case, cases, ints


@cases("Conv")
def conv(v):
    def one(x, w, bias=False, name="", **attributes):
        inputs = [v.arr(0, x), v.arr(1, w)] + ([v.arr(2, (w[0],))] if bias else [])
        return Case(inputs, attributes, sums=True, name=name or f"{x} {w} {attributes}")

    yield one((1, 2, 5, 5), (3, 2, 3, 3))
    yield one((2, 2, 5, 4), (3, 2, 3, 2), True)
    yield one((1, 4, 5, 5), (4, 2, 3, 3), True, group=2)
    yield one((1, 4, 5, 5), (4, 1, 3, 3), group=4, pads=[1, 1, 1, 1])
    yield one((1, 2, 6, 5), (2, 2, 3, 3), strides=[2, 1], pads=[1, 0, 2, 1])
    yield one((1, 2, 7, 7), (2, 2, 3, 3), dilations=[2, 3])
    yield one((1, 2, 5, 6), (2, 2, 3, 2), auto_pad="SAME_UPPER", strides=[2, 2])
    yield one((1, 2, 5, 6), (2, 2, 2, 3), auto_pad="SAME_LOWER", strides=[2, 2])
    yield one((1, 2, 5, 6), (2, 2, 2, 3), auto_pad="VALID", kernel_shape=[2, 3])
    yield one((1, 2, 7), (3, 2, 3), True, name="one dimension")
    yield one((1, 2, 3, 4, 3), (2, 2, 2, 2, 2), True, name="three dimensions", pads=[1, 0, 0, 0, 1, 1])
    yield one((0, 2, 4, 4), (2, 2, 3, 3), name="no pictures")


@cases("ConvTranspose")
def conv_transpose(v):
    def one(x, w, bias=None, name="", **attributes):
        inputs = [v.arr(0, x), v.arr(1, w)] + ([v.arr(2, (bias,))] if bias else [])
        return Case(inputs, attributes, sums=True, name=name or f"{x} {w} {attributes}")

    yield one((1, 2, 3, 3), (2, 3, 3, 3))
    yield one((1, 2, 3, 4), (2, 3, 2, 3), 3, strides=[2, 3])
    yield one((1, 4, 3, 3), (4, 2, 3, 3), group=2, pads=[1, 1, 1, 1])
    yield one((1, 2, 3, 3), (2, 2, 3, 3), strides=[2, 2], output_padding=[1, 1])
    yield one((1, 2, 3, 3), (2, 2, 3, 3), strides=[3, 2], output_shape=[10, 8])
    yield one((1, 2, 3, 3), (2, 2, 2, 2), dilations=[2, 2])
    yield one((1, 2, 3, 3), (2, 2, 3, 3), auto_pad="SAME_UPPER", strides=[2, 2])
    yield one((1, 2, 4), (2, 2, 3), 2, name="one dimension", strides=[2])
    yield one((1, 1, 2, 3, 2), (1, 2, 2, 2, 2), name="three dimensions")


@cases("ConvInteger")
def conv_integer(v):
    x, w = v.arr(0, (1, 2, 4, 4), -8, 8), v.arr(1, (3, 2, 3, 3), -8, 8)
    yield Case([x, w])
    yield Case([x, w, v.the(0, 1)], {"pads": [1, 1, 1, 1]}, name="zero point")
    yield Case([x, w, v.the(0, 1), v.the(1, 2)], {"strides": [2, 2]}, name="zero points")


@cases("QLinearConv")
def qlinear_conv(v):
    f = np.float32
    x, w = v.arr(0, (1, 2, 4, 4), -50, 100), v.arr(3, (3, 2, 3, 3), -50, 100)
    common = [x, f(0.5), v.the(0, 3), w, f(0.25), v.the(3, 1), f(8.0), v.the(7, 10)]
    common = [np.asarray(c) for c in common]
    yield Case(common)
    yield Case([*common, np.array([1, -20, 300], np.int32)], {"pads": [1, 1, 1, 1]}, name="bias")
    by_channel = [*common]
    by_channel[4] = np.array([0.25, 0.5, 1.0], f)
    by_channel[5] = v.the(3, [1, 1, 1])
    yield Case(by_channel, name="scales by channel")


@cases("QLinearMatMul")
def qlinear_matmul(v):
    scale = lambda i, x: v.the(i, x) if v.version >= 21 else np.float32(x)  # noqa: E731
    a, b = v.arr(0, (2, 3), -50, 50), v.arr(3, (3, 4), -50, 50)
    inputs = [a, scale(1, 0.5), v.the(2, 3), b, scale(4, 0.25), v.the(5, 2), scale(6, 4.0), v.the(7, 10)]
    yield Case([np.asarray(i) for i in inputs])


@cases("DeformConv")
def deform_conv(v):
    x, w, offset = v.arr(0, (1, 2, 3, 3)), v.arr(0, (2, 2, 2, 2)), v.arr(0, (1, 8, 2, 2), -1, 1)
    yield Case([x, w, offset], {"kernel_shape": [2, 2], "pads": [0, 0, 0, 0]}, sums=True)
    mask = v.arr(0, (1, 4, 2, 2))
    yield Case([x, w, offset, v.arr(0, (2,)), mask], {"pads": [0, 0, 0, 0]}, sums=True, name="all inputs")
    offset = v.arr(0, (1, 8, 4, 4), -1, 1)
    yield Case([x, w, offset], {"pads": [1, 1, 1, 1], "kernel_shape": [2, 2]}, sums=True, name="pads")


@cases("MaxPool")
def max_pool(v):
    def one(x, outputs=1, name="", **attributes):
        return Case([v.distinct(0, x) if np.prod(x) < 120 else v.arr(0, x)], attributes, outputs, name=name or f"{x} {attributes}")

    yield one((1, 2, 5, 5), kernel_shape=[3, 3])
    yield one((1, 2, 5, 6), kernel_shape=[2, 3], strides=[2, 1])
    yield one((1, 2, 5, 5), kernel_shape=[3, 3], pads=[1, 1, 1, 0], strides=[2, 2])
    yield one((1, 2, 5, 5), kernel_shape=[3, 3], auto_pad="SAME_UPPER", strides=[2, 2])
    yield one((1, 2, 5, 5), kernel_shape=[2, 2], auto_pad="SAME_LOWER")
    yield one((1, 2, 5, 5), kernel_shape=[2, 2], auto_pad="VALID", strides=[2, 2])
    yield one((1, 2, 7), kernel_shape=[3], name="one dimension")
    yield one((1, 1, 3, 4, 3), kernel_shape=[2, 2, 2], name="three dimensions")
    if v.version >= 8:
        yield one((1, 2, 5, 5), 2, kernel_shape=[2, 2], strides=[2, 2], name="indices")
        yield one((1, 2, 3, 4), 2, kernel_shape=[2, 2], storage_order=1, name="indices by column")
    if v.version >= 10:
        yield one((1, 1, 6, 6), kernel_shape=[2, 2], dilations=[2, 2])
        yield one((1, 1, 6, 6), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
        yield one((1, 1, 4, 4), kernel_shape=[1, 1], strides=[2, 2], ceil_mode=1, pads=[0, 0, 0, 0])


@cases("AveragePool LpPool")
def average_pool(v):
    def one(x, name="", **attributes):
        return Case([v.arr(0, x)], attributes, sums=True, name=name or f"{x} {attributes}")

    yield one((1, 2, 5, 5), kernel_shape=[3, 3])
    yield one((1, 2, 5, 6), kernel_shape=[2, 3], strides=[2, 1])
    yield one((1, 2, 5, 5), kernel_shape=[3, 3], pads=[1, 1, 1, 0], strides=[2, 2])
    yield one((1, 2, 5, 5), kernel_shape=[3, 3], auto_pad="SAME_UPPER", strides=[2, 2])
    yield one((1, 2, 5, 5), kernel_shape=[2, 2], auto_pad="SAME_LOWER")
    yield one((1, 2, 5, 5), kernel_shape=[2, 2], auto_pad="VALID", strides=[2, 2])
    yield one((1, 2, 7), kernel_shape=[3], name="one dimension")
    yield one((1, 1, 3, 4, 3), kernel_shape=[2, 2, 2], name="three dimensions")
    if v.op == "AveragePool":
        yield one((1, 2, 5, 5), kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    else:
        yield one((1, 2, 5, 5), kernel_shape=[3, 3], p=1)
        yield one((1, 2, 5, 5), kernel_shape=[3, 3], p=3)
    if "ceil_mode" in v.has:
        yield one((1, 1, 6, 6), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
        yield one((1, 1, 5, 5), kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1, pads=[1, 1, 1, 1])
    if "dilations" in v.has:
        yield one((1, 1, 6, 6), kernel_shape=[2, 2], dilations=[2, 2])


@cases("GlobalAveragePool GlobalMaxPool GlobalLpPool")
def global_pool(v):
    for shape in [(2, 3, 4, 5), (1, 2, 3), (1, 2, 2, 2, 2)]:
        yield Case([v.arr(0, shape)], sums=v.op != "GlobalMaxPool", name=str(shape))
    if v.op == "GlobalLpPool":
        yield Case([v.arr(0, (2, 3, 4, 5))], {"p": 1}, sums=True, name="p 1")
        yield Case([v.arr(0, (2, 3, 4, 5))], {"p": 3}, sums=True, name="p 3")


@cases("MaxUnpool")
def max_unpool(v):
    x = v.arr(0, (1, 1, 2, 2))
    index = ints(5, 7, 13, 15).reshape(1, 1, 2, 2)
    yield Case([x, index], {"kernel_shape": [2, 2], "strides": [2, 2]})
    yield Case([x, index, ints(1, 1, 5, 5)], {"kernel_shape": [2, 2], "strides": [2, 2]}, constant=(2,), name="output shape")


@cases("MaxRoiPool")
def max_roi_pool(v):
    x = v.arr(0, (2, 3, 6, 6))
    rois = v.the(1, [[0, 0, 0, 3, 3], [1, 1, 1, 5, 4]])
    yield Case([x, rois], {"pooled_shape": [2, 2]})
    yield Case([x, v.the(1, [[0, 0, 0, 6, 6]])], {"pooled_shape": [2, 3], "spatial_scale": 0.5}, name="scale")


@cases("RoiAlign")
def roi_align(v):
    x = v.arr(0, (2, 2, 6, 6))
    rois = v.the(1, [[0, 0, 3, 3], [1, 1, 5, 4.5]])
    batch = ints(0, 1)
    common = {"output_height": 2, "output_width": 3, "spatial_scale": 1.0}
    yield Case([x, rois, batch], common, sums=True)
    yield Case([x, rois, batch], {**common, "sampling_ratio": 2}, sums=True, name="sampling ratio")
    yield Case([x, rois, batch], {**common, "mode": "max", "sampling_ratio": 2}, sums=True, name="max")
    if v.version >= 16:
        yield Case([x, rois, batch], {**common, "coordinate_transformation_mode": "output_half_pixel"}, sums=True, name="output_half_pixel")


@cases("NonMaxSuppression")
def nms(v):
    boxes = np.array([[[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, -0.1, 1, 0.9], [0, 10, 1, 11], [0, 10.1, 1, 11.1], [0, 100, 1, 101]]], np.float32)
    scores = np.array([[[0.9, 0.75, 0.6, 0.95, 0.5, 0.3]]], np.float32)
    limit = np.array([3], np.int64)
    iou, score = np.array([0.5], np.float32), np.array([0.4], np.float32)
    yield Case([boxes, scores, limit, iou, score])
    yield Case([boxes, scores, limit, iou], name="no score threshold")
    yield Case([boxes, scores, limit], name="no IoU threshold")
    yield Case([boxes, scores], name="no limit")
    yield Case([boxes, scores, limit, iou], {"center_point_box": 1}, name="centres")


@cases("Resize")
def resize(v):
    for case in resizes(v):
        # Between strings, and between booleans, there is nothing.
        if v.dtype().kind in "Ob" and case.attributes.get("mode", "nearest") != "nearest":
            continue
        yield case


def resizes(v):
    x = v.arr(0, (1, 1, 3, 4))
    empty = np.zeros((0,), np.float32)
    for mode in ("nearest", "linear", "cubic"):
        if v.version < 11:
            if mode != "cubic":
                for scales in ([1, 1, 2, 3], [1, 1, 0.67, 0.5]):
                    yield Case([x, np.array(scales, np.float32)], {"mode": mode}, constant=(1,), sums=mode != "nearest", name=f"{mode} {scales}")
            continue
        roi = None if v.version >= 13 else v.the(1, []) if v.version >= 11 else None
        transforms = ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"]
        transforms += ["half_pixel_symmetric"] if v.version >= 19 else []
        transforms += ["tf_half_pixel_for_nn"] if v.version < 13 else []
        for transform in transforms:
            for scales in ([1, 1, 2, 3], [1, 1, 0.6, 0.8]):
                attributes = {"mode": mode, "coordinate_transformation_mode": transform}
                if mode == "nearest" and transform == "asymmetric":
                    attributes["nearest_mode"] = "floor"
                yield Case([x, roi, np.array(scales, np.float32)], attributes, constant=(1, 2), sums=mode != "nearest", name=f"{mode} {transform} {scales}")
        sizes = ints(1, 1, 5, 3)
        scales = None if v.version >= 13 else empty
        yield Case([x, roi, scales, sizes], {"mode": mode}, constant=(1, 2, 3), sums=mode != "nearest", name=f"{mode} sizes")
        yield Case([x, roi, scales, sizes], {"mode": mode}, constant=(1, 2), sums=mode != "nearest", name=f"{mode} sizes, computed")
    if v.version >= 11:
        for nearest in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
            yield Case([x, roi, np.array([1, 1, 1.5, 2.5], np.float32)], {"mode": "nearest", "nearest_mode": nearest}, constant=(1, 2), name=nearest)
        yield Case([x, roi, np.array([1, 1, 0.8, 0.8], np.float32)], {"mode": "cubic", "cubic_coeff_a": -0.5, "exclude_outside": 1}, constant=(1, 2), sums=True, name="cubic_coeff_a, exclude_outside")
        crop = v.the(1, [0, 0, 0.25, 0.5, 1, 1, 0.75, 1]) if v.dtype(1).kind == "f" else None
        if crop is not None:
            for mode in ("linear", "nearest"):
                yield Case([x, crop, scales, sizes], {"mode": mode, "coordinate_transformation_mode": "tf_crop_and_resize", "extrapolation_value": 2.0}, constant=(1, 2, 3), sums=True, name=f"crop {mode}")
    if v.version >= 18:
        for mode in ("linear", "cubic"):
            yield Case([x, None, np.array([1, 1, 0.6, 0.5], np.float32)], {"mode": mode, "antialias": 1}, constant=(2,), sums=True, name=f"antialias {mode}")
        yield Case([x, None, np.array([2, 3], np.float32)], {"axes": [3, 2]}, constant=(2,), name="axes")
        for policy in ("not_larger", "not_smaller"):
            yield Case([x, None, None, ints(7, 7)], {"axes": [2, 3], "keep_aspect_ratio_policy": policy}, constant=(3,), name=policy)


def recurrent(v, gates, extra):
    sequence, batch, inputs, hidden = 3, 2, 2, 2
    rng = v.rng

    def arr(*shape):
        return (rng.integers(-4, 5, size=shape) / 8).astype(v.dtype())

    def one(name, directions=1, initial=False, lengths=None, layout=0, outputs=2, cell=False, peephole=False, bias=True, **attributes):
        x = arr(sequence, batch, inputs) if not layout else arr(batch, sequence, inputs)
        case = [x, arr(directions, gates * hidden, inputs), arr(directions, gates * hidden, hidden)]
        case.append(arr(directions, 2 * gates * hidden) if bias else None)
        case.append(None if lengths is None else np.array(lengths, np.int32))
        state = (directions, batch, hidden) if not layout else (batch, directions, hidden)
        case.append(arr(*state) if initial else None)
        if cell:
            case.append(arr(*state))
        if peephole:
            case += [None] * (7 - len(case)) + [arr(directions, 3 * hidden)]
        while case[-1] is None:
            case.pop()
        attributes["hidden_size"] = hidden
        if layout:
            attributes["layout"] = 1
        return Case(case, attributes, outputs, sums=True, name=name)

    yield one("defaults")
    yield one("no bias", bias=False)
    yield one("initial state", initial=True)
    yield one("reverse", direction="reverse")
    yield one("both directions", 2, direction="bidirectional")
    yield one("lengths", lengths=[1, 3])
    yield one("lengths, both directions", 2, lengths=[2, 1], direction="bidirectional", initial=True)
    yield one("clip", clip=0.25)
    yield one("last state only", outputs=["", "h"])
    if v.version >= 14:
        yield one("layout", layout=1, initial=True)
    yield from extra(one)


@cases("RNN")
def rnn(v):
    def extra(one):
        yield one("relu", activations=["Relu"])
        yield one("affine", activations=["Affine"], activation_alpha=[0.5], activation_beta=[0.25])
        yield one("two", 2, direction="bidirectional", activations=["Sigmoid", "Relu"])

    yield from recurrent(v, 1, extra)


@cases("GRU")
def gru(v):
    def extra(one):
        yield one("linear before reset", linear_before_reset=1)
        yield one("activations", activations=["HardSigmoid", "Softsign"])

    yield from recurrent(v, 3, extra)


@cases("LSTM")
def lstm(v):
    def extra(one):
        yield one("three outputs", outputs=3, initial=True, cell=True)
        yield one("peephole", outputs=3, peephole=True)
        yield one("activations", activations=["Sigmoid", "Relu", "Tanh"])
        yield one("coupled", input_forget=1)

    yield from recurrent(v, 4, extra)


@cases("Dropout")
def dropout(v):
    x = v.arr(0, (3, 4))
    yield Case([x])
    if v.version < 12:
        yield Case([x], {"ratio": 0.25}, name="ratio")
    else:
        yield Case([x, v.the(1, 0.25)], constant=(1,), name="ratio")
        yield Case([x, v.the(1, 0.25), np.array(False)], constant=(1, 2), name="not training")
        yield Case([x, None, np.array(False)], {}, 2, constant=(2,), name="mask")
        yield Case([x, v.the(1, 0.0), np.array(True)], {}, 2, constant=(1, 2), name="training, nothing dropped")


@cases("GridSample")
def grid_sample(v):
    x, grid = v.arr(0, (1, 2, 3, 4)), v.arr(1, (1, 2, 3, 2), -1.25, 1.25)
    modes = ["bilinear", "nearest", "bicubic"] if v.version < 20 else ["linear", "nearest", "cubic"]
    if v.dtype().kind in "Ob":
        modes = ["nearest"]
    for mode in modes:
        for padding in ("zeros", "border", "reflection"):
            for align in (0, 1):
                at = grid
                if mode == "nearest":  # no halves, which other roundings send elsewhere
                    at = (np.asarray(v.arr(1, (1, 2, 3, 2), -1, 1)).astype(np.float64) * 0.8).astype(v.dtype(1))
                yield Case([x, at], {"mode": mode, "padding_mode": padding, "align_corners": align}, sums=True, name=f"{mode} {padding} {align}")
    if v.version >= 20 and v.dtype().kind not in "Ob":
        yield Case([v.arr(0, (1, 1, 3, 2, 2)), v.arr(1, (1, 2, 2, 2, 3), -1, 1)], sums=True, name="volume")


@cases("AffineGrid")
def affine_grid(v):
    for align in (0, 1):
        yield Case([v.arr(0, (2, 2, 3)), ints(2, 3, 4, 5)], {"align_corners": align}, sums=True, constant=(1,), name=f"2D {align}")
        yield Case([v.arr(0, (1, 3, 4)), ints(1, 2, 2, 3, 2)], {"align_corners": align}, sums=True, name=f"3D {align}")


@cases("Attention")
def attention(v):
    def one(name, q=(1, 2, 3, 4), k=None, value=None, outputs=1, mask=None, past=None, **attributes):
        k = k or q
        inputs = [v.arr(0, q, -1, 1), v.arr(1, k, -1, 1), v.arr(2, value or k, -1, 1)]
        if mask is not None:
            inputs.append(mask)
        if past is not None:
            inputs += [None] * (4 - len(inputs)) + [v.arr(1, past, -1, 1), v.arr(2, past, -1, 1)]
        return Case(inputs, attributes, outputs, sums=True, name=name)

    yield one("defaults")
    yield one("scale", scale=0.5)
    yield one("causal", is_causal=1)
    yield one("softcap", softcap=2.0)
    yield one("value of another size", value=(1, 2, 3, 5))
    yield one("grouped heads", q=(1, 4, 3, 4), k=(1, 2, 3, 4))
    yield one("three dimensions", q=(1, 3, 8), q_num_heads=2, kv_num_heads=2)
    if v.types["U"] == "tensor(float)" or v.types["U"] == v.types["T1"] or "bool" in v.types["U"]:
        mask = v.arr(3, (3, 3))
        if mask.dtype.kind == "b":
            mask[:, 0] = True
        yield one("mask", mask=mask)
    yield one("past", past=(1, 2, 2, 4), outputs=3)
    yield one("scores", outputs=["y", "", "", "scores"])


@cases("RotaryEmbedding")
def rotary(v):
    x = v.arr(0, (1, 2, 3, 4))
    cos, sin = v.arr(1, (5, 2), -1, 1), v.arr(2, (5, 2), -1, 1)
    positions = ints(0, 1, 4).reshape(1, 3)
    yield Case([x, cos, sin, positions], sums=True)
    yield Case([x, cos, sin, positions], {"interleaved": 1}, sums=True, name="interleaved")
    yield Case([x, v.arr(1, (1, 3, 2), -1, 1), v.arr(2, (1, 3, 2), -1, 1)], sums=True, name="no positions")
    yield Case([v.arr(0, (1, 3, 8)), cos, sin, positions], {"num_heads": 2}, sums=True, name="three dimensions")
    yield Case([x, v.arr(1, (5, 1), -1, 1), v.arr(2, (5, 1), -1, 1), positions], {"rotary_embedding_dim": 2}, sums=True, name="part of the head")
