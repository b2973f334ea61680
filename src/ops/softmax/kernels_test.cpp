// Cases for the rows of Softmax: run by tests/unit/kernel_rows_test.cpp.
#include <limits>

#include "ops/core/row_cases.h"

namespace tenon::ops {
namespace {

const RowCases kCases(
    Op::kSoftmax,
    {
        {"attention", [](RowModel& m) { m.output(m.add(Op::kSoftmax, {m.input({2, 3, 49, 49})})); }},
        {"short_lines",
         [](RowModel& m) { m.output(m.add(Op::kSoftmax, {m.input({700, 3})}, {{"axis", int64_t{1}}})); }},
        {"not_finite",
         [](RowModel& m) {
           constexpr float kInfinity = std::numeric_limits<float>::infinity();
           // Masked, far below, all masked, infinite, not a number.
           std::vector<float> values(5 * 20, -kInfinity);
           for (size_t i = 0; i < 20; ++i) values[20 + i] = -100.0f * static_cast<float>(i) / 20;
           for (size_t i = 0; i < 7; ++i) values[i] = 80.0f - 17.3f * static_cast<float>(i);
           for (size_t i = 0; i < 20; ++i) values[80 + i] = 1;
           values[65] = kInfinity;
           values[85] = std::numeric_limits<float>::quiet_NaN();
           m.output(m.add(Op::kSoftmax, {m.input(Tensor::from<float>(DataType::kFloat32, {5, 20}, values))}));
         }},
    });

}  // namespace
}  // namespace tenon::ops
