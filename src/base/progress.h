// Telling a caller how far a call is.
#pragma once

#include "tenon/progress.h"

namespace tenon {

/// Calls `progress` when there is one. A `total` of 0: nothing is counted.
inline void tell(const ProgressFunction& progress, std::string_view what, size_t done = 0, size_t total = 0) {
  if (progress) progress(what, done, total);
}

}  // namespace tenon
