#include "kernels/conv/blocked_conv.h"

#include <algorithm>

#include "kernels/conv/blocked_conv_running.h"
#include "kernels/gemm/gemm.h"
#include "kernels/layout/blocked.h"

namespace tenon::kernels {

namespace {

/// Pixels whose sums an epilogue takes at a time, in the nearest cache.
constexpr int64_t kStripPixels = 48;
constexpr int64_t kMaxLanes = 16;

}  // namespace

BlockedConv::BlockedConv(const ConvFilter& filter, const ConvWeights& weights, bool planar,
                         std::optional<InputMap> map, Epilogue epilogue, Isa isa, Packing& packing)
    : filter_(filter),
      isa_(isa),
      planar_(planar),
      map_(std::move(map)),
      positions_(filter.kernel_h *
                 (planar && filter.dilation_w == 1 && filter.kernel_w <= kSumBlock ? 1 : filter.kernel_w)),
      tiles_(&blocked_tile_set(isa)),
      epilogue_(std::move(epilogue)) {
  const int64_t channels = filter.groups * filter.out_channels;
  in_planes_ = planar ? filter.in_channels : blocks_of(filter.groups * filter.in_channels, tiles_->lanes);
  out_blocks_ = blocks_of(channels, tiles_->lanes);
  const int64_t floats = make_panels();
  weights_ = packing.pack(static_cast<size_t>(floats), [&](float* to) {
    for (const Panel& panel : panels_) pack(panel, weights, to + panel.weights);
  });
  bias_ = weights.padded_bias(out_blocks_ * tiles_->lanes);
}

/// Channels of an input plane: only the last block may have fewer than a vector.
int64_t BlockedConv::inner_of(int64_t plane) const {
  if (planar_) return 1;
  return std::min<int64_t>(tiles_->lanes, filter_.groups * filter_.in_channels - plane * tiles_->lanes);
}

/// Returns how many floats the weights of all panels are.
int64_t BlockedConv::make_panels() {
  const int64_t lanes = tiles_->lanes, channels = filter_.groups * filter_.out_channels;
  // The planes that the channels of an output block read: those of all groups that the block has a part of.
  const auto range_of = [&](int64_t block) {
    if (filter_.groups == 1) return std::pair<int64_t, int64_t>{0, in_planes_};
    const int64_t last = std::min(channels, (block + 1) * lanes) - 1;
    const int64_t first_in = block * lanes / filter_.out_channels * filter_.in_channels;
    const int64_t last_in = (last / filter_.out_channels + 1) * filter_.in_channels;
    return std::pair<int64_t, int64_t>{first_in / lanes, blocks_of(last_in, lanes)};
  };
  int64_t floats = 0;
  for (int64_t block = 0; block < out_blocks_;) {
    const auto range = range_of(block);
    Panel panel{block, 1, range.first, range.second - range.first, 0, floats};
    if (block + 1 < out_blocks_ && range_of(block + 1) == range) panel.blocks = 2;
    for (int64_t i = 0; i < panel.in_planes; ++i)
      panel.depth += inner_of(panel.in_first + i) * filter_.kernel_h * filter_.kernel_w;
    floats += panel.depth * panel.blocks * lanes;
    block += panel.blocks;
    panel.is_half = (block * lanes - channels) * 2 >= lanes;
    panels_.push_back(panel);
  }
  return floats;
}

void BlockedConv::pack(const Panel& panel, const ConvWeights& weights, float* to) const {
  const int64_t lanes = tiles_->lanes, taps = filter_.kernel_h * filter_.kernel_w;
  const int64_t element = planar_ ? 1 : lanes;
  for (int64_t plane = panel.in_first; plane < panel.in_first + panel.in_planes; ++plane) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      for (int64_t i = 0; i < inner_of(plane); ++i) {
        const int64_t in = plane * element + i;
        for (int64_t j = 0; j < panel.blocks * lanes; ++j, ++to) {
          const int64_t out = panel.first * lanes + j;
          const int64_t group = in / filter_.in_channels;
          if (out >= filter_.groups * filter_.out_channels || out / filter_.out_channels != group) continue;
          *to = weights.at(out, (out * filter_.in_channels + in % filter_.in_channels) * taps + tap);
        }
      }
    }
  }
}

/// The part after `last`, or the first one: kSumBlock terms or somewhat fewer. Has no steps at the end.
BlockedConv::Part BlockedConv::next_part(const Panel& panel, const Part& last) const {
  const int64_t terms = filter_.kernel_h * filter_.kernel_w / positions_;  // of a position in a channel
  const int64_t full = inner_of(panel.in_first), ragged = inner_of(panel.in_first + panel.in_planes - 1);
  const int64_t whole = (ragged == full ? panel.in_planes : panel.in_planes - 1) * positions_;
  const int64_t steps = panel.in_planes * positions_;
  Part part{.step = last.step + last.steps, .depth = last.depth + last.steps * last.inner};
  part.inner = (part.step < whole ? full : ragged) * terms;
  part.steps =
      std::min(std::max<int64_t>(kSumBlock / part.inner, 1), (part.step < whole ? whole : steps) - part.step);
  return part;
}

/// The band's input of one part, mapped when there is a map: [tile][position][pixel][lane].
void BlockedConv::copy_band(const Running& running, const BlockedWork& work, const Panel& panel,
                            const Part& part, float* to) const {
  const int64_t distance = running.padded.distance();
  const int64_t first_plane = work.batch * in_planes_ + panel.in_first;
  const float* input = nullptr;
  BlockedMapArgs map;
  if (map_) {
    map.planes = running.call.planes + first_plane + part.step;
    map.steps = part.steps;
    map.distance = distance;
    map.low = map_->low;
    map.high = map_->high;
    const int64_t channel = part.step * tiles_->lanes;
    if (!map_->shift.empty()) map.shift = map_->shift.data() + channel;
    if (!map_->scale.empty()) map.scale = map_->scale.data() + channel;
    if (map_->scales_by_image) map.scale = running.call.scale + first_plane * tiles_->lanes + channel;
  } else {
    input = running.input + first_plane * running.padded.plane();
  }
  for (int64_t t = work.first_tile, count = 0; t < work.last_tile; t += count) {
    const Running::Run run = running.run_of(t, work.last_tile);
    count = run.count;
    for (int64_t i = 0; i < count; ++i, to += part.steps * run.pixels * tiles_->lanes) {
      const int64_t at = running.input_at(run) + i * run.pixels * distance;
      if (!map_) {
        tiles_->copy(input + at, running.offsets + part.step, part.steps, run.pixels, distance, to);
        continue;
      }
      map.at = at;
      map.pixels = run.pixels;
      map.to = to;
      tiles_->map(map);
    }
  }
}

/// The weights of `part` and panel `panel`.
ReadNext BlockedConv::weights_of(const Part& part, int64_t panel) const {
  const Panel& p = panels_[static_cast<size_t>(panel)];
  const int64_t floats = std::min(part.steps * part.inner, p.depth - part.depth) * p.blocks * tiles_->lanes;
  if (floats <= 0) return {};
  return {weights_.data() + p.weights + part.depth * p.blocks * tiles_->lanes, floats};
}

/// The weights that are read after those of `part` and panel `panel`.
ReadNext BlockedConv::weights_after(const Running& running, const BlockedWork& work, const Part& part,
                                    int64_t panel) const {
  if (panel + 1 < work.last_panel) return weights_of(part, panel + 1);
  const auto& next = running.next;
  if (next.panel >= 0) return weights_of(part, next.panel).part(next.first, next.count, next.of);
  Part after = part;
  after.depth += part.steps * part.inner;
  return weights_of(after, work.first_panel);
}

/// One part of the sums of all tiles and panels of `work`; the last one ends them. `copies`: the part's
/// input, copied by copy_band(), or null.
void BlockedConv::multiply(const Running& running, const BlockedWork& work, const Part& part,
                           const float* copies, float* partials) const {
  const ConvCall& call = running.call;
  const Running::Out& out = running.out;
  const int64_t lanes = tiles_->lanes;
  const Panel& any = panels_[static_cast<size_t>(work.first_panel)];
  const bool is_last = part.step + part.steps == any.in_planes * positions_;
  const float* input = nullptr;
  if (copies == nullptr)
    input = running.input + (work.batch * in_planes_ + any.in_first) * running.padded.plane();
  BlockedTileArgs args;
  args.offsets = running.offsets + part.step;
  args.steps = part.steps;
  args.inner = part.inner;
  args.distance = copies == nullptr ? running.padded.distance() : lanes;
  int32_t copied[kSumBlock];  // offsets into a copy
  float* partial = partials;
  for (int64_t p = work.first_panel; p < work.last_panel; ++p) {
    const Panel& panel = panels_[static_cast<size_t>(p)];
    const int64_t plane = out.has_one_panel ? 0 : (work.batch * out_blocks_ + panel.first) * out.plane;
    args.weights = weights_of(part, p).from;
    const ReadNext next = weights_after(running, work, part, p);
    args.start = part.step == 0 ? bias_.data() + panel.first * lanes : nullptr;
    const float* copy = copies;
    for (int64_t t = work.first_tile; t < work.last_tile; t += args.count) {
      const Running::Run run = running.run_of(t, work.last_tile);
      const int64_t pixel =
          call.grid ? call.grid->at(run.row, run.x) : run.row * running.padded.out_width() + run.x;
      const int64_t at = (pixel - out.first) * lanes;
      const int64_t pixels = run.pixels * lanes;
      alignas(64) float sums[kStripPixels * BlockedTileSet::kMaxBlocks * kMaxLanes];
      const auto end = epilogue_.tile_end(out.data, plane + at, out.plane, call.operands);
      const bool is_direct = is_last && end && call.out_step() == 1;
      args.count = is_direct || !is_last ? run.count : std::min(run.count, kStripPixels / run.pixels);
      args.to_step = pixels;
      if (is_direct) {
        args.end = *end;
      } else if (is_last) {
        args.end = {.to = sums, .stride = args.count * pixels};
      } else {
        args.end = {.to = partial, .stride = pixels};
        args.to_step = panel.blocks * pixels;
      }
      args.end.partial = part.step > 0 ? partial : nullptr;
      if (copies == nullptr) {
        args.input = input + running.input_at(run);
        args.input_step = run.pixels * args.distance;
      } else {
        for (int64_t s = 0; s < part.steps; ++s) copied[s] = static_cast<int32_t>(s * pixels);
        args.offsets = copied;
        args.input = copy;
        args.input_step = part.steps * pixels;
        copy += args.count * args.input_step;
      }
      const int64_t tiles = work.last_tile - work.first_tile;
      args.next = next.part(t - work.first_tile, args.count, tiles);
      args.out = {args.end.to, args.count * args.to_step};
      args.out_stride = is_last ? args.end.stride : 0;
      if (is_last && call.out_step() > 1) {
        args.out_line = std::max(call.out_step() * lanes, kLineFloats);
        args.out = {out.data + plane + at, args.count * run.pixels * call.out_step() * lanes};
        args.out_stride = out.plane;
      }
      if (is_last && out.later.from != nullptr) {
        args.out = out.later.part(t - work.first_tile, args.count, tiles);
        args.out_stride = out.later_stride;
      }
      tiles_->tile(run.pixels, panel.blocks, args.distance, part.inner, panel.is_half)(args);
      if (partials != nullptr) partial += args.count * panel.blocks * pixels;
      if (is_direct || !is_last) continue;
      const float* operands[kEpilogueOperandsMax];
      for (size_t i = 0; i < call.operands.size(); ++i) operands[i] = call.operands[i] + plane;
      const int64_t columns = args.count * pixels;
      const Segment segment{0, static_cast<int32_t>(columns), at};
      epilogue_.finish({sums, static_cast<int>(panel.blocks), columns, &segment, 1, out.data + plane,
                        out.plane, operands, call.out_step(), lanes});
    }
  }
}

/// `copies` and `partials` are memory of the thread's own; copies may be null.
void BlockedConv::compute(const Running& running, BlockedWork work, float* copies, float* partials) const {
  const int64_t end = work.last_panel;
  for (; work.first_panel < end; work.first_panel = work.last_panel) {
    // Panels that read the same planes.
    const Panel& first = panels_[static_cast<size_t>(work.first_panel)];
    const auto is_like_first = [&](int64_t p) {
      const Panel& panel = panels_[static_cast<size_t>(p)];
      return panel.in_first == first.in_first && panel.in_planes == first.in_planes;
    };
    work.last_panel = work.first_panel + 1;
    while (work.last_panel < end && is_like_first(work.last_panel)) ++work.last_panel;
    const bool pays = map_ || work.last_panel - work.first_panel >= kCopyPanelsMin;
    for (Part part = next_part(first, {}); part.steps > 0; part = next_part(first, part)) {
      if (pays && copies != nullptr) copy_band(running, work, first, part, copies);
      multiply(running, work, part, pays ? copies : nullptr, partials);
    }
  }
}

/// Whether sums are made in several parts.
bool BlockedConv::has_parts() const {
  return std::ranges::any_of(
      panels_, [&](const Panel& panel) { return next_part(panel, {}).steps < panel.in_planes * positions_; });
}

/// Floats of a tile's sums.
int64_t BlockedConv::tile_sums() const {
  return int64_t{tiles_->max_pixels} * BlockedTileSet::kMaxBlocks * tiles_->lanes;
}

/// What a call needs before its tiles: nullopt when its input is too large to address.
std::optional<BlockedConv::Running> BlockedConv::make_running(const ConvCall& call,
                                                              const Services& services) const {
  const PaddedInput padded(filter_, call, planar_ ? 1 : tiles_->lanes);
  Running running{call, padded, RowTiles(padded.out_width(), tiles_->max_pixels)};
  const bool has_row_offsets = positions_ < filter_.kernel_h * filter_.kernel_w;
  running.offsets = padded.offsets(in_planes_, has_row_offsets ? 1 : filter_.kernel_w, services);
  if (running.offsets == nullptr) return std::nullopt;
  running.input = call.input;
  running.out = {call.output, call.out_plane() * tiles_->lanes};
  if (map_ && !padded.direct()) return std::nullopt;
  if (!padded.direct()) {
    float* copy = services.scratch_floats(padded.floats(in_planes_));
    padded.copy(call.input, in_planes_, services, copy);
    running.input = copy;
  }
  return running;
}

bool BlockedConv::run(const ConvCall& call, const Services& services) const {
  if (call.images * out_blocks_ * call.out_h * call.out_w == 0) return true;
  const auto running = make_running(call, services);
  if (!running) return false;
  // Neighbouring outputs of a larger filter share their taps, so a tile's input is small and lies together.
  const int64_t taps = filter_.kernel_h * filter_.kernel_w;
  const int64_t tile_input = tiles_->max_pixels * kSumBlock / taps;
  const int64_t kept_sums = has_parts() ? tile_sums() : 0;
  const Blocking blocking(call.images, running->padded.out_rows() * running->columns.tiles,
                          static_cast<int64_t>(panels_.size()), tile_input, kept_sums, services.threads);
  const bool copies = taps == 1 && !planar_;
  for_each_share(blocking, services, [&](BlockedShare share) {
    float* copy = copies ? services.scratch_floats(blocking.max_tiles() * tile_input) : nullptr;
    float* partials =
        kept_sums > 0 ? services.scratch_floats(blocking.max_tiles() * blocking.group * kept_sums) : nullptr;
    for (BlockedWork work; share.next(work);) compute(*running, work, copy, partials);
  });
  return true;
}

}  // namespace tenon::kernels
