// The nesting of inputs and outputs as torch.export writes it.
#pragma once

#include <string_view>

#include "ir/aten/pytree.h"
#include "tenon/error.h"

namespace tenon::pt2 {

/// Parses what torch.utils._pytree.treespec_dumps writes (protocol 1), e.g.
/// [1, {"type": "builtins.tuple", "context": "null", "children_spec": [{"type": null, ...}]}].
/// At most 32 levels deep. Errors: kMalformed, kLimit, kUnsupported (another protocol).
Result<aten::PyTree> parse_treespec(std::string_view json);

}  // namespace tenon::pt2
