"""Values of every ONNX type: made, serialized, compared."""

import dataclasses
import re
import zlib

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Type strings of schemas ("tensor(float)") to element types.
ELEMENTS = {
    "float": TensorProto.FLOAT,
    "double": TensorProto.DOUBLE,
    "float16": TensorProto.FLOAT16,
    "bfloat16": TensorProto.BFLOAT16,
    "string": TensorProto.STRING,
    "bool": TensorProto.BOOL,
    "complex64": TensorProto.COMPLEX64,
    "complex128": TensorProto.COMPLEX128,
}
for _name in "int8 int16 int32 int64 uint8 uint16 uint32 uint64 int4 uint4 int2 uint2".split():
    ELEMENTS[_name] = TensorProto.DataType.Value(_name.upper())
for _name in "e4m3fn e4m3fnuz e5m2 e5m2fnuz".split():
    ELEMENTS["float8" + _name] = TensorProto.DataType.Value("FLOAT8" + _name.upper())
for _name in "float4e2m1 float8e8m0 float6e2m3 float6e3m2".split():
    ELEMENTS[_name] = TensorProto.DataType.Value(_name.upper())


def element_of(type_string):
    """TensorProto.FLOAT for "tensor(float)", or for the innermost tensor of a sequence or optional."""
    return ELEMENTS[type_string.rsplit("(", 1)[1].rstrip(")")]


def dtype_of(element):
    return np.dtype(helper.tensor_dtype_to_np_dtype(element))


def element_of_dtype(dtype):
    if dtype.kind in "OUS":
        return TensorProto.STRING
    return helper.np_dtype_to_tensor_dtype(dtype)


def is_floating(dtype):
    """Also the floating point types of ml_dtypes."""
    if dtype.kind == "f":
        return True
    try:
        ml_dtypes.finfo(dtype)
        return dtype.kind == "V" or dtype.name.startswith(("bfloat", "float"))
    except ValueError:
        return False


def epsilon(dtype):
    return float(ml_dtypes.finfo(dtype).eps)


def bits_of(dtype):
    """What an element takes in the standard; NumPy gives the small ones a byte each."""
    digits = re.match(r"u?int([24])$|float([46])_", dtype.name)
    return int(digits[1] or digits[2]) if digits else dtype.itemsize * 8


def rng_of(*key):
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


WORDS = np.array(["", "a", "B", "tenon", "ç", "日本", "zz top", "0.5", "-3"], dtype=object)


def integer_range(dtype):
    return int(ml_dtypes.iinfo(dtype).min), int(ml_dtypes.iinfo(dtype).max)


def make(rng, dtype, shape, low=-4, high=4):
    """Random elements in [low, high] that small types hold too: multiples of a quarter, or whole numbers."""
    if dtype.kind == "O":
        return rng.choice(WORDS, size=shape).astype(object).reshape(shape)
    if dtype.kind == "b":
        return rng.integers(0, 2, size=shape).astype(bool).reshape(shape)
    if dtype.kind == "c":
        parts = rng.integers(round(low * 4), round(high * 4) + 1, size=(2, *shape)) / 4
        return (parts[0] + 1j * parts[1]).astype(dtype)
    if is_floating(dtype):
        if dtype.name == "float8_e8m0fnu":
            return (2.0 ** rng.integers(-2, 3, size=shape)).astype(dtype)
        return np.asarray(rng.integers(round(low * 4), round(high * 4) + 1, size=shape) / 4).astype(dtype)
    least, most = integer_range(dtype)
    low, high = max(int(low), least), min(int(high), most)
    return np.asarray(rng.integers(low, high + 1, size=shape)).astype(dtype)


def kind_of(value):
    if isinstance(value, list):
        return "sequence"
    if isinstance(value, dict):
        return "map"
    return "tensor"


def serialize(value, name=""):
    if isinstance(value, list):
        return sequence_proto(value, name).SerializeToString()
    if isinstance(value, dict):
        return numpy_helper.from_dict(value, name).SerializeToString()
    return tensor_proto(value, name).SerializeToString()


def tensor_proto(value, name=""):
    value = np.asarray(value)
    if value.dtype.kind in "OUS":
        flat = [s.encode() if isinstance(s, str) else s for s in value.ravel().tolist()]
        return helper.make_tensor(name, TensorProto.STRING, value.shape, flat)
    return numpy_helper.from_array(np.ascontiguousarray(value).reshape(value.shape), name)


def sequence_proto(values, name=""):
    proto = onnx.SequenceProto(name=name, elem_type=onnx.SequenceProto.TENSOR)
    proto.tensor_values.extend(tensor_proto(v) for v in values)
    return proto


def parse(data, type_json):
    """A value that tenon serialized, by the kind of its inferred or expected type ("tensor", "sequence", ...)."""
    if type_json == "sequence":
        return numpy_helper.to_list(onnx.SequenceProto.FromString(data))
    if type_json == "optional":
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(data))
    if type_json == "map":
        return numpy_helper.to_dict(onnx.MapProto.FromString(data))
    return numpy_helper.to_array(onnx.TensorProto.FromString(data))


@dataclasses.dataclass
class Either:
    """What is expected where two values are right: an element is the one in `a` or the one in `b`."""

    a: np.ndarray
    b: np.ndarray


def difference(actual, desired, rtol, atol):
    """"" when equal, else what differs. `desired` may be wider than `actual`: types are compared elsewhere."""
    if isinstance(desired, list) or isinstance(actual, list):
        if not (isinstance(actual, list) and isinstance(desired, list)):
            return f"a {type(actual).__name__} instead of a {type(desired).__name__}"
        if len(actual) != len(desired):
            return f"{len(actual)} items instead of {len(desired)}"
        for i, (a, d) in enumerate(zip(actual, desired, strict=True)):
            if found := difference(a, d, rtol, atol):
                return f"item {i}: {found}"
        return ""
    if desired is None or actual is None:
        return "" if desired is None and actual is None else f"{actual!r} instead of {desired!r}"
    if isinstance(desired, dict):
        if not isinstance(actual, dict) or actual.keys() != desired.keys():
            return f"{actual!r} instead of {desired!r}"
        return next((f for k in desired if (f := difference(actual[k], desired[k], rtol, atol))), "")
    if isinstance(desired, Either):
        actual = np.asarray(actual)
        if actual.shape != desired.a.shape:
            return f"shape {actual.shape} instead of {desired.a.shape}"
        return difference(actual, np.where(actual == desired.b, desired.b, desired.a), rtol, atol)
    actual, desired = np.asarray(actual), np.asarray(desired)
    if actual.shape != desired.shape:
        return f"shape {actual.shape} instead of {desired.shape}"
    if desired.dtype.kind in "OUS" or actual.dtype.kind in "OUS":
        text = [s.decode() if isinstance(s, bytes) else str(s) for s in desired.ravel()]
        found = [s.decode() if isinstance(s, bytes) else str(s) for s in actual.ravel()]
        return "" if text == found else f"{found} instead of {text}"
    if actual.dtype == desired.dtype and actual.dtype.kind in "iub" and not rtol and not atol:
        equal = actual == desired
    else:
        wide = np.complex128 if "c" in actual.dtype.kind + desired.dtype.kind else np.float64
        a, d = actual.astype(wide), desired.astype(wide)
        with np.errstate(all="ignore"):
            equal = (a == d) | (np.isnan(a) & np.isnan(d)) | (np.abs(a - d) <= atol + rtol * np.abs(d))
            equal &= np.isinf(a) == np.isinf(d)
    if np.all(equal):
        return ""
    at = tuple(int(i) for i in np.argwhere(~np.asarray(equal))[0]) if equal.ndim else ()
    return f"{np.size(equal) - np.count_nonzero(equal)} of {np.size(equal)} differ, at {at}: {actual[at]} instead of {desired[at]}"
