// 3 x 3 convolutions of stride 1 in the blocked layout by Winograd's minimal filtering: the input is cut into
// overlapping tiles and transformed, at each of the (m + 2)^2 positions the tiles are multiplied with the
// filters, and what comes out is transformed back: (m + 2)^2 multiplications for m^2 results, where the
// direct sum takes 9 m^2.
#pragma once

#include "kernels/conv/blocked_conv.h"
#include "kernels/conv/winograd_transform.h"

namespace tenon::kernels {

class WinogradConv final : public Convolution {
 public:
  /// A filter of 3 by 3 taps in one group, stride and dilation 1; m is 2, 4 or 6. Otherwise as BlockedConv.
  WinogradConv(const ConvFilter& filter, const ConvWeights& weights, int m, Epilogue epilogue, Isa isa,
               Packing& packing);

  [[nodiscard]] bool run(const ConvCall& call, const Services& services) const override;

 private:
  struct Place;
  struct Band;
  struct Panels;

  void pack(const ConvWeights& weights, float* to) const;
  int64_t position_of_weights(int64_t position, int64_t panel) const;
  int64_t blocks_of(int64_t panel) const;
  void transform_inputs(const Band& band, int64_t block) const;
  int64_t sums_of(const Band& band, const Panels& panels, int64_t position, int64_t panel) const;
  void multiply(const Band& band, const Panels& panels, float* sums) const;
  void bring_outputs(const ConvCall& call, const Place& place, int64_t block) const;
  void transform_outputs(const Band& band, const Panels& panels, int64_t panel, const float* sums) const;
  void compute(const Band& band, Panels panels, int64_t group, float* sums) const;

  ConvFilter filter_;
  int m_, positions_;
  const BlockedTileSet* tiles_;
  const WinogradTransforms* transforms_;
  Epilogue epilogue_;
  int64_t in_blocks_, out_blocks_, panels_;
  PackedFloats weights_;  // [position][panel][in channel][block of the panel][lane]
  PackedFloats bias_;     // [out block][lane]
};

}  // namespace tenon::kernels
