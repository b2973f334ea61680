// Cases for the rows of MaxPool: run by tests/unit/kernel_rows_test.cpp.
#include <cmath>
#include <limits>

#include "ops/core/row_cases.h"

namespace tenon::ops {
namespace {

using Ints = std::vector<int64_t>;

void max_pool(RowModel& m, ValueId x, Attributes attributes) {
  m.output(m.add(Op::kMaxPool, {x}, std::move(attributes)));
}

const RowCases kCases(
    Op::kMaxPool,
    {
        {"resnet",
         [](RowModel& m) {
           max_pool(m, m.input({2, 5, 28, 29}),
                    {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}});
         }},
        {"rounded_up",
         [](RowModel& m) {
           max_pool(m, m.input({1, 3, 13, 14}),
                    {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"ceil_mode", int64_t{1}}});
         }},
        {"dilated",
         [](RowModel& m) {
           max_pool(m, m.input({1, 3, 13, 14}), {{"kernel_shape", Ints{3, 2}}, {"dilations", Ints{2, 3}}});
         }},
        {"whole_plane",
         [](RowModel& m) { max_pool(m, m.input({1, 3, 13, 40}), {{"kernel_shape", Ints{13, 40}}}); }},
        {"one_axis",
         [](RowModel& m) {
           max_pool(m, m.input({2, 3, 50}),
                    {{"kernel_shape", Ints{5}}, {"strides", Ints{3}}, {"pads", Ints{2, 1}}});
         }},
        {"not_finite",
         [](RowModel& m) {
           std::vector<float> values(36, -std::numeric_limits<float>::infinity());
           values[7] = std::nanf("");
           values[29] = std::numeric_limits<float>::infinity();
           max_pool(m, m.input(Tensor::from<float>(DataType::kFloat32, {1, 1, 6, 6}, values)),
                    {{"kernel_shape", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}});
         }},
    });

void pool(RowModel& m, Op op, const Shape& shape, Attributes attributes) {
  m.output(m.add(op, {blocked(m, m.input(shape), shape[1])}, std::move(attributes)));
}

const RowCases kBlockedMaxCases(Op::kMaxPool, {
                                                  {"blocked",
                                                   [](RowModel& m) {
                                                     pool(m, Op::kMaxPool, {2, 37, 15, 16},
                                                          {{"kernel_shape", Ints{3, 3}},
                                                           {"strides", Ints{2, 2}},
                                                           {"pads", Ints{1, 1, 1, 1}}});
                                                   }},
                                                  {"blocked_rounded_up_and_dilated",
                                                   [](RowModel& m) {
                                                     pool(m, Op::kMaxPool, {1, 16, 13, 14},
                                                          {{"kernel_shape", Ints{3, 2}},
                                                           {"dilations", Ints{2, 3}},
                                                           {"strides", Ints{2, 1}},
                                                           {"ceil_mode", int64_t{1}}});
                                                   }},
                                              });

const RowCases kAverageCases(Op::kAveragePool, {
                                                   {"inside",
                                                    [](RowModel& m) {
                                                      pool(m, Op::kAveragePool, {2, 37, 15, 16},
                                                           {{"kernel_shape", Ints{3, 3}},
                                                            {"strides", Ints{2, 2}},
                                                            {"pads", Ints{1, 1, 1, 1}}});
                                                    }},
                                                   {"pads_counted",
                                                    [](RowModel& m) {
                                                      pool(m, Op::kAveragePool, {1, 8, 13, 14},
                                                           {{"kernel_shape", Ints{3, 2}},
                                                            {"pads", Ints{1, 0, 2, 1}},
                                                            {"ceil_mode", int64_t{1}},
                                                            {"strides", Ints{2, 3}},
                                                            {"count_include_pad", int64_t{1}}});
                                                    }},
                                               });

const RowCases kGlobalAverageCases(
    Op::kGlobalAveragePool,
    {
        {"one_image", [](RowModel& m) { pool(m, Op::kGlobalAveragePool, {1, 40, 7, 7}, {}); }},
        {"no_pixels", [](RowModel& m) { pool(m, Op::kGlobalAveragePool, {2, 17, 3, 0}, {}); }},
        {"large_planes", [](RowModel& m) { pool(m, Op::kGlobalAveragePool, {2, 17, 112, 113}, {}); }},
    });

void plane_means(RowModel& m, const Shape& shape, const Ints& axes, int64_t keepdims) {
  const ValueId x = blocked(m, m.input(shape), shape[1]);
  m.output(m.add(Op::kReduceMean, {x, m.exactly(Tensor::from_ints(axes))}, {{"keepdims", keepdims}}));
}

const RowCases kPlaneMeanCases(
    Op::kReduceMean, {
                         {"whole_blocks", [](RowModel& m) { plane_means(m, {2, 32, 7, 7}, {2, 3}, 0); }},
                         {"ragged", [](RowModel& m) { plane_means(m, {3, 21, 5, 9}, {-1, 2}, 0); }},
                         {"no_pixels", [](RowModel& m) { plane_means(m, {2, 21, 0, 9}, {2, 3}, 0); }},
                         {"kept", [](RowModel& m) { plane_means(m, {2, 21, 5, 9}, {2, 3}, 1); }},
                     });

}  // namespace
}  // namespace tenon::ops
