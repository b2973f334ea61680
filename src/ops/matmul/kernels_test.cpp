// Cases for the rows of MatMul and Gemm: run by tests/unit/kernel_rows_test.cpp.
#include "ops/core/row_cases.h"

namespace tenon::ops {
namespace {

void matmul(RowModel& m, const Shape& a, const Shape& b) {
  m.output(m.add(Op::kMatMul, {m.input(a), m.input(b)}));
}

ValueId linear(RowModel& m, const Shape& a, int64_t columns) {
  const ValueId product = m.add(Op::kMatMul, {m.input(a), m.constant({a.back(), columns})});
  return m.add(Op::kAdd, {product, m.constant({columns})});
}

ValueId number(RowModel& m, float value) {
  return m.exactly(Tensor::scalar(value));
}

/// 1 + erf(x / sqrt(2)).
ValueId one_and_erf(RowModel& m, ValueId x) {
  const ValueId scaled = m.add(Op::kDiv, {x, number(m, 1.41421354f)});
  return m.add(Op::kAdd, {m.activation(Op::kErf, {scaled}), number(m, 1)});
}

/// What a Transpose makes of x.
ValueId permuted(RowModel& m, ValueId x, std::vector<int64_t> perm) {
  return m.add(Op::kTranspose, {x}, {{"perm", std::move(perm)}});
}

/// One of the three tensors [batch, heads, length, size] in [batch, length, 3, heads, size].
ValueId third(RowModel& m, ValueId x, int64_t which) {
  const ValueId index = m.exactly(Tensor::from<int64_t>(DataType::kInt64, {}, std::vector<int64_t>{which}));
  return m.add(Op::kGather, {permuted(m, x, {2, 0, 3, 1, 4}), index}, {{"axis", 0}});
}

ValueId shaped(RowModel& m, ValueId x, const std::vector<int64_t>& shape) {
  const auto rank = static_cast<int64_t>(shape.size());
  return m.add(Op::kReshape, {x, m.exactly(Tensor::from<int64_t>(DataType::kInt64, {rank}, shape))});
}

/// Rows that are normalised; the absolute model takes them as three times as large.
ValueId normalised(RowModel& m, ValueId x, int64_t length, bool has_bias = true) {
  if (m.absolute()) return m.add(Op::kMul, {x, number(m, 3)});
  std::vector<ValueId> inputs = {x, m.positive({length})};
  if (has_bias) inputs.push_back(m.constant({length}));
  return m.add(Op::kLayerNormalization, inputs, {{"axis", int64_t{-1}}});
}

/// The part of `x` along an axis, from `begin` to `end` in steps.
ValueId sliced(RowModel& m, ValueId x, int64_t begin, int64_t end, int64_t axis, int64_t step = 1) {
  const auto one = [&](int64_t value) { return m.exactly(Tensor::from_ints(std::vector<int64_t>{value})); };
  return m.add(Op::kSlice, {x, one(begin), one(end), one(axis), one(step)});
}

ValueId rolled(RowModel& m, ValueId x, int64_t by, int64_t axis) {
  return m.add(Op::kConcat, {sliced(m, x, by, INT64_MAX, axis), sliced(m, x, 0, by, axis)}, {{"axis", axis}});
}

/// The product of rows, with a bias.
void multiplied(RowModel& m, ValueId rows, int64_t depth, int64_t columns) {
  const ValueId y = m.add(Op::kMatMul, {rows, m.constant({depth, columns})});
  m.output(m.add(Op::kAdd, {y, m.constant({columns})}));
}

const RowCases kMatMulCases(
    Op::kMatMul,
    {
        {"rows_normalised",
         [](RowModel& m) { multiplied(m, normalised(m, m.input({2, 31, 72}), 72), 72, 100); }},
        {"rows_normalised_long",
         [](RowModel& m) { multiplied(m, normalised(m, m.input({100, 301}), 301, false), 301, 65); }},
        {"rows_normalised_few",
         [](RowModel& m) { multiplied(m, normalised(m, m.input({1, 3, 260}), 260), 260, 300); }},
        {"rows_in_shifted_windows",
         [](RowModel& m) {
           ValueId x = normalised(m, m.input({1, 12, 8, 37}), 37);
           x = shaped(m, rolled(m, rolled(m, x, 2, 1), 3, 2), {1, 3, 4, 2, 4, 37});
           multiplied(m, shaped(m, permuted(m, x, {0, 1, 3, 2, 4, 5}), {6, 16, 37}), 37, 40);
         }},
        {"rows_in_windows_residual",
         [](RowModel& m) {
           const ValueId x = shaped(m, m.input({2, 8, 6, 136}), {2, 2, 4, 2, 3, 136});
           const ValueId rows = shaped(m, permuted(m, x, {0, 1, 3, 2, 4, 5}), {8, 12, 136});
           const ValueId y = m.add(Op::kMatMul, {rows, m.constant({136, 20})});
           m.output(m.activation(Op::kRelu, {m.add(Op::kAdd, {y, m.input({8, 12, 20})})}));
         }},
        {"rows_repeated_and_normalised_after",
         [](RowModel& m) {
           const ValueId x = m.input({5, 9, 24});
           const ValueId twice = m.add(Op::kConcat, {sliced(m, x, -1, INT64_MIN, 0, -2), x}, {{"axis", 0}});
           multiplied(m, normalised(m, twice, 24), 24, 33);
         }},
        {"views_scores",
         [](RowModel& m) {
           const ValueId x = m.input({5, 23, 3, 2, 32});
           const ValueId q = m.add(Op::kMul, {third(m, x, 0), number(m, 0.177f)});
           m.output(m.add(Op::kMatMul, {q, permuted(m, third(m, x, -2), {0, 1, 3, 2})}));
         }},
        {"views_context",
         [](RowModel& m) {
           const ValueId x = m.input({5, 23, 3, 2, 32}), weights = m.input({5, 2, 23, 23});
           const ValueId y = m.add(Op::kMatMul, {weights, third(m, x, 2)});
           m.output(m.activation(Op::kRelu, {m.add(Op::kAdd, {y, m.input({5, 2, 23, 32})})}));
         }},
        {"views_split_and_reshape",
         [](RowModel& m) {
           const ValueId x = m.input({41, 1, 48});
           const ValueId sizes =
               m.exactly(Tensor::from<int64_t>(DataType::kInt64, {2}, std::vector<int64_t>{32, 16}));
           const std::vector<ValueId> parts = m.add_all(Op::kSplit, {x, sizes}, {{"axis", -1}}, 2);
           const ValueId a = permuted(m, shaped(m, parts[0], {41, 4, 8}), {1, 0, 2});
           const ValueId b = permuted(m, shaped(m, parts[1], {41, 2, 8}), {1, 2, 0});
           const ValueId scaled = m.add(Op::kMul, {number(m, 0.35f), b});
           m.output(m.add(Op::kMatMul, {shaped(m, a, {2, 2, 41, 8}), shaped(m, scaled, {2, 1, 8, 41})}));
         }},
        {"views_squeezed",
         [](RowModel& m) {
           const ValueId axes =
               m.exactly(Tensor::from<int64_t>(DataType::kInt64, {1}, std::vector<int64_t>{1}));
           const ValueId a = m.add(Op::kSqueeze, {m.input({7, 1, 300}), axes});
           const ValueId b = m.add(Op::kUnsqueeze, {permuted(m, m.input({33, 300}), {1, 0}), axes});
           m.output(m.add(Op::kMatMul, {a, permuted(m, b, {1, 0, 2})}));
         }},
        {"two_inputs", [](RowModel& m) { matmul(m, {19, 37}, {37, 41}); }},
        {"batches", [](RowModel& m) { matmul(m, {2, 3, 17, 64}, {2, 3, 64, 17}); }},
        {"broadcast", [](RowModel& m) { matmul(m, {2, 1, 5, 7}, {3, 7, 9}); }},
        {"vector_times_matrix", [](RowModel& m) { matmul(m, {70}, {70, 130}); }},
        {"matrix_times_vector", [](RowModel& m) { matmul(m, {70, 33}, {33}); }},
        {"no_terms", [](RowModel& m) { matmul(m, {3, 0}, {0, 4}); }},
        {"no_rows", [](RowModel& m) { matmul(m, {0, 4}, {4, 5}); }},
        {"deep_sum", [](RowModel& m) { matmul(m, {3, 4099}, {4099, 20}); }},
        {"weights",
         [](RowModel& m) { m.output(m.add(Op::kMatMul, {m.input({2, 9, 96}), m.constant({96, 288})})); }},
        {"weights_on_the_left",
         [](RowModel& m) { m.output(m.add(Op::kMatMul, {m.constant({12, 96}), m.input({96, 31})})); }},
        {"bias", [](RowModel& m) { m.output(linear(m, {2, 9, 96}, 77)); }},
        {"bias_relu", [](RowModel& m) { m.output(m.activation(Op::kRelu, {linear(m, {50, 40}, 77)})); }},
        {"bias_residual",
         [](RowModel& m) {
           const ValueId residual = m.input({2, 9, 96});
           m.output(m.add(Op::kAdd, {residual, linear(m, {2, 9, 33}, 96)}));
         }},
        {"batch_norm",
         [](RowModel& m) {
           m.output(m.batch_norm(m.add(Op::kMatMul, {m.input({19, 48}), m.constant({48, 33})}), 33));
         }},
        {"bias_batch_norm_relu",
         [](RowModel& m) { m.output(m.activation(Op::kRelu, {m.batch_norm(linear(m, {19, 48}, 77), 77)})); }},
        {"gelu",
         [](RowModel& m) {
           const ValueId x = linear(m, {2, 9, 33}, 96);
           m.output(m.add(Op::kMul, {m.add(Op::kMul, {x, one_and_erf(m, x)}), number(m, 0.5f)}));
         }},
        {"gelu_of_the_half",
         [](RowModel& m) {
           const ValueId x = linear(m, {2, 9, 33}, 96), half = m.add(Op::kMul, {number(m, 0.5f), x});
           m.output(m.add(Op::kMul, {one_and_erf(m, x), half}));
         }},
        {"gelu_halved_within",
         [](RowModel& m) {
           const ValueId x = linear(m, {2, 9, 33}, 96), sum = one_and_erf(m, x);
           m.output(m.add(Op::kMul, {x, m.add(Op::kDiv, {sum, number(m, 2)})}));
         }},
        {"gelu_of_many_rows_and_blocks",
         [](RowModel& m) { m.output(m.activation(Op::kGelu, {linear(m, {2, 203, 300}, 130)})); }},
        {"residual_of_many_rows_and_blocks",
         [](RowModel& m) {
           const ValueId residual = m.input({403, 96});
           m.output(m.add(Op::kAdd, {linear(m, {403, 700}, 96), residual}));
         }},
        {"gelu_whole", [](RowModel& m) { m.output(m.activation(Op::kGelu, {linear(m, {2, 9, 33}, 96)})); }},
        {"free_rows",
         [](RowModel& m) {
           const ValueId x = m.input({5, 48}, {SymInt::symbol("n"), 48});
           m.output(m.add(Op::kMatMul, {x, m.constant({48, 10})}));
         }},
    });

void gemm(RowModel& m, const Shape& a, const Shape& b, const Shape& c, Attributes attributes) {
  std::vector<ValueId> inputs = {m.input(a), m.constant(b)};
  if (!c.empty()) inputs.push_back(m.constant(c));
  m.output(m.add(Op::kGemm, std::move(inputs), std::move(attributes)));
}

const RowCases kGemmCases(
    Op::kGemm,
    {
        {"plain", [](RowModel& m) { gemm(m, {7, 30}, {30, 45}, {}, {}); }},
        {"fully_connected",
         [](RowModel& m) { gemm(m, {1, 512}, {1000, 512}, {1000}, {{"transB", int64_t{1}}}); }},
        {"transposed_a_scaled",
         [](RowModel& m) {
           gemm(m, {30, 7}, {30, 45}, {1, 45}, {{"transA", int64_t{1}}, {"alpha", 0.5f}, {"beta", 2.0f}});
         }},
        {"bias_of_one_number", [](RowModel& m) { gemm(m, {7, 30}, {30, 45}, {1}, {}); }},
        {"many_rows", [](RowModel& m) { gemm(m, {197, 64}, {64, 48}, {48}, {}); }},
        {"batch_norm",
         [](RowModel& m) {
           const ValueId y = m.add(Op::kGemm, {m.input({7, 40}), m.constant({65, 40}), m.constant({65})},
                                   {{"transB", int64_t{1}}});
           m.output(m.batch_norm(y, 65));
         }},
        {"scaled_batch_norm_relu",
         [](RowModel& m) {
           const ValueId y = m.add(Op::kGemm, {m.input({7, 40}), m.constant({40, 33}), m.constant({1, 33})},
                                   {{"alpha", 0.5f}, {"beta", 2.0f}});
           m.output(m.activation(Op::kRelu, {m.batch_norm(y, 33)}));
         }},
        {"no_bias_batch_norm",
         [](RowModel& m) {
           m.output(m.batch_norm(m.add(Op::kGemm, {m.input({3, 20}), m.constant({20, 9})}), 9));
         }},
        {"relu",
         [](RowModel& m) {
           const ValueId y = m.add(Op::kGemm, {m.input({3, 20}), m.constant({20, 9}), m.constant({9})});
           m.output(m.activation(Op::kRelu, {y}));
         }},
    });

}  // namespace
}  // namespace tenon::ops
