#include "kernels/pool/max_pool.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/test_services.h"

namespace tenon::kernels {
namespace {

// The definition: the greatest element of the window that lies in the input.
float window_max(const MaxPoolCall& c, int64_t plane, int64_t y, int64_t x) {
  float best = -std::numeric_limits<float>::infinity();
  for (int64_t i = 0; i < c.kernel_h; ++i)
    for (int64_t j = 0; j < c.kernel_w; ++j) {
      const int64_t row = y * c.stride_h - c.pad_top + i * c.dilation_h;
      const int64_t column = x * c.stride_w - c.pad_left + j * c.dilation_w;
      if (row < 0 || row >= c.in_h || column < 0 || column >= c.in_w) continue;
      const float value = c.input[(plane * c.in_h + row) * c.in_w + column];
      if (std::isnan(value)) return value;
      best = std::max(best, value);
    }
  return best;
}

TEST(MaxPool, AgreesWithTheDefinition) {
  struct Case {
    int64_t in_h, in_w, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top,
        pad_left;
  };
  const Case cases[] = {
      {112, 112, 56, 56, 3, 3, 2, 2, 1, 1, 1, 1}, {5, 7, 5, 7, 1, 1, 1, 1, 1, 1, 0, 0},
      {13, 40, 6, 19, 3, 4, 2, 2, 1, 1, 0, 1},    {9, 33, 7, 29, 3, 3, 1, 1, 1, 2, 0, 0},
      {4, 50, 3, 10, 2, 5, 1, 5, 1, 1, 0, 0},     {3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 0, 0},
      {1, 64, 1, 22, 1, 3, 1, 3, 1, 1, 0, 1},     {8, 20, 3, 3, 2, 3, 3, 7, 2, 3, 1, 2},
  };
  constexpr int64_t kPlanes = 5;
  for (const Case& c : cases) {
    MaxPoolCall call{kPlanes,      c.in_h,     c.in_w,     c.out_h,    c.out_w,
                     c.kernel_h,   c.kernel_w, c.stride_h, c.stride_w, c.dilation_h,
                     c.dilation_w, c.pad_top,  c.pad_left, nullptr,    nullptr};
    std::mt19937 generator(7);
    std::normal_distribution<float> normal;
    std::vector<float> input(static_cast<size_t>(kPlanes * c.in_h * c.in_w));
    for (float& value : input) value = normal(generator);
    input[input.size() / 2] = std::numeric_limits<float>::quiet_NaN();
    input[1] = std::numeric_limits<float>::infinity();
    std::vector<float> output(static_cast<size_t>(kPlanes * c.out_h * c.out_w));
    call.input = input.data();
    call.output = output.data();
    for (Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512}) {
      if (isa > available_isa()) continue;
      std::fill(output.begin(), output.end(), -99.0f);
      TestServices services(3);
      max_pool_2d(call, isa, services.get());
      size_t at = 0;
      for (int64_t p = 0; p < kPlanes; ++p)
        for (int64_t y = 0; y < c.out_h; ++y)
          for (int64_t x = 0; x < c.out_w; ++x, ++at) {
            const float want = window_max(call, p, y, x);
            ASSERT_TRUE(std::isnan(want) ? std::isnan(output[at]) : output[at] == want)
                << c.kernel_h << "x" << c.kernel_w << " at " << p << "," << y << "," << x << ": "
                << output[at];
          }
    }
  }
}

}  // namespace
}  // namespace tenon::kernels
