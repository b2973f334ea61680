// Cases for the rows of Conv: run by tests/unit/kernel_rows_test.cpp.
#include <limits>

#include "ops/core/row_cases.h"

namespace tenon::ops {
namespace {

using Ints = std::vector<int64_t>;

/// A convolution of `x` with random weights and a bias.
ValueId conv(RowModel& m, ValueId x, const Shape& weights, Attributes attributes = {}) {
  return m.add(Op::kConv, {x, m.constant(weights), m.constant({weights[0]})}, std::move(attributes));
}

ValueId max_pool(RowModel& m, ValueId x, Ints kernel, Ints strides, Attributes attributes) {
  attributes.set("kernel_shape", std::move(kernel));
  attributes.set("strides", std::move(strides));
  return m.add(Op::kMaxPool, {x}, std::move(attributes));
}

/// A depthwise convolution of `channels` channels with a square filter.
ValueId depthwise(RowModel& m, ValueId x, int64_t channels, int64_t size, Attributes attributes) {
  attributes.set("group", channels);
  return conv(m, x, {channels, 1, size, size}, std::move(attributes));
}

ValueId number(RowModel& m, float value) {
  return m.exactly(Tensor::from<float>(DataType::kFloat32, {}, std::vector<float>{value}));
}

ValueId plain(RowModel& m) {
  return conv(m, m.input({2, 5, 13, 17}), {29, 5, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
}

const RowCases kCases(
    Op::kConv,
    {
        {"bias", [](RowModel& m) { m.output(plain(m)); }},
        {"no_bias",
         [](RowModel& m) { m.output(m.add(Op::kConv, {m.input({1, 3, 9, 9}), m.constant({4, 3, 3, 3})})); }},
        {"deep_sum",
         [](RowModel& m) {
           m.output(conv(m, m.input({1, 512, 7, 7}), {33, 512, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
         }},
        {"winograd4",
         [](RowModel& m) {
           m.output(conv(m, m.input({2, 40, 23, 18}), {56, 40, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
         }},
        {"winograd4_uneven_pads",
         [](RowModel& m) {
           const ValueId residual = m.input({1, 17, 16, 19});
           const ValueId y = conv(m, m.input({1, 16, 15, 17}), {17, 16, 3, 3}, {{"pads", Ints{0, 3, 3, 1}}});
           m.output(m.activation(Op::kRelu, {m.add(Op::kAdd, {y, residual})}));
         }},
        {"winograd4_many_tiles",
         [](RowModel& m) {
           m.output(conv(m, m.input({1, 16, 90, 90}), {16, 16, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
         }},
        {"winograd2",
         [](RowModel& m) {
           m.output(conv(m, m.input({1, 270, 14, 13}), {33, 270, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
         }},
        {"head_scale",
         [](RowModel& m) {
           const ValueId x = m.input({2, 37, 9, 11}), gate = m.input({2, 37, 1, 1});
           const ValueId residual = m.input({2, 21, 9, 11});
           const ValueId y = conv(m, m.add(Op::kMul, {gate, x}), {21, 37, 1, 1});
           m.output(m.activation(Op::kRelu, {m.add(Op::kAdd, {y, residual})}));
         }},
        {"head_norm_relu",
         [](RowModel& m) {
           const ValueId x = m.batch_norm(m.input({1, 300, 7, 9}), 300);
           m.output(conv(m, m.activation(Op::kRelu, {x}), {35, 300, 1, 1}, {{"strides", Ints{2, 2}}}));
         }},
        {"head_concat",
         [](RowModel& m) {
           const ValueId x = m.input({2, 48, 6, 5}), y = m.input({2, 32, 6, 5}), z = m.input({2, 7, 6, 5});
           const ValueId all = m.add(Op::kConcat, {x, y, x, z}, {{"axis", 1}});
           const ValueId clipped =
               m.activation(Op::kClip, {m.batch_norm(all, 135), number(m, -0.5f), number(m, 0.75f)});
           m.output(m.batch_norm(conv(m, clipped, {150, 135, 1, 1}), 150));
         }},
        {"head_concat_alone",
         [](RowModel& m) {
           const ValueId x = m.input({1, 16, 8, 8}), y = m.input({1, 16, 8, 8});
           m.output(conv(m, m.add(Op::kConcat, {x, y}, {{"axis", -3}}), {8, 32, 1, 1}));
         }},
        {"winograd6",
         [](RowModel& m) {
           m.output(conv(m, m.input({2, 40, 23, 18}), {56, 40, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
         },
         "conv_winograd6"},
        {"winograd6_tail",
         [](RowModel& m) {
           const ValueId residual = m.input({1, 17, 16, 19});
           const ValueId y = conv(m, m.input({1, 16, 15, 17}), {17, 16, 3, 3}, {{"pads", Ints{0, 3, 3, 1}}});
           m.output(m.activation(Op::kSigmoid, {m.add(Op::kAdd, {y, residual})}));
         },
         "conv_winograd6"},
        {"stride_and_uneven_pads",
         [](RowModel& m) {
           m.output(conv(m, m.input({1, 3, 33, 35}), {16, 3, 7, 7},
                         {{"pads", Ints{3, 2, 1, 4}}, {"strides", Ints{2, 3}}}));
         }},
        {"same_lower",
         [](RowModel& m) {
           m.output(conv(m, m.input({1, 3, 10, 11}), {5, 3, 4, 3},
                         {{"auto_pad", std::string("SAME_LOWER")}, {"strides", Ints{2, 2}}}));
         }},
        {"dilated",
         [](RowModel& m) {
           m.output(conv(m, m.input({1, 4, 19, 18}), {6, 4, 3, 3}, {{"dilations", Ints{2, 3}}}));
         }},
        {"grouped",
         [](RowModel& m) {
           m.output(conv(m, m.input({1, 32, 9, 9}), {48, 4, 3, 3}, {{"group", int64_t{8}}}));
         }},
        {"depthwise",
         [](RowModel& m) {
           m.output(conv(m, m.input({2, 37, 14, 15}), {37, 1, 5, 5},
                         {{"group", int64_t{37}}, {"pads", Ints{2, 2, 2, 2}}, {"strides", Ints{2, 2}}}));
         }},
        {"pointwise", [](RowModel& m) { m.output(conv(m, m.input({1, 24, 31, 29}), {40, 24, 1, 1})); }},
        {"pointwise_of_one_pixel",
         [](RowModel& m) { m.output(conv(m, m.input({1, 64, 1, 1}), {10, 64, 1, 1})); }},
        {"pointwise_of_many_bands_residual_relu",
         [](RowModel& m) {
           const ValueId residual = m.input({2, 150, 21, 23});
           const ValueId y = conv(m, m.input({2, 300, 21, 23}), {150, 300, 1, 1});
           m.output(m.activation(Op::kRelu, {m.add(Op::kAdd, {y, residual})}));
         }},
        {"pointwise_strided_hard_swish",
         [](RowModel& m) {
           const ValueId y = conv(m, m.input({1, 270, 15, 14}), {140, 270, 1, 1}, {{"strides", Ints{2, 2}}});
           m.output(m.activation(Op::kHardSwish, {y}));
         }},
        {"first_of_three",
         [](RowModel& m) {
           m.output(conv(m, m.input({1, 3, 20, 23}), {24, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
         }},
        {"first_of_three_strided",
         [](RowModel& m) {
           m.output(conv(m, m.input({2, 3, 21, 20}), {24, 3, 3, 3},
                         {{"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{2, 2}}}));
         }},
        {"first_of_seven_strided",
         [](RowModel& m) {
           m.output(conv(m, m.input({1, 3, 33, 41}), {40, 3, 7, 7},
                         {{"pads", Ints{3, 3, 3, 3}}, {"strides", Ints{2, 2}}}));
         }},
        {"first_with_long_rows",
         [](RowModel& m) { m.output(conv(m, m.input({1, 2, 3, 400}), {5, 2, 2, 300})); }},
        {"first_pool",
         [](RowModel& m) {
           const ValueId y = conv(m, m.input({2, 3, 45, 41}), {40, 3, 7, 7},
                                  {{"pads", Ints{3, 3, 3, 3}}, {"strides", Ints{2, 2}}});
           m.output(max_pool(m, m.activation(Op::kRelu, {y}), {3, 3}, {2, 2}, {{"pads", Ints{1, 1, 1, 1}}}));
         }},
        {"first_pool_rounded_up",
         [](RowModel& m) {
           const ValueId y = conv(m, m.input({1, 1, 30, 36}), {8, 1, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
           m.output(max_pool(m, y, {3, 2}, {2, 2}, {{"ceil_mode", int64_t{1}}}));
         }},
        {"first_pool_dilated",
         [](RowModel& m) {
           const ValueId y = conv(m, m.input({1, 4, 26, 19}), {33, 4, 2, 3}, {{"dilations", Ints{2, 1}}});
           m.output(max_pool(m, y, {3, 2}, {1, 3}, {{"dilations", Ints{3, 2}}}));
         }},
        {"first_pool_far_windows",
         [](RowModel& m) {
           const ValueId y = conv(m, m.input({1, 3, 40, 40}), {16, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
           m.output(max_pool(m, y, {2, 3}, {1, 1}, {{"dilations", Ints{6, 5}}, {"pads", Ints{5, 9, 5, 9}}}));
         }},
        {"first_pool_with_gaps",
         [](RowModel& m) {
           const ValueId y = conv(m, m.input({1, 3, 50, 17}), {16, 3, 3, 3}, {});
           m.output(max_pool(m, y, {2, 1}, {7, 2}, {}));
         }},
        {"pointwise_then_depthwise",
         [](RowModel& m) {
           const ValueId y = conv(m, m.input({2, 37, 14, 14}), {150, 37, 1, 1});
           m.output(depthwise(m, m.activation(Op::kRelu, {y}), 150, 3, {{"pads", Ints{1, 1, 1, 1}}}));
         }},
        {"pointwise_then_depthwise_in_rounds",
         [](RowModel& m) {
           const ValueId y = conv(m, m.input({1, 9, 61, 47}), {40, 9, 1, 1});
           const ValueId z = depthwise(m, m.activation(Op::kRelu, {y}), 40, 5,
                                       {{"pads", Ints{2, 2, 2, 2}}, {"strides", Ints{2, 2}}});
           m.output(m.absolute() ? z : m.add(Op::kMul, {z, m.add(Op::kSigmoid, {z})}));
         }},
        {"pointwise_then_depthwise_residual",
         [](RowModel& m) {
           const ValueId x = m.input({1, 24, 28, 28});
           const ValueId y = m.activation(Op::kHardSwish, {m.batch_norm(conv(m, x, {24, 24, 1, 1}), 24)});
           const ValueId z = m.batch_norm(depthwise(m, y, 24, 3, {{"pads", Ints{1, 1, 1, 1}}}), 24);
           m.output(m.activation(Op::kRelu, {m.add(Op::kAdd, {x, z})}));
         }},
        {"pointwise_then_depthwise_of_many_terms",
         [](RowModel& m) {
           const ValueId y = conv(m, m.input({3, 300, 7, 7}), {96, 300, 1, 1});
           m.output(depthwise(m, y, 96, 3, {{"pads", Ints{1, 1, 1, 1}}}));
         }},
        {"pointwise_then_depthwise_uneven",
         [](RowModel& m) {
           const ValueId y = conv(m, m.input({1, 8, 15, 9}), {17, 8, 1, 1}, {{"pads", Ints{0, 1, 2, 0}}});
           m.output(depthwise(m, y, 17, 3, {{"pads", Ints{0, 2, 2, 1}}, {"strides", Ints{1, 2}}}));
         }},
        {"pointwise_strided_then_depthwise_of_seven",
         [](RowModel& m) {
           const ValueId y = conv(m, m.input({1, 20, 25, 31}), {48, 20, 1, 1}, {{"strides", Ints{2, 2}}});
           m.output(depthwise(m, y, 48, 7, {{"pads", Ints{3, 3, 3, 3}}}));
         }},
        {"pointwise_then_depthwise_dilated",
         [](RowModel& m) {
           const ValueId y = conv(m, m.input({1, 8, 21, 20}), {16, 8, 1, 1});
           m.output(depthwise(m, y, 16, 3, {{"pads", Ints{3, 9, 3, 9}}, {"dilations", Ints{3, 4}}}));
         }},
        {"pointwise_then_depthwise_far_outside",
         [](RowModel& m) {
           const ValueId y = conv(m, m.input({1, 8, 5, 4}), {16, 8, 1, 1});
           m.output(depthwise(m, y, 16, 3, {{"pads", Ints{7, 5, 6, 4}}, {"strides", Ints{3, 2}}}));
         }},
        {"first_then_depthwise",
         [](RowModel& m) {
           const ValueId y = conv(m, m.input({2, 3, 67, 55}), {20, 3, 3, 3},
                                  {{"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{2, 2}}});
           m.output(depthwise(m, m.activation(Op::kRelu, {y}), 20, 3, {{"pads", Ints{1, 1, 1, 1}}}));
         }},
        {"first_then_depthwise_with_gaps",
         [](RowModel& m) {
           const ValueId y = conv(m, m.input({1, 4, 44, 39}), {33, 4, 2, 3});
           m.output(depthwise(m, y, 33, 2, {{"strides", Ints{5, 3}}}));
         }},
        {"groups_of_four",
         [](RowModel& m) {
           m.output(conv(m, m.input({2, 52, 14, 31}), {52, 4, 3, 3},
                         {{"group", int64_t{13}}, {"pads", Ints{1, 1, 1, 1}}}));
         }},
        {"groups_of_eight_strided",
         [](RowModel& m) {
           const ValueId y =
               conv(m, m.input({1, 40, 29, 15}), {40, 8, 3, 3},
                    {{"group", int64_t{5}}, {"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{2, 2}}});
           m.output(m.activation(Op::kRelu, {m.batch_norm(y, 40)}));
         }},
        {"groups_of_two",
         [](RowModel& m) {
           const ValueId residual = m.input({1, 22, 9, 40});
           const ValueId y = conv(m, m.input({1, 22, 9, 40}), {22, 2, 3, 3},
                                  {{"group", int64_t{11}}, {"pads", Ints{1, 1, 1, 1}}});
           m.output(m.activation(Op::kHardSwish, {m.add(Op::kAdd, {y, residual})}));
         }},
        {"groups_of_two_wide",
         [](RowModel& m) {
           m.output(conv(m, m.input({1, 36, 12, 20}), {36, 2, 5, 4},
                         {{"group", int64_t{18}}, {"pads", Ints{2, 3, 2, 1}}}));
         }},
        {"groups_of_four_dilated",
         [](RowModel& m) {
           m.output(conv(m, m.input({1, 20, 17, 16}), {20, 4, 3, 2},
                         {{"group", int64_t{5}}, {"pads", Ints{4, 3, 0, 9}}, {"dilations", Ints{2, 3}}}));
         }},
        {"groups_of_four_far_outside",
         [](RowModel& m) {
           m.output(conv(m, m.input({1, 8, 4, 3}), {8, 4, 3, 3},
                         {{"group", int64_t{2}}, {"pads", Ints{5, 4, 3, 6}}, {"strides", Ints{1, 2}}}));
         }},
        {"first_that_adds_its_input",
         [](RowModel& m) {
           const ValueId x = m.input({1, 3, 8, 8});
           m.output(m.add(Op::kAdd, {conv(m, x, {3, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}), x}));
         }},
        {"depthwise_of_nothing_between",
         [](RowModel& m) {
           const ValueId y = conv(m, m.input({1, 3, 8, 0}), {16, 3, 3, 3},
                                  {{"pads", Ints{1, 0, 1, 0}}, {"strides", Ints{1, 4}}});
           m.output(depthwise(m, y, 16, 3, {{"pads", Ints{0, 2, 0, 2}}}));
         }},
        {"depthwise_of_seven_with_wide_pads",
         [](RowModel& m) {
           m.output(depthwise(m, m.input({1, 16, 7, 7}), 16, 7, {{"pads", Ints{6, 6, 6, 6}}}));
         }},
        {"depthwise_of_five_with_uneven_pads",
         [](RowModel& m) {
           m.output(depthwise(m, m.input({1, 16, 6, 7}), 16, 5, {{"pads", Ints{0, 0, 0, 4}}}));
         }},
        {"depthwise_of_seven_with_uneven_pads",
         [](RowModel& m) {
           m.output(depthwise(m, m.input({1, 16, 9, 19}), 16, 7,
                              {{"pads", Ints{2, 6, 1, 5}}, {"strides", Ints{1, 2}}}));
         }},
        {"depthwise_wide_silu",
         [](RowModel& m) {
           const ValueId y = conv(m, m.input({1, 20, 9, 70}), {20, 1, 3, 3},
                                  {{"group", int64_t{20}}, {"pads", Ints{1, 1, 1, 1}}});
           m.output(m.absolute() ? y : m.add(Op::kMul, {y, m.add(Op::kSigmoid, {y})}));
         }},
        {"depthwise_of_seven",
         [](RowModel& m) {
           m.output(conv(m, m.input({1, 12, 8, 19}), {12, 1, 7, 7},
                         {{"group", int64_t{12}}, {"pads", Ints{3, 3, 3, 3}}}));
         }},
        {"depthwise_all_border",
         [](RowModel& m) {
           m.output(conv(m, m.input({1, 16, 2, 3}), {16, 1, 5, 5},
                         {{"group", int64_t{16}}, {"pads", Ints{4, 5, 3, 6}}}));
         }},
        {"depthwise_dilated",
         [](RowModel& m) {
           m.output(conv(m, m.input({1, 9, 17, 16}), {9, 1, 3, 3},
                         {{"group", int64_t{9}}, {"pads", Ints{3, 3, 3, 3}}, {"dilations", Ints{3, 3}}}));
         }},
        {"one_axis",
         [](RowModel& m) {
           m.output(
               conv(m, m.input({2, 16, 50}), {33, 16, 7}, {{"dilations", Ints{2}}, {"pads", Ints{3, 3}}}));
         }},
        {"free_sizes",
         [](RowModel& m) {
           m.output(conv(
               m, m.input({3, 4, 8, 9}, {SymInt::symbol("n"), 4, SymInt::symbol("h"), SymInt::symbol("w")}),
               {7, 4, 3, 3}));
         }},
        {"no_images", [](RowModel& m) { m.output(conv(m, m.input({0, 4, 8, 9}), {7, 4, 3, 3})); }},
        {"batch_norm", [](RowModel& m) { m.output(m.batch_norm(plain(m), 29)); }},
        {"relu", [](RowModel& m) { m.output(m.activation(Op::kRelu, {plain(m)})); }},
        {"relu6",
         [](RowModel& m) {
           m.output(m.activation(
               Op::kClip, {plain(m), m.exactly(Tensor::scalar(0.0f)), m.exactly(Tensor::scalar(6.0f))}));
         }},
        {"batch_norm_residual_relu",
         [](RowModel& m) {
           const ValueId residual = m.input({2, 29, 13, 17});
           m.output(m.activation(Op::kRelu, {m.add(Op::kAdd, {residual, m.batch_norm(plain(m), 29)})}));
         }},
        {"hard_swish", [](RowModel& m) { m.output(m.activation(Op::kHardSwish, {plain(m)})); }},
        {"silu_as_a_gate",
         [](RowModel& m) {
           const ValueId x = plain(m);
           m.output(m.absolute() ? x : m.add(Op::kMul, {x, m.add(Op::kSigmoid, {x})}));
         }},
        {"leaky_relu_then_scale",
         [](RowModel& m) {
           const ValueId scale = m.input({2, 29, 13, 17});
           const ValueId leaky = m.activation(Op::kLeakyRelu, {plain(m)}, {{"alpha", 0.2f}});
           m.output(m.add(Op::kMul, {leaky, scale}));
         }},
    });

}  // namespace
}  // namespace tenon::ops
