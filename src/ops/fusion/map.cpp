#include <algorithm>

#include "ops/fusion/tail.h"
#include "ops/normalization/channel_norm.h"

namespace tenon::ops {

namespace {

bool is_float32(const ValueType& type) {
  return type.is_tensor() && type.element == DataType::kFloat32 && type.shape;
}

size_t input_index(const Region& region, ValueId id) {
  return static_cast<size_t>(std::find(region.inputs.begin(), region.inputs.end(), id) -
                             region.inputs.begin());
}

std::optional<ChannelScale> batch_norm(const Region& region, const Node& node, int64_t channels) {
  auto norm = ChannelNorm::of(*region.graph, node, channels);
  if (!norm.ok()) return std::nullopt;
  ChannelScale result;
  for (size_t c = 0; c < norm->factor.size(); ++c) {
    result.scale.push_back(static_cast<float>(norm->factor[c]));
    result.shift.push_back(static_cast<float>(norm->apply(c, 0)));
  }
  return result;
}

/// A node that is itself a micro-operation, on its first input that is not a constant.
bool is_micro_operation(const Node& node) {
  switch (node.op) {
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
    case Op::kDiv:
    case Op::kErf:
    case Op::kGelu:
    case Op::kRelu:
    case Op::kClip:
    case Op::kLeakyRelu:
    case Op::kSigmoid:
    case Op::kHardSigmoid:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<std::pair<ChannelScale, ValueId>> channel_operation(const Region& region, const Node& node) {
  if (is_constant_batch_norm(*region.graph, node)) {
    const ValueType& type = region.type(node.inputs[0]);
    if (!is_float32(type) || type.shape->size() != 4 || !(*type.shape)[1].is_constant()) return std::nullopt;
    auto scale = batch_norm(region, node, *(*type.shape)[1].constant());
    if (!scale) return std::nullopt;
    return std::pair{std::move(*scale), node.inputs[0]};
  }
  if ((node.op != Op::kMul && node.op != Op::kAdd) || node.inputs.size() != 2) return std::nullopt;
  for (size_t i : {0, 1}) {
    if (!node.has_input(i) || !node.has_input(1 - i)) return std::nullopt;
    const ValueType& type = region.type(node.inputs[i]);
    if (!is_float32(type) || type.shape->size() != 4 || !(*type.shape)[1].is_constant()) continue;
    const int64_t channels = *(*type.shape)[1].constant();
    ChannelScale result;
    if (const Tensor* other = region.constant_input(node, 1 - i)) {
      if (!is_by_channel(*other, channels)) continue;
      const std::vector<float> values(other->data<float>(), other->data<float>() + channels);
      const std::vector<float> ones(values.size(), 1.0f), zeros(values.size(), 0.0f);
      result.scale = node.op == Op::kMul ? values : ones;
      result.shift = node.op == Op::kMul ? zeros : values;
      return std::pair{std::move(result), node.inputs[i]};
    }
    const ValueType& gate = region.type(node.inputs[1 - i]);
    const SymShape& shape = *type.shape;
    if (node.op == Op::kMul && is_float32(gate) && *gate.shape == SymShape{shape[0], shape[1], 1, 1} &&
        node.inputs[0] != node.inputs[1]) {
      result.scale_operand = input_index(region, node.inputs[1 - i]);
      return std::pair{std::move(result), node.inputs[i]};
    }
  }
  return std::nullopt;
}

bool can_begin_map(const Graph& graph, const Node& node) {
  if (!node.has_input(0) || node.outputs.empty() || node.outputs[0] == kNoValue ||
      !is_float32(graph.value(node.inputs[0]).type))
    return false;
  return is_constant_batch_norm(graph, node) || is_micro_operation(node);
}

std::optional<FusedMap> fused_map(const Region& region) {
  const Node& first = *region.nodes[0];
  if (region.anchor != 0 || region.outputs.size() != 1 || !can_begin_map(*region.graph, first))
    return std::nullopt;
  FusedMap map;
  const bool from_second = region.constant_input(first, 0) != nullptr && first.has_input(1);
  ValueId current = first.inputs[from_second ? 1 : 0];
  size_t done = 0;
  if (auto operation = channel_operation(region, first)) {
    map.channels = std::move(operation->first);
    current = operation->second;
    done = 1;
  } else if (first.op == Op::kBatchNormalization) {
    return std::nullopt;
  }
  map.input = input_index(region, current);
  if (map.input == region.inputs.size()) return std::nullopt;
  auto tail = fused_tail(region, done, done == 0 ? current : first.outputs[0]);
  if (!tail) return std::nullopt;
  map.tail = std::move(*tail);
  // A number or a tensor of more dimensions would make the output larger than the input.
  const ValueType &in = region.type(current), &out = region.type(region.outputs[0]);
  if (!in.shape || !out.shape || *in.shape != *out.shape) return std::nullopt;
  return map;
}

}  // namespace tenon::ops
