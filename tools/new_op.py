#!/usr/bin/env python3
"""Begins an operator: its folder in src/ops and its row in src/ir/ops.def. Run by ./dev new-op NAME.

What it writes compiles, and says "not written yet" when a model uses the operator: its cases in ONNX's suite go from
"unsupported" to that message, until infer and reference are filled in. docs/add-an-op.md says how.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROWS = ROOT / "src/ir/ops.def"
NAMES = ROOT / "src/ir/op_names.def"

TEMPLATE = """\
// {name} (https://onnx.ai/onnx/operators/onnx__{name}.html): what it computes, in one sentence.
#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {{

namespace {{

Status infer(InferContext& context) {{
  context.set_output(0, context.element(0));
  return {{}};
}}

Status reference(KernelContext&) {{
  return fail(ErrorCode::kUnsupported, "{name} is not written yet");
}}

}}  // namespace

constinit const OpDef k{name}{{
    .name = "{name}",
    .infer = infer,
    .reference = reference,
}};

}}  // namespace tenon::ops
"""


def folder_name(name):
    """"GlobalLpPool" to "global_lp_pool", "GRU" to "gru"."""
    parts = re.sub(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3_\2\4", name)
    return parts.lower()


def main():
    if len(sys.argv) != 2:
        print("usage: ./dev new-op NAME      (NAME as in ONNX, for example Det)", file=sys.stderr)
        return 2
    name = sys.argv[1]
    if f"TENON_OPERATOR({name})" not in NAMES.read_text():
        print(f"new-op: ONNX has no operator {name}; tenon ops lists those that it has", file=sys.stderr)
        return 2
    lines = ROWS.read_text().splitlines(keepends=True)
    if f"TENON_OP({name})\n" in lines:
        print(f"new-op: {name} is there already", file=sys.stderr)
        return 2
    path = ROOT / "src/ops" / folder_name(name) / f"{folder_name(name)}.cpp"
    path.parent.mkdir(exist_ok=True)
    if path.exists():
        print(f"new-op: {path.relative_to(ROOT)} is there already", file=sys.stderr)
        return 2
    path.write_text(TEMPLATE.format(name=name))
    later = [i for i, line in enumerate(lines)
             if (row := re.match(r"TENON_OP\((\w+)\)", line)) and row[1].lower() > name.lower()]
    rows = [i for i, line in enumerate(lines) if line.startswith("TENON_OP(")]
    lines.insert(later[0] if later else rows[-1] + 1, f"TENON_OP({name})\n")
    ROWS.write_text("".join(lines))
    print(f"{path.relative_to(ROOT)} and a row in {ROWS.relative_to(ROOT)}; docs/add-an-op.md says what to do next")
    return 0


if __name__ == "__main__":
    sys.exit(main())
