#include "ops/core/builder.h"

#include "ir/model.h"
#include "ops/core/registry.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

AttributeValue default_of(const SchemaAttribute& attribute) {
  switch (attribute.default_kind) {
    case SchemaAttribute::Default::kFloat:
      return attribute.default_float;
    case SchemaAttribute::Default::kString:
      return std::string(attribute.default_string);
    case SchemaAttribute::Default::kInts:
      return std::vector<int64_t>(attribute.default_ints.begin(), attribute.default_ints.end());
    case SchemaAttribute::Default::kStrings:
      return std::vector<std::string>(attribute.default_strings.begin(), attribute.default_strings.end());
    default:
      return attribute.default_int;
  }
}

// The kind of AttributeProto that a value is written as.
bool kind_fits(const AttributeValue& value, uint8_t kind) {
  switch (static_cast<onnx::Attribute::Kind>(kind)) {
    case onnx::Attribute::Kind::kFloat:
      return std::holds_alternative<float>(value);
    case onnx::Attribute::Kind::kInt:
      return std::holds_alternative<int64_t>(value);
    case onnx::Attribute::Kind::kString:
      return std::holds_alternative<std::string>(value);
    case onnx::Attribute::Kind::kTensor:
      return std::holds_alternative<Tensor>(value);
    case onnx::Attribute::Kind::kFloats:
      return std::holds_alternative<std::vector<float>>(value);
    case onnx::Attribute::Kind::kInts:
      return std::holds_alternative<std::vector<int64_t>>(value);
    case onnx::Attribute::Kind::kStrings:
      return std::holds_alternative<std::vector<std::string>>(value);
    case onnx::Attribute::Kind::kTensors:
      return std::holds_alternative<std::vector<Tensor>>(value);
    case onnx::Attribute::Kind::kTypeProto:
      return std::holds_alternative<ValueType>(value);
    default:
      return true;
  }
}

}  // namespace

Status complete_attributes(const Schema& schema, Attributes& attributes) {
  for (const auto& [name, value] : attributes) {
    const SchemaAttribute* known = schema.attribute(name);
    if (!known)
      return fail(ErrorCode::kInvalidModel, "{} (since opset {}) has no attribute '{}'", schema.name,
                  schema.since_version, name);
    // An empty list carries no type on its way through a file.
    if (!kind_fits(value, known->kind))
      return fail(ErrorCode::kInvalidModel, "attribute '{}' of {} has the wrong type", name, schema.name);
  }
  for (const SchemaAttribute& attribute : schema.attributes)
    if (attribute.default_kind != SchemaAttribute::Default::kNone && !attributes.has(attribute.name))
      attributes.set(attribute.name, default_of(attribute));
  return {};
}

void GraphBuilder::set_origin(std::string name, std::shared_ptr<const Provenance> provenance) {
  origin_name_ = std::move(name);
  provenance_ = std::move(provenance);
}

Status GraphBuilder::add_node(Node node) {
  const Schema& schema = newest_schema(node.op);
  if (node.name.empty()) node.name = origin_name_;
  if (!node.provenance) node.provenance = provenance_;
  auto located = [&](Error error) { return at_node(std::move(error), node.name, schema.name); };

  // What is left out at the end is not there, but a variadic input may still ask for a place (Loop without a
  // state, trip count or condition).
  while (!node.inputs.empty() && node.inputs.back() == kNoValue &&
         static_cast<int>(node.inputs.size()) > schema.min_inputs)
    node.inputs.pop_back();
  auto inputs = static_cast<int>(node.inputs.size()), outputs = static_cast<int>(node.outputs.size());
  if (inputs < schema.min_inputs || inputs > schema.max_inputs)
    return located(fail(ErrorCode::kInvalidModel, "{} takes {} to {} inputs, not {}", schema.name,
                        schema.min_inputs, schema.max_inputs, inputs));
  if (outputs < schema.min_outputs || outputs > schema.max_outputs)
    return located(fail(ErrorCode::kInvalidModel, "{} makes {} to {} outputs, not {}", schema.name,
                        schema.min_outputs, schema.max_outputs, outputs));
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const SchemaParameter* formal = schema.input(i);
    if (node.inputs[i] == kNoValue) {
      if (formal->option == SchemaParameter::Option::kSingle)
        return located(
            fail(ErrorCode::kInvalidModel, "input '{}' of {} is required", formal->name, schema.name));
      continue;
    }
    const ValueType& actual = type(node.inputs[i]);
    if (actual.is_tensor() && actual.element != DataType::kUndefined &&
        !formal->types.has_tensor(actual.element))
      return located(fail(ErrorCode::kInvalidModel, "input '{}' of {} cannot be {}", formal->name,
                          schema.name, actual.to_string()));
  }
  Status completed = complete_attributes(schema, node.attributes);
  if (!completed.ok()) return located(std::move(completed.error()));
  for (const SchemaAttribute& attribute : schema.attributes) {
    bool given = node.attributes.has(attribute.name) || node.subgraph(attribute.name) != nullptr;
    if (attribute.required && !given)
      return located(
          fail(ErrorCode::kInvalidModel, "attribute '{}' of {} is required", attribute.name, schema.name));
  }
  TENON_TRY(infer_node(graph_, node));
  graph_.nodes.push_back(std::move(node));
  return {};
}

Result<std::vector<ValueId>> GraphBuilder::add_node(Op op, std::vector<ValueId> inputs, Attributes attributes,
                                                    std::vector<std::string> output_names, bool skip_empty) {
  Node node;
  node.op = op;
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
  for (const std::string& name : output_names) {
    if (name.empty() && skip_empty)
      node.outputs.push_back(kNoValue);
    else
      node.outputs.push_back(
          graph_.add_value(name.empty() ? fmt::format("{}.{}", origin_name_, op_name(op)) : name));
  }
  std::vector<ValueId> results = node.outputs;
  TENON_TRY(add_node(std::move(node)));
  return results;
}

Result<ValueId> GraphBuilder::add(Op op, std::vector<ValueId> inputs, Attributes attributes,
                                  std::string_view output_name) {
  auto outputs =
      TENON_TRY(add_node(op, std::move(inputs), std::move(attributes), {std::string(output_name)}));
  return outputs[0];
}

ValueId GraphBuilder::constant(Tensor tensor, std::string_view name) {
  return graph_.add_constant(name.empty() ? origin_name_ + ".constant" : std::string(name),
                             std::move(tensor));
}

ValueId GraphBuilder::constant_scalar(DataType type, double value) {
  Tensor tensor = Tensor::allocate(type, {});
  store_element<double>(tensor, 0, value);
  return constant(std::move(tensor));
}

}  // namespace tenon::ops
