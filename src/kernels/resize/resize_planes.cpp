#include "kernels/resize/resize_planes.h"

#include <algorithm>

#include "kernels/resize/resize_rows.h"

namespace tenon::kernels {

namespace {

/// Taps of columns, as many for each: [tap][column]. Where a column has fewer, the last one is halved, so
/// that no element is read that the column does not have, and infinite ones stay infinite.
struct ColumnTaps {
  int64_t taps = 1, stride = 0;
  int32_t* indices = nullptr;
  float* weights = nullptr;

  ColumnTaps(const AxisTaps& columns, const Services& services) {
    const int64_t outputs = columns.outputs();
    for (size_t i = 0; i + 1 < columns.offsets.size(); ++i)
      taps = std::max(taps, static_cast<int64_t>(columns.offsets[i + 1] - columns.offsets[i]));
    stride = (outputs + ResizeRows::kLanesMax - 1) / ResizeRows::kLanesMax * ResizeRows::kLanesMax;
    indices = services.scratch_array<int32_t>(taps * stride);
    weights = services.scratch_floats(taps * stride);
    std::fill_n(indices, taps * stride, 0);
    std::fill_n(weights, taps * stride, 0.0f);
    for (int64_t i = 0; i < outputs; ++i) {
      const size_t first = columns.offsets[static_cast<size_t>(i)];
      const auto count = static_cast<int64_t>(columns.offsets[static_cast<size_t>(i) + 1] - first);
      for (int64_t t = 0; t < taps; ++t) {
        const size_t from = first + static_cast<size_t>(std::min(t, count - 1));
        float& weight = weights[t * stride + i];
        indices[t * stride + i] = static_cast<int32_t>(columns.indices[from]);
        weight = columns.weights[from];
        if (t < count) continue;
        weights[(t - 1) * stride + i] /= 2;
        weight = weights[(t - 1) * stride + i];
      }
    }
  }
};

}  // namespace

void resize_planes(const ResizePlanesCall& call, Isa isa, const Services& services) {
  const int64_t out_h = call.rows.outputs(), out_w = call.columns.outputs();
  if (call.planes * out_h * out_w == 0) return;
  const ResizeRows& functions = resize_rows(isa);
  const ColumnTaps columns(call.columns, services);
  size_t most = 0;
  for (size_t y = 0; y + 1 < call.rows.offsets.size(); ++y)
    most = std::max(most, call.rows.offsets[y + 1] - call.rows.offsets[y]);
  services.parallel_for(call.planes, 1, [&](int64_t begin, int64_t end) {
    float* wide = services.scratch_floats(call.in_h * out_w);
    const auto** rows = services.scratch_array<const float*>(static_cast<int64_t>(most));
    for (int64_t plane = begin; plane < end; ++plane) {
      const float* in = call.input + plane * call.in_h * call.in_w;
      for (int64_t y = 0; y < call.in_h; ++y)
        functions.spread(in + y * call.in_w, columns.indices, columns.weights, columns.taps, columns.stride,
                         out_w, wide + y * out_w);
      for (int64_t y = 0; y < out_h; ++y) {
        const size_t first = call.rows.offsets[static_cast<size_t>(y)];
        const size_t taps = call.rows.offsets[static_cast<size_t>(y) + 1] - first;
        for (size_t t = 0; t < taps; ++t) rows[t] = wide + call.rows.indices[first + t] * out_w;
        functions.mix(rows, call.rows.weights.data() + first, static_cast<int64_t>(taps), out_w,
                      call.output + (plane * out_h + y) * out_w);
      }
    }
  });
}

}  // namespace tenon::kernels
