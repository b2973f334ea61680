// Rows for float32 tensors whose last two axes are resized.
#include "ops/resize/kernels.h"

#include <algorithm>
#include <memory>
#include <mutex>

#include "kernels/layout/blocked.h"
#include "kernels/resize/resize_planes.h"
#include "ops/core/operand.h"
#include "ops/core/region_values.h"
#include "ops/core/services.h"
#include "ops/resize/resize.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

bool is_given(const Region& region, const Node& node, size_t i) {
  if (!node.has_input(i)) return false;
  const Tensor* constant = region.constant_input(node, i);
  return constant == nullptr || constant->size() > 0;
}

/// Whether all axes but the last two stay as they are, by the scales or by the sizes.
bool keeps_outer_axes(const Region& region, const Node& node, const ResizeOptions& options, size_t rank) {
  const auto &in = region.type(node.inputs[0]).shape, &out = region.type(node.outputs[0]).shape;
  const Tensor* scales = region.constant_input(node, 2);
  const bool has_scales = is_given(region, node, 2);
  if (!out || out->size() != rank || (has_scales && scales == nullptr)) return false;
  for (size_t axis = 0; axis + 2 < rank; ++axis) {
    if (!has_scales && (*in)[axis] != (*out)[axis]) return false;
    if (!has_scales) continue;
    std::optional<size_t> at = axis;
    if (!options.axes.empty()) {
      at.reset();
      for (size_t i = 0; i < options.axes.size(); ++i) {
        const int64_t written = options.axes[i];
        if (written == static_cast<int64_t>(axis) ||
            written + static_cast<int64_t>(rank) == static_cast<int64_t>(axis))
          at = i;
      }
    }
    if (!at) continue;
    if (static_cast<int64_t>(*at) >= scales->size() ||
        load_element<double>(*scales, static_cast<int64_t>(*at)) != 1)
      return false;
  }
  return true;
}

bool fits(const Region& region) {
  const Node& node = *region.nodes[0];
  if (!region.is_single() || !node.has_input(0) || !node.has_output(0) || region.inputs.empty() ||
      region.inputs[0] != node.inputs[0])
    return false;
  const ValueType& type = region.type(node.inputs[0]);
  if (!type.is_tensor() || type.element != DataType::kFloat32 || !type.shape || type.shape->size() < 2)
    return false;
  const auto options = read_resize_options(node.attributes);
  return options.ok() && !options->exclude_outside && options->coordinates != Coordinates::kTfCropAndResize &&
         options->policy == AspectPolicy::kStretch &&
         keeps_outer_axes(region, node, *options, type.shape->size());
}

/// The taps of one axis, with weights rounded once.
struct Taps {
  ResizeTaps taps;
  std::vector<float> weights;

  Taps(const ResizeOptions& options, const ResizeAxis& axis) {
    if (axis.input == 0) return;  // an empty result
    const bool same = axis.output == axis.input && axis.scale == 1;
    if (same || options.mode == ResizeMode::kNearest) taps.offsets.push_back(0);
    if (same) {
      for (int64_t i = 0; i < axis.output; ++i) {
        taps.indices.push_back(i);
        taps.weights.push_back(1);
        taps.offsets.push_back(taps.indices.size());
      }
    } else if (options.mode == ResizeMode::kNearest) {
      taps.indices = nearest_indices(options, axis);
      for (size_t i = 1; i <= taps.indices.size(); ++i) taps.offsets.push_back(i);
      taps.weights.assign(taps.indices.size(), 1);
    } else {
      taps = interpolation_taps(options, axis);
    }
    weights.assign(taps.weights.begin(), taps.weights.end());
  }
  kernels::AxisTaps view() const { return {taps.offsets, taps.indices, weights}; }
};

bool has_bytes(const Tensor* tensor, const std::vector<std::byte>& bytes) {
  const size_t count = tensor != nullptr ? tensor->bytes() : 0;
  return count == bytes.size() &&
         std::equal(bytes.begin(), bytes.end(), tensor != nullptr ? tensor->raw() : nullptr);
}

/// What follows from the input's shape and the scales and sizes.
struct ResizePlan {
  Shape input, output;
  std::vector<std::byte> scales, sizes;  // the bytes of the tensors
  Taps rows, columns;

  bool is_for(const Shape& shape, const Tensor* scale, const Tensor* size) const {
    return shape == input && has_bytes(scale, scales) && has_bytes(size, sizes);
  }
};

class ResizeKernel final : public Kernel {
 public:
  /// `lanes`: of the blocks of channels, 1 for the plain layout.
  ResizeKernel(const Region& region, int64_t lanes, Isa isa) : lanes_(lanes), isa_(isa) {
    const Node& node = *region.nodes[0];
    if (lanes > 1) channels_ = *(*region.type(node.inputs[0]).shape)[1].constant();
    options_ = *read_resize_options(node.attributes);
    for (size_t i = 2; i < 4; ++i)
      if (is_given(region, node, i)) operands_[i - 2].emplace(region, node, i);
  }

  Status run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    const auto given = [&](size_t i) -> const Tensor* {
      if (!operands_[i]) return nullptr;
      const Tensor& tensor = operands_[i]->get(context);
      return tensor.size() > 0 ? &tensor : nullptr;
    };
    Shape shape = x.shape();
    if (lanes_ > 1) shape = {x.dim(0), channels_, x.dim(2), x.dim(3)};
    std::shared_ptr<const ResizePlan> plan = known_plan(shape, given(0), given(1));
    std::vector<ResizeAxis> axes;
    if (plan == nullptr) axes = TENON_TRY(axes_of(shape, given(0), given(1)));
    Shape output = plan != nullptr ? plan->output : output_of(axes);
    const Shape whole = output;
    if (lanes_ > 1) output = {output[0], x.dim(1), output[2], output[3], lanes_};
    // Sizes may be a run's own: taps are made once there is memory for what they make.
    Tensor& y = context.output(0, DataType::kFloat32, output);
    const bool is_empty = y.size() == 0 || x.size() == 0;
    if (plan == nullptr) {
      if (is_empty) axes.assign(axes.size(), {});
      plan = keep_plan(shape, whole, axes, given(0), given(1));
    }
    if (is_empty) return {};
    kernels::ResizePlanesCall call;
    call.lanes = lanes_;
    call.in_h = shape[shape.size() - 2];
    call.in_w = shape.back();
    call.planes = x.size() / (call.in_h * call.in_w * lanes_);
    call.rows = plan->rows.view();
    call.columns = plan->columns.view();
    call.input = x.data<float>();
    call.output = y.mutable_data<float>();
    kernels::resize_planes(call, isa_, kernel_services(context));
    return {};
  }

 private:
  /// The last run's plan, if it is for the same; or null.
  std::shared_ptr<const ResizePlan> known_plan(const Shape& shape, const Tensor* scales,
                                               const Tensor* sizes) const {
    std::lock_guard lock(mutex_);
    return plan_ != nullptr && plan_->is_for(shape, scales, sizes) ? plan_ : nullptr;
  }

  static Shape output_of(const std::vector<ResizeAxis>& axes) {
    Shape output;
    for (const ResizeAxis& axis : axes) output.push_back(axis.output);
    return output;
  }

  Result<std::vector<ResizeAxis>> axes_of(const Shape& shape, const Tensor* scales,
                                          const Tensor* sizes) const {
    std::vector<ResizeAxis> axes = TENON_TRY(resolve_resize(
        options_, shape, std::nullopt, scales ? std::optional(to_doubles(*scales)) : std::nullopt,
        sizes ? std::optional(to_ints(*sizes)) : std::nullopt));
    TENON_TRY(element_count(output_of(axes)));
    for (size_t i = 0; i + 2 < axes.size(); ++i)
      if (axes[i].output != axes[i].input)
        return fail(ErrorCode::kMismatch, "shape {} was not inferred from {}", to_string(output_of(axes)),
                    to_string(shape));
    if (shape.back() > INT32_MAX)
      return fail(ErrorCode::kLimit, "an input of shape {} is too large for this kernel", to_string(shape));
    return axes;
  }

  std::shared_ptr<const ResizePlan> keep_plan(const Shape& shape, const Shape& output,
                                              const std::vector<ResizeAxis>& axes, const Tensor* scales,
                                              const Tensor* sizes) const {
    const size_t rank = axes.size();
    const auto bytes = [](const Tensor* tensor) {
      return tensor != nullptr ? std::vector(tensor->raw(), tensor->raw() + tensor->bytes())
                               : std::vector<std::byte>();
    };
    auto plan = std::make_shared<const ResizePlan>(ResizePlan{shape, output, bytes(scales), bytes(sizes),
                                                              Taps(options_, axes[rank - 2]),
                                                              Taps(options_, axes[rank - 1])});
    std::lock_guard lock(mutex_);
    plan_ = plan;
    return plan;
  }

  ResizeOptions options_;
  std::optional<Operand> operands_[2];  // scales and sizes
  int64_t lanes_, channels_ = 0;
  Isa isa_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const ResizePlan> plan_;
};

bool fits_blocked(const Region& region) {
  return fits(region) && is_image(region, region.inputs[0]) && is_image(region, region.outputs[0]);
}

template <bool kBlocked, Isa kIsa>
Result<std::unique_ptr<Kernel>> prepare(const Region& region, kernels::Packing&) {
  return std::unique_ptr<Kernel>(
      std::make_unique<ResizeKernel>(region, kBlocked ? kernels::block_lanes(kIsa) : 1, kIsa));
}

constexpr RowLayouts kBlocked{Layout::kBlocked, Layout::kBlocked, false};

}  // namespace

#define TENON_RESIZE_ROWS(suffix, isa)                                               \
  {"resize_blocked_f32_" suffix, isa, fits_blocked, prepare<true, isa>, kBlocked}, { \
    "resize_f32_" suffix, isa, fits, prepare<false, isa>                             \
  }
const KernelRow kResizeRows[6] = {TENON_RESIZE_ROWS("avx512", Isa::kAvx512),
                                  TENON_RESIZE_ROWS("avx2", Isa::kAvx2),
                                  TENON_RESIZE_ROWS("portable", Isa::kPortable)};
#undef TENON_RESIZE_ROWS

}  // namespace tenon::ops
