// Transposed convolutions of float32 (the gradient of a convolution by its input), as convolutions of stride
// 1: outputs that are a stride apart read the same taps of the filter, so each phase (output position modulo
// the stride) is a convolution with its part of the taps, turned around. Nothing is added up in memory, and
// each output is one sum. (Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016,
// section 4.)
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "kernels/conv/conv2d.h"

namespace tenon::kernels {

class TransposedConv final : public Convolution {
 public:
  /// Makes the convolution of one phase, of stride 1. The filter and weights last as long as the call.
  using MakePhase = std::function<std::unique_ptr<Convolution>(const ConvFilter&, const ConvWeights&)>;

  /// `filter`: in_channels and out_channels of a group, and strides and dilations as the operator has them.
  /// `weights.values`: [groups * in_channels][out_channels][kernel_h][kernel_w]. `lanes`: of the blocks that
  /// the phases read and write, 1 for the plain layout. Nothing of `weights` is needed afterwards.
  TransposedConv(const ConvFilter& filter, const ConvWeights& weights, int64_t lanes, const MakePhase& make);

  /// `pad_top` and `pad_left` are what is cut off the output's first rows and columns.
  [[nodiscard]] bool run(const ConvCall& call, const Services& services) const override;

 private:
  /// The outputs q * stride + residue - pad of one axis, for all q, which sum the inputs q - m * step for
  /// the distances first <= m * step <= last, `taps` of them.
  struct PhaseAxis {
    int64_t residue = 0;
    int64_t taps = 0;
    int64_t step = 1;
    int64_t first = 0, last = 0;
    int64_t first_tap = 0, tap_step = 1;  // in the filter
  };
  /// A phase of one axis in a call: outputs [begin, begin + count * stride), and where the first of them
  /// begins to read.
  struct Range {
    int64_t begin = 0, count = 0, start = 0;
  };
  struct Phase {
    size_t row = 0, column = 0;         // in rows_ and columns_
    std::unique_ptr<Convolution> conv;  // null where no tap reaches an output
  };

  static std::vector<PhaseAxis> phases_of(int64_t kernel, int64_t stride, int64_t dilation);
  static Range range_of(const PhaseAxis& phase, int64_t stride, int64_t pad, int64_t outputs);

  ConvFilter filter_;
  int64_t lanes_;
  std::vector<PhaseAxis> rows_, columns_;
  std::vector<Phase> phases_;
  std::unique_ptr<Convolution> bias_;  // of phases without taps: a tap of zeros on one channel of zeros
};

}  // namespace tenon::kernels
