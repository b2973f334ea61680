// Op: which operator a canonical node is: one value for every operator of the ONNX standard, generated from
// the pinned onnx package. Which of them tenon has is said by ir/ops.def.
#pragma once

#include <cstdint>
#include <string_view>

namespace tenon {

enum class Op : uint16_t {
#define TENON_OPERATOR(name) k##name,
#include "ir/op_names.def"
#undef TENON_OPERATOR
};

inline constexpr int kOpCount = 0
#define TENON_OPERATOR(name) +1
#include "ir/op_names.def"
#undef TENON_OPERATOR
    ;

/// The operator's name in ONNX: "Conv".
std::string_view op_name(Op op);

}  // namespace tenon
