// Cases for the rows of ConvTranspose: run by tests/unit/kernel_rows_test.cpp.
#include "ops/core/row_cases.h"

namespace tenon::ops {
namespace {

using Ints = std::vector<int64_t>;

/// A transposed convolution of `x` with random weights and, for `outputs` channels, a bias.
ValueId transposed(RowModel& m, ValueId x, const Shape& weights, int64_t outputs,
                   Attributes attributes = {}) {
  std::vector<ValueId> inputs = {x, m.constant(weights)};
  if (outputs > 0) inputs.push_back(m.constant({outputs}));
  return m.add(Op::kConvTranspose, std::move(inputs), std::move(attributes));
}

ValueId doubled(RowModel& m, const Shape& x, const Shape& weights) {
  return transposed(m, m.input(x), weights, weights[1], {{"strides", Ints{2, 2}}});
}

const RowCases kCases(
    Op::kConvTranspose,
    {
        {"two_by_two", [](RowModel& m) { m.output(doubled(m, {2, 37, 9, 31}, {37, 29, 2, 2})); }},
        {"tiles", [](RowModel& m) { m.output(doubled(m, {2, 5, 9, 31}, {5, 29, 2, 2})); },
         "conv_transposed_tile"},
        {"four_by_four",
         [](RowModel& m) {
           m.output(transposed(m, m.input({1, 33, 8, 11}), {33, 17, 4, 4}, 0,
                               {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}}));
         }},
        {"three_by_three_with_output_padding",
         [](RowModel& m) {
           m.output(transposed(
               m, m.input({2, 16, 7, 5}), {16, 40, 3, 3}, 40,
               {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}, {"output_padding", Ints{1, 1}}}));
         }},
        {"deep_sum",
         [](RowModel& m) {
           m.output(transposed(m, m.input({1, 300, 6, 6}), {300, 18, 5, 4}, 18, {{"strides", Ints{2, 3}}}));
         }},
        {"stride_of_one",
         [](RowModel& m) {
           m.output(transposed(m, m.input({1, 20, 9, 8}), {20, 24, 3, 3}, 24, {{"pads", Ints{1, 0, 1, 2}}}));
         }},
        {"from_one_pixel",
         [](RowModel& m) { m.output(transposed(m, m.input({3, 40, 1, 1}), {40, 32, 4, 4}, 0)); }},
        {"gaps",  // outputs that no tap reaches
         [](RowModel& m) {
           m.output(transposed(m, m.input({1, 16, 5, 6}), {16, 16, 2, 1}, 16, {{"strides", Ints{3, 2}}}));
         }},
        {"gaps_everywhere",
         [](RowModel& m) {
           m.output(transposed(m, m.input({2, 18, 3, 4}), {18, 20, 1, 1}, 40,
                               {{"group", int64_t{2}}, {"strides", Ints{5, 4}}, {"pads", Ints{1, 2, 0, 3}}}));
         }},
        {"dilated",
         [](RowModel& m) {
           m.output(
               transposed(m, m.input({1, 18, 7, 9}), {18, 16, 3, 3}, 16,
                          {{"strides", Ints{2, 3}}, {"dilations", Ints{3, 2}}, {"pads", Ints{2, 0, 1, 4}}}));
         }},
        {"dilated_by_the_stride",
         [](RowModel& m) {
           m.output(transposed(m, m.input({1, 18, 7, 9}), {18, 16, 3, 2}, 16,
                               {{"strides", Ints{2, 4}}, {"dilations", Ints{2, 6}}}));
         }},
        {"wide_pads",
         [](RowModel& m) {
           m.output(transposed(m, m.input({1, 16, 9, 12}), {16, 16, 3, 4}, 16,
                               {{"strides", Ints{2, 2}}, {"pads", Ints{5, 7, 4, 6}}}));
         }},
        {"wide_pads_at_stride_one",
         [](RowModel& m) {
           m.output(transposed(m, m.input({1, 16, 9, 12}), {16, 16, 3, 3}, 16, {{"pads", Ints{4, 3, 5, 2}}}));
         }},
        {"same_upper",
         [](RowModel& m) {
           m.output(transposed(m, m.input({1, 16, 6, 5}), {16, 16, 4, 3}, 16,
                               {{"strides", Ints{2, 2}}, {"auto_pad", "SAME_UPPER"}}));
         }},
        {"larger_output_shape",
         [](RowModel& m) {
           m.output(transposed(m, m.input({1, 16, 6, 5}), {16, 16, 2, 2}, 16,
                               {{"strides", Ints{2, 2}}, {"output_shape", Ints{17, 14}}}));
         }},
        {"groups",
         [](RowModel& m) {
           m.output(transposed(m, m.input({1, 36, 6, 7}), {36, 10, 3, 3}, 30,
                               {{"group", int64_t{3}}, {"strides", Ints{2, 2}}}));
         }},
        {"groups_of_four",
         [](RowModel& m) {
           m.output(transposed(m, m.input({2, 20, 6, 7}), {20, 4, 4, 4}, 20,
                               {{"group", int64_t{5}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}}));
         }},
        {"depthwise",  // a bilinear upsampling of FCN
         [](RowModel& m) {
           m.output(
               transposed(m, m.input({1, 21, 9, 10}), {21, 1, 8, 8}, 0,
                          {{"group", int64_t{21}}, {"strides", Ints{4, 4}}, {"pads", Ints{2, 2, 2, 2}}}));
         }},
        {"one_output_channel", [](RowModel& m) { m.output(doubled(m, {1, 24, 8, 9}, {24, 1, 2, 2})); }},
        {"few", [](RowModel& m) { m.output(doubled(m, {2, 24, 8, 9}, {24, 3, 2, 2})); },
         "conv_transposed_few"},
        {"few_of_many_images", [](RowModel& m) { m.output(doubled(m, {20, 3, 150, 150}, {3, 1, 2, 2})); },
         "conv_transposed_few"},
        {"few_wide_pads",
         [](RowModel& m) {
           m.output(transposed(m, m.input({1, 33, 9, 12}), {33, 2, 9, 7}, 2,
                               {{"strides", Ints{4, 3}}, {"pads", Ints{9, 8, 5, 6}}}));
         },
         "conv_transposed_few"},
        {"few_output_padding",
         [](RowModel& m) {
           m.output(transposed(
               m, m.input({1, 20, 5, 70}), {20, 1, 5, 5}, 1,
               {{"strides", Ints{4, 4}}, {"pads", Ints{1, 0, 0, 1}}, {"output_padding", Ints{3, 2}}}));
         },
         "conv_transposed_few"},
        {"few_with_gaps",
         [](RowModel& m) {
           m.output(transposed(m, m.input({1, 16, 5, 6}), {16, 5, 1, 2}, 5, {{"strides", Ints{2, 3}}}));
         },
         "conv_transposed_few"},
        {"few_batch_norm_sigmoid",
         [](RowModel& m) {
           const ValueId y = m.batch_norm(transposed(m, m.input({1, 24, 8, 9}), {24, 3, 4, 4}, 3,
                                                     {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}}),
                                          3);
           m.output(m.activation(Op::kRelu, {y}));
         },
         "conv_transposed_few"},
        {"batch_norm_relu",
         [](RowModel& m) {
           const ValueId y = m.batch_norm(doubled(m, {1, 24, 8, 9}, {24, 18, 2, 2}), 18);
           m.output(m.activation(Op::kRelu, {y}));
         }},
        {"residual",
         [](RowModel& m) {
           const ValueId residual = m.input({1, 18, 16, 18});
           const ValueId y = doubled(m, {1, 24, 8, 9}, {24, 18, 2, 2});
           m.output(m.activation(Op::kRelu, {m.add(Op::kAdd, {y, residual})}));
         }},
        {"product_and_residual",
         [](RowModel& m) {
           const ValueId gate = m.input({1, 18, 16, 18}), residual = m.input({1, 18, 16, 18});
           const ValueId y = m.add(Op::kMul, {doubled(m, {1, 24, 8, 9}, {24, 18, 2, 2}), gate});
           m.output(m.activation(Op::kHardSwish, {m.add(Op::kAdd, {y, residual})}));
         }},
        {"depthwise_silu",
         [](RowModel& m) {
           const ValueId y = transposed(m, m.input({1, 21, 9, 40}), {21, 1, 3, 3}, 21,
                                        {{"group", int64_t{21}}, {"strides", Ints{2, 2}}});
           m.output(m.absolute() ? y : m.add(Op::kMul, {y, m.add(Op::kSigmoid, {y})}));
         }},
        {"one_axis",
         [](RowModel& m) {
           m.output(transposed(m, m.input({2, 24, 50}), {24, 12, 16}, 12,
                               {{"strides", Ints{8}}, {"pads", Ints{4, 4}}}));
         }},
        {"one_axis_residual_tanh",
         [](RowModel& m) {
           const ValueId residual = m.input({1, 12, 100});
           const ValueId y = transposed(m, m.input({1, 24, 50}), {24, 12, 2}, 12, {{"strides", Ints{2}}});
           m.output(m.activation(Op::kTanh, {m.add(Op::kAdd, {y, residual})}));
         }},
        {"free_sizes",
         [](RowModel& m) {
           const ValueId x =
               m.input({3, 20, 8, 9}, {SymInt::symbol("n"), 20, SymInt::symbol("h"), SymInt::symbol("w")});
           m.output(
               transposed(m, x, {20, 16, 4, 4}, 16, {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}}));
         }},
        {"no_images", [](RowModel& m) { m.output(doubled(m, {0, 16, 8, 9}, {16, 16, 2, 2})); }},
        {"no_pixels", [](RowModel& m) { m.output(doubled(m, {1, 16, 0, 9}, {16, 16, 2, 2})); }},
    });

}  // namespace
}  // namespace tenon::ops
