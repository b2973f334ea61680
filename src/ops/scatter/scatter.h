// How ScatterElements and ScatterND write: slices of updates into a copy of the data, with a reduction.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/try.h"
#include "ops/core/versions.h"
#include "tenon/tensor.h"

namespace tenon::ops {

enum class ScatterReduction : uint8_t { kNone, kAdd, kMul, kMax, kMin };

/// The value of the attribute `reduction`; kInvalidModel when it is none of the five.
Result<ScatterReduction> scatter_reduction(std::string_view name);

/// For each i, in order: the `block` elements of `output` from targets[i] on become their reduction with the
/// i-th block of `updates` (or that block itself). Targets lie inside `output`. A NaN is kept by maximum and
/// minimum; a bool adds as "or" and multiplies as "and". kUnsupported for the maximum of complex numbers or
/// strings.
Status scatter_blocks(Tensor& output, const Tensor& updates, const std::vector<int64_t>& targets,
                      int64_t block, ScatterReduction reduction);

/// The emit rule of both: add and mul came with 16, max and min with 18.
Status emit_scatter(EmitContext& context);

}  // namespace tenon::ops
