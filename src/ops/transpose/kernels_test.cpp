// Cases for the rows of Transpose: run by tests/unit/kernel_rows_test.cpp.
#include "ops/core/row_cases.h"

namespace tenon::ops {
namespace {

using Ints = std::vector<int64_t>;

void from_channels_last(RowModel& m, const Shape& shape) {
  m.output(m.add(Op::kTranspose, {m.input(shape)}, {{"perm", Ints{0, 3, 1, 2}}}));
}

void to_channels_last(RowModel& m, const Shape& shape) {
  m.output(m.add(Op::kTranspose, {blocked(m, m.input(shape), shape[1])}, {{"perm", Ints{0, 2, 3, 1}}}));
}

const RowCases kCases(
    Op::kTranspose,
    {
        {"from_channels_last", [](RowModel& m) { from_channels_last(m, {2, 9, 17, 96}); }},
        {"from_ragged_channels_last", [](RowModel& m) { from_channels_last(m, {1, 3, 50, 21}); }},
        {"to_channels_last", [](RowModel& m) { to_channels_last(m, {2, 96, 9, 17}); }},
        {"to_ragged_channels_last", [](RowModel& m) { to_channels_last(m, {3, 21, 3, 50}); }},
        {"to_few_channels_last", [](RowModel& m) { to_channels_last(m, {1, 3, 4, 5}); }},
    });

}  // namespace
}  // namespace tenon::ops
