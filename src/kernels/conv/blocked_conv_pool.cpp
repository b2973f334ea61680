// Convolutions whose outputs go into a maximum pool while they are in the caches.
#include <algorithm>
#include <utility>

#include "kernels/conv/blocked_conv_running.h"

namespace tenon::kernels {

namespace {

/// Rows of a pool whose windows are computed together.
constexpr size_t kPoolRows = 4;

/// Rows [first, last) of the input that rows [begin, end) of a pool cover; none when all windows are empty.
std::pair<int64_t, int64_t> covered(const PoolAxis& rows, size_t begin, size_t end) {
  std::pair<int64_t, int64_t> covered{INT64_MAX, 0};
  for (size_t y = begin; y < end; ++y) {
    if (rows.count[y] == 0) continue;
    covered.first = std::min(covered.first, rows.first[y]);
    covered.second = std::max(covered.second, rows.first[y] + (rows.count[y] - 1) * rows.dilation + 1);
  }
  return covered.first < covered.second ? covered : std::pair<int64_t, int64_t>{0, 0};
}

}  // namespace

/// Rows [first, last) of a panel's pool. `running.out` has room for `span` rows of the convolution.
void BlockedConv::pool_rows(Running& running, const MaxPoolBehind& pool, int64_t image, int64_t panel,
                            size_t first, size_t last, int64_t span, float* partials) const {
  const Panel& p = panels_[static_cast<size_t>(panel)];
  const int64_t row = running.call.out_w * tiles_->lanes, tiles = running.columns.tiles;
  Running::Out& out = running.out;
  int64_t made = 0;  // rows before are, those from out.first_row on
  for (size_t y = first; y < last; y += kPoolRows) {
    const size_t end = std::min(last, y + kPoolRows);
    const auto [begin_row, end_row] = covered(*pool.rows, y, end);
    if (begin_row < end_row) {
      // Windows of dilated pools may begin before those of the rows before.
      const bool goes_on = y > first && begin_row >= out.first_row;
      const int64_t kept = goes_on ? std::clamp<int64_t>(made - begin_row, 0, end_row - begin_row) : 0;
      for (int64_t b = 0; b < p.blocks && kept > 0; ++b) {
        float* plane = out.data + b * span * row;
        std::copy_n(plane + (begin_row - out.first_row) * row, kept * row, plane);
      }
      out.first_row = begin_row;
      if (begin_row + kept < end_row)
        compute(running, {image, (begin_row + kept) * tiles, end_row * tiles, panel, panel + 1}, nullptr,
                partials);
      made = end_row;
    }
    for (size_t i = y; i < end; ++i)
      for (int64_t b = 0; b < p.blocks; ++b) {
        const int64_t pooled =
            (image * out_blocks_ + p.first + b) * pool.rows->outputs() + static_cast<int64_t>(i);
        const int64_t from = pool.rows->count[i] == 0 ? 0 : pool.rows->first[i] - out.first_row;
        blocked_max_pool_row(*pool.rows, *pool.columns, i, out.data + b * span * row + from * row,
                             running.call.out_w,
                             pool.output + pooled * pool.columns->outputs() * tiles_->lanes, isa_);
      }
  }
}

bool BlockedConv::run_pooled(const ConvCall& call, const MaxPoolBehind& pool,
                             const Services& services) const {
  const auto panels = static_cast<int64_t>(panels_.size()), rows = pool.rows->outputs();
  if (call.images * out_blocks_ * rows * pool.columns->outputs() == 0) return true;
  const auto whole = make_running(call, services);
  if (!whole || whole->padded.out_width() != call.out_w) return false;
  // Where one thread's rows end and another's begin, both compute what both windows cover.
  const int64_t chunks = std::clamp<int64_t>(2 * services.threads / (call.images * panels), 1, rows);
  int64_t span = 1;
  for (size_t y = 0; y < pool.rows->first.size(); ++y) {
    const auto [first, last] = covered(*pool.rows, y, std::min(pool.rows->first.size(), y + kPoolRows));
    span = std::max(span, last - first);
  }
  services.parallel_for(call.images * panels * chunks, 1, [&](int64_t begin, int64_t end) {
    Running running = *whole;
    running.out.plane = span * call.out_w * tiles_->lanes;
    running.out.data = services.scratch_floats(BlockedTileSet::kMaxBlocks * running.out.plane);
    running.out.has_one_panel = true;
    float* partials =
        has_parts() ? services.scratch_floats(span * running.columns.tiles * tile_sums()) : nullptr;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t chunk = i % chunks;
      pool_rows(running, pool, i / chunks / panels, i / chunks % panels,
                static_cast<size_t>(chunk * rows / chunks), static_cast<size_t>((chunk + 1) * rows / chunks),
                span, partials);
    }
  });
  return true;
}

}  // namespace tenon::kernels
