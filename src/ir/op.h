// Op: which operator a canonical node is. The list is src/ir/ops.def, one row an operator.
#pragma once

#include <cstdint>
#include <string_view>

namespace tenon {

enum class Op : uint16_t {
#define TENON_OP(name) k##name,
#include "ir/ops.def"
#undef TENON_OP
};

inline constexpr int kOpCount = 0
#define TENON_OP(name) +1
#include "ir/ops.def"
#undef TENON_OP
    ;

/// The operator's name in ONNX: "Conv".
std::string_view op_name(Op op);

}  // namespace tenon
