"""Inputs, pictures and labels that are damaged or hostile, as a user would hand them to run and classify."""

import json
import struct
import zlib

import numpy as np
import onnx
import pytest
from hostile import ROOT, model, refused, survived, value, write
from onnx import TensorProto, helper

DATA = ROOT / "tests" / "data"


@pytest.fixture
def relu(tmp_path):
    return write(tmp_path, model([helper.make_node("Relu", ["x"], ["y"])], [value("x", ["n", 3])]), "relu.onnx")


@pytest.fixture
def classifier(tmp_path):
    """The mean of each channel is its class's score."""
    nodes = [helper.make_node("GlobalAveragePool", ["x"], ["p"]), helper.make_node("Flatten", ["p"], ["y"])]
    return write(tmp_path, model(nodes, [value("x", ["n", 3, 8, 8])], [value("y", ["n", 3])]), "classifier.onnx")


def npy(header, data=b"", version=b"\x01\x00"):
    header = header.encode()
    return b"\x93NUMPY" + version + struct.pack("<H" if version[0] == 1 else "<I", len(header)) + header + data


HEADER = "{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}\n"


@pytest.mark.parametrize(("name", "data"), {
    "terabytes": npy(HEADER.format("<f4", (1 << 40,))), "overflow": npy(HEADER.format("<f4", (1 << 62, 1 << 62))),
    "negative": npy(HEADER.format("<f4", (-1,))), "object": npy(HEADER.format("|O", (1,)), b"\x80\x04N."),
    "deep": npy("{'descr': " + "(" * 10_000), "long_header": npy("{" + " " * (1 << 20), version=b"\x02\x00"),
    "wide_text": npy(HEADER.format("<U2147483647", (1,))), "empty_header": npy(""), "version_9": npy("{}", version=b"\x09\x00"),
    "cut": npy(HEADER.format("<f4", (1, 3)), bytes(11)), "code": npy("__import__('os').system('id')"), "nothing": b"",
}.items())
def test_refuses_npy(tmp_path, relu, name, data):
    path = tmp_path / f"{name}.npy"
    path.write_bytes(data)
    refused("run", relu, "--input", f"x={path}", words=[path.name], statuses=(1, 2))


@pytest.mark.parametrize("length", range(0, 140, 3))
def test_refuses_cut_npy(tmp_path, relu, length):
    whole = npy(HEADER.format("<f4", (1, 3)).ljust(118), bytes(12))
    path = tmp_path / "cut.npy"
    path.write_bytes(whole[:length])
    refused("run", relu, "--input", f"x={path}", words=[path.name], statuses=(1, 2))


@pytest.mark.parametrize(("name", "proto"), {
    "terabytes": TensorProto(dims=[1 << 40], data_type=1), "negative": TensorProto(dims=[-1], data_type=1),
    "external": TensorProto(dims=[1], data_type=1, data_location=TensorProto.EXTERNAL,
                            external_data=[onnx.StringStringEntryProto(key="location", value="/etc/hostname")]),
    "untyped": TensorProto(dims=[1, 3]),
}.items())
def test_refuses_pb(tmp_path, relu, name, proto):
    path = tmp_path / f"{name}.pb"
    path.write_bytes(proto.SerializeToString())
    refused("run", relu, "--input", f"x={path}", words=[path.name])


def png(width, height, data=b""):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b""))


def jpeg(width, height):
    whole = bytearray((DATA / "image" / "baseline.jpg").read_bytes())
    at = whole.index(b"\xff\xc0")
    whole[at + 5:at + 9] = struct.pack(">HH", height, width)
    return bytes(whole)


def many_scans():
    whole = (DATA / "image" / "progressive.jpg").read_bytes()
    at = whole.index(b"\xff\xda")
    scan = whole[at:whole.index(b"\xff\xda", at + 2)]
    return whole[:at] + scan * 20_000 + whole[at:]


PICTURES = {
    "png_65k": png(65_000, 65_000), "png_2_to_31": png((1 << 31) - 1, (1 << 31) - 1), "png_empty": png(0, 10),
    "png_deflate_bomb": png(9_000, 9_000, bytes(1 << 20)), "jpeg_65k": jpeg(65_500, 65_500), "jpeg_scans": many_scans(),
    "webp_animated": (DATA / "image" / "animated.webp").read_bytes(), "gif": (DATA / "image" / "gif.gif").read_bytes(),
    "bmp_huge": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 65_000, -65_000, 1, 24, 0, 0, 0, 0, 0, 0),
    "text": b"<svg/>", "nothing": b"",
}


@pytest.mark.parametrize("name", PICTURES)
def test_refuses_picture(tmp_path, classifier, name):
    path = tmp_path / f"{name}.img"
    path.write_bytes(PICTURES[name])
    refused("classify", classifier, path, words=[path.name], statuses=(1, 2))


@pytest.mark.parametrize("source", ["rgb.png", "baseline.jpg", "lossy.webp", "rgb.bmp"])
def test_refuses_cut_picture(tmp_path, classifier, source):
    whole = (DATA / "image" / source).read_bytes()
    survived("classify", classifier, DATA / "image" / source, statuses=(0,))
    path = tmp_path / "cut.img"
    for length in range(0, len(whole) - 40, max(1, len(whole) // 25)):  # each byte: src/image/decode_test.cpp
        path.write_bytes(whole[:length])
        refused("classify", classifier, path, words=[path.name], statuses=(1, 2))


@pytest.mark.parametrize(("name", "text"), {
    "deep": "[" * 100_000, "index": '{"9999999999": "a"}', "negative": '{"-1": "a"}', "numbers": "[1, 2, 3]", "cut": '["a',
    "huge": json.dumps({str(1 << 62): "a"}), "too_few": '["a", "b"]',
}.items())
def test_refuses_labels(tmp_path, classifier, name, text):
    path = tmp_path / f"{name}.json"
    path.write_text(text)
    refused("classify", classifier, DATA / "image" / "rgb.png", "--labels", path, statuses=(1, 2))
