// What a program's inputs and outputs stand for.
#pragma once

#include "formats/torch/pt2/json.h"
#include "ir/aten/program.h"

namespace tenon::pt2 {

/// Reads graph_module.signature into input_specs and output_specs of `program`, whose graph is there already.
/// They match its inputs and outputs one by one. kMalformed, kInvalidModel.
Status read_signature(JsonValue value, aten::Program& program);

/// Reads the trees of inputs and outputs from graph_module.module_call_graph. A file without them has flat
/// ones.
Status read_trees(JsonValue value, aten::Program& program);

/// Reads range_constraints.
Status read_ranges(JsonValue value, aten::Program& program);

}  // namespace tenon::pt2
