#include "kernels/conv/conv2d.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "base/thread_pool.h"
#include "kernels/test_services.h"

namespace tenon::kernels {
namespace {

struct Case {
  ConvFilter filter;
  int64_t images, in_h, in_w, pad_top, pad_left, pad_bottom, pad_right;
};

/// The definition, in double precision.
std::vector<double> convolve(const Case& c, int64_t out_h, int64_t out_w, const std::vector<float>& x,
                             const std::vector<float>& w, const std::vector<float>& bias, bool absolute) {
  const ConvFilter& f = c.filter;
  std::vector<double> y;
  auto value = [&](double v) { return absolute ? std::abs(v) : v; };
  for (int64_t n = 0; n < c.images; ++n)
    for (int64_t o = 0; o < f.groups * f.out_channels; ++o)
      for (int64_t i = 0; i < out_h; ++i)
        for (int64_t j = 0; j < out_w; ++j) {
          double sum = value(bias[static_cast<size_t>(o)]);
          for (int64_t ic = 0; ic < f.in_channels; ++ic)
            for (int64_t a = 0; a < f.kernel_h; ++a)
              for (int64_t b = 0; b < f.kernel_w; ++b) {
                int64_t yy = i * f.stride_h + a * f.dilation_h - c.pad_top;
                int64_t xx = j * f.stride_w + b * f.dilation_w - c.pad_left;
                if (yy < 0 || yy >= c.in_h || xx < 0 || xx >= c.in_w) continue;
                int64_t channel = n * f.groups * f.in_channels + o / f.out_channels * f.in_channels + ic;
                double left = x[static_cast<size_t>((channel * c.in_h + yy) * c.in_w + xx)];
                double right =
                    w[static_cast<size_t>(((o * f.in_channels + ic) * f.kernel_h + a) * f.kernel_w + b)];
                sum += value(left * right);
              }
          y.push_back(sum);
        }
  return y;
}

std::vector<float> random_floats(int64_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> distribution(-1, 1);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = distribution(engine);
  return values;
}

const Case kCases[] = {
    // groups, in, out, kernel, stride, dilation | images, height, width, pads
    {{1, 1, 1, 1, 1, 1, 1, 1, 1}, 1, 1, 1, 0, 0, 0, 0},
    {{1, 3, 16, 7, 7, 2, 2, 1, 1}, 1, 33, 35, 3, 3, 3, 3},
    {{1, 5, 29, 3, 3, 1, 1, 1, 1}, 2, 13, 17, 1, 1, 1, 1},
    {{1, 64, 64, 3, 3, 1, 1, 1, 1}, 1, 28, 28, 1, 1, 1, 1},
    {{1, 24, 40, 1, 1, 1, 1, 1, 1}, 1, 31, 29, 0, 0, 0, 0},  // direct
    {{1, 24, 40, 1, 1, 1, 1, 1, 1}, 3, 7, 7, 0, 0, 0, 0},
    {{1, 8, 15, 1, 1, 2, 2, 1, 1}, 1, 15, 14, 0, 0, 0, 0},
    {{1, 4, 6, 3, 3, 1, 1, 2, 3}, 1, 19, 18, 2, 3, 2, 3},
    {{1, 2, 3, 5, 3, 3, 2, 2, 1}, 1, 23, 21, 0, 2, 4, 1},
    {{1, 2, 3, 2, 2, 3, 3, 1, 1}, 1, 11, 10, 0, 0, 0, 0},   // strides beyond the kernel
    {{1, 2, 3, 3, 3, 1, 1, 1, 1}, 1, 2, 2, 3, 3, 3, 3},     // more padding than input
    {{37, 1, 1, 3, 3, 1, 1, 1, 1}, 1, 14, 14, 1, 1, 1, 1},  // depthwise
    {{37, 1, 1, 5, 5, 2, 2, 1, 1}, 2, 15, 16, 2, 2, 2, 2},
    {{8, 4, 6, 3, 3, 1, 1, 1, 1}, 1, 9, 9, 1, 1, 1, 1},      // grouped
    {{1, 16, 33, 1, 7, 1, 2, 1, 1}, 2, 1, 50, 0, 3, 0, 3},   // one-dimensional
    {{1, 16, 20, 3, 3, 1, 1, 1, 1}, 1, 16, 14, 1, 1, 1, 1},  // channels at aliasing distance
};

class Conv2dTest : public ::testing::TestWithParam<int> {};

TEST_P(Conv2dTest, MatchesTheDefinitionOnEachIsaWithTheSameBitsForAnyThreads) {
  const Case& c = kCases[GetParam()];
  const ConvFilter& f = c.filter;
  int64_t out_h = (c.in_h + c.pad_top + c.pad_bottom - (f.kernel_h - 1) * f.dilation_h - 1) / f.stride_h + 1;
  int64_t out_w = (c.in_w + c.pad_left + c.pad_right - (f.kernel_w - 1) * f.dilation_w - 1) / f.stride_w + 1;
  auto x = random_floats(c.images * f.groups * f.in_channels * c.in_h * c.in_w, 1);
  auto w = random_floats(f.groups * f.out_channels * f.depth(), 2);
  auto bias = random_floats(f.groups * f.out_channels, 3);
  int64_t count = c.images * f.groups * f.out_channels * out_h * out_w;
  auto residual = random_floats(count, 4);
  auto expected = convolve(c, out_h, out_w, x, w, bias, false);
  auto scale = convolve(c, out_h, out_w, x, w, bias, true);

  for (Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512}) {
    if (isa > available_isa()) continue;
    Epilogue epilogue(
        {{MicroOp::Kind::kAddTensor, {}, 0},
         {MicroOp::Kind::kUnary, {Unary::kClamp, 0, std::numeric_limits<float>::infinity()}, 0}},
        isa);
    Packing packing;
    Conv2d conv(f, {w.data(), {}, bias}, epilogue, isa, packing);
    std::vector<float> first;
    for (int threads : {1, 2, 3, 5, 16}) {
      std::vector<float> y(static_cast<size_t>(count), std::nanf(""));
      ConvCall call{c.images, c.in_h, c.in_w,   c.pad_top, c.pad_left,
                    out_h,    out_w,  x.data(), y.data(),  {residual.data()}};
      TestServices services(threads);
      ASSERT_TRUE(conv.run(call, services.get()));
      if (threads == 1) {
        first = y;
        for (size_t i = 0; i < y.size(); ++i) {
          double want = std::max(0.0, expected[i] + residual[i]);
          double bound = 1.2e-7 * (scale[i] * std::sqrt(static_cast<double>(f.depth())) + 2);
          ASSERT_NEAR(y[i], want, bound) << isa_name(isa) << " element " << i;
        }
      }
      ASSERT_EQ(0, std::memcmp(first.data(), y.data(), y.size() * sizeof(float))) << threads << " threads";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Conv2dTest, ::testing::Range(0, static_cast<int>(std::size(kCases))));

}  // namespace
}  // namespace tenon::kernels
