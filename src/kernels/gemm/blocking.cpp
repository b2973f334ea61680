#include "kernels/gemm/blocking.h"

#include <algorithm>

#include "base/cpu.h"

namespace tenon::kernels {

namespace {

/// A thread has bands of its own when they have so many tiles: it reads no input of another's, and the
/// weights come while that many tiles are computed.
constexpr int64_t kOwnTilesMin = 4;
/// A band goes by once, for all panels, when bands of so much input do: it is made ready once then, and the
/// weights are still read for enough of it.
constexpr int64_t kOnceFloatsMin = 20 << 10;
/// How much longer than the average thread the last one may take.
constexpr double kUnevenMax = 1.06;

/// How much longer the thread with the largest share takes than the average when the tiles of a batch are cut
/// into `bands`.
double unevenness(const Blocking& blocking, int64_t bands, int64_t threads) {
  const int64_t shares = blocking.batches * bands * blocking.panels;
  const auto largest = static_cast<double>((shares - 1) / threads + 1);
  const auto longest = static_cast<double>((blocking.tiles - 1) / bands + 1);
  const double share = static_cast<double>(shares) / static_cast<double>(threads);
  return largest / share * longest * static_cast<double>(bands) / static_cast<double>(blocking.tiles);
}

/// `least` bands, or as many more as give even shares: each reads all weights once more.
int64_t even_bands(const Blocking& blocking, int64_t least, int64_t threads) {
  const int64_t most = std::min(blocking.tiles, least + 4 * threads);
  int64_t best = least;
  for (int64_t bands = least; bands <= most; ++bands) {
    const double now = unevenness(blocking, bands, threads);
    if (now <= kUnevenMax) return bands;
    if (now < unevenness(blocking, best, threads)) best = bands;
  }
  return best;
}

int64_t floats_in(int64_t bytes) {
  return bytes / static_cast<int64_t>(sizeof(float));
}

}  // namespace

Blocking::Blocking(int64_t batch_count, int64_t tile_count, int64_t panel_count, int64_t tile_input_floats,
                   int64_t tile_sum_floats, int threads)
    : batches(batch_count), tiles(tile_count), panels(panel_count) {
  // What is left of the cache holds weights on their way through, and what else the CPU keeps there.
  const int64_t cache = second_cache_bytes();
  const int64_t input = floats_in(cache / 4), sums = floats_in(cache / 4);
  int64_t band = std::clamp<int64_t>(input / std::max<int64_t>(tile_input_floats, 1), 4, 64);
  if (tile_sum_floats > 0) {
    const int64_t once = sums / (tile_sum_floats * panels);
    if (once * tile_input_floats >= kOnceFloatsMin) band = std::min(band, once);
  }
  const int64_t own = std::min<int64_t>(threads, tiles / kOwnTilesMin);
  bands = even_bands(*this, std::max((tiles - 1) / band + 1, own), threads);
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
