#include "kernels/layout/channel_moves.h"

#include <algorithm>

#include "kernels/layout/blocked.h"
#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layout/channel_moves.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Vectors `first` to `first + count` of a block of an output; with kOnto what is there already stays.
template <int kTerms, bool kOnto>
HWY_NOINLINE void Move(const ChannelMoves::Term* terms, int64_t first, int64_t count,
                       float* HWY_RESTRICT to) {
  const hn::ScalableTag<float> d;
  const hn::ScalableTag<int32_t> di;
  constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);
  using Lanes = decltype(hn::SetTableIndices(d, static_cast<const int32_t*>(nullptr)));
  Lanes lanes[kTerms];
  hn::Vec<decltype(d)> taken[kTerms];
  for (int t = 0; t < kTerms; ++t) {
    lanes[t] = hn::SetTableIndices(d, terms[t].lane.data());
    taken[t] = hn::BitCast(d, hn::Load(di, terms[t].taken.data()));
  }
  for (int64_t at = first * kLanes; at < (first + count) * kLanes; at += kLanes) {
    auto all = kOnto ? hn::LoadU(d, to + at) : hn::Zero(d);
#pragma clang loop unroll(full)
    for (int t = 0; t < kTerms; ++t)
      all = hn::Or(all, hn::And(hn::TableLookupLanes(hn::LoadU(d, terms[t].from + at), lanes[t]), taken[t]));
    hn::StoreU(all, d, to + at);
  }
}

const ChannelMoves::Functions kMoves = {{&Move<1, false>, &Move<2, false>, &Move<3, false>, &Move<4, false>},
                                        {&Move<1, true>, &Move<2, true>, &Move<3, true>, &Move<4, true>}};

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

namespace {

/// Vectors of a block that are moved at a time: those that they come from stay in the nearest cache.
constexpr int64_t kStrip = 128;

const ChannelMoves::Functions& moves(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kMoves);
}

}  // namespace

ChannelMoves::ChannelMoves(std::span<const std::vector<ChannelSource>> outputs, Isa isa)
    : lanes_(block_lanes(isa)), isa_(isa) {
  for (size_t o = 0; o < outputs.size(); ++o) {
    const auto channels = static_cast<int64_t>(outputs[o].size());
    output_blocks_.push_back((channels + lanes_ - 1) / lanes_);
    for (int64_t first = 0; first < channels; first += lanes_) {
      Block block{o, first / lanes_, {}};
      for (int64_t c = first; c < std::min(channels, first + lanes_); ++c) {
        const ChannelSource& source = outputs[o][static_cast<size_t>(c)];
        const int64_t from = source.channel / lanes_;
        auto term = std::ranges::find_if(block.terms, [&](const Term& known) {
          return known.input == source.input && known.block == from;
        });
        if (term == block.terms.end()) {
          term = block.terms.emplace(block.terms.end());
          term->input = source.input;
          term->block = from;
        }
        const auto lane = static_cast<size_t>(c - first);
        term->lane[lane] = static_cast<int32_t>(source.channel % lanes_);
        term->taken[lane] = -1;
      }
      blocks_.push_back(std::move(block));
    }
  }
}

void ChannelMoves::run(int64_t images, int64_t pixels, std::span<const float* const> inputs,
                       std::span<const int64_t> input_blocks, std::span<float* const> outputs,
                       const Services& services) const {
  const auto blocks = static_cast<int64_t>(blocks_.size());
  const int64_t strips = (pixels + kStrip - 1) / kStrip, plane = pixels * lanes_;
  const Functions& functions = moves(isa_);
  services.parallel_for(images * blocks * strips, strips, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t image = i / strips / blocks, first = i % strips * kStrip;
      const Block& block = blocks_[static_cast<size_t>(i / strips % blocks)];
      float* to = outputs[block.output] + (image * output_blocks_[block.output] + block.block) * plane;
      const auto count = static_cast<int>(block.terms.size());
      for (int done = 0; done < count; done += Functions::kTermsMax) {
        Term terms[Functions::kTermsMax];
        const int now = std::min(Functions::kTermsMax, count - done);
        for (int t = 0; t < now; ++t) {
          terms[t] = block.terms[static_cast<size_t>(done + t)];
          terms[t].from =
              inputs[terms[t].input] + (image * input_blocks[terms[t].input] + terms[t].block) * plane;
        }
        const auto move = (done > 0 ? functions.onto : functions.fresh)[now - 1];
        move(terms, first, std::min(kStrip, pixels - first), to);
      }
    }
  });
}

}  // namespace tenon::kernels
#endif
