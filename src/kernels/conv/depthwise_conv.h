// Depthwise convolutions of float32 in the blocked layout, and those of other groups that a vector has
// several of: groups of as many input as output channels, a divisor of a vector's lanes. The input is read as
// it is.
#pragma once

#include <vector>

#include "kernels/conv/conv2d.h"
#include "kernels/conv/depthwise_tile.h"
#include "kernels/rows_behind.h"

namespace tenon::kernels {

class DepthwiseConv final : public Convolution {
 public:
  /// Whether it takes a filter: as many input as output channels in each of several groups, a divisor of a
  /// vector's lanes. Sums are one chain each; those of depthwise filters have as many terms as the filter
  /// taps, others kSumBlock at most.
  static bool takes(const ConvFilter& filter, Isa isa);

  /// As Conv2d; the call's input, output and operands are blocked.
  DepthwiseConv(const ConvFilter& filter, const ConvWeights& weights, Epilogue epilogue, Isa isa,
                Packing& packing);
  [[nodiscard]] bool run(const ConvCall& call, const Services& services) const override;

 private:
  /// What all rows of a call share.
  struct Running {
    const ConvCall& call;
    bool is_direct;  // the epilogue ends the tiles
    DepthwiseTile tile = nullptr;
    DepthwiseArgs args = {};  // what no row or plane changes
  };

 public:
  /// The rows of a call whose input another convolution makes: call.input is not read. Lasts as long as the
  /// convolution, the call and the services.
  class Rows final : public RowsBehind {
   public:
    Rows(const DepthwiseConv& conv, const ConvCall& call, const Services& services)
        : RowsBehind({call.in_h, call.out_h, conv.filter_.stride_h,
                      (conv.filter_.kernel_h - 1) * conv.filter_.dilation_h + 1, call.pad_top}),
          conv_(conv),
          running_(conv.make_running(call, services)) {}

    int64_t scratch_floats() const override { return conv_.strip_floats(running_); }
    ReadNext written(int64_t plane, int64_t begin, int64_t end) const override {
      const int64_t row = running_.call.out_w * conv_.lanes_;
      return {running_.call.output + (plane * running_.call.out_h + begin) * row, (end - begin) * row};
    }
    void make(int64_t plane, int64_t begin, int64_t end, const float* input, int64_t first,
              float* scratch) const override {
      conv_.compute(running_, plane, {input, first}, begin, end, scratch);
    }

   private:
    const DepthwiseConv& conv_;
    Running running_;
  };

 private:
  /// A plane of the input, from a row on.
  struct Plane {
    const float* input;
    int64_t first;
  };

  Running make_running(const ConvCall& call, const Services& services) const;
  DepthwiseColumns tap_rows(const ConvCall& call, int64_t y) const;
  int64_t strip_floats(const Running& running) const;
  void compute(const Running& running, int64_t plane, const Plane& from, int64_t first, int64_t last,
               float* strip) const;

  ConvFilter filter_;
  int64_t lanes_, blocks_;
  const DepthwiseTiles* tiles_;
  Epilogue epilogue_;
  PackedFloats weights_;         // [block][row of taps][input of a group][column][lane]
  std::vector<int32_t> inputs_;  // [input of a group][lane]: its lane in the input
  PackedFloats bias_;            // [block][lane]
};

}  // namespace tenon::kernels
