#include "ops/core/infer.h"

#include <algorithm>

#include "tensor/element.h"

namespace tenon::ops {

InferContext::InferContext(const Node& node, std::vector<const ValueFacts*> inputs, SymbolSource symbols,
                           SubgraphRule subgraphs)
    : node_(node),
      inputs_(std::move(inputs)),
      outputs_(node.outputs.size()),
      symbols_(std::move(symbols)),
      subgraphs_(std::move(subgraphs)) {}

const ValueFacts& InferContext::input(size_t i) const {
  static const ValueFacts nothing;
  return has_input(i) ? *inputs_[i] : nothing;
}

const SymShape* InferContext::shape(size_t i) const {
  const ValueType& input_type = type(i);
  return input_type.is_tensor() && input_type.shape ? &*input_type.shape : nullptr;
}

const Tensor* InferContext::constant(size_t i) const {
  const ValueFacts& facts = input(i);
  return facts.constant ? &*facts.constant : nullptr;
}

std::optional<std::vector<SymInt>> InferContext::elements(size_t i) const {
  const ValueFacts& facts = input(i);
  if (facts.constant && facts.constant->size() <= kTrackedElements) {
    ComputeKind kind = compute_kind(facts.constant->type());
    if (kind == ComputeKind::kSigned || kind == ComputeKind::kUnsigned) {
      auto ints = to_ints(*facts.constant);
      return std::vector<SymInt>(ints.begin(), ints.end());
    }
  }
  return facts.elements;
}

std::optional<std::vector<int64_t>> InferContext::known_ints(size_t i) const {
  auto symbolic = elements(i);
  return symbolic ? constant_shape(*symbolic) : std::nullopt;
}

void InferContext::set_output(size_t i, ValueType type) {
  if (i < outputs_.size()) outputs_[i].type = std::move(type);
}

void InferContext::set_elements(size_t i, std::vector<SymInt> elements) {
  if (i < outputs_.size() && elements.size() <= static_cast<size_t>(kTrackedElements))
    outputs_[i].elements = std::move(elements);
}

SymShape InferContext::fresh_shape(size_t rank) {
  SymShape shape;
  for (size_t i = 0; i < rank; ++i) shape.push_back(fresh_symbol());
  return shape;
}

Result<SymShape> broadcast(const SymShape& a, const SymShape& b) {
  SymShape result(std::max(a.size(), b.size()));
  for (size_t i = 0; i < result.size(); ++i) {  // i counts from the innermost dimension
    const SymInt x = i < a.size() ? a[a.size() - 1 - i] : SymInt(1);
    const SymInt y = i < b.size() ? b[b.size() - 1 - i] : SymInt(1);
    SymInt& out = result[result.size() - 1 - i];
    if (x == y || y.is(1))
      out = x;
    else if (x.is(1))
      out = y;
    else if (x.is_constant() && y.is_constant())
      return fail(ErrorCode::kInvalidModel, "shapes {} and {} do not broadcast", to_string(a), to_string(b));
    else
      out = y.is_constant() ? y : x;
  }
  return result;
}

Result<int64_t> normalize_axis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return fail(ErrorCode::kInvalidModel, "axis {} is outside of a tensor of rank {}", axis, rank);
  return axis < 0 ? axis + rank : axis;
}

Status infer_same_as_first(InferContext& context) {
  context.set_output(0, context.type(0));
  return {};
}

namespace {

Status broadcast_all(InferContext& context, DataType element) {
  std::optional<SymShape> shape;
  for (size_t i = 0; i < context.input_count(); ++i) {
    if (!context.has_input(i)) continue;
    const SymShape* next = context.shape(i);
    if (!next) {
      context.set_output(0, element);
      return {};
    }
    shape = shape ? TENON_TRY(broadcast(*shape, *next)) : *next;
  }
  context.set_output(0, element, std::move(shape));
  return {};
}

}  // namespace

Status infer_broadcast(InferContext& context) {
  return broadcast_all(context, context.element(0));
}
Status infer_broadcast_bool(InferContext& context) {
  return broadcast_all(context, DataType::kBool);
}

}  // namespace tenon::ops
