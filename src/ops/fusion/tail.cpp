#include "ops/fusion/tail.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/fusion/gelu.h"
#include "ops/fusion/values.h"
#include "ops/normalization/channel_norm.h"

namespace tenon::ops {

namespace {

using kernels::MicroOp;
using kernels::Unary;
using kernels::UnaryOp;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

MicroOp unary(Unary kind, float a = 0, float b = 0) {
  return {MicroOp::Kind::kUnary, UnaryOp{kind, a, b}, 0};
}

/// A bound of Clip: the constant, or `fallback` when omitted; nullopt when it is not constant.
std::optional<float> bound(const Graph& graph, const Node& node, size_t input, float fallback) {
  if (!node.has_input(input)) return fallback;
  return constant_number(graph, node.inputs[input]);
}

std::optional<MicroOp> activation(const Graph& graph, const Node& node) {
  if (const auto bounds = clamp_bounds(graph, node))
    return unary(Unary::kClamp, bounds->first, bounds->second);
  switch (node.op) {
    case Op::kLeakyRelu:
      return unary(Unary::kLeakyRelu, node.attributes.real("alpha", 0.01f));
    case Op::kHardSigmoid:
      return unary(Unary::kHardSigmoid, node.attributes.real("alpha", 0.2f),
                   node.attributes.real("beta", 0.5f));
    case Op::kHardSwish:
      return unary(Unary::kHardSwish);
    case Op::kSigmoid:
      return unary(Unary::kSigmoid);
    case Op::kTanh:
      return unary(Unary::kTanh);
    case Op::kErf:
      return unary(Unary::kErf);
    case Op::kGelu:
      if (node.attributes.string("approximate", "none") != "none") return std::nullopt;
      return unary(Unary::kGelu);
    case Op::kSwish:
      if (node.attributes.real("alpha", 1) != 1) return std::nullopt;
      return unary(Unary::kSilu);
    default:
      return std::nullopt;
  }
}

/// The gate of x * gate(x), for the gates that have a micro-operation.
std::optional<MicroOp> gated(const Node& gate) {
  if (gate.op == Op::kSigmoid) return unary(Unary::kSilu);
  if (gate.op == Op::kHardSigmoid && std::abs(gate.attributes.real("alpha", 0.2f) - 1.0f / 6) < 1e-7f &&
      gate.attributes.real("beta", 0.5f) == 0.5f)
    return unary(Unary::kHardSwish);
  return std::nullopt;
}

/// A sum, difference, product or quotient of `current` with one number.
std::optional<MicroOp> with_number(const Region& region, const Node& node, ValueId current) {
  if (node.inputs.size() != 2 || !node.has_input(0) || !node.has_input(1)) return std::nullopt;
  const size_t at = node.inputs[0] == current ? 0 : 1;
  const Tensor* number = region.constant_input(node, 1 - at);
  const auto& shape = region.type(current).shape;
  if (number == nullptr || number->type() != DataType::kFloat32 || number->size() != 1 || !shape ||
      number->rank() > static_cast<int64_t>(shape->size()))
    return std::nullopt;
  const float value = number->data<float>()[0];
  switch (node.op) {
    case Op::kAdd:
      return unary(Unary::kAdd, value);
    case Op::kMul:
      return unary(Unary::kMultiply, value);
    case Op::kSub:
      return at == 0 ? std::optional(unary(Unary::kAdd, -value)) : std::nullopt;
    case Op::kDiv:
      return at == 0 ? std::optional(unary(Unary::kDivide, value)) : std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<std::pair<float, float>> clamp_bounds(const Graph& graph, const Node& node) {
  if (node.op == Op::kRelu) return std::pair{0.0f, kInfinity};
  if (node.op != Op::kClip) return std::nullopt;
  const auto low = bound(graph, node, 1, -kInfinity), high = bound(graph, node, 2, kInfinity);
  if (!low || !high || std::isnan(*low) || std::isnan(*high) || *low > *high) return std::nullopt;
  return std::pair{*low, *high};
}

std::optional<FusedTail> fused_tail(const Region& region, size_t first, ValueId current) {
  FusedTail tail;
  for (size_t n = first; n < region.nodes.size(); ++n) {
    const Node& node = *region.nodes[n];
    if (node.outputs.empty() || node.outputs[0] == kNoValue || !node.has_input(0)) return std::nullopt;
    const auto rest = std::span(region.nodes).subspan(n);
    if (rest.size() >= kGeluNodes && is_gelu(*region.graph, rest.first(kGeluNodes), current)) {
      tail.ops.push_back(unary(Unary::kGelu));
      n += kGeluNodes - 1;
      current = region.nodes[n]->outputs[0];
      continue;
    }
    if (auto op = with_number(region, node, current)) {
      tail.ops.push_back(*op);
      current = node.outputs[0];
      continue;
    }
    bool two = (node.op == Op::kAdd || node.op == Op::kMul) && node.inputs.size() == 2;
    if (two) {
      ValueId other = node.inputs[0] == current ? node.inputs[1] : node.inputs[0];
      bool uses_current = node.inputs[0] == current || node.inputs[1] == current;
      auto input = std::find(region.inputs.begin(), region.inputs.end(), other);
      if (!uses_current || other == current || input == region.inputs.end() ||
          !same_float32_shape(*region.graph, current, other))
        return std::nullopt;
      auto kind = node.op == Op::kAdd ? MicroOp::Kind::kAddTensor : MicroOp::Kind::kMulTensor;
      tail.ops.push_back({kind, {}, static_cast<int>(tail.operands.size())});
      tail.operands.push_back(static_cast<size_t>(input - region.inputs.begin()));
    } else {
      if (node.inputs[0] != current) return std::nullopt;
      const Node* next = n + 1 < region.nodes.size() ? region.nodes[n + 1] : nullptr;
      ValueId gate = node.outputs[0];
      bool is_gate = next != nullptr && next->op == Op::kMul && next->inputs.size() == 2 &&
                     ((next->inputs[0] == current && next->inputs[1] == gate) ||
                      (next->inputs[1] == current && next->inputs[0] == gate));
      auto op = is_gate ? gated(node) : activation(*region.graph, node);
      if (!op) return std::nullopt;
      tail.ops.push_back(*op);
      if (is_gate) ++n;
    }
    current = region.nodes[n]->outputs[0];
  }
  if (tail.operands.size() > kernels::kEpilogueOperandsMax) return std::nullopt;
  return tail;
}

const Tensor* constant_bias(const Region& region) {
  if (region.nodes.size() < region.anchor + 2) return nullptr;
  const Node& product = region.anchor_node();
  const Node& add = *region.nodes[region.anchor + 1];
  if (product.op != Op::kMatMul || add.op != Op::kAdd || add.inputs.size() != 2) return nullptr;
  const Tensor* matrix = product.has_input(1) ? region.graph->constant(product.inputs[1]) : nullptr;
  if (matrix == nullptr || matrix->rank() != 2 || product.outputs.empty()) return nullptr;
  const ValueId current = product.outputs[0];
  if ((add.inputs[0] == current) == (add.inputs[1] == current)) return nullptr;
  const ValueId other = add.inputs[0] == current ? add.inputs[1] : add.inputs[0];
  const Tensor* bias = other == kNoValue ? nullptr : region.graph->constant(other);
  if (bias == nullptr || bias->type() != DataType::kFloat32 || bias->rank() != 1) return nullptr;
  return bias->dim(0) == matrix->dim(1) ? bias : nullptr;
}

const Node* folded_channel_norm(const Region& region) {
  const size_t at = region.anchor + (constant_bias(region) != nullptr ? 2 : 1);
  if (region.nodes.size() <= at) return nullptr;
  const Node& product = region.anchor_node();
  const Node& norm = *region.nodes[at];
  const ValueId current = region.nodes[at - 1]->outputs[0];
  const bool is_conv = product.op == Op::kConv || product.op == Op::kConvTranspose;
  if (is_conv && is_channel_product(*region.graph, norm, current)) return &norm;
  if (!is_constant_batch_norm(*region.graph, norm) || norm.inputs[0] != current) return nullptr;
  if (is_conv) return &norm;
  // Of a product, the channels of a matrix are its columns.
  const Tensor* matrix = region.constant_input(product, 1);
  const auto& shape = region.type(current).shape;
  const bool has_columns = matrix != nullptr && matrix->rank() == 2 && shape && shape->size() == 2;
  return has_columns && (product.op == Op::kGemm || product.op == Op::kMatMul) ? &norm : nullptr;
}

size_t tail_begin(const Region& region) {
  return region.anchor + 1 + (constant_bias(region) != nullptr ? 1 : 0) +
         (folded_channel_norm(region) != nullptr ? 1 : 0);
}

Result<kernels::Operands> tail_operands(const FusedTail& tail, KernelContext& context, const Shape& output) {
  kernels::Operands operands;
  for (size_t input : tail.operands) {
    const Tensor& tensor = context.input(input);
    if (tensor.shape() != output)
      return fail(ErrorCode::kMismatch, "an operand has shape {} where {} was inferred",
                  to_string(tensor.shape()), to_string(output));
    operands.push_back(tensor.data<float>());
  }
  return operands;
}

}  // namespace tenon::ops
