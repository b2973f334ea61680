// Cases for attention in parts, whose anchor is the Softmax: run by tests/unit/kernel_rows_test.cpp.
#include <algorithm>
#include <limits>

#include "ops/core/row_cases.h"

namespace tenon::ops {
namespace {

using Ints = std::vector<int64_t>;

ValueId transposed(RowModel& m, ValueId x, Ints perm) {
  return m.add(Op::kTranspose, {x}, {{"perm", std::move(perm)}});
}
ValueId reshaped(RowModel& m, ValueId x, const Ints& shape) {
  return m.add(Op::kReshape, {x, m.exactly(Tensor::from_ints(shape))});
}
ValueId number(RowModel& m, float value) {
  return m.exactly(Tensor::from<float>(DataType::kFloat32, {}, std::vector<float>{value}));
}
ValueId softmax(RowModel& m, ValueId x) {
  return m.add(Op::kSoftmax, {x}, {{"axis", int64_t{-1}}});
}

/// Q, K and V of [batches, heads, length, size] out of one input [batches, length, 3 * heads * size].
struct Parts {
  ValueId q, k, v;

  Parts(RowModel& m, int64_t batches, int64_t length, int64_t heads, int64_t size) {
    const ValueId x = m.input({batches, length, 3 * heads * size});
    const ValueId turned = transposed(m, reshaped(m, x, {batches, length, 3, heads, size}), {2, 0, 3, 1, 4});
    const auto part = [&](int64_t i) {
      return m.add(Op::kGather, {turned, m.exactly(Tensor::from<int64_t>(DataType::kInt64, {}, Ints{i}))},
                   {{"axis", int64_t{0}}});
    };
    q = part(0);
    k = part(1);
    v = part(2);
  }
};

/// Windows of Swin, shifted ones with a mask for each window: two images of three windows.
void windows(RowModel& m, bool shifted) {
  const Parts parts(m, 6, 49, 3, 32);
  const ValueId q = m.add(Op::kMul, {parts.q, number(m, 0.17677669f)});
  ValueId scores = m.add(Op::kMatMul, {q, transposed(m, parts.k, {0, 1, 3, 2})});
  scores = m.add(Op::kAdd, {scores, m.constant({1, 3, 49, 49})});
  if (shifted) {
    scores = m.add(Op::kAdd, {reshaped(m, scores, {2, 3, 3, 49, 49}), m.constant({1, 3, 1, 49, 49})});
    scores = reshaped(m, scores, {6, 3, 49, 49});
  }
  const ValueId context = m.add(Op::kMatMul, {softmax(m, scores), parts.v});
  m.output(reshaped(m, transposed(m, context, {0, 2, 1, 3}), {6, 49, 96}));
}

/// Q, K and V are inputs; what is added may be, too.
ValueId plain(RowModel& m, const Shape& q, const Shape& k, const Shape& v, ValueId added = kNoValue,
              float divisor = 4) {
  const ValueId q_input = m.input(q), k_input = m.input(k), v_input = m.input(v);
  Ints perm;
  for (size_t i = 0; i + 2 < k.size(); ++i) perm.push_back(static_cast<int64_t>(i));
  const auto last = static_cast<int64_t>(k.size()) - 1;
  perm.insert(perm.end(), {last, last - 1});
  ValueId scores = m.add(Op::kMatMul, {q_input, transposed(m, k_input, perm)});
  scores = m.add(Op::kDiv, {scores, number(m, divisor)});
  if (added != kNoValue) scores = m.add(Op::kAdd, {added, scores});
  return m.add(Op::kMatMul, {softmax(m, scores), v_input});
}

const RowCases kCases(
    Op::kSoftmax,
    {
        {"windows", [](RowModel& m) { windows(m, false); }, "attention_parts"},
        {"shifted_windows", [](RowModel& m) { windows(m, true); }, "attention_parts"},
        {"tokens_first",  // as torch.nn.MultiheadAttention has them
         [](RowModel& m) {
           const ValueId x = m.input({197, 2, 3 * 4 * 24});
           const auto parts =
               m.add_all(Op::kSplit, {x}, {{"axis", int64_t{2}}, {"num_outputs", int64_t{3}}}, 3);
           const auto heads = [&](ValueId part) {
             return reshaped(m, transposed(m, reshaped(m, part, {197, 8, 24}), {1, 0, 2}), {2, 4, 197, 24});
           };
           const ValueId q = m.add(Op::kMul, {heads(parts[0]), number(m, 0.45f)});
           const ValueId k =
               m.add(Op::kMul, {transposed(m, heads(parts[1]), {0, 1, 3, 2}), number(m, 0.45f)});
           const ValueId context =
               m.add(Op::kMatMul, {softmax(m, m.add(Op::kMatMul, {q, k})), heads(parts[2])});
           m.output(reshaped(m, transposed(m, context, {2, 0, 1, 3}), {394, 96}));
         },
         "attention_parts"},
        {"cross_and_ragged",
         [](RowModel& m) { m.output(plain(m, {2, 3, 20, 17}, {2, 3, 33, 17}, {2, 3, 33, 21})); },
         "attention_parts"},
        {"one_key", [](RowModel& m) { m.output(plain(m, {3, 5, 8}, {3, 1, 8}, {3, 1, 4})); },
         "attention_parts"},
        {"one_query", [](RowModel& m) { m.output(plain(m, {3, 1, 8}, {3, 300, 8}, {3, 300, 40})); },
         "attention_parts"},
        {"many_keys",
         [](RowModel& m) { m.output(plain(m, {1, 2, 40, 16}, {1, 2, 1500, 16}, {1, 2, 1500, 16})); },
         "attention_parts"},
        {"one_head_of_keys_for_all",
         [](RowModel& m) { m.output(plain(m, {2, 3, 20, 16}, {1, 1, 33, 16}, {2, 1, 33, 16})); },
         "attention_parts"},
        {"added_keys",
         [](RowModel& m) {
           const ValueId added = m.input({2, 1, 1, 33});
           m.output(plain(m, {2, 3, 20, 16}, {2, 3, 33, 16}, {2, 3, 33, 16}, added));
         },
         "attention_parts"},
        {"forbidden_keys",
         [](RowModel& m) {
           std::vector<float> mask(20 * 33, 0.0f);
           for (size_t i = 0; i < mask.size(); i += 3) mask[i] = -std::numeric_limits<float>::infinity();
           const ValueId added = m.exactly(Tensor::from<float>(DataType::kFloat32, {20, 33}, mask));
           m.output(plain(m, {2, 3, 20, 16}, {2, 3, 33, 16}, {2, 3, 33, 16}, added));
         },
         "attention_parts"},
        {"a_query_without_keys",  // is no number
         [](RowModel& m) {
           std::vector<float> mask(5 * 33, 0.0f);
           std::fill_n(mask.begin() + 33, 33, -std::numeric_limits<float>::infinity());
           const ValueId added = m.exactly(Tensor::from<float>(DataType::kFloat32, {5, 33}, mask));
           m.output(plain(m, {2, 3, 5, 16}, {2, 3, 33, 16}, {2, 3, 33, 16}, added));
         },
         "attention_parts"},
        {"keys_far_below",  // weights that are subnormal numbers, or none
         [](RowModel& m) {
           std::vector<float> mask(30 * 50, 0.0f);
           for (size_t i = 0; i < mask.size(); i += 2) mask[i] = -86 - static_cast<float>(i % 40);
           const ValueId added = m.exactly(Tensor::from<float>(DataType::kFloat32, {30, 50}, mask));
           m.output(plain(m, {1, 2, 30, 16}, {1, 2, 50, 16}, {1, 2, 50, 16}, added));
         },
         "attention_parts"},
    });

}  // namespace
}  // namespace tenon::ops
