// What kernels ask of whoever runs them. Tests and benches give their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/function_ref.h"

namespace tenon::kernels {

struct Services {
  /// Calls body(begin, end) for disjoint ranges that cover [0, count), perhaps at the same time.
  std::function<void(int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t)> body)> parallel_for;
  /// 64-byte aligned memory that lasts as long as the call; contents not set. Safe to call in parallel.
  std::function<std::byte*(size_t bytes)> scratch;
  /// Among which parallel_for shares: how work is cut may depend on it, results may not.
  int threads = 1;

  template <class T>
  T* scratch_array(int64_t count) const {
    return reinterpret_cast<T*>(scratch(static_cast<size_t>(count) * sizeof(T)));
  }
  float* scratch_floats(int64_t count) const { return scratch_array<float>(count); }
};

}  // namespace tenon::kernels
