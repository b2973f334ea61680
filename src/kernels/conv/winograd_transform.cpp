#include "kernels/conv/winograd_transform.h"

#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv/winograd_transform.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After Highway.
#include "kernels/simd/tile_end.h"

#ifndef TENON_WINOGRAD_MATRICES
#define TENON_WINOGRAD_MATRICES
namespace tenon::kernels {

// B^T, G and A^T by Toom and Cook's construction: for points p_j, row j of B^T holds the coefficients of the
// product of (x - p_l) over all other points, row j of G is (1, p_j, p_j^2) over that product at p_j, column
// j of A^T the powers of p_j; the last ones stand for the point at infinity.
template <int kM>
struct Winograd;

template <>
struct Winograd<2> {
  static constexpr float kInput[4][4] = {{-1, 0, 1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, -1, 0, 1}};
  static constexpr double kFilter[4][3] = {{-1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
  static constexpr float kOutputPairs[2][3] = {{1, 1, 0}, {0, 1, 1}};
};

template <>
struct Winograd<4> {
  static constexpr double kA = 0.75, kB = 1.5, kA2 = kA * kA, kB2 = kB * kB;
  static constexpr double kNearA = 2 * kA2 * (kA2 - kB2), kNearB = 2 * kB2 * (kB2 - kA2);
  static constexpr float kInput[6][6] = {
      {kA2 * kB2, 0, -(kA2 + kB2), 0, 1, 0}, {0, -kA* kB2, -kB2, kA, 1, 0},
      {0, kA* kB2, -kB2, -kA, 1, 0},         {0, -kA2* kB, -kA2, kB, 1, 0},
      {0, kA2* kB, -kA2, -kB, 1, 0},         {0, kA2* kB2, 0, -(kA2 + kB2), 0, 1}};
  static constexpr double kFilter[6][3] = {{1 / (kA2 * kB2), 0, 0},
                                           {1 / kNearA, kA / kNearA, kA2 / kNearA},
                                           {1 / kNearA, -kA / kNearA, kA2 / kNearA},
                                           {1 / kNearB, kB / kNearB, kB2 / kNearB},
                                           {1 / kNearB, -kB / kNearB, kB2 / kNearB},
                                           {0, 0, 1}};
  static constexpr float kOutputPairs[4][4] = {
      {1, 1, 1, 0}, {0, kA, kB, 0}, {0, kA2, kB2, 0}, {0, kA* kA2, kB* kB2, 1}};
};

// The pairs of rows of points p and -p, for p = 1/2, 1, 2.
template <>
struct Winograd<6> {
  static constexpr float kInput[8][8] = {
      {-1, 0, 5.25, 0, -5.25, 0, 1, 0},      {0, 2, 4, -2.5, -5, 0.5, 1, 0},
      {0, -2, 4, 2.5, -5, -0.5, 1, 0},       {0, 1, 1, -4.25, -4.25, 1, 1, 0},
      {0, -1, 1, 4.25, -4.25, -1, 1, 0},     {0, 0.5, 0.25, -2.5, -1.25, 2, 1, 0},
      {0, -0.5, 0.25, 2.5, -1.25, -2, 1, 0}, {0, -1, 0, 5.25, 0, -5.25, 0, 1}};
  static constexpr double kFilter[8][3] = {{-1, 0, 0},
                                           {32.0 / 45, 16.0 / 45, 8.0 / 45},
                                           {32.0 / 45, -16.0 / 45, 8.0 / 45},
                                           {-2.0 / 9, -2.0 / 9, -2.0 / 9},
                                           {-2.0 / 9, 2.0 / 9, -2.0 / 9},
                                           {1.0 / 90, 1.0 / 45, 2.0 / 45},
                                           {1.0 / 90, -1.0 / 45, 2.0 / 45},
                                           {0, 0, 1}};
  static constexpr float kOutputPairs[6][5] = {{1, 1, 1, 1, 0},       {0, 0.5, 1, 2, 0},
                                               {0, 0.25, 1, 4, 0},    {0, 0.125, 1, 8, 0},
                                               {0, 0.0625, 1, 16, 0}, {0, 0.03125, 1, 32, 1}};
};

}  // namespace tenon::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);

/// The sum of row[i] * column[i] for i = kFirst, kFirst + kStep and so on; zeros cost nothing, ones no
/// multiplication.
template <int kFirst, int kStep, int kCount>
HWY_INLINE V Combine(const float (&row)[kCount], const V* column) {
  const D d;
  int first = kFirst;
  while (first < kCount && row[first] != 1) first += kStep;
  V sum = hn::Zero(d);
  bool is_empty = first >= kCount;
  if (!is_empty) sum = column[first];
#pragma clang loop unroll(full)
  for (int i = kFirst; i < kCount; i += kStep) {
    if (row[i] == 0 || i == first) continue;
    if (is_empty)
      sum = row[i] == -1 ? hn::Neg(column[i]) : hn::Mul(hn::Set(d, row[i]), column[i]);
    else if (row[i] == 1)
      sum = hn::Add(sum, column[i]);
    else if (row[i] == -1)
      sum = hn::Sub(sum, column[i]);
    else
      sum = hn::MulAdd(hn::Set(d, row[i]), column[i], sum);
    is_empty = false;
  }
  return sum;
}

/// out = B^T column. The rows of points p and -p differ in the signs of odd columns.
template <int kM>
HWY_INLINE void TransformInputColumn(const V* column, V* out) {
  constexpr int kA = kM + 2;
  const auto& matrix = Winograd<kM>::kInput;
  out[0] = Combine<0, 1>(matrix[0], column);
#pragma clang loop unroll(full)
  for (int i = 1; i < kA - 1; i += 2) {
    const V even = Combine<0, 2>(matrix[i], column), odd = Combine<1, 2>(matrix[i], column);
    out[i] = hn::Add(even, odd);
    out[i + 1] = hn::Sub(even, odd);
  }
  out[kA - 1] = Combine<0, 1>(matrix[kA - 1], column);
}

/// out = A^T column. The columns of points p and -p differ in the signs of odd rows.
template <int kM>
HWY_INLINE void TransformOutputColumn(const V* column, V* out) {
  constexpr int kA = kM + 2, kPairs = kM / 2;
  V even[kPairs + 2], odd[kPairs + 2];
  even[0] = odd[0] = column[0];
  even[kPairs + 1] = odd[kPairs + 1] = column[kA - 1];
#pragma clang loop unroll(full)
  for (int i = 0; i < kPairs; ++i) {
    even[i + 1] = hn::Add(column[2 * i + 1], column[2 * i + 2]);
    odd[i + 1] = hn::Sub(column[2 * i + 1], column[2 * i + 2]);
  }
#pragma clang loop unroll(full)
  for (int y = 0; y < kM; ++y) out[y] = Combine<0, 1>(Winograd<kM>::kOutputPairs[y], y % 2 == 0 ? even : odd);
}

/// `load(y, x)` gives the vectors of the tile.
template <int kM, class Load>
HWY_INLINE void TransformInput(const Load& load, float* out, int64_t out_position) {
  constexpr int kA = kM + 2;
  V half[kA][kA];  // B^T d
  // What the next tile writes.
#pragma clang loop unroll(full)
  for (int i = 0; i < kA * kA; ++i) __builtin_prefetch(out + i * out_position + kLanes, 1, 3);
#pragma clang loop unroll(full)
  for (int x = 0; x < kA; ++x) {
    V column[kA], transformed[kA];
#pragma clang loop unroll(full)
    for (int y = 0; y < kA; ++y) column[y] = load(y, x);
    TransformInputColumn<kM>(column, transformed);
#pragma clang loop unroll(full)
    for (int y = 0; y < kA; ++y) half[y][x] = transformed[y];
  }
#pragma clang loop unroll(full)
  for (int y = 0; y < kA; ++y) {
    V row[kA];
    TransformInputColumn<kM>(half[y], row);
#pragma clang loop unroll(full)
    for (int x = 0; x < kA; ++x) hn::StoreU(row[x], D(), out + (y * kA + x) * out_position);
  }
}

template <int kM>
HWY_NOINLINE void Input(const float* in, int64_t in_row, float* out, int64_t out_position) {
  TransformInput<kM>([&](int y, int x) HWY_ATTR { return hn::LoadU(D(), in + y * in_row + x * kLanes); }, out,
                     out_position);
}

template <int kM>
HWY_NOINLINE void Border(const VectorPlane& in, int64_t top, int64_t left, float* out, int64_t out_position) {
  const auto load = [&](int y, int x) HWY_ATTR {
    const int64_t row = top + y, column = left + x;
    if (row < 0 || row >= in.height || column < 0 || column >= in.width) return hn::Zero(D());
    return hn::LoadU(D(), in.data + row * in.row + column * kLanes);
  };
  TransformInput<kM>(load, out, out_position);
}

template <int kM>
HWY_NOINLINE void Output(const float* in, int64_t in_position, const float* bias, const TileEnd& end,
                         int64_t rows, int64_t columns) {
  constexpr int kA = kM + 2;
  const D d;
  V half[kM][kA];  // A^T s
#pragma clang loop unroll(full)
  for (int x = 0; x < kA; ++x) {
    V column[kA], transformed[kM];
#pragma clang loop unroll(full)
    for (int y = 0; y < kA; ++y) column[y] = hn::LoadU(d, in + (y * kA + x) * in_position);
    TransformOutputColumn<kM>(column, transformed);
#pragma clang loop unroll(full)
    for (int y = 0; y < kM; ++y) half[y][x] = transformed[y];
  }
  const V start = hn::LoadU(d, bias), low = hn::Set(d, end.low), high = hn::Set(d, end.high);
#pragma clang loop unroll(full)
  for (int y = 0; y < kM; ++y) {
    if (y >= rows) break;
    V row[kM];
    TransformOutputColumn<kM>(half[y], row);
#pragma clang loop unroll(full)
    for (int x = 0; x < kM; ++x) {
      if (x >= columns) break;
      V v = hn::Add(row[x], start);
      if (end.operand != nullptr) v = hn::Add(v, hn::LoadU(d, end.operand + y * end.stride + x * kLanes));
      hn::StoreU(ClampKeepingNan(v, low, high), d, end.to + y * end.stride + x * kLanes);
    }
  }
}

const WinogradTransforms kTransforms2 = {&Input<2>, &Border<2>, &Output<2>};
const WinogradTransforms kTransforms4 = {&Input<4>, &Border<4>, &Output<4>};
const WinogradTransforms kTransforms6 = {&Input<6>, &Border<6>, &Output<6>};

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

namespace {

const WinogradTransforms& transforms2(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kTransforms2);
}
const WinogradTransforms& transforms4(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kTransforms4);
}
const WinogradTransforms& transforms6(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kTransforms6);
}

template <int kM>
void filter(const float* g, float* to) {
  constexpr int kA = kM + 2;
  const auto& matrix = Winograd<kM>::kFilter;
  double half[kA][3];  // G g
  for (int y = 0; y < kA; ++y) {
    for (int j = 0; j < 3; ++j) {
      half[y][j] = 0;
      for (int i = 0; i < 3; ++i) half[y][j] += matrix[y][i] * static_cast<double>(g[i * 3 + j]);
    }
  }
  for (int y = 0; y < kA; ++y) {
    for (int x = 0; x < kA; ++x) {
      double sum = 0;
      for (int j = 0; j < 3; ++j) sum += half[y][j] * matrix[x][j];
      to[y * kA + x] = static_cast<float>(sum);
    }
  }
}

}  // namespace

const WinogradTransforms& winograd_transforms(int m, Isa isa) {
  return m == 2 ? transforms2(isa) : m == 4 ? transforms4(isa) : transforms6(isa);
}

void winograd_filter(int m, const float* g, float* to) {
  if (m == 2)
    filter<2>(g, to);
  else if (m == 4)
    filter<4>(g, to);
  else
    filter<6>(g, to);
}

}  // namespace tenon::kernels
#endif
