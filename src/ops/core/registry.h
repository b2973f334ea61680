// The registry: from an Op, or the name in a file, to its definition.
#pragma once

#include <span>
#include <string_view>

#include "ops/core/op_def.h"

namespace tenon::ops {

/// The definition of an operator that tenon has; nodes of graphs have no others.
const OpDef& op_def(Op op);
/// The operator of that name, or null.
const OpDef* find_op(std::string_view domain, std::string_view name);
Op op_of(const OpDef& def);
const LegacyOp* find_legacy(std::string_view domain, std::string_view name);
/// Whether some operator has a kernel row whose name begins so.
bool has_row_like(std::string_view beginning);
/// The newest schema of a canonical operator.
const Schema& newest_schema(Op op);

}  // namespace tenon::ops
