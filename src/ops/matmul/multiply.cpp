#include <algorithm>

#include "kernels/product.h"
#include "ops/core/infer.h"
#include "ops/matmul/matmul.h"
#include "ops/spatial/window.h"
#include "tensor/element.h"

namespace tenon::ops {

Result<SymShape> matmul_shape(const SymShape& a, const SymShape& b) {
  if (a.empty() || b.empty()) return fail(ErrorCode::kInvalidModel, "an operand is a scalar");
  const SymInt& inner_a = a.back();
  const SymInt& inner_b = b.size() == 1 ? b[0] : b[b.size() - 2];
  if (inner_a.is_constant() && inner_b.is_constant() && !(inner_a == inner_b))
    return fail(ErrorCode::kInvalidModel, "the shapes {} and {} do not multiply", tenon::to_string(a),
                tenon::to_string(b));
  SymShape out = TENON_TRY(broadcast(a.size() > 2 ? SymShape(a.begin(), a.end() - 2) : SymShape{},
                                     b.size() > 2 ? SymShape(b.begin(), b.end() - 2) : SymShape{}));
  if (a.size() > 1) out.push_back(a[a.size() - 2]);
  if (b.size() > 1) out.push_back(b.back());
  return out;
}

int64_t batch_offset(int64_t batch, const Shape& shape, const Shape& strides) {
  int64_t at = 0;
  for (size_t axis = shape.size(); axis > 0; --axis) {
    at += batch % shape[axis - 1] * strides[axis - 1];
    batch /= shape[axis - 1];
  }
  return at;
}

Result<MatmulPlan> plan_matmul(const Tensor& a, const Tensor& b) {
  const auto no_fit = [&]() -> Error {
    auto shape = matmul_shape(to_sym(a.shape()), to_sym(b.shape()));
    return shape.ok() ? fail(ErrorCode::kInternal, "a product without a shape") : std::move(shape.error());
  };
  const auto a_rank = static_cast<size_t>(a.rank()), b_rank = static_cast<size_t>(b.rank());
  if (a_rank == 0 || b_rank == 0) return no_fit();
  MatmulPlan plan;
  plan.m = a_rank == 1 ? 1 : a.dim(a_rank - 2);
  plan.k = a.shape().back();
  plan.n = b_rank == 1 ? 1 : b.shape().back();
  if (b.dim(b_rank == 1 ? 0 : b_rank - 2) != plan.k) return no_fit();
  const size_t axes = std::max<size_t>({a_rank, b_rank, 2}) - 2;
  plan.batch_shape.resize(axes, 1);
  plan.a_strides.resize(axes, 0);
  plan.b_strides.resize(axes, 0);
  int64_t a_stride = 1, b_stride = 1;
  for (size_t i = 0; i < axes; ++i) {  // from the last axis on
    const size_t axis = axes - 1 - i;
    const int64_t of_a = i + 2 < a_rank ? a.dim(a_rank - 3 - i) : 1,
                  of_b = i + 2 < b_rank ? b.dim(b_rank - 3 - i) : 1;
    if (of_a != of_b && of_a != 1 && of_b != 1) return no_fit();
    plan.batch_shape[axis] = of_a == 1 ? of_b : of_a;
    if (of_a != 1) plan.a_strides[axis] = a_stride;
    if (of_b != 1) plan.b_strides[axis] = b_stride;
    a_stride *= of_a;
    b_stride *= of_b;
  }
  const int64_t batches = TENON_TRY(element_count(plan.batch_shape));
  plan.batches = plan.m == 0 || plan.n == 0 ? 0 : batches;
  plan.shape = plan.batch_shape;
  if (a_rank > 1) plan.shape.push_back(plan.m);
  if (b_rank > 1) plan.shape.push_back(plan.n);
  return plan;
}

namespace {

// Rows [r0, r1) and columns [c0, c1) of a matrix, row-major.
template <class T>
void load_block(const MatrixView& view, int64_t r0, int64_t r1, int64_t c0, int64_t c1, T* out) {
  const Tensor& tensor = *view.tensor;
  const int64_t width = c1 - c0;
  if (!view.transposed) {
    for (int64_t r = r0; r < r1; ++r)
      load_elements<T>(tensor.type(), tensor.raw(), view.offset + r * view.columns + c0, width,
                       out + (r - r0) * width);
    return;
  }
  std::vector<T> column(static_cast<size_t>(r1 - r0));
  for (int64_t c = c0; c < c1; ++c) {
    load_elements<T>(tensor.type(), tensor.raw(), view.offset + c * view.rows + r0, r1 - r0, column.data());
    for (int64_t r = 0; r < r1 - r0; ++r) out[r * width + (c - c0)] = column[static_cast<size_t>(r)];
  }
}

template <class T>
T subtract(T x, T y) {
  if constexpr (std::is_same_v<T, int64_t>)
    return static_cast<int64_t>(static_cast<uint64_t>(x) - static_cast<uint64_t>(y));
  else
    return x - y;
}

constexpr int64_t kColumnBlock = 64, kRowBlock = 64;

}  // namespace

template <class T>
void multiply(KernelContext& context, const MatrixView& a, const MatrixView& b, const ZeroPoints<T>& zeros,
              const std::function<void(int64_t row, int64_t column, std::span<T> sums)>& finish) {
  const int64_t m = a.rows, n = b.columns, k = a.columns;
  if (m == 0 || n == 0) return;
  auto zero = [](const std::vector<T>& list, int64_t i) {
    return list.empty() ? T(0) : list[list.size() == 1 ? 0 : static_cast<size_t>(i)];
  };
  const int64_t column_blocks = (n + kColumnBlock - 1) / kColumnBlock;
  context.parallel_for(column_blocks, 1, [&](int64_t begin, int64_t end) {
    std::vector<T> panel(static_cast<size_t>(k * std::min(kColumnBlock, n)));
    std::vector<T> rows(static_cast<size_t>(k * std::min(kRowBlock, m)));
    std::vector<T> sums(static_cast<size_t>(std::min(kRowBlock, m) * std::min(kColumnBlock, n)));
    for (int64_t block = begin; block < end; ++block) {
      const int64_t c0 = block * kColumnBlock, c1 = std::min(n, c0 + kColumnBlock), width = c1 - c0;
      load_block(b, 0, k, c0, c1, panel.data());
      if (!zeros.b.empty())
        for (int64_t p = 0; p < k; ++p)
          for (int64_t c = 0; c < width; ++c) {
            T& value = panel[static_cast<size_t>(p * width + c)];
            value = subtract(value, zero(zeros.b, c0 + c));
          }
      for (int64_t r0 = 0; r0 < m; r0 += kRowBlock) {
        const int64_t r1 = std::min(m, r0 + kRowBlock);
        load_block(a, r0, r1, 0, k, rows.data());
        if (!zeros.a.empty())
          for (int64_t r = r0; r < r1; ++r)
            for (int64_t p = 0; p < k; ++p) {
              T& value = rows[static_cast<size_t>((r - r0) * k + p)];
              value = subtract(value, zero(zeros.a, r));
            }
        std::fill(sums.begin(), sums.end(), T(0));
        add_product<T>(r1 - r0, width, k, rows.data(), k, panel.data(), width, sums.data(), width);
        for (int64_t r = r0; r < r1; ++r)
          finish(r, c0, {sums.data() + (r - r0) * width, static_cast<size_t>(width)});
      }
    }
  });
}

template <class T>
Result<std::vector<T>> per_line(const Tensor& tensor, int64_t count, int64_t matrices, int64_t matrix) {
  const bool each = tensor.size() != 1 && tensor.size() != count;
  int64_t total = 0;
  if (each && (__builtin_mul_overflow(count, matrices, &total) || tensor.size() != total))
    return fail(ErrorCode::kInvalidModel, "a scale or zero point has {} elements, expected 1 or {}",
                tensor.size(), count);
  std::vector<T> values(static_cast<size_t>(tensor.size() == 1 ? 1 : count));
  load_elements<T>(tensor.type(), tensor.raw(), each ? matrix * count : 0,
                   static_cast<int64_t>(values.size()), values.data());
  return values;
}

template void multiply(KernelContext&, const MatrixView&, const MatrixView&, const ZeroPoints<double>&,
                       const std::function<void(int64_t, int64_t, std::span<double>)>&);
template void multiply(KernelContext&, const MatrixView&, const MatrixView&, const ZeroPoints<int64_t>&,
                       const std::function<void(int64_t, int64_t, std::span<int64_t>)>&);
template void multiply(KernelContext&, const MatrixView&, const MatrixView&, const ZeroPoints<uint64_t>&,
                       const std::function<void(int64_t, int64_t, std::span<uint64_t>)>&);
template Result<std::vector<double>> per_line(const Tensor&, int64_t, int64_t, int64_t);
template Result<std::vector<int64_t>> per_line(const Tensor&, int64_t, int64_t, int64_t);

}  // namespace tenon::ops
