#!/usr/bin/env python3
"""Makes the .npy and .npz files in this folder with NumPy and ml_dtypes; the tests know what is in them."""

import warnings
from pathlib import Path

import ml_dtypes
import numpy as np

HERE = Path(__file__).resolve().parent
TYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32",
         "float64", "complex64", "complex128"]


def values(dtype):
    """0 to 23 as [2, 3, 4]; bool: every third is true; complex: with the negative as imaginary part."""
    count = np.arange(24).reshape(2, 3, 4)
    if dtype == "bool":
        return count % 3 == 0
    if dtype.startswith("complex"):
        return (count - 1j * count).astype(dtype)
    return count.astype(dtype)


def main():
    plain = {name: values(name) for name in TYPES} | {"bfloat16": values("float32").astype(ml_dtypes.bfloat16)}
    np.savez(HERE / "types.npz", **plain)
    np.savez_compressed(HERE / "types_deflated.npz", **plain)
    np.savez(HERE / "types_fortran.npz", **{name: np.asfortranarray(a) for name, a in plain.items()})
    big = {name: values(name).astype(np.dtype(name).newbyteorder(">")) for name in TYPES}
    np.savez(HERE / "types_big_endian.npz", **big)

    text = np.array([["a", "né"], ["日本語", "\U0001f408 cat"]])
    np.savez(HERE / "strings.npz", text=text, fortran=np.asfortranarray(text), big=text.astype(">U6"),
             bytes=np.array([b"ab", b"", b"\xff\x00\x01"]), **{"/a/b:0": np.float32(1.5)})
    np.savez(HERE / "empty.npz")

    np.save(HERE / "float32.npy", values("float32"))
    np.save(HERE / "vector.npy", np.arange(3, dtype=np.int64))
    np.save(HERE / "scalar.npy", np.float64(2.5))
    np.save(HERE / "zero_size.npy", np.zeros((0, 3), np.int32))
    np.save(HERE / "text.npy", text)
    np.save(HERE / "bytes.npy", np.array([b"ab", b"", b"\xff\x00\x01"]))
    np.save(HERE / "bfloat16.npy", plain["bfloat16"])
    for version in (2, 3):
        with open(HERE / f"version_{version}.npy", "wb") as file:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                np.lib.format.write_array(file, values("int16"), version=(version, 0))
    np.save(HERE / "object.npy", np.array([{}, None], dtype=object), allow_pickle=True)
    np.save(HERE / "structured.npy", np.zeros(2, [("a", "f4"), ("b", "i4")]))
    np.save(HERE / "date.npy", np.array(["2026-01-01"], "M8[D]"))
    np.save(HERE / "long_double.npy", np.array([1], np.longdouble))


if __name__ == "__main__":
    main()
