// Archives of arrays (.npz) that get their names later, together with other files.
#pragma once

#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "tenon/tensor.h"

namespace tenon {

/// As write_npz, up to the renaming: the caller commits the file.
Result<AtomicFile> prepare_npz(const std::string& path, const std::vector<NamedValue>& values);

}  // namespace tenon
