#include "ops/core/registry.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace tenon {

namespace {

constexpr std::string_view kNames[] = {
#define TENON_OPERATOR(name) #name,
#include "ir/op_names.def"
#undef TENON_OPERATOR
};

}  // namespace

std::string_view op_name(Op op) {
  return kNames[static_cast<size_t>(op)];
}

namespace ops {

namespace {

// By Op; null for an operator of the standard that tenon does not have.
constexpr auto kOps = [] {
  std::array<const OpDef*, kOpCount> table{};
#define TENON_OP(name) table[static_cast<size_t>(Op::k##name)] = &k##name;
#include "ir/ops.def"
#undef TENON_OP
  return table;
}();

constexpr const LegacyOp* kLegacy[] = {
    nullptr,  // keeps the array from being empty
#define TENON_OP(name)
#define TENON_LEGACY(name) &k##name##Legacy,
#include "ir/ops.def"
#undef TENON_OP
};

}  // namespace

const OpDef& op_def(Op op) {
  return *kOps[static_cast<size_t>(op)];
}

bool has_row_like(std::string_view beginning) {
  const auto begins = [&](const KernelRow& row) { return row.name.starts_with(beginning); };
  return std::ranges::any_of(
      kOps, [&](const OpDef* def) { return def != nullptr && std::ranges::any_of(def->rows, begins); });
}

const OpDef* find_op(std::string_view domain, std::string_view name) {
  static const auto index = [] {
    std::unordered_map<std::string_view, const OpDef*> map;
    for (const OpDef* def : kOps)
      if (def) map.emplace(def->name, def);
    return map;
  }();
  auto it = index.find(name);
  return it != index.end() && it->second->domain == domain ? it->second : nullptr;
}

Op op_of(const OpDef& def) {
  static const auto index = [] {
    std::unordered_map<const OpDef*, Op> map;
    for (size_t i = 0; i < kOps.size(); ++i)
      if (kOps[i]) map.emplace(kOps[i], static_cast<Op>(i));
    return map;
  }();
  return index.at(&def);
}

const LegacyOp* find_legacy(std::string_view domain, std::string_view name) {
  if (!domain.empty()) return nullptr;
  for (const LegacyOp* legacy : kLegacy)
    if (legacy && legacy->name == name) return legacy;
  return nullptr;
}

const Schema& newest_schema(Op op) {
  const OpDef& def = op_def(op);
  return schema_versions(def.domain, def.name).back();
}

}  // namespace ops
}  // namespace tenon
