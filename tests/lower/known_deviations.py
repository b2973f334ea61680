"""Where ONNX Runtime 1.32, onnx.reference 1.23.2 or ONNX itself is known not to give what PyTorch gives: which layers,
how far, and why. A case of this table that agrees, or is further off than was measured, fails the proof."""

import dataclasses
import math

ANY_OPSET = range(1, 100)


@dataclasses.dataclass(frozen=True)
class Deviation:
    judges: tuple  # "onnxruntime", "onnx.reference", "tenon"
    layers: tuple
    types: tuple
    opsets: range
    why: str
    dialects: tuple = ("training", "aten")
    at_most: float = math.inf  # the largest difference that was measured; none of another shape, or no answer
    disabled_optimizers: tuple = ()  # without which ONNX Runtime does answer, and is compared


DEVIATIONS = (
    Deviation(
        ("onnxruntime",),
        ("LSTM projected, batch first, without bias",),
        ("float16",),
        ANY_OPSET,
        "crashes when it loads a float16 model in which Transpose(x, perm=[1, 0, 2]), or [1, 2, 0], is multiplied with a "
        "constant, with or without a Cast between them: its MatmulTransposeFusion leads to a segmentation fault",
        dialects=("training",),
        disabled_optimizers=("MatmulTransposeFusion",),
    ),
    Deviation(
        ("onnx.reference",),
        ("AdaptiveMaxPool1d 1",),
        ("float32",),
        ANY_OPSET,
        "its GlobalMaxPool reduces two axes, whatever the rank",
        dialects=("training",),  # in the other one the layer is a 2d pool
    ),
    Deviation(
        ("onnx.reference",),
        ("AdaptiveMaxPool3d 1",),
        ("float32",),
        ANY_OPSET,
        "its GlobalMaxPool reduces two axes, whatever the rank",
    ),
    Deviation(
        ("tenon", "onnxruntime"),
        ("interpolate antialias by a factor",),
        ("float64",),
        ANY_OPSET,
        "Resize holds factors in float32 (scales: tensor(float)), PyTorch in float64",
        at_most=5.7e-8,
    ),
    Deviation(
        ("tenon", "onnxruntime"),
        ("interpolate bicubic antialias by factors",),
        ("float64",),
        ANY_OPSET,
        "Resize holds factors in float32 (scales: tensor(float)), PyTorch in float64",
        at_most=4.8e-7,
    ),
)


def known_deviation(judge, layer, dtype, dialect, opset):
    """The one that is recorded for a judge's answer to a case, or None. `dtype` is torch's."""
    name = str(dtype).removeprefix("torch.")
    for known in DEVIATIONS:
        of_layer = layer in known.layers and name in known.types and dialect in known.dialects
        if judge in known.judges and of_layer and opset in known.opsets:
            return known
    return None
