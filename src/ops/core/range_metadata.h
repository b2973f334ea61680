// The ranges of symbolic sizes as entries of an ONNX model's metadata_props, which ONNX itself has no place
// for: "sizes.batch" with "2..8", "..8" or "3..".
#pragma once

#include "ir/graph.h"
#include "ir/model.h"

namespace tenon::ops {

/// Appends an entry for each name of a dimension of an input (as in its dim_param) that has bounds.
void add_range_metadata(const TypedModel& model, onnx::StringPairs& metadata);

/// Takes such entries out. Others stay, and so do those that are not written like that.
SizeRanges take_range_metadata(onnx::StringPairs& metadata);

}  // namespace tenon::ops
