#include "formats/torch/pt2/signature.h"

#include <array>

#include "base/try.h"
#include "formats/torch/pt2/treespec.h"

namespace tenon::pt2 {

namespace {

using aten::InputSpec;
using aten::OutputSpec;

struct InputKind {
  std::string_view tag;
  InputSpec::Kind kind;
  std::string_view target_key;  // the field that names the weight; empty when there is none
};
constexpr InputKind kInputKinds[] = {
    {"user_input", InputSpec::Kind::kUserInput, ""},
    {"parameter", InputSpec::Kind::kParameter, "parameter_name"},
    {"buffer", InputSpec::Kind::kBuffer, "buffer_name"},
    {"tensor_constant", InputSpec::Kind::kTensorConstant, "tensor_constant_name"},
    {"constant_input", InputSpec::Kind::kConstantInput, ""},
    {"custom_obj", InputSpec::Kind::kCustomObject, "custom_obj_name"},
    {"token", InputSpec::Kind::kToken, ""},
};

struct OutputKind {
  std::string_view tag;
  OutputSpec::Kind kind;
  std::string_view target_key;
};
constexpr OutputKind kOutputKinds[] = {
    {"user_output", OutputSpec::Kind::kUserOutput, ""},
    {"loss_output", OutputSpec::Kind::kLoss, ""},
    {"buffer_mutation", OutputSpec::Kind::kBufferMutation, "buffer_name"},
    {"parameter_mutation", OutputSpec::Kind::kParameterMutation, "parameter_name"},
    {"user_input_mutation", OutputSpec::Kind::kUserInputMutation, "user_input_name"},
    {"gradient_to_parameter", OutputSpec::Kind::kGradient, "parameter_name"},
    {"gradient_to_user_input", OutputSpec::Kind::kGradient, "user_input_name"},
    {"token", OutputSpec::Kind::kToken, ""},
};

template <class Kind, size_t N>
const Kind* find_kind(const Kind (&kinds)[N], std::string_view tag) {
  for (const Kind& kind : kinds)
    if (kind.tag == tag) return &kind;
  return nullptr;
}

// The name that a graph input or output refers to, or "".
std::string value_name(const aten::Argument& argument) {
  std::string name;
  aten::for_each_name(argument, [&](const std::string& value) { name = value; });
  return name;
}

// A signature names the value that it speaks of: {"arg": {"name": ..}} or, for user inputs and outputs, a
// union. The name is checked against the graph's.
Status check_name(const JsonObject& body, std::string_view expected) {
  auto arg = body.find("arg");
  if (!arg) return {};
  JsonObject object = TENON_TRY(JsonObject::of(*arg, "a signature's argument"));
  if (!object.find("name")) return {};
  std::string name = TENON_TRY(object.get_string("name"));
  if (name != expected)
    return fail(ErrorCode::kInvalidModel, "the signature speaks of '{}' where the graph has '{}'", name,
                expected);
  return {};
}

Result<InputSpec> input_spec(JsonValue value, const aten::Argument& input) {
  auto [tag, body] = TENON_TRY(json_union(value, "an input of the signature"));
  const InputKind* kind = find_kind(kInputKinds, tag);
  if (kind == nullptr)
    return fail(ErrorCode::kUnsupported, "the signature has an input of the unknown kind '{}'", tag);
  JsonObject object = TENON_TRY(JsonObject::of(body, "an input of the signature"));
  InputSpec spec;
  spec.kind = kind->kind;
  spec.name = value_name(input);
  if (kind->kind == InputSpec::Kind::kConstantInput) {
    spec.name = TENON_TRY(object.get_string("name"));
    return spec;
  }
  TENON_TRY(check_name(object, spec.name));
  if (!kind->target_key.empty()) spec.target = TENON_TRY(object.get_string(kind->target_key));
  if (kind->kind == InputSpec::Kind::kBuffer && object.find("persistent"))
    spec.persistent = TENON_TRY(object.get_bool("persistent"));
  bool needs_tensor = kind->kind == InputSpec::Kind::kParameter || kind->kind == InputSpec::Kind::kBuffer ||
                      kind->kind == InputSpec::Kind::kTensorConstant;
  if (needs_tensor && input.get<aten::TensorRef>() == nullptr)
    return fail(ErrorCode::kInvalidModel, "'{}' is a {} in the graph, where the signature has a tensor",
                spec.target, kind_name(input));
  return spec;
}

Result<OutputSpec> output_spec(JsonValue value, const aten::Argument& output) {
  auto [tag, body] = TENON_TRY(json_union(value, "an output of the signature"));
  const OutputKind* kind = find_kind(kOutputKinds, tag);
  if (kind == nullptr)
    return fail(ErrorCode::kUnsupported, "the signature has an output of the unknown kind '{}'", tag);
  JsonObject object = TENON_TRY(JsonObject::of(body, "an output of the signature"));
  OutputSpec spec;
  spec.kind = kind->kind;
  spec.name = value_name(output);
  TENON_TRY(check_name(object, spec.name));
  if (!kind->target_key.empty()) spec.target = TENON_TRY(object.get_string(kind->target_key));
  return spec;
}

aten::PyTree flat_tree(size_t leaves) {
  aten::PyTree tree;
  tree.kind = aten::PyTree::Kind::kTuple;
  tree.type = "builtins.tuple";
  tree.children.resize(leaves);
  return tree;
}

}  // namespace

Status read_signature(JsonValue value, aten::Program& program) {
  JsonObject object = TENON_TRY(JsonObject::of(value, "the signature"));
  const aten::Graph& graph = program.graph;
  for (JsonValue item : TENON_TRY(object.get_array("input_specs"))) {
    size_t i = program.input_specs.size();
    if (i == graph.inputs.size()) break;
    program.input_specs.push_back(TENON_TRY(input_spec(item, graph.inputs[i])));
  }
  for (JsonValue item : TENON_TRY(object.get_array("output_specs"))) {
    size_t i = program.output_specs.size();
    if (i == graph.outputs.size()) break;
    program.output_specs.push_back(TENON_TRY(output_spec(item, graph.outputs[i])));
  }
  size_t inputs = TENON_TRY(object.get_array("input_specs")).size();
  size_t outputs = TENON_TRY(object.get_array("output_specs")).size();
  if (inputs != graph.inputs.size() || outputs != graph.outputs.size())
    return fail(ErrorCode::kInvalidModel, "the signature has {} inputs and {} outputs, the graph {} and {}",
                inputs, outputs, graph.inputs.size(), graph.outputs.size());
  return {};
}

Status read_trees(JsonValue value, aten::Program& program) {
  size_t inputs = 0, outputs = 0;
  for (const InputSpec& spec : program.input_specs)
    inputs += spec.kind == InputSpec::Kind::kUserInput || spec.kind == InputSpec::Kind::kConstantInput;
  for (const OutputSpec& spec : program.output_specs)
    outputs += spec.kind == OutputSpec::Kind::kUserOutput || spec.kind == OutputSpec::Kind::kLoss;
  program.input_tree = flat_tree(inputs);
  program.output_tree = flat_tree(outputs);
  for (JsonValue item : TENON_TRY(json_array(value, "module_call_graph"))) {
    JsonObject entry = TENON_TRY(JsonObject::of(item, "an entry of the module call graph"));
    if (!TENON_TRY(entry.get_string("fqn")).empty() || !entry.find("signature")) continue;
    JsonObject signature = TENON_TRY(entry.get_object("signature"));
    aten::PyTree in = TENON_TRY(parse_treespec(TENON_TRY(signature.get_string("in_spec"))));
    aten::PyTree out = TENON_TRY(parse_treespec(TENON_TRY(signature.get_string("out_spec"))));
    if (aten::leaf_count(in) != inputs || aten::leaf_count(out) != outputs)
      return fail(ErrorCode::kInvalidModel,
                  "the trees of inputs and outputs have {} and {} leaves, the signature {} and {}",
                  aten::leaf_count(in), aten::leaf_count(out), inputs, outputs);
    program.input_tree = std::move(in);
    program.output_tree = std::move(out);
    return {};
  }
  return {};
}

Status read_ranges(JsonValue value, aten::Program& program) {
  JsonObject object = TENON_TRY(JsonObject::of(value, "range_constraints"));
  for (const auto& [symbol, item] : object.fields()) {
    JsonObject bounds = TENON_TRY(JsonObject::of(item, "a range"));
    SizeRange range;
    if (bounds.find("min_val")) range.min = TENON_TRY(bounds.get_int("min_val"));
    if (bounds.find("max_val")) range.max = TENON_TRY(bounds.get_int("max_val"));
    program.ranges.emplace(std::string(symbol), range);
  }
  return {};
}

}  // namespace tenon::pt2
