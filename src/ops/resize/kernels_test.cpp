// Cases for the rows of Resize: run by tests/unit/kernel_rows_test.cpp.
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
        {"linear_of_nothing",
         [](RowModel& m) { m.output(sized(m, m.input({2, 1, 0, 4}), {2, 1, 0, 9}, {{"mode", "linear"}})); }},
        {"linear_of_one_element",
         [](RowModel& m) { m.output(sized(m, m.input({4, 1, 1}), {4, 3, 18}, {{"mode", "linear"}})); }},
    });

}  // namespace
}  // namespace tenon::ops
