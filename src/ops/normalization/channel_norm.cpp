#include "ops/normalization/channel_norm.h"

#include <cmath>

#include "tensor/element.h"

namespace tenon::ops {

ChannelNorm::ChannelNorm(const std::vector<double>& scale, std::vector<double> biases,
                         std::vector<double> means, const std::vector<double>& variance,
                         const Attributes& attributes)
    : mean(std::move(means)), bias(std::move(biases)) {
  const double epsilon = attributes.real("epsilon", 1e-5F);
  factor.reserve(scale.size());
  for (size_t c = 0; c < scale.size(); ++c) factor.push_back(scale[c] / std::sqrt(variance[c] + epsilon));
}

Result<ChannelNorm> ChannelNorm::of(const Graph& graph, const Node& node, int64_t channels) {
  if (node.op == Op::kMul) {
    ChannelNorm product;
    const Tensor* factors = graph.constant(node.inputs[0]);
    product.factor = to_doubles(factors != nullptr ? *factors : *graph.constant(node.inputs[1]));
    product.mean.resize(product.factor.size());
    product.bias.resize(product.factor.size());
    return product;
  }
  std::vector<double> parameters[4];
  for (size_t i = 0; i < 4; ++i) {
    const Tensor& parameter = *graph.constant(node.inputs[i + 1]);
    if (parameter.size() != channels)
      return at_node(fail(ErrorCode::kInvalidModel, "a parameter has {} elements for {} channels",
                          parameter.size(), channels),
                     node.name, "BatchNormalization");
    parameters[i] = to_doubles(parameter);
  }
  auto& [scale, bias, mean, variance] = parameters;
  return ChannelNorm(scale, std::move(bias), std::move(mean), variance, node.attributes);
}

bool is_constant_batch_norm(const Graph& graph, const Node& node) {
  if (node.op != Op::kBatchNormalization || node.attributes.integer("training_mode") != 0) return false;
  for (size_t i = 1; i < 5; ++i) {
    const Tensor* parameter = node.has_input(i) ? graph.constant(node.inputs[i]) : nullptr;
    if (parameter == nullptr || parameter->type() != DataType::kFloat32) return false;
  }
  return !node.has_output(1) && !node.has_output(2);
}

bool is_by_channel(const Tensor& constant, int64_t channels) {
  if (constant.type() != DataType::kFloat32) return false;
  return constant.shape() == Shape{channels, 1, 1} || constant.shape() == Shape{1, channels, 1, 1};
}

bool is_channel_product(const Graph& graph, const Node& node, ValueId x) {
  if (node.op != Op::kMul || node.inputs.size() != 2 || (node.inputs[0] == x) == (node.inputs[1] == x))
    return false;
  const ValueId other = node.inputs[node.inputs[0] == x ? 1 : 0];
  const Tensor* factors = other == kNoValue ? nullptr : graph.constant(other);
  const ValueType& type = graph.value(x).type;
  if (factors == nullptr || graph.constant(x) != nullptr || !type.shape || type.shape->size() != 4)
    return false;
  const auto channels = (*type.shape)[1].constant();
  return channels && is_by_channel(*factors, *channels);
}

}  // namespace tenon::ops
