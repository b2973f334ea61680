// What many operators share about axes: resolving them, and the two ways they changed over opset versions
// (negative values since 11; lists of axes that moved from an attribute to an input).
#pragma once

#include <cstdint>
#include <vector>

#include "base/try.h"
#include "ops/core/versions.h"

namespace tenon::ops {

/// Axes made non-negative and sorted; kInvalidModel when one is outside [-rank, rank) or comes twice.
Result<std::vector<int64_t>> normalize_axes(std::vector<int64_t> axes, int64_t rank);

/// Emits the node with its attribute `axis` made non-negative below opset 11, where negative ones were not
/// yet allowed; `rank` is that of the tensor the axis counts in, nullopt when not known.
Status emit_axis(EmitContext& context, std::optional<int64_t> rank);
/// The same with the rank of input 0: the emit rule of Concat, Gather, Flatten and their like.
Status emit_axis_of_first(EmitContext& context);

/// Upgrade of an operator whose attribute `axes` became input 1: inputs and attributes of the canonical node.
/// Does nothing when the attribute is absent.
void move_axes_to_input(UpgradeContext& context, std::vector<ValueId>& inputs, Attributes& attributes);
/// Emits the node with the constant input 1 as attribute `axes`, for opsets before `since`. Errors when the
/// input is not constant.
Status emit_axes_attribute(EmitContext& context, int since);

/// The known rank of a type.
inline std::optional<int64_t> rank_of(const ValueType& type) {
  return type.shape ? std::optional<int64_t>(static_cast<int64_t>(type.shape->size())) : std::nullopt;
}

}  // namespace tenon::ops
