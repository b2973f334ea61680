"""Writes tests/data/torch: small files of torch.save and safetensors, each with what PyTorch says is in it.

Run by hand when a case is added:  .venv/bin/python tests/make_torch_data.py
FILE.expected holds one line for each tensor: name, element type, shape, hex of the elements in row-major order.
"""

import json
import pathlib
from collections import OrderedDict

import torch

FOLDER = pathlib.Path(__file__).parent / "data" / "torch"


def numbers(*shape, dtype=torch.float32):
    count = 1
    for size in shape:
        count *= size
    return (torch.arange(count, dtype=torch.float32) * 0.375 - 1).to(dtype).reshape(shape)


def strided_tensors():
    base = numbers(4, 6)
    tied = numbers(3, 2)
    return OrderedDict(
        [
            ("dense", base),
            ("transposed", base.t()),
            ("every_second", base[:, ::2]),
            ("slice", base[1:3, 2:5]),
            ("expanded", numbers(3, 1).expand(3, 4)),
            ("scalar", torch.tensor(2.5)),
            ("empty", torch.zeros(0, 3)),
            ("channels_last", numbers(1, 3, 2, 2).contiguous(memory_format=torch.channels_last)),
            ("tied.a", tied),
            ("tied.b", tied),
            ("tied.transposed", tied.t()),
            ("parameter", torch.nn.Parameter(numbers(2))),
        ]
    )


def typed_tensors():
    names = (
        "float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool uint16 uint32 uint64 complex64 "
        "complex128 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz"
    ).split()
    values = torch.tensor([0.0, 1.0, 2.0, 5.0, 0.0])
    return OrderedDict((name, values.to(getattr(torch, name))) for name in names)


def expected_lines(tensors):
    lines = []
    for name, tensor in tensors.items():
        dense = tensor.detach().contiguous()
        raw = bytes(dense.reshape(-1).view(torch.uint8).tolist()) if dense.numel() else b""
        shape = ",".join(str(size) for size in dense.shape)
        lines.append(f"{name}\t{str(dense.dtype)[6:]}\t{shape}\t{raw.hex()}")
    return "\n".join(lines) + "\n"


def write(name, obj, tensors, **options):
    torch.save(obj, FOLDER / name, **options)
    (FOLDER / f"{name}.expected").write_text(expected_lines(tensors))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    strided, typed = strided_tensors(), typed_tensors()
    legacy = {"_use_new_zipfile_serialization": False}
    write("strided.pt", strided, strided)
    write("typed.pt", typed, typed)
    write("legacy.pt", strided, strided, **legacy)
    write("legacy_typed.pt", typed, typed, **legacy)
    write("protocol5.pt", strided, strided, pickle_protocol=5)
    write("legacy_protocol4.pt", strided, strided, pickle_protocol=4, **legacy)
    torch.serialization.set_crc32_options(False)
    write("no_checksums.pt", strided, strided)
    torch.serialization.set_crc32_options(True)

    small = OrderedDict([("weight", numbers(2, 2)), ("bias", numbers(2))])
    wrapped = OrderedDict((f"module.{name}", tensor) for name, tensor in small.items())
    optimizer = {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 0.1, "params": [0, 1]}]}
    write("checkpoint.pt", {"epoch": 3, "state_dict": wrapped, "optimizer": optimizer, "best": 0.75}, small)
    write("extra.pt", OrderedDict([*small.items(), ("steps", 7), ("_extra_state", b"\x00\xff")]), small)
    model = torch.nn.BatchNorm1d(2)
    write("module_state.pt", model.state_dict(), model.state_dict())

    torch.save(OrderedDict(small, q=torch.quantize_per_tensor(numbers(2), 0.1, 0, torch.qint8)), FOLDER / "quantized.pt")
    torch.save(OrderedDict(small, s=torch.eye(2).to_sparse()), FOLDER / "sparse.pt")
    torch.save(torch.nn.Linear(2, 2), FOLDER / "whole_model.pt")
    torch.save([numbers(2)], FOLDER / "list.pt")
    torch.jit.script(torch.nn.Linear(2, 2)).save(FOLDER / "script.pt")
    every_kind = {
        "none": None, "bool": True, "int": -5, "large": 1 << 40, "huge": 1 << 70, "float": 1.5, "complex": 1 + 2j,
        "text": "näme", "bytes": b"\x00\xff", "bytearray": bytearray(b"xyz"), "tuple": (1, (2,)), "list": [1, [2]],
        "set": {1}, "size": torch.Size([1, 2]), "device": torch.device("cpu"), "dtype": torch.float16,
        "tensor": numbers(2),
    }  # fmt: skip
    torch.save(every_kind, FOLDER / "kinds.pt")
    torch.save(every_kind, FOLDER / "kinds5.pt", pickle_protocol=5)

    try:
        from safetensors.torch import save_file
    except ImportError:
        print("safetensors is not installed: model.safetensors stays as it is")
        return
    tensors = {name: tensor.contiguous() for name, tensor in typed.items() if "fnuz" not in name and "128" not in name}
    save_file(tensors, FOLDER / "model.safetensors", metadata={"format": "pt"})
    data = (FOLDER / "model.safetensors").read_bytes()
    order = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    in_order = {name: tensors[name] for name in order if name != "__metadata__"}
    (FOLDER / "model.safetensors.expected").write_text(expected_lines(in_order))


if __name__ == "__main__":
    main()
