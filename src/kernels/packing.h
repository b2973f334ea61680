// Packed weights: the memory that kernels read them from, and where it comes from.
#pragma once

#include <cstddef>
#include <memory>

#include "base/function_ref.h"

namespace tenon::kernels {

/// float32 numbers that no longer change, 64-byte aligned. Copies share the memory.
class PackedFloats {
 public:
  PackedFloats() = default;
  /// `memory` holds `floats` numbers.
  PackedFloats(std::shared_ptr<const float> memory, size_t floats)
      : memory_(std::move(memory)), floats_(floats) {}
  /// What `fill` makes of as many zeros. Throws std::bad_alloc.
  static PackedFloats make(size_t floats, FunctionRef<void(float*)> fill);

  const float* data() const { return memory_.get(); }
  size_t size() const { return floats_; }
  size_t bytes() const { return floats_ * sizeof(float); }

 private:
  std::shared_ptr<const float> memory_;
  size_t floats_ = 0;
};

/// Whom a kernel asks for its packed weights while it is prepared. This one has `fill` make them; another may
/// have what `fill` made earlier from the same weights and not call it.
class Packing {
 public:
  virtual ~Packing() = default;
  /// As PackedFloats::make. The data may be null when something is wrong, which whoever prepares the kernel
  /// will learn: it is not read while the kernel is prepared.
  virtual PackedFloats pack(size_t floats, FunctionRef<void(float*)> fill) {
    return PackedFloats::make(floats, fill);
  }
};

}  // namespace tenon::kernels
