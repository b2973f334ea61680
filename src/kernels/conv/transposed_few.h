// Transposed convolutions of float32 to few channels. The phases of an output (its position modulo the
// stride) are channels of one convolution of stride 1, which sums all inputs that any phase reads, with zeros
// where a phase has no tap; its channels are then moved to where they belong (Shi et al., Real-time single
// image and video super-resolution using an efficient sub-pixel convolutional neural network, 2016,
// section 3). An input that is not finite reaches all outputs of the pixels that read it.
#pragma once

#include <memory>
#include <vector>

#include "kernels/conv/blocked_conv.h"
#include "kernels/conv/conv2d.h"

namespace tenon::kernels {

class TransposedFewConv final : public Convolution {
 public:
  /// As TransposedConv, for one group and without dilation. Takes no operands.
  TransposedFewConv(const ConvFilter& filter, const ConvWeights& weights, Epilogue epilogue, Isa isa,
                    Packing& packing);

  /// The call's input is blocked, and its output [images][out_channels][out_h][out_w].
  [[nodiscard]] bool run(const ConvCall& call, const Services& services) const override;

  /// Multiplications for each pixel of the input over those that TransposedConv makes, lanes without a
  /// channel included.
  static double work(const ConvFilter& filter, int64_t lanes);

 private:
  struct Moves;

  ConvFilter filter_;
  int64_t lanes_;
  std::unique_ptr<BlockedConv> conv_;
};

}  // namespace tenon::kernels
