#include "kernels/gemm/blocking.h"

#include <algorithm>

#include "base/cpu.h"

namespace tenon::kernels {

namespace {

/// With fewer shares the threads of a large machine would get uneven ones.
constexpr int64_t kSharesMin = 32;

int64_t floats_in(int64_t bytes) {
  return bytes / static_cast<int64_t>(sizeof(float));
}

}  // namespace

Blocking::Blocking(int64_t batch_count, int64_t tile_count, int64_t panel_count, int64_t tile_input_floats,
                   int64_t tile_sum_floats)
    : batches(batch_count), tiles(tile_count), panels(panel_count) {
  // What is left of the cache holds weights on their way through, and what else the CPU keeps there.
  const int64_t cache = second_cache_bytes();
  const int64_t input = floats_in(cache / 4), sums = floats_in(cache / 4);
  const int64_t band = std::clamp<int64_t>(input / std::max<int64_t>(tile_input_floats, 1), 4, 64);
  const int64_t spread = (kSharesMin - 1) / std::max<int64_t>(batches * panels, 1) + 1;
  bands = std::clamp<int64_t>((tiles - 1) / band + 1, std::min(spread, tiles), tiles);
  group = panels;
  if (tile_sum_floats > 0) {
    // A lone tile reads its panels' weights once: in the order of memory, then.
    const int64_t fitting = sums / (max_tiles() * tile_sum_floats);
    group = tiles == 1 ? 1 : std::clamp<int64_t>(fitting, 1, panels);
  }
}

bool BlockedShare::next(BlockedWork& work) {
  if (at_ >= end_) return false;
  const int64_t panels = blocking_.panels, band = at_ / panels % blocking_.bands;
  work.batch = at_ / panels / blocking_.bands;
  work.first_tile = blocking_.first_tile(band);
  work.last_tile = blocking_.first_tile(band + 1);
  work.first_panel = at_ % panels;
  work.last_panel = std::min({panels, work.first_panel + blocking_.group, work.first_panel + (end_ - at_)});
  at_ += work.last_panel - work.first_panel;
  return true;
}

}  // namespace tenon::kernels
