#include "kernels/resize/resize_planes.h"

#include <algorithm>
#include <optional>
#include <utility>

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

/// Floats of resized columns that stay in the second cache until their rows are mixed.
constexpr int64_t kWideFloats = 32768;

/// The inputs [first, last) of outputs [begin, end) of an axis.
std::pair<int64_t, int64_t> inputs_of(const AxisTaps& axis, int64_t begin, int64_t end) {
  const auto indices =
      axis.indices.subspan(axis.offsets[static_cast<size_t>(begin)],
                           axis.offsets[static_cast<size_t>(end)] - axis.offsets[static_cast<size_t>(begin)]);
  const auto [least, greatest] = std::ranges::minmax(indices);
  return {least, greatest + 1};
}

int64_t most_taps(const AxisTaps& axis) {
  size_t most = 0;
  for (size_t i = 0; i + 1 < axis.offsets.size(); ++i)
    most = std::max(most, axis.offsets[i + 1] - axis.offsets[i]);
  return static_cast<int64_t>(most);
}

}  // namespace

void resize_planes(const ResizePlanesCall& call, Isa isa, const Services& services) {
  const int64_t out_h = call.rows.outputs(), out_w = call.columns.outputs() * call.lanes;
  if (call.planes * out_h * out_w == 0) return;
  const ResizeRows& functions = resize_rows(isa);
  std::optional<ColumnTaps> columns;
  if (call.lanes == 1) columns.emplace(call.columns, services);
  const int64_t most = most_taps(call.rows);
  // Bands of output rows, of about kWideFloats of input rows.
  const int64_t band = std::clamp<int64_t>(kWideFloats / out_w * out_h / call.in_h, 1, out_h);
  const int64_t bands = (out_h - 1) / band + 1;
  services.parallel_for(call.planes * bands, 1, [&](int64_t begin, int64_t end) {
    const auto** rows = services.scratch_array<const float*>(most);
    float* wide = nullptr;
    int64_t room = 0;
    for (int64_t item = begin; item < end; ++item) {
      const int64_t plane = item / bands, first_row = item % bands * band;
      const int64_t last_row = std::min(first_row + band, out_h);
      const auto [first, last] = inputs_of(call.rows, first_row, last_row);
      if ((last - first) * out_w > room) {
        room = (last - first) * out_w;
        wide = services.scratch_floats(room);
      }
      for (int64_t y = first; y < last; ++y) {
        const float* in = call.input + (plane * call.in_h + y) * call.in_w * call.lanes;
        float* to = wide + (y - first) * out_w;
        if (columns)
          functions.spread(in, columns->indices, columns->weights, columns->taps, columns->stride, out_w, to);
        else
          functions.spread_blocks(in, call.columns.offsets.data(), call.columns.indices.data(),
                                  call.columns.weights.data(), call.columns.outputs(), to);
      }
      for (int64_t y = first_row; y < last_row; ++y) {
        const size_t tap = call.rows.offsets[static_cast<size_t>(y)];
        const size_t taps = call.rows.offsets[static_cast<size_t>(y) + 1] - tap;
        for (size_t t = 0; t < taps; ++t) rows[t] = wide + (call.rows.indices[tap + t] - first) * out_w;
        functions.mix(rows, call.rows.weights.data() + tap, static_cast<int64_t>(taps), out_w,
                      call.output + (plane * out_h + y) * out_w);
      }
    }
  });
}

}  // namespace tenon::kernels
