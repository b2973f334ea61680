// Depthwise convolutions of float32 in the blocked layout: groups of one input and one output channel. The
// input is read as it is; outputs near its borders have fewer taps.
#pragma once

#include "kernels/conv/conv2d.h"
#include "kernels/conv/depthwise_tile.h"

namespace tenon::kernels {

class DepthwiseConv final : public Convolution {
 public:
  /// As Conv2d; the call's input, output and operands are blocked.
  DepthwiseConv(const ConvFilter& filter, const ConvWeights& weights, Epilogue epilogue, Isa isa,
                Packing& packing);
  [[nodiscard]] bool run(const ConvCall& call, const Services& services) const override;

 private:
  struct Running;

  void compute(const Running& running, int64_t plane, int64_t first, int64_t last, float* strip) const;

  ConvFilter filter_;
  int64_t lanes_, blocks_;
  const DepthwiseTiles* tiles_;
  Epilogue epilogue_;
  PackedFloats weights_;  // [block][tap][lane]
  PackedFloats bias_;     // [block][lane]
};

}  // namespace tenon::kernels
