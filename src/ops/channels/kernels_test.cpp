// Cases for the rows that move channels: run by tests/unit/kernel_rows_test.cpp.
#include "ops/core/row_cases.h"

namespace tenon::ops {
namespace {

using Ints = std::vector<int64_t>;

ValueId ints(RowModel& m, const Ints& values) {
  return m.exactly(Tensor::from_ints(values));
}

ValueId shuffled(RowModel& m, ValueId x, int64_t images, int64_t groups, int64_t each, int64_t h, int64_t w) {
  const ValueId grouped = m.add(Op::kReshape, {x, ints(m, {images, groups, each, h, w})});
  const ValueId swapped = m.add(Op::kTranspose, {grouped}, {{"perm", Ints{0, 2, 1, 3, 4}}});
  return m.add(Op::kReshape, {swapped, ints(m, {images, groups * each, h, w})});
}

/// All parts.
void split(RowModel& m, ValueId x, const Ints& lengths) {
  for (ValueId part : m.add_all(Op::kSplit, {x, ints(m, lengths)}, {{"axis", int64_t{1}}}, lengths.size()))
    m.output(part);
}

const RowCases kConcats(Op::kConcat,
                        {
                            {"ragged_channels",
                             [](RowModel& m) {
                               const ValueId x = blocked(m, m.input({2, 5, 5, 7}), 5),
                                             y = blocked(m, m.input({2, 33, 5, 7}), 33);
                               m.output(m.add(Op::kConcat, {x, y, x}, {{"axis", int64_t{1}}}));
                             }},
                            {"many_small",
                             [](RowModel& m) {
                               std::vector<ValueId> parts;
                               for (int i = 0; i < 3; ++i)
                                 parts.push_back(blocked(m, m.input({1, 3, 12, 12}), 3));
                               for (int i = 0; i < 6; ++i) parts.push_back(parts[static_cast<size_t>(i)]);
                               m.output(m.add(Op::kConcat, parts, {{"axis", int64_t{-3}}}));
                             }},
                            {"shuffled",
                             [](RowModel& m) {
                               const ValueId x = blocked(m, m.input({1, 58, 9, 9}), 58),
                                             y = blocked(m, m.input({1, 58, 9, 9}), 58);
                               m.output(shuffled(m, m.add(Op::kConcat, {x, y}, {{"axis", int64_t{1}}}), 1, 2,
                                                 58, 9, 9));
                             }},
                            {"shuffled_and_split",
                             [](RowModel& m) {
                               const ValueId x = blocked(m, m.input({2, 58, 14, 11}), 58);
                               const ValueId y = blocked(m, m.input({2, 58, 14, 11}), 58);
                               const ValueId both = m.add(Op::kConcat, {x, y}, {{"axis", int64_t{1}}});
                               split(m, shuffled(m, both, 2, 2, 58, 14, 11), {58, 58});
                             }},
                        });

const RowCases kShuffles(Op::kReshape,
                         {{"groups_of_3",
                           [](RowModel& m) {
                             m.output(shuffled(m, blocked(m, m.input({2, 60, 6, 5}), 60), 2, 3, 20, 6, 5));
                           }},
                          {"groups_of_8", [](RowModel& m) {
                             m.output(shuffled(m, blocked(m, m.input({1, 136, 3, 3}), 136), 1, 8, 17, 3, 3));
                           }}});

const RowCases kSplits(Op::kSplit, {{"ragged_parts", [](RowModel& m) {
                                       split(m, blocked(m, m.input({2, 50, 4, 9}), 50), {16, 7, 27});
                                     }}});

}  // namespace
}  // namespace tenon::ops
