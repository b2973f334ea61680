// A step of a convolution: its operands found, its output made, and a convolution of src/kernels run.
#pragma once

#include <memory>
#include <optional>

#include "kernels/conv/conv2d.h"
#include "kernels/layout/blocked.h"
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

/// The head's map for blocks of `lanes` channels; lanes beyond the last channel are scaled, too.
kernels::InputMap input_map(const ConvHead& head, int64_t lanes);

/// A call without operands and output, and the shape of what it makes.
struct SizedConv {
  kernels::ConvCall call;
  Shape shape;
};
/// kInvalidModel for an input, of the right rank, that has not the filter's channels.
Status check_channels(const kernels::ConvFilter& filter, const Lanes& lanes, const Shape& x);

/// How calls follow from the shape of the input.
class ConvGeometry {
 public:
  ConvGeometry(const kernels::ConvFilter& filter, Window window, const Lanes& lanes)
      : filter_(filter), window_(std::move(window)), lanes_(lanes) {}

  /// Sizes the call for the shape that an input is going to have, if that is known and fits.
  void expect(const std::optional<Shape>& x);
  /// What was expected, if it was.
  const std::optional<SizedConv>& expected() const { return expected_; }
  /// `x`: the input's shape. kInvalidModel for one of another rank, or smaller than a window.
  Result<SizedConv> size(const Shape& x) const;
  Status check_channels(const Shape& x) const { return ops::check_channels(filter_, lanes_, x); }

  const kernels::ConvFilter& filter() const { return filter_; }
  const Lanes& lanes() const { return lanes_; }

 private:
  kernels::ConvFilter filter_;
  Window window_;
  Lanes lanes_;
  Shape expected_input_;
  std::optional<SizedConv> expected_;
};

/// The shape of a value in memory, in blocks of `lanes` channels or, for 1, as it is; nullopt when it is not
/// known.
std::optional<Shape> shape_in_memory(const Region& region, ValueId id, int64_t lanes);

class ConvKernel final : public Kernel {
 public:
  ConvKernel(ConvGeometry geometry, std::optional<ConvHead> head, FusedTail tail,
             std::unique_ptr<kernels::Convolution> conv)
      : geometry_(std::move(geometry)),
        head_(std::move(head)),
        tail_(std::move(tail)),
        conv_(std::move(conv)) {}

  Status run(KernelContext& context) const override;

 private:
  ConvGeometry geometry_;
  std::optional<ConvHead> head_;
  FusedTail tail_;
  std::unique_ptr<kernels::Convolution> conv_;
};

}  // namespace tenon::ops
