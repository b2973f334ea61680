#include "kernels/conv/winograd_transform.h"

#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv/winograd_transform.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

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
  static constexpr float kOutput[2][4] = {{1, 1, 1, 0}, {0, 1, -1, 1}};
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
  static constexpr float kOutput[4][6] = {{1, 1, 1, 1, 1, 0},
                                          {0, kA, -kA, kB, -kB, 0},
                                          {0, kA2, kA2, kB2, kB2, 0},
                                          {0, kA* kA2, -kA* kA2, kB* kB2, -kB* kB2, 1}};
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

/// The product of a row of a matrix and a column of vectors; zeros cost nothing, ones no multiplication.
template <int kCount>
HWY_INLINE V Combine(const float (&row)[kCount], const V* column) {
  const D d;
  V sum = hn::Zero(d);
  bool first = true;
#pragma clang loop unroll(full)
  for (int i = 0; i < kCount; ++i) {
    if (row[i] == 0) continue;
    if (first)
      sum = row[i] == 1    ? column[i]
            : row[i] == -1 ? hn::Neg(column[i])
                           : hn::Mul(hn::Set(d, row[i]), column[i]);
    else if (row[i] == 1)
      sum = hn::Add(sum, column[i]);
    else if (row[i] == -1)
      sum = hn::Sub(sum, column[i]);
    else
      sum = hn::MulAdd(hn::Set(d, row[i]), column[i], sum);
    first = false;
  }
  return sum;
}

template <int kM>
HWY_NOINLINE void Input(const float* in, int64_t in_row, float* out, int64_t out_position) {
  constexpr int kA = kM + 2;
  const D d;
  V half[kA][kA];  // B^T d, by column
#pragma clang loop unroll(full)
  for (int x = 0; x < kA; ++x) {
    V column[kA];
#pragma clang loop unroll(full)
    for (int y = 0; y < kA; ++y) column[y] = hn::LoadU(d, in + y * in_row + x * kLanes);
#pragma clang loop unroll(full)
    for (int y = 0; y < kA; ++y) half[y][x] = Combine(Winograd<kM>::kInput[y], column);
  }
#pragma clang loop unroll(full)
  for (int y = 0; y < kA; ++y) {
#pragma clang loop unroll(full)
    for (int x = 0; x < kA; ++x)
      hn::StoreU(Combine(Winograd<kM>::kInput[x], half[y]), d, out + (y * kA + x) * out_position);
  }
}

template <int kM>
HWY_NOINLINE void Output(const float* in, int64_t in_position, const float* bias, float* out) {
  constexpr int kA = kM + 2;
  const D d;
  V half[kM][kA];  // A^T s
#pragma clang loop unroll(full)
  for (int x = 0; x < kA; ++x) {
    V column[kA];
#pragma clang loop unroll(full)
    for (int y = 0; y < kA; ++y) column[y] = hn::LoadU(d, in + (y * kA + x) * in_position);
#pragma clang loop unroll(full)
    for (int y = 0; y < kM; ++y) half[y][x] = Combine(Winograd<kM>::kOutput[y], column);
  }
  const V start = hn::LoadU(d, bias);
#pragma clang loop unroll(full)
  for (int y = 0; y < kM; ++y) {
#pragma clang loop unroll(full)
    for (int x = 0; x < kM; ++x)
      hn::StoreU(hn::Add(Combine(Winograd<kM>::kOutput[x], half[y]), start), d, out + (y * kM + x) * kLanes);
  }
}

const WinogradTransforms kTransforms2 = {&Input<2>, &Output<2>};
const WinogradTransforms kTransforms4 = {&Input<4>, &Output<4>};

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

template <int kM>
void filter(const float* g, float* to) {
  constexpr int kA = kM + 2;
  const auto& matrix = Winograd<kM>::kFilter;
  for (int y = 0; y < kA; ++y) {
    for (int x = 0; x < kA; ++x) {
      double sum = 0;
      for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j) sum += matrix[y][i] * static_cast<double>(g[i * 3 + j]) * matrix[x][j];
      to[y * kA + x] = static_cast<float>(sum);
    }
  }
}

}  // namespace

const WinogradTransforms& winograd_transforms(int m, Isa isa) {
  return m == 2 ? transforms2(isa) : transforms4(isa);
}

void winograd_filter(int m, const float* g, float* to) {
  if (m == 2)
    filter<2>(g, to);
  else
    filter<4>(g, to);
}

}  // namespace tenon::kernels
#endif
