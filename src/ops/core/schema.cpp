#include "ops/core/schema.h"

#include <algorithm>
#include <tuple>

namespace tenon::ops {

namespace {

using enum SchemaParameter::Option;
using enum SchemaAttribute::Default;

#include "ops/core/schemas.inc"

const SchemaParameter* formal(std::span<const SchemaParameter> parameters_of, size_t i) {
  if (i < parameters_of.size()) return &parameters_of[i];
  if (parameters_of.empty() || parameters_of.back().option != kVariadic) return nullptr;
  return &parameters_of.back();
}

std::string_view short_domain(std::string_view domain) {
  return domain == "ai.onnx" ? "" : domain;
}

}  // namespace

const SchemaAttribute* Schema::attribute(std::string_view attribute_name) const {
  for (const SchemaAttribute& candidate : attributes)
    if (candidate.name == attribute_name) return &candidate;
  return nullptr;
}

const SchemaParameter* Schema::input(size_t i) const {
  return formal(inputs, i);
}
const SchemaParameter* Schema::output(size_t i) const {
  return formal(outputs, i);
}

std::span<const Schema> all_schemas() {
  return kSchemas;
}

std::span<const Schema> schema_versions(std::string_view domain, std::string_view name) {
  const auto key = [](const Schema& schema) { return std::pair(schema.domain, schema.name); };
  const auto range =
      std::ranges::equal_range(kSchemas, std::pair(short_domain(domain), name), std::ranges::less{}, key);
  return {range.begin(), range.end()};
}

const Schema* find_schema(std::string_view domain, std::string_view name, int opset) {
  const Schema* found = nullptr;
  for (const Schema& schema : schema_versions(domain, name))
    if (schema.since_version <= opset) found = &schema;
  return found;
}

}  // namespace tenon::ops
