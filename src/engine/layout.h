// Layouts of values between steps: what the engine decides once, and everybody else sees only as plain
// tensors.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "ops/core/kernel.h"

namespace tenon {

/// How a value of the graph is stored.
struct StoredAs {
  ops::Layout layout = ops::Layout::kPlain;
  int64_t channels = 0;  ///< Of a blocked value.
  int64_t lanes = 0;     ///< Of a blocked value.
};

/// Whether values of the type can be blocked: float32 [N, C, H, W] with a known C.
bool can_block(const ValueType& type);

/// The shape of what is stored for a value of that shape.
Shape stored_shape(const StoredAs& stored, const Shape& shape);
/// The shape of a value whose stored form has shape `stored_shape`.
Shape plain_shape(const StoredAs& stored, const Shape& stored_shape);

/// The stored form of a plain tensor, and the other way; the tensor itself where they are the same.
Tensor stored_copy(const StoredAs& stored, const Tensor& plain, int threads);
Tensor plain_copy(const StoredAs& stored, const Tensor& from, int threads);
/// The same of a blocked tensor into a tensor of the plain shape.
void plain_copy_into(const StoredAs& stored, const Tensor& from, Tensor& to, int threads);

/// Where a reordered input lies.
enum class ReorderMemory : uint8_t {
  kScratch,  ///< Until the step ends.
  kOwn,      ///< For kernels whose outputs may share memory with inputs.
  kOutput,   ///< In the memory of output 0, which has the elements of the only input in their order.
};
/// A kernel behind reorders of its inputs: input i arrives as `given[i]`, and the kernel takes it as
/// `taken[i]`.
std::unique_ptr<ops::Kernel> reorder_inputs(std::unique_ptr<const ops::Kernel> kernel,
                                            std::vector<StoredAs> given, std::vector<StoredAs> taken,
                                            ReorderMemory memory);

}  // namespace tenon
