// Drivers of element-wise references: they read inputs of any element type into compute types, chunk by
// chunk, run an operator's loop, and store the result rounded once. An operator brings loops only.
#pragma once

#include <cstdint>
#include <functional>

#include "ops/core/kernel.h"
#include "ops/elementwise/broadcast.h"

namespace tenon::ops {

/// Elements that a loop sees at a time.
inline constexpr int64_t kMapChunk = 1024;
/// Elements that a thread takes at a time: a multiple of kMapChunk.
inline constexpr int64_t kMapGrain = 16 * kMapChunk;

/// Loops over one operand in place, one for each compute type that the operator's element types use; the
/// others stay empty.
struct UnaryLoops {
  std::function<void(double*, int64_t)> real;
  std::function<void(int64_t*, int64_t)> as_signed;
  std::function<void(uint64_t*, int64_t)> as_unsigned;
};

/// A loop that applies `f` to each element of compute type T.
template <class T, class F>
auto unary_loop(F f) {
  return [f](T* values, int64_t count) {
    for (int64_t i = 0; i < count; ++i) values[i] = f(values[i]);
  };
}
/// Loops for floating point types.
template <class F>
UnaryLoops real_loops(F f) {
  return {unary_loop<double>(f), {}, {}};
}
/// Loops for all numeric types from one generic function.
template <class F>
UnaryLoops numeric_loops(F f) {
  return {unary_loop<double>(f), unary_loop<int64_t>(f), unary_loop<uint64_t>(f)};
}

/// Output 0, of type `output`, is the loop applied to input 0. kUnsupported when there is no loop for its
/// type.
Status map_unary(KernelContext& context, DataType output, const UnaryLoops& loops);

/// The same over two operands: loop(a, b, out, count). `out` may be `a`.
struct BinaryLoops {
  std::function<void(const double*, const double*, double*, int64_t)> real;
  std::function<void(const int64_t*, const int64_t*, int64_t*, int64_t)> as_signed;
  std::function<void(const uint64_t*, const uint64_t*, uint64_t*, int64_t)> as_unsigned;
};

template <class T, class F>
auto binary_loop(F f) {
  return [f](const T* a, const T* b, T* out, int64_t count) {
    for (int64_t i = 0; i < count; ++i) out[i] = f(a[i], b[i]);
  };
}
template <class F>
BinaryLoops numeric_binary_loops(F f) {
  return {binary_loop<double>(f), binary_loop<int64_t>(f), binary_loop<uint64_t>(f)};
}

/// Output 0, of type `output`, is the loop applied to inputs 0 and 1, broadcast. Both are read as the compute
/// type `kind`. kMismatch when the shapes do not broadcast, kUnsupported when there is no loop for the kind.
Status map_binary(KernelContext& context, DataType output, ComputeKind kind, const BinaryLoops& loops);

/// Output 0, of the inputs' type, is ((input 0 op input 1) op input 2) ... then `finish` (where given),
/// rounded once. At least one input.
Status map_variadic(KernelContext& context, const BinaryLoops& loops, const UnaryLoops& finish = {});

}  // namespace tenon::ops
