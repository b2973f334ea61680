#include "kernels/elementwise/map.h"

#include <algorithm>

#include "kernels/elementwise/channel_scale.h"

namespace tenon::kernels {

namespace {

/// Elements that are worked on at a time, in the nearest cache; a multiple of every vector's lanes.
constexpr int64_t kChunk = 2048;
/// Chunks that a thread takes at least.
constexpr int64_t kGrain = 8;

}  // namespace

void map(const MapCall& call, const Epilogue& epilogue, Isa isa, const Services& services) {
  if (call.count == 0) return;
  const ChannelScaleFunction scale = channel_scale_function(isa);
  // Chunks do not reach across planes.
  const int64_t plane = call.plane > 0 ? call.plane : call.count;
  const int64_t chunks = (plane + kChunk - 1) / kChunk;
  services.parallel_for(call.count / plane * chunks, kGrain, [&](int64_t begin, int64_t end) {
    alignas(64) float tile[kChunk];
    const float* operands[kEpilogueOperandsMax];
    for (int64_t i = begin; i < end; ++i) {
      const int64_t p = i / chunks, first = p * plane + i % chunks * kChunk;
      const int64_t count = std::min(kChunk, (p + 1) * plane - first);
      if (call.plane == 0) {
        std::copy_n(call.input + first, count, tile);
      } else {
        const int64_t channel = (call.scale_by_plane ? p : p % call.planes_of_an_image) * call.lanes;
        const int64_t shifts = p % call.planes_of_an_image * call.lanes;
        scale(call.input + first, tile, count, call.scale + channel,
              call.shift == nullptr ? nullptr : call.shift + shifts, call.lanes);
      }
      for (int o = 0; o < epilogue.operand_count(); ++o) operands[o] = call.operands[o] + first;
      const Segment segment{0, static_cast<int32_t>(count), 0};
      epilogue.finish({tile, 1, count, &segment, 1, call.output + first, 0, operands});
    }
  });
}

}  // namespace tenon::kernels
