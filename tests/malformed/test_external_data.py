"""External data that leads where it must not, or is not as the model says."""

import os

import numpy as np
import onnx
import pytest
from hostile import model, refused, refused_by_all, survived, tensor, value, write
from onnx import TensorProto, helper

SECRET = np.arange(4, dtype=np.float32).tobytes()


def external(*pairs, name="weight_7"):
    proto = TensorProto(name=name, dims=[4], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    for key, text in pairs:
        proto.external_data.add(key=key, value=text)
    return proto


def initializer(proto):
    return model([helper.make_node("Identity", ["weight_7"], ["y"])], initializers=[proto])


def attribute(proto):
    return model([helper.make_node("Constant", [], ["y"], value=proto)])


def subgraph(proto):
    branch = helper.make_graph([helper.make_node("Identity", ["weight_7"], ["t"])], "branch", [], [value("t")], [proto])
    return model([helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)],
                 initializers=[tensor("c", True, np.bool_)])


def function(proto):
    body = helper.make_function("local", "F", [], ["b"], [helper.make_node("Constant", [], ["b"], value=proto)],
                                [helper.make_opsetid("", 18)])
    return model([helper.make_node("F", [], ["y"], domain="local")], functions=[body])


def sparse(proto):
    made = helper.make_sparse_tensor(tensor("s", [1, 2, 3, 4], np.float32), tensor("", [0, 1, 2, 3], np.int64), [8])
    made.values.CopyFrom(proto)
    return model([helper.make_node("Identity", ["weight_7"], ["y"])], sparse=[made])


HOLDERS = {f.__name__: f for f in (initializer, attribute, subgraph, function, sparse)}
LOCATIONS = {
    "absolute": "/etc/hostname", "parent": "../secret.bin", "parent_inside": "a/../../secret.bin",
    "parent_and_back": "a/../weights.bin", "nul": "weights.bin\0.txt", "empty": "", "backslash": "a\\weights.bin",
    "folder": "a", "slash": "weights.bin/", "dot": ".", "fifo": "fifo", "device": "device", "link": "link.bin",
    "link_to_folder": "linked/secret.bin", "hard_link": "hard.bin", "missing": "missing.bin",
}


@pytest.fixture
def folder(tmp_path):
    """A model's folder with everything that a location could name; the secret lies beside it."""
    (tmp_path / "secret.bin").write_bytes(SECRET)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.bin").write_bytes(SECRET)
    inside = tmp_path / "model"
    (inside / "a").mkdir(parents=True)
    (inside / "weights.bin").write_bytes(SECRET)
    (inside / "link.bin").symlink_to("weights.bin")
    (inside / "linked").symlink_to(tmp_path / "outside")
    os.link(tmp_path / "secret.bin", inside / "hard.bin")
    os.mkfifo(inside / "fifo")
    (inside / "device").symlink_to("/dev/zero")
    return inside


@pytest.mark.parametrize("holder", HOLDERS)
def test_reads_what_lies_beside(folder, holder):
    """The file that the others only pretend to be."""
    survived("run", write(folder, HOLDERS[holder](external(("location", "weights.bin")))), statuses=(0,))


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("name", LOCATIONS)
def test_refuses_location(folder, holder, name):
    path = write(folder, HOLDERS[holder](external(("location", LOCATIONS[name]))))
    out = folder / "out.onnx"
    assert str(folder) in refused("run", path)
    assert str(folder) in refused("export", path, "-o", out, output=out)


NUMBERS = ["-1", "-9223372036854775808", "18446744073709551616", "99999999999999999999999", "9223372036854775807",
           "x", "", " 0", "0x10", "1e3", "17", "4096"]


@pytest.mark.parametrize("key", ["offset", "length"])
@pytest.mark.parametrize("number", NUMBERS)
def test_refuses_number(folder, key, number):
    refused_by_all(write(folder, initializer(external(("location", "weights.bin"), (key, number)))))


@pytest.mark.parametrize("pairs", [
    [("location", "weights.bin"), ("location", "weights.bin")], [("location", "weights.bin"), ("offset", "0"), ("offset", "4")],
    [("location", "weights.bin"), ("__class__", "x")], [("offset", "0")], [],
])
def test_refuses_keys(folder, pairs):
    refused_by_all(write(folder, initializer(external(*pairs))))


@pytest.mark.parametrize("size", range(16))
def test_refuses_truncated_data(folder, size):
    (folder / "weights.bin").write_bytes(SECRET[:size])
    refused_by_all(write(folder, initializer(external(("location", "weights.bin")))), words=["weights.bin"])


def test_refuses_terabytes_of_a_small_file(folder):
    proto = external(("location", "weights.bin"))
    proto.dims[0] = 1 << 40
    refused_by_all(write(folder, initializer(proto)), words=["weights.bin"])


def test_export_does_not_overwrite_data_of_another(folder):
    """OUT.data exists already and was not made by this export: the model goes elsewhere, or not at all."""
    source = write(folder, model([helper.make_node("Add", ["x", "w"], ["y"])], [value("x", [4096])],
                                 initializers=[tensor("w", np.ones(4096), np.float32)]))
    foreign = folder / "out.onnx.data"
    foreign.write_bytes(b"precious")
    done = survived("export", source, "-o", folder / "out.onnx", "--external-data")
    assert foreign.read_bytes() == b"precious"
    if done.returncode == 0:
        assert onnx.load(folder / "out.onnx").graph.initializer[0].raw_data == np.ones(4096, np.float32).tobytes()


def test_export_onto_its_own_external_data(folder):
    """The output's data file is the input's: neither is lost."""
    weights = np.arange(4096, dtype=np.float32)
    proto = model([helper.make_node("Add", ["x", "w"], ["y"])], [value("x", [4096])], initializers=[tensor("w", weights)])
    path = folder / "own.onnx"
    onnx.save(proto, path, save_as_external_data=True, location="own.onnx.data", size_threshold=0)
    survived("export", path, "-o", path, "--external-data")
    loaded = onnx.load(path).graph.initializer[0]
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(loaded), weights)
