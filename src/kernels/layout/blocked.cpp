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

/// Calls body(blocked strip, channels-last strip, pixels, channels) for strips of the pixels of each block.
template <class Body>
void for_strips(const BlockedShape& shape, const Services& services, const Body& body) {
  const int64_t strips = (shape.pixels + kStrip - 1) / kStrip, blocks = shape.blocks();
  services.parallel_for(shape.images * strips, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t image = i / strips, first = i % strips * kStrip;
      const int64_t count = std::min(kStrip, shape.pixels - first);
      for (int64_t block = 0; block < blocks; ++block) {
        const int64_t channel = block * shape.lanes;
        body(((image * blocks + block) * shape.pixels + first) * shape.lanes,
             (image * shape.pixels + first) * shape.channels + channel, count,
             std::min(shape.lanes, shape.channels - channel));
      }
    }
  });
}

/// Copies `count` vectors of kLanes elements, `from_step` and `to_step` floats apart.
template <int64_t kLanes>
void copy_vectors(const float* from, int64_t from_step, float* to, int64_t to_step, int64_t count) {
  for (int64_t i = 0; i < count; ++i) std::copy_n(from + i * from_step, kLanes, to + i * to_step);
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

void channels_last_to_blocked(const BlockedShape& shape, const float* from, float* blocked,
                              const Services& services) {
  const int64_t lanes = shape.lanes;
  for_strips(shape, services, [&](int64_t at, int64_t last, int64_t count, int64_t channels) {
    const float* source = from + last;
    float* target = blocked + at;
    if (channels == 16) return copy_vectors<16>(source, shape.channels, target, 16, count);
    if (channels == 8 && lanes == 8) return copy_vectors<8>(source, shape.channels, target, 8, count);
    for (int64_t i = 0; i < count; ++i) {
      std::copy_n(source + i * shape.channels, channels, target + i * lanes);
      std::fill_n(target + i * lanes + channels, lanes - channels, 0.0f);
    }
  });
}

void blocked_to_channels_last(const BlockedShape& shape, const float* blocked, float* to,
                              const Services& services) {
  const int64_t lanes = shape.lanes;
  for_strips(shape, services, [&](int64_t at, int64_t last, int64_t count, int64_t channels) {
    const float* source = blocked + at;
    float* target = to + last;
    if (channels == 16) return copy_vectors<16>(source, 16, target, shape.channels, count);
    if (channels == 8 && lanes == 8) return copy_vectors<8>(source, 8, target, shape.channels, count);
    for (int64_t i = 0; i < count; ++i)
      std::copy_n(source + i * lanes, channels, target + i * shape.channels);
  });
}

}  // namespace tenon::kernels
