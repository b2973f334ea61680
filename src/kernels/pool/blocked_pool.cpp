#include "kernels/pool/blocked_pool.h"

#include "kernels/layout/blocked.h"
#include "kernels/pool/blocked_window.h"

namespace tenon::kernels {

namespace {

/// How many columns of outputs from `x` on have windows of the same size at the same distance.
int64_t alike(const PoolAxis& columns, size_t x) {
  size_t end = x + 1;
  while (end < columns.first.size() && columns.count[end] == columns.count[x] &&
         columns.first[end] - columns.first[end - 1] == columns.first[x + 1] - columns.first[x])
    ++end;
  return static_cast<int64_t>(end - x);
}

/// Calls windows(args, column) for runs of `run_of(column)` windows of output row `y`, with all but the
/// divisor set. The first row that they cover is at `row`.
template <class RunOf, class Windows>
void for_windows_of_row(const PoolAxis& rows, const PoolAxis& columns, size_t y, const float* row,
                        int64_t in_w, int64_t lanes, float* out, const RunOf& run_of,
                        const Windows& windows) {
  WindowArgs args;
  args.rows = rows.count[y];
  args.row_stride = rows.dilation * in_w * lanes;
  args.column_stride = columns.dilation * lanes;
  for (size_t x = 0; x < columns.first.size(); x += static_cast<size_t>(args.count)) {
    args.count = run_of(x);
    args.next = args.count > 1 ? (columns.first[x + 1] - columns.first[x]) * lanes : 0;
    args.in = row + columns.first[x] * lanes;
    args.columns = columns.count[x];
    args.out = out + static_cast<int64_t>(x) * lanes;
    windows(args, x);
  }
}

/// The same for all rows: windows(args, row, column).
template <class RunOf, class Windows>
void for_windows(const BlockedPoolCall& call, int64_t lanes, const Services& services, const RunOf& run_of,
                 const Windows& windows) {
  const PoolAxis& rows = *call.rows;
  services.parallel_for(call.planes * rows.outputs(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto y = static_cast<size_t>(i % rows.outputs());
      const int64_t row = i / rows.outputs() * call.in_h + rows.first[y];
      for_windows_of_row(rows, *call.columns, y, call.input + row * call.in_w * lanes, call.in_w, lanes,
                         call.output + i * call.columns->outputs() * lanes, run_of,
                         [&](WindowArgs& args, size_t x) { windows(args, y, x); });
    }
  });
}

}  // namespace

ReadNext MaxPoolRows::written(int64_t plane, int64_t begin, int64_t end) const {
  const int64_t row = columns_.outputs() * block_lanes(isa_);
  return {output_ + (plane * rows_.outputs() + begin) * row, (end - begin) * row};
}

void MaxPoolRows::make(int64_t plane, int64_t begin, int64_t end, const float* input, int64_t first,
                       float*) const {
  const WindowFunctions& functions = window_functions(isa_);
  const int64_t lanes = block_lanes(isa_);
  for (int64_t y = begin; y < end; ++y) {
    const auto at = static_cast<size_t>(y);
    const float* row = rows_.count[at] == 0 ? input : input + (rows_.first[at] - first) * in_w_ * lanes;
    float* out = output_ + (plane * rows_.outputs() + y) * columns_.outputs() * lanes;
    for_windows_of_row(
        rows_, columns_, at, row, in_w_, lanes, out, [&](size_t x) { return alike(columns_, x); },
        [&](const WindowArgs& args, size_t) { functions.max(args); });
  }
}

void blocked_max_pool(const BlockedPoolCall& call, Isa isa, const Services& services) {
  const WindowFunctions& functions = window_functions(isa);
  for_windows(
      call, block_lanes(isa), services, [&](size_t x) { return alike(*call.columns, x); },
      [&](const WindowArgs& args, size_t, size_t) { functions.max(args); });
}

void blocked_average_pool(const BlockedPoolCall& call, std::span<const float> row_divisors,
                          std::span<const float> column_divisors, Isa isa, const Services& services) {
  const WindowFunctions& functions = window_functions(isa);
  // Neighbouring windows may have different divisors.
  for_windows(
      call, block_lanes(isa), services, [](size_t) { return int64_t{1}; },
      [&](WindowArgs& args, size_t y, size_t x) {
        args.divisor = row_divisors[y] * column_divisors[x];
        functions.average(args);
      });
}

}  // namespace tenon::kernels
