// Rows for LayerNormalization of float32 with constant scale and bias, without its further outputs, and for
// the nodes that stand for it.
#include "ops/normalization/kernels.h"

#include <algorithm>

#include "kernels/lines/lines.h"
#include "ops/core/services.h"
#include "ops/fusion/layer_norm.h"
#include "ops/normalization/channel_layer_norm.h"

namespace tenon::ops {

namespace {

/// The axes of a line, when the model fixes them; else none.
Shape line_of(const ValueType& type, int64_t axis) {
  if (!type.is_tensor() || type.element != DataType::kFloat32 || !type.shape) return {};
  const auto rank = static_cast<int64_t>(type.shape->size());
  Shape line;
  for (int64_t i = axis < 0 ? axis + rank : axis; i < rank; ++i) {
    const auto size = i < 0 ? std::nullopt : (*type.shape)[static_cast<size_t>(i)].constant();
    if (!size) return {};
    line.push_back(*size);
  }
  return line;
}

bool fits(const Region& region) {
  const Node& node = *region.nodes[0];
  if (!region.is_single() || node.has_output(1) || node.has_output(2) || region.inputs.size() != 1 ||
      node.inputs[0] != region.inputs[0])
    return false;
  const Shape line = line_of(region.type(region.inputs[0]), node.attributes.integer("axis", -1));
  for (size_t i : {1, 2}) {
    if (i == 2 && !node.has_input(2)) break;
    const Tensor* parameter = region.constant_input(node, i);
    if (parameter == nullptr || !is_along_line(*parameter, line)) return false;
  }
  return !line.empty();
}

class LayerNormKernel final : public Kernel {
 public:
  /// `scale` has the elements of a line, `bias` as many or is undefined.
  LayerNormKernel(Tensor scale, Tensor bias, double epsilon, Isa isa)
      : scale_(std::move(scale)), bias_(std::move(bias)), epsilon_(epsilon), isa_(isa) {}

  Status run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    if (x.size() % scale_.size() != 0)
      return fail(ErrorCode::kMismatch, "input of shape {} does not fit a scale of {} elements",
                  to_string(x.shape()), scale_.size());
    kernels::LayerNormCall call;
    call.input = x.data<float>();
    call.length = scale_.size();
    call.lines = x.size() / call.length;
    call.scale = scale_.data<float>();
    call.bias = bias_.defined() ? bias_.data<float>() : nullptr;
    call.epsilon = epsilon_;
    call.output = context.output(0, DataType::kFloat32, x.shape()).mutable_data<float>();
    kernels::layer_norm_lines(call, isa_, kernel_services(context));
    return {};
  }

 private:
  Tensor scale_, bias_;
  double epsilon_;
  Isa isa_;
};

template <Isa kIsa>
Result<std::unique_ptr<Kernel>> prepare(const Region& region, kernels::Packing&) {
  const Node& node = *region.nodes[0];
  const Tensor* bias = region.constant_input(node, 2);
  return std::unique_ptr<Kernel>(
      std::make_unique<LayerNormKernel>(*region.constant_input(node, 1), bias != nullptr ? *bias : Tensor(),
                                        node.attributes.real("epsilon", 1e-5f), kIsa));
}

/// One number for each element of a line.
Tensor along_line(const Tensor& tensor, int64_t length) {
  if (tensor.size() == length) return tensor;
  const std::vector<float> values(static_cast<size_t>(length), tensor.data<float>()[0]);
  return Tensor::from<float>(DataType::kFloat32, {length}, values);
}

}  // namespace

bool is_along_line(const Tensor& parameter, const Shape& line) {
  const Shape& shape = parameter.shape();
  if (parameter.type() != DataType::kFloat32 || parameter.size() == 0 || shape.size() < line.size())
    return false;
  const auto last = shape.end() - static_cast<std::ptrdiff_t>(line.size());
  return std::equal(last, shape.end(), line.begin()) &&
         std::all_of(shape.begin(), last, [](int64_t size) { return size == 1; });
}

bool fits_printed_layer_norm(const Region& region) {
  return region.anchor == 0 && region.inputs.size() == 1 && region.outputs.size() == 1 &&
         printed_layer_norm(*region.graph, region.nodes).has_value();
}

Result<std::unique_ptr<Kernel>> prepare_printed_layer_norm(Isa isa, const Region& region) {
  const PrintedLayerNorm norm = *printed_layer_norm(*region.graph, region.nodes);
  const Tensor scale = norm.scale.defined() ? norm.scale : Tensor::scalar(1.0f);
  return std::unique_ptr<Kernel>(std::make_unique<LayerNormKernel>(
      along_line(scale, norm.length), norm.bias.defined() ? along_line(norm.bias, norm.length) : Tensor(),
      norm.epsilon, isa));
}

namespace {

template <Isa kIsa>
Result<std::unique_ptr<Kernel>> prepare_over_channels(const Region& region, kernels::Packing&) {
  return prepare_channel_layer_norm(kIsa, region);
}

// Between images that are plain, the three nodes run one by one.
constexpr RowLayouts kBlocked{Layout::kBlocked, Layout::kBlocked, false};

}  // namespace

#define TENON_LAYER_NORM_ROWS(suffix, isa)                                                             \
  {"layer_norm_f32_" suffix, isa, fits, prepare<isa>}, {                                               \
    "layer_norm_blocked_f32_" suffix, isa, is_channel_layer_norm, prepare_over_channels<isa>, kBlocked \
  }
const KernelRow kLayerNormRows[6] = {TENON_LAYER_NORM_ROWS("avx512", Isa::kAvx512),
                                     TENON_LAYER_NORM_ROWS("avx2", Isa::kAvx2),
                                     TENON_LAYER_NORM_ROWS("portable", Isa::kPortable)};
#undef TENON_LAYER_NORM_ROWS

}  // namespace tenon::ops
