#include <algorithm>

#include "base/near_names.h"
#include "base/try.h"
#include "lower/lower.h"
#include "ops/core/registry.h"
#include "tenon/ops.h"

namespace tenon {

namespace {

constexpr const char* kKinds[] = {"undefined",      "float", "int",     "string",  "tensor", "graph",
                                  "floats",         "ints",  "strings", "tensors", "graphs", "sparse_tensor",
                                  "sparse_tensors", "type",  "types"};

std::string type_names(const ops::TypeSet& types) {
  std::vector<std::string> names;
  for (int i = 1; i < kDataTypeCount; ++i) {
    auto type = static_cast<DataType>(i);
    if (types.has_tensor(type)) names.emplace_back(data_type_name(type));
    if ((types.sequences >> i) & 1u) names.push_back(fmt::format("seq({})", data_type_name(type)));
    if ((types.optionals >> i) & 1u) names.push_back(fmt::format("optional({})", data_type_name(type)));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::vector<OperatorInfo::Parameter> parameters(std::span<const ops::SchemaParameter> list) {
  std::vector<OperatorInfo::Parameter> out;
  for (const ops::SchemaParameter& parameter : list)
    out.push_back({std::string(parameter.name), type_names(parameter.types),
                   parameter.option == ops::SchemaParameter::Option::kOptional,
                   parameter.option == ops::SchemaParameter::Option::kVariadic});
  return out;
}

std::string default_text(const ops::SchemaAttribute& attribute) {
  using Default = ops::SchemaAttribute::Default;
  switch (attribute.default_kind) {
    case Default::kNone:
      return "";
    case Default::kInt:
      return std::to_string(attribute.default_int);
    case Default::kFloat:
      return fmt::format("{}", attribute.default_float);
    case Default::kString:
      return fmt::format("\"{}\"", attribute.default_string);
    case Default::kInts:
      return fmt::format("[{}]", fmt::join(attribute.default_ints, ","));
    case Default::kStrings:
      return fmt::format("[{}]", fmt::join(attribute.default_strings, ","));
  }
  return "";
}

OperatorInfo describe(const ops::Schema& schema) {
  OperatorInfo info;
  info.domain = schema.domain;
  info.name = schema.name;
  info.deprecated = schema.deprecated;
  for (const ops::Schema& version : ops::schema_versions(schema.domain, schema.name))
    info.versions.push_back(version.since_version);
  const ops::OpDef* def = ops::find_op(schema.domain, schema.name);
  info.supported = def != nullptr || ops::find_legacy(schema.domain, schema.name) != nullptr;
  if (def)
    for (const ops::KernelRow& row : def->rows) info.kernels.emplace_back(row.name);
  info.inputs = parameters(schema.inputs);
  info.outputs = parameters(schema.outputs);
  for (const ops::SchemaAttribute& attribute : schema.attributes)
    info.attributes.push_back(
        {std::string(attribute.name), kKinds[attribute.kind], default_text(attribute), attribute.required});
  return info;
}

// The version of an operator in force: the newest of other domains whatever the opset of ai.onnx.
const ops::Schema* in_force(const ops::Schema& any, int opset) {
  if (opset == 0 || !any.domain.empty()) return &ops::schema_versions(any.domain, any.name).back();
  return ops::find_schema(any.domain, any.name, opset);
}

}  // namespace

std::vector<OperatorInfo> list_operators(int opset) {
  std::vector<OperatorInfo> out;
  const ops::Schema* last = nullptr;
  for (const ops::Schema& schema : ops::all_schemas()) {
    if (last && last->name == schema.name && last->domain == schema.domain) continue;
    last = &schema;
    if (const ops::Schema* chosen = in_force(schema, opset)) out.push_back(describe(*chosen));
  }
  return out;
}

Result<OperatorInfo> describe_operator(std::string_view name, int opset) {
  std::vector<std::string> names;
  for (const ops::Schema& schema : ops::all_schemas()) {
    if (schema.name == name) {
      const ops::Schema* chosen = in_force(schema, opset);
      if (chosen) return describe(*chosen);
      return fail(ErrorCode::kUsage, "operator {} exists since opset {}", name, schema.since_version);
    }
    if (names.empty() || names.back() != schema.name) names.emplace_back(schema.name);
  }
  return with_hint(fail(ErrorCode::kUsage, "there is no operator '{}'", name), near_names_hint(name, names));
}

std::vector<std::string> list_aten_operators() {
  auto targets = lower::lowered_targets();
  return {targets.begin(), targets.end()};
}

}  // namespace tenon
