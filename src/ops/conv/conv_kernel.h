// A step of a convolution: its operands found, its output made, and a convolution of src/kernels run.
#pragma once

#include <memory>
#include <optional>

#include "kernels/conv/conv2d.h"
#include "ops/conv/head.h"
#include "ops/fusion/tail.h"
#include "ops/spatial/window.h"

namespace tenon::ops {

/// How a kernel finds the channels of its input and lays out those of its output: in blocks of so many, 1
/// being the plain layout.
struct Lanes {
  int64_t input = 1;
  int64_t output = 1;
};

inline int64_t planes_of(int64_t channels, int64_t lanes) {
  return (channels + lanes - 1) / lanes;
}

/// The head's map for blocks of `lanes` channels; lanes beyond the last channel are scaled, too.
kernels::InputMap input_map(const ConvHead& head, int64_t lanes);

/// A call without operands and output, and the shape of what it makes.
struct SizedConv {
  kernels::ConvCall call;
  Shape shape;
};
/// `x`: the input's. kInvalidModel for one of another rank, or smaller than a window.
Result<SizedConv> size_conv(const kernels::ConvFilter& filter, const Window& window, const Lanes& lanes,
                            const Shape& x);
/// kInvalidModel for an input, of the right rank, that has not the filter's channels.
Status check_channels(const kernels::ConvFilter& filter, const Lanes& lanes, const Shape& x);

class ConvKernel final : public Kernel {
 public:
  ConvKernel(const kernels::ConvFilter& filter, std::optional<ConvHead> head, FusedTail tail, Window window,
             Lanes lanes, std::unique_ptr<kernels::Convolution> conv)
      : filter_(filter),
        head_(std::move(head)),
        tail_(std::move(tail)),
        window_(std::move(window)),
        lanes_(lanes),
        conv_(std::move(conv)) {}

  Status run(KernelContext& context) const override;

 private:
  kernels::ConvFilter filter_;
  std::optional<ConvHead> head_;
  FusedTail tail_;
  Window window_;
  Lanes lanes_;
  std::unique_ptr<kernels::Convolution> conv_;
};

}  // namespace tenon::ops
