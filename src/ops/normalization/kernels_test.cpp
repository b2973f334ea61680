// Cases for the rows of LayerNormalization: run by tests/unit/kernel_rows_test.cpp.
#include "ops/core/row_cases.h"

namespace tenon::ops {
namespace {

/// On absolute values the mean is added, not taken off, and no variance divides: it is about 4/3 of what
/// `twice` makes, so that it would make numbers smaller.
ValueId layer_norm(RowModel& m, ValueId x, const Shape& parameters, bool with_bias = true,
                   std::vector<int64_t> axes = {-1}) {
  std::vector<ValueId> inputs = {x, m.constant(parameters)};
  if (with_bias) inputs.push_back(m.constant(parameters));
  if (!m.absolute()) return m.add(Op::kLayerNormalization, std::move(inputs), {{"axis", axes[0]}});
  const ValueId mean = m.add(Op::kReduceMean, {x, m.exactly(Tensor::from_ints(axes))});
  const ValueId scaled = m.add(Op::kMul, {m.add(Op::kAdd, {x, mean}), inputs[1]});
  return with_bias ? m.add(Op::kAdd, {scaled, inputs[2]}) : scaled;
}

ValueId twice(RowModel& m, const Shape& shape) {
  return m.add(Op::kMul, {m.input(shape), m.exactly(Tensor::scalar(2.0f))});
}

/// Of images that arrive blocked.
void over_channels(RowModel& m, const Shape& shape, bool with_bias = true) {
  using Ints = std::vector<int64_t>;
  const ValueId x = blocked(m, twice(m, shape), shape[1]);
  const ValueId last = m.add(Op::kTranspose, {x}, {{"perm", Ints{0, 2, 3, 1}}});
  const ValueId norm = layer_norm(m, last, {shape[1]}, with_bias);
  m.output(m.add(Op::kTranspose, {norm}, {{"perm", Ints{0, 3, 1, 2}}}));
}

const RowCases kCases(
    Op::kLayerNormalization,
    {
        {"tokens", [](RowModel& m) { m.output(layer_norm(m, twice(m, {2, 49, 96}), {96})); }},
        {"two_axes", [](RowModel& m) { m.output(layer_norm(m, twice(m, {6, 5, 7}), {5, 7}, true, {1, 2})); }},
        {"far_from_zero",
         [](RowModel& m) {
           std::vector<float> values(3 * 77);
           for (size_t i = 0; i < values.size(); ++i)
             values[i] = 1000 + static_cast<float>(i * 37 % 101) / 64;
           const ValueId x = m.input(Tensor::from<float>(DataType::kFloat32, {3, 77}, values));
           const ValueId scale = m.constant({77});
           m.output(m.absolute() ? m.add(Op::kMul, {x, scale}) : m.add(Op::kLayerNormalization, {x, scale}));
         }},
        {"no_bias", [](RowModel& m) { m.output(layer_norm(m, twice(m, {9, 40}), {40}, false)); }},
        {"channels", [](RowModel& m) { over_channels(m, {2, 96, 9, 17}); }},
        {"ragged_channels", [](RowModel& m) { over_channels(m, {3, 21, 3, 50}, false); }},
        {"few_channels", [](RowModel& m) { over_channels(m, {1, 3, 4, 5}); }},
    });

}  // namespace
}  // namespace tenon::ops
