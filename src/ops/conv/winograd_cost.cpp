#include "ops/conv/winograd_cost.h"

#include <algorithm>
#include <cmath>

namespace tenon::ops {

namespace {

// Fitted to what the algorithms take: ./dev bench costs.
/// What a core computes while a byte of the filters arrives from beyond its caches.
constexpr double kOperationsAByte = 9;
/// How much longer than the products Winograd takes with the transforms.
constexpr double kTransforms = 1.3;

constexpr int64_t kUnknownSize = 56;
/// Fewer fill no block, in which Winograd works.
constexpr int64_t kLeastChannels = 16;

/// Sizes that a model declares may be anything.
double tiles_of(int64_t h, int64_t w, int64_t m) {
  return std::ceil(static_cast<double>(h) / static_cast<double>(m)) *
         std::ceil(static_cast<double>(w) / static_cast<double>(m));
}

/// For each pair of channels an algorithm computes for a while or waits for its filters, whichever takes
/// longer. The larger its tiles, the fewer multiplications it does and the more filters it reads.
double cost(double tiles, double positions, double transforms) {
  return std::max(2 * transforms * tiles * positions,
                  kOperationsAByte * static_cast<double>(sizeof(float)) * positions);
}

}  // namespace

int choose_winograd(int64_t in_channels, int64_t out_channels, const SymShape& output) {
  if (in_channels < kLeastChannels || out_channels < kLeastChannels) return 0;
  const int64_t h = output[2].constant().value_or(kUnknownSize);
  const int64_t w = output[3].constant().value_or(kUnknownSize);
  const double direct = cost(tiles_of(h, w, 1), 9, 1), two = cost(tiles_of(h, w, 2), 16, kTransforms),
               four = cost(tiles_of(h, w, 4), 36, kTransforms);
  if (direct <= std::min(two, four)) return 0;
  return two < four ? 2 : 4;
}

double winograd_work(const Region& region, int m) {
  const SymShape& output = *region.type(region.outputs[0]).shape;
  const auto h = output[2].constant(), w = output[3].constant();
  const double positions = (m + 2) * (m + 2), direct = 9;
  if (!h || !w || *h == 0 || *w == 0) return positions / (direct * m * m);
  return tiles_of(*h, *w, m) * positions / (direct * tiles_of(*h, *w, 1));
}

}  // namespace tenon::ops
