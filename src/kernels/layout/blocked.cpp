#include "kernels/layout/blocked.h"

#include <algorithm>

namespace tenon::kernels {

namespace {

/// Pixels moved at a time: few enough that the rows of all lanes stay in the nearest cache.
constexpr int64_t kStrip = 64;

/// Calls body(channels of the block, plain block, blocked block) for each block of each image.
template <class Body>
void for_blocks(const BlockedShape& shape, const Services& services, const Body& body) {
  services.parallel_for(shape.images * shape.blocks(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t image = i / shape.blocks(), block = i % shape.blocks();
      const int64_t first = block * shape.lanes;
      body(std::min(shape.lanes, shape.channels - first), (image * shape.channels + first) * shape.pixels,
           i * shape.pixels * shape.lanes);
    }
  });
}

template <int64_t kLanes>
void block_strip(const float* plain, int64_t pixels, int64_t count, float* blocked) {
  for (int64_t p = 0; p < count; ++p)
    for (int64_t c = 0; c < kLanes; ++c) blocked[p * kLanes + c] = plain[c * pixels + p];
}

template <int64_t kLanes>
void plain_strip(const float* blocked, int64_t pixels, int64_t count, float* plain) {
  for (int64_t c = 0; c < kLanes; ++c)
    for (int64_t p = 0; p < count; ++p) plain[c * pixels + p] = blocked[p * kLanes + c];
}

}  // namespace

void to_blocked(const BlockedShape& shape, const float* plain, float* blocked, const Services& services) {
  const int64_t lanes = shape.lanes, pixels = shape.pixels;
  for_blocks(shape, services, [&](int64_t channels, int64_t from, int64_t to) {
    for (int64_t p = 0; p < pixels; p += kStrip) {
      const int64_t count = std::min(kStrip, pixels - p);
      const float* source = plain + from + p;
      float* target = blocked + to + p * lanes;
      if (channels == 16 && lanes == 16) {
        block_strip<16>(source, pixels, count, target);
      } else if (channels == 8 && lanes == 8) {
        block_strip<8>(source, pixels, count, target);
      } else {
        for (int64_t i = 0; i < count; ++i)
          for (int64_t c = 0; c < lanes; ++c)
            target[i * lanes + c] = c < channels ? source[c * pixels + i] : 0.0f;
      }
    }
  });
}

void to_plain(const BlockedShape& shape, const float* blocked, float* plain, const Services& services) {
  const int64_t lanes = shape.lanes, pixels = shape.pixels;
  for_blocks(shape, services, [&](int64_t channels, int64_t to, int64_t from) {
    for (int64_t p = 0; p < pixels; p += kStrip) {
      const int64_t count = std::min(kStrip, pixels - p);
      const float* source = blocked + from + p * lanes;
      float* target = plain + to + p;
      if (channels == 16 && lanes == 16) {
        plain_strip<16>(source, pixels, count, target);
      } else if (channels == 8 && lanes == 8) {
        plain_strip<8>(source, pixels, count, target);
      } else {
        for (int64_t c = 0; c < channels; ++c)
          for (int64_t i = 0; i < count; ++i) target[c * pixels + i] = source[i * lanes + c];
      }
    }
  });
}

}  // namespace tenon::kernels
