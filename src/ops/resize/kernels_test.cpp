// Cases for the rows of Resize: run by tests/unit/kernel_rows_test.cpp.
#include <algorithm>
#include <cmath>

#include "ops/core/row_cases.h"

namespace tenon::ops {
namespace {

using Ints = std::vector<int64_t>;

ValueId scales(RowModel& m, const std::vector<float>& values) {
  return m.exactly(Tensor::from_floats(values));
}
ValueId sizes(RowModel& m, const Ints& values) {
  return m.exactly(Tensor::from_ints(values));
}

/// A Resize by sizes.
ValueId sized(RowModel& m, ValueId x, const Ints& to, Attributes attributes) {
  return m.add(Op::kResize, {x, kNoValue, kNoValue, sizes(m, to)}, std::move(attributes));
}

/// [out, in]: the absolute values of cubic weights (a = -0.75) at half-pixel coordinates, of those beyond an
/// edge added to the edge's.
Tensor cubic_weights(int64_t in, int64_t out) {
  std::vector<float> weights(static_cast<size_t>(in * out));
  for (int64_t i = 0; i < out; ++i) {
    const double x =
        (static_cast<double>(i) + 0.5) * static_cast<double>(in) / static_cast<double>(out) - 0.5;
    for (int64_t tap = static_cast<int64_t>(std::floor(x)) - 1; static_cast<double>(tap) < x + 2; ++tap) {
      const double d = std::abs(x - static_cast<double>(tap));
      const double weight =
          d <= 1 ? 1.25 * d * d * d - 2.25 * d * d + 1 : -0.75 * (d * d * d - 5 * d * d + 8 * d - 4);
      weights[static_cast<size_t>(i * in + std::clamp<int64_t>(tap, 0, in - 1))] +=
          static_cast<float>(std::abs(weight));
    }
  }
  return Tensor::from<float>(DataType::kFloat32, {out, in}, weights);
}

/// A cubic Resize of [N, C, h, w]. Its weights have both signs, so the absolute model multiplies by theirs.
ValueId cubic(RowModel& m, ValueId x, int64_t h, int64_t w, const Ints& to) {
  if (!m.absolute()) return sized(m, x, to, {{"mode", "cubic"}});
  const ValueId columns = m.add(Op::kTranspose, {m.exactly(cubic_weights(w, to[3]))});
  return m.add(Op::kMatMul, {m.exactly(cubic_weights(h, to[2])), m.add(Op::kMatMul, {x, columns})});
}

const RowCases kCases(
    Op::kResize,
    {
        {"linear_up",
         [](RowModel& m) {
           m.output(sized(m, m.input({2, 3, 7, 9}), {2, 3, 31, 45}, {{"mode", "linear"}}));
         }},
        {"linear_down",
         [](RowModel& m) {
           m.output(sized(m, m.input({1, 5, 40, 33}), {1, 5, 13, 8}, {{"mode", "linear"}}));
         }},
        {"linear_align_corners_rows_alone",
         [](RowModel& m) {
           m.output(sized(m, m.input({1, 2, 6, 17}), {1, 2, 20, 17},
                          {{"mode", "linear"}, {"coordinate_transformation_mode", "align_corners"}}));
         }},
        {"linear_by_scales",
         [](RowModel& m) {
           m.output(m.add(Op::kResize, {m.input({3, 11, 6}), kNoValue, scales(m, {1, 1.7f, 2.5f})},
                          {{"mode", "linear"}, {"coordinate_transformation_mode", "asymmetric"}}));
         }},
        {"linear_antialias",
         [](RowModel& m) {
           m.output(sized(m, m.input({1, 2, 50, 60}), {1, 2, 9, 14},
                          {{"mode", "linear"}, {"antialias", int64_t{1}}}));
         }},
        {"linear_of_two_axes",
         [](RowModel& m) {
           m.output(m.add(Op::kResize, {m.input({2, 2, 9, 5}), kNoValue, kNoValue, sizes(m, {12, 23})},
                          {{"mode", "linear"}, {"axes", Ints{-1, 2}}}));
         }},
        {"linear_blocked",
         [](RowModel& m) {
           m.output(sized(m, blocked(m, m.input({2, 21, 7, 9}), 21), {2, 21, 31, 45}, {{"mode", "linear"}}));
         },
         "resize_blocked"},
        {"linear_blocked_wide",  // several bands
         [](RowModel& m) {
           m.output(sized(m, blocked(m, m.input({1, 16, 40, 70}), 16), {1, 16, 120, 300},
                          {{"mode", "linear"}, {"coordinate_transformation_mode", "align_corners"}}));
         },
         "resize_blocked"},
        {"nearest_blocked_by_scales",
         [](RowModel& m) {
           m.output(m.add(Op::kResize,
                          {blocked(m, m.input({1, 19, 8, 6}), 19), kNoValue, scales(m, {1, 1, 2, 2})},
                          {{"mode", "nearest"},
                           {"coordinate_transformation_mode", "asymmetric"},
                           {"nearest_mode", "floor"}}));
         },
         "resize_blocked"},
        {"nearest_down",
         [](RowModel& m) {
           m.output(sized(m, m.input({1, 3, 40, 33}), {1, 3, 13, 8}, {{"mode", "nearest"}}));
         }},
        {"nearest_up_wide",
         [](RowModel& m) {
           m.output(sized(m, m.input({1, 3, 40, 70}), {1, 3, 161, 300},
                          {{"mode", "nearest"}, {"nearest_mode", "ceil"}}));
         }},
        {"cubic_up", [](RowModel& m) { m.output(cubic(m, m.input({1, 3, 9, 7}), 9, 7, {1, 3, 20, 30})); }},
        {"cubic_down_antialias",
         [](RowModel& m) {
           m.output(sized(m, m.input({1, 2, 50, 60}), {1, 2, 9, 14},
                          {{"mode", "cubic"}, {"antialias", int64_t{1}}, {"cubic_coeff_a", -0.5f}}));
         }},
        {"cubic_blocked",
         [](RowModel& m) {
           m.output(cubic(m, blocked(m, m.input({1, 17, 9, 7}), 17), 9, 7, {1, 17, 20, 30}));
         },
         "resize_blocked"},
        {"linear_of_nothing",
         [](RowModel& m) { m.output(sized(m, m.input({2, 1, 0, 4}), {2, 1, 0, 9}, {{"mode", "linear"}})); }},
        {"linear_of_one_element",
         [](RowModel& m) { m.output(sized(m, m.input({4, 1, 1}), {4, 3, 18}, {{"mode", "linear"}})); }},
    });

}  // namespace
}  // namespace tenon::ops
