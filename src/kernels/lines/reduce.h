// Reductions of float32: of lines to numbers, and of rows to one row, in the vector code of one instruction
// set.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace tenon::kernels {

enum class Reduction : uint8_t { kSum, kAbsoluteSum, kSquareSum, kMax, kMin };

struct ReduceFunctions {
  /// `start` joined with in[i] for i < count. Sums are of float32 over kReduceBlock terms and of float64
  /// beyond; of the greatest and least number, a NaN wins.
  double (*line)(const float* in, int64_t count, double start);
  /// sums[i] joined with in[offsets[k] + i] for all k < rows, for i < count. kReduceBlock rows at most.
  void (*rows)(const float* in, const int64_t* offsets, int64_t rows, int64_t count, double* sums);
};
const ReduceFunctions& reduce_functions(Reduction reduction, Isa isa);

/// Terms of a sum of float32 in one chain.
inline constexpr int64_t kReduceBlock = 128;

}  // namespace tenon::kernels
