// Cases for the rows of the Reduce operators: run by tests/unit/kernel_rows_test.cpp.
#include <limits>

#include "ops/core/row_cases.h"

namespace tenon::ops {
namespace {

using Ints = std::vector<int64_t>;

std::function<void(RowModel&)> reduced(Op op, const Shape& shape, const Ints& axes, bool keepdims = true) {
  return [=](RowModel& m) {
    std::vector<ValueId> inputs = {m.input(shape)};
    if (!axes.empty()) inputs.push_back(m.exactly(Tensor::from_ints(axes)));
    m.output(m.add(op, std::move(inputs), {{"keepdims", int64_t{keepdims}}}));
  };
}

/// A maximum or minimum of numbers of which some are none.
std::function<void(RowModel&)> extreme(Op op, const Ints& axes) {
  return [=](RowModel& m) {
    constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> values(7 * 45);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = i % 97 == 60 ? kNone : static_cast<float>(i % 31) - 40;
    const ValueId x = m.input(Tensor::from<float>(DataType::kFloat32, {7, 45}, values));
    m.output(m.add(op, {x, m.exactly(Tensor::from_ints(axes))}));
  };
}

const RowCases kMeans(Op::kReduceMean,
                      {
                          {"last", reduced(Op::kReduceMean, {3, 5, 197}, {-1}), "reduce"},
                          {"first", reduced(Op::kReduceMean, {300, 7, 11}, {0}, false), "reduce"},
                          {"outer_and_inner", reduced(Op::kReduceMean, {4, 5, 6, 33}, {0, 3}), "reduce"},
                      });
const RowCases kSums(Op::kReduceSum,
                     {
                         {"all", reduced(Op::kReduceSum, {3, 70, 129}, {}, false)},
                         {"long_line", reduced(Op::kReduceSum, {2, 40000}, {1})},
                         {"many_rows", reduced(Op::kReduceSum, {5000, 70}, {0})},
                         {"middle", reduced(Op::kReduceSum, {4, 9, 1500}, {1})},
                         {"narrow", reduced(Op::kReduceSum, {4, 9, 3}, {0})},
                         {"alternating", reduced(Op::kReduceSum, {3, 4, 5, 6, 7}, {0, 2, 4})},
                         {"alternating_outer", reduced(Op::kReduceSum, {3, 4, 5, 6, 7}, {1, 3}, false)},
                         {"of_nothing", reduced(Op::kReduceSum, {3, 0, 4}, {1})},
                         {"to_nothing", reduced(Op::kReduceSum, {3, 0, 4}, {0})},
                         {"number", reduced(Op::kReduceSum, {}, {})},
                     });
const RowCases kAbsoluteSums(Op::kReduceL1, {
                                                {"rows", reduced(Op::kReduceL1, {60, 50}, {0})},
                                                {"lines", reduced(Op::kReduceL1, {6, 50}, {1})},
                                            });
const RowCases kNorms(Op::kReduceL2, {
                                         {"rows", reduced(Op::kReduceL2, {60, 50}, {0})},
                                         {"lines", reduced(Op::kReduceL2, {6, 50}, {1})},
                                     });
const RowCases kSquares(Op::kReduceSumSquare,
                        {{"lines", reduced(Op::kReduceSumSquare, {6, 50}, {1}, false)}});
const RowCases kMaxima(Op::kReduceMax, {
                                           {"rows", extreme(Op::kReduceMax, {0})},
                                           {"lines", extreme(Op::kReduceMax, {1})},
                                           {"of_nothing", reduced(Op::kReduceMax, {3, 0}, {1})},
                                       });
const RowCases kMinima(Op::kReduceMin, {
                                           {"rows", extreme(Op::kReduceMin, {0})},
                                           {"lines", extreme(Op::kReduceMin, {1})},
                                           {"of_nothing", reduced(Op::kReduceMin, {0, 70}, {0})},
                                       });

}  // namespace
}  // namespace tenon::ops
