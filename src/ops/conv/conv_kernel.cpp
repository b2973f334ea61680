#include "ops/conv/conv_kernel.h"

#include <algorithm>

#include "ops/core/services.h"

namespace tenon::ops {

namespace {

Error does_not_fit(const kernels::ConvFilter& filter, const Shape& x) {
  return fail(ErrorCode::kInvalidModel, "input of shape {} does not fit weights for {} channels",
              to_string(x), filter.groups * filter.in_channels);
}

/// Where the images of a head lie, and its scales.
Status find_planes(const ConvHead& head, KernelContext& context, int64_t planes, kernels::ConvCall& call) {
  const Tensor& first = context.input(head.images[0]);
  auto* all = kernel_services(context).scratch_array<const float*>(first.dim(0) * planes);
  call.planes = all;
  int64_t before = 0;
  for (size_t i : head.images) {
    const Tensor& x = context.input(i);
    if (x.rank() != 5 || x.dim(0) != first.dim(0) || before + x.dim(1) > planes ||
        !std::equal(x.shape().begin() + 2, x.shape().end(), first.shape().begin() + 2))
      return fail(ErrorCode::kInvalidModel, "inputs of shapes {} and {} do not fit together",
                  to_string(first.shape()), to_string(x.shape()));
    const int64_t plane = x.dim(2) * x.dim(3) * x.dim(4);
    for (int64_t image = 0; image < x.dim(0); ++image)
      for (int64_t p = 0; p < x.dim(1); ++p)
        all[image * planes + before + p] = x.data<float>() + (image * x.dim(1) + p) * plane;
    before += x.dim(1);
  }
  if (before != planes)
    return fail(ErrorCode::kInvalidModel, "input of {} blocks of channels where the weights take {}", before,
                planes);
  if (!head.channels.scale_operand) return {};
  const Tensor& scale = context.input(*head.channels.scale_operand);
  if (scale.size() != first.dim(0) * planes * first.dim(4))
    return fail(ErrorCode::kMismatch, "an operand has shape {}, which does not scale the channels of {}",
                to_string(scale.shape()), to_string(first.shape()));
  call.scale = scale.data<float>();
  return {};
}

}  // namespace

kernels::InputMap input_map(const ConvHead& head, int64_t lanes) {
  kernels::InputMap map{head.channels.scale, head.channels.shift, head.channels.scale_operand.has_value(),
                        head.low, head.high};
  const auto padded =
      static_cast<size_t>(kernels::blocks_of(static_cast<int64_t>(map.scale.size()), lanes) * lanes);
  map.scale.resize(padded);
  map.shift.resize(padded);
  return map;
}

std::optional<Shape> shape_in_memory(const Region& region, ValueId id, int64_t lanes) {
  const auto& type = region.type(id).shape;
  const auto shape = type ? constant_shape(*type) : std::nullopt;
  if (!shape || lanes == 1) return shape;
  if (shape->size() != 4) return std::nullopt;
  return Shape{(*shape)[0], kernels::blocks_of((*shape)[1], lanes), (*shape)[2], (*shape)[3], lanes};
}

void ConvGeometry::expect(const std::optional<Shape>& x) {
  auto sized = x ? size(*x) : Result<SizedConv>(fail(ErrorCode::kMismatch, "not known"));
  if (!sized.ok()) return;
  expected_input_ = *x;
  expected_ = std::move(*sized);
}

Result<SizedConv> ConvGeometry::size(const Shape& x) const {
  if (expected_ && x == expected_input_) return *expected_;
  if (x.size() != window_.axes() + (lanes_.input > 1 ? 3 : 2)) return does_not_fit(filter_, x);
  auto axes = TENON_TRY(resolve_window(window_, x.data() + 2));
  SizedConv sized;
  sized.shape = {x[0], kernels::blocks_of(filter_.groups * filter_.out_channels, lanes_.output)};
  for (const WindowAxis& axis : axes) sized.shape.push_back(axis.output);
  if (lanes_.output > 1) sized.shape.push_back(lanes_.output);
  // One dimension is two with a height of 1.
  if (axes.size() == 1) axes.insert(axes.begin(), WindowAxis{1, 1, 1, 1, 1, 0, 0});
  kernels::ConvCall& call = sized.call;
  call.images = x[0];
  call.in_h = axes[0].input;
  call.in_w = axes[1].input;
  call.pad_top = axes[0].pad_begin;
  call.pad_left = axes[1].pad_begin;
  call.out_h = axes[0].output;
  call.out_w = axes[1].output;
  return sized;
}

Status check_channels(const kernels::ConvFilter& filter, const Lanes& lanes, const Shape& x) {
  if (x[1] != kernels::blocks_of(filter.groups * filter.in_channels, lanes.input))
    return does_not_fit(filter, x);
  return {};
}

Status ConvKernel::run(KernelContext& context) const {
  const Tensor& x = context.input(head_ ? head_->images[0] : 0);
  const kernels::ConvFilter& filter = geometry_.filter();
  auto [call, shape] = TENON_TRY(geometry_.size(x.shape()));
  if (!head_) TENON_TRY(geometry_.check_channels(x.shape()));
  Tensor& output = context.output(0, DataType::kFloat32, shape);
  if (output.size() == 0) return {};
  if (head_)
    TENON_TRY(find_planes(*head_, context,
                          kernels::blocks_of(filter.groups * filter.in_channels, geometry_.lanes().input),
                          call));
  else
    call.input = x.data<float>();
  call.operands = TENON_TRY(tail_operands(tail_, context, shape));
  call.output = output.mutable_data<float>();
  if (!conv_->run(call, kernel_services(context)))
    return fail(ErrorCode::kLimit, "an input of shape {} is too large for this kernel", to_string(x.shape()));
  return {};
}

}  // namespace tenon::ops
