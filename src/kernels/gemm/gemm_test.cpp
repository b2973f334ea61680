#include "kernels/gemm/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <optional>
#include <random>

#include "base/thread_pool.h"
#include "kernels/test_services.h"

namespace tenon::kernels {
namespace {

std::vector<float> random_floats(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(generator);
  return values;
}

struct Case {
  int64_t batches, rows, columns, depth;
  bool a_transposed, b_transposed, packed, bias, tail;
};

std::vector<float> run(const Case& c, const std::vector<float>& a, const std::vector<float>& b,
                       const std::vector<float>& bias, const std::vector<float>& addend, Isa isa,
                       int threads) {
  GemmCall call;
  call.rows = c.rows;
  call.columns = c.columns;
  call.depth = c.depth;
  std::optional<PackedColumns> packed;
  const MatrixRef right{b.data(), c.b_transposed ? 1 : c.columns, c.b_transposed ? c.depth : 1};
  if (c.packed) {
    Packing packing;
    packed.emplace(right, c.depth, c.columns, std::span<const double>(),
                   c.bias ? std::span<const float>(bias) : std::span<const float>(), isa, packing);
    call.packed = &*packed;
  }
  std::vector<MatrixRef> lefts, rights;
  for (int64_t i = 0; i < c.batches; ++i) {
    lefts.push_back(
        {a.data() + i * c.rows * c.depth, c.a_transposed ? 1 : c.depth, c.a_transposed ? c.rows : 1});
    if (c.packed) continue;
    MatrixRef matrix = right;
    matrix.data += i * c.depth * c.columns;
    rights.push_back(matrix);
  }
  call.a = lefts;
  call.b = rights;
  std::vector<float> out(static_cast<size_t>(c.batches * c.rows * c.columns), -99.0f);
  call.out = out.data();
  std::vector<MicroOp> ops;
  if (c.tail) {
    ops.push_back({MicroOp::Kind::kAddTensor, {}, 0});
    ops.push_back({MicroOp::Kind::kUnary, {Unary::kClamp, 0, 2}, 0});
    call.operands = {addend.data()};
  }
  TestServices services(threads);
  gemm(call, Epilogue(ops, isa), isa, services.get());
  return out;
}

// The definition in double, within the bound of a sum of `depth` products (Higham, Accuracy and Stability of
// Numerical Algorithms, section 3.1), for every instruction set; and the same bits for any number of threads.
TEST(Gemm, AgreesWithTheDefinition) {
  const Case cases[] = {
      {1, 1, 1, 1, false, false, true, true, false},     {1, 1, 1000, 700, false, true, true, true, true},
      {1, 7, 33, 300, false, false, true, false, false}, {1, 197, 130, 64, true, false, true, true, true},
      {3, 49, 49, 32, false, true, false, false, false}, {2, 15, 70, 513, true, false, false, false, true},
      {5, 1, 3, 2, false, false, false, false, false},   {1, 28, 64, 0, false, false, true, true, false},
      {1, 300, 17, 5, false, true, true, false, true},   {4, 14, 32, 256, false, false, true, true, false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::Message() << c.batches << " x " << c.rows << " x " << c.columns << " x "
                                    << c.depth);
    const auto n = static_cast<size_t>(c.batches * c.rows * c.columns);
    const auto a = random_floats(static_cast<size_t>(c.batches * c.rows * c.depth), 1);
    const auto b = random_floats(static_cast<size_t>((c.packed ? 1 : c.batches) * c.depth * c.columns), 2);
    const auto bias = random_floats(static_cast<size_t>(c.columns), 3);
    const auto addend = random_floats(n, 4);
    for (Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512}) {
      if (isa > available_isa()) continue;
      const auto y = run(c, a, b, bias, addend, isa, 1);
      for (int threads : {2, 3, 7})
        ASSERT_EQ(std::memcmp(y.data(), run(c, a, b, bias, addend, isa, threads).data(), n * sizeof(float)),
                  0);
      for (size_t i = 0; i < n; ++i) {
        const auto at = static_cast<int64_t>(i);
        const int64_t batch = at / (c.rows * c.columns), row = at / c.columns % c.rows,
                      column = at % c.columns;
        double sum = c.bias ? bias[static_cast<size_t>(column)] : 0.0, magnitude = std::abs(sum);
        for (int64_t k = 0; k < c.depth; ++k) {
          const int64_t left =
              batch * c.rows * c.depth + (c.a_transposed ? k * c.rows + row : row * c.depth + k);
          const int64_t right = (c.packed ? 0 : batch * c.depth * c.columns) +
                                (c.b_transposed ? column * c.depth + k : k * c.columns + column);
          const double term = static_cast<double>(a[static_cast<size_t>(left)]) *
                              static_cast<double>(b[static_cast<size_t>(right)]);
          sum += term;
          magnitude += std::abs(term);
        }
        if (c.tail) {
          sum = std::fmin(std::fmax(sum + addend[i], 0), 2);
          magnitude += 1;
        }
        const double bound = (static_cast<double>(std::min(c.depth, kSumBlock)) + 4) * 6e-8 * magnitude;
        ASSERT_NEAR(y[i], sum, bound) << "element " << i << " by " << static_cast<int>(isa);
      }
    }
  }
}

}  // namespace
}  // namespace tenon::kernels
