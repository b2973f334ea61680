#include <algorithm>

#include "ops/core/registry.h"
#include "ops/core/versions.h"

namespace tenon::ops {

namespace {

const ValueType& type_or_unknown(const Graph& graph, const std::vector<ValueId>& ids, size_t i) {
  static const ValueType unknown;
  return i < ids.size() && ids[i] != kNoValue ? graph.value(ids[i]).type : unknown;
}

}  // namespace

const ValueType& EmitContext::input_type(size_t i) const {
  return type_or_unknown(graph_, node_.inputs, i);
}
const ValueType& EmitContext::output_type(size_t i) const {
  return type_or_unknown(graph_, node_.outputs, i);
}

std::string EmitContext::input(size_t i) {
  return has_input(i) ? sink_.value_name(node_.inputs[i]) : "";
}
std::string EmitContext::output(size_t i) {
  return has_output(i) ? sink_.value_name(node_.outputs[i]) : "";
}

std::vector<std::string> EmitContext::inputs() {
  std::vector<std::string> names;
  for (size_t i = 0; i < node_.inputs.size(); ++i) names.push_back(input(i));
  return names;
}

std::vector<std::string> EmitContext::outputs() {
  std::vector<std::string> names;
  for (size_t i = 0; i < node_.outputs.size(); ++i) names.push_back(output(i));
  return names;
}

std::string EmitContext::constant(Tensor value, std::string_view hint) {
  std::string name = sink_.fresh_name(fmt::format("{}.{}", node_.name, hint));
  sink_.declare(name, ValueType::tensor(value.type(), to_sym(value.shape())));
  sink_.add_initializer(name, std::move(value));
  return name;
}

Result<std::string> EmitContext::add(std::string_view op_type, std::vector<std::string> inputs,
                                     const Attributes& attributes, DataType element) {
  std::string name = sink_.fresh_name(fmt::format("{}.{}", node_.name, op_type));
  sink_.declare(name, ValueType::tensor(element == DataType::kUndefined ? input_type(0).element : element));
  TENON_TRY(sink_.add_node(node_, op_type, std::move(inputs), {name}, attributes));
  return name;
}

Status EmitContext::finish(std::string_view op_type, std::vector<std::string> inputs,
                           const Attributes& attributes) {
  return finish(op_type, std::move(inputs), attributes, outputs());
}

Status EmitContext::finish(std::string_view op_type, std::vector<std::string> inputs,
                           const Attributes& attributes, std::vector<std::string> outputs) {
  return sink_.add_node(node_, op_type, std::move(inputs), std::move(outputs), attributes);
}

Error EmitContext::unsupported(int needs_opset, std::string_view why) const {
  Error error = fail(ErrorCode::kUnsupported, "{} needs opset {} and opset {} was asked for{}{}",
                     op_name(node_.op), needs_opset, opset_, why.empty() ? "" : ": ", why);
  return with_hint(std::move(error), fmt::format("export with --opset {} or newer", needs_opset));
}

Status emit_unchanged(EmitContext& context) {
  return context.finish(op_def(context.node().op).name, context.inputs(), context.attributes());
}

}  // namespace tenon::ops
