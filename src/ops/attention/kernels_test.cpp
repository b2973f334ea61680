// Cases for the rows of Attention: run by tests/unit/kernel_rows_test.cpp.
#include <limits>

#include "ops/core/row_cases.h"

namespace tenon::ops {
namespace {

/// Q, K and V of rank 4, and what comes after them.
void attention(RowModel& m, const Shape& q, const Shape& k, const Shape& v, Attributes attributes = {},
               ValueId mask = kNoValue) {
  std::vector<ValueId> inputs = {m.input(q), m.input(k), m.input(v)};
  if (mask != kNoValue) inputs.push_back(mask);
  m.output(m.add(Op::kAttention, std::move(inputs), std::move(attributes)));
}

ValueId bools(RowModel& m, const Shape& shape, int64_t period) {
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  Tensor mask = Tensor::allocate(DataType::kBool, shape);
  for (int64_t i = 0; i < count; ++i)
    mask.mutable_raw()[i] = static_cast<std::byte>(i % period != 0 && i >= shape.back() ? 1 : 0);
  return m.exactly(mask);
}

const RowCases kCases(
    Op::kAttention,
    {
        {"heads", [](RowModel& m) { attention(m, {2, 3, 49, 32}, {2, 3, 49, 32}, {2, 3, 49, 32}); }},
        {"shared_heads_and_scale",
         [](RowModel& m) {
           attention(m, {1, 6, 5, 16}, {1, 2, 300, 16}, {1, 2, 300, 24}, {{"scale", 0.3f}});
         }},
        {"flat_and_causal",
         [](RowModel& m) {
           attention(m, {2, 37, 24}, {2, 37, 24}, {2, 37, 24},
                     {{"q_num_heads", int64_t{3}}, {"kv_num_heads", int64_t{3}}, {"is_causal", int64_t{1}}});
         }},
        {"several_blocks_in_a_window",
         [](RowModel& m) {
           attention(m, {1, 1, 700, 8}, {1, 1, 700, 8}, {1, 1, 700, 8},
                     {{"left_window_size", int64_t{40}}, {"right_window_size", int64_t{3}}});
         }},
        {"biases_of_heads",
         [](RowModel& m) {
           attention(m, {2, 3, 20, 16}, {2, 3, 33, 16}, {2, 3, 33, 16}, {}, m.constant({1, 3, 20, 33}));
         }},
        {"short_mask",
         [](RowModel& m) {
           attention(m, {1, 2, 4, 16}, {1, 2, 40, 16}, {1, 2, 40, 16}, {}, m.input({4, 25}));
         }},
        {"no_keys", [](RowModel& m) { attention(m, {1, 2, 5, 8}, {1, 2, 0, 8}, {1, 2, 0, 8}); }},
        {"mask_without_keys",
         [](RowModel& m) {
           attention(m, {1, 2, 4, 16}, {1, 2, 40, 16}, {1, 2, 40, 16}, {}, m.input({4, 0}));
         }},
        {"heads_of_no_size", [](RowModel& m) { attention(m, {1, 1, 2, 0}, {1, 1, 3, 0}, {1, 1, 3, 4}); }},
        {"forbidden_keys_and_a_query_without_any",
         [](RowModel& m) {
           attention(m, {2, 2, 9, 16}, {2, 2, 50, 16}, {2, 2, 50, 16}, {}, bools(m, {9, 50}, 3));
         }},
    });

}  // namespace
}  // namespace tenon::ops
