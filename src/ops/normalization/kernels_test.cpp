// Cases for the rows of LayerNormalization: run by tests/unit/kernel_rows_test.cpp.
#include "ops/core/row_cases.h"

namespace tenon::ops {
namespace {

/// On absolute values the mean is added, not taken off, and no variance divides: inputs have one of about
/// 4/3, so that it would make numbers smaller.
ValueId layer_norm(RowModel& m, const Shape& shape, const Shape& parameters, bool with_bias = true,
                   int64_t axis = -1) {
  const ValueId x = m.add(Op::kMul, {m.input(shape), m.exactly(Tensor::scalar(2.0f))});
  std::vector<ValueId> inputs = {x, m.constant(parameters)};
  if (with_bias) inputs.push_back(m.constant(parameters));
  if (!m.absolute()) return m.add(Op::kLayerNormalization, std::move(inputs), {{"axis", axis}});
  std::vector<int64_t> axes;
  for (int64_t i = axis; i < (axis < 0 ? 0 : static_cast<int64_t>(shape.size())); ++i) axes.push_back(i);
  const ValueId mean = m.add(Op::kReduceMean, {x, m.exactly(Tensor::from_ints(axes))});
  const ValueId scaled = m.add(Op::kMul, {m.add(Op::kAdd, {x, mean}), inputs[1]});
  return with_bias ? m.add(Op::kAdd, {scaled, inputs[2]}) : scaled;
}

const RowCases kCases(
    Op::kLayerNormalization,
    {
        {"tokens", [](RowModel& m) { m.output(layer_norm(m, {2, 49, 96}, {96})); }},
        {"two_axes", [](RowModel& m) { m.output(layer_norm(m, {6, 5, 7}, {5, 7}, true, 1)); }},
        {"far_from_zero",
         [](RowModel& m) {
           std::vector<float> values(3 * 77);
           for (size_t i = 0; i < values.size(); ++i)
             values[i] = 1000 + static_cast<float>(i * 37 % 101) / 64;
           const ValueId x = m.input(Tensor::from<float>(DataType::kFloat32, {3, 77}, values));
           const ValueId scale = m.constant({77});
           m.output(m.absolute() ? m.add(Op::kMul, {x, scale}) : m.add(Op::kLayerNormalization, {x, scale}));
         }},
        {"no_bias", [](RowModel& m) { m.output(layer_norm(m, {9, 40}, {40}, false)); }},
    });

}  // namespace
}  // namespace tenon::ops
