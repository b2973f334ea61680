#include "arch/module_builder.h"

#include <algorithm>

#include "tensor/element.h"

namespace tenon::arch {

namespace {

constexpr size_t kMaxListed = 6;
/// Empty tensors can claim dimensions of any size.
constexpr int64_t kMaxDimension = int64_t{1} << 24;

/// "2 keys are missing (a, b)".
std::string summarise(const std::vector<std::string>& items, std::string_view what) {
  std::string text = fmt::format("{} {} {} (", items.size(), items.size() == 1 ? "key is" : "keys are", what);
  for (size_t i = 0; i < std::min(items.size(), kMaxListed); ++i) {
    if (i > 0) text += ", ";
    text += items[i];
  }
  if (items.size() > kMaxListed) text += fmt::format(" and {} more", items.size() - kMaxListed);
  return text + ")";
}

}  // namespace

void ModuleBuilder::enter(const std::string& module, std::string_view type) {
  auto provenance = std::make_shared<Provenance>();
  provenance->module_path = module;
  provenance->target = type;
  const int call = calls_[module]++;
  builder_.set_origin(call == 0 ? module : fmt::format("{}_{}", module, call), std::move(provenance));
}

ValueId ModuleBuilder::weight(const std::string& name, Shape shape) {
  const Tensor* tensor = state_dict_.find(name);
  used_.insert(name);
  if (tensor == nullptr) {
    missing_.push_back(fmt::format("'{}'", name));
  } else if (tensor->shape() != shape || tensor->type() != type_) {
    misfits_.push_back(fmt::format("'{}' is {}{}, not {}{}", name, data_type_name(tensor->type()),
                                   to_string(tensor->shape()), data_type_name(type_), to_string(shape)));
    tensor = nullptr;
  }
  // What stands in for a weight has a shape and no bytes: the graph is dropped before anything reads them.
  return builder_.constant(
      tensor != nullptr ? *tensor : Tensor::view(type_, std::move(shape), nullptr, nullptr), name);
}

Result<ValueId> ModuleBuilder::conv(const std::string& module, ValueId input, const ConvSpec& spec) {
  enter(module, "torch.nn.Conv2d");
  const ValueId kernel = weight(
      module + ".weight", {spec.out_channels, spec.in_channels / spec.groups, spec.kernel, spec.kernel});
  return builder_.add(Op::kConv, {input, kernel},
                      {{"kernel_shape", std::vector<int64_t>{spec.kernel, spec.kernel}},
                       {"strides", std::vector<int64_t>{spec.stride, spec.stride}},
                       {"dilations", std::vector<int64_t>{1, 1}},
                       {"pads", std::vector<int64_t>{spec.pads[0], spec.pads[0], spec.pads[1], spec.pads[1]}},
                       {"group", spec.groups}});
}

Result<ValueId> ModuleBuilder::batch_norm(const std::string& module, ValueId input, int64_t channels,
                                          float epsilon) {
  enter(module, "torch.nn.BatchNorm2d");
  const ValueId scale = weight(module + ".weight", {channels});
  const ValueId bias = weight(module + ".bias", {channels});
  const ValueId mean = weight(module + ".running_mean", {channels});
  const ValueId variance = weight(module + ".running_var", {channels});
  used_.insert(module + ".num_batches_tracked");  // Counts training steps; files of old versions lack it.
  return builder_.add(Op::kBatchNormalization, {input, scale, bias, mean, variance}, {{"epsilon", epsilon}});
}

Result<ValueId> ModuleBuilder::relu(const std::string& module, ValueId input) {
  enter(module, "torch.nn.ReLU");
  return builder_.add(Op::kRelu, {input});
}

Result<ValueId> ModuleBuilder::relu6(const std::string& module, ValueId input) {
  enter(module, "torch.nn.ReLU6");
  if (relu6_limits_[0] == kNoValue) {
    relu6_limits_ = {builder_.constant_scalar(type_, 0), builder_.constant_scalar(type_, 6)};
  }
  return builder_.add(Op::kClip, {input, relu6_limits_[0], relu6_limits_[1]});
}

Result<ValueId> ModuleBuilder::max_pool(const std::string& module, ValueId input, int64_t kernel,
                                        int64_t stride, int64_t pad) {
  enter(module, "torch.nn.MaxPool2d");
  return builder_.add(Op::kMaxPool, {input},
                      {{"kernel_shape", std::vector<int64_t>{kernel, kernel}},
                       {"strides", std::vector<int64_t>{stride, stride}},
                       {"pads", std::vector<int64_t>{pad, pad, pad, pad}}});
}

Result<ValueId> ModuleBuilder::pool_and_flatten(const std::string& module, ValueId input) {
  enter(module, "torch.nn.AdaptiveAvgPool2d");
  const ValueId pooled = TENON_TRY(builder_.add(Op::kGlobalAveragePool, {input}));
  enter("flatten", "torch.flatten");
  return builder_.add(Op::kFlatten, {pooled}, {{"axis", int64_t{1}}});
}

Result<ValueId> ModuleBuilder::linear(const std::string& module, ValueId input, int64_t in_features,
                                      int64_t out_features) {
  enter(module, "torch.nn.Linear");
  const ValueId matrix = weight(module + ".weight", {out_features, in_features});
  const ValueId bias = weight(module + ".bias", {out_features});
  return builder_.add(Op::kGemm, {input, matrix, bias}, {{"transB", int64_t{1}}});
}

Result<ValueId> ModuleBuilder::add(const std::string& module, ValueId a, ValueId b) {
  enter(module + ".add", "torch.add");
  return builder_.add(Op::kAdd, {a, b});
}

int64_t ModuleBuilder::dimension(const std::string& weight, size_t axis, int64_t fallback) const {
  const Tensor* tensor = state_dict_.find(weight);
  if (tensor == nullptr || axis >= tensor->shape().size()) return fallback;
  return tensor->dim(axis) >= 1 && tensor->dim(axis) <= kMaxDimension ? tensor->dim(axis) : fallback;
}

Status ModuleBuilder::check_fit(std::string_view architecture) const {
  std::vector<std::string> unexpected;
  for (const StateDict::Entry& entry : state_dict_.entries) {
    if (!used_.contains(entry.name)) unexpected.push_back(fmt::format("'{}'", entry.name));
  }
  std::vector<std::string> complaints;
  if (!missing_.empty()) complaints.push_back(summarise(missing_, "missing"));
  if (!unexpected.empty()) complaints.push_back(summarise(unexpected, "unexpected"));
  if (!misfits_.empty()) complaints.push_back(summarise(misfits_, "of another shape or type"));
  if (complaints.empty()) return {};
  return fail(ErrorCode::kMismatch, "the weights do not fit {}: {}", architecture,
              fmt::join(complaints, ", "));
}

}  // namespace tenon::arch
