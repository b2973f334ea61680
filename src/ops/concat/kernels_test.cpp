// Cases for the rows of Concat: run by tests/unit/kernel_rows_test.cpp.
#include "ops/core/row_cases.h"

namespace tenon::ops {
namespace {

const RowCases kCases(Op::kConcat, {{"channels", [](RowModel& m) {
                                       const ValueId x = blocked(m, m.input({2, 32, 5, 7}), 32);
                                       const ValueId y = blocked(m, m.input({2, 16, 5, 7}), 16);
                                       const ValueId z = blocked(m, m.input({2, 9, 5, 7}), 9);
                                       m.output(m.add(Op::kConcat, {x, y, z}, {{"axis", int64_t{1}}}));
                                     }}});

}  // namespace
}  // namespace tenon::ops
