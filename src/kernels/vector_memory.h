// Memory that kernels keep packed weights in.
#pragma once

#include <cstddef>
#include <memory>

namespace tenon::kernels {

/// float32 numbers, 64-byte aligned. Throws std::bad_alloc.
class VectorMemory {
 public:
  VectorMemory() = default;
  /// Contents not set.
  explicit VectorMemory(size_t floats);
  static VectorMemory zeros(size_t floats);

  float* data() { return memory_.get(); }
  const float* data() const { return memory_.get(); }
  size_t bytes() const { return floats_ * sizeof(float); }

 private:
  struct Free {
    void operator()(float* memory) const;
  };
  std::unique_ptr<float[], Free> memory_;
  size_t floats_ = 0;
};

}  // namespace tenon::kernels
