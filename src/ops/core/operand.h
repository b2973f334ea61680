// Where a kernel finds an operand of its anchor while it runs.
#pragma once

#include <algorithm>

#include "ops/core/kernel.h"

namespace tenon::ops {

/// Input `i` of a node of the region, which has it: a constant, or an input of the region.
struct Operand {
  Tensor constant;   ///< Undefined when it is none.
  size_t input = 0;  ///< Index in Region::inputs, otherwise.

  Operand(const Region& region, const Node& node, size_t i) {
    if (const Tensor* tensor = region.constant_input(node, i)) {
      constant = *tensor;
    } else {
      const auto at = std::find(region.inputs.begin(), region.inputs.end(), node.inputs[i]);
      input = static_cast<size_t>(at - region.inputs.begin());
    }
  }
  const Tensor& get(const KernelContext& context) const {
    return constant.defined() ? constant : context.input(input);
  }
};

}  // namespace tenon::ops
