// Random numbers of the operators that draw them. MT19937 (Matsumoto and Nishimura, 1998) with numpy's
// conversion to doubles, so that a Dropout with a seed drops what ONNX's own cases say.
#pragma once

#include <cstdint>
#include <random>

namespace tenon::ops {

class RandomGenerator {
 public:
  explicit RandomGenerator(uint32_t seed) : engine_(seed) {}

  /// Uniform in [0, 1), with 53 random bits.
  double uniform() {
    const auto a = static_cast<uint64_t>(engine_() >> 5);
    const auto b = static_cast<uint64_t>(engine_() >> 6);
    return static_cast<double>((a << 26) + b) * 0x1p-53;
  }
  /// Normal with mean 0 and deviation 1 (Marsaglia's polar method).
  double normal();

 private:
  std::mt19937 engine_;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace tenon::ops
