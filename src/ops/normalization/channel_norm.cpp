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

}  // namespace tenon::ops
