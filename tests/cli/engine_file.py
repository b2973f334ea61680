"""Engine files taken apart and put together again, as src/formats/engine describes them."""

import json
import struct
import zlib

FOOTER = struct.Struct("<QQQII16s")  # plan, original model, JSON, version, checksum, signature


class EngineFile:
    def __init__(self, path):
        data = path.read_bytes()
        plan, original, text, self.version, self.checksum, self.signature = FOOTER.unpack(data[-FOOTER.size:])
        self.data, self.compiled, self.original = data[:plan], data[plan:original], data[original:text]
        self.plan = json.loads(data[text:-FOOTER.size])

    def write(self, path):
        """With a right checksum, whatever has been changed."""
        text = json.dumps(self.plan).encode()
        starts = [len(self.data)]
        for part in (self.compiled, self.original):
            starts.append(starts[-1] + len(part))
        head = struct.pack("<QQQI", *starts, self.version)
        summed = self.compiled + self.original + text + head
        path.write_bytes(self.data + summed + struct.pack("<I16s", zlib.crc32(summed), self.signature))
        return path
