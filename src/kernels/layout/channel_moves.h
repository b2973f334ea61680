// Channels that change their places between images in the blocked layout: what concatenating, splitting and
// shuffling channels have in common when blocks don't begin where tensors do.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/cpu.h"
#include "kernels/services.h"

namespace tenon::kernels {

/// Where a channel of an output comes from.
struct ChannelSource {
  size_t input;
  int64_t channel;
};

class ChannelMoves {
 public:
  /// `outputs[o][c]` is where channel c of output o comes from.
  ChannelMoves(std::span<const std::vector<ChannelSource>> outputs, Isa isa);

  /// Images in the blocked layout, `input_blocks[i]` blocks of input i each; outputs have as many as their
  /// channels fill, lanes beyond the last channel zero. Outputs overlap nothing.
  void run(int64_t images, int64_t pixels, std::span<const float* const> inputs,
           std::span<const int64_t> input_blocks, std::span<float* const> outputs,
           const Services& services) const;

  /// Blocks of output `o`.
  int64_t output_blocks(size_t o) const { return output_blocks_[o]; }

  /// Lanes of a vector that are taken from one of another, as lane numbers and masks of all bits.
  struct Term {
    alignas(64) std::array<int32_t, 16> lane{}, taken{};
    size_t input = 0;
    int64_t block = 0;
    const float* from = nullptr;  ///< While it runs.
  };
  /// Moves a strip of a block by so many terms; `onto` what is there already.
  struct Functions {
    static constexpr int kTermsMax = 4;
    using Function = void (*)(const Term* terms, int64_t first, int64_t count, float* to);
    Function fresh[kTermsMax], onto[kTermsMax];  // [terms - 1]
  };

 private:
  struct Block {
    size_t output;
    int64_t block;
    std::vector<Term> terms;
  };
  std::vector<int64_t> output_blocks_;
  std::vector<Block> blocks_;
  int64_t lanes_;
  Isa isa_;
};

}  // namespace tenon::kernels
