// The rules that every aten::Program keeps, checked after reading and after each rewriting.
#pragma once

#include "ir/aten/program.h"

namespace tenon::aten {

/// Checks that every value is made once and before it is used (by graph inputs or earlier nodes), that names
/// of nodes are unique, that tensors have a type and symbols an expression, in subgraphs too (at most 32
/// deep); that inputs and outputs match their specs in number. kInvalidModel, with the node at fault; kLimit.
Status verify(const Program& program);

}  // namespace tenon::aten
